"""What comes by itself: joining, birthdays, anniversaries, rewards of a period's end; and holds that have run out.

A due activity is an event like any other, dated by its own midnight. It is booked
at the first touch of the member after that, or by `rewards due`: whichever comes
first, with the same result. Its number in the journal is its name and year, so
that nothing makes it come twice. What does not live here: what it gives
(`ledger.timeline`), activities by call (`activities`), and those rewards (`automatic`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

import msgspec

from rewards.days import Duration, midnight, plus
from rewards.engine.member import last_birthday
from rewards.engine.program import Program
from rewards.ledger import timeline
from rewards.ledger.timeline import Near, member_on
from rewards.policy.activity_model import Activity
from rewards.service import automatic, hold_ends, known_cards
from rewards.service.asked import Asked
from rewards.service.balances import day_of
from rewards.service.batch import Batch
from rewards.service.commands import BookDue, Outcome
from rewards.service.journal import ActivityBody, Happened, Timeline

_json = msgspec.json.Encoder()


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Book what is due for some members up to an instant; answer how many of each."""
    del print_  # nothing to recognize: what is booked already is not due
    command = asked.of(BookDue)
    batch.running.ready()
    counts: Counter[str] = Counter()
    for owner in command.owners:
        line = batch.line(owner)
        if line is not None:
            known_cards.lapse(batch, line)
            counts.update(touch(batch, line, min(command.until, asked.now), recorded_at=asked.now))
    return Outcome(200, _json.encode(counts))


def touch(batch: Batch, line: Timeline, now: int, *, recorded_at: int | None = None) -> list[str]:
    """Book what has become due for a member up to an instant; return the activities and rewards that came."""
    hold_ends.lapse(batch, line)
    program = batch.running.program
    if program is None or line.kind != "member" or line.state != "active":
        return []
    if not (program.yearly or program.has_automatic):
        return []
    found = list(_due(program, line.near, day_of(now, program.zone)))
    for name, day in found:
        at = midnight(day, program.zone)
        change = timeline.Activity(line.events + 1, name, at, day)
        _book(batch, line, change, str(date.fromordinal(day).year), recorded_at or now)
    names = [name for name, _ in found]
    return names + automatic.book(batch, line, now, recorded_at or now) if program.has_automatic else names


def joined(batch: Batch, line: Timeline, now: int) -> None:
    """Book `joined` for who is enrolled on the day of joining; who joined earlier, elsewhere, gets nothing for it."""
    program = batch.running.program
    if program is None:
        return
    day = day_of(now, program.zone)
    if line.joined_day == day and "joined" in program.on(day).policy.activities:
        _book(batch, line, timeline.Activity(line.events + 1, "joined", now, day), "", now)


def _book(batch: Batch, line: Timeline, change: timeline.Activity, year: str, now: int) -> None:
    name = f"\x1f{change.name} {year}"  # callers' names hold no control characters
    happened = Happened(
        kind="activity",
        external_id=name,
        occurred_at=change.at,
        recorded_at=now,
        fingerprint=batch.running.print_of(name),
        body=ActivityBody(change.name),
    )
    batch.record(line, happened, batch.book(line, change))


def _due(program: Program, near: Near, today: int) -> Iterator[tuple[str, int]]:
    """Yield what is due up to today and not booked, by name and day, oldest first for each name."""
    for name in program.yearly:
        last = near.booked.get(name, 0)
        done = date.fromordinal(last).year if last else 0
        for day, itself in _days(near, name, max(near.since, last + 1), today):
            year = date.fromordinal(day).year
            activity = program.on(day).policy.activities.get(name)
            if activity is not None and year > done and day == _on(activity, itself):
                done = year
                yield name, day


def _on(activity: Activity, day: int) -> int:
    """Return the day on which an activity of that day comes."""
    return day if activity.on == "day" else _first_of_month(day)


def _first_of_month(day: int) -> int:
    return date.fromordinal(day).replace(day=1).toordinal()


def _days(near: Near, name: str, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the days on which a yearly activity may come, each with the yearly day that it is for, oldest first."""
    for year in range(date.fromordinal(first).year, date.fromordinal(last).year + 1):
        found = [(day, itself) for itself in _of_year(near, name, year) for day in {_first_of_month(itself), itself}]
        for day, itself in sorted(found):
            if first <= day <= last and (name != "birthday" or itself == _birthday(member_on(near, day).born, year)):
                yield day, itself


def _of_year(near: Near, name: str, year: int) -> list[int]:
    """Return the birthdays that were told, or the anniversary, as days of a year."""
    if name == "birthday":
        return sorted({_birthday(told.born, year) for told in near.told} - {0})
    years = year - date.fromordinal(near.joined).year
    return [plus(near.joined, Duration(12 * years, "months"))] if years > 0 else []


def _birthday(born: int, year: int) -> int:
    return last_birthday(born, date(year, 12, 31).toordinal()) if born else 0
