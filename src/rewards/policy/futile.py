"""Warnings about rules and offers that can never give, and about those that stand in the file twice.

Members of a group of rules that others always match count as such. What does not live here: schedules and limits
(`oddities`), and offers that others beat (`offer_oddities`).
Reads the policy as it was built; a warning is given only where nothing in the file could make it wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

from rewards.policy.meaning import Meanings
from rewards.policy.model import (
    ALL,
    AmountIs,
    Condition,
    EarningRule,
    FirstPurchase,
    Flat,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Offer,
    Policy,
    Rate,
    Selection,
    Times,
)
from rewards.policy.offer_oddities import MOST_RIVALS
from rewards.policy.offers import MOST_COMPARED, OfferDraft
from rewards.policy.overlap import holds_all, may_share_a_line, may_share_a_receipt, work_to_compare
from rewards.policy.problems import Also, Report
from rewards.policy.rules import Draft
from rewards.policy.shape import Got
from rewards.policy.wording import one_of, quoted

Drafts = Mapping[str, Draft] | Mapping[str, OfferDraft]


def remark_on_futile(
    policy: Policy, rules: Mapping[str, Draft], offers: Mapping[str, OfferDraft], excluded: Got | None, report: Report
) -> None:
    """Warn of what never gives, and of copies; `excluded` is the `except` of `eligible`."""
    patience = _Patience()
    for rule in policy.rules.values():
        _left_out(policy, rule, rules[rule.id], excluded, report, patience)
        _contradicting(rule, rules[rule.id], report)
        _strangers(policy, rule, rules[rule.id], report, patience)
    for offer in policy.offers.values():
        _left_out(policy, offer, offers[offer.id], excluded, report, patience)
        _contradicting(offer, offers[offer.id], report)
    _beaten(policy, rules, report)
    _copies({name: rule for name, rule in policy.rules.items() if rule.choose is None}, rules, report)
    _copies({name: offer for name, offer in policy.offers.items() if offer.choose is None}, offers, report)


@dataclass(slots=True)
class _Patience:
    """Ends comparing selections when a file makes that long; what is not compared is not warned of."""

    left: int = MOST_COMPARED

    def for_comparing(self, one: Selection, other: Selection) -> bool:
        """Tell whether two more selections may be compared."""
        self.left -= 1 + work_to_compare(one, other)
        return self.left > 0


def _left_out(
    policy: Policy,
    one: EarningRule | Offer,
    draft: Draft | OfferDraft,
    excluded: Got | None,
    report: Report,
    patience: _Patience,
) -> None:
    excluding, on, selected = policy.eligible.excluding, draft.table.get("on"), one.on or ALL
    if excluding is None or excluded is None or on is None:
        return
    if not (patience.for_comparing(excluding, selected) and holds_all(excluding, selected)):
        return
    message = f"{quoted(one.id)} never gives: `eligible` leaves out every line that it selects"
    also = Also(excluded.key, "left out here")
    report.add("never-gives", message, on.key, "select other lines, or let `eligible` keep these", also)


def _contradicting(one: EarningRule | Offer, draft: Draft | OfferDraft, report: Report) -> None:
    when = draft.table.get("when")
    if when is None:
        return
    for first, second in combinations(one.when, 2):
        words = _exclude(first, second) or _exclude(second, first)
        if words:
            message = f"{quoted(one.id)} never gives: {words}"
            report.add("never-gives", message, when.key, "leave one of the two conditions out")
            return


def _exclude(one: Condition, other: Condition) -> str:
    """Say why two conditions never hold together; an empty text if they may."""
    match one, other:
        case Not((inner,)), _ if inner == other:
            return "a condition stands beside its own `not`"
        case FirstPurchase(), NoVisitFor():
            return "`no_visit_for` asks for an earlier visit, `first_purchase` for none"
        case FirstPurchase(), NthVisit(number=number) if number > 1:
            return f"visit number {number} is not the first, and `first_purchase` asks for that"
        case FirstPurchase(), AmountIs(what="visits", at_least=int(least), of=None) if least > 1:
            return f"who has {least} visits has been here before, and `first_purchase` asks for nobody who has"
        case NthVisit(number=1, every=False), NoVisitFor():
            return "`no_visit_for` asks for an earlier visit, and the first has none before it"
        case FirstPurchase(within=within), MemberFor(at_least=least) if within and within.unit == least.unit:
            return "the days after joining are over before `member_for` holds" if least.count >= within.count else ""
    return ""


def _strangers(policy: Policy, rule: EarningRule, draft: Draft, report: Report, patience: _Patience) -> None:
    """Warn of a multiplier whose bases select other lines, or hold at other times."""
    if not isinstance(rule.gives, Times):
        return
    bases = [policy.rules[name] for name in rule.gives.of]
    if not all(patience.for_comparing(rule.on, base.on) for base in bases):
        return
    apart = [
        base.id
        for base in bases
        if not (may_share_a_line(rule.on, base.on) and may_share_a_receipt(rule.schedule, base.schedule))
    ]
    if len(apart) == len(bases):
        names = one_of(apart, "and")
        message = f"{quoted(rule.id)} never gives: nothing that it selects is selected by {names}, which it multiplies"
        report.add("never-gives", message, draft.place("of"), "name a rule that shares lines and times with it")


def _beaten(policy: Policy, drafts: Mapping[str, Draft], report: Report) -> None:
    """Warn of members of a group that another one matches or betters whatever is bought."""
    meanings, rivals = Meanings(policy.wallets, policy.rules), dict[tuple[object, ...], list[EarningRule]]()
    for rule in policy.rules.values():
        if rule.choose is not None:
            key = rule.choose, rule.measure, rule.remainder, type(rule.gives), meanings.of_selection(rule.on)
            rivals.setdefault(key, []).append(rule)
    for members in rivals.values():
        if len(members) > MOST_RIVALS:
            continue
        wanted = [frozenset(meanings.of_conditions(one, one.on)) for one in members]
        for j, loser in enumerate(members):
            better = (
                i for i, one in enumerate(members) if wanted[i] <= wanted[j] and _as_good(one, loser, first=i < j)
            )
            winner = next(better, None)
            if winner is not None:
                name = quoted(members[winner].id)
                message = f"{quoted(loser.id)} makes no difference: {name} of its group gives as much whenever it could"
                advice = f"delete it, or give {name} a condition that this one does not have"
                also = Also(drafts[members[winner].id].key, "the other rule is here")
                report.add("always-beaten", message, drafts[loser.id].key, advice, also)


def _as_good(one: EarningRule, other: EarningRule, *, first: bool) -> bool:
    """Tell whether a rule on the same lines always gives as much as another one; of two equal ones the first does."""
    if one is other or one.limits or one.schedule not in (None, other.schedule):
        return False
    if one.paid_with not in (None, other.paid_with) or (one.gives == other.gives and not first):
        return False
    match one.gives, other.gives:
        case Rate(), Rate():
            same = (one.gives.what, one.gives.every) == (other.gives.what, other.gives.every)
            return same and one.gives.give >= other.gives.give
        case Times(), Times():
            more = one.gives.numerator * other.gives.denominator >= other.gives.numerator * one.gives.denominator
            return set(one.gives.of) == set(other.gives.of) and more
        case Flat(), Flat():
            return one.gives.give >= other.gives.give
    return False


def _copies(entries: Mapping[str, EarningRule] | Mapping[str, Offer], drafts: Drafts, report: Report) -> None:
    """Warn of entries that mean the same: each of them gives."""
    seen: dict[tuple[str, str], str] = {}
    for name, entry in entries.items():
        first = seen.setdefault((getattr(entry, "wallet", ""), entry.meaning), name)
        if first != name:
            message = f"{quoted(name)} is the same as {quoted(first)}, and both give"
            also = Also(drafts[first].key, "the other one is here")
            report.add("same-twice", message, drafts[name].key, "delete one, or change what was meant to differ", also)
