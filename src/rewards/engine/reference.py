"""The reference definition of earning: what every day gave, by rule.

It reads as the definition reads: every figure is a scan over the facts, nothing
is kept between days but what earlier days gave. It is slow on purpose. The
engine must agree with it on every history (law L15).

What does not live here: lots and balances (`reference_lots`), anything that the
engine proper uses, or that anything but tests, `verify` and proofs may call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from rewards.days import Window, period, plus
from rewards.engine.reference_lines import counts, counts_as_money, paid_by, spend_left, tenders_left
from rewards.engine.reference_members import Levels, Told
from rewards.engine.reference_members import holds as about_member
from rewards.policy.activity_model import EachTime
from rewards.policy.model import (
    ALL,
    AmountIs,
    Amounts,
    Condition,
    EarningRule,
    FirstPurchase,
    Flat,
    HasCode,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Policy,
    Rate,
    Referred,
    Schedule,
    Selection,
)
from rewards.receipt import Receipt, Returned

Versions = list[tuple[int, Policy]]  # from which day each is in force, ascending; the first judges earlier days too
Points = dict[int, dict[str, int]]  # by day, by rule id


@dataclass(frozen=True)
class Facts:
    """All that is known of one member; the order of each list means nothing."""

    joined: int | None = None  # day
    purchases: list[tuple[Receipt, Returned]] = field(default_factory=list)
    spendings: list[tuple[int, str, int]] = field(default_factory=list)  # instant, wallet, points
    grants: list[tuple[int, str, int]] = field(default_factory=list)  # day, wallet, points: adjustments that give
    told: list[Told] = field(default_factory=list)  # about the member, by the day from which it holds
    activities: list[tuple[int, str]] = field(default_factory=list)  # day, name
    referred: bool = False  # another member brought this one


class Bought(NamedTuple):
    """A receipt as it stands today."""

    receipt: Receipt
    returned: Returned


class Activity(NamedTuple):
    """What conditions see of an activity: its day. It is no receipt and carries no code."""

    day: int
    codes: tuple[str, ...] = ()


def earned(versions: Versions, facts: Facts) -> Points:
    """Return the points by day and rule; zeros are left out. A rule that lost its group's lead has a negative entry."""
    history = History(versions, facts)
    given: Points = {}  # before groups choose: what limits count
    awards = history.awards
    for day in history.days:
        rules = history.policy(day).rules.values()
        given[day] = {rule.id: _given(history, rule, day, given, awards) for rule in rules}
        won = {rule.id: given[day][rule.id] for rule in rules if rule.choose is None}
        for group in {rule.choose for rule in rules if rule.choose}:
            won |= _group_awards(history, group, day, given)
        awards[day] = {rule: points for rule, points in won.items() if points}
    return {day: points for day, points in awards.items() if points}


class History:
    """Versions and facts, and the questions that every definition asks of them."""

    def __init__(self, versions: Versions, facts: Facts) -> None:
        self.versions = versions
        self.joined = facts.joined
        self.activities, self.referred = facts.activities, facts.referred
        self.days = sorted({receipt.day for receipt, _ in facts.purchases} | {day for day, _ in facts.activities})
        self.on = {day: [Bought(*p) for p in facts.purchases if p[0].day == day] for day in self.days}
        self.visits = [day for day in self.days if self.amount(self.on[day], "spend", ALL) > 0]
        self.told = facts.told
        self.awards: Points = {}
        first = self.days[0] if self.days else 0
        self.levels = Levels(first, self.policy, self.for_tiers, self.days)

    def policy(self, day: int) -> Policy:
        """Return the version that judges a day."""
        return ([self.versions[0][1]] + [policy for start, policy in self.versions if start <= day])[-1]

    def amount(
        self, bought: Iterable[Bought], what: Amounts, *selections: Selection, kinds: Sequence[frozenset[str]] = ()
    ) -> int:
        """Return spend, units or visits on lines that are eligible on their day and in all selections."""
        total = 0
        spending_days = set()
        for receipt, returned in bought:
            eligible = self.policy(receipt.day).eligible
            for line in receipt.lines:
                if counts(line, eligible, selections):
                    back = returned.get(line.line_id, 0)
                    spend = spend_left(receipt, line, back, eligible)
                    paid = (line.quantity - line.free_units) * (line.quantity - back) // line.quantity
                    units = paid * (spend > 0)
                    amount = spend if what == "spend" else units
                    tenders = tenders_left(receipt, line, back)
                    money = [(kind, part) for kind, part in tenders if counts_as_money(kind, eligible)]
                    total += paid_by(kinds, amount, money) if kinds else amount
                    if spend > 0:
                        spending_days.add(receipt.day)
        return len(spending_days) if what == "visits" else total

    def for_tiers(self, day: int, by: str) -> int:
        """Return what a day adds to what tiers count: spend, visits or points of a wallet."""
        if by in ("spend", "visits"):
            return self.amount(self.on[day], "spend" if by == "spend" else "visits", ALL)
        rules = self.policy(day).rules
        return sum(points for rule, points in self.awards[day].items() if rules[rule].wallet == by)

    def since(self, day: int, meaning: Callable[[Policy], object]) -> int:
        """Return the day from which on, without a break up to `day`, the versions meant the same."""
        start = 0
        for (_, older), (cut, newer) in pairwise(self.versions):
            if cut <= day and meaning(older) != meaning(newer):
                start = cut
        return start


def _given(history: History, rule: EarningRule, day: int, given: Points, awards: Points) -> int:
    """Return what the rule gives on a day within its limits, whether or not its group lets it win."""
    if isinstance(rule.gives, EachTime):
        held = all(_holds(history, rule, condition, Activity(day)) for condition in rule.when)
        raw = rule.gives.give * history.activities.count((day, rule.gives.activity)) if held else 0
    elif rule.measure == "receipt":
        raw = sum(_of_receipt(history, rule, bought) for bought in history.on[day])
    else:
        to_date = _progress(history, rule, day)
        before = [bought for bought in to_date if bought.receipt.day < day]
        raw = _worth(history, rule, day, to_date) - _worth(history, rule, day, before)
    for limit in rule.limits:
        if limit.per != "receipt":
            raw = min(raw, limit.points - _used(history, rule.id, limit.per, day, given, awards))
    return max(0, raw)


def _used(history: History, rule: str, per: Window, day: int, given: Points, awards: Points) -> int:
    """Return what counts against a limit on earlier days of its period; no new version cuts it.

    Since the rule has had such a limit: what it gave, if its group let it win or not. Before: what members got of it.
    """
    start = history.since(
        day, lambda policy: rule in policy.rules and any(limit.per == per for limit in policy.rules[rule].limits)
    )
    earlier = [e for e in given if e < day and period(e, per) == period(day, per)]
    return sum((given if e >= start else awards)[e].get(rule, 0) for e in earlier)


def _of_receipt(history: History, rule: EarningRule, bought: Bought) -> int:
    worth = _worth(history, rule, bought.receipt.day, [bought])
    return min([worth, *(limit.points for limit in rule.limits if limit.per == "receipt")])


def _progress(history: History, rule: EarningRule, day: int) -> list[Bought]:
    """Return the receipts of the rule's measure window up to and with the day, since the rule means what it means."""
    start = history.since(day, lambda policy: policy.rules[rule.id].meaning if rule.id in policy.rules else None)
    window = period(day, rule.measure)
    days = [e for e in history.days if start <= e <= day and period(e, rule.measure) == window]
    return [bought for e in days for bought in history.on[e]]


def _worth(history: History, rule: EarningRule, day: int, window: list[Bought]) -> int:
    """Return F: what the rule gives for all receipts of a window."""
    policy = history.policy(day)
    if not _reached(history, rule, window):
        return 0
    if isinstance(rule.gives, Flat):
        return rule.gives.give if sum(_selected(history, "spend", [rule], bought) for bought in window) else 0
    parts = [[bought] for bought in window] if rule.remainder == "drop" else [window]
    rounding = policy.wallets[rule.wallet].round if rule.card is None else "down"
    if isinstance(rule.gives, Rate):
        rate = rule.gives
        return sum(
            rate.give * _rounded(_measured(history, rate.what, [rule], part), rate.every, rounding) for part in parts
        )
    assert not isinstance(rule.gives, EachTime), "an activity has no window of receipts"
    more, unit = rule.gives.numerator - rule.gives.denominator, rule.gives.denominator
    bases = [base for base in map(policy.rules.__getitem__, rule.gives.of) if _reached(history, base, window)]
    terms = [(base.gives, [rule, base], more, unit) for base in bases if isinstance(base.gives, Rate)]
    common = 1
    for rate, _, _, unit in terms:
        common *= rate.every * unit

    def exact(part: list[Bought]) -> int:
        """Return `common` times the points of a part of the history, before they are rounded."""
        return sum(
            _measured(history, rate.what, rules, part) * rate.give * more * (common // (rate.every * unit))
            for rate, rules, more, unit in terms
        )

    return sum(_rounded(exact(part), common, rounding) for part in parts)


def _rounded(number: int, by: int, how: str) -> int:
    return {"down": number // by, "half_up": (2 * number + by) // (2 * by), "up": -(-number // by)}[how]


def _measured(history: History, what: Amounts, rules: list[EarningRule], window: list[Bought]) -> int:
    if what == "visits":
        return len({bought.receipt.day for bought in window if _selected(history, "spend", rules, bought)})
    return sum(_selected(history, what, rules, bought) for bought in window)


def _selected(history: History, what: Amounts, rules: list[EarningRule], bought: Bought) -> int:
    """Return the amount of one receipt that all rules select: lines, schedules, codes, tenders, gates of its day."""
    if not all(_open(history, rule, bought.receipt) for rule in rules):
        return 0
    kinds = [rule.paid_with for rule in rules if rule.paid_with is not None]
    return history.amount([bought], what, *(rule.on for rule in rules), kinds=kinds)


def _open(history: History, rule: EarningRule, receipt: Receipt) -> bool:
    timely = rule.schedule is None or _timely(rule.schedule, receipt)
    return timely and all(_holds(history, rule, condition, receipt) for condition in rule.when)


def _timely(schedule: Schedule, receipt: Receipt) -> bool:
    day = receipt.day
    if schedule.hours is not None:
        start, end = schedule.hours
        if start > end and receipt.minute < end:
            day -= 1
        elif not (start <= receipt.minute and (start > end or receipt.minute < end)):
            return False
    return (
        (schedule.starts is None or day >= schedule.starts)
        and (schedule.ends is None or day <= schedule.ends)
        and (schedule.days is None or (day - 1) % 7 in schedule.days)
        and (schedule.dates is None or day in schedule.dates)
        and (schedule.stores is None or receipt.store_id in schedule.stores)
    )


def _threshold(condition: Condition) -> bool:
    """Whether the condition is part of what a rule measures, and gates no day."""
    return isinstance(condition, AmountIs) and condition.what != "visits" and condition.within is None


def _reached(history: History, rule: EarningRule, window: list[Bought]) -> bool:
    return all(
        history.amount(window, condition.what, condition.of or rule.on) >= (condition.at_least or 0)
        for condition in rule.when
        if isinstance(condition, AmountIs) and _threshold(condition)
    )


def _holds(history: History, rule: EarningRule, condition: Condition, receipt: Receipt | Activity) -> bool:
    """Whether a gate is open for a receipt or an activity; thresholds are no gates and stop nothing here.

    Who is no member has no history: no condition on it holds, and no `not` of one.
    """
    if isinstance(condition, HasCode):
        return condition.code in receipt.codes
    if isinstance(condition, Not) and isinstance(condition.all_of[0], HasCode):
        return not _holds(history, rule, condition.all_of[0], receipt)
    if isinstance(condition, AmountIs) and _threshold(condition):
        return True
    return history.joined is not None and _past_holds(history, rule, condition, receipt)


def _past_holds(history: History, rule: EarningRule, condition: Condition, receipt: Receipt | Activity) -> bool:
    day, joined = receipt.day, history.joined or 0
    earlier = [visit for visit in history.visits if visit < day]
    count = len(earlier) + 1
    match condition:
        case FirstPurchase(within):
            held = not earlier and (within is None or day < plus(joined, within))
        case NthVisit(number, every):
            held = day in history.visits and (count % number == 0 if every else count == number)
        case NoVisitFor(duration):
            held = bool(earlier) and plus(earlier[-1], duration) <= day
        case MemberFor(at_least):
            held = plus(joined, at_least) <= day
        case AmountIs():
            held = _amount_holds(history, rule, condition, day)
        case Not(all_of):
            held = not all(_holds(history, rule, inner, receipt) for inner in all_of)
        case HasCode():
            held = condition.code in receipt.codes
        case Referred():
            held = history.referred
        case _:
            held = about_member(condition, joined, history.told, day, history.levels.on)
    return held


def _amount_holds(history: History, rule: EarningRule, condition: AmountIs, day: int) -> bool:
    if condition.within is not None:
        days = [e for e in history.days if plus(day, condition.within, -1) < e <= day]
    else:
        days = [e for e in history.days if e <= day and period(e, rule.measure) == period(day, rule.measure)]
    found = history.amount([bought for e in days for bought in history.on[e]], condition.what, condition.of or rule.on)
    return (condition.at_least or 0) <= found and (condition.at_most is None or found <= condition.at_most)


def _group_awards(history: History, group: str, day: int, given: Points) -> dict[str, int]:
    """Return a day's points of a group: its best member's to date, less its best member's before today."""
    members = sorted(rule.id for rule in history.policy(day).rules.values() if rule.choose == group)
    measure = history.policy(day).rules[members[0]].measure
    if measure == "receipt":
        return _receipt_group_awards(history, members, day)
    start = history.since(day, lambda policy: {r.id: r.meaning for r in policy.rules.values() if r.choose == group})
    days = [e for e in given if start <= e <= day and period(e, measure) == period(day, measure)]
    awards = dict.fromkeys(members, 0)
    winner, total = _winner(members, days, given)
    awards[winner] += total
    winner, total = _winner(members, [e for e in days if e < day], given)
    awards[winner] -= total
    return awards


def _winner(members: list[str], days: list[int], given: Points) -> tuple[str, int]:
    """Return who leads after these days, and with how much; in a tie the one who led before, else the lowest id."""
    sums = dict.fromkeys(members, 0)
    winner = members[0]
    for day in sorted(days):
        for member in members:
            sums[member] += given[day][member]
        winner = max([winner, *members], key=lambda member: sums[member])
    return winner, sums[winner]


def _receipt_group_awards(history: History, members: list[str], day: int) -> dict[str, int]:
    rules = history.policy(day).rules
    awards = dict.fromkeys(members, 0)
    for bought in history.on[day]:
        worths = {member: _of_receipt(history, rules[member], bought) for member in members}
        best = max(members, key=worths.__getitem__)
        awards[best] += worths[best]
    return awards
