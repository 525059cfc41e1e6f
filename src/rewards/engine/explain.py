"""Why a rule gave what it gave, and what one more condition would have brought.

Numbers are kept with each award (`facts`); sentences are made from them and
the policy when somebody asks. What does not live here: balances and lots.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, NamedTuple

from rewards.days import period, periods, plus
from rewards.engine.plan import LONG, Gate, Progress, Recent, RulePlan, Visits, amount_column
from rewards.engine.step import HEAD, Compiled, first_day
from rewards.money import largest_remainder
from rewards.policy.model import (
    AmountIs,
    Condition,
    EarningRule,
    FirstPurchase,
    HasCode,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Policy,
)


def facts(
    version: Compiled, index: int, carry: Sequence[Any], vectors: Sequence[Sequence[int]], day: int, was: int
) -> tuple[int, ...]:
    """Return (points of the rule on that day before this event, sums of the window before today, sums of today).

    The sums are in the order of the rule's terms: spend in minor units, units, or visits (days).
    """
    rule = version.plan.rules[index]
    today = []
    for term in rule.terms:
        amount = sum(vector[term.column] for vector in vectors)
        today.append(int(amount > 0) if rule.visits else amount)
    before = [0] * len(today)
    if rule.rule.measure in LONG:
        slot = carry[HEAD + version.plan.slots.index(Progress(rule.rule.id, rule.rule.meaning))]
        if slot[0] == period(day, rule.rule.measure):
            before = slot[1 : 1 + len(today)]
    return (was, *before, *today)


def why(policy: Policy, rule_id: str, points: int, given: Sequence[int], version: Compiled) -> str:
    """Return the reason of an award as one sentence, from the numbers that `facts` kept."""
    index = version.rule_ids.index(rule_id)
    rule = version.plan.rules[index]
    if not given:
        return "given by staff"
    was, size = given[0], len(rule.terms)
    before, today = given[1 : 1 + size], given[1 + size :]
    money = Money(policy.decimals)
    sums = [a + b for a, b in zip(before, today, strict=True)]
    if points < 0:
        return _taken(rule, policy, sums, was, points, money)
    text = _given(rule, policy, sums, money)
    if was > 0:
        text += f" of that day: {was + points}, of which {was} were given"
    elif was < 0:
        text += f"; {was + points} instead of {was} for the day"
    else:
        text += _window_words(rule.rule) + _carried(rule, sums, money)
    return text + _cut_words(rule, sums, was + points, before)


class Money(NamedTuple):
    """Writes minor units as people do."""

    decimals: int

    def text(self, minor: int) -> str:
        """Return `1234` as `12.34` (two decimals).

        >>> Money(2).text(-5), Money(0).text(70)
        ('-0.05', '70')
        """
        if not self.decimals:
            return str(minor)
        whole, rest = divmod(abs(minor), 10**self.decimals)
        return f"{'-' if minor < 0 else ''}{whole}.{rest:0{self.decimals}}"


def _given(rule: RulePlan, policy: Policy, sums: Sequence[int], money: Money) -> str:
    """Say what was counted: `6 whole 1.00 in 6.70`."""
    model = rule.rule
    name = f" of {model.on_name}" if model.on_name else " eligible"
    if rule.flat:
        return f"once for spending {money.text(sums[0])}{name}" if sums[0] else "once"
    if rule.visits:
        return f"{sums[0]} visits, {rule.terms[0].every} make one"
    if not rule.is_times:
        every = rule.terms[0].every
        if _what(rule) == "units":
            each = f"{sums[0] // every} whole {every} in " if every > 1 else ""
            return f"{each}{sums[0]} unit{'s' if sums[0] != 1 else ''}{name} paid for"
        return f"{sums[0] // every} whole {money.text(every)} in {money.text(sums[0])}{name}"
    up, down = rule.scale
    factor = f"{(up + down) / down:g}" if down else ""
    bases = " and ".join(f"`{base}`" for base in getattr(model.gives, "of", ()))
    amount = money.text(sum(sums)) if _what(rule) == "spend" else f"{sum(sums)} units"
    return f"{factor} times {bases} on {amount}{name}"


def _what(rule: RulePlan) -> str:
    return "units" if getattr(rule.rule.gives, "what", "spend") == "units" else "spend"


def _window_words(model: EarningRule) -> str:
    return {"receipt": " on this receipt", "day": " today", "ever": " so far"}.get(model.measure, f" this {model.measure}")


def _carried(rule: RulePlan, sums: Sequence[int], money: Money) -> str:
    """Say what is carried to the rest of the window, where it is a plain rate."""
    model = rule.rule
    if rule.flat or rule.is_times or rule.rounding != "down":
        return ""
    rest = sums[0] % rule.terms[0].every
    if not rest or model.remainder == "drop" or model.measure == "receipt":
        return ""
    text = money.text(rest) if _what(rule) == "spend" and not rule.visits else str(rest)
    where = "ever after" if model.measure == "ever" else f"the rest of the {model.measure}"
    return f"; {text} carried for {where}"


def _cut_words(rule: RulePlan, sums: Sequence[int], total: int, before: Sequence[int]) -> str:
    """Say that a limit cut the award, if it did."""
    if not rule.limits or rule.rule.measure == "receipt":
        return ""
    full = _plain(rule, sums) - _plain(rule, before)
    if total >= full:
        return ""
    limits = ", ".join(f"{points} per {per}" if per != "ever" else f"{points} in all" for per, points in rule.limits.items())
    return f"; {full} without the limit of {limits}"


def _plain(rule: RulePlan, sums: Sequence[int]) -> int:
    """Return F of the sums without thresholds."""
    if rule.flat:
        return rule.flat if sums[0] > 0 else 0
    if not rule.is_times:
        return sums[0] // rule.terms[0].every * rule.terms[0].give
    factors, by = rule.common()
    return sum(amount * factor for amount, factor in zip(sums, factors, strict=True)) // by


def _taken(rule: RulePlan, policy: Policy, sums: Sequence[int], was: int, points: int, money: Money) -> str:
    """Say what is left of the day and what it gave before."""
    left = was + points
    if not any(sums):
        return f"nothing that counts is left of that day: {left}, not {was}"
    return f"{_given(rule, policy, sums, money)} are left of that day: {left}, not {was}"


def line_shares(points: int, weights: Sequence[int]) -> list[int]:
    """Lay an award on lines by what each added, by largest remainder; the sign is kept."""
    if not any(weights):
        return [0] * len(weights)
    shares = largest_remainder(abs(points), weights)
    return shares if points >= 0 else [-share for share in shares]


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
    joined: int,
    points: Sequence[int],
    codes: Sequence[str],
) -> list[Miss]:
    """Return the rules that gave nothing because of exactly one condition, in the order of their ids."""
    found = []
    scene = _Scene(version, carry, [sum(column) for column in zip(*vectors, strict=True)], day, joined)
    for rule in version.plan.rules:
        if points[rule.index] == 0 and rule.rule.when:
            failed = [miss for miss in _failures(scene, rule, codes) if miss is not None]
            if len(failed) == 1:
                found.append(failed[0])
    return found


class _Scene(NamedTuple):
    version: Compiled
    carry: Sequence[Any]
    today: Sequence[int]
    day: int
    joined: int


def _failures(scene: _Scene, rule: RulePlan, codes: Sequence[str]) -> list[Miss | None]:
    """Return what keeps the rule back, one for each condition; None for what holds."""
    gates = [_gate(scene, rule, gate) for gate in rule.gates]
    limits = [_threshold(scene, rule, column, least, i) for i, (column, least) in enumerate(rule.thresholds)]
    found = [*gates, *limits]
    for condition in rule.rule.when:
        if isinstance(condition, HasCode) and condition.code not in codes:
            found.append(Miss(rule.rule.id, "code", f"needs the code {condition.code}", 0, ""))
    if not any(found) and not any(scene.today[term.column] > 0 for term in rule.terms):
        found.append(None)
    return found


def _threshold(scene: _Scene, rule: RulePlan, column: int, least: int, position: int) -> Miss | None:
    before = 0
    if rule.rule.measure in LONG:
        plan = scene.version.plan
        slot = scene.carry[HEAD + plan.slots.index(Progress(rule.rule.id, rule.rule.meaning))]
        if slot[0] == period(scene.day, rule.rule.measure):
            before = slot[1 + len(rule.terms) + position]
    short = least - before - scene.today[column]
    if short <= 0:
        return None
    what = scene.version.plan.columns[column].what
    money = Money(scene.version.policy.decimals)
    text = f"{money.text(short)} short of {money.text(least)}" if what == "spend" else f"{short} short of {least} units"
    return Miss(rule.rule.id, what, text, short, "minor" if what == "spend" else "units")


def _gate(scene: _Scene, rule: RulePlan, gate: Gate) -> Miss | None:
    """Return why a gate of the day does not hold, or None if it does."""
    day, joined, visits = scene.day, scene.joined, scene.carry[2]
    today = int(scene.today[0] > 0)
    name = rule.rule.id
    condition = gate.condition
    if not joined:
        return Miss(name, _word(condition), "needs a member", 0, "")
    match condition:
        case FirstPurchase(within=within):
            if visits:
                return Miss(name, "first_purchase", "is for the first purchase", 0, "")
            if within is not None and day >= plus(joined, within):
                return Miss(name, "first_purchase", "came too late after joining", 0, "")
        case NthVisit(number=number, every=every):
            left = (-(visits + today)) % number if every else number - visits - today
            if left or not today:
                text = f"{left} more visits" if left > 0 else "is for another visit"
                return Miss(name, "nth_visit", text, max(left, 0), "visits")
        case NoVisitFor(duration=duration):
            if not visits:
                return Miss(name, "no_visit_for", "there was no visit before", 0, "")
            if (left := plus(scene.carry[1], duration) - day) > 0:
                since = date.fromordinal(scene.carry[1]).isoformat()
                return Miss(name, "no_visit_for", f"the last visit was on {since}, {left} days too near", left, "days")
        case MemberFor(at_least=duration):
            if (left := plus(joined, duration) - day) > 0:
                return Miss(name, "member_for", f"{left} more days as a member", left, "days")
        case AmountIs():
            return _amount(scene, rule, condition, gate)
        case Not(all_of=inner):
            if all(_gate(scene, rule, Gate(each, gate.measure)) is None for each in inner):
                return Miss(name, "not", f"is not for when `{_word(inner[0])}` holds", 0, "")
        case HasCode():
            return None
    return None


def _amount(scene: _Scene, rule: RulePlan, condition: AmountIs, gate: Gate) -> Miss | None:
    plan = scene.version.plan
    column = amount_column(condition)
    amount = scene.today[plan.columns.index(column)]
    if condition.what == "visits":
        amount = int(amount > 0)
    if condition.within is not None:
        known = scene.carry[HEAD + plan.slots.index(Recent(column))]
        first = first_day(scene.day, condition.within)
        pairs = [known[i + 1] for i in range(0, len(known), 2) if known[i] >= first]
        amount += len(pairs) if condition.what == "visits" else sum(pairs)
    elif gate.measure in LONG:
        slot = scene.carry[HEAD + plan.slots.index(Visits(column, gate.measure))]
        amount += slot[1] if slot[0] == periods(scene.day)[_WINDOW[gate.measure]] else 0
    unit = {"spend": "minor", "units": "units", "visits": "visits"}[condition.what]
    text = Money(scene.version.policy.decimals).text if condition.what == "spend" else str
    if condition.at_least is not None and amount < condition.at_least:
        short = condition.at_least - amount
        words = f"{text(short)} short of {text(condition.at_least)}"
        return Miss(rule.rule.id, condition.what, f"{words} {'' if unit == 'minor' else unit}".strip(), short, unit)
    if condition.at_most is not None and amount > condition.at_most:
        return Miss(rule.rule.id, condition.what, f"is for at most {text(condition.at_most)}", 0, "")
    return None


_WINDOW = {"week": 1, "month": 2, "quarter": 3, "year": 4, "ever": 5}
_WORDS = {
    FirstPurchase: "first_purchase",
    NthVisit: "nth_visit",
    NoVisitFor: "no_visit_for",
    MemberFor: "member_for",
    HasCode: "code",
    Not: "not",
}


def _word(condition: Condition) -> str:
    return condition.what if isinstance(condition, AmountIs) else _WORDS[type(condition)]
