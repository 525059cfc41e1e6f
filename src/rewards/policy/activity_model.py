"""The part of the compiled policy about activities: what can happen to a member besides buying.

What does not live here: their conditions and limits, which are those of the rules
of their names (`model`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

YEARLY = ("birthday", "anniversary")
REFERRAL, FOR_REFERRER = "referral", "referral.for_referrer"  # the friend's rule, and the referrer's; no author's id
BY_THEMSELVES = ("joined", *YEARLY, REFERRAL)


@dataclass(frozen=True, slots=True)
class EachTime:
    """`give` points for each time that an activity, which is no purchase, happened on a day.

    A rule that does so counts nothing that was bought, and measures the day.
    """

    activity: str
    give: int


@dataclass(frozen=True, slots=True)
class Activity:
    """Something other than a purchase that can happen to a member; what it gives is the rule of its name.

    It comes by call unless its name says when: `joined` on that day, `birthday` and `anniversary` every year, on
    the day itself or on the first of its month. `referral` counts on the day of a referred member's first visit:
    for the friend as a rule of that purchase, for the referrer as an activity (`FOR_REFERRER`).
    """

    name: str
    on: Literal["day", "first_day_of_month"] = "day"

    @property
    def by_call(self) -> bool:
        """Return whether callers report it; the others come by themselves."""
        return self.name not in BY_THEMSELVES
