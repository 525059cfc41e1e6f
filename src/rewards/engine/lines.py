"""Which lines of a receipt count for what: receipts become short vectors of whole numbers.

Each distinct (what, filter) that some rule of the policy reads is a *column*.
A receipt's vector holds its sum per column; the step reads only vectors.
Column 0 is the eligible spend of the whole receipt. What does not live here:
history, windows and points.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from rewards.money import left_of, webster
from rewards.policy.model import ALL, Eligible, Match, Schedule, Selection
from rewards.receipt import Line, Receipt, Returned

MINUTES = 24 * 60
_REMEMBERED = 100_000  # kinds of lines kept by a reader before it forgets them all


@dataclass(frozen=True, slots=True)
class Filter:
    """Lines that all selections select, on receipts that all schedules and codes let through."""

    selections: tuple[Selection, ...]
    schedules: tuple[Schedule, ...] = ()
    codes: tuple[tuple[str, bool], ...] = ()  # (code, whether it must be there)
    paid_with: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """What is summed: spend in minor units, or units paid for, of a filter's lines; or how often something was done."""

    what: Literal["spend", "units", "times"]
    filter: Filter = Filter(())
    activity: str = ""


EVERYTHING = Column("spend", Filter((ALL,)))


def matches(match: Match, line: Line) -> bool:
    """Return whether every key of the match holds for the line."""
    if (line.stored_value is None) != (match.stored_value is None):
        return False
    if match.stored_value is not None and line.stored_value not in match.stored_value:
        return False
    if match.skus is not None and line.sku not in match.skus:
        return False
    if match.categories is not None and match.categories.isdisjoint(line.categories):
        return False
    for name, values in match.attributes:
        if not has_value(line.attributes.get(name), values):
            return False
    if match.price_at_least is not None or match.price_at_most is not None:
        price = line.gross_minor // line.quantity
        if match.price_at_least is not None and price < match.price_at_least:
            return False
        if match.price_at_most is not None and price > match.price_at_most:
            return False
    return match.excluding is None or not selects(match.excluding, line)


def has_value(given: object, wanted: frozenset[str | int | bool]) -> bool:
    """Return whether a value is one of those wanted; compared by kind as well: `true` is not 1.

    >>> has_value(1, frozenset({True})), has_value(True, frozenset({True}))
    (False, True)
    """
    return any(given == other and type(given) is type(other) for other in wanted)


def selects(selection: Selection, line: Line) -> bool:
    """Return whether any of the selection's matches holds for the line."""
    return any(matches(match, line) for match in selection.any_of)


def is_eligible(eligible: Eligible, line: Line) -> bool:
    """Return whether the line counts at all; stored value never does."""
    return line.stored_value is None and (eligible.excluding is None or not selects(eligible.excluding, line))


def holds(schedule: Schedule, receipt: Receipt) -> bool:
    """Return whether the receipt's local time and store are within the schedule.

    Hours past midnight belong to the day on which they started.
    """
    day, minute = receipt.day, receipt.minute
    if schedule.hours is not None:
        start, end = schedule.hours
        if start < end:
            if not start <= minute < end:
                return False
        elif minute < end:
            day -= 1
        elif minute < start:
            return False
    return (
        (schedule.starts is None or day >= schedule.starts)
        and (schedule.ends is None or day <= schedule.ends)
        and (schedule.days is None or (day - 1) % 7 in schedule.days)
        and (schedule.dates is None or day in schedule.dates)
        and (schedule.stores is None or receipt.store_id in schedule.stores)
    )


def lets_through(filter_: Filter, receipt: Receipt) -> bool:
    """Return whether the receipt itself passes the filter's schedules and codes."""
    for schedule in filter_.schedules:
        if not holds(schedule, receipt):
            return False
    return not filter_.codes or all((code in receipt.codes) == wanted for code, wanted in filter_.codes)


def kept_minor(eligible: Eligible, receipt: Receipt, line: Line, returned: int) -> int:
    """Return the spend of a line that counts, after returns, in minor units.

    Tax is `tax_minor * net // gross`, floored; never below zero.
    """
    net = line.net_left_minor(returned)
    kept = net - (0 if eligible.points_count else _paid_by(_POINTS, receipt, line, net))
    if eligible.before_discounts and line.offers_minor:
        kept += left_of(line.offers_minor, line.quantity, returned)
    if not eligible.tax_included and line.tax_included and line.tax_minor:
        kept -= line.tax_minor * net // line.gross_minor if line.gross_minor else 0
    return max(kept, 0)


_POINTS = frozenset(("points", "promotional"))


def _paid_by(kinds: frozenset[str], receipt: Receipt, line: Line, net: int) -> int:
    """Return the part of the net left that tenders of these kinds paid."""
    if not line.tenders_minor or not any(tender.kind in kinds for tender in receipt.tenders):
        return 0
    parts = webster(net, line.tenders_minor)
    return sum(part for part, tender in zip(parts, receipt.tenders, strict=True) if tender.kind in kinds)


def _part_of(
    amount: int, kinds: frozenset[str], eligible: Eligible, receipt: Receipt, line: Line, returned: int
) -> int:
    """Return the part of a line's amount that tenders of these kinds paid, of all that counts as paid; floored."""
    net = line.net_left_minor(returned)
    if eligible.points_count:
        whole, part = net, _paid_by(kinds, receipt, line, net)
    else:
        whole, part = net - _paid_by(_POINTS, receipt, line, net), _paid_by(kinds - _POINTS, receipt, line, net)
    return amount * part // whole if whole else 0


@dataclass(slots=True)
class _Kind:
    """The columns that lines of one kind feed."""

    spend: tuple[int, ...]
    units: tuple[int, ...]
    paid: tuple[tuple[int, Column], ...]


class Reader:
    """Reads receipts into vectors for one policy."""

    def __init__(self, eligible: Eligible, columns: Sequence[Column]) -> None:
        """Prepare the columns; column 0 must be `EVERYTHING`."""
        assert columns[0] == EVERYTHING
        self.columns = tuple(columns)
        self._eligible = eligible
        self._kinds: dict[object, _Kind] = {}
        selections = [s for column in columns for s in column.filter.selections]
        if eligible.excluding is not None:
            selections.append(eligible.excluding)
        self._key = _key_of(selections)
        self._simple = eligible.tax_included and not eligible.before_discounts
        self._points_count = eligible.points_count
        groups: dict[Filter, list[int]] = {}
        for i, column in enumerate(columns):
            filter_ = column.filter
            if filter_.schedules or filter_.codes:
                groups.setdefault(Filter((), filter_.schedules, filter_.codes), []).append(i)
        self._gated = [(filter_, tuple(indices)) for filter_, indices in groups.items()]
        self._blank = [0] * len(columns)
        self._activities = {column.activity: i for i, column in enumerate(columns) if column.what == "times"}

    def vector(self, receipt: Receipt, returned: Returned) -> list[int]:
        """Return the receipt's sum per column, of what is left after `returned`."""
        sums = self._blank.copy()
        self._adding(receipt, returned)(receipt, receipt.lines, sums)
        for filter_, indices in self._gated:
            if not lets_through(filter_, receipt):
                for i in indices:
                    sums[i] = 0
        return sums

    def once(self, activity: str) -> list[int]:
        """Return the vector of an activity that happened once: no spend, no units; zeros if the policy has no such."""
        sums = self._blank.copy()
        at = self._activities.get(activity)
        if at is not None:
            sums[at] = 1
        return sums

    def _adding(self, receipt: Receipt, returned: Returned) -> Callable[[Receipt, Sequence[Line], list[int]], None]:
        """Return what adds that which is left of lines of the receipt to sums."""
        simple = self._is_simple(receipt)
        if simple and not returned:
            return self._add_whole
        return partial(self._add_left, returned=returned, simple=simple)

    def _add_whole(self, receipt: Receipt, lines: Sequence[Line], sums: list[int]) -> None:
        """Add lines of which nothing came back and whose net counts whole: nearly every receipt."""
        kinds, key_of = self._kinds, self._key
        for line in lines:
            if key_of is None and line.stored_value is None:
                key: object = line.categories
            else:
                key = key_of(line) if key_of is not None else (line.categories, line.stored_value)
            kind = kinds.get(key) or self._learn(key, line)
            kept = line.net_minor
            if kept:
                for i in kind.spend:
                    sums[i] += kept
                for i in kind.units:
                    sums[i] += line.quantity - line.free_units
                for i, column in kind.paid:
                    sums[i] += self._paid(column, receipt, line, 0)

    def _add_left(
        self, receipt: Receipt, lines: Sequence[Line], sums: list[int], *, returned: Returned, simple: bool
    ) -> None:
        for line in lines:
            key = self._key(line) if self._key is not None else (line.categories, line.stored_value)
            kind = self._kinds.get(key) or self._learn(key, line)
            back = returned.get(line.line_id, 0)
            kept = line.net_left_minor(back) if simple else kept_minor(self._eligible, receipt, line, back)
            if kept <= 0:
                continue
            for i in kind.spend:
                sums[i] += kept
            for i in kind.units:
                sums[i] += line.units_left(back)
            for i, column in kind.paid:
                sums[i] += self._paid(column, receipt, line, back)

    def by_line(self, receipt: Receipt, returned: Returned) -> list[list[int]]:
        """Return one vector for each line: what it adds to the receipt's, for shares of an award."""
        closed = [i for filter_, indices in self._gated if not lets_through(filter_, receipt) for i in indices]
        add = self._adding(receipt, returned)
        vectors = []
        for line in receipt.lines:
            sums = self._blank.copy()
            add(receipt, (line,), sums)
            for i in closed:
                sums[i] = 0
            vectors.append(sums)
        return vectors

    def _is_simple(self, receipt: Receipt) -> bool:
        """Return whether a line's net counts whole."""
        return self._simple and (
            self._points_count or not receipt.tenders or not any(t.kind in _POINTS for t in receipt.tenders)
        )

    def _paid(self, column: Column, receipt: Receipt, line: Line, back: int) -> int:
        kinds = column.filter.paid_with
        assert kinds is not None
        units = column.what == "units"
        amount = line.units_left(back) if units else kept_minor(self._eligible, receipt, line, back)
        return _part_of(amount, kinds, self._eligible, receipt, line, back)

    def _learn(self, key: object, line: Line) -> _Kind:
        if len(self._kinds) >= _REMEMBERED:
            self._kinds.clear()
        counts = is_eligible(self._eligible, line) or line.stored_value is not None
        hits = [
            i
            for i, column in enumerate(self.columns)
            if counts and all(selects(selection, line) for selection in column.filter.selections)
        ]
        plain = [i for i in hits if self.columns[i].filter.paid_with is None]
        kind = self._kinds[key] = _Kind(
            tuple(i for i in plain if self.columns[i].what == "spend"),
            tuple(i for i in plain if self.columns[i].what == "units"),
            tuple((i, self.columns[i]) for i in hits if self.columns[i].filter.paid_with is not None),
        )
        return kind


def _key_of(selections: Sequence[Selection]) -> Callable[[Line], object] | None:
    """Return a function from a line to what tells its kind apart, no finer than the policy needs; None: categories."""
    found = [match for selection in selections for match in _all_matches(selection)]
    by_price = any(m.price_at_least is not None or m.price_at_most is not None for m in found)
    by_sku = any(m.skus is not None for m in found)
    names = sorted({name for m in found for name, _ in m.attributes})

    def key(line: Line) -> object:
        """Return what lines have in common that the same offers and rules select."""
        values = [line.attributes.get(name) for name in names]
        return (
            line.categories,
            line.stored_value,
            line.sku if by_sku else None,
            line.gross_minor // line.quantity if by_price else 0,
            *values,
            *map(type, values),  # `true` is not 1
        )

    return key if names or by_price else _by_sku if by_sku else None


def _by_sku(line: Line) -> object:
    return line.sku, line.categories, line.stored_value


def _all_matches(selection: Selection) -> list[Match]:
    found = list(selection.any_of)
    for match in selection.any_of:
        if match.excluding is not None:
            found.extend(_all_matches(match.excluding))
    return found
