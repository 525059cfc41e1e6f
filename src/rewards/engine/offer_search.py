"""Tries a basket's combinations of offers and keeps the best.

What does not live here: what the combinations are (the docstring of `offers` says), shares of lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

from rewards.engine.offer_rows import Claim, Row
from rewards.engine.offer_shares import Whole, World, share
from rewards.engine.offer_stage import MOST, Laid, Layout, Stage, half_up
from rewards.policy.model import AmountOff, OfferGroup, PercentOff


@dataclass(slots=True)
class Best:
    """The best combination found."""

    total: int
    active: tuple[int, ...]
    item: Laid
    basket: Laid | None
    more: int  # minor units of the basket stage


class Search:
    """Tries the combinations for one basket."""

    def __init__(self, rows: list[Row], claims: dict[int, Claim], groups: Mapping[str, OfferGroup]) -> None:
        """Take the claims by bit, in the order of bits."""
        self.rows = rows
        self.claims = claims
        reached = 0
        for row in rows:
            reached |= row.mask
        self.bits = [bit for bit in claims if reached >> bit & 1]
        self.basket = {bit for bit in self.bits if claims[bit].offer.stage == "basket"}
        grouped = {bit: groups[name] for bit in self.bits if (name := claims[bit].offer.choose or "") in groups}
        self.line_groups = {bit: group.name for bit, group in grouped.items() if group.of == "line"}
        self.rivals: dict[str, list[int]] = {}
        for bit, group in grouped.items():
            if group.of == "receipt":
                self.rivals.setdefault(group.name, []).append(bit)
        self.item = Stage(rows, {bit: claims[bit] for bit in self.bits if bit not in self.basket}, self.line_groups)
        self.simple = all(self._is_plain(bit) for bit in self.basket)
        self.found: Best | None = None
        self.with_member: dict[int, int] = {}  # bit in a group of receipt -> the best total with it
        self._items: dict[tuple[int, ...], list[Laid]] = {}
        self._baskets: dict[tuple[tuple[int, ...], Stage], tuple[int, Laid]] = {}
        self._stages: dict[tuple[int, ...], Stage] = {}

    def _is_plain(self, bit: int) -> bool:
        claim = self.claims[bit]
        return (
            bit not in self.line_groups
            and claim.most_units() is None
            and (
                isinstance(claim.offer.gives, PercentOff)
                or (isinstance(claim.offer.gives, AmountOff) and not claim.offer.gives.per_unit)
            )
        )

    def best(self) -> Best:
        """Try all; of equals keep the first by content."""
        taken = {bit for bits in self.rivals.values() for bit in bits}
        always = [bit for bit in self.bits if bit not in taken]
        for choice in islice(product(*self.rivals.values()), MOST):
            active = tuple(sorted([*always, *choice]))
            total = self._try(active)
            for bit in choice:
                self.with_member[bit] = max(total, self.with_member.get(bit, 0))
        assert self.found is not None
        return self.found

    def _try(self, active: tuple[int, ...]) -> int:
        """Return the best total of these offers, and keep it if it is the best so far."""
        items = tuple(bit for bit in active if bit not in self.basket)
        baskets = tuple(bit for bit in active if bit in self.basket)
        laid = self._items.get(items)
        if laid is None:
            laid = self._items[items] = self.item.tried(items)
        most = 0
        for item in laid:
            cents = item_cents(self.rows, item)
            more, basket = self._basket(item, cents, baskets) if baskets else (0, None)
            total = sum(cents) + more
            if self.found is None or total > self.found.total:
                self.found = Best(total, active, item, basket, more)
            most = max(most, total)
        return most

    def _basket(self, item: Laid, cents: tuple[int, ...], bits: tuple[int, ...]) -> tuple[int, Laid | None]:
        stage = self._stage_after(item, cents)
        key = bits, stage
        known = self._baskets.get(key)
        if known is None:
            tried = [(half_up(sum(laid.amounts), laid.scale), laid) for laid in stage.tried(bits)]
            known = self._baskets[key] = max(tried, key=lambda one: one[0])
        return known

    def _stage_after(self, item: Laid, cents: tuple[int, ...]) -> Stage:
        """Return the basket stage after the item stage, the same for all that leave it the same amounts."""
        rows = self._merged(item, cents) if self.simple else None
        key: tuple[int, ...] = cents
        if rows is None:
            rows = after(self.rows, self.item_shares(item))
            key = (-1, *(row.base for row in rows))
        stage = self._stages.get(key)
        if stage is None:
            claims = {bit: self.claims[bit] for bit in sorted(self.basket)}
            stage = self._stages[key] = Stage(rows, claims, self.line_groups)
        return stage

    def _merged(self, item: Laid, cents: tuple[int, ...]) -> list[Row] | None:
        """Return the rows that the basket stage treats alike as one row; None if it tells some apart."""
        wanted = 0
        for bit in self.basket:
            wanted |= 1 << bit
        together = [(row, amount) for row, amount in zip(self.rows, item.amounts, strict=True) if not row.alone]
        masks = {row.mask & wanted for row, _ in together} - {0}
        if len(masks) > 1 or any(amount for row, amount in together if not row.mask & wanted):
            return None
        rows = []
        if masks:
            base = sum(row.net for row, _ in together if row.mask & wanted) - cents[0]
            rows.append(Row([], masks.pop(), False, 1, base, base, base))  # noqa: FBT003
        for row, cent in zip((row for row in self.rows if row.alone), cents[1:], strict=True):
            if row.mask & wanted:
                rows.append(replace(row, base=row.base - cent, room=row.room - cent))
        return rows

    def item_shares(self, item: Laid) -> Whole:
        """Return what each offer of the item stage takes off each row, in minor units."""
        part, scale = self.item.parts(item.layout)
        together, *alone = item_cents(self.rows, item)
        worlds = [World(tuple(i for i, row in enumerate(self.rows) if not row.alone), together)]
        places = (i for i, row in enumerate(self.rows) if row.alone)
        worlds += [World((i,), total) for i, total in zip(places, alone, strict=True)]
        return share(part, scale, self.rows, worlds)

    def basket_shares(self, found: Best, rows: Sequence[Row]) -> tuple[Whole, Layout | None]:
        """Return what each offer of the basket stage takes off each row, in minor units, and how it was laid."""
        bits = [bit for bit in found.active if bit in self.basket]
        if found.basket is None or not bits:
            return {}, None
        stage = Stage(rows, {bit: self.claims[bit] for bit in bits}, self.line_groups)
        layout = next(stage.layouts(bits)) if self.simple else found.basket.layout
        part, scale = stage.parts(layout)
        return share(part, scale, rows, [World(tuple(range(len(rows))), found.more)]), layout


def item_cents(rows: Sequence[Row], laid: Laid) -> tuple[int, ...]:
    """Round the item stage: all rows that stand together half up, then each that stands alone down."""
    together = sum(amount for row, amount in zip(rows, laid.amounts, strict=True) if not row.alone)
    alone = [amount // laid.scale for row, amount in zip(rows, laid.amounts, strict=True) if row.alone]
    return half_up(together, laid.scale), *alone


def after(rows: Sequence[Row], whole: Whole) -> list[Row]:
    """Return the rows as the basket stage finds them."""
    taken = [sum(amounts[i] for amounts in whole.values()) for i in range(len(rows))]
    return [replace(row, base=row.base - off, room=row.room - off) for row, off in zip(rows, taken, strict=True)]
