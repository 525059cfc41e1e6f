"""Fold an owner's days again from the touched one on, and lay all spendings over all lots anew.

A day is judged by `judge`, in order or again. Folding stops at the first day
whose carry comes out as it was. What does not live here: the quick way for a
purchase in order (`timeline`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from rewards.days import periods
from rewards.engine.explain import facts
from rewards.engine.member import Member
from rewards.engine.program import Past, PastDay, Program
from rewards.engine.step import Compiled
from rewards.ledger.entries import Award, Posting, postings, sums_by_wallet
from rewards.ledger.holds import Posted, moved
from rewards.ledger.lots import Purse
from rewards.ledger.purses import all_purses
from rewards.ledger.state import (
    Activity,
    Booking,
    Cancellation,
    Change,
    DayRow,
    Ending,
    Grant,
    Held,
    Holding,
    Near,
    Purchase,
    Redemption,
    Return,
    Spending,
    Telling,
    member_on,
    taken_by,
)
from rewards.receipt import Receipt, Returned, all_back

Receipts = Sequence[tuple[Receipt, Returned]]
CONTRA = {
    Purchase: "issued",
    Return: "taken_back",
    Spending: "issued",
    Grant: "adjusted",
    Telling: "issued",
    Activity: "issued",
    Redemption: "issued",
    Cancellation: "issued",
    Holding: "issued",
    Ending: "issued",
}


def judge(program: Program, member: Member, row: DayRow, past: Past) -> tuple[list[Any], list[Award]]:
    """Step over a row; set its points and return the carry after it with what changed for each rule."""
    day, was = row.day, row.points
    version, carry = program.ready(row.carry, day, past)
    if not row.rows:
        after = program.promised(carry, day, row.promised) if row.promised else row.carry
        vector = [0] * len(version.plan.columns)
        points: list[int] = []
    else:
        vectors = list(row.rows.values())
        numbers = periods(day)
        after, points = version.step(carry, numbers, day, vectors, member)
        vector = vectors[0] if len(vectors) == 1 else [sum(column) for column in zip(*vectors, strict=True)]
        if row.promised:
            after = program.promised(after, day, row.promised)
        if not was:
            row.points, awards = version.tell(carry, numbers, day, vector, points, Award)
            return after, awards
    row.points = now = {index: given for index, given in enumerate(points) if given}
    rules, wallets = version.rule_ids, version.wallets
    changed = [(index, now.get(index, 0), was.get(index, 0)) for index in sorted({*now, *was})]
    return after, [
        Award(rules[index], wallets[index], day, given - old, facts(version, index, carry, vector, day, old))
        for index, given, old in changed
        if given != old
    ]


@dataclass(slots=True)
class _Fold:
    """Rows by day while they are folded again, and which of them changed."""

    rows: dict[int, DayRow]
    changed: set[int] = field(default_factory=set)
    awards: list[Award] = field(default_factory=list)


def fold_anew(
    program: Program,
    near: Near,
    change: Change,
    purses: dict[str, Purse],
    days: dict[int, DayRow],
    receipts: Receipts,
    clock: int,
) -> tuple[Booking, list[Posting], list[Award]]:
    """Apply a change, fold again from its day, and lay the spendings anew up to `clock`.

    `purses` are what was booked so far, brought to `clock`; the legs are the difference.
    """
    rows = dict(days)
    if near.last is not None:
        rows[near.last.day] = near.last
    work = _Fold(rows)
    purses, legs = _pay(program, near, change, work, purses, clock)
    spent = _apply(program, near, change, work)
    carry = near.carry
    if isinstance(change, Purchase | Return | Telling | Activity):
        carry = _refold(program, near, change, work, receipts)
    after = all_purses(program, work.rows, clock)
    gained = sums_by_wallet(work.awards)
    if isinstance(change, Grant):
        gained[change.wallet] = change.points
    for key in sorted({*purses, *after}):
        legs += postings(
            key,
            purses.get(key, Purse()),
            after.setdefault(key, Purse()),
            gross=gained.get(key, 0),
            contra="taken_back" if isinstance(change, Activity) and change.gone else CONTRA[type(change)],
            spent=spent if isinstance(change, Spending) and key == change.wallet else 0,
            to=change.to if isinstance(change, Spending) else "spent",
        )
    if isinstance(change, Return | Cancellation) and change.settled:
        after, more = _credit(program, change, work, carry, after, clock)
        legs += more
    return _settle(near, work, carry, after, days), legs, work.awards


def _row(program: Program, near: Near, work: _Fold, day: int) -> DayRow:
    """Return the row of a day to be changed."""
    row = work.rows[day].copy() if day in work.rows else DayRow(day, carry_before(program, near, work.rows, day))
    work.rows[day] = row
    work.changed.add(day)
    return row


def _pay(
    program: Program, near: Near, change: Change, work: _Fold, purses: dict[str, Purse], clock: int
) -> tuple[dict[str, Purse], list[Posting]]:
    """Hold points, end a hold, take the points that pay, or give back those of what came back.

    The rest of the change follows.
    """
    if isinstance(change, Holding):
        row = _row(program, near, work, change.day)
        row.holds[change.id] = Held(change.at, change.wallet, change.points, change.until)
        held = {change.wallet: [(change.day, change.points)]}
        return _differences(program, work, purses, clock, {}, {}, "spent", held)
    if not isinstance(change, Purchase | Return | Redemption | Cancellation | Ending):
        return purses, []
    if isinstance(change, Purchase | Redemption) and taken_by(change)[1]:
        _row(program, near, work, change.day)
    paid = moved(work.rows, change)
    if not paid.rows:
        return purses, []
    work.rows.update(paid.rows)
    work.changed.update(paid.rows)
    to = "restored" if isinstance(change, Return | Cancellation) else "spent"
    return _differences(program, work, purses, clock, {}, paid.taken, to, paid.held)


def _credit(
    program: Program, change: Return | Cancellation, work: _Fold, carry: list[Any], purses: dict[str, Purse], clock: int
) -> tuple[dict[str, Purse], list[Posting]]:
    """Book what was settled with a return or a cancellation."""
    day = change.settled_day
    row = _row(program, Near(0, carry=carry), work, day)
    given: dict[str, int] = {}
    taken: dict[str, int] = {}
    for one in change.settled:
        given[one.wallet] = one.moved + one.revived + one.deducted
        row.credited[one.wallet] = row.credited.get(one.wallet, 0) + given[one.wallet]
        if one.moved:
            taken[one.wallet] = one.moved
            row.spent.append((change.at, one.wallet, one.moved))
    return _differences(program, work, purses, clock, given, taken, "settled")


def _differences(
    program: Program,
    work: _Fold,
    before: dict[str, Purse],
    clock: int,
    given: dict[str, int],
    taken: dict[str, int],
    to: str,
    held: Posted | None = None,
) -> tuple[dict[str, Purse], list[Posting]]:
    """Return the purses as the rows now give them, and the legs that lead there."""
    after, legs = all_purses(program, work.rows, clock), []
    for key in sorted({*before, *after}):
        legs += postings(
            key,
            before.get(key, Purse()),
            after.setdefault(key, Purse()),
            gross=given.get(key, 0),
            contra="settled",
            spent=taken.get(key, 0),
            to=to,
            held=(held or {}).get(key, ()),
        )
    return after, legs


def _apply(program: Program, near: Near, change: Change, work: _Fold) -> int:
    """Change the facts of the day; return the points that were spent by it."""
    if isinstance(change, Telling | Redemption | Holding | Ending):
        return 0
    row = _row(program, near, work, change.day)
    match change:
        case Spending():
            row.spent.append((change.at, change.wallet, change.points))
            return change.points
        case Grant():
            row.granted[change.wallet] = row.granted.get(change.wallet, 0) + change.points
        case Activity(gone=True):
            row.rows.pop(change.key, None)
        case Purchase() | Activity():
            row.rows[change.key] = vector_of(program.on(change.day), change)
        case Return():
            vector = vector_of(program.on(change.day), change)
            if any(vector) or not all_back(change.receipt, change.returned):
                row.rows[change.key] = vector
            else:
                row.rows.pop(change.key, None)
        case Cancellation():
            if row.empty():
                del work.rows[change.day]
    return 0


def vector_of(version: Compiled, change: Purchase | Return | Activity) -> list[int]:
    """Return what a receipt, or what is left of it, or an activity adds to its day, as a version reads it."""
    if isinstance(change, Purchase):
        return version.reader.vector(change.receipt, {})
    if isinstance(change, Return):
        return version.reader.vector(change.receipt, change.returned)
    return version.reader.once(change.name)


def carry_before(program: Program, near: Near, rows: dict[int, DayRow], day: int) -> list[Any]:
    """Return the carry before a day that has no row: what the next row began with."""
    later = [other for other in rows if other > day]
    if len(later) == len(rows):
        return program.start(day)
    carry = rows[min(later)].carry if later else near.carry
    # WHY: a carry of a version after the day's is one that nothing had happened before
    return carry if carry[0] <= program.index(day) else program.start(day)


def _refold(program: Program, near: Near, change: Change, work: _Fold, receipts: Receipts) -> list[Any]:
    """Fold from the touched day until a carry comes out as it was; return the carry after the last day.

    Facts about the member touch every day from theirs on; a version that looks back sees more than the carry.
    """
    past = past_of(program, work.rows, change, receipts)
    everywhere = isinstance(change, Telling)
    carry: list[Any] | None = None
    last = max(work.rows, default=0)
    for day in sorted(each for each in work.rows if each >= change.day):
        row = work.rows[day]
        if carry is not None or everywhere:
            same = row.carry == carry and not everywhere
            if same and carry is not None and not program.looks_back(carry, last):
                return near.carry
            row = work.rows[day] = row.copy()
            row.carry = row.carry if carry is None else carry
            work.changed.add(day)
        carry, awards = judge(program, member_on(near, day), row, past)
        work.awards += awards
        if row.empty():
            del work.rows[day]
    assert carry is not None
    return carry


def past_of(program: Program, rows: dict[int, DayRow], change: Change | None, receipts: Receipts) -> Past:
    """Return earlier days as a cut may need them, as they are now."""

    def known() -> Iterable[PastDay]:
        """Yield the days that have receipts or a row, oldest first."""
        by_day: dict[int, list[tuple[Receipt, Returned]]] = {}
        for receipt, returned in _with(receipts, change):
            by_day.setdefault(receipt.day, []).append((receipt, returned))
        for day in sorted({*by_day, *rows}):
            row = rows.get(day)
            names = program.on(day).rule_ids
            points = {names[index]: given for index, given in row.points.items()} if row is not None else {}
            yield PastDay(day, points, by_day.get(day, []))

    return known


def _with(receipts: Receipts, change: Change | None) -> Receipts:
    """Return the receipts with the change applied."""
    if isinstance(change, Purchase):
        return [*receipts, (change.receipt, {})]
    if isinstance(change, Return):
        mine = (change.receipt.store_id, change.receipt.receipt_id)
        return [
            (receipt, change.returned if (receipt.store_id, receipt.receipt_id) == mine else returned)
            for receipt, returned in receipts
        ]
    return receipts


def _settle(near: Near, work: _Fold, carry: list[Any], purses: dict[str, Purse], known: dict[int, DayRow]) -> Booking:
    """Put the last row into the near state again, and say which other rows to write or delete."""
    last_day = max(work.rows, default=0)
    touched = set(work.changed)
    if near.last is not None and near.last.day != last_day:
        touched.add(near.last.day)
    days: dict[int, DayRow | None] = {day: work.rows.get(day) for day in touched if day != last_day}
    if last_day in known:
        days[last_day] = None
    # WHY: with no row left nothing is known, and the next event may lie under any version
    return Booking(near.moved(work.rows.get(last_day), carry if work.rows else [], purses), days, [])
