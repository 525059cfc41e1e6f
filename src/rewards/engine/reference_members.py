"""The reference definition of what is known of a member on a day: facts that were told, and the tier.

Tiers are gone through day by day. What does not live here: earning (`reference`),
and anything that the engine proper uses.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from rewards.days import Duration, period, plus
from rewards.policy.model import Anniversary, Birthday, Condition, HasAttribute, InTier, Policy, Tiers

Told = tuple[int, int, dict[str, str | int | bool]]  # from which day; born (month * 100 + day, 0 unknown); attributes
_LEAP_DAY = 229


def told_on(told: list[Told], day: int) -> Told:
    """Return what holds on a day: what was told last up to it, else what was told first."""
    before = [one for one in told if one[0] <= day]
    return (before or told[:1] or [(0, 0, {})])[-1]


def is_in_days_of(born: int, joined: int, within: Duration, day: int) -> bool:
    """Return whether a yearly day (month * 100 + day) after `joined` is one of the days of the window ending today."""
    days = range(plus(day, within, -1) - 40, day + 1)
    return any(
        other > joined and _is_yearly(born, date.fromordinal(other)) and day < plus(other, within) for other in days
    )


def _is_yearly(born: int, on: date) -> bool:
    if born == _LEAP_DAY and not isleap(on.year):
        born = 228
    return on.month * 100 + on.day == born


def holds(condition: Condition, joined: int, told: list[Told], day: int, tier: Callable[[int], str]) -> bool:
    """Return whether a condition on the member holds on a day."""
    _, born, attributes = told_on(told, day)
    match condition:
        case HasAttribute(name, values):
            return any(type(attributes.get(name)) is type(one) and attributes.get(name) == one for one in values)
        case Birthday(within):
            return bool(born) and is_in_days_of(born, 0, within, day)
        case Anniversary(within):
            first = date.fromordinal(joined)
            return is_in_days_of(first.month * 100 + first.day, joined, within, day)
        case InTier(names):
            return tier(day) in names
    raise AssertionError("a condition on history")


@dataclass
class Levels:
    """Which level was held on each day; `amount(day, by)` is what a day adds to what `by` counts."""

    first: int
    policy: Callable[[int], Policy]
    amount: Callable[[int, str], int]
    days: list[int]
    _held: dict[int, tuple[int, list[str], dict[str, int]]] = field(default_factory=dict)

    def on(self, day: int) -> str:
        """Return the name of the level at the start of a day."""
        tiers = self.policy(day).tiers
        assert tiers is not None
        return tiers.levels[self._at(day)[0] if day > self.first else 0][0]

    def _at(self, day: int) -> tuple[int, list[str], dict[str, int]]:
        """Return the level, the names up to it but for the lowest, and the last day on which each name is kept."""
        for each in range(max(self._held, default=self.first) + 1, day + 1):
            self._held[each] = self._next(each, *self._held.get(each - 1, (0, [], {}))[1:])
        return self._held[day]

    def _next(self, day: int, held: list[str], kept: dict[str, int]) -> tuple[int, list[str], dict[str, int]]:
        tiers = self.policy(day).tiers
        if tiers is None:
            return 0, [], {}
        names = [name for name, _ in tiers.levels]
        total = self._measured(tiers, day - 1)
        reached = max(i for i, (_, least) in enumerate(tiers.levels) if least <= total)
        kept = dict(kept)
        for name in names[1 : reached + 1]:
            kept[name] = max(kept.get(name, 0), _kept_until(tiers, day))
        now = max([reached, *(i for i, name in enumerate(names) if i and kept.get(name, 0) >= day)])
        was = max(i for i, name in enumerate(names) if not i or name in held)
        if tiers.fall == "one_level" and now < was - 1:
            now = was - 1
            for name in names[1 : now + 1]:
                kept[name] = max(kept.get(name, 0), _kept_after_fall(tiers, day))
        return now, names[1 : now + 1], kept

    def _measured(self, tiers: Tiers, last: int) -> int:
        if isinstance(tiers.measure, Duration):
            days = [day for day in self.days if plus(last, tiers.measure, -1) < day <= last]
        else:
            days = [day for day in self.days if day <= last and _same(day, last, tiers)]
        return sum(self.amount(day, tiers.by) for day in days)


def _same(day: int, other: int, tiers: Tiers) -> bool:
    assert not isinstance(tiers.measure, Duration)
    return period(day, tiers.measure) == period(other, tiers.measure)


def _kept_until(tiers: Tiers, day: int) -> int:
    if tiers.keep is None:
        return 0
    if isinstance(tiers.keep, Duration):
        return plus(day, tiers.keep) - 1
    return _end_of_year(day - 1, 1 if tiers.keep == "until_end_of_next_year" else 0)


def _kept_after_fall(tiers: Tiers, day: int) -> int:
    end = 0 if isinstance(tiers.keep, Duration) else _end_of_year(day, 0)
    return max(_kept_until(tiers, day), end)


def _end_of_year(day: int, later: int) -> int:
    return date(date.fromordinal(day).year + later, 12, 31).toordinal()
