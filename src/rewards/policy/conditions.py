"""Conditions and schedules: what was read of them -> the model's records.

What does not live here: whether they hold (`engine`), and oddities that are
legal (`oddities`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rewards.days import Duration, Window
from rewards.policy.attributes import Declared
from rewards.policy.model import (
    ALL,
    AmountIs,
    Amounts,
    Anniversary,
    Birthday,
    Condition,
    FirstPurchase,
    HasAttribute,
    HasCode,
    InTier,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Schedule,
    Selection,
)
from rewards.policy.problems import Report, Span
from rewards.policy.selections import Selections, bounds_crossed
from rewards.policy.shape import Got, Table
from rewards.policy.tiers import Levels

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AMOUNTS: tuple[Amounts, ...] = ("spend", "units", "visits")
MEASURE_LONGER = "measure a longer one, such as `measure: ever`"
# the most days that a window can have; none for `ever`
MOST_DAYS: dict[str, int] = {"receipt": 1, "day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True)
class OfMembers:
    """What conditions may ask of members."""

    attributes: Declared
    levels: Levels


@dataclass(frozen=True, slots=True)
class OfRule:
    """What a condition must know of its rule or offer; None where that is broken.

    An offer looks at one receipt, and takes nothing back: it may stop above an amount.
    """

    on: Selection | None
    measure: Window | None
    selections: Selections
    report: Report
    members: OfMembers
    offer: bool = False


def compile_conditions(table: Table, rule: OfRule, *, negated: bool = False) -> tuple[Condition, ...]:
    """Return the conditions in a fixed order; what is refused is reported and left out."""
    found: list[Condition] = []
    for name in sorted(table.got):
        if name == "attribute":
            wanted = rule.members.attributes.wanted(table.got[name].value) or ()
            found += [HasAttribute(one, values) for one, values in wanted]
            continue
        condition = _condition(name, table.got[name], rule, negated=negated)
        if condition is not None:
            found.append(condition)
    return tuple(found)


def all_conditions(table: Table) -> Iterator[tuple[str, Got]]:
    """Yield each condition with its key, those under `not` too."""
    for name, got in table.got.items():
        if name == "not":
            yield from all_conditions(got.value)
        else:
            yield name, got


def check_without_receipt(when: Got, code: str, no_code: str, no_purchase: str, report: Report) -> None:
    """Refuse conditions on a receipt where there is none: codes, and amounts of no days; the texts say why."""
    for name, got in all_conditions(when.value):
        if name == "code":
            report.add(code, no_code, got.key, "leave `code` out")
        elif name in AMOUNTS and not got.value.has("within"):
            message = f"{no_purchase}, so `{name}` needs the days that it counts"
            report.add(code, message, got.key, "add `within`, such as `within: 12 months`")


def _condition(name: str, got: Got, rule: OfRule, *, negated: bool) -> Condition | None:
    for what in AMOUNTS:
        if name == what:
            return _amount(what, got, rule, negated=negated)
    if name == "not":
        return _not(got, rule, negated=negated)
    if name == "tier":
        names = rule.members.levels.known(got)
        return InTier(names) if names else None
    return _simple(name, got)


def _simple(name: str, got: Got) -> Condition | None:
    table = got.value if isinstance(got.value, Table) else Table()
    if table.broken:
        return None
    if name == "first_purchase":
        return FirstPurchase(table.value("within"))
    if name == "nth_visit":
        return NthVisit(table.value("every"), every=True) if table.got else NthVisit(got.value)
    if name == "no_visit_for":
        return NoVisitFor(got.value)
    if name in ("birthday", "anniversary"):
        return (Birthday if name == "birthday" else Anniversary)(table.value("within"))
    return MemberFor(table.value("at_least")) if name == "member_for" else HasCode(got.value)


def _not(got: Got, rule: OfRule, *, negated: bool) -> Condition | None:
    table: Table = got.value
    if "not" in table.got:
        span = table.got["not"].key
        rule.report.add("not-in-not", "a `not` inside a `not`", span, "write the conditions without either")
        return None
    if "code" in table.got and len(table.got) > 1 and not rule.offer:
        message = "`not` mixes `code`, which selects receipts, with conditions on days"
        rule.report.add("mixed-not", message, table.got["code"].key, "keep only `code` in this `not`, or take it out")
        return None
    inner = compile_conditions(table, rule, negated=not negated)
    return Not(inner) if inner and not table.broken else None


def _amount(what: Amounts, got: Got, rule: OfRule, *, negated: bool) -> AmountIs | None:
    table: Table = got.value
    least, most = table.get("at_least"), table.get("at_most")
    on = table.get("on")
    of = rule.selections.resolve(on)
    if least and most and least.value > most.value:
        bounds_crossed(least, most, rule.report)
    elif what == "visits":
        _visits(got, of, rule, negated=negated)
    elif not rule.offer and not _allowed(what, got, most, rule.report, negated=negated):
        return None
    if table.broken or (on and of is None):
        return None
    return AmountIs(
        what=what,
        at_least=least.value if least else None,
        at_most=most.value if most else None,
        within=table.value("within"),
        of=None if of == rule.on else of,
    )


def _allowed(what: Amounts, got: Got, most: Got | None, report: Report, *, negated: bool) -> bool:
    advice = "say it with `at_least`, or give less by a `limit`"
    why = "a later purchase would take back what an earlier one gave"
    if negated:
        report.add("amount-in-not", f"`{what}` inside `not`: {why}", got.key, advice)
        return False
    if most:
        report.add("at-most-amount", f"`at_most` of `{what}`: {why}", most.key, advice)
        return False
    return True


def _foreign_at_most(span: Span, report: Report, *, negated: bool) -> None:
    what = "`not` of visits" if negated else "`at_most` visits"
    message = f"{what} that counts other lines than the rule earns on"
    report.add("at-most-visits", message, span, "leave `on` out to count the rule's own visits, or write `on: all`")


def _visits(got: Got, of: Selection | None, rule: OfRule, *, negated: bool) -> None:
    least, on = got.value.get("at_least"), got.value.get("on")
    _visits_fit(least, got.value, rule)
    if rule.offer:
        return
    limits_visits = bool(least) if negated else got.value.get("at_most") is not None
    if limits_visits and of is not None and of not in (ALL, rule.on) and rule.on is not None:
        _foreign_at_most(on.place if on else got.key, rule.report, negated=negated)


def _visits_fit(least: Got | None, table: Table, rule: OfRule) -> None:
    within: Duration | None = table.value("within")
    if least is None or (table.has("within") and within is None):
        return
    if within is not None:
        most = within.count if within.unit == "days" else within.count * 31
        window = f"`within: {table.got['within'].text}`"
    elif rule.measure is not None and rule.measure in MOST_DAYS:
        most, window = MOST_DAYS[rule.measure], "a receipt" if rule.offer else f"`measure: {rule.measure}`"
    else:
        return
    if least.value > most:
        advice = "write `within: 12 months`" if rule.offer else MEASURE_LONGER
        visits_do_not_fit(least, most, window, rule.report, advice)


def visits_do_not_fit(visits: Got, most: int, window: str, report: Report, advice: str = MEASURE_LONGER) -> None:
    """Report a number of visits that a window can't hold: a visit is a day."""
    message = f"{visits.value if isinstance(visits.value, int) else visits.value.every} visits never happen in {window}"
    days = "day" if most == 1 else "days"
    why = f"a visit is a day, and the window has at most {most} {days}"
    report.add("visits-do-not-fit", message, visits.span, f"{why}: {advice}")


def compile_schedule(got: Got | None) -> Schedule | None:
    """Return the schedule; days are ordinals, Monday is 0."""
    if got is None:
        return None
    table: Table = got.value
    days, dates, stores = table.get("days"), table.get("dates"), table.get("stores")
    return Schedule(
        starts=table.value("from"),
        ends=table.value("until"),
        days=frozenset(DAYS.index(day.value) for day in days.value) if days else None,
        dates=frozenset(day.value for day in dates.value) if dates else None,
        hours=table.value("hours"),
        stores=frozenset(store.value for store in stores.value) if stores else None,
    )
