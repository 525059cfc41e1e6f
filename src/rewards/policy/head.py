"""The head of a policy file: language, currency, time zone, country, and the facts that other values need.

What does not live here: anything that reads a clock. Currencies and countries
are those of the installed CLDR (babel), zones those of the IANA data.
"""

from __future__ import annotations

import re
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

from rewards.policy.forms import RESERVED, Facts
from rewards.policy.problems import START, Report, Span
from rewards.policy.shape import Got, Table
from rewards.policy.source import Map, Node, Scalar
from rewards.policy.wording import nearest, quoted

LANGUAGE = "rewards/v1"
_WORDS = {"unit", "units", "visit", "visits", "day", "days", "month", "months"}


def speaks_our_language(root: Node, report: Report) -> bool:
    """Tell whether the file is a policy of a language that we know; else nothing more is said of it."""
    if not isinstance(root, Map):
        advice = f"start with `policy: {LANGUAGE}`, one `key: value` a line"
        report.add("wrong-kind", "a policy is a map", root.span, advice)
        return False
    at = next((i for i, entry in enumerate(root.entries) if entry.key.text == "policy"), None)
    if at is None:
        return True  # the schema says that it is missing
    entry = root.entries[at]
    if not isinstance(entry.value, Scalar) or entry.value.text != LANGUAGE:
        written = quoted(entry.value.text) if isinstance(entry.value, Scalar) else "this"
        report.add(
            "unknown-language",
            f"{written} is not a language that this engine reads",
            entry.value.span,
            f"write `policy: {LANGUAGE}`",
        )
        return False
    if at > 0:
        message = "`policy` is not the first key"
        report.add("policy-not-first", message, entry.key.span, f"move `policy: {LANGUAGE}` to the top of the file")
    return True


def draft_facts(root: Map) -> Facts:
    """Return what forms must know, read loosely: faults are reported when the sections are read."""
    currency = _text(_value(root, "currency"))
    points = _value(root, "points")
    units: dict[str, str] | None = None
    if isinstance(points, Map):
        units = {}
        for entry in points.entries:
            units.setdefault(entry.key.text, entry.key.text)
            if one := _text(_value(entry.value, "one")):
                units.setdefault(one, entry.key.text)
    return Facts(decimals_of(currency), currency, units)


def _value(node: Node, key: str) -> Node | None:
    entries = node.entries if isinstance(node, Map) else []
    return next((entry.value for entry in entries if entry.key.text == key), None)


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


@cache
def _currencies() -> frozenset[str]:
    """The currencies that are legal tender somewhere today."""
    tables = get_global("territory_currencies").values()
    return frozenset(code for table in tables for code, _, end, tender in table if end is None and tender)


def decimals_of(currency: str) -> int | None:
    """Return the decimals of a currency that is in use, else None."""
    if currency not in _currencies():
        return None
    fractions = get_global("currency_fractions")
    return int(fractions.get(currency, fractions["DEFAULT"])[0])


def check_currency(got: Got, report: Report) -> None:
    """Report a currency that is no legal tender today."""
    if got.value not in _currencies():
        message = f"{quoted(got.value)} is not a currency in use"
        upper = got.value.upper()
        advice = f"did you mean `{upper}`?" if upper in _currencies() else "write its ISO 4217 code, such as `EUR`"
        report.add("unknown-currency", message, got.span, advice)


def check_country(got: Got, report: Report) -> None:
    """Report a country that is not an ISO 3166 code."""
    countries = get_global("territory_currencies")
    if got.value not in countries or not re.fullmatch("[A-Z]{2}", got.value):
        upper = got.value.upper()
        upper = "GB" if upper == "UK" else upper
        advice = f"did you mean `{upper}`?" if upper in countries else "write its ISO 3166 code, such as `DE`"
        report.add("unknown-country", f"{quoted(got.value)} is not a country", got.span, advice)


def open_zone(got: Got, report: Report) -> ZoneInfo | None:
    """Return the time zone; names that mean something else on another machine are refused."""
    name: str = got.value
    if name == "UTC" or re.fullmatch(r"(?!posix/|right/|SystemV/)[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)+", name):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass
    zones = sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/"))
    by_lower = {zone.lower(): zone for zone in zones}
    wanted = name.lower().replace(" ", "_")
    city = next((zone for zone in zones if zone.lower().endswith("/" + wanted)), "")
    meant = by_lower.get(wanted) or city
    advice = f"did you mean `{meant}`?" if meant else "write an IANA name, such as `Europe/Berlin`"
    if not meant and (close := _close(wanted, by_lower)):
        advice = f"did you mean `{close}`?"
    report.add("unknown-timezone", f"{quoted(name)} is not a time zone", got.span, advice)
    return None


def _close(wanted: str, zones: dict[str, str]) -> str:
    return zones.get(nearest(wanted, zones), "")


def check_units(points: Table, report: Report) -> None:
    """Report a word for points that means two things."""
    taken: dict[str, tuple[str, Span]] = dict.fromkeys(_WORDS, ("a word of the language", START))
    for key, got in points.got.items():
        words = [(key, got.key)]
        one = got.value.get("one")
        if one and one.value != key:
            words.append((one.value, one.span))
        for word, span in words:
            if word in taken or word in RESERVED:
                what = taken.get(word, ("a word of the language", START))[0]
                report.add(
                    "ambiguous-unit", f"{quoted(word)} is also {what}", span, "choose another word for these points"
                )
            taken.setdefault(word, (f"a word of the wallet {quoted(key)}", span))
