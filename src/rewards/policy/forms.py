"""The forms of single values: how an amount, a duration or a date is written, and what it is read as.

What does not live here: which key takes which form (`schema`). A form reads
text; it raises `Wrong` with words that let the author mend the value.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from rewards.policy.wording import Hint, one_of, quoted

MOST = 10**9  # points, units, visits
MOST_MONEY = 10**12  # minor units
LONGEST_TEXT = 200
ID = r"[a-z][a-z0-9]*(-[a-z0-9]+)*"
_AN_AMOUNT = "an amount such as `12.50`"
RESERVED = ("all", "true", "false", "null", "yes", "no", "on", "off")
LONGEST_ID = 60


class Wrong(Exception):
    """The text does not have the form; becomes a problem at its place."""

    def __init__(self, code: str, message: str, help: str | Hint = "") -> None:  # noqa: A002
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

    what: Literal["spend", "units", "visits"]
    every: int


def _whole(text: str, code: str, what: str, most: int, least: int = 1) -> int:
    if not re.fullmatch(r"[0-9]{1,18}", text):
        plain = re.sub(r"[,_ ]", "", text)
        advice = (
            f"write `{int(plain)}`"
            if re.fullmatch(r"[0-9]{1,18}", plain)
            else f"write {what} such as `{max(5, least)}`"
        )
        raise Wrong(code, f"{quoted(text)} is not a whole number", advice)
    number = int(text)
    if not least <= number <= most:
        raise Wrong(
            "out-of-range", f"{quoted(text)} is not between {least} and {most}", f"write {what} in these bounds"
        )
    return number


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where a level begins: so much `spend`, so many `visits`, or points of a wallet; a bare 0 names none of them."""

    what: str
    amount: int


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
        raise Wrong(
            "bad-text", f"{quoted(text)} is not a kind of tender", f"write `{mended[:40] or 'cash'}`, as the till does"
        )
    return text


def _code(text: str, _facts: Facts) -> str:
    if not 1 <= len(text.strip()) <= LONGEST_ID:
        raise Wrong("bad-text", "a code has 1 to 60 characters", "write the code as it is printed, such as `AUTUMN300`")
    return text.strip().upper()


def check_id(text: str) -> str:
    """Return the id; raises `Wrong` if it is not a slug or means something else."""
    if text in RESERVED:
        raise Wrong(
            "bad-id", f"{quoted(text)} is a word of the language", f"choose another name, such as `{text}-items`"
        )
    if len(text) > LONGEST_ID or not re.fullmatch(ID, text):
        mended = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:LONGEST_ID].strip("-")
        fits = re.fullmatch(ID, mended) and mended not in RESERVED
        advice = f"write `{mended}`" if fits else f"write one such as `double-points`, at most {LONGEST_ID} characters"
        message = f"{quoted(text)} is not an id: small letters, digits and single hyphens, a letter first"
        raise Wrong("bad-id", message, advice)
    return text


def check_name(text: str, ids: Form) -> None:
    """Raise `Wrong` if the text is not a name of this form; every name but an id may be `all`."""
    if ids is IDENTIFIER:
        check_id(text)
    elif not re.fullmatch(ids.pattern or "", text):
        raise Wrong("bad-id", f"{quoted(text)} is not {ids.name}", f"such as `{ids.examples[0]}`")


def _id(text: str, _facts: Facts) -> str:
    return check_id(text)


def _name(text: str, _facts: Facts) -> str:
    return text  # whether it exists is checked where names are known


def _zone(text: str, _facts: Facts) -> str:
    return text


def choice(*options: str) -> Form:
    """Return the form of a word out of a few."""

    def read(text: str, _facts: Facts) -> str:
        """Return the word; it is one of the options."""
        if text in options:
            return text
        listed = f"write {one_of(options)}"
        raise Wrong("bad-choice", f"{quoted(text)} is not one of the choices here", Hint(text, options, listed))

    return Form(one_of(options), options[:2], read, options=options)


# Numbers.


def _decimal(text: str, facts: Facts, least: int) -> int:
    if not re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,15})?", text):
        raise Wrong("bad-money", f"{quoted(text)} is not an amount of money", _mended_amount(text))
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


def _mended_amount(text: str) -> str:
    if "-" in text or "%" in text:
        return f"write {_AN_AMOUNT}; amounts are never negative, and never a share"
    plain = re.sub(r"[^\d.,]", "", text)
    plain = plain.replace(",", ".") if re.fullmatch(r"\d+,\d{1,2}", plain) else plain.replace(",", "")
    return f"write `{plain}`" if re.fullmatch(r"[0-9]{1,15}(\.[0-9]{1,2})?", plain) else f"write {_AN_AMOUNT}"


def _money(text: str, facts: Facts) -> int:
    return _decimal(text, facts, 0)


def money_above_zero(text: str, facts: Facts) -> int:
    """Return the amount in minor units; raises `Wrong` if it is none, or zero."""
    return _decimal(text, facts, 1)


def _money_range(text: str, facts: Facts) -> tuple[int, int]:
    least, dash, most = text.partition("-")
    if not dash:
        raise Wrong("bad-money", f"{quoted(text)} is one amount", f"write `[{text}]`, or a range such as `5.00-250.00`")
    bounds = money_above_zero(least.strip(), facts), money_above_zero(most.strip(), facts)
    if bounds[0] > bounds[1]:
        raise Wrong(
            "bounds-crossed", f"{quoted(text)} ends before it begins", f"write `{most.strip()}-{least.strip()}`"
        )
    return bounds


def _every(text: str, facts: Facts) -> Every:
    if found := re.fullmatch(r"(\S+) +(unit|visit)s?", text):
        return Every("units" if found[2] == "unit" else "visits", _whole(found[1], "bad-count", "a number", MOST))
    try:
        return Every("spend", money_above_zero(text, facts))
    except Wrong as wrong:
        if wrong.code != "bad-money" or wrong.help != f"write {_AN_AMOUNT}":
            raise
        advice = "write an amount such as `1.00`, or a count such as `1 unit` or `3 visits`"
        raise Wrong("bad-count", f"{quoted(text)} is neither an amount nor a count", advice) from None


def _word_for(number: str, wallet: str, facts: Facts) -> str:
    """Return the wallet's word for one point or for more."""
    one = next((word for word, key in (facts.units or {}).items() if key == wallet and word != key), wallet)
    return one if number == "1" else wallet


def _give(text: str, facts: Facts) -> Given:
    found = re.fullmatch(r"(\S+)(?: +(\S+))?", text)
    number, word = (found[1], found[2] or "") if found else (text, "")
    if not word and re.fullmatch(r"[0-9]+", number):
        known = sorted(set((facts.units or {}).values()))[:2]
        unit = _word_for(number, known[0], facts) if len(known) == 1 else ""
        advice = f"write `{number} {unit}`" if unit else f"name the wallet, as in `5 {known[0] if known else 'points'}`"
        raise Wrong("bad-points", f"{quoted(text)} does not say of which wallet", advice)
    if not word or not re.fullmatch(r"[0-9,_]+", number):
        name = next(iter((facts.units or {"points": "points"}).values()))
        raise Wrong("bad-points", f"{quoted(text)} is not a number of points", f"write points such as `5 {name}`")
    plain = re.sub("[,_]", "", number)
    if plain != number:
        message = f"{quoted(number)} is not a whole number"
        raise Wrong("bad-points", message, f"write `{plain} {word[:40]}`")
    points = _whole(number, "bad-points", "a number of points", MOST)
    if facts.units is not None and word not in facts.units:
        message = f"there is no wallet {quoted(word)}"
        raise Wrong(
            "unknown-wallet", message, Hint(word, facts.units, "declare it in `points`", "the words for points are")
        )
    return Given(points, (facts.units or {}).get(word, ""))


def _per(text: str, facts: Facts) -> Given:
    if re.fullmatch(r"\S+", text):
        known = facts.units
        if text == "point" or known is None or text in known:
            return Given(1, (known or {}).get(text, ""))
        message = f"there is no wallet {quoted(text)}"
        raise Wrong("unknown-wallet", message, Hint(text, ("point", *known), "write `point`", "it is for each"))
    return _give(text, facts)


def _threshold(text: str, facts: Facts) -> Threshold:
    if text == "0":
        return Threshold("", 0)
    if found := re.fullmatch(r"(\S+) +visits?", text):
        return Threshold("visits", _whole(found[1], "bad-count", "a number of visits", MOST, 0))
    if re.fullmatch(r"\S+", text):
        return Threshold("spend", _decimal(text, facts, 0))
    if found := re.fullmatch(r"0 +(\S+)", text):
        return Threshold(_give(f"1 {found[1]}", facts).wallet, 0)
    given = _give(text, facts)
    return Threshold(given.wallet, given.points)


def _qualifies(text: str, facts: Facts) -> str:
    if text in ("spend", "visits"):
        return text
    units = facts.units
    if units is None or text in units:
        return units[text] if units else text
    hint = Hint(text, ("spend", "visits", *units), "write `spend`, `visits` or a wallet", "what can count is")
    raise Wrong("bad-choice", f"{quoted(text)} is neither `spend` nor `visits` nor a wallet", hint)


def _limit_points(text: str, facts: Facts) -> Given:
    if re.fullmatch(r"\S+", text):
        return Given(_whole(text, "bad-points", "a number of points", MOST), "")
    return _give(text, facts)


def _times_limit(text: str, _facts: Facts) -> int:
    return _whole(text, "bad-number", "a number", MOST)


def counted(unit: str) -> Form:
    """Return the form of a count of units or visits, with or without its word."""

    def read(text: str, _facts: Facts) -> int:
        """Return the number, without its word."""
        number = re.sub(rf" +{unit}s?$", "", text)
        return _whole(number, "bad-count", f"a number of {unit}s", MOST)

    pattern = rf"^[0-9]+( +{unit}s?)?$"
    return Form(f"a number of {unit}s", (f"3 {unit}s",), read, pattern, ("integer", "string"), minimum=1)


def _nth(text: str, _facts: Facts) -> int:
    return _whole(text, "bad-number", "the number of a visit", MOST)


def _factor(text: str, _facts: Facts) -> Fraction:
    if not re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", text):
        plain = text.lower().strip("x\u00d7 ").replace(",", ".")
        advice = (
            f"write `{plain}`" if re.fullmatch(r"[0-9]{1,4}(\.[0-9]{1,6})?", plain) else "write a factor such as `1.25`"
        )
        raise Wrong("bad-factor", f"{quoted(text)} is not a factor", advice)
    factor = Fraction(text)
    if not 1 < factor <= 1000:  # noqa: PLR2004  the bound is said in the message
        message = f"{quoted(text)} is not a factor above 1, up to 1000"
        raise Wrong("out-of-range", message, "`times: 2` gives twice as much in all; leave it out to give no more")
    return factor


_ANY = ("string", "number", "boolean")
_AMOUNT = r"^[0-9]+(\.[0-9]+)?$"
TEXT = Form("a text", ("Corner Cafe Club",), _text, r"\S", _ANY)
WORD = Form("one word", ("point",), _word, r"^\S+$")
KIND = Form("a kind of tender", ("gift_card", "cash"), _kind, r"^[a-z0-9_-]+$", ("string", "integer"))
CODE = Form("a code", ("AUTUMN300",), _code, r"\S", _ANY)
IDENTIFIER = Form("an id", ("corner-cafe",), _id, f"^(?!({'|'.join(RESERVED)})$){ID}$")
SELECTION_NAME = Form("the name of a selection", ("hot-drinks", "all"), _name, r"\S")
RULE_NAME = Form("the name of a rule", ("base",), _name, r"\S")
OFFER_NAME = Form("the name of an offer", ("happy-hour",), _name, r"\S")
CARD_NAME = Form("the name of a gift card", ("thank-you",), _name, r"\S")
GROUP_NAME = Form("the name of a group", ("boost",), _name, r"\S")
VALUE = Form("a value", ("true", "large"), _text, r"\S", _ANY)
LANGUAGE = Form("`rewards/v1`", ("rewards/v1",), _name, options=("rewards/v1",))
CURRENCY = Form("a currency", ("EUR", "USD"), _name, r"^[A-Z]{3}$")
COUNTRY = Form("a country", ("DE", "GE"), _name, r"^[A-Z]{2}$", ("string", "boolean"))
ZONE = Form("a time zone", ("Europe/Berlin",), _zone, r"\S")
MONEY = Form("an amount of money", ("12.50",), _money, _AMOUNT, ("number", "string"), minimum=0)
MONEY_ABOVE_ZERO = Form("an amount of money", ("50.00",), money_above_zero, _AMOUNT, ("number", "string"), minimum=0)
MONEY_RANGE = Form("a range of amounts", ("5.00-250.00",), _money_range, r"^[0-9]+(\.[0-9]+)? *- *[0-9]+(\.[0-9]+)?$")
EVERY = Form(
    "an amount or a count",
    ("1.00", "1 unit", "3 visits"),
    _every,
    r"^[0-9]+((\.[0-9]+)?| +(units?|visits?))$",
    ("number", "string"),
    minimum=0,
)
GIVE = Form("points of a wallet", ("5 beans", "1 star"), _give, r"^[0-9]+ +\S+$")
PER_POINT = Form("a point, or so many points", ("point", "100 points"), _per, r"^([0-9]+ +)?\S+$")
LIMIT_POINTS = Form(
    "a number of points", ("500",), _limit_points, r"^[0-9]+( +\S+)?$", ("integer", "string"), minimum=1
)
THRESHOLD = Form(
    "an amount, visits or points",
    ("350.00", "10 visits", "500 points"),
    _threshold,
    r"^[0-9]+((\.[0-9]+)?| +\S+)$",
    ("number", "string"),
    minimum=0,
)
QUALIFIES = Form("`spend`, `visits` or a wallet", ("spend", "visits"), _qualifies, r"\S")
TIER_NAME = Form("the name of a tier", ("gold",), _name, r"\S")
TIMES_LIMIT = Form("a number", ("1",), _times_limit, r"^[0-9]+$", ("integer", "string"), minimum=1)
NTH = Form("the number of a visit", ("5",), _nth, r"^[0-9]+$", ("integer", "string"), minimum=1)
FACTOR = Form("a factor", ("2", "1.25"), _factor, r"^[0-9]+(\.[0-9]+)?$", ("number", "string"), minimum=1)
YES = choice("true")
