"""Rewards: what was read of the catalogue that points buy -> the model's records, and what they must agree on.

What does not live here: the keys of a reward (`reward_schema`), offers and gift
cards themselves (`offers`, `gift_cards`), and asking for a reward (`service.rewards`).
"""

from __future__ import annotations

from dataclasses import dataclass

from rewards.policy.conditions import OfMembers, OfRule, check_without_receipt, compile_conditions
from rewards.policy.forms import Given
from rewards.policy.gift_cards import given_card, offer_of
from rewards.policy.model import ALL, Condition, GiftCard, Reward, RewardLimit
from rewards.policy.offers import OfferDraft
from rewards.policy.problems import Also, Report
from rewards.policy.selections import Selections
from rewards.policy.shape import Got, Table
from rewards.policy.wallets import text_of
from rewards.policy.wording import quoted


@dataclass(frozen=True, slots=True)
class Around:
    """The rest of a file, as its rewards name it; sections are for the names of what is broken in them."""

    offers: Table
    drafts: dict[str, OfferDraft]
    cards: Table
    products: dict[str, GiftCard]
    selections: Selections
    members: OfMembers


@dataclass(frozen=True, slots=True)
class _Cost:
    """A cost as it was read: `step` is 0 unless it is open."""

    wallet: str
    points: int
    step: int
    got: Got


def compile_rewards(rewards: Table, around: Around, report: Report) -> dict[str, Reward]:
    """Return the rewards whose parts are there; what is wrong with them is reported."""
    found = {}
    for name, got in rewards.got.items():
        reward = _reward(name, got, around, report)
        if reward is not None:
            found[name] = reward
    return found


def _reward(name: str, got: Got, around: Around, report: Report) -> Reward | None:
    table: Table = got.value
    cost, gives, when = _cost(table.get("cost"), report), table.get("gives"), table.get("when")
    limits = _limits(table.get("limit"), cost, report)
    if gives is None or gives.value.broken:
        return None
    conditions = _conditions(when, around, report) if when is not None else ()
    what = _gives(name, got, gives, around, report)
    automatic = table.get("automatic")
    if automatic is not None and gives.value.has("offer"):
        message = f"{quoted(name)} gives an offer, which takes something off a purchase, and none is there"
        report.add("automatic-offer", message, automatic.key, "give a gift card or an item, or leave `automatic` out")
    if what is None or cost is None:
        return None
    return Reward(
        id=name,
        title=text_of(table.get("title")),
        wallet=cost.wallet,
        points=cost.points,
        step=cost.step,
        **what,
        value=_value(cost, gives.value, report),
        when=conditions,
        limits=limits,
        automatic=automatic.value.value("at") if automatic is not None else None,
    )


def _cost(got: Got | None, report: Report) -> _Cost | None:
    if got is None or isinstance(got.value, Given):
        return None if got is None else _Cost(got.value.wallet, got.value.points, 0, got)
    least, step = got.value.get("at_least"), got.value.get("step")
    if least is None or step is None:
        return None
    if least.value.wallet != step.value.wallet:
        message = f"the cost is in {least.value.wallet}, and the step in {step.value.wallet}"
        report.add("wrong-wallet", message, step.span, f"write `{step.value.points} {least.value.wallet}`")
        return None
    if least.value.points % step.value.points:
        message = f"{least.text} is no whole number of steps of {step.text}"
        above = -(-least.value.points // step.value.points) * step.value.points
        report.add("cost-not-in-steps", message, least.span, f"write `{above} {least.value.wallet}`")
        return None
    return _Cost(least.value.wallet, least.value.points, step.value.points, got)


def _gives(name: str, got: Got, gives: Got, around: Around, report: Report) -> dict[str, str] | None:
    """Return which offer, item or gift card is given, or None after what is wrong with it was reported."""
    table: Table = gives.value
    cost = got.value.get("cost")
    if (open_ := cost is not None and isinstance(cost.value, Table)) and table.has("offer"):
        message = f"{quoted(name)} takes any number of points, and gives the same offer for all of them"
        report.add("open-cost", message, cost.key, "write one cost, such as `cost: 100 points`")
    if (item := table.get("item")) is not None:
        _check_open(name, table, open_=open_, report=report)
        return {"item": item.value}
    if (named := table.get("gift_card")) is not None:
        product = given_card(name, named, table.get("value"), around.cards, around.products, report)
        if product is not None and product.kind == "voucher" and open_:
            message = f"{quoted(name)} takes any number of points, and gives the same voucher for all of them"
            report.add("open-cost", message, cost.key, "write one cost, such as `cost: 100 points`")
        elif product is not None:
            _check_open(name, table, open_=open_, report=report)
        return {"gift_card": named.value} if product is not None else None
    offer = offer_of(name, gives, "reward", around.offers, around.drafts, report)
    return {"offer": offer} if offer else None


def _check_open(name: str, table: Table, *, open_: bool, report: Report) -> None:
    """Refuse an open cost of something that is not worth more for more points."""
    if open_ and not table.has("per"):
        key = (table.get("value") or table.get("item") or table.got["gift_card"]).key
        message = f"{quoted(name)} takes any number of points, and does not say what each is worth"
        report.add("open-cost", message, key, "write such as `value: 0.01, per: point`")


def _value(cost: _Cost, table: Table, report: Report) -> tuple[int, int] | None:
    """Return the value as minor units for so many points; every cost that there can be gives whole ones."""
    value, per = table.get("value"), table.get("per")
    if value is None:
        return None
    if per is None:
        return value.value, cost.points
    given: Given = per.value
    if given.wallet not in {"", cost.wallet}:
        message = f"the cost is in {cost.wallet}, not in {given.wallet}"
        report.add("wrong-wallet", message, per.span, f"write `per: {given.points} {cost.wallet}`")
    elif value.value * (cost.step or cost.points) % given.points:
        message = f"{cost.step or cost.points} {cost.wallet} are worth no whole amount at {value.text} per {per.text}"
        report.add(
            "value-not-whole",
            message,
            value.span,
            "write a value that divides evenly",
            Also(cost.got.key, "the cost is here"),
        )
    return value.value, given.points


def _limits(got: Got | None, cost: _Cost | None, report: Report) -> tuple[RewardLimit, ...]:
    found = []
    for part in got.parts if got else ():
        table: Table = part.value
        per, times, points = table.value("per"), table.get("times"), table.get("points")
        if per and times:
            found.append(RewardLimit("times", times.value, per))
        elif per and points and _fits(points, cost, report):
            found.append(RewardLimit("points", points.value.points, per))
    return tuple(found)


def _fits(points: Got, cost: _Cost | None, report: Report) -> bool:
    given: Given = points.value
    if cost is not None and given.wallet not in {"", cost.wallet}:
        message = f"the reward costs {cost.wallet}, not {given.wallet}"
        report.add("wrong-wallet", message, points.span, f"write `{given.points} {cost.wallet}`")
        return False
    if cost is not None and given.points < cost.points:
        message = f"a limit of {given.points} {cost.wallet} is below the cost of {cost.points}"
        report.add("reward-limit", message, points.span, f"write `{cost.points}` or more")
        return False
    return True


def _conditions(when: Got, around: Around, report: Report) -> tuple[Condition, ...]:
    no_code = "a reward is asked for by its name, so it needs no code"
    no_purchase = "a reward can be asked for without a purchase"
    check_without_receipt(when, "reward-condition", no_code, no_purchase, report)
    of_reward = OfRule(ALL, None, around.selections, report, around.members, offer=True)
    return compile_conditions(when.value, of_reward)
