"""Draws the rewards of a policy that take nothing off a basket, and what limits and conditions any reward has."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from rewards.days import WINDOWS, Duration
from rewards.policy.model import AmountIs, Condition, GiftCard, Not, Policy, Reward, RewardLimit
from tests.strategies.members import no_tiers
from tests.strategies.rules import GATES, TITLES, condition
from tests.strategies.words import Draw, chance, pick, some, whole

CONDITIONS = tuple(kind for kind in GATES if kind not in ("code", "visits"))
PERIODS: tuple[Literal["end_of_month", "end_of_quarter", "end_of_year"] | None, ...] = (
    *(None, None),
    *("end_of_month", "end_of_quarter", "end_of_year"),
)


def rewards(draw: Draw, policy: Policy, known: dict[str, Reward]) -> dict[str, Reward]:
    """Return the rewards with limits and conditions, and up to two more: of an item, of a gift card."""
    if not policy.wallets:
        return {}
    found = {name: _narrowed(draw, one) for name, one in known.items()}
    for name in ("mug", "thanks")[: whole(draw, 0, 2)]:
        one = _item(draw, policy) if name == "mug" else _of_card(draw, policy)
        if one is not None:
            found[name] = _narrowed(draw, replace(one, id=name, automatic=pick(draw, PERIODS)))
    return found


def _narrowed(draw: Draw, reward: Reward) -> Reward:
    """Return the reward, perhaps with a limit or two, and a condition."""
    pers = some(draw, WINDOWS[1:]) if chance(draw, 2) else []
    limits = []
    for per in pers:
        what: Literal["times", "points"] = pick(draw, ("times", "points"))
        limits.append(RewardLimit(what, pick(draw, (1, 2)) * (reward.points if what == "points" else 1), per))
    when = (_condition(draw),) if chance(draw, 2) else ()
    return replace(reward, title=pick(draw, TITLES), limits=tuple(limits), when=when)


def _condition(draw: Draw) -> Condition:
    found = _visits(draw) if chance(draw, 4) else condition(draw, pick(draw, CONDITIONS), "day")
    found = replace(found, of=None) if isinstance(found, AmountIs) else found
    return Not((found,)) if chance(draw, 4) else found


def _visits(draw: Draw) -> AmountIs:
    return AmountIs(what="visits", at_least=whole(draw, 1, 3), within=Duration(30, "days"))


def _cost(draw: Draw, policy: Policy) -> Reward:
    """Return a reward of nothing yet, of a fixed cost or an open one."""
    wallet, points = pick(draw, sorted(policy.wallets)), pick(draw, (9, 1, 100))
    step = pick(draw, (0, 0, 1, points))
    return Reward(id="", wallet=wallet, points=points, step=step)


def _valued(draw: Draw, reward: Reward) -> Reward:
    """Return the reward with what each of its points, or all of them, is worth."""
    if reward.step or chance(draw, 2):
        return replace(reward, value=pick(draw, ((5, 1), (50, reward.step or reward.points))))
    return replace(reward, value=(500, reward.points))


def _item(draw: Draw, policy: Policy) -> Reward:
    reward = replace(_cost(draw, policy), item=pick(draw, ("mug", "ticket")))
    return _valued(draw, reward) if reward.step or chance(draw, 2) else reward


def _of_card(draw: Draw, policy: Policy) -> Reward | None:
    """Return a reward of a gift card that is given, if the policy has one."""
    given = [card for card in policy.gift_cards.values() if card.kind != "paid"]
    if not given:
        return None
    card: GiftCard = pick(draw, given)
    reward = replace(_cost(draw, policy), gift_card=card.id)
    if card.kind == "promotional" and card.value is None:
        return _valued(draw, reward)
    return replace(reward, step=0)


def fitting(found: dict[str, Reward], policy: Policy) -> dict[str, Reward]:
    """Return the rewards without conditions on tiers if the policy has none."""
    if policy.tiers is not None:
        return found
    return {name: replace(one, when=no_tiers(one.when)) for name, one in found.items()}
