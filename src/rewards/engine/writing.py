"""Writes the text of a policy's step and of what tells its awards, one rule after another.

Everything that reaches the text is a number of ours or a name made here, never
text of a policy. What does not live here: running the text (`step`), and what
the columns and slots are (`plan`).
"""

from __future__ import annotations

from collections.abc import Sequence

from rewards.days import Duration, Window
from rewards.engine.plan import (
    LONG,
    Gate,
    Plan,
    Progress,
    Recent,
    RulePlan,
    Slot,
    Standing,
    Used,
    Visits,
    amount_column,
    contest_slot,
)
from rewards.engine.tiers import Ladder
from rewards.policy.model import (
    AmountIs,
    Anniversary,
    Birthday,
    Condition,
    FirstPurchase,
    HasAttribute,
    InTier,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Referred,
)

HEAD = 3  # entries of the carry before the slots
_PERIOD = {"day": 0, "week": 1, "month": 2, "quarter": 3, "year": 4, "ever": 5}
_ROUND = {
    "down": "({amount}) // {by}",
    "up": "-(-({amount}) // {by})",
    "half_up": "(2 * ({amount}) + {by}) // {twice}",
}


class Writer:
    """Writes the text of one step."""

    def __init__(self, plan: Plan, groups: dict[str, list[RulePlan]], ladder: Ladder | None = None) -> None:
        self.plan = plan
        self.ladder = ladder
        self.wanted: list[tuple[str, frozenset[str | int | bool]]] = []  # attributes that the text reads by number
        self.groups = groups
        self.lines: list[str] = []
        self.firsts: dict[Duration, str] = {}
        self.gates: dict[str, str] = {}

    def text(self) -> str:
        """Return the source: `step`, and `tell` for the awards of a day that had none."""
        return self._step() + self._tell()

    def _step(self) -> str:
        for rule in self.plan.rules:
            self._rule(rule)
        for name, members in self.groups.items():
            self._group(name, members)
        body = self.lines
        self.lines = []
        self._head()
        head, self.lines = self.lines, []
        self._tail()
        return "def step(c, p, d, rows, member):\n" + "".join(f"    {line}\n" for line in [*head, *body, *self.lines])

    def _tell(self) -> str:
        """Write what `explain.facts` says of each rule that gave something, without asking what kind of rule it is."""
        points = "".join(f"x{rule.index}, " for rule in self.plan.rules)
        lines = [f"{points}= points"] if points else []
        for rule in self.plan.rules:
            i, known = rule.index, self._known_before(rule)
            sums = [f"int(v[{term.column}] > 0)" if rule.visits else f"v[{term.column}]" for term in rule.terms]
            facts = ", ".join(["0", *known, *sums])
            lines += [f"if x{i}:", f"    now[{i}] = x{i}", f"    add(award(r{i}, w{i}, d, x{i}, ({facts},)))"]
        head = ["now, awards = {}, []", "add = awards.append"]
        text = "".join(f"    {line}\n" for line in [*head, *lines, "return now, awards"])
        return f"\n\ndef tell(c, p, d, v, points, award):\n{text}"

    def _known_before(self, rule: RulePlan) -> list[str]:
        """Return the sums of the rule's window before the day."""
        if rule.rule.measure not in LONG:
            return ["0"] * len(rule.terms)
        entry = HEAD + self.plan.slots.index(Progress(rule.rule.id, rule.rule.meaning))
        same = f"c[{entry}][0] == p[{_PERIOD[rule.rule.measure]}]"
        return [f"(c[{entry}][{1 + i}] if {same} else 0)" for i in range(len(rule.terms))]

    def _add(self, line: str) -> None:
        self.lines.append(line)

    def _head(self) -> None:
        self._add("v = rows[0] if len(rows) == 1 else [sum(column) for column in zip(*rows)]")
        self._add("last, before = c[1], c[2]")
        self._add("visit = v[0] > 0")
        self._add("n = before + visit")
        self._add("joined = member[0]")
        for i in range(len(self.plan.slots)):
            self._add(f"s{i} = c[{HEAD + i}]")
        for slot in self.plan.slots:
            if isinstance(slot, Standing):
                self._add(f"held = ladder.held({self._slot(slot)}, d)")
        for duration, name in self.firsts.items():
            self._add(f"{name} = {self._first(duration)}")
        for text, name in self.gates.items():
            self._add(f"{name} = {text}")

    def _first(self, duration: Duration) -> str:
        if duration.unit == "days":
            return f"d - {duration.count - 1}"
        return f"plus(d, D({duration.count}, 'months'), -1) + 1"

    def _slot(self, slot: Slot) -> str:
        return f"s{self.plan.slots.index(slot)}"

    def _tail(self) -> None:
        """Roll the slots that conditions read over to the next day, and return."""
        for slot in self.plan.slots:
            name = self._slot(slot)
            if isinstance(slot, Recent):
                firsts = [self._first(within) for within in dict.fromkeys(self.plan.horizons[slot])]
                least = firsts[0] if len(firsts) == 1 else f"min({', '.join(firsts)})"
                amount = f"v[{self.plan.column(slot.column)}]"
                self._add(f"if {amount} > 0: {name} = roll({name}, {least}, d, {amount})")
            elif isinstance(slot, Visits):
                period = f"p[{_PERIOD[slot.window]}]"
                self._add(f"if v[{self.plan.column(slot.column)}] > 0:")
                self._add(f"    {name} = [{period}, {name}[1] + 1 if {name}[0] == {period} else 1]")
            elif isinstance(slot, Standing):
                self._add(f"more = {self._counts_for_tiers(slot)}")
                self._add(f"if more > 0: {name} = ladder.add({name}, held, d, more)")
        slots = "".join(f", s{i}" for i in range(len(self.plan.slots)))
        points = ", ".join(f"x{rule.index}" for rule in self.plan.rules)
        self._add(f"return [c[0], d if visit else last, n{slots}], [{points}]")

    def _counts_for_tiers(self, slot: Standing) -> str:
        if slot.by == "spend":
            return "v[0]"
        if slot.by == "visits":
            return "visit"
        given = [f"x{rule.index}" for rule in self.plan.rules if rule.rule.wallet == slot.by]
        return " + ".join(given) or "0"

    # conditions

    def _gate(self, gate: Gate) -> str:
        text = self._condition(gate.condition, gate.measure)
        return self.gates.setdefault(text, f"g{len(self.gates)}")

    def _condition(self, condition: Condition, measure: Window) -> str:
        match condition:
            case FirstPurchase(within=within):
                soon = f" and d < {self._later('joined', within)}" if within is not None else ""
                return f"joined and before == 0{soon}"
            case NthVisit(number=number, every=every):
                return f"joined and visit and n {'% ' if every else '== '}{number}{' == 0' if every else ''}"
            case NoVisitFor(duration=duration):
                return f"joined and before > 0 and d >= {self._later('last', duration)}"
            case MemberFor(at_least=duration):
                return f"joined and d >= {self._later('joined', duration)}"
            case Not(all_of=inner):
                parts = " and ".join(f"({self._condition(each, measure)})" for each in inner)
                return f"joined and not ({parts})"
            case AmountIs():
                return f"joined and {self._amount(condition, measure)}"
            case _:
                return f"joined and {self._about_member(condition)}"

    def _about_member(self, condition: Condition) -> str:
        match condition:
            case HasAttribute(name=name, values=values):
                if (name, values) not in self.wanted:
                    self.wanted.append((name, values))
                at = self.wanted.index((name, values))
                return f"has(member[2].get(wanted[{at}][0]), wanted[{at}][1])"
            case Birthday(within=within):
                return f"member[1] and d < {self._later('born(member[1], d)', within)}"
            case Anniversary(within=within):
                return f"yearly(joined, d) and d < {self._later('yearly(joined, d)', within)}"
            case InTier(names=names):
                assert self.ladder is not None
                levels = sorted(self.ladder.names.index(name) for name in names)
                return f"held[0] in {(*levels,)!r}"
            case Referred():
                return "member[3]"
        raise AssertionError("a code selects receipts; it is no gate of a day")

    def _later(self, start: str, duration: Duration) -> str:
        if duration.unit == "days":
            return f"{start} + {duration.count}"
        return f"plus({start}, D({duration.count}, 'months'))"

    def _amount(self, condition: AmountIs, measure: Window) -> str:
        column = amount_column(condition)
        today = f"v[{self.plan.column(column)}]"
        if condition.what == "visits":
            today = f"({today} > 0)"
        if condition.within is not None:
            known = self._slot(Recent(column))
            first = self.firsts.setdefault(condition.within, f"f{len(self.firsts)}")
            earlier = f"{'days' if condition.what == 'visits' else 'since'}({known}, {first})"
        elif measure in LONG:
            known = self._slot(Visits(column, measure))
            earlier = f"({known}[1] if {known}[0] == p[{_PERIOD[measure]}] else 0)"
        else:
            earlier = "0"
        low = f"{condition.at_least} <= " if condition.at_least is not None else ""
        high = f" <= {condition.at_most}" if condition.at_most is not None else ""
        return f"{low}{earlier} + {today}{high}"

    # rules

    def _value(self, rule: RulePlan, sums: Sequence[str], marks: Sequence[str]) -> str:
        """Return F of the sums, 0 while a threshold is not reached."""
        if rule.is_times and not (self._drops(rule) and rule.rule.measure != "receipt"):
            sums = self._reached_terms(rule, sums, marks)
        if rule.flat:
            text = f"({rule.flat} if {sums[0]} > 0 else 0)"
        elif self._drops(rule) and rule.rule.measure != "receipt":
            text = f"({' + '.join(sums)})"
        else:
            text = f"({self._rounded(rule, sums)})"
        reached = " and ".join(f"{mark} >= {least}" for mark, (_, least) in zip(marks, rule.thresholds, strict=False))
        return f"({text} if {reached} else 0)" if reached else text

    def _reached_terms(self, rule: RulePlan, sums: Sequence[str], marks: Sequence[str]) -> list[str]:
        """Let a base count only while its own thresholds are reached."""
        found, at = [], len(rule.thresholds)
        for term, amount in zip(rule.terms, sums, strict=True):
            mine = marks[at : at + len(term.thresholds)]
            at += len(mine)
            reached = " and ".join(f"{m} >= {least}" for m, (_, least) in zip(mine, term.thresholds, strict=True))
            found.append(f"({amount} if {reached} else 0)" if reached else amount)
        return found

    def _rounded(self, rule: RulePlan, sums: Sequence[str]) -> str:
        if not rule.is_times:
            term = rule.terms[0]
            if term.every == 1:
                return f"{sums[0]} * {term.give}"
            floor = _ROUND[rule.rounding].format(amount=sums[0], by=term.every, twice=2 * term.every)
            return f"({floor}) * {term.give}" if term.give != 1 else floor
        factors, by = rule.common()
        amount = " + ".join(f"{amount} * {factor}" for amount, factor in zip(sums, factors, strict=True))
        return _ROUND[rule.rounding].format(amount=amount, by=by, twice=2 * by)

    def _drops(self, rule: RulePlan) -> bool:
        return rule.rule.remainder == "drop" and not rule.flat and not rule.visits

    def _today(self, rule: RulePlan) -> list[str]:
        """Return the rule's sums of today, one for each term."""
        if rule.visits:
            return [f"(1 if v[{rule.terms[0].column}] > 0 else 0)"]
        return [f"v[{term.column}]" for term in rule.terms]

    def _all_of(self, gates: Sequence[Gate]) -> str:
        return " and ".join(dict.fromkeys(self._gate(gate) for gate in gates))

    def _counted(self, rule: RulePlan, sums: Sequence[str]) -> list[str]:
        """Let the sums of a term count on days when the base's gates hold too."""
        found = []
        for term, amount in zip(rule.terms, sums, strict=True):
            condition = self._all_of(term.gates)
            found.append(f"({amount} if {condition} else 0)" if condition else amount)
        return found

    def _dropped(self, rule: RulePlan) -> str:
        """Return the sum of what each receipt gives alone, before thresholds of the window."""
        sums = self._counted(rule, [f"r[{term.column}]" for term in rule.terms])
        return f"sum([{self._rounded(rule, sums)} for r in rows])"

    def _rule(self, rule: RulePlan) -> None:
        measure = rule.rule.measure
        x = f"x{rule.index}"
        condition = self._all_of(rule.gates)
        if measure == "receipt":
            self._receipts(rule, x, condition)
        elif measure == "day":
            self._day(rule, x, condition)
        else:
            self._window(rule, x, condition)
        for per, points in rule.limits.items():
            self._limit(rule, x, per, points)

    def _day(self, rule: RulePlan, x: str, condition: str) -> None:
        marks = [f"v[{column}]" for column, _ in rule.marks]
        if self._drops(rule):
            value = self._dropped(rule)
            reached = " and ".join(
                f"{mark} >= {least}" for mark, (_, least) in zip(marks, rule.thresholds, strict=False)
            )
            value = f"({value} if {reached} else 0)" if reached else value
        else:
            value = self._value(rule, self._counted(rule, self._today(rule)), marks)
        self._add(f"{x} = {value} if {condition} else 0" if condition else f"{x} = {value}")

    def _receipts(self, rule: RulePlan, x: str, condition: str) -> None:
        """Measure each receipt for itself; `y` keeps them for a group that chooses by receipt."""
        sums = [f"(1 if r[{term.column}] > 0 else 0)" if rule.visits else f"r[{term.column}]" for term in rule.terms]
        value = self._value(rule, self._counted(rule, sums), [f"r[{column}]" for column, _ in rule.marks])
        if "receipt" in rule.limits:
            value = f"min({value}, {rule.limits['receipt']})"
        if condition:
            value = f"{value} if {condition} else 0"
        if rule.group is not None:
            self._add(f"y{rule.index} = [{value} for r in rows]")
            self._add(f"{x} = 0")
        else:
            self._add(f"{x} = sum([{value} for r in rows])")

    def _window(self, rule: RulePlan, x: str, condition: str) -> None:
        """Measure a window that outlasts the day: F to date less F before today."""
        slot, period = self._slot(Progress(rule.rule.id, rule.rule.meaning)), f"p[{_PERIOD[rule.rule.measure]}]"
        today = self._counted(rule, self._today(rule))
        if self._drops(rule):
            today = [self._dropped(rule)]
        marks = [f"v[{column}]" for column, _ in rule.marks]
        size = len(today)
        old = [f"w[{1 + i}]" for i in range(size + len(marks))]
        empty = ", ".join([period, *["0"] * len(old)])
        self._add(f"w = {slot} if {slot}[0] == {period} else [{empty}]")
        gated = [f"({amount} if {condition} else 0)" for amount in today] if condition else today
        new = [f"{before} + {amount}" for before, amount in zip(old, [*gated, *marks], strict=True)]
        self._add(f"u = [{', '.join([period, *new])}]")
        now = [f"u[{1 + i}]" for i in range(len(new))]
        self._add(
            f"{x} = {self._value(rule, now[:size], now[size:])} - {self._value(rule, old[:size], old[size:])}",
        )
        self._add(f"if u != w: {slot} = u")

    def _limit(self, rule: RulePlan, x: str, per: Window, points: int) -> None:
        if per == "receipt":
            return
        if per == "day":
            self._add(f"if {x} > {points}: {x} = {points}")
            return
        slot, period = self._slot(Used(rule.rule.id, per)), f"p[{_PERIOD[per]}]"
        self._add(f"if {x}:")
        self._add(f"    room = {points} - {slot}[1] if {slot}[0] == {period} else {points}")
        self._add(f"    if {x} > room: {x} = room if room > 0 else 0")
        for other in rule.limits:  # usage is counted after every limit has cut
            if other in LONG and other != per and list(rule.limits).index(other) > list(rule.limits).index(per):
                return
        for each in rule.limits:
            if each in LONG:
                used, number = self._slot(Used(rule.rule.id, each)), f"p[{_PERIOD[each]}]"
                self._add(f"    if {x}: {used} = [{number}, {used}[1] + {x} if {used}[0] == {number} else {x}]")

    # groups

    def _group(self, name: str, members: list[RulePlan]) -> None:
        measure = members[0].rule.measure
        if measure == "receipt":
            self._best_of_receipts(members)
        elif measure == "day":
            self._best_of_day(members)
        else:
            self._best_of_window(name, members, f"p[{_PERIOD[measure]}]")

    def _best_of_receipts(self, members: list[RulePlan]) -> None:
        """Give each receipt's points to its best member; ties to the lowest id."""
        self._add("for i in range(len(rows)):")
        self._add(f"    best = max({', '.join(f'y{m.index}[i]' for m in members)}, 0)")
        for position, member in enumerate(members):
            word = "elif" if position else "if"
            self._add(f"    {word} y{member.index}[i] == best: x{member.index} += best")

    def _best_of_day(self, members: list[RulePlan]) -> None:
        self._add(f"best = max({', '.join(f'x{m.index}' for m in members)}, 0)")
        for member in members:
            self._add(f"if best and x{member.index} == best: best = 0")
            self._add(f"else: x{member.index} = 0")

    def _best_of_window(self, name: str, members: list[RulePlan], period: str) -> None:
        """Give the group what its best member's window has grown by; a change of winner shows as minus and plus."""
        slot = self._slot(contest_slot(name, members))
        sums = ", ".join(f"t[{i}] + x{member.index}" for i, member in enumerate(members))
        self._add(f"winner, t = ({slot}[1], {slot}[2]) if {slot}[0] == {period} else (-1, {[0] * len(members)})")
        self._add(f"t2 = [{sums}]")
        self._add("best = max(t2)")
        self._add("won = winner if winner >= 0 and t2[winner] == best else (t2.index(best) if best else -1)")
        self._add(f"if t2 != t or won != winner: {slot} = [{period}, won, t2]")
        for i, member in enumerate(members):
            self._add(f"x{member.index} = (best if won == {i} else 0) - (t[{i}] if winner == {i} else 0)")
