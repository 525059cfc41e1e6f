"""How often an owner used which offer: what limits count, and what a full return gives back.

Only offers that have a limit beyond the receipt are counted, by the version of the
day. What does not live here: whether an offer applies (`engine.till`).
"""

from __future__ import annotations

from rewards.engine.program import Program
from rewards.ledger.state import Change, Purchase, Return
from rewards.policy.model import Offer
from rewards.receipt import all_back

Uses = dict[str, list[list[int]]]  # by offer: [purchase, day, units, minor units], by day


def uses_after(program: Program, uses: Uses, change: Change) -> Uses:
    """Return the uses once a change is booked; what was given stays as it was."""
    if isinstance(change, Purchase) and change.receipt.discounts:
        offers = program.on(change.day).policy.offers
        after = dict(uses)
        for discount in change.receipt.discounts:
            offer = offers.get(discount.offer)
            if offer is not None and is_counted(offer):
                use = [change.key, change.day, discount.units, discount.amount_minor]
                after[offer.id] = sorted([*uses.get(offer.id, ()), use], key=lambda each: (each[1], each[0]))
        return after
    if isinstance(change, Return) and uses and all_back(change.receipt, change.returned):
        left = {name: [use for use in known if use[0] != change.key] for name, known in uses.items()}
        return {name: known for name, known in left.items() if known}
    return uses


def is_counted(offer: Offer) -> bool:
    """Return whether an offer has a limit that outlasts the receipt."""
    return any(limit.per != "receipt" for limit in offer.limits)
