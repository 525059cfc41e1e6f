"""The forms of single values: how an amount, a duration or a date is written, and what it is read as.

What does not live here: which key takes which form (`schema`). A form reads
text; it raises `Wrong` with words that let the author mend the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from fractions import Fraction

from rewards.days import Duration
from rewards.policy.problems import one_of, quoted

MOST = 10**9  # points, units, visits
MOST_MONEY = 10**12  # minor units
MOST_DAYS, MOST_MONTHS = 36_500, 1_200
LONGEST_TEXT = 200
ID = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
RESERVED = ("all", "true", "false", "null", "yes", "no", "on", "off")
LONGEST_ID = 60


class Wrong(Exception):  # noqa: N818  a finding about the author's text
    """The text does not have the form; becomes a problem at its place."""

    def __init__(self, code: str, message: str, help: str = "") -> None:  # noqa: A002
        """Take the parts of the problem."""
        super().__init__(message)
        self.code, self.message, self.help = code, message, help


@dataclass(frozen=True, slots=True)
class Facts:
    """What a form must know of the rest of the file; None where that is broken itself."""

    decimals: int | None = None
    currency: str = ""
    units: dict[str, str] | None = None  # `bean` and `beans` -> the wallet `beans`


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a value."""

    name: str  # with its article, as in "expected an amount of money"
    examples: tuple[str, ...]
    read: Callable[[str, Facts], object]
    pattern: str | None = None  # what an editor can check of it
    json_types: tuple[str, ...] = ("string",)  # what an editor may take the plain text for
    options: tuple[str, ...] = ()
    minimum: int | None = None


@dataclass(frozen=True, slots=True)
class Given:
    """Points as written: so many of a wallet."""

    points: int
    wallet: str


@dataclass(frozen=True, slots=True)
class Every:
    """What a rate counts, and how much of it."""

    what: str
    every: int


def nearest(word: str, names: Iterable[str]) -> str:
    """Return the name that the author most likely meant, or an empty text."""
    names = list(names)
    if word.lower() in names:
        return word.lower()
    close = get_close_matches(word.lower(), names, 1, 0.6)
    return close[0] if close else ""


def did_you_mean(word: str, names: Iterable[str], otherwise: str) -> str:
    """Return the help for a name that is not there."""
    found = nearest(word, names)
    return f"did you mean `{found}`?" if found else otherwise


def _whole(text: str, code: str, what: str, most: int, least: int = 1) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        plain = re.sub(r"[,_ ]", "", text)
        advice = f"write `{int(plain)}`" if re.fullmatch(r"[0-9]{1,18}", plain) else f"write {what} such as `{max(5, least)}`"
        raise Wrong(code, f"{quoted(text)} is not a whole number", advice)
    number = int(text)
    if not least <= number <= most:
        raise Wrong("out-of-range", f"{quoted(text)} is not between {least} and {most}", f"write {what} in these bounds")
    return number


# Texts and names.


def _text(text: str, _facts: Facts) -> str:
    if len(text) > LONGEST_TEXT:
        message = f"the text has {len(text)} characters"
        raise Wrong("bad-text", message, f"a text has at most {LONGEST_TEXT}")
    if not text.strip():
        raise Wrong("bad-text", "the text is empty", "write the text, or leave the key out")
    return text


def _word(text: str, _facts: Facts) -> str:
    if not re.fullmatch(r"[^\s\d]\S{0,39}", text):
        raise Wrong("bad-text", f"{quoted(text)} is not one word", "write one word without blanks, such as `point`")
    return text


def _kind(text: str, _facts: Facts) -> str:
    if not re.fullmatch(r"[a-z0-9_-]{1,40}", text):
        mended = re.sub(r"[^a-z0-9_-]+", "_", text.lower()).strip("_")
        raise Wrong("bad-text", f"{quoted(text)} is not a kind of tender", f"write `{mended or 'cash'}`, as the till does")
    return text


def _code(text: str, _facts: Facts) -> str:
    if not 1 <= len(text.strip()) <= LONGEST_ID:
        raise Wrong("bad-text", "a code has 1 to 60 characters", "write the code as it is printed, such as `AUTUMN300`")
    return text.strip().upper()


def check_id(text: str) -> str:
    """Return the id; raises `Wrong` if it is not a slug or means something else."""
    if text in RESERVED:
        raise Wrong("bad-id", f"{quoted(text)} is a word of the language", f"choose another name, such as `{text}-items`")
    if len(text) > LONGEST_ID or not re.fullmatch(ID, text):
        mended = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST_ID].strip("-")
        fits = re.fullmatch(ID, mended) and mended not in RESERVED
        advice = f"write `{mended}`" if fits else f"such as `double-points`, at most {LONGEST_ID} characters"
        message = f"{quoted(text)} is not an id: small letters, digits and single hyphens, a letter first"
        raise Wrong("bad-id", message, advice)
    return text


def _id(text: str, _facts: Facts) -> str:
    return check_id(text)


def _name(text: str, _facts: Facts) -> str:
    return text  # whether it exists is checked where names are known


def _zone(text: str, _facts: Facts) -> str:
    return text


def choice(*options: str) -> Form:
    """Return the form of a word out of a few."""

    def read(text: str, _facts: Facts) -> str:
        if text in options:
            return text
        listed = f"write {one_of(options)}"
        raise Wrong("bad-choice", f"{quoted(text)} is not one of the choices here", did_you_mean(text, options, listed))

    return Form(one_of(options), options[:2], read, options=options)


# Numbers.


def _decimal(text: str, facts: Facts, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", text):
        plain = re.sub(r"[^\d.,]", "", text)
        plain = plain.replace(",", ".") if re.fullmatch(r"\d+,\d{1,2}", plain) else plain.replace(",", "")
        fits = re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,2})?", plain) and "-" not in text and "%" not in text
        raise Wrong("bad-money", f"{quoted(text)} is not an amount of money", f"write `{plain if fits else '12.50'}`")
    decimals = facts.decimals if facts.decimals is not None else 15
    whole, _, part = text.partition(".")
    if len(part) > decimals:
        shorter = f"{whole}.{part[:decimals]}" if decimals else whole
        message = f"{quoted(text)} has {len(part)} decimals; {facts.currency} has {decimals or 'none'}"
        raise Wrong("too-many-decimals", message, f"write `{shorter}`")
    minor = int(whole + part.ljust(decimals, "0"))
    if minor < least:
        raise Wrong("out-of-range", f"{quoted(text)} is too small", "write an amount above zero")
    if minor > MOST_MONEY and facts.decimals is not None:
        raise Wrong("out-of-range", f"{quoted(text)} is too large", "write a smaller amount")
    return minor


def _money(text: str, facts: Facts) -> int:
    return _decimal(text, facts, 0)


def _money_above_zero(text: str, facts: Facts) -> int:
    return _decimal(text, facts, 1)


def _every(text: str, facts: Facts) -> Every:
    if found := re.fullmatch(r"(\S+) +(units?|visits?)", text):
        word = found[2].rstrip("s") + "s"
        return Every(word, _whole(found[1], "bad-count", "a number", MOST))
    try:
        return Every("spend", _money_above_zero(text, facts))
    except Wrong as wrong:
        if wrong.code != "bad-money" or wrong.help != "write `12.50`":
            raise
        advice = "write an amount such as `1.00`, or a count such as `1 unit` or `3 visits`"
        raise Wrong("bad-count", f"{quoted(text)} is neither an amount nor a count", advice) from None


def _give(text: str, facts: Facts) -> Given:
    found = re.fullmatch(r"(\S+)(?: +(\S+))?", text)
    number, word = (found[1], found[2] or "") if found else (text, "")
    if not word and re.fullmatch(r"[0-9]+", number):
        known = sorted(set((facts.units or {}).values()))
        unit = known[0] if len(known) == 1 else ""
        advice = f"write `{number} {unit}`" if unit else f"name the wallet, as in `5 {known[0] if known else 'points'}`"
        raise Wrong("bad-points", f"{quoted(text)} does not say of which wallet", advice)
    if not word or not re.fullmatch(r"[0-9,_]+", number):
        names = sorted(set((facts.units or {"points": "points"}).values()))
        raise Wrong("bad-points", f"{quoted(text)} is not a number of points", f"write points such as `5 {names[0]}`")
    points = _whole(number, "bad-points", "a number of points", MOST)
    if facts.units is not None and word not in facts.units:
        wallets = sorted(set(facts.units.values()))
        otherwise = f"the wallets are {one_of(wallets, 'and')}" if wallets else "declare it in `points`"
        message = f"there is no wallet {quoted(word)}"
        raise Wrong("unknown-wallet", message, did_you_mean(word, facts.units, otherwise))
    return Given(points, (facts.units or {}).get(word, ""))


def _limit_points(text: str, facts: Facts) -> Given:
    if re.fullmatch(r"\S+", text):
        return Given(_whole(text, "bad-points", "a number of points", MOST), "")
    return _give(text, facts)


def _times_limit(text: str, _facts: Facts) -> int:
    return _whole(text, "bad-number", "a number", MOST)


def counted(unit: str) -> Form:
    """Return the form of a count of units or visits, with or without its word."""

    def read(text: str, _facts: Facts) -> int:
        number = re.sub(rf" +{unit}s?$", "", text)
        return _whole(number, "bad-count", f"a number of {unit}s", MOST)

    pattern = rf"^[0-9]+( +{unit}s?)?$"
    return Form(f"a number of {unit}s", (f"3 {unit}s",), read, pattern, ("integer", "string"), minimum=1)


def _nth(text: str, _facts: Facts) -> int:
    return _whole(text, "bad-number", "the number of a visit", MOST)


def _factor(text: str, _facts: Facts) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text):
        plain = text.lower().strip("x× ").replace(",", ".")
        advice = f"write `{plain}`" if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", plain) else "write a factor such as `1.25`"
        raise Wrong("bad-factor", f"{quoted(text)} is not a factor", advice)
    factor = Fraction(text)
    if not 1 < factor <= 1000:  # noqa: PLR2004  the bound is said in the message
        message = f"{quoted(text)} is not above 1 and at most 1000"
        raise Wrong("out-of-range", message, "`times: 2` gives twice as much in all; leave it out to give no more")
    return factor


# Time.


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
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise Wrong("bad-date", f"{quoted(text)} is not a date", _mended_date(text)) from None
    if not 1970 <= day.year <= 2500:  # noqa: PLR2004  the bound is said in the message
        raise Wrong("out-of-range", f"{quoted(text)} is not between 1970 and 2500", "check the year")
    return day.toordinal()


def _mended_date(text: str) -> str:
    if found := re.fullmatch(r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})", text):
        try:
            return f"write `{date(int(found[1]), int(found[2]), int(found[3])).isoformat()}`"
        except ValueError:
            return "this day is not in the calendar"
    return "write year, month and day, such as `2026-12-01`"


def _hours(text: str, _facts: Facts) -> tuple[int, int]:
    time = r"([01][0-9]|2[0-3]):([0-5][0-9])"
    found = re.fullmatch(rf"{time}-(?:{time}|(24):(00))", text)
    if not found:
        raise Wrong("bad-hours", f"{quoted(text)} is not a span of hours", 'write start and end, such as `"15:00-17:00"`')
    start = int(found[1]) * 60 + int(found[2])
    end = int(found[3] or found[5]) * 60 + int(found[4] or found[6])
    if start == end:
        raise Wrong("bad-hours", f"{quoted(text)} starts when it ends", "leave `hours` out to mean the whole day")
    return start, end


_ANY = ("string", "number", "boolean")
_AMOUNT = r"^[0-9]+(\.[0-9]+)?$"
TEXT = Form("a text", ("Corner Cafe Club",), _text, r"\S", _ANY)
WORD = Form("one word", ("point",), _word, r"^\S+$")
KIND = Form("a kind of tender", ("gift_card", "cash"), _kind, r"^[a-z0-9_-]+$", ("string", "integer"))
CODE = Form("a code", ("AUTUMN300",), _code, r"\S", _ANY)
IDENTIFIER = Form("an id", ("corner-cafe",), _id, f"^(?!({'|'.join(RESERVED)})$){ID}$")
SELECTION_NAME = Form("the name of a selection", ("hot-drinks", "all"), _name, r"\S")
RULE_NAME = Form("the name of a rule", ("base",), _name, r"\S")
GROUP_NAME = Form("the name of a group", ("boost",), _name, r"\S")
VALUE = Form("a value", ("true", "large"), _text, r"\S", _ANY)
LANGUAGE = Form("`rewards/v1`", ("rewards/v1",), _name, options=("rewards/v1",))
CURRENCY = Form("a currency", ("EUR", "USD"), _name, r"^[A-Z]{3}$")
COUNTRY = Form("a country", ("DE", "GE"), _name, r"^[A-Z]{2}$", ("string", "boolean"))
ZONE = Form("a time zone", ("Europe/Berlin",), _zone, r"\S")
MONEY = Form("an amount of money", ("12.50",), _money, _AMOUNT, ("number", "string"), minimum=0)
MONEY_ABOVE_ZERO = Form("an amount of money", ("50.00",), _money_above_zero, _AMOUNT, ("number", "string"), minimum=0)
EVERY = Form(
    "an amount or a count",
    ("1.00", "1 unit", "3 visits"),
    _every,
    r"^[0-9]+((\.[0-9]+)?| +(units?|visits?))$",
    ("number", "string"),
    minimum=0,
)
GIVE = Form("points of a wallet", ("5 beans", "1 star"), _give, r"^[0-9]+ +\S+$")
LIMIT_POINTS = Form("a number of points", ("500",), _limit_points, r"^[0-9]+( +\S+)?$", ("integer", "string"), minimum=1)
TIMES_LIMIT = Form("a number", ("1",), _times_limit, r"^[0-9]+$", ("integer", "string"), minimum=1)
NTH = Form("the number of a visit", ("5",), _nth, r"^[0-9]+$", ("integer", "string"), minimum=1)
FACTOR = Form("a factor", ("2", "1.25"), _factor, r"^[0-9]+(\.[0-9]+)?$", ("number", "string"), minimum=1)
DURATION = Form("a duration", ("30 days", "12 months"), _duration, r"^[0-9]+ +(day|month)s?$")
JOINING = Form("a duration of joining", ("30 days of joining",), _joining, r"^[0-9]+ +(day|month)s? of joining$")
DATE = Form("a date", ("2026-12-01",), _date, r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
HOURS = Form("a span of hours", ("15:00-17:00",), _hours, r"^[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$")
YES = choice("true")
