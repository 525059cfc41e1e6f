"""Holds of points: what a change makes of those of an owner, and which days' facts change with it.

A hold is a spending of the instant at which it began. While it is open it takes
all its points; once it has ended, those that were taken, out of the lots that
they were in when it began: a lot that ended meanwhile is honoured for what was
taken, and gone for the rest. No clock ends a hold here, an event does, so that
states depend on events alone. What does not live here: when one ends by itself (`service`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from rewards.ledger.state import Change, DayRow, Ending, Held, Holding, Paying, Purchase, Return, taken_by
from rewards.receipt import held_left

Posted = dict[str, list[tuple[int, int]]]  # by wallet: the hold's day, and the points that went to it


@dataclass(slots=True)
class Moved:
    """The rows of days that change, the points that are taken (below zero: given back), and what holds gain."""

    rows: dict[int, DayRow] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)  # by wallet
    held: Posted = field(default_factory=dict)

    def take(self, wallet: str, points: int) -> None:
        """Add points that a wallet gives."""
        if points:
            self.taken[wallet] = self.taken.get(wallet, 0) + points

    def post(self, wallet: str, day: int, points: int) -> None:
        """Add points that a hold of a day gains."""
        self.held.setdefault(wallet, []).append((day, points))


def held_after(holds: dict[str, Held], change: Change) -> dict[str, Held]:
    """Return the open holds once a change is booked; what was given stays as it was."""
    if isinstance(change, Holding):
        return {**holds, change.id: Held(change.at, change.wallet, change.points, change.until)}
    if not holds:
        return holds
    if isinstance(change, Ending):
        return {name: hold for name, hold in holds.items() if name != change.id}
    if isinstance(change, Purchase) and (captured := held_left(change.receipt, {})):
        return {name: hold for name, hold in holds.items() if name not in captured}
    return holds


def moved(rows: dict[int, DayRow], change: Paying | Ending) -> Moved:
    """Return what a change takes of points that pay, with the rows as they are then; those given stay as they were."""
    work = Moved()
    if isinstance(change, Ending):
        _end(rows, work, change.id, change.at, change.taken)
        return work
    at, now = taken_by(change)
    was = rows[change.day].paid.get(change.key, (0, {}))[1] if change.day in rows else {}
    if now != was:
        row = work.rows[change.day] = rows[change.day].copy()
        if now:
            row.paid[change.key] = (at, now)
        else:
            del row.paid[change.key]
        for key in {*now, *was}:
            work.take(key, now.get(key, 0) - was.get(key, 0))
    if isinstance(change, Purchase | Return):
        returned = change.returned if isinstance(change, Return) else {}
        for name, points in held_left(change.receipt, returned).items():
            _end(rows, work, name, change.receipt.occurred_at, points)
    return work


def _end(rows: dict[int, DayRow], work: Moved, name: str, at: int, taken: int) -> None:
    """End a hold, or say anew what is taken of one that has ended."""
    day = next(day for day, row in rows.items() if name in row.holds)
    row = work.rows.setdefault(day, rows[day].copy())
    hold = row.holds[name]
    row.holds[name] = replace(hold, ended_at=hold.ended_at or max(at, hold.at), taken=taken)
    work.take(hold.wallet, taken - hold.taken)
    if not hold.ended_at:
        work.post(hold.wallet, day, -hold.points)
