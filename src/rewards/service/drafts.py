"""A purchase that was worked out and not recorded: what quoting, recording and telling one hand on.

What does not live here: working it out (`purchases`), and telling it (`telling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rewards.engine.till import Withheld
from rewards.ledger.entries import Entry
from rewards.ledger.timeline import Booking
from rewards.receipt import Receipt
from rewards.service.commands import PreparedPurchase
from rewards.service.journal import Timeline


@dataclass(slots=True)
class Draft:
    """A purchase, worked out and not recorded."""

    line: Timeline
    receipt: Receipt
    booking: Booking | None  # None: nobody asks what a guest would have earned
    withheld: Sequence[Withheld] = ()  # offers that did not apply
    prepared: PreparedPurchase | None = None  # if the receipt is still what was prepared
    warnings: Sequence[dict[str, object]] = ()  # what was recorded all the same
    entries: Sequence[Entry] = ()  # of a guest's purchase

    @property
    def entry(self) -> Entry | None:
        """The purchase's own entry."""
        return self.booking.entries[-1] if self.booking is not None else None
