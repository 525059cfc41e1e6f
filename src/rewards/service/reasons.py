"""Why points came or went, as the customer is told in a language of theirs.

Made from the numbers that are kept with each award, one message for each kind
of reason; clauses stand side by side, so that none has to bend to another's
grammar. What does not live here: the exact sentence for integrators and staff
(`engine.explain`), and the catalogues (`tongue`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from rewards.days import Duration
from rewards.engine.explain import cut_from, no_longer_met, plain
from rewards.engine.plan import RulePlan
from rewards.engine.program import Program
from rewards.engine.rounding import whole
from rewards.engine.step import Compiled
from rewards.ledger.entries import Award
from rewards.policy.activity_model import EachTime
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
    Policy,
    Rate,
    Referred,
)
from rewards.service.tongue import Tongue, marked

_WINDOWS = {
    "receipt": marked("{what} on one receipt"),
    "week": marked("{what} in one week"),
    "month": marked("{what} in one month"),
    "quarter": marked("{what} in one quarter"),
    "year": marked("{what} in one year"),
    "ever": marked("{what} so far"),
}


def reason(program: Program, award: Award, tongue: Tongue) -> str:
    """Return the reason of an award as clauses."""
    version = program.on(award.day)
    if not award.facts or award.rule not in version.rule_ids:
        return tongue.say("given by staff")
    rule = version.plan.rules[version.rule_ids.index(award.rule)]
    return "; ".join(_Clauses(version, rule, award, tongue).all())


class _Clauses:
    def __init__(self, version: Compiled, rule: RulePlan, award: Award, tongue: Tongue) -> None:
        self._version, self._policy = version, version.policy
        self._rule, self._points, self._tongue = rule, award.points, tongue
        size = len(rule.terms)
        self._was = award.facts[0]
        self._before = award.facts[1 : 1 + size]
        self._sums = [a + b for a, b in zip(self._before, award.facts[1 + size :], strict=True)]

    def all(self) -> Iterator[str]:
        """Yield its parts: what counted, what is carried, the conditions, the limit, and what the day gave before."""
        say, now = self._tongue.say, self._was + self._points
        if self._points < 0 and not any(self._sums):
            yield say("nothing of that day counts any longer")
        else:
            yield self._within(self._counted(self._sums))
            if any(self._before):
                yield say("of that on earlier days: {amount}", amount=self._amount(self._before))
            if self._points < 0 and no_longer_met(self._rule, self._sums, self._was):
                yield say("the conditions are no longer met")
            if self._points > 0:
                yield from self._carried()
                yield from (condition_words(each, self._policy, self._tongue) for each in self._rule.rule.when)
            full = cut_from(self._rule, self._sums, now, self._before)
            if full is not None:
                yield say("{points} without the limit", points=self._tongue.number(full))
        if self._was:
            number = self._tongue.number
            yield say("now {now} for that day instead of {was}", now=number(now), was=number(self._was))

    def _money(self, minor: int) -> str:
        return self._tongue.money(minor, self._policy.currency, self._policy.decimals)

    def _counted(self, sums: Sequence[int]) -> str:
        """Say what was counted, and how."""
        tongue, rule, gives = self._tongue, self._rule, self._rule.rule.gives
        amount = self._amount(sums)
        if isinstance(gives, EachTime):
            return amount
        if rule.visits or self._in_units():
            return self._multiplied(self._by(amount))
        bought = tongue.say("purchases of {amount}", amount=amount)
        if isinstance(gives, Rate):
            every = rule.terms[0].every
            steps = tongue.number(whole(sums[0], 1, every, rule.rounding))
            money = self._money(every)
            return tongue.say(
                "{steps} \N{MULTIPLICATION SIGN} {every} in {what}", steps=steps, every=money, what=bought
            )
        return self._multiplied(bought)

    def _amount(self, sums: Sequence[int]) -> str:
        """Return money, items, visits or times, whichever the rule counts."""
        rule, count = self._rule, self._tongue.count
        counted = sum(sums) if rule.is_times else sums[0]
        if rule.is_activity:
            return count("{number} time", "{number} times", counted)
        if rule.visits:
            return count("{number} visit", "{number} visits", counted)
        if self._in_units():
            return count("{number} item bought", "{number} items bought", counted)
        return self._money(counted)

    def _in_units(self) -> bool:
        return self._version.plan.columns[self._rule.terms[0].column].what == "units"

    def _by(self, what: str) -> str:
        every = self._rule.terms[0].every if isinstance(self._rule.rule.gives, Rate) else 1
        return self._tongue.say("{what}, {every} at a time", what=what, every=str(every)) if every > 1 else what

    def _multiplied(self, what: str) -> str:
        if not self._rule.is_times:
            return what
        return self._tongue.say("{factor} times the points for {what}", factor=self._factor(), what=what)

    def _factor(self) -> str:
        more, unit = self._rule.scale
        return self._tongue.number(Decimal(more + unit) / unit)

    def _within(self, what: str) -> str:
        window = _WINDOWS.get(self._rule.rule.measure)
        return what if window is None or self._rule.is_activity else self._tongue.say(window, what=what)

    def _carried(self) -> Iterator[str]:
        """Say what of a plain rate counts next time in the window."""
        rule, model = self._rule, self._rule.rule
        gives = model.gives
        if not isinstance(gives, Rate) or rule.rounding != "down" or model.remainder == "drop":
            return
        rest = self._sums[0] % rule.terms[0].every
        if rest and model.measure not in {"receipt", "day"} and gives.what == "spend":
            yield self._tongue.say("{amount} kept for the next time", amount=self._money(rest))


_PLAIN = {
    FirstPurchase: marked("first purchase"),
    Birthday: marked("birthday"),
    Anniversary: marked("anniversary of joining"),
    Referred: marked("brought by another member"),
}


def condition_words(condition: Condition, policy: Policy, tongue: Tongue) -> str:
    """Say what a condition asked for, as a clause that stands alone."""
    say = tongue.say
    match condition:
        case NthVisit(number=number, every=every):
            counted = tongue.number(number)
            return (
                say("every visit in {number}", number=counted)
                if every
                else say("visit number {number}", number=counted)
            )
        case NoVisitFor(duration=duration):
            return say("time without a visit: {time}", time=lasting(duration, tongue))
        case MemberFor(at_least=duration):
            return say("time as a member: {time}", time=lasting(duration, tongue))
        case Not(all_of=inner):
            words = ", ".join(condition_words(each, policy, tongue) for each in inner)
            return say("does not apply: {what}", what=words)
        case AmountIs():
            return _amount(condition, policy, tongue)
        case HasCode() | HasAttribute() | InTier():
            return _named(condition, tongue)
    return say(_PLAIN[type(condition)])


def _named(condition: HasCode | HasAttribute | InTier, tongue: Tongue) -> str:
    """Say a condition that the policy's own names stand in."""
    match condition:
        case HasCode(code=code):
            return tongue.say("code: {code}", code=code)
        case InTier(names=names):
            return tongue.say("level: {name}", name=", ".join(sorted(names)))
        case HasAttribute(name=name, values=values):
            return name if values == {True} else f"{name}: {', '.join(map(plain, sorted(values, key=str)))}"


def _amount(condition: AmountIs, policy: Policy, tongue: Tongue) -> str:
    def text(amount: int) -> str:
        """Return so much money, or so many visits or units, in words."""
        if condition.what == "spend":
            return tongue.money(amount, policy.currency, policy.decimals)
        if condition.what == "visits":
            return tongue.count("{number} visit", "{number} visits", amount)
        return tongue.count("{number} item bought", "{number} items bought", amount)

    bounds = []
    if condition.at_least is not None:
        bounds.append(tongue.say("at least: {amount}", amount=text(condition.at_least)))
    if condition.at_most is not None:
        bounds.append(tongue.say("at most: {amount}", amount=text(condition.at_most)))
    if condition.within is not None:
        bounds.append(tongue.say("within: {time}", time=lasting(condition.within, tongue)))
    return ", ".join(bounds)


def lasting(duration: Duration, tongue: Tongue) -> str:
    """Return a duration in words."""
    if duration.unit == "days":
        return tongue.count("{number} day", "{number} days", duration.count)
    return tongue.count("{number} month", "{number} months", duration.count)
