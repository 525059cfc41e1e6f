"""The step: what one day earned, generated as Python from the policy's plan.

`step(carry, periods, day, rows, joined) -> (carry', points of each rule)`. The
carry is a list: number of the policy version, last visit day (0: none), visits
so far, then one entry for each slot of the plan. `rows` are the vectors of the
day's receipts; `joined` is the day on which the member joined, 0 for a guest.

Generated code has no branch that the policy does not need, which makes it about
ten times as fast as interpreting the rules; `reference` is the same definition
in obvious form, and a law says that both agree. Everything that reaches the
generated text is a number of ours or a name made here, never text of a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rewards.days import Duration, Window, plus
from rewards.engine.lines import Reader
from rewards.engine.plan import (
    LONG,
    Contest,
    Gate,
    Plan,
    Progress,
    Recent,
    RulePlan,
    Slot,
    Used,
    Visits,
    amount_column,
    contest_slot,
    contests,
    plan_policy,
)
from rewards.policy.model import (
    AmountIs,
    Condition,
    FirstPurchase,
    HasCode,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Policy,
)

Carry = list[object]
Row = list[int]
Step = Callable[[Carry, tuple[int, ...], int, Sequence[Row], int], tuple[Carry, list[int]]]

HEAD = 3  # entries of the carry before the slots
_PERIOD = {"day": 0, "week": 1, "month": 2, "quarter": 3, "year": 4, "ever": 5}
_ROUND = {
    "down": "({amount}) // {by}",
    "up": "-(-({amount}) // {by})",
    "half_up": "(2 * ({amount}) + {by}) // {twice}",
}


@dataclass(slots=True)
class Compiled:
    """A policy version, ready to judge days."""

    policy: Policy
    plan: Plan
    reader: Reader
    step: Step
    source: str  # of the generated step, for whoever debugs it
    rule_ids: list[str]
    wallets: list[str]  # of each rule

    def horizon(self, slot: Recent, day: int) -> int:
        """Return the first day that a `Recent` slot must still know on `day`."""
        return min(first_day(day, within) for within in self.plan.horizons[slot])


def first_day(day: int, within: Duration) -> int:
    """Return the first day of the `within` that ends with `day`."""
    return day - within.count + 1 if within.unit == "days" else plus(day, within, -1) + 1


def compile_step(policy: Policy) -> Compiled:
    """Plan the policy and generate its step."""
    plan = plan_policy(policy)
    groups = contests(plan)
    source = _Writer(plan, groups).text()
    names: dict[str, object] = {"plus": plus, "D": Duration, "since": _since, "days": _days, "roll": _roll}
    exec(compile(source, "<step>", "exec"), names)  # noqa: S102  made from our own plan, see above
    step: Step = names["step"]  # type: ignore[assignment]
    return Compiled(
        policy=policy,
        plan=plan,
        reader=Reader(policy.eligible, plan.columns),
        step=step,
        source=source,
        rule_ids=[rule.rule.id for rule in plan.rules],
        wallets=[rule.rule.wallet for rule in plan.rules],
    )


def _since(known: Sequence[int], first: int) -> int:
    """Sum the amounts of days from `first` on."""
    total = 0
    for i in range(len(known) - 2, -1, -2):
        if known[i] < first:
            break
        total += known[i + 1]
    return total


def _days(known: Sequence[int], first: int) -> int:
    """Count the days from `first` on."""
    count = 0
    for i in range(len(known) - 2, -1, -2):
        if known[i] < first:
            break
        count += 1
    return count


def _roll(known: Sequence[int], first: int, day: int, amount: int) -> list[int]:
    """Add a day and forget the days before `first`."""
    start = 0
    while start < len(known) and known[start] < first:
        start += 2
    return [*known[start:], day, amount]


class _Writer:
    """Writes the text of one step."""

    def __init__(self, plan: Plan, groups: dict[str, list[RulePlan]]) -> None:
        self.plan = plan
        self.groups = groups
        self.lines: list[str] = []
        self.firsts: dict[Duration, str] = {}
        self.gates: dict[str, str] = {}

    def text(self) -> str:
        for rule in self.plan.rules:
            self.rule(rule)
        for name, members in self.groups.items():
            self.group(name, members)
        body = self.lines
        self.lines = []
        self.head()
        head, self.lines = self.lines, []
        self.tail()
        return "def step(c, p, d, rows, joined):\n" + "".join(f"    {line}\n" for line in [*head, *body, *self.lines])

    def add(self, line: str) -> None:
        self.lines.append(line)

    def head(self) -> None:
        self.add("v = rows[0] if len(rows) == 1 else [sum(column) for column in zip(*rows)]")
        self.add("last, before = c[1], c[2]")
        self.add("visit = v[0] > 0")
        self.add("n = before + visit")
        for i in range(len(self.plan.slots)):
            self.add(f"s{i} = c[{HEAD + i}]")
        for duration, name in self.firsts.items():
            self.add(f"{name} = {self.first(duration)}")
        for text, name in self.gates.items():
            self.add(f"{name} = {text}")

    def first(self, duration: Duration) -> str:
        if duration.unit == "days":
            return f"d - {duration.count - 1}"
        return f"plus(d, D({duration.count}, 'months'), -1) + 1"

    def slot(self, slot: Slot) -> str:
        return f"s{self.plan.slots.index(slot)}"

    def tail(self) -> None:
        """Roll the slots that conditions read over to the next day, and return."""
        for slot in self.plan.slots:
            name = self.slot(slot)
            if isinstance(slot, Recent):
                firsts = [self.first(within) for within in dict.fromkeys(self.plan.horizons[slot])]
                least = firsts[0] if len(firsts) == 1 else f"min({', '.join(firsts)})"
                amount = f"v[{self.plan.column(slot.column)}]"
                self.add(f"if {amount} > 0: {name} = roll({name}, {least}, d, {amount})")
            elif isinstance(slot, Visits):
                period = f"p[{_PERIOD[slot.window]}]"
                self.add(f"if v[{self.plan.column(slot.column)}] > 0:")
                self.add(f"    {name} = [{period}, {name}[1] + 1 if {name}[0] == {period} else 1]")
        slots = "".join(f", s{i}" for i in range(len(self.plan.slots)))
        points = ", ".join(f"x{rule.index}" for rule in self.plan.rules)
        self.add(f"return [c[0], d if visit else last, n{slots}], [{points}]")

    # conditions

    def gate(self, gate: Gate) -> str:
        text = self.condition(gate.condition, gate.measure)
        return self.gates.setdefault(text, f"g{len(self.gates)}")

    def condition(self, condition: Condition, measure: Window) -> str:
        match condition:
            case FirstPurchase(within=None):
                return "joined and before == 0"
            case FirstPurchase(within=within):
                return f"joined and before == 0 and d < {self.later('joined', within)}"
            case NthVisit(number=number, every=every):
                return f"joined and visit and n {'% ' if every else '== '}{number}{' == 0' if every else ''}"
            case NoVisitFor(duration=duration):
                return f"joined and before > 0 and d >= {self.later('last', duration)}"
            case MemberFor(at_least=duration):
                return f"joined and d >= {self.later('joined', duration)}"
            case Not(all_of=inner):
                parts = " and ".join(f"({self.condition(each, measure)})" for each in inner)
                return f"joined and not ({parts})"
            case AmountIs():
                return f"joined and {self.amount(condition, measure)}"
            case HasCode():
                raise AssertionError("a code selects receipts; it is no gate of a day")

    def later(self, start: str, duration: Duration) -> str:
        if duration.unit == "days":
            return f"{start} + {duration.count}"
        return f"plus({start}, D({duration.count}, 'months'))"

    def amount(self, condition: AmountIs, measure: Window) -> str:
        column = amount_column(condition)
        today = f"v[{self.plan.column(column)}]"
        if condition.what == "visits":
            today = f"({today} > 0)"
        if condition.within is not None:
            known = self.slot(Recent(column))
            first = self.firsts.setdefault(condition.within, f"f{len(self.firsts)}")
            earlier = f"{'days' if condition.what == 'visits' else 'since'}({known}, {first})"
        elif measure in LONG:
            known = self.slot(Visits(column, measure))
            earlier = f"({known}[1] if {known}[0] == p[{_PERIOD[measure]}] else 0)"
        else:
            earlier = "0"
        low = f"{condition.at_least} <= " if condition.at_least is not None else ""
        high = f" <= {condition.at_most}" if condition.at_most is not None else ""
        return f"{low}{earlier} + {today}{high}"

    # rules

    def value(self, rule: RulePlan, sums: Sequence[str], marks: Sequence[str]) -> str:
        """Return F of the sums, 0 while a threshold is not reached."""
        if rule.is_times and not (self.drops(rule) and rule.rule.measure != "receipt"):
            sums = self.reached_terms(rule, sums, marks)
        if rule.flat:
            text = f"({rule.flat} if {sums[0]} > 0 else 0)"
        elif self.drops(rule) and rule.rule.measure != "receipt":
            text = f"({' + '.join(sums)})"
        else:
            text = f"({self.rounded(rule, sums)})"
        reached = " and ".join(f"{mark} >= {least}" for mark, (_, least) in zip(marks, rule.thresholds, strict=False))
        return f"({text} if {reached} else 0)" if reached else text

    def reached_terms(self, rule: RulePlan, sums: Sequence[str], marks: Sequence[str]) -> list[str]:
        """Let a base count only while its own thresholds are reached."""
        found, at = [], len(rule.thresholds)
        for term, amount in zip(rule.terms, sums, strict=True):
            mine = marks[at : at + len(term.thresholds)]
            at += len(mine)
            reached = " and ".join(f"{m} >= {least}" for m, (_, least) in zip(mine, term.thresholds, strict=True))
            found.append(f"({amount} if {reached} else 0)" if reached else amount)
        return found

    def rounded(self, rule: RulePlan, sums: Sequence[str]) -> str:
        if not rule.is_times:
            term = rule.terms[0]
            if term.every == 1:
                return f"{sums[0]} * {term.give}"
            floor = _ROUND[rule.rounding].format(amount=sums[0], by=term.every, twice=2 * term.every)
            return f"({floor}) * {term.give}" if term.give != 1 else floor
        factors, by = rule.common()
        amount = " + ".join(f"{amount} * {factor}" for amount, factor in zip(sums, factors, strict=True))
        return _ROUND[rule.rounding].format(amount=amount, by=by, twice=2 * by)

    def drops(self, rule: RulePlan) -> bool:
        return rule.rule.remainder == "drop" and not rule.flat and not rule.visits

    def today(self, rule: RulePlan) -> list[str]:
        """Return the rule's sums of today, one for each term."""
        if rule.visits:
            return [f"(1 if v[{rule.terms[0].column}] > 0 else 0)"]
        return [f"v[{term.column}]" for term in rule.terms]

    def all_of(self, gates: Sequence[Gate]) -> str:
        return " and ".join(dict.fromkeys(self.gate(gate) for gate in gates))

    def counted(self, rule: RulePlan, sums: Sequence[str]) -> list[str]:
        """Let the sums of a term count on days when the base's gates hold too."""
        found = []
        for term, amount in zip(rule.terms, sums, strict=True):
            condition = self.all_of(term.gates)
            found.append(f"({amount} if {condition} else 0)" if condition else amount)
        return found

    def dropped(self, rule: RulePlan) -> str:
        """Return the sum of what each receipt gives alone, before thresholds of the window."""
        sums = self.counted(rule, [f"r[{term.column}]" for term in rule.terms])
        return f"sum([{self.rounded(rule, sums)} for r in rows])"

    def rule(self, rule: RulePlan) -> None:
        measure = rule.rule.measure
        x = f"x{rule.index}"
        condition = self.all_of(rule.gates)
        if measure == "receipt":
            self.receipts(rule, x, condition)
        elif measure == "day":
            self.day(rule, x, condition)
        else:
            self.window(rule, x, condition)
        for per, points in rule.limits.items():
            self.limit(rule, x, per, points)

    def day(self, rule: RulePlan, x: str, condition: str) -> None:
        marks = [f"v[{column}]" for column, _ in rule.marks]
        if self.drops(rule):
            value = self.dropped(rule)
            reached = " and ".join(f"{mark} >= {least}" for mark, (_, least) in zip(marks, rule.thresholds, strict=False))
            value = f"({value} if {reached} else 0)" if reached else value
        else:
            value = self.value(rule, self.counted(rule, self.today(rule)), marks)
        self.add(f"{x} = {value} if {condition} else 0" if condition else f"{x} = {value}")

    def receipts(self, rule: RulePlan, x: str, condition: str) -> None:
        """Measure each receipt for itself; `y` keeps them for a group that chooses by receipt."""
        sums = [f"(1 if r[{term.column}] > 0 else 0)" if rule.visits else f"r[{term.column}]" for term in rule.terms]
        value = self.value(rule, self.counted(rule, sums), [f"r[{column}]" for column, _ in rule.marks])
        if "receipt" in rule.limits:
            value = f"min({value}, {rule.limits['receipt']})"
        if condition:
            value = f"{value} if {condition} else 0"
        if rule.group is not None:
            self.add(f"y{rule.index} = [{value} for r in rows]")
            self.add(f"{x} = 0")
        else:
            self.add(f"{x} = sum([{value} for r in rows])")

    def window(self, rule: RulePlan, x: str, condition: str) -> None:
        """Measure a window that outlasts the day: F to date less F before today."""
        slot, period = self.slot(Progress(rule.rule.id, rule.rule.meaning)), f"p[{_PERIOD[rule.rule.measure]}]"
        today = self.counted(rule, self.today(rule))
        if self.drops(rule):
            today = [self.dropped(rule)]
        marks = [f"v[{column}]" for column, _ in rule.marks]
        size = len(today)
        old = [f"w[{1 + i}]" for i in range(size + len(marks))]
        empty = ", ".join([period, *["0"] * len(old)])
        self.add(f"w = {slot} if {slot}[0] == {period} else [{empty}]")
        gated = [f"({amount} if {condition} else 0)" for amount in today] if condition else today
        new = [f"{before} + {amount}" for before, amount in zip(old, [*gated, *marks], strict=True)]
        self.add(f"u = [{', '.join([period, *new])}]")
        now = [f"u[{1 + i}]" for i in range(len(new))]
        self.add(
            f"{x} = {self.value(rule, now[:size], now[size:])} - {self.value(rule, old[:size], old[size:])}",
        )
        self.add(f"if u != w: {slot} = u")

    def limit(self, rule: RulePlan, x: str, per: Window, points: int) -> None:
        if per == "receipt":
            return
        if per == "day":
            self.add(f"if {x} > {points}: {x} = {points}")
            return
        slot, period = self.slot(Used(rule.rule.id, per)), f"p[{_PERIOD[per]}]"
        self.add(f"if {x}:")
        self.add(f"    room = {points} - {slot}[1] if {slot}[0] == {period} else {points}")
        self.add(f"    if {x} > room: {x} = room if room > 0 else 0")
        for other in rule.limits:  # usage is counted after every limit has cut
            if other in LONG and other != per and list(rule.limits).index(other) > list(rule.limits).index(per):
                return
        for each in rule.limits:
            if each in LONG:
                used, number = self.slot(Used(rule.rule.id, each)), f"p[{_PERIOD[each]}]"
                self.add(f"    if {x}: {used} = [{number}, {used}[1] + {x} if {used}[0] == {number} else {x}]")

    # groups

    def group(self, name: str, members: list[RulePlan]) -> None:
        measure = members[0].rule.measure
        if measure == "receipt":
            self.best_of_receipts(members)
        elif measure == "day":
            self.best_of_day(members)
        else:
            self.best_of_window(name, members, f"p[{_PERIOD[measure]}]")

    def best_of_receipts(self, members: list[RulePlan]) -> None:
        """Give each receipt's points to its best member; ties to the lowest id."""
        self.add("for i in range(len(rows)):")
        self.add(f"    best = max({', '.join(f'y{m.index}[i]' for m in members)}, 0)")
        for position, member in enumerate(members):
            word = "elif" if position else "if"
            self.add(f"    {word} y{member.index}[i] == best: x{member.index} += best")

    def best_of_day(self, members: list[RulePlan]) -> None:
        self.add(f"best = max({', '.join(f'x{m.index}' for m in members)})")
        for member in members:
            self.add(f"if best and x{member.index} == best: best = 0")
            self.add(f"else: x{member.index} = 0")

    def best_of_window(self, name: str, members: list[RulePlan], period: str) -> None:
        """Give the group what its best member's window has grown by; a change of winner shows as minus and plus."""
        slot = self.slot(contest_slot(name, members))
        sums = ", ".join(f"t[{i}] + x{member.index}" for i, member in enumerate(members))
        self.add(f"winner, t = ({slot}[1], {slot}[2]) if {slot}[0] == {period} else (-1, {[0] * len(members)})")
        self.add(f"t2 = [{sums}]")
        self.add("best = max(t2)")
        self.add("won = winner if winner >= 0 and t2[winner] == best else (t2.index(best) if best else -1)")
        self.add(f"if t2 != t or won != winner: {slot} = [{period}, won, t2]")
        for i, member in enumerate(members):
            self.add(f"x{member.index} = (best if won == {i} else 0) - (t[{i}] if winner == {i} else 0)")


EMPTY: dict[type[Slot], list[object]] = {
    Progress: [-1],
    Used: [-1, 0],
    Visits: [-1, 0],
    Recent: [],
    Contest: [-1, -1, []],
}
