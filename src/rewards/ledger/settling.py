"""What a return settles for ever: points given back whose lots have ended, or end too soon.

What does not live here: what money is kept for points that are gone (`service`),
and booking (`refold`).
"""

from __future__ import annotations

from rewards.days import moment
from rewards.engine.program import Program
from rewards.ledger.holds import Moved, moved
from rewards.ledger.lots import Lot, fold
from rewards.ledger.purses import credit, ledger_facts
from rewards.ledger.state import Cancellation, DayRow, Near, Return, Settlement


def settlements(
    program: Program, near: Near, change: Return | Cancellation, days: dict[int, DayRow]
) -> tuple[Settlement, ...]:
    """Return what has to last longer of the points that a return or a cancellation gives back, by wallet.

    `days` are all earlier rows of the owner. Points of lots of credits were given longer once, and are not again.
    """
    rows = dict(days)
    if near.last is not None:
        rows[near.last.day] = near.last
    paid = moved(rows, change) if change.day in rows else Moved()
    clock = max(near.clock, change.at)
    ends = credit(program, moment(change.at, program.zone).toordinal(), 0).expires_at
    lots, before = ledger_facts(program, rows, clock)
    after = ledger_facts(program, {**rows, **paid.rows}, clock)[1]
    found = []
    for key, points in sorted(paid.taken.items()):
        if points < 0 and ends > clock:
            short, revived = _too_short(lots.get(key, []), before.get(key, []), after.get(key, []), clock, ends)
            revived = min(revived, -points)
            short = min(short, -points - revived)
            if short or revived:
                found.append(Settlement(key, short, revived))
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
