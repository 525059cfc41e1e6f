"""The state of an owner, a cache of its timeline, and the changes of facts that move it.

What does not live here: what a change does (`timeline`, `anew`), and rows of the database.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from rewards.engine.member import Member
from rewards.engine.tiers import Promise
from rewards.ledger.entries import Entry
from rewards.ledger.lots import Purse
from rewards.receipt import Receipt, Returned, points_left

_FORMAT = b"\x01"


class Held(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """Points that were held: a spending of its instant that ends as what was taken of it, which may be nothing."""

    at: int
    wallet: str
    points: int
    until: int  # exclusive
    ended_at: int = 0  # 0: it is open
    taken: int = 0  # less what was given back

    def laid(self, at: int, *, lapse: bool = False) -> int:
        """Return the points that it keeps from other spendings at an instant; `lapse` ends an open one in time."""
        if self.ended_at:
            return self.points if at < self.ended_at else self.taken
        return 0 if lapse and at >= self.until else self.points

    def held(self, at: int) -> int:
        """Return the points that are held at an instant."""
        return self.points if self.at <= at < (self.ended_at or self.until) else 0


class DayRow(msgspec.Struct, array_like=True, gc=False):
    """What is known of one day of an owner."""

    day: int
    carry: list[Any]  # before the day
    rows: dict[int, list[int]] = {}  # by purchase or activity: its vector
    points: dict[int, int] = {}  # by index of the rule in the day's version; zeros left out
    granted: dict[str, int] = {}  # by wallet: points that staff gave
    spent: list[tuple[int, str, int]] = []  # (instant, wallet, points)
    paid: dict[
        int, tuple[int, dict[str, int]]
    ] = {}  # by purchase or redemption: its instant, and the points that it still takes
    credited: dict[str, int] = {}  # by wallet: points that settlements gave
    holds: dict[str, Held] = {}  # by hold's id: those of this day
    promised: list[Promise] = []  # levels that are kept after the day, whatever is measured

    def copy(self) -> DayRow:
        """Return a row that can be changed without touching this one."""
        return DayRow(
            self.day,
            self.carry,
            dict(self.rows),
            self.points,
            dict(self.granted),
            list(self.spent),
            dict(self.paid),
            dict(self.credited),
            dict(self.holds),
            list(self.promised),
        )

    def empty(self) -> bool:
        """Return whether nothing is left of the day."""
        facts = (self.rows, self.granted, self.spent, self.credited, self.paid, self.holds, self.promised)
        return not any(facts)


class Told(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What a member told us, or staff noted, counting from the start of a day."""

    from_day: int
    born: int = 0  # month * 100 + day; 0: not known
    attributes: dict[str, str | int | bool] = {}


class Near(msgspec.Struct, array_like=True, gc=False):
    """The part of the state that every event reads and writes."""

    joined: int  # day; 0 for an owner who is no member
    clock: int = 0  # the instant up to which the purses are booked
    last: DayRow | None = None
    carry: list[Any] = []  # after the last day; empty before the first
    purses: dict[str, Purse] = {}
    # By offer with a limit: [purchase, day, units, minor units], oldest first. By `of_reward` a reward with one:
    # [purchase or redemption, day, times, points].
    uses: dict[str, list[list[int]]] = {}
    told: list[Told] = []  # by day, oldest first; the first holds for the days before it too
    drawn: dict[int, list[int]] = {}  # of a budget, by day: [times, units, minor units]; days without any left out
    since: int = 0  # the day on which the enrolment was recorded: what comes by itself comes from then on
    booked: dict[str, int] = {}  # by yearly activity, and `of_reward` by automatic reward: the last day it came for
    referrer: int = 0  # the member, as an owner, who brought this one; 0: nobody
    holds: dict[str, Held] = {}  # by id: those that are open
    known_as: int = 0  # the number under which the referrer knows this one, if another member was merged into it
    merged: list[int] = []  # the members, as owners, who were merged into this one, and into those
    merged_into: int = 0  # the member, as an owner, who this one is now

    def moved(self, last: DayRow | None, carry: list[Any], purses: dict[str, Purse]) -> Near:
        """Return the state after a change of what every event changes; the rest is shared with this one."""
        after = copy(self)
        after.last, after.carry, after.purses = last, carry, purses
        return after


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


class Settlement(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was settled with a return for ever, in points of one wallet; its credits join one lot of their own.

    `moved` points leave lots that end sooner than `restored_points_last` and are credited; `revived` ones come from
    lots that have ended; `deducted` ones were not there to be taken back, and money was kept for them.
    """

    wallet: str
    moved: int = 0
    revived: int = 0
    deducted: int = 0
    deducted_minor: int = 0


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of a recorded receipt came back; `returned` is the total so far, this return included."""

    key: int
    receipt: Receipt
    returned: Returned
    at: int
    settled: tuple[Settlement, ...] = ()
    settled_day: int = 0  # the return's own, if anything is settled

    def settling(self, settled: tuple[Settlement, ...], day: int) -> Return:
        """Return the same with what was settled on its own local day."""
        return replace(self, settled=settled, settled_day=day)

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


@dataclass(frozen=True, slots=True)
class Telling:
    """A member's facts from the start of a day on are others."""

    at: int
    told: Told

    @property
    def day(self) -> int:
        """Return the first day whose facts change."""
        return self.told.from_day


@dataclass(frozen=True, slots=True)
class Activity:
    """Something other than a purchase happened, or counts no longer; `key` numbers it within its owner.

    The key of a referral is the friend's number, below zero.
    """

    key: int
    name: str
    at: int
    day: int
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Redemption:
    """Points bought a reward outside a basket, `times` times; `key` numbers it within its owner."""

    key: int
    reward: str
    times: int
    wallet: str
    points: int
    at: int
    day: int
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class Cancellation:
    """A redemption was cancelled: `points` is what it takes all the same, for what was used up."""

    of: Redemption
    points: int
    at: int
    settled: tuple[Settlement, ...] = ()
    settled_day: int = 0  # its own, if anything is settled

    def settling(self, settled: tuple[Settlement, ...], day: int) -> Cancellation:
        """Return the same with what was settled on its own local day."""
        return replace(self, settled=settled, settled_day=day)

    @property
    def key(self) -> int:
        """Return the number of the redemption."""
        return self.of.key

    @property
    def day(self) -> int:
        """Return the day whose facts change: the redemption's."""
        return self.of.day


Paying = Purchase | Return | Redemption | Cancellation


def of_reward(name: str) -> str:
    """Return the key under which a reward stands beside offers and activities; no author's id is like it."""
    return f"reward {name}"


def taken_by(change: Paying) -> tuple[int, dict[str, int]]:
    """Return when a purchase or redemption took points, and how many it still takes by wallet, but out of holds."""
    match change:
        case Purchase():
            return change.at, points_left(change.receipt, {}, of_holds=False)
        case Return():
            return change.receipt.occurred_at, points_left(change.receipt, change.returned, of_holds=False)
        case Redemption():
            return change.at, {change.wallet: change.points}
        case Cancellation():
            return change.of.at, {change.of.wallet: change.points} if change.points else {}


@dataclass(frozen=True, slots=True)
class Holding:
    """Points are held from now on; nothing else can take them."""

    id: str
    at: int
    day: int
    wallet: str
    points: int
    until: int


@dataclass(frozen=True, slots=True)
class Ending:
    """A hold ended: so many of its points were taken, the others go back to where they came from."""

    id: str
    at: int
    day: int  # of the hold's beginning, whose facts change
    taken: int = 0


Change = Purchase | Return | Spending | Grant | Telling | Activity | Redemption | Cancellation | Holding | Ending


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


def open_near(joined: int, told: Sequence[Told] = (), since: int = 0, referrer: int = 0) -> Near:
    """Return the state of an owner who has done nothing yet; `joined` is a day, 0 for no member."""
    return Near(joined, told=list(told), since=since, referrer=referrer)


_NOTHING: dict[str, str | int | bool] = {}


def member_on(near: Near, day: int) -> Member:
    """Return what is known of the member on a day; of who is no member nothing is."""
    if not near.told:
        return Member(near.joined, 0, _NOTHING, near.referrer > 0)
    last = near.told[0]
    for told in near.told:
        if told.from_day <= day:
            last = told
    return Member(near.joined, last.born, last.attributes, near.referrer > 0)


def with_told(near: Near, told: Told) -> Near:
    """Return the state with facts that hold from their day on, until those of a later day."""
    others = [one for one in near.told if one.from_day != told.from_day]
    if told.from_day and not any(one.from_day == 0 for one in others):
        others.append(Told(0))
    return msgspec.structs.replace(near, told=sorted([*others, told], key=lambda one: one.from_day))
