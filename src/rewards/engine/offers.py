"""The best legal combination of offers for one basket. Pure; no clock, no member, no float.

Definitions. A *row* is all lines of equal content; its *room* is what it costs less
its lowest price. `on` is cut with `eligible`, except lines that sell stored value:
those are selected only by name.

* **Stages.** Item, then basket on what the item stage left. Conditions were decided
  before, on the basket without our discounts (`offer_conditions`).
* **Alone.** What an offer gives on each row if it were alone: a percentage of what the row
  costs when the stage begins; an amount a unit; what a unit costs above the fixed price;
  the share `off` of the picked units. `limit` of units: the dearest units. Each row's amount
  is cut at its room; then `at_most` and limits of money cut all rows in proportion.
* **Add and clamp.** In a stage amounts add, row by row, cut at the room. Last, an
  `amount_off` that comes off once is laid over its rows in proportion to what still may
  come off, so it is lost only where nothing is left; the narrower one first.
* **Rounding.** A stage's exact sum over all offers and rows is rounded once, half up.
  In the item stage a row with a lowest price or of stored value stands alone and is rounded
  down. Then shares: to offers, rows and lines by largest remainder, ties by content;
  no offer and no row gets more than its exact sum rounded up.
* **What is tried.** Everything legal applies. Of a group of receipt, one member: each is
  tried, with each of every other group. In a group of line each row has the member that gives
  it most. `free` offers that meet on a row take units in turn, every order tried: one
  without `of_every` uses up what it picked, one with it all units it counted. At most 256
  choices and 256 orders are tried; `check` refuses policies that can need more.
* **Best** is the largest discount; of equals, the first by content, then by id.

Every amount above grows, row by row, with every other offer and percentage, and what
the basket stage loses is never more than what the item stage gained: so nothing is ever
gained by leaving an offer out, and a bigger percentage never hurts. That holds as
long as basket offers are of all eligible lines and give a percentage or an amount once;
with a narrower `on` there, or where something bounds what an offer takes off, it
holds to within a minor unit for each row.

What does not live here: which offers are legal, limits beyond the receipt (`Claim`
says what they leave), and any record of uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from rewards.engine.offer_rows import Claim, Row, Selecting
from rewards.engine.offer_search import Search, after
from rewards.engine.offer_shares import Whole, to_lines
from rewards.engine.offer_stage import Layout
from rewards.policy.model import Eligible, Offer, OfferGroup
from rewards.receipt import Line

__all__ = ["Applied", "Claim", "NotTaken", "OfferBook", "Outcome", "discounted"]


@dataclass(frozen=True, slots=True)
class Applied:
    """An offer that took something off."""

    offer: Offer
    amount_minor: int
    lines_minor: tuple[int, ...]  # the share of each line, in the receipt's order
    units: int  # served; of `free`: picked


@dataclass(frozen=True, slots=True)
class NotTaken:
    """A legal offer that took nothing off, and why."""

    offer: Offer
    why: Literal["nothing_selected", "beaten", "no_room", "gives_nothing"]
    by: tuple[str, ...] = ()  # ids of the members of its group that were taken instead
    instead_minor: int | None = None  # the basket's whole discount, had it been taken (groups of receipt)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The best combination."""

    discount_minor: int
    lines_minor: tuple[int, ...]
    applied: tuple[Applied, ...]  # by id
    not_taken: tuple[NotTaken, ...]  # by id


class OfferBook:
    """A policy's offers, ready for baskets."""

    def __init__(self, offers: Mapping[str, Offer], groups: Mapping[str, OfferGroup], eligible: Eligible) -> None:
        """Order the offers by content, then id; the place of an offer is its bit in the rows' masks."""
        ordered = sorted(offers.values(), key=lambda offer: (offer.meaning, offer.id))
        self._bits = {offer.id: bit for bit, offer in enumerate(ordered)}
        self._groups = groups
        self._selecting = Selecting(ordered, eligible)

    def best(self, lines: Sequence[Line], claims: Sequence[Claim]) -> Outcome:
        """Return the best combination of the claimed offers; `lines` are as recorded before our discounts.

        Neither the order of lines nor that of claims matters.
        """
        by_bit = {self._bits[claim.offer.id]: claim for claim in claims}
        rows = self._selecting.rows(lines)
        claimed = {bit: by_bit[bit] for bit in sorted(by_bit)}
        return _Telling(rows, lines, claimed, Search(rows, claimed, self._groups)).outcome()


class _Telling:
    """Shares the best combination to lines and says what was not taken."""

    def __init__(self, rows: list[Row], lines: Sequence[Line], claims: dict[int, Claim], search: Search) -> None:
        self.rows = rows
        self.lines = lines
        self.claims = claims
        self.search = search
        self.found = search.best()
        item = search.item_shares(self.found.item)
        rows_left = after(rows, item)
        basket, layout = search.basket_shares(self.found, rows_left)
        self.units = _units(rows, item, self.found.item.layout)
        if layout is not None:
            self.units |= _units(rows, basket, layout)
        first = to_lines(item, rows, lines, [0] * len(lines))
        second = to_lines(basket, rows_left, lines, _by_line(first, len(lines))) if basket else {}
        self.shares = first | second

    def outcome(self) -> Outcome:
        """Return the outcome, offers by id."""
        taken = {bit: sum(amounts) for bit, amounts in self.shares.items()}
        applied = [
            Applied(self.claims[bit].offer, total, tuple(self.shares[bit]), self.units[bit])
            for bit, total in taken.items()
            if total
        ]
        not_taken = [self._not_taken(bit, taken) for bit in self.claims if not taken.get(bit)]
        return Outcome(
            self.found.total,
            tuple(_by_line(self.shares, len(self.lines))),
            tuple(sorted(applied, key=lambda one: one.offer.id)),
            tuple(sorted(not_taken, key=lambda one: one.offer.id)),
        )

    def _not_taken(self, bit: int, taken: Mapping[int, int]) -> NotTaken:
        offer = self.claims[bit].offer
        reached = [row for row in self.rows if row.mask >> bit & 1]
        if not reached:
            return NotTaken(offer, "nothing_selected")
        if bit not in self.found.active:
            rivals = self.search.rivals[offer.choose or ""]
            by = tuple(self.claims[rival].offer.id for rival in rivals if rival in self.found.active)
            return NotTaken(offer, "beaten", by, self.search.with_member[bit])
        if bit in self.search.line_groups:
            mates = [mate for mate, name in self.search.line_groups.items() if name == offer.choose and taken.get(mate)]
            by = tuple(
                sorted(self.claims[mate].offer.id for mate in mates if any(row.mask >> mate & 1 for row in reached))
            )
            if by:
                return NotTaken(offer, "beaten", by)
        return NotTaken(offer, "gives_nothing" if any(row.room for row in reached) else "no_room")


def _by_line(shares: Whole, count: int) -> list[int]:
    return [sum(amounts[i] for amounts in shares.values()) for i in range(count)]


def _units(rows: Sequence[Row], whole: Whole, layout: Layout) -> dict[int, int]:
    """Count the units that each offer served on rows where it took something off."""
    served = {bit: given.units for group in (layout.adding, *layout.competing) for bit, given in group}
    all_units = [row.units for row in rows]
    return {
        bit: sum(units for units, off in zip(served.get(bit, all_units), amounts, strict=True) if off)
        for bit, amounts in whole.items()
    }


def discounted(lines: Sequence[Line], outcome: Outcome) -> tuple[Line, ...]:
    """Return the lines with our discounts taken off their net; tenders are laid afterwards."""
    return tuple(
        msgspec.structs.replace(line, offers_minor=line.offers_minor + off, net_minor=line.net_minor - off)
        if off
        else line
        for line, off in zip(lines, outcome.lines_minor, strict=True)
    )
