"""Tiers: the level that a member holds at the start of a day.

What does not live here: which version judges which day, and what a cut carries
over (`program`).

A *standing* is an entry of the carry: `[day, total, known, kept, level]`. `day`
is the last one that counted (0: none yet), `total` what is measured up to and
with it, `known` the days behind the total where they leave it one by one
(`[day, amount, …]`, oldest first), `kept` the last day on which each level
above the lowest is held anyhow, and `level` what was held on `day`. On days
after it the level follows from the standing alone, since without a visit the
measure only falls.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from rewards.days import Duration, Window, end_of, period, plus
from rewards.policy.model import Tiers

Standing = list[Any]
NOTHING: Standing = [0, 0, [], [], 0]
EVER = 10**9  # a day that never comes
_YEAR = Duration(12, "months")


class Promise(NamedTuple):
    """A level that is kept from the day after `day` up to and with `until`."""

    day: int
    level: str
    until: int


class Held(NamedTuple):
    """The level of a day, and until when each level is kept as of that day."""

    level: int
    kept: list[int]


class Ladder:
    """The levels of one policy, lowest first."""

    def __init__(self, tiers: Tiers) -> None:
        """Prepare the levels."""
        self.tiers = tiers
        self.names = [name for name, _ in tiers.levels]
        self._thresholds = [threshold for _, threshold in tiers.levels]
        self._measure = tiers.measure

    def held(self, standing: Standing, day: int) -> Held:
        """Return the level at the start of a day after the standing's."""
        if not standing[0]:
            return Held(0, standing[3])
        if self.tiers.keep is None and not any(standing[3]):
            return Held(self._level(self._measured(standing, day - 1)[0]), standing[3])
        return self._walk(standing, day)

    def add(self, standing: Standing, held: Held, day: int, amount: int) -> Standing:
        """Return the standing after a day on which `amount` above zero came to what is measured."""
        if not isinstance(self._measure, Duration):
            total = self._measured(standing, day)[0] if standing[0] else 0
            return [day, total + amount, [], held.kept, held.level]
        first = _first(day, self._measure)
        known = standing[2]
        start = 0
        while start < len(known) and known[start] < first:
            start += 2
        known = [*known[start:], day, amount]
        return [day, sum(known[1::2]), known, held.kept, held.level]

    def measured(self, standing: Standing, day: int) -> int:
        """Return what is measured up to and with a day that is not before the standing's."""
        return self._measured(standing, day)[0] if standing[0] else 0

    def lasts_until(self, standing: Standing, day: int, horizon: int = 3_000) -> int | None:
        """Return the last day on which the level of `day` is still held without another visit; None: no end in sight.

        `horizon` is in days: what is held for longer has no end.
        """
        level = self.held(standing, day).level
        if not level or self.held(standing, day + horizon).level >= level:
            return None
        low, high = day, day + horizon
        while high - low > 1:
            middle = (low + high) // 2
            if self.held(standing, middle).level >= level:
                low = middle
            else:
                high = middle
        return low

    def taken_over(self, standing: Standing, before: Ladder, day: int) -> Standing:
        """Return the standing of the ladder `before` as this one reads it from its first `day` on.

        What is measured is the same. Levels are known by their names: a promise to keep one holds while
        there is a level of that name.
        """
        if not standing[0]:
            return standing
        total, known = before.measured(standing, day - 1), standing[2]
        if isinstance(self._measure, Duration):
            first = _first(day - 1, self._measure)
            known = [n for i in range(0, len(known), 2) if known[i] >= first for n in known[i : i + 2]]
        return [day - 1, total, known, *self._promised(standing, before, day)]

    def measured_anew(
        self, standing: Standing, before: Ladder | None, day: int, amounts: Sequence[tuple[int, int]]
    ) -> Standing:
        """Return the standing where another measure begins on `day`: `amounts` are (day, amount) of earlier days."""
        if not amounts and not standing[0]:
            return NOTHING
        last, known = day - 1, []
        if isinstance(self._measure, Duration):
            first = _first(last, self._measure)
            known = [n for at, amount in amounts if at >= first for n in (at, amount)]
            total = sum(known[1::2])
        else:
            now = period(last, self._measure)
            total = sum(amount for at, amount in amounts if period(at, self._measure) == now)
        return [last, total, known, *self._promised(standing, before, day)]

    def kept(self, standing: Standing, day: int, promises: Sequence[Promise]) -> Standing:
        """Return the standing after a day on which levels were promised; names that there are not promise nothing."""
        if not standing[0]:
            standing = [day, 0, [], [], 0]
        elif standing[0] < day:
            standing = self.taken_over(standing, self, day + 1)
        last, total, known, kept, level = standing
        kept = kept.copy() or [0] * (len(self.names) - 1)
        for promise in promises:
            reached = self.names.index(promise.level) if promise.level in self.names else 0
            kept[:reached] = [max(until, promise.until) for until in kept[:reached]]
            level = max(level, reached)
        return [last, total, known, kept, level]

    def _promised(self, standing: Standing, before: Ladder | None, day: int) -> tuple[list[int], int]:
        """Return until when each level is kept, and the level, as of the day before `day`."""
        if before is None or not standing[0]:
            return [0] * (len(self.names) - 1), 0
        last = day - 1
        held = before.held(standing, last) if last > standing[0] else Held(standing[4], standing[3])
        kept = dict(zip(before.names[1:], held.kept, strict=False))
        names = set(before.names[1 : held.level + 1])  # the lowest is everybody's, and no promise
        level = max(i for i, name in enumerate(self.names) if not i or name in names)
        return [kept.get(name, 0) for name in self.names[1:]], level

    def _level(self, total: int) -> int:
        return bisect_right(self._thresholds, total) - 1

    def _measured(self, standing: Standing, day: int) -> tuple[int, int]:
        """Return what is measured on a day from the standing's on, and the last day that measures the same."""
        last, total, known = standing[:3]
        if isinstance(self._measure, Duration):
            return self._sliding(total, known, day, self._measure)
        if self._measure == "ever":
            return total, EVER
        if period(day, self._measure) != period(last, self._measure):
            return 0, EVER
        return total, _last_of(last, self._measure)

    def _sliding(self, total: int, known: list[int], day: int, measure: Duration) -> tuple[int, int]:
        for i in range(0, len(known), 2):
            left_on = _leaves(known[i], measure)
            if left_on > day:
                return total, left_on - 1
            total -= known[i + 1]
        return 0, EVER

    def _walk(self, standing: Standing, day: int) -> Held:
        """Go from one change of the measure to the next; levels fall when neither it nor a promise holds them."""
        at, level = standing[0], standing[4]
        kept = standing[3].copy() or [0] * (len(self.names) - 1)
        start = at + 1
        while start <= day:
            total, until = self._measured(standing, start - 1)
            end = min(day, until + 1)
            reached = self._level(total)
            for i in range(reached):
                kept[i] = max(kept[i], self._kept_until(end))
            level = self._fall(level, reached, kept, start, end)
            start = end + 1
        return Held(level, kept)

    def _fall(self, level: int, reached: int, kept: list[int], start: int, end: int) -> int:
        """Return the level on `end`, where `reached` is what the measure gives from `start` to `end`."""
        day = start
        while True:
            now = max([reached, *(i + 1 for i, until in enumerate(kept) if until >= day)])
            if self.tiers.fall == "one_level" and now < level - 1:
                now = level - 1
                for i in range(now):
                    kept[i] = max(kept[i], self._fallen_until(day))
            level = now
            if level <= reached or kept[level - 1] >= end:
                return level
            day = kept[level - 1] + 1

    def _kept_until(self, day: int) -> int:
        """Return the last day on which a level reached on `day` is kept; 0 if none is."""
        keep = self.tiers.keep
        if keep is None:
            return 0
        if isinstance(keep, Duration):
            return plus(day, keep) - 1
        end = end_of(day - 1, "end_of_year")
        return (end if keep == "until_end_of_year" else plus(end, _YEAR)) - 1

    def _fallen_until(self, day: int) -> int:
        """Return the last day of the level that a member falls to on `day`: at least the rest of that year."""
        if isinstance(self.tiers.keep, Duration):
            return self._kept_until(day)
        return max(self._kept_until(day), end_of(day, "end_of_year") - 1)


def _first(day: int, measure: Duration) -> int:
    """Return the first day of the measure that ends with `day`."""
    return plus(day, measure, -1) + 1


def _leaves(day: int, measure: Duration) -> int:
    """Return the first day whose measure no longer holds `day`."""
    left_on = plus(day, measure)
    while _first(left_on, measure) <= day:
        left_on += 1
    return left_on


def _last_of(day: int, window: Window) -> int:
    """Return the last day of the window that holds `day`."""
    if window == "week":
        return day + 6 - (day - 1) % 7
    return end_of(day, f"end_of_{window}") - 1
