"""Whether an offer is legal for a basket: schedule, stores, codes, and spend and units before our discounts.

What does not live here: anything about the member; the caller answers those
conditions, and what is left of limits.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rewards.engine.lines import holds, is_eligible, selects
from rewards.policy.model import ALL, AmountIs, Condition, Eligible, HasCode, Not, Offer, Selection
from rewards.receipt import Line, Receipt

Member = Callable[[Condition], bool]  # answers the conditions that `reads_member`


@dataclass(frozen=True, slots=True)
class Barred:
    """Why an offer is not legal; the first reason in the order of the words below."""

    why: Literal["only_by_reward", "only_by_voucher", "needs_member", "schedule", "condition"]
    condition: Condition | None = None
    short: int | None = None  # of spend (minor units) or units that reach the condition


def barred(
    offer: Offer, receipt: Receipt, eligible: Eligible, *, granted: bool = False, member: Member | None = None
) -> Barred | None:
    """Return why the offer does not apply to the receipt; None if it does.

    `granted`: a reward or a voucher asks for it. Without `member` (a guest) an
    offer that reads a member, even under `not`, or has a limit longer than the receipt is barred.
    """
    if offer.only_by is not None and not granted:
        return Barred("only_by_reward" if offer.only_by == "reward" else "only_by_voucher")
    if member is None and needs_member(offer):
        return Barred("needs_member")
    if offer.schedule is not None and not holds(offer.schedule, receipt):
        return Barred("schedule")
    for condition in offer.when:
        if not _holds(condition, offer, receipt, eligible, member):
            return Barred("condition", condition, _short(condition, offer, receipt, eligible))
    return None


def needs_member(offer: Offer) -> bool:
    """Return whether a guest can never have the offer."""
    return any(map(reads_member, offer.when)) or any(limit.per != "receipt" for limit in offer.limits)


def reads_member(condition: Condition) -> bool:
    """Return whether the condition reads more than the basket."""
    match condition:
        case HasCode():
            return False
        case AmountIs():
            return condition.within is not None or condition.what == "visits"
        case Not(all_of):
            return any(map(reads_member, all_of))
        case _:
            return True


def _holds(condition: Condition, offer: Offer, receipt: Receipt, eligible: Eligible, member: Member | None) -> bool:
    match condition:
        case HasCode(code):
            return code in receipt.codes
        case Not(all_of):
            return not all(_holds(one, offer, receipt, eligible, member) for one in all_of)
        case AmountIs() if not reads_member(condition):
            amount = basket_amount(condition, offer, receipt, eligible)
            return (condition.at_least is None or amount >= condition.at_least) and (
                condition.at_most is None or amount <= condition.at_most
            )
        case _:
            assert member is not None
            return member(condition)


def _short(condition: Condition, offer: Offer, receipt: Receipt, eligible: Eligible) -> int | None:
    if not isinstance(condition, AmountIs) or reads_member(condition) or condition.at_least is None:
        return None
    missing = condition.at_least - basket_amount(condition, offer, receipt, eligible)
    return missing if missing > 0 else None


def basket_amount(condition: AmountIs, offer: Offer, receipt: Receipt, eligible: Eligible) -> int:
    """Return the spend (minor units) or units that the condition reads, before our discounts.

    Spend is net of the till's own discounts, with tax as `eligible` says; units
    count on lines that cost something. How it is paid does not matter.
    """
    selection = condition.of if condition.of is not None else offer.on if offer.on is not None else ALL
    amounts = [
        (spend, line.quantity)
        for line in receipt.lines
        if _counts(selection, eligible, line) and (spend := _spend(eligible, line)) > 0
    ]
    return sum(spend if condition.what == "spend" else quantity for spend, quantity in amounts)


def _counts(selection: Selection, eligible: Eligible, line: Line) -> bool:
    return selects(selection, line) and (line.stored_value is not None or is_eligible(eligible, line))


def _spend(eligible: Eligible, line: Line) -> int:
    net = line.gross_minor - line.discount_minor
    if eligible.tax_included or not line.tax_included or not line.tax_minor or not line.gross_minor:
        return net
    return max(0, net - line.tax_minor * net // line.gross_minor)
