"""The forms of durations, dates and hours.

What does not live here: other values (`forms`), and any clock.
"""

from __future__ import annotations

import re
from datetime import date

from rewards.days import Duration
from rewards.policy.forms import Facts, Form, Wrong
from rewards.policy.wording import Hint, one_of, quoted

MOST_DAYS, MOST_MONTHS = 36_500, 1_200
LONG_WINDOWS = ("week", "month", "quarter", "year", "ever")
_KEEPS = ("until_end_of_year", "until_end_of_next_year")


def _duration(text: str, _facts: Facts) -> Duration:
    found = re.fullmatch(r"([0-9]{1,9}) +(day|month)s?", text)
    if not found:
        raise Wrong("bad-duration", f"{quoted(text)} is not a duration", _mended_duration(text))
    count, unit = int(found[1]), found[2]
    most = MOST_DAYS if unit == "day" else MOST_MONTHS
    if not 1 <= count <= most:
        message = f"{quoted(text)} is not between 1 and {most} {unit}s"
        raise Wrong("out-of-range", message, "write a duration in these bounds")
    return Duration(count, "days" if unit == "day" else "months")


def _mended_duration(text: str) -> str:
    found = re.fullmatch(r"([0-9]{1,4}) *(d|days?|w|weeks?|months?|y|years?)", text.lower())
    if not found:
        return "write days or months, such as `30 days` or `12 months`"
    per, unit = {"d": (1, "day"), "w": (7, "day"), "m": (1, "month"), "y": (12, "month")}[found[2][0]]
    count = int(found[1]) * per
    return f"write `{count} {unit}{'' if count == 1 else 's'}`"


def _joining(text: str, facts: Facts) -> Duration:
    head, _, tail = text.partition(" of ")
    if tail != "joining":
        duration = text if re.fullmatch(r"[0-9]+ (day|month)s?", text) else "30 days"
        message = f"{quoted(text)} does not say from when"
        raise Wrong("bad-duration", message, f"write `{duration} of joining`")
    return _duration(head, facts)


def _date(text: str, _facts: Facts) -> int:
    day = _calendar_day(text)
    if day is None:
        raise Wrong("bad-date", f"{quoted(text)} is not a date", _mended_date(text))
    if not 1970 <= day.year <= 2500:  # noqa: PLR2004  the bound is said in the message
        raise Wrong("out-of-range", f"{quoted(text)} is not between 1970 and 2500", "check the year")
    return day.toordinal()


def _calendar_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else None
    except ValueError:
        return None


def _mended_date(text: str) -> str:
    if found := re.fullmatch(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})", text):
        mended = f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}"
        return f"write `{mended}`" if _calendar_day(mended) else "this day is not in the calendar"
    return "write year, month and day, such as `2026-12-01`"


def _hours(text: str, _facts: Facts) -> tuple[int, int]:
    time = r"([01][0-9]|2[0-3]):([0-5][0-9])"
    found = re.fullmatch(rf"{time}-(?:{time}|(24):(00))", text)
    if not found:
        raise Wrong(
            "bad-hours", f"{quoted(text)} is not a span of hours", 'write start and end, such as `"15:00-17:00"`'
        )
    start = int(found[1]) * 60 + int(found[2])
    end = int(found[3] or found[5]) * 60 + int(found[4] or found[6])
    if start == end:
        raise Wrong("bad-hours", f"{quoted(text)} starts when it ends", "leave `hours` out to mean the whole day")
    return start, end


def _or_duration(name: str, example: str, words: tuple[str, ...], wrong: str) -> Form:
    """Return the form of one of a few words, or of a duration."""

    def read(text: str, facts: Facts) -> Duration | str:
        """Return one of the words as it is written, or the duration."""
        if text in words:
            return text
        if re.match(r"[0-9]", text):
            return _duration(text, facts)
        listed = f"write {one_of(words)}, or a duration such as `12 months`"
        raise Wrong("bad-choice", f"{quoted(text)} {wrong}", Hint(text, words, listed))

    return Form(name, (example, "12 months"), read, rf"^({'|'.join(words)}|[0-9]+ +(day|month)s?)$")


DURATION = Form("a duration", ("30 days", "12 months"), _duration, r"^[0-9]+ +(day|month)s?$")
JOINING = Form("a duration of joining", ("30 days of joining",), _joining, r"^[0-9]+ +(day|month)s? of joining$")
DATE = Form("a date", ("2026-12-01",), _date, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
HOURS = Form("a span of hours", ("15:00-17:00",), _hours, r"^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$")
TIER_MEASURE = _or_duration("a window or a duration", "year", LONG_WINDOWS, "is neither a window nor a duration")
KEEP = _or_duration("how long a level is kept", "until_end_of_next_year", _KEEPS, "does not say how long")
