"""What a policy's step needs: columns, slots of the carry, and each rule in terms of both.

A *slot* is a part of the carry that a rule or a condition keeps from day to
day. It has a key: a new policy version inherits the slots whose keys it shares
with the old one, which is how progress and limits carry over. What does not
live here: the code that runs (`step`) and what a cut does (`program`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import lcm

from rewards.days import WINDOWS, Duration, Window
from rewards.engine.lines import EVERYTHING, Column, Filter
from rewards.engine.offer_conditions import reads_member
from rewards.policy.activity_model import EachTime
from rewards.policy.model import (
    ALL,
    AmountIs,
    Condition,
    EarningRule,
    Flat,
    HasCode,
    Not,
    Offer,
    Policy,
    Rate,
    Selection,
    Times,
)

LONG = ("week", "month", "quarter", "year", "ever")  # windows that outlast a day


@dataclass(frozen=True, slots=True)
class Progress:
    """Sums of a rule's measure window on earlier days: `(period, sums of terms, sums of thresholds)`."""

    rule: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Used:
    """Points that a rule gave on earlier days of a limit's period: `(period, points)`."""

    rule: str
    per: Window


@dataclass(frozen=True, slots=True)
class Recent:
    """Earlier days with an amount above zero of a column: `(day, amount, day, amount, …)`, oldest first."""

    column: Column


@dataclass(frozen=True, slots=True)
class Visits:
    """Earlier days of a window with spend of a column above zero: `(period, days)`."""

    column: Column
    window: Window


@dataclass(frozen=True, slots=True)
class Contest:
    """A group's members in its window: `(period, index of the winner or -1, sums of members)`."""

    group: str
    meanings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """What the tiers measure, and until when levels are kept: see `tiers`."""

    by: str
    measure: Window | Duration


Slot = Progress | Used | Recent | Visits | Contest | Standing


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition that lets a day count, with the window that its `visits` are counted in."""

    condition: Condition
    measure: Window


@dataclass(frozen=True, slots=True)
class Term:
    """A column of a rule with its rate; of `times`, also the gates and thresholds of the base rule."""

    column: int
    give: int
    every: int
    gates: tuple[Gate, ...] = ()
    thresholds: tuple[tuple[int, int], ...] = ()  # (column, at least)


@dataclass(slots=True)
class RulePlan:
    """One earning rule in terms of columns and slots."""

    rule: EarningRule
    index: int
    rounding: str
    terms: list[Term]
    visits: bool  # the term counts days with spend, not spend
    flat: int  # points of a flat rule, else 0
    scale: tuple[int, int]  # of `times`: (numerator, denominator) of the factor less 1; else (0, 1)
    gates: list[Gate]
    thresholds: list[tuple[int, int]]  # (column, at least)
    limits: dict[Window, int]
    group: str | None
    marks: list[tuple[int, int]] = field(init=False)  # every threshold that it reads: its own first, then its terms'
    all_gates: list[Gate] = field(init=False)  # every gate that it reads, in the same order
    is_activity: bool = field(init=False)  # it counts activities, and nothing that was bought
    is_times: bool = field(init=False)  # it multiplies others

    def __post_init__(self) -> None:
        """Put together what it reads."""
        self.marks = [*self.thresholds, *(mark for term in self.terms for mark in term.thresholds)]
        self.is_activity, self.is_times = isinstance(self.rule.gives, EachTime), self.scale[0] > 0
        self.all_gates = [*self.gates, *(gate for term in self.terms for gate in term.gates)]

    def common(self) -> tuple[list[int], int]:
        """Return whole factors of a multiplier's terms and the one divisor, so that it divides once."""
        numerator, denominator = self.scale
        divisor = lcm(*(term.every * denominator for term in self.terms))
        return [divisor // (term.every * denominator) * term.give * numerator for term in self.terms], divisor


@dataclass(slots=True)
class Plan:
    """A policy, ready to be turned into a step."""

    policy: Policy
    columns: list[Column] = field(default_factory=lambda: [EVERYTHING])
    slots: list[Slot] = field(default_factory=list)
    horizons: dict[Slot, list[Duration]] = field(default_factory=dict)  # of `Recent`: every `within` that reads it
    rules: list[RulePlan] = field(default_factory=list)
    conditional: list[RulePlan] = field(default_factory=list)  # that a condition may keep from what was bought
    # by identity of a gate's condition on amounts, and its window: itself, its column, its slot or -1
    amounts: dict[tuple[int, Window], tuple[AmountIs, int, int]] = field(default_factory=dict)

    def column(self, column: Column) -> int:
        """Return the column's index, adding it if it is new."""
        if column not in self.columns:
            self.columns.append(column)
        return self.columns.index(column)

    def slot(self, slot: Slot) -> int:
        """Return the slot's index, adding it if it is new."""
        if slot not in self.slots:
            self.slots.append(slot)
        return self.slots.index(slot)


def plan_policy(policy: Policy) -> Plan:
    """Lay out columns and slots for every rule, in the order of the rules' ids."""
    plan = Plan(policy)
    for index, rule_id in enumerate(sorted(policy.rules)):
        plan.rules.append(_plan_rule(plan, policy.rules[rule_id], index))
    plan.conditional = [rule for rule in plan.rules if rule.rule.when and not rule.is_activity]
    if policy.tiers is not None:
        plan.slot(Standing(policy.tiers.by, policy.tiers.measure))
    for offer_id in sorted(policy.offers):
        offer = policy.offers[offer_id]
        for condition in member_conditions(offer.when):
            _plan_gate(plan, offer_gate(offer, condition))
    for reward_id in sorted(policy.rewards):
        for condition in policy.rewards[reward_id].when:
            _plan_gate(plan, reward_gate(condition))
    return plan


def offer_gate(offer: Offer, condition: Condition) -> Gate:
    """Return one of an offer's conditions on the member as the day's gate that it is."""
    return Gate(_bind(offer.on if offer.on is not None else ALL, condition), "receipt")


def reward_gate(condition: Condition) -> Gate:
    """Return one of a reward's conditions as the day's gate that it is."""
    return Gate(_bind(ALL, condition), "receipt")


def rule_gate(rule: EarningRule, condition: Condition) -> Gate:
    """Return one of a rule's conditions as the day's gate that it is."""
    return Gate(_bind(rule.on, condition), rule.measure)


def member_conditions(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """Yield the conditions that read more than the basket, those under `not` too."""
    for condition in conditions:
        if isinstance(condition, Not):
            yield from member_conditions(condition.all_of)
        elif reads_member(condition):
            yield condition


def _plan_rule(plan: Plan, rule: EarningRule, index: int) -> RulePlan:
    policy, gives = plan.policy, rule.gives
    bases = [policy.rules[base] for base in gives.of] if isinstance(gives, Times) else []
    result = RulePlan(
        rule=rule,
        index=index,
        rounding=policy.wallets[rule.wallet].round if rule.card is None else "down",
        terms=[_term(plan, rule, base) for base in bases] if bases else [_own_term(plan, rule)],
        visits=isinstance(gives, Rate) and gives.what == "visits",
        flat=gives.give if isinstance(gives, Flat) else 0,
        scale=(gives.numerator - gives.denominator, gives.denominator) if isinstance(gives, Times) else (0, 1),
        gates=_gates(rule),
        thresholds=_thresholds(plan, rule),
        limits=_limits(rule),
        group=rule.choose,
    )
    if rule.measure in LONG:
        plan.slot(Progress(rule.id, rule.meaning))
    for per in result.limits:
        if per in LONG:
            plan.slot(Used(rule.id, per))
    for gate in result.all_gates:
        _plan_gate(plan, gate)
    return result


def _own_term(plan: Plan, rule: EarningRule) -> Term:
    if isinstance(rule.gives, EachTime):
        return Term(plan.column(Column("times", activity=rule.gives.activity)), rule.gives.give, 1)
    rate = rule.gives if isinstance(rule.gives, Rate) else Rate("spend", 1, 1)
    return Term(
        plan.column(Column("units" if rate.what == "units" else "spend", selected(rule))), rate.give, rate.every
    )


def _term(plan: Plan, rule: EarningRule, base: EarningRule) -> Term:
    assert isinstance(base.gives, Rate)
    column = plan.column(Column("units" if base.gives.what == "units" else "spend", selected(rule, base)))
    return Term(column, base.gives.give, base.gives.every, tuple(_gates(base)), tuple(_thresholds(plan, base)))


def _gates(rule: EarningRule) -> list[Gate]:
    found = [condition for condition in rule.when if not is_threshold(condition) and _code(condition) is None]
    return [rule_gate(rule, condition) for condition in found]


def _thresholds(plan: Plan, rule: EarningRule) -> list[tuple[int, int]]:
    return [
        (plan.column(amount_column(bound)), bound.at_least)
        for condition in rule.when
        if is_threshold(condition)
        and isinstance(bound := _bind(rule.on, condition), AmountIs)
        and bound.at_least is not None
    ]


def selected(*rules: EarningRule) -> Filter:
    """Return the filter of the lines that all of the rules select."""
    paid = [rule.paid_with for rule in rules if rule.paid_with is not None]
    codes = [code for rule in rules for condition in rule.when if (code := _code(condition)) is not None]
    return Filter(
        tuple(dict.fromkeys(rule.on for rule in rules)),
        tuple(dict.fromkeys(rule.schedule for rule in rules if rule.schedule is not None)),
        tuple(dict.fromkeys(codes)),
        frozenset.intersection(*paid) if paid else None,
    )


def _code(condition: Condition) -> tuple[str, bool] | None:
    """Return (code, whether it must be there) if the condition speaks of a code alone."""
    if isinstance(condition, HasCode):
        return condition.code, True
    if isinstance(condition, Not) and len(condition.all_of) == 1 and isinstance(condition.all_of[0], HasCode):
        return condition.all_of[0].code, False
    return None


def is_threshold(condition: Condition) -> bool:
    """Return whether the condition is part of what the rule measures, rather than a gate of the day."""
    return isinstance(condition, AmountIs) and condition.what != "visits" and condition.within is None


def _bind(on: Selection, condition: Condition) -> Condition:
    """Make the selection and the window that a condition on amounts reads explicit."""
    if isinstance(condition, Not):
        return Not(tuple(_bind(on, inner) for inner in condition.all_of))
    if isinstance(condition, AmountIs) and condition.of is None:
        return AmountIs(
            what=condition.what,
            at_least=condition.at_least,
            at_most=condition.at_most,
            within=condition.within,
            of=on,
        )
    return condition


def amount_column(condition: AmountIs) -> Column:
    """Return what a bound condition on amounts reads: its own `on`, cut with `eligible` only."""
    assert condition.of is not None
    return Column("units" if condition.what == "units" else "spend", Filter((condition.of,)))


def amounts_in(condition: Condition) -> Iterator[AmountIs]:
    """Yield the conditions on amounts inside a condition."""
    if isinstance(condition, AmountIs):
        yield condition
    elif isinstance(condition, Not):
        for inner in condition.all_of:
            yield from amounts_in(inner)


def _plan_gate(plan: Plan, gate: Gate) -> None:
    for amount in amounts_in(gate.condition):
        column, slot = amount_column(amount), -1
        at = plan.column(column)
        if amount.within is not None:
            recent = Recent(column)
            slot = plan.slot(recent)
            plan.horizons.setdefault(recent, []).append(amount.within)
        elif gate.measure in LONG:
            slot = plan.slot(Visits(column, gate.measure))
        plan.amounts[id(amount), gate.measure] = amount, at, slot


def _limits(rule: EarningRule) -> dict[Window, int]:
    """Return the least of the rule's limits for each window, the shortest window first."""
    limits: dict[Window, int] = {}
    for limit in sorted(rule.limits, key=lambda each: WINDOWS.index(each.per)):
        limits[limit.per] = min(limit.points, limits.get(limit.per, limit.points))
    return limits


def contests(plan: Plan) -> dict[str, list[RulePlan]]:
    """Return the members of each group, in the order of their ids; adds the slots of long groups."""
    groups: dict[str, list[RulePlan]] = {}
    for rule in plan.rules:
        if rule.group is not None:
            groups.setdefault(rule.group, []).append(rule)
    for name, members in groups.items():
        if members[0].rule.measure in LONG:
            plan.slot(contest_slot(name, members))
    return groups


def contest_slot(name: str, members: list[RulePlan]) -> Contest:
    """Return the slot of a group whose window outlasts a day."""
    return Contest(name, tuple(f"{member.rule.id}:{member.rule.meaning}" for member in members))
