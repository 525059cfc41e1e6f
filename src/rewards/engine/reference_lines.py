"""The reference definition of lines: which of them count, and for how much.

What does not live here: history and rules (`reference`), and anything that the
engine proper uses.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rewards.money import left_of, webster
from rewards.policy.model import Eligible, Match, Selection
from rewards.receipt import Line, Receipt


def counts(line: Line, eligible: Eligible, selections: Iterable[Selection]) -> bool:
    """Whether a line is eligible and in all selections."""
    if not all(_selects(selection, line) for selection in selections):
        return False
    excluded = eligible.excluding is not None and _selects(eligible.excluding, line)
    return line.stored_value is not None or not excluded


def _selects(selection: Selection, line: Line) -> bool:
    return any(_matches(match, line) for match in selection.any_of)


def _matches(match: Match, line: Line) -> bool:
    price = line.gross_minor // line.quantity
    return (
        (line.stored_value is None if match.stored_value is None else line.stored_value in match.stored_value)
        and (match.skus is None or line.sku in match.skus)
        and (match.categories is None or any(category in match.categories for category in line.categories))
        and all(_same(line.attributes.get(name), values) for name, values in match.attributes)
        and (match.price_at_least is None or price >= match.price_at_least)
        and (match.price_at_most is None or price <= match.price_at_most)
        and (match.excluding is None or not _selects(match.excluding, line))
    )


def _same(value: str | int | bool | None, values: Iterable[str | int | bool]) -> bool:  # noqa: FBT001  a flag is a value
    return any(type(other) is type(value) and other == value for other in values)


def spend_left(receipt: Receipt, line: Line, back: int, eligible: Eligible) -> int:
    """Return the spend that is left of a line and counts."""
    net = line.net_left_minor(back)
    spend = net - sum(part for kind, part in tenders_left(receipt, line, back) if not counts_as_money(kind, eligible))
    if eligible.before_discounts:
        spend += left_of(line.offers_minor, line.quantity, back)
    if not eligible.tax_included and line.tax_included and line.gross_minor:
        spend -= line.tax_minor * net // line.gross_minor
    return max(0, spend)


def paid_by(kinds: Sequence[frozenset[str]], amount: int, money: list[tuple[str, int]]) -> int:
    """Return the part of an amount that tenders in all of `kinds` paid, of what was paid with money; floored."""
    whole = sum(part for _, part in money)
    part = sum(part for kind, part in money if all(kind in wanted for wanted in kinds))
    return amount * part // whole if whole else 0


def tenders_left(receipt: Receipt, line: Line, back: int) -> list[tuple[str, int]]:
    """Return what is left of a line by tender: (kind, minor units)."""
    parts = webster(line.net_left_minor(back), line.tenders_minor) if line.tenders_minor else []
    return [(tender.kind, part) for tender, part in zip(receipt.tenders, parts, strict=False)]


def counts_as_money(kind: str, eligible: Eligible) -> bool:
    """Whether what such a tender paid counts."""
    return eligible.points_count or kind not in ("points", "promotional")
