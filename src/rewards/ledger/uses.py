"""How often an owner used which offer and had which reward: what limits count, and what a full return gives back.

Only offers that have a limit beyond the receipt are counted, by the version of the
day. What does not live here: whether an offer applies (`engine.till`).
"""

from __future__ import annotations

from rewards.engine.program import Program
from rewards.ledger.state import Cancellation, Change, Purchase, Redemption, Return, of_reward
from rewards.policy.model import Offer, Policy
from rewards.receipt import Receipt, all_back

Uses = dict[str, list[list[int]]]  # by offer: [purchase, day, units, minor units], by day


def uses_after(program: Program, uses: Uses, change: Change) -> Uses:
    """Return the uses once a change is booked; what was given stays as it was."""
    if isinstance(change, Purchase) and change.receipt.discounts:
        policy = program.on(change.day).policy
        offers, after = policy.offers, dict(uses)
        for reward, points in redeemed(change.receipt):
            bought = policy.rewards.get(reward)
            times = points // bought.points if bought is not None else 1
            _count_reward(policy, after, reward, [change.key, change.day, times, points])
        for discount in change.receipt.discounts:
            offer = offers.get(discount.offer)
            if offer is not None and is_counted(offer):
                use = [change.key, change.day, discount.units, discount.amount_minor]
                after[offer.id] = sorted([*uses.get(offer.id, ()), use], key=lambda each: (each[1], each[0]))
        return after
    if isinstance(change, Return) and uses and all_back(change.receipt, change.returned):
        return _without(uses, change.key)
    if isinstance(change, Redemption):
        after = dict(uses)
        use = [change.key, change.day, change.times, change.points]
        _count_reward(program.on(change.day).policy, after, change.reward, use)
        return after
    if isinstance(change, Cancellation) and uses:
        return _without(uses, change.key)
    return uses


def _without(uses: Uses, key: int) -> Uses:
    left = {name: [use for use in known if use[0] != key] for name, known in uses.items()}
    return {name: known for name, known in left.items() if known}


def redeemed(receipt: Receipt) -> list[tuple[str, int]]:
    """Return the rewards that took something off a receipt, each with the points that it cost."""
    return [(one.reward, sum(one.lines_points)) for one in receipt.discounts if one.reward]


def _count_reward(policy: Policy, uses: Uses, name: str, use: list[int]) -> None:
    reward = policy.rewards.get(name)
    if reward is not None and reward.limits:
        key = of_reward(name)
        uses[key] = sorted([*uses.get(key, ()), use], key=lambda each: (each[1], each[0]))


def is_counted(offer: Offer) -> bool:
    """Return whether an offer has a limit that outlasts the receipt."""
    return any(limit.per != "receipt" for limit in offer.limits)
