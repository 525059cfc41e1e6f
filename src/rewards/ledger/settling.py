"""What a return settles for ever: points given back whose lots have ended, or end too soon.

What does not live here: what money is kept for points that are gone (`service`),
and booking (`refold`).
"""

from __future__ import annotations

from rewards.days import moment
from rewards.engine.program import Program
from rewards.ledger.lots import Lot, fold
from rewards.ledger.purses import credit, ledger_facts
from rewards.ledger.state import Cancellation, DayRow, Near, Return, Settlement, taken_by


def settlements(
    program: Program, near: Near, change: Return | Cancellation, days: dict[int, DayRow]
) -> tuple[Settlement, ...]:
    """Return what has to last longer of the points that a return or a cancellation gives back, by wallet.

    `days` are all earlier rows of the owner. Points of lots of credits were given longer once, and are not again.
    """
    rows = dict(days)
    if near.last is not None:
        rows[near.last.day] = near.last
    row = rows.get(change.day)
    was = row.paid.get(change.key) if row is not None else None
    if row is None or was is None:
        return ()
    now = taken_by(change)[1]
    rows[change.day] = row.copy()
    rows[change.day].paid[change.key] = (was[0], now)
    clock = max(near.clock, change.at)
    ends = credit(program, moment(change.at, program.zone).toordinal(), 0).expires_at
    lots, before = ledger_facts(program, {**rows, change.day: row})
    after = ledger_facts(program, rows)[1]
    found = []
    for key, points in sorted(was[1].items()):
        back = points - now.get(key, 0)
        if back and ends > clock:
            moved, revived = _too_short(lots.get(key, []), before.get(key, []), after.get(key, []), clock, ends)
            revived = min(revived, back)
            moved = min(moved, back - revived)
            if moved or revived:
                found.append(Settlement(key, moved, revived))
    return tuple(found)


def _too_short(
    lots: list[Lot], before: list[tuple[int, int]], after: list[tuple[int, int]], clock: int, ends: int
) -> tuple[int, int]:
    """Return the points gained by lots that end before `ends`, and by lots that have ended."""
    ended_before: dict[int, int] = {}
    ended_after: dict[int, int] = {}
    held = {lot[0]: lot[3] for lot in fold(lots, before, clock, ended=ended_before).open}
    moved = [
        lot[3] - held.get(lot[0], 0)
        for lot in fold(lots, after, clock, ended=ended_after).open
        if lot[0] > 0 and lot[2] < ends
    ]
    revived = [left - ended_before.get(day, 0) for day, left in ended_after.items() if day > 0]
    return sum(gain for gain in moved if gain > 0), sum(gain for gain in revived if gain > 0)
