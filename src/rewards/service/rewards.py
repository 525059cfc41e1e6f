"""Rewards at the till: what a buyer asks for out of the catalogue, what it gives, and the points that it takes.

A reward takes its points only if its offer took something off. What does not
live here: what an offer takes off (`engine.offers`), and booking the points
(`ledger`, which reads them from the receipt's discounts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import msgspec

from rewards.basket import share
from rewards.engine.till import Decision, Withheld
from rewards.errors import Conflict, InvalidRequest
from rewards.policy.model import AmountOff, Free, Offer, Policy, Reward
from rewards.receipt import Discount, Receipt, points_left
from rewards.service.answers import RewardWithin, WalletBalance
from rewards.service.awards import title
from rewards.service.batch import Batch
from rewards.service.journal import Timeline
from rewards.service.tenders import spendable


@dataclass(slots=True)
class Wanted:
    """What a receipt asks for: rewards with how many times, by the offer that each gives."""

    rewards: dict[str, tuple[Reward, int]] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)


def asked(policy: Policy, receipt: Receipt, *, guest: bool) -> Wanted:
    """Return the rewards that a receipt asks for.

    Raises `InvalidRequest` `unknown-reward`, `reward-needs-member`, and `reward-once` for an offer that can't be had
    several times.
    """
    wanted = Wanted()
    for i, (name, times) in enumerate(receipt.rewards):
        reward = policy.rewards.get(name)
        if reward is None:
            raise InvalidRequest("unknown-reward", f"the policy has no reward `{name}`", pointer=f"/rewards/{i}/reward")
        if guest:
            raise InvalidRequest("reward-needs-member", "rewards cost a member's points", pointer=f"/rewards/{i}")
        offer = _times(policy.offers[reward.offer], times)
        if offer is None or reward.offer in wanted.offers:
            what = f"`{name}` gives an offer that a receipt has once"
            raise InvalidRequest("reward-once", what, pointer=f"/rewards/{i}")
        wanted.rewards[reward.offer] = (reward, times)
        wanted.offers[reward.offer] = offer
    return wanted


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
    bare = msgspec.structs.replace(receipt, tenders=())
    for key, points in points_left(bare, {}, of_holds=False).items():
        there = spendable(batch, line, receipt, key, points)
        if there < points:
            names = [one.reward for one in receipt.discounts if one.wallet == key]
            at = next(i for i, (name, _) in enumerate(receipt.rewards) if name in names)
            what = f"{there} {key} are there, not {points}"
            raise Conflict("not-enough-points", what, pointer=f"/rewards/{at}", available=there, wanted=points)


def within(policy: Policy, balance: Mapping[str, WalletBalance]) -> list[RewardWithin]:
    """Return the catalogue beside a balance: how often each reward is within reach, and how many points are short."""
    found = []
    for reward in policy.rewards.values():
        there = balance[reward.wallet].available if reward.wallet in balance else 0
        found.append(
            RewardWithin(
                reward=reward.id,
                title=title(reward.title),
                wallet=reward.wallet,
                cost=reward.points,
                times=there // reward.points,
                short=max(0, reward.points - there),
            )
        )
    return sorted(found, key=lambda one: (one.short, -one.cost, one.reward))
