"""What kept a rule from giving: the rules one condition short, and by how much.

What does not live here: why a rule did give (`explain`). Nothing here decides
anything; the step alone does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from rewards.days import Duration, Window, period, periods, plus
from rewards.engine.explain import Money, plain, several
from rewards.engine.lines import has_value
from rewards.engine.member import Member, last_birthday, last_yearly
from rewards.engine.plan import (
    LONG,
    Gate,
    Plan,
    Progress,
    Recent,
    RulePlan,
    Visits,
    amount_column,
    is_threshold,
    rule_gate,
)
from rewards.engine.step import HEAD, Compiled, first_day
from rewards.policy.model import (
    AmountIs,
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
    Referred,
)


class Miss(NamedTuple):
    """A rule that one condition kept from giving, and by how much."""

    rule: str
    condition: str
    why: str
    short: int  # minor units for spend, else units, visits or days; 0 where there is no distance
    unit: str  # "minor", "units", "visits", "days" or ""


def near_misses(
    version: Compiled,
    carry: Sequence[Any],
    vectors: Sequence[Sequence[int]],
    day: int,
    member: Member,
    points: Mapping[int, int],
    codes: Sequence[str],
) -> list[Miss]:
    """Return the rules that gave nothing because of exactly one condition, in the order of their ids."""
    found = []
    today = vectors[0] if len(vectors) == 1 else [sum(column) for column in zip(*vectors, strict=True)]
    scene = Scene(version, carry, today, day, member)
    for rule in version.plan.conditional:
        if not points.get(rule.index):
            failed = _failures(scene, rule, codes)
            first = next(failed, None)
            if first is not None and first.condition not in _UNTOLD and next(failed, None) is None:
                found.append(first)
    return found


_UNTOLD = ("code", "referral")  # nobody is told a code, or that they came by themselves


class Scene(NamedTuple):
    """A day as conditions see it: the carry before it, the sums of its receipts so far."""

    version: Compiled
    carry: Sequence[Any]
    today: Sequence[int]
    day: int
    member: Member


def _failures(scene: Scene, rule: RulePlan, codes: Sequence[str]) -> Iterator[Miss]:
    """Yield what keeps the rule back, one for each condition that does not hold."""
    for gate in rule.all_gates:
        if miss := failure(scene, rule.rule.id, gate):
            yield miss
    for i, (column, least) in enumerate(rule.marks):
        if miss := _threshold(scene, rule, column, least, i):
            yield miss
    for condition in rule.rule.when:
        if isinstance(condition, HasCode) and condition.code not in codes:
            yield Miss(rule.rule.id, "code", f"needs the code {condition.code}", 0, "")


def lacking(scene: Scene, rule: RulePlan, condition: Condition, codes: Sequence[str]) -> Miss | None:
    """Return why one condition of the rule's own `when`, or inside its `not`, does not hold; None if it does."""
    if isinstance(condition, HasCode):
        why = f"needs the code {condition.code}"
        return None if condition.code in codes else Miss(rule.rule.id, "code", why, 0, "")
    if is_threshold(condition):
        position = [one for one in rule.rule.when if is_threshold(one)].index(condition)
        return _threshold(scene, rule, *rule.marks[position], position)
    return failure(scene, rule.rule.id, rule_gate(rule.rule, condition))


def _threshold(scene: Scene, rule: RulePlan, column: int, least: int, position: int) -> Miss | None:
    before = 0
    if rule.rule.measure in LONG:
        plan = scene.version.plan
        slot = scene.carry[HEAD + plan.slots.index(Progress(rule.rule.id, rule.rule.meaning))]
        if slot[0] == period(scene.day, rule.rule.measure):
            before = slot[position - len(rule.marks)]  # thresholds stand at the end
    short = least - before - scene.today[column]
    if short <= 0:
        return None
    what = scene.version.plan.columns[column].what
    money = Money(scene.version.policy.decimals)
    text = f"{money.text(short)} short of {money.text(least)}" if what == "spend" else f"{short} short of {least} units"
    return Miss(rule.rule.id, what, text, short, "minor" if what == "spend" else "units")


def failure(scene: Scene, name: str, gate: Gate) -> Miss | None:
    """Return why a gate of the day does not hold for the rule or offer of that name, or None if it does."""
    condition = gate.condition
    if not scene.member.joined:
        return Miss(name, word(condition), "needs a member", 0, "")
    if isinstance(condition, AmountIs):
        return _amount(scene, name, condition, gate)
    if isinstance(condition, Not):
        inner = condition.all_of
        if all(failure(scene, name, Gate(each, gate.measure)) is None for each in inner):
            return Miss(name, "not", f"is not for when `{word(inner[0])}` holds", 0, "")
        return None
    text, short, unit = _history(scene, condition)
    text = text or _who(scene, condition)
    return Miss(name, word(condition), text, short, unit) if text else None


def _history(scene: Scene, condition: Condition) -> tuple[str, int, str]:
    """Return what a condition on the member's past lacks (words, distance, unit); no words if it holds."""
    day, visits = scene.day, scene.carry[2]
    today = int(scene.today[0] > 0)
    match condition:
        case FirstPurchase() if visits:
            return "is for the first purchase", 0, ""
        case FirstPurchase(within=Duration() as within) if day >= plus(scene.member.joined, within):
            return "came too late after joining", 0, ""
        case NthVisit(number=number, every=every):
            left = (-(visits + today)) % number if every else number - visits - today
            if left or not today:
                return several(left, "more visit") if left > 0 else "is for another visit", max(left, 0), "visits"
        case NoVisitFor() if not visits:
            return "there was no visit before", 0, ""
        case NoVisitFor(duration=duration) if (left := plus(scene.carry[1], duration) - day) > 0:
            since = date.fromordinal(scene.carry[1]).isoformat()
            return f"the last visit was on {since}, {several(left, 'day')} too near", left, "days"
        case MemberFor(at_least=duration) if (left := plus(scene.member.joined, duration) - day) > 0:
            return f"{several(left, 'more day')} as a member", left, "days"
    return "", 0, ""


def _who(scene: Scene, condition: Condition) -> str:
    """Return what a condition on the member lacks; no words if it holds."""
    day, member = scene.day, scene.member
    match condition:
        case HasAttribute(name=name, values=values) if not has_value(member.attributes.get(name), values):
            return f"is for members whose `{name}` is {' or '.join(map(plain, sorted(values, key=str)))}"
        case Referred() if not member.referred:
            return "is for who was brought by another member"
        case Birthday() if not member.born:
            return "the member's birthday is not known"
        case Birthday(within=within) if day >= plus(last_birthday(member.born, day), within):
            return "is for the days from the birthday on"
        case Anniversary(within=within) if not (last := last_yearly(member.joined, day)) or day >= plus(last, within):
            return "is for the days from the day of joining on, each year"
        case InTier(names=names) if (held := tier_of(scene)) not in names:
            return f"is for {' or '.join(sorted(names))}; the tier is {held}"
    return ""


def tier_of(scene: Scene) -> str:
    """Return the name of the level that the member holds on the scene's day."""
    ladder = scene.version.ladder
    assert ladder is not None
    return ladder.names[ladder.held(scene.version.standing(scene.carry), scene.day).level]


def _amount(scene: Scene, name: str, condition: AmountIs, gate: Gate) -> Miss | None:
    column, at = _places(scene.version.plan, condition, gate.measure)
    amount = scene.today[column]
    if condition.what == "visits":
        amount = int(amount > 0)
    if condition.within is not None:
        known = scene.carry[HEAD + at]
        first = first_day(scene.day, condition.within)
        pairs = [known[i + 1] for i in range(0, len(known), 2) if known[i] >= first]
        amount += len(pairs) if condition.what == "visits" else sum(pairs)
    elif gate.measure in LONG:
        slot = scene.carry[HEAD + at]
        amount += slot[1] if slot[0] == periods(scene.day)[_WINDOW[gate.measure]] else 0
    unit = {"spend": "minor", "units": "units", "visits": "visits"}[condition.what]
    text = Money(scene.version.policy.decimals).text if condition.what == "spend" else str
    if condition.at_least is not None and amount < condition.at_least:
        short = condition.at_least - amount
        words = f"{text(short)} short of {text(condition.at_least)}"
        return Miss(name, condition.what, f"{words} {'' if unit == 'minor' else unit}".strip(), short, unit)
    if condition.at_most is not None and amount > condition.at_most:
        return Miss(name, condition.what, f"is for at most {text(condition.at_most)}", 0, "")
    return None


def _places(plan: Plan, condition: AmountIs, measure: Window) -> tuple[int, int]:
    """Return where a condition's column and its slot are, -1 for no slot; quickly for a condition of the plan's own."""
    known = plan.amounts.get((id(condition), measure))
    if known is not None:  # it holds the condition, so nothing else has its identity
        return known[1], known[2]
    column = amount_column(condition)
    slot = Recent(column) if condition.within is not None else Visits(column, measure) if measure in LONG else None
    return plan.columns.index(column), plan.slots.index(slot) if slot is not None else -1


_WINDOW = {"week": 1, "month": 2, "quarter": 3, "year": 4, "ever": 5}
_WORDS = {
    FirstPurchase: "first_purchase",
    NthVisit: "nth_visit",
    NoVisitFor: "no_visit_for",
    MemberFor: "member_for",
    HasCode: "code",
    HasAttribute: "attribute",
    Birthday: "birthday",
    Anniversary: "anniversary",
    InTier: "tier",
    Referred: "referral",
    Not: "not",
}


def word(condition: Condition) -> str:
    """Return the key of `when` that the condition was written under."""
    return condition.what if isinstance(condition, AmountIs) else _WORDS[type(condition)]
