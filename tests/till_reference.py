"""Which offers are legal for a receipt, and what their limits leave, as the definition reads: scans over the facts.

Shares with the engine's till only what the reference of earning says of history. How
offers combine is the brute-force oracle's matter (`offer_oracle`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from rewards.days import period
from rewards.engine.offers import Claim
from rewards.engine.reference import Bought, Facts, History, Versions, _past_holds, _timely, earned
from rewards.engine.reference_lines import _selects
from rewards.policy.model import ALL, AmountIs, Condition, EarningRule, Flat, HasCode, Not, Offer, UseLimit
from rewards.receipt import Receipt
from tests.engine_adapter import Uses

Seen = Callable[[Condition, bool], None]  # told of every condition that is looked at, and whether it held


def legal(versions: Versions, facts: Facts, uses: Uses, receipt: Receipt, seen: Seen | None = None) -> list[Claim]:
    """Return the offers that a receipt can have, given all that is known before it; it has no discounts of ours yet.

    Nobody asks for an offer with a voucher, and nobody else has drawn on a budget.
    """
    history = settled_history(versions, replace(facts, purchases=[*facts.purchases, (receipt, {})]))
    claims = []
    for offer in history.policy(receipt.day).offers.values():
        selected = offer.on is None or any(_selects(offer.on, line) for line in receipt.lines)
        timely = offer.schedule is None or _timely(offer.schedule, receipt)
        for_members = any(map(_reads_member, offer.when)) or any(limit.per != "receipt" for limit in offer.limits)
        if not (selected and timely) or offer.only_by is not None or (for_members and facts.joined is None):
            continue
        held = [_holds(history, offer, condition, receipt, seen) for condition in offer.when]
        if not all(held):
            continue
        left = {what: _left(offer, what, uses, receipt.day) for what in ("times", "units", "money")}
        if 0 not in left.values():
            claims.append(Claim(offer=offer, units_left=left["units"], money_left=left["money"]))
    return claims


def settled_history(versions: Versions, facts: Facts) -> History:
    """Return a history that knows what each day earned, which tiers may ask for."""
    history, points = History(versions, facts), earned(versions, facts)
    history.awards = {day: points.get(day, {}) for day in history.days}
    return history


def _reads_member(condition: Condition) -> bool:
    if isinstance(condition, Not):
        return any(map(_reads_member, condition.all_of))
    of_the_basket = isinstance(condition, AmountIs) and condition.within is None and condition.what != "visits"
    return not (of_the_basket or isinstance(condition, HasCode))


def _holds(history: History, offer: Offer, condition: Condition, receipt: Receipt, seen: Seen | None) -> bool:
    on = offer.on or ALL
    if isinstance(condition, Not):
        held = not all(_holds(history, offer, one, receipt, None) for one in condition.all_of)
    elif isinstance(condition, AmountIs) and not _reads_member(condition):
        amount = history.amount([Bought(receipt, {})], condition.what, condition.of or on)
        held = (condition.at_least or 0) <= amount and (condition.at_most is None or amount <= condition.at_most)
    else:
        as_rule = EarningRule(id=offer.id, wallet="", gives=Flat(1), on=on, measure="day", meaning="")
        held = _past_holds(history, as_rule, condition, receipt)
    if seen is not None:
        seen(condition, held)
    return held


def _left(offer: Offer, what: str, uses: Uses, day: int) -> int | None:
    lasting = [limit for limit in offer.limits if limit.per != "receipt" and limit.what == what]
    lefts = [_left_of(limit, uses.get(offer.id, []), day) for limit in lasting]
    return min([*lefts, *(budget.amount for budget in offer.budgets if budget.what == what)], default=None)


def _left_of(limit: UseLimit, known: list[tuple[str, int, int, int]], day: int) -> int:
    mine = [use for use in known if period(use[1], limit.per) == period(day, limit.per)]
    used = {"times": len(mine), "units": sum(use[2] for use in mine), "money": sum(use[3] for use in mine)}
    return max(0, limit.amount - used[limit.what])
