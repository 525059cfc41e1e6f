"""Why a rule gave what it gave.

Numbers are kept with each award (`facts`); sentences are made from them and
the policy when somebody asks. What does not live here: what a rule might have
given (`misses`).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from rewards.days import Duration, periods
from rewards.engine.plan import RulePlan
from rewards.engine.rounding import whole
from rewards.engine.step import Compiled
from rewards.money import largest_remainder
from rewards.policy.model import (
    AmountIs,
    Anniversary,
    Birthday,
    Condition,
    EarningRule,
    FirstPurchase,
    HasAttribute,
    HasCode,
    InTier,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Policy,
    Referred,
)


def facts(
    version: Compiled, index: int, carry: Sequence[Any], vector: Sequence[int], day: int, was: int
) -> tuple[int, ...]:
    """Return (points of the rule on that day before this event, sums of the window before today, sums of today).

    The sums are in the order of the rule's terms: spend in minor units, units, or visits (days).
    `vector` is the day's.
    """
    columns, visits, entry, window = version.sums[index]
    today = [int(vector[column] > 0) if visits else vector[column] for column in columns]
    known = carry[entry] if entry else [0]
    if entry and known[0] == periods(day)[window]:
        return was, *known[1 : 1 + len(today)], *today
    return was, *([0] * len(today)), *today


def why(policy: Policy, rule_id: str, points: int, given: Sequence[int], version: Compiled) -> str:
    """Return the reason of an award as one sentence, from the numbers that `facts` kept."""
    rule = version.plan.rules[version.rule_ids.index(rule_id)]
    if not given:
        return "given by staff"
    was, size = given[0], len(rule.terms)
    before, today = given[1 : 1 + size], given[1 + size :]
    money = _MONEY[policy.decimals]
    sums = [before[0] + today[0]] if size == 1 else [a + b for a, b in zip(before, today, strict=True)]
    if points < 0:
        return _taken(rule, sums, was, points, money)
    text = _given(rule, sums, money)
    if was > 0:
        text += f"{'' if rule.is_activity else ' of that day'}: {was + points}, of which {was} were given"
    elif was < 0:
        text += f"; {was + points} instead of {was} for the day"
    elif not rule.is_activity:
        text += _window_words(rule.rule) + _carried(rule, sums, money)
    if rule.rule.when:
        text += _condition_words(rule.rule, money)
    return text + _cut_words(rule, sums, was + points, before) if rule.limits else text


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
        sign, digits = "-" if minor < 0 else "", str(abs(minor)).zfill(self.decimals + 1)
        return f"{sign}{digits[: -self.decimals]}.{digits[-self.decimals :]}"


_MONEY = [Money(decimals) for decimals in range(10)]


def _given(rule: RulePlan, sums: Sequence[int], money: Money, *, left: bool = False) -> str:
    """Say what was counted, `6 whole 1.00 in 6.70 eligible`; for what is `left` of a day, without the last word."""
    model = rule.rule
    name = f" of {model.on_name}" if model.on_name else "" if left else " eligible"
    if rule.is_activity:
        return f"for `{getattr(model.gives, 'activity', model.id)}`" + (
            f", {sums[0]} times that day" if sums[0] > 1 else ""
        )
    if rule.flat:
        return f"once, on {money.text(sums[0])}{name}"
    every = rule.terms[0].every
    if rule.visits:
        return several(sums[0], "visit") + (f", {every} make one step" if every > 1 else "")
    if rule.is_times:
        bases = " and ".join(f"`{base}`" for base in getattr(model.gives, "of", ()))
        amount = money.text(sum(sums)) if _what(rule) == "spend" else several(sum(sums), "unit")
        return f"{_factor(*rule.scale)} times {bases} on {amount}{name}"
    count = whole(sums[0], 1, every, rule.rounding)
    if _what(rule) == "units":
        steps = f"{count} whole {every} in " if every > 1 else ""
        return f"{steps}{several(sums[0], 'unit')}{name}" + ("" if left else " paid for")
    if rule.rounding != "down":
        how = rule.rounding.replace("_", " ")
        return f"{count} times {money.text(every)} in {money.text(sums[0])}{name}, rounded {how},"
    return f"{count} whole {money.text(every)} in {money.text(sums[0])}{name}"


def several(count: int, what: str) -> str:
    """Return `1 visit`, `2 visits`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _factor(more: int, unit: int) -> str:
    """Write the factor of a multiplier, of which `more / unit` is what it adds."""
    return f"{(Decimal(more + unit) / unit).normalize():f}"


def _condition_words(model: EarningRule, money: Money) -> str:
    """Say which conditions held."""
    words = [_condition(condition, model, money) for condition in model.when]
    return f"; for {' and '.join(words)}"


def _condition(condition: Condition, model: EarningRule, money: Money) -> str:
    match condition:
        case FirstPurchase():
            return "the first purchase"
        case NthVisit(number=number, every=every):
            return f"each visit number {number}" if every else f"visit number {number}"
        case NoVisitFor(duration=duration):
            return f"{_lasting(duration)} without a visit"
        case MemberFor(at_least=duration):
            return f"{_lasting(duration)} as a member"
        case HasCode(code=code):
            return f"the code {code}"
        case Not(all_of=inner):
            return f"not {' and '.join(_condition(each, model, money) for each in inner)}"
        case AmountIs(what=what, at_least=low, at_most=high, within=within):
            text = money.text if what == "spend" else str
            least = f"at least {text(low)}" if low is not None else ""
            most = f"at most {text(high)}" if high is not None else ""
            unit = "" if what == "spend" else f" {what}"
            return f"{' and '.join(filter(None, (least, most)))}{unit}" + (f" in {_lasting(within)}" if within else "")
    return _about_member(condition)


def _about_member(condition: Condition) -> str:
    match condition:
        case HasAttribute(name=name, values=values):
            return f"{name} {' or '.join(map(plain, sorted(values, key=str)))}"
        case Birthday(within=within):
            return f"a birthday in the last {_lasting(within)}"
        case Anniversary(within=within):
            return f"an anniversary in the last {_lasting(within)}"
        case InTier(names=names):
            return f"the tier {' or '.join(sorted(names))}"
        case Referred():
            return "being brought by another member"
    raise AssertionError("every condition has words")


def plain(value: str | int | bool) -> str:  # noqa: FBT001  an attribute's value may be one
    """Return an attribute's value as a policy writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lasting(duration: Duration) -> str:
    return several(duration.count, duration.unit[:-1])


def _what(rule: RulePlan) -> str:
    return "units" if getattr(rule.rule.gives, "what", "spend") == "units" else "spend"


def _window_words(model: EarningRule) -> str:
    return _WINDOWS.get(model.measure) or f" this {model.measure}"


_WINDOWS = {"receipt": " on this receipt", "day": " today", "ever": " so far"}


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
    full = cut_from(rule, sums, total, before)
    return f"; {full} without the limit of {limits_of(rule)}" if full is not None else ""


def cut_from(rule: RulePlan, sums: Sequence[int], total: int, before: Sequence[int]) -> int | None:
    """Return what a day would have given without the rule's limits, or None if they cut nothing."""
    if not rule.limits or rule.rule.measure == "receipt":
        return None
    full = _plain(rule, sums) - _plain(rule, before)
    return full if total < full else None


def limits_of(rule: RulePlan) -> str:
    """Return the rule's limits in words: `50 per month, 200 in all`."""
    return ", ".join(
        f"{points} per {per}" if per != "ever" else f"{points} in all" for per, points in rule.limits.items()
    )


def _plain(rule: RulePlan, sums: Sequence[int]) -> int:
    """Return F of the sums without thresholds."""
    if rule.flat:
        return rule.flat if sums[0] > 0 else 0
    if not rule.is_times:
        return whole(sums[0], 1, rule.terms[0].every, rule.rounding) * rule.terms[0].give
    factors, by = rule.common()
    return whole(sum(amount * factor for amount, factor in zip(sums, factors, strict=True)), 1, by, rule.rounding)


def _taken(rule: RulePlan, sums: Sequence[int], was: int, points: int, money: Money) -> str:
    """Say what is left of the day and what it gave before."""
    left = was + points
    if rule.is_activity and not any(sums):
        return f"what it was for counts no longer: {left}, not {was}"
    if not any(sums):
        return f"nothing that counts is left of that day: {left}, not {was}"
    if no_longer_met(rule, sums, was):
        return f"the day no longer meets the rule's conditions: {left}, not {was}"
    if rule.is_activity:
        return f"{_given(rule, sums, money)}{_cut_words(rule, sums, left, (0,))}: {left}, not {was}"
    return f"left of that day: {_given(rule, sums, money, left=True).rstrip(',')}; that makes {left}, not {was}"


def no_longer_met(rule: RulePlan, sums: Sequence[int], was: int) -> bool:
    """Return whether not what is left of a day, but a condition made it give less."""
    return bool(rule.rule.when) and _plain(rule, sums) >= was


def line_shares(points: int, weights: Sequence[int]) -> list[int]:
    """Lay an award on lines by what each added, by largest remainder; the sign is kept."""
    if not any(weights):
        return [0] * len(weights)
    shares = largest_remainder(abs(points), weights)
    return shares if points >= 0 else [-share for share in shares]
