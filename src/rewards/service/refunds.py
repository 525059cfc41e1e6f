"""What a return pays back: of each line, on each tender, and what is kept for points that are gone.

Every figure is the difference of what was left before and after, so returns in
any order sum to the whole and none is below zero. What does not live here:
recording a return (`returns`), and what it settles (`settling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from rewards.basket import payable
from rewards.days import moment, plus
from rewards.ledger import shortfalls
from rewards.ledger.entries import Posting
from rewards.ledger.timeline import Settlement
from rewards.money import left_of
from rewards.receipt import Line, Receipt, Returned, points_left
from rewards.service.answers import ReturnedLine
from rewards.service.running import Running
from rewards.service.tenders import OURS, lots


def returned_line(line: Line, before: Returned, after: Returned) -> ReturnedLine:
    """Return what of a line came back."""
    was, now = before.get(line.line_id, 0), after.get(line.line_id, 0)
    gross = left_of(line.gross_minor, line.quantity, was) - left_of(line.gross_minor, line.quantity, now)
    net = line.net_left_minor(was) - line.net_left_minor(now)
    return ReturnedLine(line.line_id, now - was, gross, gross - net, net)


def by_tender(receipt: Receipt, before: Returned, after: Returned) -> list[int]:
    """Return what goes back on each tender, in minor units: what the returned units had taken from it.

    What was never there is undone first, and goes back to nobody (`lacking`).
    """
    return [a - b for a, b in zip(_shares(receipt, before, after), lacking(receipt, before, after), strict=True)]


def lacking(receipt: Receipt, before: Returned, after: Returned) -> list[int]:
    """Return what of each tender was never there and is undone, in minor units."""
    if not any(tender.shortfall_minor for tender in receipt.tenders):
        return [0] * len(receipt.tenders)
    was, now = shortfalls.of_tenders(receipt, before), shortfalls.of_tenders(receipt, after)
    return [a - b for a, b in zip(was, now, strict=True)]


def _shares(receipt: Receipt, before: Returned, after: Returned) -> list[int]:
    sums = [0] * len(receipt.tenders)
    if not sums:
        return sums
    for line in receipt.lines:
        was, now = before.get(line.line_id, 0), after.get(line.line_id, 0)
        if was != now:
            old, new = line.tenders_left_minor(was), line.tenders_left_minor(now)
            sums = [total + a - b for total, a, b in zip(sums, old, new, strict=True)]
    return sums


def due(receipt: Receipt, before: Returned, after: Returned) -> int:
    """Return the money to hand out: the refund but for points and gift cards, before anything is kept."""
    if receipt.tenders:
        paid = zip(receipt.tenders, by_tender(receipt, before, after), strict=True)
        return sum(amount for tender, amount in paid if tender.kind not in OURS)
    return sum(
        _payable_left(line, before.get(line.line_id, 0)) - _payable_left(line, after.get(line.line_id, 0))
        for line in receipt.lines
    )


def _payable_left(line: Line, returned: int) -> int:
    return left_of(payable(line), line.quantity, returned)


def kept(settled: Sequence[Settlement]) -> int:
    """Return the money that is kept for points that are gone."""
    return sum(one.deducted_minor for one in settled)


def told(
    running: Running,
    receipt: Receipt,
    refund: Sequence[int],
    before: Returned,
    after: Returned,
    legs: Sequence[Posting],
) -> list[dict[str, object]]:
    """Tell a refund by tender, in minor units; of points how many go back, and into which lots they went.

    `shortfall_minor` was never there: nobody gets it.
    """
    bare = msgspec.structs.replace(receipt, discounts=())  # rewards are no tender
    was, now = points_left(bare, before), points_left(bare, after)
    found: list[dict[str, object]] = []
    undone = lacking(receipt, before, after)
    for i, amount in enumerate(refund):
        tender = receipt.tenders[i]
        if amount or undone[i]:
            one: dict[str, object] = {"tender": i, "kind": tender.kind, "amount_minor": amount}
            if undone[i]:
                one["shortfall_minor"] = undone[i]
            if key := tender.wallet:
                into = lots(running, legs, key, ("restored", "settled"))
                one |= {"wallet": key, "points": was.get(key, 0) - now.get(key, 0), "lots": into}
            found.append(one)
    return found


def less(receipt: Receipt, refund: Sequence[int], sold_minor: int, other_minor: int = 0) -> list[int]:
    """Return a refund by tender less what is kept, off the last tender of money first.

    What was spent of cards that were sold comes off the last gift card then, all else off money alone.
    """
    money = [i for i in reversed(range(len(refund))) if receipt.tenders[i].kind not in OURS]
    cards = [i for i in reversed(range(len(refund))) if receipt.tenders[i].card]
    left = list(refund)
    for kept, order in ((sold_minor, [*money, *cards]), (other_minor, money)):
        rest = kept
        for i in order:
            part = min(left[i], rest)
            left[i], rest = left[i] - part, rest - part
    return left


def restored(receipt: Receipt, before: Returned, after: Returned) -> dict[str, int]:
    """Return the points given back, by wallet."""
    was, now = points_left(receipt, before), points_left(receipt, after)
    return {key: back for key, points in was.items() if (back := points - now.get(key, 0))}


def deducted(settled: Sequence[Settlement]) -> list[dict[str, object]]:
    """Return the points that were gone and for which money is kept."""
    return [
        {"wallet": one.wallet, "points": one.deducted, "amount_minor": one.deducted_minor}
        for one in settled
        if one.deducted
    ]


def late(running: Running, receipt: Receipt, at: int) -> list[dict[str, object]]:
    """Warn of goods taken back after `accept_within`: the till has decided, so it is recorded all the same."""
    promised = running.policy_on(receipt.day).returns.accept_within
    last = plus(receipt.day, promised)
    if moment(at, running.zone).toordinal() <= last:
        return []
    until = date.fromordinal(last).isoformat()
    detail = f"the policy takes goods of this purchase back until {until}"
    return [{"code": "return-late", "detail": detail, "pointer": "/occurred_at"}]
