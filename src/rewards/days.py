"""Days, windows and durations of the program's time zone, in one place.

What does not live here: the clock. Days are ordinals (`date.toordinal`);
instants are microseconds since 1970 in UTC.

>>> from datetime import date
>>> date.fromordinal(plus(date(2027, 1, 31).toordinal(), Duration(1, "months"))).isoformat()
'2027-02-28'
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Window = Literal["receipt", "day", "week", "month", "quarter", "year", "ever"]
WINDOWS: tuple[Window, ...] = ("receipt", "day", "week", "month", "quarter", "year", "ever")


@dataclass(frozen=True, slots=True)
class Duration:
    """A calendar duration: so many local days or months."""

    count: int  # > 0
    unit: Literal["days", "months"]


def instant(moment: datetime) -> int:
    """Return an aware datetime as microseconds since 1970, UTC."""
    return (moment - EPOCH) // _MICROSECOND


def moment(at: int, zone: ZoneInfo) -> datetime:
    """Return an instant as an aware datetime of `zone`."""
    return (EPOCH + timedelta(microseconds=at)).astimezone(zone)


@lru_cache(65536)
def midnight(day: int, zone: ZoneInfo) -> int:
    """Return the first instant of a local date, also where a clock change skips midnight."""
    return instant(datetime.combine(date.fromordinal(day), time(), zone))


def plus(day: int, duration: Duration, sign: int = 1) -> int:
    """Return the day so much later (earlier with `sign=-1`); a day that a month lacks becomes its last."""
    if duration.unit == "days":
        return day + sign * duration.count
    return _plus_months(day, sign * duration.count)


@lru_cache(65536)
def _plus_months(day: int, months: int) -> int:
    start = date.fromordinal(day)
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    if not 1 <= year <= 9999:  # noqa: PLR2004  the calendar's own ends
        return 1 if year < 1 else date.max.toordinal()
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1])).toordinal()


@lru_cache(65536)
def periods(day: int) -> tuple[int, int, int, int, int, int]:
    """Return the numbers of the day's day, week, month, quarter, year and of `ever` (0)."""
    on = date.fromordinal(day)
    return day, (day - 1) // 7, on.year * 12 + on.month - 1, on.year * 4 + (on.month - 1) // 3, on.year, 0


def period(day: int, window: Window) -> int:
    """Return the number of the window that holds the day; `receipt` counts as the day."""
    return periods(day)[max(0, _ORDER[window] - 1)]


_ORDER = {"receipt": 0, "day": 1, "week": 2, "month": 3, "quarter": 4, "year": 5, "ever": 6}
_MONTHS = {"end_of_month": 1, "end_of_quarter": 3, "end_of_year": 12}


def end_of(day: int, at: str) -> int:
    """Return the first day after the month, quarter or year of `day` (`at` as in the policy)."""
    length = _MONTHS[at]
    on = date.fromordinal(day)
    first = (on.month - 1) // length * length
    return _plus_months(date(on.year, first + 1, 1).toordinal(), length)
