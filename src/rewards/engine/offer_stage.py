"""One stage of offers: which layouts there are, and what each takes off every row, exactly.

Amounts are whole numbers over a scale of their own; nothing is rounded here. What
does not live here: the choice between stages (`offers`) and cents (`offer_shares`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, permutations, product
from math import gcd, lcm

from rewards.engine.offer_rows import Cells, Claim, Row, by_price, cells, order_of
from rewards.policy.model import AmountOff, Free

MOST = 256  # combinations tried; `check` refuses policies that have more

Part = dict[int, list[int]]  # bit of an offer -> what it takes off each row, times the scale


@dataclass(frozen=True, slots=True)
class Once:
    """An amount that comes off a selection once, wherever the rest of it still costs something."""

    bit: int
    minor: int
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A stage's offers with the units of all `free` ones settled."""

    adding: tuple[tuple[int, Cells], ...]
    competing: tuple[tuple[tuple[int, Cells], ...], ...]  # by `choose` group of line
    once: tuple[Once, ...]


@dataclass(slots=True)
class Laid:
    """What a layout takes off each row, `amounts[row] / scale`, within the rooms."""

    layout: Layout
    amounts: list[int]
    scale: int


class Stage:
    """The rows as the stage finds them, and the claims on them; remembers what each gives alone."""

    def __init__(self, rows: Sequence[Row], claims: dict[int, Claim], line_groups: dict[int, str]) -> None:
        """Take claims by bit, and the `choose` group of line of each that has one."""
        self.rows = rows
        self._claims = claims
        self._line_groups = line_groups
        self._units = tuple(row.units for row in rows)
        self._orders: dict[str | None, Sequence[int]] = {None: range(len(rows))}
        self._reached = {bit: self._reach(bit, claim) for bit, claim in claims.items()}
        self._given: dict[tuple[int, tuple[int, ...]], Cells] = {}  # by units left on the rows that the offer reaches
        self._alone = {bit: self._cells(bit, self._units) for bit in claims}
        self._free = {bit for bit, claim in claims.items() if isinstance(claim.offer.gives, Free)}
        self._once = {bit: self._make_once(bit, claim) for bit, claim in claims.items() if _is_once(claim)}

    def _reach(self, bit: int, claim: Claim) -> list[int]:
        order = order_of(claim)
        if order not in self._orders:
            self._orders[order] = by_price(self.rows, dearest=order == "dearest")
        return [i for i in self._orders[order] if self.rows[i].mask >> bit & 1]

    def _cells(self, bit: int, left: tuple[int, ...]) -> Cells:
        reached = self._reached[bit]
        key = bit, tuple([left[i] for i in reached])
        known = self._given.get(key)
        if known is None:
            known = self._given[key] = cells(self._claims[bit], self.rows, reached, left)
        return known

    def most(self) -> dict[int, int]:
        """Return for each offer a bound on what it takes off, in minor units, in whatever company.

        What it takes alone, rounded up; a `free` offer may be left with dearer units: all that it reaches.
        """
        return {
            bit: sum(self.rows[i].room for i in self._reached[bit])
            if bit in self._free
            else -(-sum(given.amounts) // given.scale)
            for bit, given in self._alone.items()
        }

    def _make_once(self, bit: int, claim: Claim) -> Once:
        most = claim.most_money()
        assert most is not None
        return Once(bit, most, tuple(sorted(self._reached[bit])))

    def layouts(self, active: Sequence[int]) -> Iterator[Layout]:
        """Return the layouts of all orders in which `free` offers that meet on a row may take units; each once."""
        meeting = self._meeting([bit for bit in active if bit in self._free])
        if not meeting:
            yield self._layout(active, self._alone)
            return
        seen: set[tuple[int, ...]] = set()
        for orders in product(*(permutations(bits) for bits in meeting)):
            given = self._in_order([b for bits in orders for b in bits])
            key = tuple([id(given[bit]) for bits in meeting for bit in bits])
            if key not in seen:
                seen.add(key)
                yield self._layout(active, self._alone | given)

    def tried(self, active: Sequence[int]) -> list[Laid]:
        """Lay the first `MOST` layouts."""
        return [self.lay(layout) for layout in islice(self.layouts(active), MOST)]

    def _meeting(self, free: Sequence[int]) -> list[list[int]]:
        """Return the sets of two and more `free` offers that are linked by rows they all reach."""
        if len(free) < 2:  # noqa: PLR2004
            return []
        sets: list[tuple[set[int], list[int]]] = []
        for bit in free:
            reach, bits = set(self._reached[bit]), [bit]
            apart = []
            for other, members in sets:
                if reach.isdisjoint(other):
                    apart.append((other, members))
                else:
                    reach, bits = reach | other, members + bits
            sets = [*apart, (reach, bits)]
        return [bits for _, bits in sets if len(bits) > 1]

    def _in_order(self, bits: Sequence[int]) -> dict[int, Cells]:
        left, given = self._units, {}
        for bit in bits:
            given[bit] = self._cells(bit, left)
            left = tuple(units - used for units, used in zip(left, given[bit].used, strict=True))
        return given

    def _layout(self, active: Sequence[int], given: dict[int, Cells]) -> Layout:
        groups: dict[str, list[tuple[int, Cells]]] = {}
        adding, once = [], []
        for bit in active:
            group = self._line_groups.get(bit)
            if group is not None:
                groups.setdefault(group, []).append((bit, given[bit]))
            elif bit in self._once:
                once.append(self._once[bit])
            else:
                adding.append((bit, given[bit]))
        once.sort(key=lambda one: (len(one.rows), one.rows, one.minor, one.bit))
        return Layout(tuple(adding), tuple(map(tuple, groups.values())), tuple(once))

    def lay(self, layout: Layout) -> Laid:
        """Add, cut each row at its room, then take off what comes off once."""
        scale = _scale(layout)
        amounts = [0] * len(self.rows)
        for _, (given, own, _, _) in layout.adding:
            factor = scale // own
            amounts = [amount + more * factor for amount, more in zip(amounts, given, strict=True)]
        for group in layout.competing:
            scaled = [[amount * (scale // given.scale) for amount in given.amounts] for _, given in group]
            amounts = [amount + max(more) for amount, more in zip(amounts, zip(*scaled, strict=True), strict=True)]
        amounts = [min(amount, row.room * scale) for amount, row in zip(amounts, self.rows, strict=True)]
        for one in layout.once:
            amounts, scale = self._take_once(one, amounts, scale)
        return Laid(layout, amounts, scale)

    def _take_once(self, one: Once, amounts: list[int], scale: int) -> tuple[list[int], int]:
        left = {i: self.rows[i].room * scale - amounts[i] for i in one.rows}
        whole, minor = sum(left.values()), one.minor * scale
        if minor >= whole:
            return [amount + left.get(i, 0) for i, amount in enumerate(amounts)], scale
        common = gcd(minor, whole)
        minor, whole = minor // common, whole // common
        return [amount * whole + left.get(i, 0) * minor for i, amount in enumerate(amounts)], scale * whole

    def parts(self, layout: Layout) -> tuple[Part, int]:
        """Return what each offer takes off each row, and the scale; they sum to what `lay` says.

        Where amounts add up to more than a row's room, each is cut in proportion.
        In a group the offer that gives a row most has it; ties go to the first by content.
        """
        scale = _scale(layout)
        part: Part = {bit: [amount * (scale // own) for amount in given] for bit, (given, own, _, _) in layout.adding}
        for group in layout.competing:
            part.update(_won(group, scale))
        part, scale = self._cut_in_proportion(part, scale)
        left = [row.room * scale - sum(amounts[i] for amounts in part.values()) for i, row in enumerate(self.rows)]
        for one in layout.once:
            whole = sum(left[i] for i in one.rows)
            taken = [0] * len(self.rows)
            if whole <= one.minor * scale:
                for i in one.rows:
                    taken[i] = left[i]
            else:
                share = Fraction(one.minor * scale, whole)
                part = {bit: [amount * share.denominator for amount in amounts] for bit, amounts in part.items()}
                for i in one.rows:
                    taken[i] = left[i] * share.numerator
                left = [room * share.denominator for room in left]
                scale *= share.denominator
            left = [room - off for room, off in zip(left, taken, strict=True)]
            part[one.bit] = taken
        return part, scale

    def _cut_in_proportion(self, part: Part, scale: int) -> tuple[Part, int]:
        """Cut what several offers take off a row to the row's room; on a scale on which all is whole again."""
        cuts = {}
        for i, row in enumerate(self.rows):
            whole = sum(amounts[i] for amounts in part.values())
            if whole > row.room * scale:
                cuts[i] = Fraction(row.room * scale, whole)
        if not cuts:
            return part, scale
        more = lcm(*(cut.denominator for cut in cuts.values()))
        found = {bit: [amount * more for amount in amounts] for bit, amounts in part.items()}
        for i, cut in cuts.items():
            for amounts in found.values():
                amounts[i] = amounts[i] // cut.denominator * cut.numerator
        return found, scale * more


def _won(group: Sequence[tuple[int, Cells]], scale: int) -> Part:
    part: Part = {bit: [0] * len(given.amounts) for bit, given in group}
    for i in range(len(group[0][1].amounts)):
        bit, given = max(group, key=lambda one: one[1].amounts[i] * (scale // one[1].scale))
        part[bit][i] = given.amounts[i] * (scale // given.scale)
    return part


def _scale(layout: Layout) -> int:
    """Return a scale on which every offer's amounts are whole."""
    scales = {given.scale for _, given in layout.adding}
    scales.update(given.scale for group in layout.competing for _, given in group)
    return lcm(*scales)


def _is_once(claim: Claim) -> bool:
    return isinstance(claim.offer.gives, AmountOff) and not claim.offer.gives.per_unit


def half_up(amount: int, scale: int) -> int:
    """Round `amount / scale` to the nearest whole number, halves up."""
    return (2 * amount + scale) // (2 * scale)
