"""The rows of a timeline: events, entries, their chain of hashes, and how they are read again.

What does not live here: what is booked (`ledger`), how rows are written (`rows`), and who asked (`batch`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec

from rewards.engine.tiers import Promise
from rewards.ledger.budgets import Use
from rewards.ledger.entries import Award, Entry
from rewards.ledger.gift_cards import Activity, Card, after, decode_card, encode_card, entries_of
from rewards.ledger.timeline import Booking, DayRow, Near, Settlement, Told, decode_day, decode_near, encode, open_near
from rewards.receipt import Receipt, Returned

Row = tuple[Any, ...]
_pack = msgspec.msgpack.Encoder(order="deterministic").encode
_receipt = msgspec.msgpack.Decoder(Receipt)
_awards = msgspec.msgpack.Decoder(list[Award])


class ReturnBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of a return's event: units by line, as they came back this time."""

    lines: Returned
    settled: tuple[Settlement, ...] = ()


class AdjustmentBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of an adjustment's event; above zero was given, below was taken."""

    wallet: str
    points: int
    approved_by: str | None = None  # empty: the actor alone; None: recorded when that was not asked


class ActivityBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of an activity's event; of a referral, which friend it is, and whether it counts no longer."""

    name: str
    score: int | None = None
    friend: int = 0
    gone: bool = False


class RedemptionBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of a redemption's event: what points bought, and how many they were in all."""

    reward: str
    times: int
    wallet: str
    points: int
    automatic: bool = False


class CancellationBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of a cancellation's event: the points that the redemption takes all the same."""

    points: int
    settled: tuple[Settlement, ...] = ()
    of_return: int = 0  # the event of the return that brought it about; 0 for none


class EnrolmentBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of an enrolment's event; what is personal stands in the profile."""

    joined_day: int
    born: int = 0  # month * 100 + day
    attributes: dict[str, str | int | bool] = {}
    referrer: int = 0  # owner; 0: nobody


class ChangeBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of a change's event; None where only the profile or contacts changed, and no state if it stayed."""

    told: Told | None = None
    state: str = ""


class ClaimBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of a change of a guest's timeline: where its purchase went, as owner and number; 0 for a wrong code."""

    owner: int = 0
    number: int = 0


class HoldBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of the event that began a hold of a member's points."""

    id: str
    kind: str  # points, reward
    wallet: str
    points: int
    until: int
    amount_minor: int = 0  # that was asked for
    reward: str = ""
    times: int = 0


class HoldEndBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of the event that ended a hold of a member's points."""

    id: str
    state: str  # captured, voided, expired
    day: int  # of its beginning
    taken: int = 0
    purchase: tuple[int, int] = (0, 0)  # owner and number; its own event took the points


class MergeBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of a merge's event: the other member, and which of its events follow here, in their order."""

    owner: int
    numbers: tuple[int, ...] = ()
    promises: tuple[Promise, ...] = ()


class MergedBody(msgspec.Struct, frozen=True, array_like=True):
    """The body of the event that ends a merged member's timeline: where the merge was recorded, as of which instant."""

    owner: int
    number: int
    clock: int


class NoteBody(msgspec.Struct, frozen=True, array_like=True):
    """Free text about an event, which erasure deletes."""

    reason: str = ""
    metadata: dict[str, str] = {}


_return = msgspec.msgpack.Decoder(ReturnBody)
_adjustment = msgspec.msgpack.Decoder(AdjustmentBody)
_activity = msgspec.msgpack.Decoder(ActivityBody)
_redemption = msgspec.msgpack.Decoder(RedemptionBody)
_cancellation = msgspec.msgpack.Decoder(CancellationBody)
_enrolment = msgspec.msgpack.Decoder(EnrolmentBody)
_change = msgspec.msgpack.Decoder(ChangeBody)
_claim = msgspec.msgpack.Decoder(ClaimBody)
_hold = msgspec.msgpack.Decoder(HoldBody)
_hold_end = msgspec.msgpack.Decoder(HoldEndBody)
_merge = msgspec.msgpack.Decoder(MergeBody)
_merged = msgspec.msgpack.Decoder(MergedBody)
_use = msgspec.msgpack.Decoder(Use)
_note = msgspec.msgpack.Decoder(NoteBody)


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An event to record."""

    kind: str
    external_id: str
    of_number: int | None = None
    occurred_at: int
    recorded_at: int
    store_id: str = ""
    till_id: str = ""
    operator_id: str = ""
    fingerprint: bytes
    body: (
        Receipt
        | ReturnBody
        | AdjustmentBody
        | ActivityBody
        | RedemptionBody
        | CancellationBody
        | EnrolmentBody
        | ChangeBody
        | ClaimBody
        | HoldBody
        | HoldEndBody
        | MergeBody
        | MergedBody
        | Use
        | Activity
        | msgspec.Raw
    )


def read_receipt(body: bytes) -> Receipt:
    """Return the receipt that a purchase's event holds."""
    return _receipt.decode(body)


def read_return(body: bytes) -> Returned:
    """Return the units that a return's event holds."""
    return _return.decode(body).lines


def read_settled(body: bytes) -> tuple[Settlement, ...]:
    """Return what was settled with the return that an event holds."""
    return _return.decode(body).settled


def read_adjustment(body: bytes) -> AdjustmentBody:
    """Return what an adjustment's event holds."""
    return _adjustment.decode(body)


def read_activity(body: bytes) -> ActivityBody:
    """Return what an activity's event holds."""
    return _activity.decode(body)


def read_redemption(body: bytes) -> RedemptionBody:
    """Return what a redemption's event holds."""
    return _redemption.decode(body)


def read_cancellation(body: bytes) -> CancellationBody:
    """Return what a cancellation's event holds."""
    return _cancellation.decode(body)


def read_enrolment(body: bytes) -> EnrolmentBody:
    """Return what an enrolment's event holds."""
    return _enrolment.decode(body)


def read_change(body: bytes) -> Told | None:
    """Return the facts that a change's event holds."""
    return _change.decode(body).told


def read_state(body: bytes) -> str:
    """Return the state into which a change's event put a member, or an empty text."""
    return _change.decode(body).state


def read_claim(body: bytes) -> ClaimBody:
    """Return what a change of a guest's timeline holds."""
    return _claim.decode(body)


def read_hold(body: bytes) -> HoldBody:
    """Return what the event that began a hold of points holds."""
    return _hold.decode(body)


def read_hold_end(body: bytes) -> HoldEndBody:
    """Return what the event that ended a hold of points holds."""
    return _hold_end.decode(body)


def read_merge(body: bytes) -> MergeBody:
    """Return what a merge's event holds."""
    return _merge.decode(body)


def read_merged(body: bytes) -> MergedBody:
    """Return where a merged member went."""
    return _merged.decode(body)


def read_use(body: bytes) -> Use:
    """Return what an event of a budget's timeline drew, or gave back."""
    return _use.decode(body)


def read_awards(blob: bytes) -> list[Award]:
    """Return the reasons that an entry holds."""
    return _awards.decode(blob)


def read_note(body: bytes) -> NoteBody:
    """Return an event's free text."""
    return _note.decode(body)


def recorded_first(owner: int, number: int, receipt: Receipt) -> tuple[int, int]:
    """Return where a purchase was recorded first, which its id names: before it was claimed, or its member merged."""
    return (receipt.first_owner, receipt.first_number) if receipt.first_owner else (owner, number)


def pack(value: object) -> bytes:
    """Return the canonical bytes of a value."""
    return _pack(value)


def total(returned: Sequence[Returned]) -> Returned:
    """Return the units that came back in several returns together."""
    if len(returned) == 1:
        return returned[0]
    units: Returned = {}
    for some in returned:
        for line, quantity in some.items():
            units[line] = units.get(line, 0) + quantity
    return units


def entry_hash(row: Row, postings: Sequence[Row]) -> bytes:
    """Return the hash of an entry's row (its own hash left out, the one before it in) and its postings' rows."""
    return sha256(_pack((row, postings))).digest()


@dataclass(slots=True)
class Timeline:
    """An owner's timeline while a batch works on it."""

    owner: int
    kind: str
    state: str
    joined_day: int | None
    events: int
    entries: int
    head: bytes
    near: Near
    card: Card | None = None  # of a gift card, whose `near` stays empty
    new: bool = False  # its owner is not stored yet
    touched: bool = False
    days: dict[int, DayRow] | None = None  # all earlier days, once loaded
    stored_days: set[int] = field(default_factory=set)
    day_writes: dict[int, DayRow | None] = field(default_factory=dict)

    @classmethod
    def read(cls, row: Row) -> Timeline:
        """Make a timeline of what `statements.TIMELINES` gives."""
        owner, kind, state, joined_day, events, entries, head, near = row
        if kind == "card":
            return cls(owner, kind, state, joined_day, events, entries, head, open_near(0), decode_card(near))
        return cls(owner, kind, state, joined_day, events, entries, head, decode_near(near))

    def load_days(self, rows: Sequence[Row]) -> None:
        """Take the stored days (owner, day, state), with what this batch changed since."""
        self.days = {day: decode_day(state) for _, day, state in rows}
        self.stored_days = set(self.days)
        self._lay(self.day_writes)

    def _lay(self, writes: dict[int, DayRow | None]) -> None:
        assert self.days is not None
        for day, row in writes.items():
            if row is None:
                self.days.pop(day, None)
            else:
                self.days[day] = row

    def take(self, booking: Booking) -> None:
        """Go on from a booking's state."""
        self.near = booking.near
        self.touched = True
        if booking.days:
            self.day_writes.update(booking.days)
            if self.days is not None:
                self._lay(booking.days)

    def act(self, activity: Activity) -> list[Entry]:
        """Go on from what happened to a gift card; return what it booked."""
        before, self.card = self.card, after(self.card, activity)
        self.touched = True
        return entries_of(before, self.card, activity)


def near_row(line: Timeline) -> tuple[int, int, bytes, bytes]:
    """Return counts, hash and state as `statements.SAVE_NEAR` takes them before the owner."""
    state = encode(line.near) if line.card is None else encode_card(line.card)
    return line.events, line.entries, line.head, state
