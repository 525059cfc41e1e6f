"""The state of an owner, a cache of its timeline, and the changes of facts that move it.

What does not live here: what a change does (`timeline`, `anew`), and rows of the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from rewards.ledger.entries import Entry
from rewards.ledger.lots import Purse
from rewards.receipt import Receipt, Returned

_FORMAT = b"\x01"


class DayRow(msgspec.Struct, array_like=True, gc=False):
    """What is known of one day of an owner."""

    day: int
    carry: list[Any]  # before the day
    rows: dict[int, list[int]] = {}  # by purchase: the receipt's vector
    points: dict[int, int] = {}  # by index of the rule in the day's version; zeros left out
    granted: dict[str, int] = {}  # by wallet: points that staff gave
    spent: list[tuple[int, str, int]] = []  # (instant, wallet, points)

    def copy(self) -> DayRow:
        """Return a row that can be changed without touching this one."""
        return DayRow(self.day, self.carry, dict(self.rows), self.points, dict(self.granted), list(self.spent))

    def empty(self) -> bool:
        """Return whether nothing is left of the day."""
        return not (self.rows or self.granted or self.spent)


class Near(msgspec.Struct, array_like=True, gc=False):
    """The part of the state that every event reads and writes."""

    joined: int  # day; 0 for an owner who is no member
    clock: int = 0  # the instant up to which the purses are booked
    last: DayRow | None = None
    carry: list[Any] = []  # after the last day; empty before the first
    purses: dict[str, Purse] = {}
    uses: dict[str, list[list[int]]] = {}  # by offer with a limit: [purchase, day, units, minor units], oldest first


@dataclass(frozen=True, slots=True)
class Purchase:
    """A receipt was recorded; `key` numbers it within its owner."""

    key: int
    receipt: Receipt

    @property
    def at(self) -> int:
        """Return the instant of the event."""
        return self.receipt.occurred_at

    @property
    def day(self) -> int:
        """Return the day whose facts change."""
        return self.receipt.day


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of a recorded receipt came back; `returned` is the total so far, this return included."""

    key: int
    receipt: Receipt
    returned: Returned
    at: int

    @property
    def day(self) -> int:
        """Return the day whose facts change: the purchase's."""
        return self.receipt.day


@dataclass(frozen=True, slots=True)
class Spending:
    """Points went; `to` is the account that they went to."""

    at: int
    day: int
    wallet: str
    points: int
    to: str = "spent"


@dataclass(frozen=True, slots=True)
class Grant:
    """Staff gave points; they join the lot of the day."""

    at: int
    day: int
    wallet: str
    points: int


Change = Purchase | Return | Spending | Grant


@dataclass(slots=True)
class Booking:
    """The outcome of a change: the new state, the rows to write (None: delete), and what is booked, in order."""

    near: Near
    days: dict[int, DayRow | None]
    entries: list[Entry]


_decoder = msgspec.msgpack.Decoder(Near)
_day_decoder = msgspec.msgpack.Decoder(DayRow)
_encoder = msgspec.msgpack.Encoder()


def encode(state: Near | DayRow) -> bytes:
    """Return the state as bytes, led by the number of their format."""
    return _FORMAT + _encoder.encode(state)


def decode_near(data: bytes) -> Near:
    """Read what `encode` wrote."""
    return _decoder.decode(memoryview(data)[1:])


def decode_day(data: bytes) -> DayRow:
    """Read what `encode` wrote."""
    return _day_decoder.decode(memoryview(data)[1:])


def open_near(joined: int) -> Near:
    """Return the state of an owner of whom nothing is known; `joined` is a day, 0 for no member."""
    return Near(joined)
