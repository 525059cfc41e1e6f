"""Two members who are one person: the facts of both, folded as one history.

The merge is one entry on each timeline. What was left of the other's lots and
debts leaves there and arrives here; what the history of one person gives more
or less than the two together is booked beside it. What does not live here:
which events are carried over, and who may be merged (`service.merging`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rewards.engine.program import Program
from rewards.engine.tiers import EVER, Ladder, Promise
from rewards.ledger.entries import Award, Entry, Posting, postings, sums_by_wallet
from rewards.ledger.lots import Purse
from rewards.ledger.purses import all_purses, copied
from rewards.ledger.refold import Receipts, judge, past_of
from rewards.ledger.state import Booking, DayRow, Near, Told, member_on
from rewards.ledger.timeline import passing, standings
from rewards.ledger.uses import Uses

K = TypeVar("K", int, str)
MOVED = "merged"  # the account through which points go from one timeline to the other


@dataclass(frozen=True, slots=True)
class Merge:
    """Another member turns out to be this one; `days` are all its rows before its last."""

    here: int  # this member, as an owner
    owner: int  # the other
    near: Near
    days: Mapping[int, DayRow]
    numbers: Mapping[int, int]  # of the other's events: their numbers here; what is left out counts no longer
    at: int
    day: int
    promises: tuple[Promise, ...] = ()


def merge(program: Program, near: Near, change: Merge, days: Mapping[int, DayRow], receipts: Receipts) -> Booking:
    """Take the other's facts over and fold everything anew; `receipts` are those of both.

    Two entries at most, as `timeline.book`: what time alone changed, and the merge, always.
    """
    clock = max(near.clock, change.near.clock, change.at)
    purses = copied(near.purses)
    entries = passing(program, near, purses, clock)
    after = _as_one(near, change, clock)
    rows = _rows(near, change, days)
    after.carry, awards = _fold(program, after, rows, receipts)
    after.purses = all_purses(program, rows, clock)
    came = copied(change.near.purses)
    passing(program, change.near, came, clock)
    after.last = rows.get(max(rows, default=0))
    written: dict[int, DayRow | None] = {day: rows.get(day) for day in {*days, *rows}}
    if after.last is not None:
        written[after.last.day] = None
    legs = _legs(purses, after.purses, came, sums_by_wallet(awards))
    entries.append(_entry(program, change.at, change.day, legs, awards))
    return Booking(after, {day: row for day, row in written.items() if row is not None or day in days}, entries)


def leave(program: Program, change: Merge, clock: int) -> Booking:
    """Book on the other's timeline that all it had went here, as of `clock`, the state's there; nothing is left."""
    near = change.near
    purses = copied(near.purses)
    entries = passing(program, near, purses, clock)
    legs: list[Posting] = []
    for key in sorted(purses):
        legs += postings(key, purses[key], Purse(), gross=-_net(purses[key]), contra=MOVED)
    entries.append(_entry(program, change.at, change.day, legs, []))
    return Booking(
        Near(near.joined, clock, merged=near.merged, merged_into=change.here), dict.fromkeys(change.days), entries
    )


Side = tuple[Near, Mapping[int, DayRow], Receipts]  # a member: the state, all rows before the last, all receipts


def lost(
    program: Program, booking: Booking, day: int, receipts: Receipts, sides: Sequence[Side]
) -> tuple[Promise, ...]:
    """Return the levels that either side holds on a day or the day after, and the booked merge does not, or less long.

    What is bought adds up, so that can come of a rule alone that gives one person less than two.
    """
    ladder = program.on(day).ladder
    if ladder is None:
        return ()
    rows = {known: row for known, row in booking.days.items() if row is not None}
    now = _levels(program, ladder, (booking.near, rows, receipts), day)
    return tuple(
        Promise(day + i - 1, ladder.names[was[0]], was[1])
        for side in sides
        for i, (was, has) in enumerate(zip(_levels(program, ladder, side, day), now, strict=True))
        if was[0] and was > has
    )


def _levels(program: Program, ladder: Ladder, side: Side, day: int) -> list[tuple[int, int]]:
    """Return the level of a day and of the day after, each with the last day on which it is held anyhow."""
    near, days, receipts = side
    start, end = standings(program, near, day, dict(days), receipts)
    return [
        (ladder.held(known, on).level, ladder.lasts_until(known, on) or EVER)
        for known, on in ((start, day), (end, day + 1))
    ]


def _entry(program: Program, at: int, day: int, legs: list[Posting], awards: list[Award]) -> Entry:
    version = program.on(day).policy.version
    return Entry(kind="merge", occurred_at=at, policy_version=version, postings=legs, awards=awards)


def _net(purse: Purse) -> int:
    return sum(lot[3] for lot in purse.open) - purse.debt


def _legs(
    before: Mapping[str, Purse], after: dict[str, Purse], came: Mapping[str, Purse], gained: Mapping[str, int]
) -> list[Posting]:
    """Book the difference: what arrived, what one history gives more or less, and what that has ended or spent."""
    legs: list[Posting] = []
    for key in sorted({*before, *after, *came}):
        more = gained.get(key, 0)
        legs += postings(
            key,
            before.get(key, Purse()),
            after.setdefault(key, Purse()),
            gross=_net(came[key]) if key in came else 0,
            contra=MOVED,
            spent=-more,
            to="issued" if more > 0 else "taken_back",
        )
    return legs


def _as_one(near: Near, change: Merge, clock: int) -> Near:
    """Return what is known of the one member, without days and purses."""
    other = change.near
    brought = _brought(near, change)
    return Near(
        min(near.joined, other.joined),
        clock,
        uses=_uses(near.uses, other.uses, change.numbers),
        told=_told(near.told, other.told),
        since=change.day,  # what comes by itself has come up to now to each, and does not come again
        booked={
            name: max(one.booked.get(name, 0) for one in (near, other)) for name in {**near.booked, **other.booked}
        },
        referrer=brought[0],
        holds=near.holds,  # the other has none that is open
        known_as=brought[1],
        merged=[*near.merged, change.owner, *other.merged],
    )


def _brought(near: Near, change: Merge) -> tuple[int, int]:
    """Return who brought the member, and under which number; nobody brings themselves."""
    gone = {change.here, change.owner, *near.merged, *change.near.merged}
    if near.referrer and near.referrer not in gone:
        return near.referrer, near.known_as
    if change.near.referrer and change.near.referrer not in gone:
        return change.near.referrer, change.near.known_as or change.owner
    return 0, 0


def _uses(mine: Uses, other: Uses, numbers: Mapping[int, int]) -> Uses:
    found = dict(mine)
    for offer, uses in other.items():
        moved = [[numbers[use[0]], *use[1:]] for use in uses]
        found[offer] = sorted([*found.get(offer, ()), *moved], key=lambda use: (use[1], use[0]))
    return found


def _told(mine: Sequence[Told], other: Sequence[Told]) -> list[Told]:
    """Return what is known from each day on: what this member told, completed by what the other did."""
    found = []
    for day in sorted({told.from_day for told in (*mine, *other)}):
        first, second = _told_on(mine, day), _told_on(other, day)
        found.append(Told(day, first.born or second.born, {**second.attributes, **first.attributes}))
    return found


def _told_on(told: Sequence[Told], day: int) -> Told:
    return next((one for one in reversed(told) if one.from_day <= day), Told(0))


def _rows(near: Near, change: Merge, days: Mapping[int, DayRow]) -> dict[int, DayRow]:
    """Return the days of both."""
    here, there = ({**known} for known in (days, change.days))
    for rows, last in ((here, near.last), (there, change.near.last)):
        if last is not None:
            rows[last.day] = last
    itself = {-one for one in (near.known_as, change.here, change.near.known_as, change.owner) if one}
    found = {day: _without(row, itself) for day, row in here.items()}
    for day, row in there.items():
        came = _without(_renumbered(row, change.numbers), itself)
        found[day] = _together(found[day], came) if day in found else came
    for promise in change.promises:
        row = found.setdefault(promise.day, DayRow(promise.day, []))
        row.promised = [*row.promised, promise]
    return found


def _without(row: DayRow, keys: set[int]) -> DayRow:
    """Return a copy of a row without the referrals by which one person would have brought itself."""
    row = row.copy()
    row.rows = {key: vector for key, vector in row.rows.items() if key not in keys}
    return row


def _renumbered(row: DayRow, numbers: Mapping[int, int]) -> DayRow:
    row = row.copy()
    row.rows = {numbers.get(key, key): vector for key, vector in row.rows.items() if key < 0 or key in numbers}
    row.paid = {numbers[key]: paid for key, paid in row.paid.items()}
    return row


def _together(mine: DayRow, other: DayRow) -> DayRow:
    """Return one day of two members; the points are what both were given, until the day is judged again."""
    return DayRow(
        mine.day,
        mine.carry,
        mine.rows | other.rows,
        _sums(mine.points, other.points),
        _sums(mine.granted, other.granted),
        sorted(mine.spent + other.spent),
        mine.paid | other.paid,
        _sums(mine.credited, other.credited),
        mine.holds | other.holds,
        mine.promised + other.promised,
    )


def _sums(mine: Mapping[K, int], other: Mapping[K, int]) -> dict[K, int]:
    return {key: mine.get(key, 0) + other.get(key, 0) for key in {**mine, **other}}


def _fold(
    program: Program, near: Near, rows: dict[int, DayRow], receipts: Receipts
) -> tuple[list[object], list[Award]]:
    """Judge every day anew, the first on; return the carry after the last, and what changed."""
    past = past_of(program, rows, None, receipts)
    carry: list[object] = []
    awards: list[Award] = []
    for day in sorted(rows):
        row = rows[day]
        row.carry = carry or program.start(day)
        carry, changed = judge(program, member_on(near, day), row, past)
        awards += changed
        if row.empty():
            del rows[day]
    return carry if rows else [], awards
