"""Whole minor units from exact parts: to offers, to rows, to lines; every sum exact.

What does not live here: how large the whole is. A world is a set of rows whose
total was rounded together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rewards.engine.offer_rows import Row, line_room
from rewards.engine.offer_stage import Part
from rewards.money import largest_remainder
from rewards.receipt import Line

Whole = dict[int, list[int]]  # bit of an offer -> minor units off each row, or each line


@dataclass(frozen=True, slots=True)
class World:
    """Rows whose total is so many minor units."""

    rows: tuple[int, ...]
    total: int


def share(part: Part, scale: int, rows: Sequence[Row], worlds: Sequence[World]) -> Whole:
    """Share each world's total to offers, then each offer's to rows, by largest remainder.

    A row's remainder counts what earlier offers left it short, or gave it too much, so
    that its own sum is its exact sum rounded up or down. Ties go to the offer, then the
    row, that comes first by content. No row and no offer gets more than its exact sum
    rounded up: where remainders would break that, a minor unit moves to where it fits.
    """
    bits = sorted(part)
    whole: Whole = {bit: [0] * len(rows) for bit in bits}
    for world in worlds:
        if not world.total:
            continue
        sums = [sum(part[bit][i] for i in world.rows) for bit in bits]
        short = [0] * len(world.rows)
        for bit, total in zip(bits, _nearest(sums, scale, world.total, sums), strict=True):
            exact = [part[bit][i] for i in world.rows]
            short = [a + b for a, b in zip(short, exact, strict=True)]
            amounts = _nearest(exact, scale, total, short)
            for at, (i, amount) in enumerate(zip(world.rows, amounts, strict=True)):
                whole[bit][i] = amount
                short[at] -= amount * scale
    row_most = [_up(sum(part[bit][i] for bit in bits), scale) for i in range(len(rows))]
    most = {bit: _up(sum(part[bit]), scale) for bit in bits}
    if any(sum(whole[bit][i] for bit in bits) > top for i, top in enumerate(row_most)) or any(
        sum(whole[bit]) > most[bit] for bit in bits
    ):
        _Fitting(part, scale, worlds, row_most, most, whole).fit()
    return whole


def _nearest(amounts: Sequence[int], scale: int, total: int, claims: Sequence[int]) -> list[int]:
    """Round each amount down or up so that they sum to `total`.

    Up go those that are not whole, of the largest claim less what rounding down gives; ties first to last.
    """
    shares = [amount // scale for amount in amounts]
    missing = total - sum(shares)
    if missing:
        broken = (i for i, amount in enumerate(amounts) if amount % scale)
        for i in sorted(broken, key=lambda i: (shares[i] * scale - claims[i], i))[:missing]:
            shares[i] += 1
    return shares


def _up(amount: int, scale: int) -> int:
    return -(-amount // scale)


_Node = tuple[str, int]  # a world, a row or an offer


class _Fitting:
    """Moves single minor units until no bound is broken; a whole solution exists, because the exact parts are one."""

    def __init__(
        self, part: Part, scale: int, worlds: Sequence[World], room: list[int], most: dict[int, int], whole: Whole
    ) -> None:
        self.whole = whole
        self.most = most
        self.worlds = worlds
        self.room = room
        self.home = {i: w for w, world in enumerate(worlds) for i in world.rows}
        self.offers = {bit: sum(amounts) for bit, amounts in whole.items()}
        self.rows = [sum(amounts[i] for amounts in whole.values()) for i in range(len(room))]
        self.cell = {bit: [_up(amount, scale) for amount in part[bit]] for bit in part}

    def fit(self) -> None:
        """Take off what is too much, then lay it where there is room for it."""
        for bit, amounts in self.whole.items():
            for i, amount in enumerate(amounts):
                over = max(self.offers[bit] - self.most[bit], self.rows[i] - self.room[i], 0)
                self._add(bit, i, -min(amount, over))
        for w, world in enumerate(self.worlds):
            for _ in range(world.total - sum(self.rows[i] for i in world.rows)):
                self._one_more(w)

    def _add(self, bit: int, i: int, change: int) -> None:
        self.whole[bit][i] += change
        self.offers[bit] += change
        self.rows[i] += change

    def _one_more(self, world: int) -> None:
        """Lay one more minor unit on the world, moving others along the shortest way (breadth first)."""
        came: dict[_Node, tuple[_Node, int] | None] = {("world", world): None}
        waiting = deque(came)
        while waiting:
            node = waiting.popleft()
            if node[0] == "offer" and self.offers[node[1]] < self.most[node[1]]:
                self._apply(node, came)
                return
            for after, change in self._next(node):
                if after not in came:
                    came[after] = node, change
                    waiting.append(after)
        raise AssertionError("the exact parts fit, so whole ones do")

    def _next(self, node: _Node) -> Iterator[tuple[_Node, int]]:
        """Return where a minor unit may go from here: +1 is laid by an offer on this row, -1 leaves that row."""
        kind, at = node
        if kind == "world":
            yield from ((("row", i), 0) for i in self.worlds[at].rows if self.rows[i] < self.room[i])
        elif kind == "row":
            yield from ((("offer", bit), 1) for bit, cell in self.cell.items() if self.whole[bit][at] < cell[at])
            yield ("world", self.home[at]), 0
        else:
            yield from ((("row", i), -1) for i, amount in enumerate(self.whole[at]) if amount)

    def _apply(self, node: _Node, came: dict[_Node, tuple[_Node, int] | None]) -> None:
        while (source := came[node]) is not None:
            before, change = source
            if change == 1:
                self._add(node[1], before[1], 1)
            elif change == -1:
                self._add(before[1], node[1], -1)
            node = before


def to_lines(whole: Whole, rows: Sequence[Row], lines: Sequence[Line], taken: Sequence[int]) -> Whole:
    """Share each row's minor units to its lines, by what may still come off each; then each line's to offers.

    `taken` is what earlier stages took off each line. Lines of a row differ in
    nothing but their count of units, so ties may go to any of equal count.
    """
    shares: Whole = {bit: [0] * len(lines) for bit in whole}
    for r, row in enumerate(rows):
        if len(row.lines) == 1:
            for bit, amounts in whole.items():
                shares[bit][row.lines[0]] = amounts[r]
            continue
        room = {i: line_room(lines[i]) - taken[i] for i in row.lines}
        ordered = sorted(row.lines, key=lambda i: (-lines[i].quantity, -room[i]))
        total = sum(amounts[r] for amounts in whole.values())
        left = largest_remainder(total, [room[i] for i in ordered])
        for bit, amounts in whole.items():
            if amounts[r]:
                parts = largest_remainder(amounts[r], left)
                left = [a - b for a, b in zip(left, parts, strict=True)]
                for i, part in zip(ordered, parts, strict=True):
                    shares[bit][i] = part
    return shares
