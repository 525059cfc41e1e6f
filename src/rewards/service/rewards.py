"""Rewards at the till: what a buyer asks for out of the catalogue, what it gives, and the points that it takes.

A reward that gives an offer takes its points only if the offer took something
off; they are the purchase's. Any other is a redemption of its own, made with the
purchase and cancelled by the return of all of it. What does not live here: what
an offer takes off (`engine.offers`), booking the points of a purchase (`ledger`,
which reads them from its discounts), and redemptions (`redeeming`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import zip_longest

import msgspec

from rewards.basket import share
from rewards.engine.misses import Scene
from rewards.engine.till import Decision, Withheld
from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.timeline import Purchase, Redemption
from rewards.policy.model import AmountOff, Free, Offer, Policy, Reward
from rewards.receipt import Bought, Discount, Receipt
from rewards.service import given_cards, redeeming
from rewards.service.awards import title
from rewards.service.balance_answers import WalletBalance
from rewards.service.balances import day_of
from rewards.service.batch import Batch, Place
from rewards.service.gift_cards import check_room
from rewards.service.given_cards import Codes
from rewards.service.journal import Timeline, read_cancellation
from rewards.service.named import named
from rewards.service.promises import Promise
from rewards.service.reward_answers import RedeemedAnswer, RewardWithin
from rewards.service.tenders import rewarded, spendable


@dataclass(slots=True)
class Wanted:
    """What a receipt asks for: rewards with how many times, by the offer that each gives; and what gives no offer."""

    rewards: dict[str, tuple[Reward, int]] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    bought: list[Bought] = field(default_factory=list)


def asked(batch: Batch, line: Timeline, receipt: Receipt) -> Wanted:
    """Return the rewards that a receipt asks for.

    Raises `InvalidRequest` `unknown-reward`, `reward-needs-member`, `reward-once` for an offer that can't be had
    several times, `reward-not-in-basket` for an open cost; `Conflict` `reward-not-now`, `reward-limit` and
    `balance-too-high`.
    """
    wanted, policy = Wanted(), batch.running.policy_on(receipt.day)
    for i, (name, times) in enumerate(receipt.rewards):
        reward = named(policy.rewards, "reward", name, f"/rewards/{i}/reward")
        if line.kind == "guest":
            raise InvalidRequest("reward-needs-member", "rewards cost a member's points", pointer=f"/rewards/{i}")
        _check_allowed(batch, line, receipt, reward, times, f"/rewards/{i}")
        if not reward.offer:
            wanted.bought.append(_bought(policy, reward, times, f"/rewards/{i}"))
            continue
        offer = _times(policy.offers[reward.offer], times)
        if offer is None or reward.offer in wanted.offers:
            what = f"`{name}` gives an offer that a receipt has once"
            raise InvalidRequest("reward-once", what, pointer=f"/rewards/{i}")
        wanted.rewards[reward.offer] = (reward, times)
        wanted.offers[reward.offer] = offer
    return wanted


def _check_allowed(batch: Batch, line: Timeline, receipt: Receipt, reward: Reward, times: int, pointer: str) -> None:
    if not (reward.when or reward.limits):
        return
    scene = batch.scene(line, Purchase(line.events + 1, receipt)) if reward.when else None
    wanted = (times, reward.points * times)
    redeeming.check_allowed(scene, line, reward, wanted, receipt.day, pointer)


def _bought(policy: Policy, reward: Reward, times: int, pointer: str) -> Bought:
    if reward.step:
        what = f"`{reward.id}` takes any number of points: ask for it outside the basket, with how many"
        raise InvalidRequest("reward-not-in-basket", what, pointer=pointer)
    minor = reward.value_minor(reward.points)
    if reward.gift_card and minor is not None:
        check_room(policy.gift_cards[reward.gift_card], 0, minor, pointer)
    return Bought(reward.id, times, reward.wallet, reward.points * times)


def promised(batch: Batch, line: Timeline, receipt: Receipt, promise: Promise) -> tuple[Bought, ...]:
    """Return what a promise had bought; raise `Conflict` `offer-gone` for a limit used up or a reward that is gone."""
    policy, found = batch.running.policy_on(receipt.day), list(promise.bought)
    for one in promise.discounts:
        if one.reward and one.reward in policy.rewards:
            points = sum(one.lines_points)
            found.append(Bought(one.reward, points // policy.rewards[one.reward].points, one.wallet, points))
    for want in found:
        reward = policy.rewards.get(want.reward)
        left = redeeming.room(reward, line, receipt.day) if reward is not None else None
        gone = reward is None or (left is not None and (want.times > left[0] or want.points > left[1]))
        if gone:
            message = f"the reward `{want.reward}` can't be had any more as the quote said: ask for a new one"
            raise Conflict("offer-gone", message, pointer="/quote", reward=want.reward)
    return promise.bought


def _times(offer: Offer, times: int) -> Offer | None:
    """Return an offer as it is when asked for several times; None if it can't be."""
    if times == 1:
        return offer
    most = None if offer.at_most is None else offer.at_most * times
    match offer.gives:
        case Free(of_every=None) as gives:
            return replace(offer, gives=replace(gives, units=gives.units * times), at_most=most)
        case AmountOff(per_unit=False) as gives:
            return replace(offer, gives=replace(gives, minor=gives.minor * times), at_most=most)
    return None


def priced(policy: Policy, wanted: Wanted, receipt: Receipt) -> Receipt:
    """Say on each discount which reward gave it, and the points of each line: no more than were needed for it."""
    if not wanted.rewards:
        return receipt
    discounts = (_priced(policy, wanted, receipt, one) for one in receipt.discounts)
    return msgspec.structs.replace(receipt, discounts=tuple(discounts))


def _priced(policy: Policy, wanted: Wanted, receipt: Receipt, discount: Discount) -> Discount:
    if discount.offer not in wanted.rewards:
        return discount
    reward, times = wanted.rewards[discount.offer]
    gives = policy.offers[discount.offer].gives
    each = gives.units if isinstance(gives, Free) else gives.minor if isinstance(gives, AmountOff) else 0
    served = discount.units if isinstance(gives, Free) else discount.amount_minor
    needed = min(times, -(-served // each)) if each and times > 1 else times
    points = share(reward.points * needed, receipt.lines, discount.lines_minor)
    return msgspec.structs.replace(discount, reward=reward.id, wallet=reward.wallet, lines_points=tuple(points))


def unused(wanted: Wanted, decision: Decision) -> list[Withheld]:
    """Return why rewards that were asked for cost nothing, where their offers do not say it themselves."""
    told = {one.offer.id for one in decision.withheld} | {one.offer for one in decision.receipt.discounts}
    why = "it takes nothing off this basket, so the reward costs nothing"
    return [Withheld(offer, "reward", why) for name, offer in wanted.offers.items() if name not in told]


def check_enough(batch: Batch, line: Timeline, receipt: Receipt) -> None:
    """Raise `Conflict` `not-enough-points` unless the points of all rewards are there; tenders come after them."""
    for key, points in rewarded(receipt).items():
        there = spendable(batch, line, receipt, key, points)
        if there < points:
            names = [one.reward for one in receipt.discounts if one.wallet == key]
            names += [one.reward for one in receipt.bought if one.wallet == key]
            at = next((i for i, (name, _) in enumerate(receipt.rewards) if name in names), 0)
            what = f"{there} {key} are there, not {points}"
            raise Conflict("not-enough-points", what, pointer=f"/rewards/{at}", available=there, wanted=points)


# what takes nothing off: a redemption of its own, made with the purchase


def redeem(batch: Batch, now: int, line: Timeline, receipt: Receipt, number: int, print_: bytes) -> Codes:
    """Book what was bought with a recorded purchase; return the codes of the gift cards that it gave."""
    codes = Codes()
    by = (receipt.store_id, receipt.till_id, receipt.operator_id)
    for i, one in enumerate(receipt.bought):
        key, at = line.events + 1, receipt.occurred_at
        change = Redemption(key, one.reward, one.times, one.wallet, one.points, at, receipt.day)
        _, more = redeeming.book(batch, now, line, change, name=_name(number, i), by=by, print_=print_)
        codes |= more
    return codes


def _name(purchase: int, i: int) -> str:
    return f"\x1f{purchase} {i}"  # callers' names hold no control characters


def places(batch: Batch, receipt: Receipt, place: Place) -> list[Place]:
    """Return the events of what was bought with a purchase, in the receipt's order."""
    found = []
    for i in range(len(receipt.bought)):
        known = batch.by_id.get(place[0], "redemption", receipt.store_id, _name(place[1], i))
        found += [(place[0], known[0])] if known is not None else []
    return found


def take_back(
    batch: Batch, now: int, line: Timeline, receipt: Receipt, of: int, why: redeeming.Cancelling, print_: bytes
) -> None:
    """Cancel what was bought with a purchase of which everything came back; what was used up stays bought.

    The return is the timeline's last event.
    """
    number = line.events
    for place in places(batch, receipt, (line.owner, of)):
        redemption = redeeming.redemption_of((*place, *batch.event(*place)), batch.running)
        used_up = redeeming.kept_points(batch, place, redemption, now) == redemption.points
        if redeeming.cancellation_of(batch, place) is None and not used_up:
            redeeming.cancel(batch, line, place[1], why, now=now, print_=print_, of_return=number)


def cancelled_by(batch: Batch, receipt: Receipt, place: Place, number: int) -> list[Place]:
    """Return the cancellations that a return brought about; `place` is the purchase's, `number` the return's."""
    found = (redeeming.cancellation_of(batch, one) for one in places(batch, receipt, place))
    return [one for one in found if one is not None and _of_return(batch, one) == number]


def _of_return(batch: Batch, own: Place) -> int:
    return read_cancellation(batch.event(*own)[9]).of_return


def issued(batch: Batch, receipt: Receipt, place: Place | None) -> list[dict[str, object]]:
    """Return the gift cards that rewards of a purchase gave; of a quote none."""
    if not receipt.bought or place is None:
        return []
    return [card for one in places(batch, receipt, place) for card in given_cards.told(batch, one)]


def bought(batch: Batch, receipt: Receipt, place: Place | None, language: str) -> list[RedeemedAnswer]:
    """Return what was bought with a purchase; of a quote without ids."""
    if not receipt.bought:
        return []
    policy, ids = batch.running.policy_on(receipt.day), batch.running.ids
    known = [ids.redemption(*one) for one in places(batch, receipt, place)] if place is not None else []
    pairs = zip_longest(receipt.bought, known, fillvalue="")
    return [redeeming.redeemed(policy, one, language, name) for one, name in pairs if isinstance(one, Bought)]


# the catalogue beside a balance


def within(
    batch: Batch, line: Timeline, balance: Mapping[str, WalletBalance], at: int, language: str = ""
) -> list[RewardWithin]:
    """Return the catalogue beside a balance at an instant.

    What can be had now comes first, the dearest first; then what is next, the nearest first; then what a condition or
    a limit keeps back.
    """
    day = day_of(at, batch.running.zone)
    catalogue = batch.running.policy_on(day).rewards.values()
    looks = any(reward.when for reward in catalogue)
    scene = redeeming.bare_scene(batch, line, at, day) if looks and line.kind == "member" else None
    found = [_within(line, reward, balance, scene, day, language) for reward in catalogue]
    return sorted(found, key=lambda one: (bool(one.not_now), one.short, -one.cost, one.reward))


def _within(
    line: Timeline, reward: Reward, balance: Mapping[str, WalletBalance], scene: Scene | None, day: int, language: str
) -> RewardWithin:
    there = balance[reward.wallet].available if reward.wallet in balance else 0
    times, why = there // reward.points, redeeming.barred(scene, reward) if scene is not None else ""
    if (left := redeeming.room(reward, line, day)) is not None:
        times = min(times, left[0], left[1] // reward.points)
        why = why or ("" if min(left[0], left[1] // reward.points) else "the limit is used up")
    most = 0
    if reward.step and times and not why:
        most = min(there, left[1] if left is not None else there) // reward.step * reward.step
        times = 1
    return RewardWithin(
        reward=reward.id,
        title=title(reward.title, language),
        wallet=reward.wallet,
        cost=reward.points,
        times=0 if why else times,
        short=max(0, reward.points - there),
        gives="offer" if reward.offer else "item" if reward.item else "gift_card",
        step=reward.step,
        most=most,
        value_minor=reward.value_minor(reward.points) or 0,
        not_now=why,
    )
