"""The forms of single values of a scenario file, where they are not those of a policy.

What does not live here: which key takes which form (`vocabulary`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time

from rewards.money import LARGEST
from rewards.policy import forms, time_forms
from rewards.policy.forms import Facts, Form, Wrong
from rewards.policy.wording import quoted

_MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Local:
    """A moment of the program's time zone, as written."""

    moment: datetime


def _local(text: str, facts: Facts) -> Local:
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}(?::\d{2})?))?", text)
    if not found:
        advice = "write a date such as `2026-12-02`, or with a time, `2026-12-02 08:12`"
        raise Wrong("bad-moment", f"{quoted(text)} is not a date or a date with a time", advice)
    day = time_forms.DATE.read(found[1], facts)
    assert isinstance(day, int)
    try:
        clock = time.fromisoformat(found[2]) if found[2] else time()
    except ValueError:
        raise Wrong(
            "bad-moment", f"{quoted(found[2])} is not a time of day", "write hours and minutes, such as `08:12`"
        ) from None
    return Local(datetime.combine(datetime.fromordinal(day), clock))


def _signed(text: str, _: Facts) -> int:
    if not re.fullmatch(rf"-?[0-9]{{1,{_MOST_DIGITS}}}", text):
        raise Wrong(
            "bad-number", f"{quoted(text)} is not a whole number", "write points as a number, such as `30` or `-30`"
        )
    return int(text)


def _held(text: str, facts: Facts) -> int:
    points = _signed(text, facts)
    if not 0 <= points <= LARGEST:
        raise Wrong("out-of-range", f"{quoted(text)} is not between 0 and {LARGEST}", "write a whole number of points")
    return points


def _anything(text: str, _: Facts) -> str:
    return text


def _yes_or_no(text: str, _: Facts) -> bool:
    if text not in ("true", "false"):
        raise Wrong("bad-choice", f"{quoted(text)} is neither `true` nor `false`", "write `true` or `false`")
    return text == "true"


def _count(text: str, _: Facts) -> int:
    if not re.fullmatch(r"[1-9][0-9]{0,6}", text):
        raise Wrong(
            "bad-number", f"{quoted(text)} is not a number of units", "write a whole number above zero, such as `2`"
        )
    return int(text)


def _name(text: str, _: Facts) -> str:
    if not re.fullmatch(r"[^\x00-\x1f\x7f]{1,100}", text) or not text.strip():
        raise Wrong("bad-text", f"{quoted(text)} is not a name", "write a name of at most 100 characters, such as `r1`")
    return text


def _file(text: str, _: Facts) -> str:
    if "/" in text or "\\" in text or not text.endswith((".yaml", ".yml")):
        raise Wrong(
            "bad-text",
            f"{quoted(text)} is not a policy beside this file",
            "write a name such as `corner-cafe-2027.yaml`",
        )
    return text


def _paid(text: str, facts: Facts) -> object:
    if re.fullmatch(r"[0-9]\S* +\S+", text):
        return forms.GIVE.read(text, facts)
    return forms.MONEY.read(text, facts) if re.match(r"[-+.,]?[0-9]", text) else _name(text, facts)


_ANY = ("string", "number", "boolean")
_NUMBER = ("integer", "string")
VERSION = Form("`rewards/v1`", ("rewards/v1",), _anything, options=("rewards/v1",))


def _birthday(text: str, _facts: Facts) -> str:
    if not re.fullmatch(r"([0-9]{4}-)?[0-9]{2}-[0-9]{2}", text):
        raise Wrong("bad-date", f"{quoted(text)} is no month and day", "write it such as `03-27`")
    return text


WHEN = Form(
    "a date, or a date and a time",
    ("2026-12-02", "2026-12-02 08:12"),
    _local,
    r"^(\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?|\$.+)$",
)
BIRTHDAY = Form("a month and day", ("03-27",), _birthday, r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$")
NAME = Form("a name", ("r1",), _name, r"\S", _ANY)
WORDS = Form("a text", ("5 whole 1.00",), _anything, None, _ANY)
FILE = Form("a policy beside this file", ("corner-cafe-2027.yaml",), _file, r"\.ya?ml$")
SIGNED = Form("a number of points", ("30",), _signed, r"^(-?[0-9]+|\$.+)$", _NUMBER)
HELD = Form("a number of points", ("870",), _held, r"^[0-9]+$", _NUMBER, minimum=0)
COUNT = Form("a number of units", ("2",), _count, r"^([0-9]+|\$.+)$", _NUMBER)
YES_OR_NO = Form("`true` or `false`", ("true", "false"), _yes_or_no, None, ("boolean", "string"))
LINE_ID = Form("the number of a line", ("1",), _anything, r"^[1-9][0-9]{0,3}$")
ANY_KEY = Form("a name", ("beans",), _anything, r"^\S+$")
TENDER = Form("a kind of tender", ("cash",), _anything, r"^[a-z0-9_-]{1,40}$")
PAID = Form("an amount of money, points, or whose points they are", ("6.70", "500 beans", "beans"), _paid, r"\S", _ANY)
