"""What of a purchase's answer follows from its receipt alone: the sums, and the lines with what was decided about each.

What does not live here: the rest of the answer (`telling`).
"""

from __future__ import annotations

from rewards.basket import payable
from rewards.receipt import Line, Receipt, Returned, points_left
from rewards.service import card_tenders, tenders
from rewards.service.answers import LineAnswer, Totals


def totals_of(receipt: Receipt, points: dict[str, int]) -> Totals:
    """Return a receipt's sums, with the points that it earned."""
    spent = points_left(receipt, {})
    for one in receipt.bought:
        spent[one.wallet] = spent.get(one.wallet, 0) + one.points
    return Totals(*sums_of(receipt), points, spent)


def sums_of(receipt: Receipt) -> tuple[int, int, int, int, int]:
    """Return a receipt's gross, discounts, net, what is payable and what is due after tenders of ours; minor units."""
    lines = receipt.lines
    due = sum([payable(line) for line in lines])
    return (
        sum([line.gross_minor for line in lines]),
        sum([line.discount_minor + line.offers_minor for line in lines]),
        sum([line.net_minor for line in lines]),
        due,
        due - sum([tender.amount_minor for tender in receipt.tenders if tender.kind in tenders.OURS]),
    )


def lines_of(receipt: Receipt, returned: Returned) -> list[LineAnswer]:
    """Return the lines, each with its share of each tender and what came back of it."""
    several = sum(tender.kind != tenders.REST for tender in receipt.tenders) > 1
    points = [i for i, tender in enumerate(receipt.tenders) if tender.kind == "points"]
    return [
        LineAnswer(
            line.line_id,
            line.gross_minor,
            line.discount_minor + line.offers_minor,
            line.net_minor,
            sum([line.tenders_minor[i] for i in points]) if points else 0,
            card_tenders.promotional_minor(receipt, line) if receipt.tenders else 0,
            returned.get(line.line_id, 0),
            _shares(receipt, line) if several else [],
        )
        for line in receipt.lines
    ]


def _shares(receipt: Receipt, line: Line) -> list[dict[str, int]]:
    """Return a line's shares of several tenders; that of a single one is the whole line."""
    pairs = enumerate(zip(receipt.tenders, line.tenders_minor, strict=True))
    return [{"tender": i, "amount_minor": share} for i, (tender, share) in pairs if tender.kind != tenders.REST]
