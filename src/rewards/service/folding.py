"""An owner's events folded anew: the state that they give, in the order in which they were recorded.

What does not live here: comparing it with what is stored, and replacing that (`audit`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from rewards.engine.program import Program
from rewards.ledger.budgets import drawn_after
from rewards.ledger.merging import Merge, leave, merge
from rewards.ledger.timeline import (
    Activity,
    Booking,
    Cancellation,
    Change,
    DayRow,
    Ending,
    Grant,
    Holding,
    Near,
    Purchase,
    Return,
    Spending,
    Telling,
    Told,
    book,
    needs,
    open_near,
)
from rewards.receipt import Receipt, Returned
from rewards.service.balances import day_of
from rewards.service.batch import Batch
from rewards.service.journal import (
    Row,
    Timeline,
    read_activity,
    read_adjustment,
    read_cancellation,
    read_change,
    read_enrolment,
    read_hold,
    read_hold_end,
    read_merge,
    read_merged,
    read_receipt,
    read_return,
    read_settled,
    read_use,
    total,
)
from rewards.service.places import ENDED
from rewards.service.redeeming import redemption_of
from rewards.service.running import Running


@dataclass(slots=True)
class Whole:
    """All rows of one owner."""

    line: Timeline
    events: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    postings: list[Row] = field(default_factory=list)
    days: dict[int, DayRow] = field(default_factory=dict)


def folded(batch: Batch, whole: Whole) -> tuple[Near, dict[int, DayRow]]:
    """Return the state that an owner's events give, in the order in which they were recorded."""
    running, line = batch.running, whole.line
    if line.kind == "budget":
        near = open_near(0)
        for row in whole.events:
            near.drawn = drawn_after(near.drawn, read_use(row[11]), back=row[2] == "return")
        return near, {}
    if running.program is None or line.kind != "member":
        return open_near(line.joined_day or 0), {}
    folded = _of_member(batch, whole)
    return folded.near, folded.days


def _of_member(batch: Batch, whole: Whole) -> _Member:
    folded = _Member(whole, batch.running, batch.running.ready(), _opened(batch.running, whole))
    for row in whole.events:
        if row[2] == "merge":
            folded.take(_merged(batch, folded, row))
        else:
            folded.fold(row)
    return folded


def _merged(batch: Batch, folded: _Member, row: Row) -> Booking:
    """Return what a merge booked: on the member's timeline, or on that of the other, which ends with it."""
    owner, number, at = row[0], row[1], row[5]
    program, day = folded.program, day_of(at, batch.running.zone)
    if row[3] == ENDED:
        into = read_merged(row[11])
        change = Merge(into.owner, owner, folded.near, folded.days, {}, at, day)
        return leave(program, change, into.clock)
    body = read_merge(row[11])
    line = batch.line(body.owner)
    assert line is not None
    other = Whole(line, batch.events_of(line)[:-1])
    there = _of_member(batch, other)
    numbers = {one: number + i for i, one in enumerate(body.numbers, 1)}
    change = Merge(owner, body.owner, there.near, there.days, numbers, at, day, body.promises)
    folded.copied = number + len(numbers)
    return merge(program, folded.near, change, folded.days, [*folded.history(), *there.history()])


@dataclass(slots=True)
class _Member:
    """A member's state while its events are folded anew."""

    whole: Whole
    running: Running
    program: Program
    near: Near
    days: dict[int, DayRow] = field(default_factory=dict)
    receipts: dict[int, Receipt] = field(default_factory=dict)
    back: dict[int, Returned] = field(default_factory=dict)
    copied: int = 0  # the number up to which events came by a merge, and are in the state already

    def history(self) -> list[tuple[Receipt, Returned]]:
        """Return the receipts so far, with what came back of them."""
        return [(receipt, self.back.get(number, {})) for number, receipt in self.receipts.items()]

    def fold(self, row: Row) -> None:
        """Go on by an event."""
        history = self.history()
        if row[1] <= self.copied and row[2] not in {"purchase", "return"}:
            return
        change = _change(self.running, self.whole, row, self.receipts, self.back)
        if change is None or row[1] <= self.copied:
            return
        need = needs(self.program, self.near, change)
        days, known = self.days if need else None, history if need == "receipts" else ()
        self.take(book(self.program, self.near, change, days, known))

    def take(self, booking: Booking) -> None:
        """Go on from a booking."""
        self.near = booking.near
        for day, state in booking.days.items():
            if state is None:
                self.days.pop(day, None)
            else:
                self.days[day] = state


def _opened(running: Running, whole: Whole) -> Near:
    """Return the state of a member who was just enrolled."""
    joined = whole.line.joined_day or 0
    if not whole.events:
        return open_near(joined)
    row = whole.events[0]
    first = read_enrolment(row[11])
    told = [Told(0, first.born, first.attributes)] if first.born or first.attributes else []
    return open_near(joined, told, day_of(row[5], running.zone), first.referrer)


def _change(
    running: Running, whole: Whole, row: Row, receipts: dict[int, Receipt], back: dict[int, Returned]
) -> Change | None:
    """Return what an event changes, and remember it for the events after it."""
    number, kind, of, at, body = row[1], row[2], row[4], row[5], row[11]
    if kind == "purchase":
        receipts[number] = read_receipt(body)
        return Purchase(number, receipts[number])
    if kind == "return" and of is not None:
        back[of] = total([back.get(of, {}), read_return(body)])
        return Return(of, receipts[of], back[of], at).settling(read_settled(body), day_of(at, running.zone))
    if kind == "activity":
        done = read_activity(body)
        return Activity(-done.friend or number, done.name, at, day_of(at, running.zone), done.gone)
    if kind == "adjustment":
        given: Any = read_adjustment(body)
        day = day_of(at, running.zone)
        if given.points < 0:
            return Spending(at, day, given.wallet, -given.points, "adjusted")
        return Grant(at, day, given.wallet, given.points)
    if kind in {"redemption", "cancellation", "hold"}:
        return _held(running, row) if kind == "hold" else _bought(running, whole, row)
    if kind == "change" and (told := read_change(body)) is not None:
        return Telling(at, told)
    return None


def _bought(running: Running, whole: Whole, row: Row) -> Change:
    """Return what a redemption or its cancellation changes."""
    if row[2] == "redemption":
        return redemption_of(row, running)
    gone, at = read_cancellation(row[11]), row[5]
    of = redemption_of(whole.events[row[4] - 1], running)
    return Cancellation(of, gone.points, at).settling(gone.settled, day_of(at, running.zone))


def _held(running: Running, row: Row) -> Change | None:
    """Return what a hold's event changes: nothing where a purchase captured it, whose own event took the points."""
    if not row[3].startswith("\x1f"):
        hold = read_hold(row[11])
        return Holding(hold.id, row[5], day_of(row[5], running.zone), hold.wallet, hold.points, hold.until)
    end = read_hold_end(row[11])
    return None if any(end.purchase) else Ending(end.id, row[5], end.day, end.taken)
