"""Lines of equal content as one row, and what an offer gives on each row.

Equal content: sku, categories, attributes, product of stored value, and the same
gross, net and lowest price a unit. A row knows its units as a count, never one by
one. What does not live here: how amounts of several offers meet (`offer_stage`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import gcd
from typing import Literal, NamedTuple

from rewards.engine.lines import is_eligible, selects
from rewards.policy.model import AmountOff, Eligible, FixedPrice, Free, Offer, PercentOff
from rewards.receipt import Line

_REMEMBERED = 100_000  # kinds of lines kept before all are forgotten


@dataclass(slots=True)
class Row:
    """Lines of equal content, taken together."""

    lines: list[int]  # positions in the receipt
    mask: int  # bit i: the book's offer i selects them
    alone: bool  # its discount of the item stage is rounded down by itself
    units: int
    net: int  # before our discounts, minor units
    base: int  # what they cost when the stage begins
    room: int  # the most that may come off in the stage: base less the lowest prices


class Cells(NamedTuple):
    """What an offer would give on each row as if it were alone: `amounts[row] / scale` minor units."""

    amounts: list[int]
    scale: int
    units: list[int]  # served
    used: list[int]  # units that no other `free` offer may serve or count


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An offer that is legal for the basket, and what its longer limits leave."""

    offer: Offer
    times: int = 1  # how often it was asked for, if rewards or vouchers give it
    money_left: int | None = None  # minor units
    units_left: int | None = None

    def most_money(self) -> int | None:
        """Return the most minor units that the offer may take off this receipt; None: no bound."""
        offer = self.offer
        bounds = [limit.amount for limit in offer.limits if limit.what == "money" and limit.per == "receipt"]
        if offer.at_most is not None:
            bounds.append(offer.at_most * self.times)
        if self.money_left is not None:
            bounds.append(self.money_left)
        if isinstance(offer.gives, AmountOff) and not offer.gives.per_unit:
            bounds.append(offer.gives.minor * self.times)
        return max(0, min(bounds)) if bounds else None

    def most_units(self) -> int | None:
        """Return the most units that the offer may serve on this receipt; None: no bound."""
        bounds = [limit.amount for limit in self.offer.limits if limit.what == "units" and limit.per == "receipt"]
        if self.units_left is not None:
            bounds.append(self.units_left)
        return max(0, min(bounds)) if bounds else None


def order_of(claim: Claim) -> Literal["cheapest", "dearest"] | None:
    """Return the order in which the offer takes its units; None: it takes all."""
    gives = claim.offer.gives
    return gives.pick if isinstance(gives, Free) else None if claim.most_units() is None else "dearest"


@dataclass(slots=True)
class Selecting:
    """Which of a policy's offers select a kind of line; remembered from receipt to receipt."""

    offers: Sequence[Offer]
    eligible: Eligible
    _masks: dict[tuple[object, ...], int] = field(default_factory=dict)

    def rows(self, lines: Sequence[Line]) -> list[Row]:
        """Return the receipt's rows, ordered by content."""
        classes: dict[tuple[object, ...], list[int]] = {}
        for i, line in enumerate(lines):
            classes.setdefault(_content(line), []).append(i)
        ordered = sorted(classes, key=repr) if len(classes) > 1 else list(classes)
        return [self._row(key, classes[key], lines) for key in ordered]

    def _row(self, key: tuple[object, ...], positions: list[int], lines: Sequence[Line]) -> Row:
        kind = key[:5]
        mask = self._masks.get(kind)
        if mask is None:
            if len(self._masks) >= _REMEMBERED:
                self._masks.clear()
            mask = self._masks[kind] = self._mask(lines[positions[0]])
        first = lines[positions[0]]
        net = room = first.net_minor
        units = first.quantity
        if len(positions) > 1:
            net = sum(lines[i].net_minor for i in positions)
            units = sum(lines[i].quantity for i in positions)
        alone = first.lowest_minor is not None or first.stored_value is not None
        room = sum(line_room(lines[i]) for i in positions) if alone else net
        return Row(positions, mask, alone, units, net, net, room)

    def _mask(self, line: Line) -> int:
        counts = line.stored_value is not None or is_eligible(self.eligible, line)
        if not counts:
            return 0
        return sum(
            1 << i
            for i, offer in enumerate(self.offers)
            if (line.stored_value is None if offer.on is None else selects(offer.on, line))
        )


def line_room(line: Line) -> int:
    """Return the most that may come off a line, in minor units."""
    return max(0, line.net_minor - (line.lowest_minor or 0))


def _content(line: Line) -> tuple[object, ...]:
    quantity = line.quantity
    attributes = tuple(sorted((name, repr(value)) for name, value in line.attributes.items()))
    categories = line.categories if len(line.categories) < 2 else tuple(sorted(line.categories))  # noqa: PLR2004
    lowest = None if line.lowest_minor is None else _a_unit(line.lowest_minor, quantity)
    net = _a_unit(line.net_minor, quantity)
    return line.stored_value, line.sku, categories, attributes, line.gross_minor // quantity, net, lowest


def _a_unit(amount: int, quantity: int) -> tuple[int, int]:
    """Return an amount a unit as a fraction in lowest terms."""
    if quantity == 1:
        return amount, 1
    common = gcd(amount, quantity)
    return amount // common, quantity // common


def cells(claim: Claim, rows: Sequence[Row], selected: Sequence[int], free_units: Sequence[int]) -> Cells:
    """Return what the offer gives on each row as if it were alone, within rooms and its own bounds.

    `selected` are the rows it reaches, in the order of `by_price` if it asks for one (`order_of`);
    `free_units` are the units that other `free` offers left, which only a `free` offer looks at.
    """
    gives, times = claim.offer.gives, claim.times
    scale = 1
    whole: Callable[[Row], int]  # for all units of a row, times scale
    match gives:
        case PercentOff(numerator, denominator):
            scale = denominator
            whole = lambda row: row.base * numerator * times  # noqa: E731
        case AmountOff(minor, per_unit):
            whole = (lambda row: min(row.base, minor * times * row.units)) if per_unit else (lambda row: row.room)
        case FixedPrice(minor):
            whole = lambda row: max(0, row.base - minor * row.units)  # noqa: E731
        case Free():
            numerator, scale = gives.off
            whole = lambda row: row.base * numerator  # noqa: E731
    used = [0] * len(rows)
    if isinstance(gives, Free):
        served = _picked(claim, gives, selected, free_units)
        used = served if gives.of_every is None else _counted(served, selected, free_units)
    else:
        served = _served(claim.most_units(), rows, selected)
    amounts = [0] * len(rows)
    for i in selected:
        if served[i]:
            amounts[i] = whole(rows[i])
    scale = _for_part_of_a_row(amounts, scale, served, rows)
    for i in selected:
        amounts[i] = min(amounts[i], rows[i].room * scale)
    return Cells(*_bounded(amounts, scale, claim.most_money()), served, used)


def _for_part_of_a_row(amounts: list[int], scale: int, served: Sequence[int], rows: Sequence[Row]) -> int:
    """Cut each amount to the units served, in place; return the new scale."""
    for i, units in enumerate(served):
        if 0 < units < rows[i].units:
            amount = amounts[i] * units
            for j, other in enumerate(amounts):
                amounts[j] = other * rows[i].units
            amounts[i] = amount
            scale *= rows[i].units
    return scale


def _bounded(amounts: list[int], scale: int, most: int | None) -> tuple[list[int], int]:
    """Cut all amounts in proportion so that their sum is at most `most` minor units."""
    total = sum(amounts)
    if most is None or total <= most * scale:
        return amounts, scale
    common = gcd(most, total)
    return [amount * (most // common) for amount in amounts], total // common


def _served(most: int | None, rows: Sequence[Row], selected: Sequence[int]) -> list[int]:
    """Return the units served on each row: all, or the dearest `most`."""
    served = [0] * len(rows)
    if most is None:
        for i in selected:
            served[i] = rows[i].units
        return served
    for i in selected:
        served[i] = min(most, rows[i].units)
        most -= served[i]
    return served


def _picked(claim: Claim, free: Free, selected: Sequence[int], free_units: Sequence[int]) -> list[int]:
    """Return the units picked on each row, of those that are left."""
    picks = free.units * claim.times
    if free.of_every is not None:
        picks *= sum(free_units[i] for i in selected) // free.of_every
    most = claim.most_units()
    if most is not None:
        picks = min(picks, most)
    picked = [0] * len(free_units)
    if not picks:
        return picked
    for i in selected:
        picked[i] = min(picks, free_units[i])
        picks -= picked[i]
    return picked


def _counted(picked: Sequence[int], selected: Sequence[int], free_units: Sequence[int]) -> list[int]:
    """Return the units that an offer with `of_every` uses up: all that it counted, if it gives anything."""
    used = [0] * len(free_units)
    if any(picked):
        for i in selected:
            used[i] = free_units[i]
    return used


def by_price(rows: Sequence[Row], *, dearest: bool) -> list[int]:
    """Order rows by the net price of a unit before our discounts; ties by content."""
    sign = -1 if dearest else 1
    if all(row.units == 1 for row in rows):
        return sorted(range(len(rows)), key=lambda i: (sign * rows[i].net, i))
    return sorted(range(len(rows)), key=lambda i: (Fraction(sign * rows[i].net, rows[i].units), i))
