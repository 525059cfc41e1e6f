"""What is known of a member on a day, as conditions read it.

What does not live here: names, contacts, and what a member earned.
"""

from __future__ import annotations

from calendar import isleap
from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

_LEAP_DAY = (2, 29)


class Member(NamedTuple):
    """A member's facts of a day; of a guest nothing is known."""

    joined: int = 0  # the day; 0 for a guest
    born: int = 0  # month * 100 + day; 0: not known
    attributes: Mapping[str, str | int | bool] = {}
    referred: bool = False  # another member brought this one


GUEST = Member()


def last_birthday(born: int, day: int) -> int:
    """Return the last birthday up to and with a day; 29 February is 28 in common years.

    >>> date.fromordinal(last_birthday(229, date(2027, 3, 1).toordinal())).isoformat()
    '2027-02-28'
    """
    month, dom = divmod(born, 100)
    year = date.fromordinal(day).year
    this = _on(year, month, dom)
    return this if this <= day else _on(year - 1, month, dom)


def last_yearly(joined: int, day: int) -> int:
    """Return the last day up to and with `day` that is so many whole years after joining; 0 before the first.

    >>> last_yearly(date(2026, 3, 5).toordinal(), date(2027, 3, 4).toordinal())
    0
    """
    if day <= joined:
        return 0
    first = date.fromordinal(joined)
    found = last_birthday(first.month * 100 + first.day, day)
    return found if found > joined else 0


def _on(year: int, month: int, dom: int) -> int:
    if (month, dom) == _LEAP_DAY and not isleap(year):
        dom = 28
    return date(max(year, 1), month, dom).toordinal()
