"""Wallets: what was read of `points` -> the model's records.

What does not live here: lots and when they end (`ledger`).
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from math import gcd

from rewards.days import Duration, plus
from rewards.policy.forms import Given
from rewards.policy.model import Expiry, Liability, Pays, Text, Wallet
from rewards.policy.problems import Report
from rewards.policy.shape import Got, Table

_FOUR_YEARS = range(date(2027, 1, 1).toordinal(), date(2031, 1, 1).toordinal())


def text_of(got: Got | None) -> Text:
    """Return a text by language; one without languages stands under an empty tag."""
    if got is None:
        return {}
    if isinstance(got.value, Table):
        return {tag: text.value for tag, text in got.value.got.items()}
    return {"": got.value}


def compile_wallet(key: str, got: Got, report: Report) -> Wallet:
    """Return a wallet; contradictions of its terms are reported."""
    table: Table = got.value
    pending: Duration | None = table.value("pending")
    expires = expiry_of(table.get("expires"))
    if pending and expires:
        _ends_after_pending(pending, expires, table, report)
    return Wallet(
        key=key,
        one=table.value("one", key),
        title=text_of(table.get("title")),
        round=table.value("round", "down"),
        pending=pending,
        expires=expires,
        pays=_pays(key, table.get("pays"), report),
        liability=_liability(key, table.get("liability"), report),
    )


def expiry_of(got: Got | None) -> Expiry | None:
    """Return an expiry as read; None for `never`, and for a broken one."""
    if got is None or not isinstance(got.value, Table) or got.value.broken:
        return None
    return Expiry(after=got.value.value("after"), at=got.value.value("at"), since=got.value.value("since", "earned"))


def _ends_after_pending(pending: Duration, expires: Expiry, table: Table, report: Report) -> None:
    """Refuse points that may end before anyone could use them."""
    if expires.since == "available":
        return
    inner: Table = table.got["expires"].value
    pending_text = table.got["pending"].text
    if expires.after is None:
        place, message = (
            inner.got["at"],
            f"points earned at a period's end are over before `pending: {pending_text}` is",
        )
        report.add("expires-too-soon", message, place.span, "add `after`, longer than `pending`")
    elif not longer(expires.after, pending):
        place = inner.got["after"]
        message = f"`after: {place.text}` is not always longer than `pending: {pending_text}`"
        report.add("expires-too-soon", message, place.span, "write a longer `after`, or `since: available`")


def longer(one: Duration, other: Duration) -> bool:
    """Tell whether a duration ends later than another one from every day of four years."""
    if one.unit == other.unit:
        return one.count > other.count
    return all(plus(day, one) > plus(day, other) for day in _FOUR_YEARS)


def _pays(key: str, got: Got | None, report: Report) -> Pays | None:
    if got is None or got.value.broken:
        return None
    table: Table = got.value
    if any(_of_another(table.got[name], key, report) for name in ("points", "minimum", "step") if table.has(name)):
        return None
    points, buys = table.value("points").points, table.value("buys")
    step = table.value("step").points if table.has("step") else points
    minimum = table.value("minimum").points if table.has("minimum") else step
    if step * buys % points:
        least = points // gcd(points, buys)
        place = table.got["step" if table.has("step") else "points"]
        message = f"{step} {key} buy no whole number of the currency's smallest units"
        report.add("pays-fraction", message, place.span, f"write a `step` of {least} {key}, or a multiple of it")
        return None
    if minimum % step:
        place = table.got["minimum"]
        message = f"{minimum} {key} are no whole number of steps of {step}"
        report.add("pays-minimum", message, place.span, f"write `{-(-minimum // step) * step} {key}`")
        return None
    share: Fraction = table.value("at_most", Fraction(1))
    return Pays(
        points=points, buys_minor=buys, minimum=minimum, step=step, at_most=(share.numerator, share.denominator)
    )


def _of_another(got: Got, key: str, report: Report, what: str = "these are") -> bool:
    given: Given = got.value
    if not given.wallet or given.wallet == key:
        return False
    message = f"{what} {given.wallet} in the wallet {key}"
    report.add("wrong-wallet", message, got.span, f"write `{given.points} {key}`")
    return True


def _liability(key: str, got: Got | None, report: Report) -> Liability | None:
    if got is None or got.value.broken:
        return None
    points: Got = got.value.got["points"]
    _of_another(points, key, report, "this values")
    return Liability(points.value.points, got.value.value("worth"))
