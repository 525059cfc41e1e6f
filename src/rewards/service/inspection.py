"""A basket, worked out and laid open: everything the engine knew when it decided, for whoever studies a policy.

What does not live here: what is learned from it (`scenario.coverage`). Nothing is written.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from rewards.basket import Basket, to_receipt
from rewards.engine.member import Member
from rewards.engine.misses import Scene
from rewards.engine.step import Compiled
from rewards.engine.till import Buyer, Drawn
from rewards.ledger.timeline import DayRow, member_on
from rewards.policy.model import Offer
from rewards.receipt import Receipt
from rewards.service import budgets, pricing, purchases, rewards, vouchers
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.commands import RecordPurchase


@dataclass(frozen=True, slots=True)
class Inspected:
    """A purchase as if it were made now."""

    version: Compiled
    before: Receipt  # without our discounts
    after: Receipt
    buyer: Buyer | None  # as offers see the member, this basket included; None for a guest
    asked: Mapping[str, Offer]  # for which a voucher asks
    drawn: Mapping[str, Drawn]  # on budgets, by offer
    row: DayRow | None  # the day's facts, this receipt included; None for a guest
    member: Member

    def scene(self, *, receipt_alone: bool = False) -> Scene | None:
        """Return the day as the conditions of earning rules see it; None for a guest."""
        if self.row is None:
            return None
        vectors = list(self.row.rows.values())
        if receipt_alone:
            vectors = [self.version.reader.vector(self.after, {})]
        today = [sum(column) for column in zip(*vectors, strict=True)]
        return Scene(self.version, self.row.carry, today, self.row.day, self.member)


def inspect(batch: Batch, basket: Basket, caller: str, now: int) -> Inspected:
    """Work a basket out; raise what would refuse it."""
    work = purchases.draft(batch, Asked(RecordPurchase(basket), caller, None, now), basket)
    line, program = work.line, batch.running.ready()
    sent = to_receipt(basket, batch.running.zone, most_lines=purchases.LONGEST)
    before, hand = vouchers.shown(batch, line, msgspec.structs.replace(sent, tenders=()))
    version = program.on(before.day)
    wanted = rewards.asked(batch, line, before)
    row = None
    if line.kind == "member" and work.booking is not None:
        row = work.booking.days.get(before.day) or work.booking.near.last
        assert row is not None
        if row.carry[0] != program.index(row.day):
            row = None  # another version's carry: the day is not judged in full here
    return Inspected(
        version=version,
        before=before,
        after=work.receipt,
        buyer=pricing.buyer(batch, line, before),
        asked={**hand.offers, **wanted.offers},
        drawn=budgets.drawn_so_far(batch),
        row=row,
        member=member_on(line.near, before.day),
    )
