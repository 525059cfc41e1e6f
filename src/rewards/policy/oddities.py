"""Warnings and notes: what is legal in a policy and yet hardly meant, or good to know.

What does not live here: what is refused (`rules`, `conditions`, `compile`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from rewards.days import WINDOWS
from rewards.policy.conditions import DAYS, MOST_DAYS
from rewards.policy.model import (
    AmountIs,
    Condition,
    FirstPurchase,
    Flat,
    Not,
    NoVisitFor,
    NthVisit,
    Rate,
    Schedule,
    Wallet,
)
from rewards.policy.problems import Also, Report, Span
from rewards.policy.rules import Draft
from rewards.policy.shape import Got, Table
from rewards.policy.wording import quoted

# the most windows of one kind in another: 31 days in a month
MOST_WINDOWS: dict[tuple[str, str], int] = {
    **{("day", outer): count for outer, count in MOST_DAYS.items() if outer != "receipt"},
    ("month", "quarter"): 3,
    ("month", "year"): 12,
    ("quarter", "year"): 4,
    **{(window, window): 1 for window in WINDOWS},
}


def remark_on_rule(draft: Draft, *, points_count: bool, report: Report) -> None:
    """Warn of what is odd in one rule."""
    _measure(draft, report)
    _first_purchase(draft, report)
    _limits(draft, report)
    if draft.schedule and (got := draft.table.get("schedule")):
        remark_on_schedule(draft.schedule, got, report)
    paid_with = draft.table.get("paid_with")
    if paid_with and not points_count and {one.value for one in paid_with.value} == {"points"}:
        message = "what points pay does not count, so this rule never gives"
        report.add(
            "never-gives", message, paid_with.key, "write `paid_by_points: counts` in `eligible`, or delete the rule"
        )


def _measure(draft: Draft, report: Report) -> None:
    drop = draft.table.get("remainder")
    if isinstance(draft.gives, Rate) and draft.gives.what == "visits":
        return  # refused by the receipt
    if draft.measure == "receipt":
        message = "each receipt is measured alone: one purchase on two receipts earns something else than on one"
        place = draft.place("measure")
        report.add("measure-receipt", message, place, "leave `measure` out to measure the day, where this can't happen")
        if drop:
            message = "`remainder` has no effect: nothing is carried from one receipt to the next"
            report.add("no-effect", message, drop.key, "leave `remainder` out")
    elif drop and drop.value == "drop" and isinstance(draft.gives, Flat):
        message = "`remainder` has no effect on a rule without `every`"
        report.add("no-effect", message, drop.key, "leave `remainder` out")


def _first_purchase(draft: Draft, report: Report) -> None:
    when = draft.table.get("when")
    first = when.value.get("first_purchase") if when else None
    amount = next((one for one in ("spend", "units") if when and when.value.get(one)), "")
    if first and amount:
        message = f"`first_purchase` with `{amount}`: who buys less on the first day never gets it"
        advice = f"leave `first_purchase` out, and keep `{amount}` with `limit: {{times: 1, per: ever}}`"
        report.add("first-purchase-amount", message, first.key, advice)


def remark_on_absence(draft: Draft, report: Report) -> None:
    """Note a rule that a late receipt can take points back from."""
    when = draft.table.get("when")
    if when and any(map(_about_absence, draft.when)):
        message = f"a receipt that arrives late can take back what {quoted(draft.id)} gave"
        advice = "nothing to mend: the rule looks at what did not happen; an entry of its own will say so"
        report.add("about-absence", message, when.key, advice)


def _about_absence(condition: Condition) -> bool:
    if isinstance(condition, AmountIs):
        return condition.at_most is not None
    return isinstance(condition, (FirstPurchase, NoVisitFor, NthVisit, Not)) and not _only_codes(condition)


def _only_codes(condition: Condition) -> bool:
    return isinstance(condition, Not) and all(
        type(one).__name__ in ("HasCode", "MemberFor") for one in condition.all_of
    )


def _limits(draft: Draft, report: Report) -> None:
    seen: dict[str, Got] = {}
    for limit, got in draft.limits:
        if limit.per in seen:
            also = Also(seen[limit.per].value.got["per"].span, "the other limit")
            message = f"two limits per {limit.per}: only the smaller one holds"
            report.add("two-limits", message, got.value.got["per"].span, "keep the smaller one", also)
        seen.setdefault(limit.per, got)
    for limit, got in draft.limits:
        most = _most(draft, limit.per)
        if most is not None and most <= limit.points:
            window = "in all" if limit.per == "ever" else f"per {limit.per}"
            message = f"this limit never holds anything back: the rule gives at most {most} {window}"
            report.add("limit-cannot-bind", message, got.key, "delete it, or lower it")


def _most(draft: Draft, per: str) -> int | None:
    """Return the most points of a rule in a window, by what it counts and by its shorter limits; None for no most."""
    alone = _most_by_itself(draft, per)
    found = [] if alone is None else [alone]
    for limit, _ in draft.limits:
        if limit.per != per and (limit.per, per) in MOST_WINDOWS:
            found.append(limit.points * MOST_WINDOWS[limit.per, per])
    return min(found, default=None)


def _most_by_itself(draft: Draft, per: str) -> int | None:
    if isinstance(draft.gives, Flat) and draft.measure not in (None, "receipt") and any(map(_once, draft.when)):
        return draft.gives.give
    windows = MOST_WINDOWS.get((draft.measure or "", per))
    if windows is None or (draft.measure == "receipt" and per != "receipt"):
        return None
    if isinstance(draft.gives, Flat):  # an activity may come any number of times
        return windows * draft.gives.give
    if isinstance(draft.gives, Rate) and draft.gives.what == "visits" and draft.measure in MOST_DAYS:
        return windows * (MOST_DAYS[draft.measure] * draft.gives.give // draft.gives.every + 1)
    return None


def _once(condition: Condition) -> bool:
    """Tell whether the condition holds on one day of a member's life at most."""
    return isinstance(condition, FirstPurchase) or (isinstance(condition, NthVisit) and not condition.every)


def remark_on_schedule(schedule: Schedule, got: Got, report: Report) -> None:
    """Warn of a schedule whose parts never hold together."""
    table: Table = got.value
    first, last = schedule.starts, schedule.ends
    for name, whole in (("days", schedule.days == frozenset(range(7))), ("hours", schedule.hours == (0, 24 * 60))):
        if whole:
            report.add("no-effect", f"these `{name}` leave nothing out", table.got[name].key, f"leave `{name}` out")
    if first is not None and last is not None and first > last:
        message = f"`from: {table.got['from'].text}` is after `until: {table.got['until'].text}`, so this never holds"
        report.add("schedule-never-holds", message, table.got["from"].span, "exchange the two")
        return
    if schedule.dates is not None:
        _dates(schedule, table, report)
    elif first is not None and last is not None and not _any_day_holds(schedule, first, last):
        message = "none of these days of the week lies between `from` and `until`, so this never holds"
        report.add("schedule-never-holds", message, table.got["days"].key, "check the dates, or leave `days` out")


def _any_day_holds(schedule: Schedule, first: int, last: int) -> bool:
    return any(_holds(schedule, day) for day in range(first, min(last, first + 6) + 1))


def _dates(schedule: Schedule, table: Table, report: Report) -> None:
    outside = [got for got in table.got["dates"].value if not _holds(schedule, got.value)]
    for got in outside:
        name = DAYS[_weekday(got.value)]
        message = f"{got.text} (a {date.fromordinal(got.value):%A}) is outside of the rest of the schedule"
        report.add(
            "schedule-never-holds",
            message,
            got.span,
            f"delete it, or check `from`, `until` and `days` (it is `{name}`)",
        )


def _holds(schedule: Schedule, day: int) -> bool:
    late_enough = schedule.starts is None or day >= schedule.starts
    early_enough = schedule.ends is None or day <= schedule.ends
    return late_enough and early_enough and (schedule.days is None or _weekday(day) in schedule.days)


def _weekday(day: int) -> int:
    return (day - 1) % 7


def remark_on_except(root: Table, report: Report) -> None:
    """Warn of every `except` map with two keys: it leaves out only what is both."""
    stack: list[object] = [root]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            stack += [one.value for one in value]
        elif isinstance(value, Table):
            stack += [one.value for one in value.got.values()]
            excluded = value.get("except")
            if excluded and isinstance(excluded.value, Table) and len(excluded.value.got) > 1:
                _two_keys(excluded, report)


def _two_keys(excluded: Got, report: Report) -> None:
    names = list(excluded.value.got)
    message = f"this leaves out only what is both: `{names[0]}` and `{names[1]}`"
    parts = ", ".join(f"{{{name}: …}}" for name in names)
    report.add(
        "except-two-keys", message, excluded.key, f"to leave out what is either, write a list: `except: [{parts}]`"
    )


def remark_on_unused(what: str, named: dict[str, Got], used: Iterable[str], report: Report) -> None:
    """Warn of a selection, wallet or group that nothing uses."""
    for name, got in named.items():
        if name not in used:
            place: Span = got.key
            report.add("unused", f"nothing uses the {what} {quoted(name)}", place, "use it, or delete it")


def remark_on_wallet(wallet: Wallet, got: Got, report: Report) -> None:
    """Warn of an expiry counted from the end of a pending time that is not there."""
    if wallet.expires and wallet.expires.since == "available" and wallet.pending is None:
        since = got.value.got["expires"].value.got["since"]
        message = "`since: available` has no effect: points are available at once"
        report.add("no-effect", message, since.span, "leave `since` out, or add `pending`")
