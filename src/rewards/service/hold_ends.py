"""How a hold ended, and ending it: once, by whoever comes first, also by itself.

A hold that has run out is ended by the next command that touches its member or
card, dated by its own end; a read does the same without writing it. What does
not live here: asking for it (`holds`), and purchases (`hold_tenders`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rewards.errors import Conflict, NotFound
from rewards.ledger.card_money import Lots, total
from rewards.ledger.gift_cards import Activity, hold_of, read_activity
from rewards.ledger.timeline import Ending
from rewards.service import gift_cards, known_cards
from rewards.service.balances import day_of
from rewards.service.batch import Batch, Place
from rewards.service.journal import Happened, HoldBody, HoldEndBody, Timeline, read_hold, read_hold_end

HOLD = "hold"  # the kind of a tender that captures one
_STATES = {"CAPTURE": "captured", "RELEASE": "voided", "LAPSE": "expired"}


@dataclass(frozen=True, slots=True)
class Found:
    """A hold as it began."""

    id: str
    line: Timeline  # the member's, or the card's
    number: int  # of the event that began it
    at: int
    until: int
    kind: str  # points, reward, gift_card, code
    body: HoldBody | None  # of a member's points
    parts: Lots = ()  # of a card's money

    @property
    def points(self) -> int:
        """The points that are held."""
        return self.body.points if self.body is not None else 0

    @property
    def minor(self) -> int:
        """The money that is held, in minor units."""
        return total(self.parts)

    @property
    def held(self) -> int:
        """The points, or the money."""
        return self.points or self.minor


Holds = Mapping[int, Found]  # that a purchase brings, by tender
NONE: Holds = {}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a hold ended: points or minor units that were taken, by which purchase if by one."""

    number: int
    state: str  # captured, voided, expired
    taken: int
    purchase: Place | None


def found(batch: Batch, name: str, pointer: str) -> Found:
    """Return a hold, ended by itself if it has run out; raise `NotFound` `unknown-hold`."""
    route = batch.receipts.get("", name, "hold")
    if route is None or route[0] is None or route[1] is None:
        raise NotFound("unknown-hold", f"there is no hold `{name}`", pointer=pointer)
    line = batch.line(route[0])
    assert line is not None
    row = batch.event(route[0], route[1])
    if line.card is not None:
        known_cards.lapse(batch, line)
        activity = read_activity(row[9])
        kind = "code" if line.card.kind == "voucher" else "gift_card"
        return Found(name, line, route[1], activity.at, activity.until, kind, None, activity.parts)
    lapse(batch, line)
    body = read_hold(row[9])
    return Found(name, line, route[1], row[3], body.until, body.kind, body)


def ended(batch: Batch, hold: Found) -> Ended | None:
    """Return how a hold ended, None while it is open."""
    line = hold.line
    if line.card is None:
        known = batch.by_id.get(line.owner, "hold", "", _name(hold.id))
        if known is None:
            return None
        body = read_hold_end(batch.event(line.owner, known[0])[9])
        return Ended(known[0], body.state, body.taken, body.purchase if any(body.purchase) else None)
    known = batch.by_id.get(line.owner, "card", "", gift_cards.event_name("END", hold.id))
    if known is None:
        return None
    activity = read_activity(batch.event(line.owner, known[0])[9])
    return Ended(known[0], _STATES[activity.kind], total(activity.parts), activity.of)


def check_open(batch: Batch, hold: Found, pointer: str) -> None:
    """Raise `Conflict` `hold-already-captured`, `hold-already-voided` or `hold-expired` unless a hold is open."""
    end = ended(batch, hold)
    if end is not None:
        raise refused(hold, end, pointer)


def refused(hold: Found, end: Ended, pointer: str) -> Conflict:
    """Return the refusal of what can't be done with a hold that has ended."""
    facts: dict[str, Any] = {"state": end.state, "hold_id": hold.id}
    if end.state == "captured" and hold.held:
        facts["captured_minor" if hold.minor else "captured"] = end.taken
    code = "hold-expired" if end.state == "expired" else f"hold-already-{end.state}"
    return Conflict(code, f"the hold `{hold.id}` was {end.state}", pointer=pointer, **facts)


def too_small(hold: Found, wanted: int, pointer: str) -> Conflict:
    """Return the refusal to take more out of a hold than it holds."""
    held, more = ("held_minor", "wanted_minor") if hold.minor else ("held", "wanted")
    message = f"{hold.held} are held by `{hold.id}`, not {wanted}"
    return Conflict("hold-too-small", message, pointer=pointer, **{held: hold.held, more: wanted})


def end(
    batch: Batch,
    hold: Found,
    state: str,
    print_: bytes,
    *,
    taken: int = 0,
    purchase: Place | None = None,
    pointer: str = "",
) -> int:
    """Record how a hold of points or of a card ended, now; return the event's number.

    Of a purchase by points only the end is recorded: its own event took the points. Raises `Conflict`
    `balance-too-low` for more money than is held.
    """
    line, now = hold.line, batch.now
    if line.card is None:
        day = day_of(hold.at, batch.running.zone)
        return _end_points(batch, line, HoldEndBody(hold.id, state, day, taken, purchase or (0, 0)), now, print_)
    kind = {"captured": "CAPTURE", "voided": "RELEASE"}[state]
    activity = Activity(
        kind, of=purchase, at=max(now, line.card.clock), hold=hold.id, parts=_parts(hold, taken, pointer)
    )
    return gift_cards.happen(batch, now, line, activity, print_, at=now, ends=hold.id)


def _parts(hold: Found, taken: int, pointer: str) -> Lots:
    parts, left = [], taken
    open_ = hold_of(gift_cards.card_of(hold.line), hold.id)
    assert open_ is not None
    for ends, there in open_.parts:
        if part := min(there, left):
            parts.append((ends, part))
            left -= part
    if left:
        raise too_small(hold, taken, pointer)
    return tuple(parts)


def lapse(batch: Batch, line: Timeline) -> None:
    """End the holds of a member that have run out by now, in their order."""
    if not line.near.holds:
        return
    over = sorted((hold.until, name, hold.at) for name, hold in line.near.holds.items() if hold.until <= batch.now)
    for until, name, at in over:
        body = HoldEndBody(name, "expired", day_of(at, batch.running.zone))
        print_ = batch.running.print_of(name)
        _end_points(batch, line, body, until, print_)


def _end_points(batch: Batch, line: Timeline, body: HoldEndBody, at: int, print_: bytes) -> int:
    booking = None if any(body.purchase) else batch.book(line, Ending(body.id, at, body.day, body.taken))
    happened = Happened(
        kind="hold", external_id=_name(body.id), occurred_at=at, recorded_at=batch.now, fingerprint=print_, body=body
    )
    number = batch.record(line, happened, booking)
    batch.by_id.put((line.owner, "hold", "", happened.external_id), (number, print_))
    return number


def _name(hold: str) -> str:
    return f"\x1f{hold}"  # callers' names hold no control characters
