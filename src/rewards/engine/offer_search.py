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

FEW = 12  # combinations that are all tried: bounds would cost more than they save
ENDLESS = 1 << 62


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
        choices = list(islice(product(*self.rivals.values()), MOST))
        best, first = self._try([*always, *choices[0]]), 0
        self._note(choices[0], best.total)
        for bound, place in self._promising(always, choices):
            choice = choices[place]
            beaten = (bound, -place) < (best.total, -first)
            if beaten and all(bound <= self.with_member.get(bit, -1) for bit in choice):
                continue  # it is not the best, nor the best with any of its members
            found = self._try([*always, *choice])
            self._note(choice, found.total)
            if (found.total, -place) > (best.total, -first):
                best, first = found, place
        return best

    def _note(self, choice: Sequence[int], total: int) -> None:
        for bit in choice:
            self.with_member[bit] = max(total, self.with_member.get(bit, 0))

    def _promising(self, always: Sequence[int], choices: Sequence[tuple[int, ...]]) -> list[tuple[int, int]]:
        """Return the places of all choices but the first, each with the most it can take off; few: in their order.

        Many are tried from the most promising on, so that the rest need not be tried.
        """
        places = range(1, len(choices))
        if len(choices) <= FEW:
            return [(ENDLESS, place) for place in places]
        room = sum(row.room for row in self.rows)
        most = self.item.most() | Stage(self.rows, self._basket_claims(), self.line_groups).most()
        base = sum(most[bit] for bit in always)
        bounds = [(min(room, base + sum(most[bit] for bit in choices[place])), place) for place in places]
        return sorted(bounds, key=lambda one: (-one[0], one[1]))

    def _try(self, chosen: Sequence[int]) -> Best:
        """Return the best that these offers can do, whatever the order of `free` ones."""
        active = tuple(sorted(chosen))
        items = tuple(bit for bit in active if bit not in self.basket)
        baskets = tuple(bit for bit in active if bit in self.basket)
        laid = self._items.get(items)
        if laid is None:
            laid = self._items[items] = self.item.tried(items)
        best: Best | None = None
        for item in laid:
            cents = item_cents(self.rows, item)
            more, basket = self._basket(item, cents, baskets) if baskets else (0, None)
            total = sum(cents) + more
            if best is None or total > best.total:
                best = Best(total, active, item, basket, more)
        assert best is not None
        return best

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
            stage = self._stages[key] = Stage(rows, self._basket_claims(), self.line_groups)
        return stage

    def _basket_claims(self) -> dict[int, Claim]:
        return {bit: self.claims[bit] for bit in sorted(self.basket)}

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
