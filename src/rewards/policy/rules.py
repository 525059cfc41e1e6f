"""Earning rules: what was read of them -> drafts, and what two rules must agree on.

What does not live here: selections and conditions (their own modules), and
oddities that are legal (`oddities`). A draft holds None where its part of the
file is broken; nothing is reported twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from rewards.days import WINDOWS, Window
from rewards.policy.activity_model import EachTime
from rewards.policy.conditions import (
    MOST_DAYS,
    OfMembers,
    OfRule,
    compile_conditions,
    compile_schedule,
    visits_do_not_fit,
)
from rewards.policy.forms import Every, Given
from rewards.policy.given_cards import NO_WALLET, GivenCards, number_of
from rewards.policy.groups import Groups
from rewards.policy.model import (
    AmountIs,
    Condition,
    Flat,
    GivenCard,
    Limit,
    Not,
    NthVisit,
    Rate,
    Schedule,
    Selection,
    Times,
)
from rewards.policy.problems import Also, Report, Span
from rewards.policy.selections import Selections
from rewards.policy.shape import Got, Table
from rewards.policy.wording import Hint, one_of, quoted

Gives = Rate | Flat | Times | EachTime
ALL_SELECTED = "all"


@dataclass(slots=True)
class Draft:
    """A rule on its way; `key` is the place of its id."""

    id: str
    table: Table
    key: Span
    on: Selection | None
    on_name: str
    when: tuple[Condition, ...]
    schedule: Schedule | None
    measure: Window | None
    gives: Gives | None
    wallet: str | None  # `NO_WALLET` if it gives cards
    card: GivenCard | None = None
    limits: list[tuple[Limit, Got]] = field(default_factory=list)

    def place(self, name: str) -> Span:
        """Return the place of a key's value, or of the rule if the key is not there."""
        got = self.table.get(name)
        return got.place if got else self.key


def draft_rule(
    name: str, got: Got, selections: Selections, members: OfMembers, cards: GivenCards, report: Report
) -> Draft:
    """Read one rule; what needs other rules comes later."""
    table: Table = got.value
    on_got = table.get("on")
    on = selections.resolve(on_got) if table.has("on") else selections.resolve(Got(ALL_SELECTED, got.key, got.key))
    measure: Window | None = table.value("measure", None if "measure" in table.broken else "day")
    when = table.get("when")
    of_rule = OfRule(on, measure, selections, report, members)
    gives, wallet = _gives(table)
    draft = Draft(
        id=name,
        table=table,
        key=got.key,
        on=on,
        on_name=on_name(on_got),
        when=compile_conditions(when.value, of_rule) if when else (),
        schedule=compile_schedule(table.get("schedule")),
        measure=measure,
        gives=gives,
        wallet=wallet,
        card=cards.read(table.get("give")),
    )
    _check_rate(draft, report)
    if when and on is not None and any(match.stored_value for match in on.any_of):
        _check_stored_value(draft, when, report)
    return draft


def on_name(got: Got | None) -> str:
    """Return the names that the author gave what is selected, or an empty text if it has none."""
    names = [part.value for part in got.parts] if got else []
    return ", ".join(names) if all(isinstance(name, str) and name != ALL_SELECTED for name in names) else ""


def _gives(table: Table) -> tuple[Gives | None, str | None]:
    give = number_of(table.get("give"))
    every: Every | None = table.value("every")
    factor: Fraction | None = table.value("times")
    of = table.get("of")
    if factor and of:
        return Times(factor.numerator, factor.denominator, tuple(dict.fromkeys(one.value for one in of.parts))), None
    if give is None or (table.has("every") and every is None):
        return None, give[1] if give else None
    if every is None:
        return Flat(give[0]), give[1]
    return Rate(every.what, every.every, give[0]), give[1]


def _check_stored_value(draft: Draft, when: Got, report: Report) -> None:
    """Selling stored value is no visit: a bound on visits from above could end on the same day, after the sale."""
    if any(ends_with_a_visit(condition) for condition in draft.when):
        message = "selling stored value is no visit, so a visit later on the day could take back what it gave"
        advice = "leave out `not` and `at_most` of visits here, or write a `limit`"
        report.add("stored-value-visits", message, when.key, advice)


def ends_with_a_visit(condition: Condition) -> bool:
    """Return whether a visit later on the day could end what the condition says."""
    if isinstance(condition, Not):
        return any(isinstance(one, AmountIs | NthVisit) for one in condition.all_of)
    return isinstance(condition, AmountIs) and condition.at_most is not None


def _check_rate(draft: Draft, report: Report) -> None:
    every = draft.table.get("every")
    if every is None or not isinstance(draft.gives, Rate) or draft.gives.what != "visits":
        return
    named = next((key for key in ("remainder", "measure") if draft.table.value(key) in ("drop", "receipt")), "")
    if named:
        message = f"`{named}: {draft.table.value(named)}` looks at each receipt, but a visit is a day"
        report.add("visits-by-receipt", message, draft.place(named), f"leave `{named}` out, or count units or spend")
    elif draft.measure in MOST_DAYS and draft.gives.every > MOST_DAYS[draft.measure]:
        visits_do_not_fit(every, MOST_DAYS[draft.measure], f"`measure: {draft.measure}`", report)


def windowed(conditions: tuple[Condition, ...]) -> bool:
    """Tell whether any condition is measured over the rule's own window."""
    return any(isinstance(one, AmountIs) and one.within is None for one in conditions)


@dataclass(slots=True)
class CrossChecks:
    """What rules must agree on with each other, with their limits and their groups."""

    drafts: dict[str, Draft]
    broken: set[str]  # rules that could not be read
    groups: Groups
    report: Report
    _rated: list[str] = field(default_factory=list)  # rules with a rate, which can be multiplied

    def run(self) -> None:
        """Check all; multipliers get their wallet, and every rule its limits."""
        self._rated = [one for one, draft in self.drafts.items() if isinstance(draft.gives, Rate)]
        for draft in self.drafts.values():
            if isinstance(draft.gives, Times):
                self._bases(draft)
        for draft in self.drafts.values():
            self.limits(draft)
        self._groups()

    # Multipliers.

    def _bases(self, draft: Draft) -> None:
        got = draft.table.got["of"]
        drop = draft.table.get("remainder")
        if drop and drop.value == "drop":
            message = "a multiplier rounds once in its window, so it has no remainder of each receipt to drop"
            self.report.add("multiplier-remainder", message, drop.key, "leave `remainder` out")
        found: dict[str, tuple[Draft, Got]] = {}
        for name in got.parts:
            base = self._base(draft, name)
            if base is not None:
                found.setdefault(base.id, (base, name))
        bases = list(found.values())
        for base, name in bases:
            self._same_measure(draft, base, name)
        wallets = [(base.wallet, name) for base, name in bases if base.wallet]
        if wallets:
            draft.wallet = wallets[0][0]
        for wallet, name in wallets[1:]:
            if wallet != draft.wallet:
                also = Also(wallets[0][1].span, f"gives {draft.wallet}")
                message = f"{quoted(name.value)} gives {wallet}, not {draft.wallet}"
                self.report.add("bases-of-two-wallets", message, name.span, "write a rule for each wallet", also)

    def _base(self, draft: Draft, name: Got) -> Draft | None:
        if name.value in self.broken:
            return None
        base = self.drafts.get(name.value)
        if base is None:
            message = f"there is no rule {quoted(name.value)}"
            hint = Hint(name.value, self._rated, "`of` names rules with `every`", "the rules with a rate are")
            self.report.add("unknown-rule", message, name.span, hint)
            return None
        if isinstance(base.gives, Rate) and base.gives.what != "visits" and base.wallet != NO_WALLET:
            return base
        if base.gives is not None:
            self._bad_base(draft, base, name)
        return None

    def _bad_base(self, draft: Draft, base: Draft, name: Got) -> None:
        if base is draft:
            what = "is this rule itself"
        elif isinstance(base.gives, Times):
            what = "is a multiplier itself"
        elif base.wallet == NO_WALLET:
            what = "gives gift cards"
        else:
            what = "gives a flat amount" if isinstance(base.gives, Flat) else "gives by visits"
        message = f"{quoted(base.id)} can't be multiplied: it {what}"
        advice = "multiply rules that give by spend or units, such as `every: 1.00`"
        if isinstance(base.gives, Times) and base is not draft:
            advice = f"multiply what {quoted(base.id)} multiplies: {one_of(base.gives.of, 'and')}; multipliers add up"
        self.report.add("bad-base", message, name.span, advice, Also(base.key, "the rule is here"))

    def _same_measure(self, draft: Draft, base: Draft, name: Got) -> None:
        if draft.measure is None or base.measure in (None, draft.measure) or not windowed(base.when):
            return
        message = (
            f"{quoted(base.id)} has a condition over its {base.measure}, but this rule measures the {draft.measure}"
        )
        also = Also(base.place("measure"), "the other measure")
        self.report.add(
            "base-measure", message, name.span, f"write `measure: {base.measure}` in {quoted(draft.id)}", also
        )

    # Limits.

    def limits(self, draft: Draft) -> None:
        """Give a rule its limits."""
        got = draft.table.get("limit")
        for one in got.parts if got else ():
            limit = self._limit(draft, one)
            if limit is not None:
                draft.limits.append((limit, one))

    def _limit(self, draft: Draft, got: Got) -> Limit | None:
        table: Table = got.value
        points, per = self._most(draft, table), table.get("per")
        if per is not None and draft.measure is not None and not self._nests(draft, per):
            return None
        return Limit(points, per.value) if points and per else None

    def _nests(self, draft: Draft, per: Got) -> bool:
        also = Also(draft.place("measure"), "the measure is here") if draft.table.get("measure") else None
        measured = draft.measure or "day"
        if WINDOWS.index(per.value) < WINDOWS.index(measured):
            message = f"a limit per {per.value} is shorter than `measure: {measured}`"
            advice = f"write `per: {measured}` or longer" + (
                "" if also else "; the measure is `day` unless it is written"
            )
            self.report.add("limit-too-short", message, per.span, advice, also)
            return False
        if measured == "week" and per.value in ("month", "quarter", "year"):
            message = f"a {per.value} does not hold whole weeks, so a limit per {per.value} cuts a week in two"
            once = isinstance(draft.gives, Flat)  # a week at most, so a limit per week would hold nothing back
            other = f"leave the limit out and write `measure: {per.value}`" if once else "`per: week`"
            self.report.add("limit-does-not-nest", message, per.span, f"write `per: ever`, or {other}", also)
            return False
        return True

    def _most(self, draft: Draft, table: Table) -> int | None:
        """Return a limit in what the rule gives: points, or cards."""
        if money := table.get("money"):
            return self._most_money(draft, money)
        if units := table.get("units"):
            return self._most_units(draft, units)
        return self._limit_points(draft, table)

    def _most_money(self, draft: Draft, money: Got) -> int | None:
        if draft.card is not None and draft.card.value_minor:
            if money.value < draft.card.value_minor:
                message = f"`money: {money.text}` is less than one card is worth, so none would ever be given"
                self.report.add("limit-below-one", message, money.span, "write a larger amount")
            return int(money.value) // draft.card.value_minor
        if draft.card is not None or draft.wallet:
            given = "vouchers" if draft.card is not None else str(draft.wallet)
            message = f"`money` limits what gift cards are worth, and this gives {given}"
            self.report.add("limit-kind", message, money.key, "limit `times`, such as `times: 3`")
        return None

    def _most_units(self, draft: Draft, units: Got) -> int | None:
        if not isinstance(draft.gives, Rate) or draft.gives.what != "units":
            if draft.gives is not None:
                message = "`units` limits how many units give something, and this rule does not count units"
                advice = "write `every: 1 unit`, or limit `times`"
                self.report.add("limit-kind", message, units.key, advice)
            return None
        if units.value < draft.gives.every:
            message = f"{draft.gives.every} units give something together, so none of {units.value} would"
            self.report.add("limit-below-one", message, units.span, f"write `units: {draft.gives.every}` or more")
        return int(units.value) // draft.gives.every * draft.gives.give

    def _limit_points(self, draft: Draft, table: Table) -> int | None:
        times, points = table.get("times"), table.get("points")
        if points is not None and draft.wallet == NO_WALLET:
            message = "the rule gives gift cards and no points"
            self.report.add("limit-kind", message, points.key, "limit `times`, or `money`")
            return None
        if points is not None:
            given: Given = points.value
            if given.wallet and draft.wallet and given.wallet != draft.wallet:
                message = f"the rule gives {draft.wallet}, not {given.wallet}"
                self.report.add("wrong-wallet", message, points.span, f"write `{given.points} {draft.wallet}`")
            return given.points
        if times is None or draft.gives is None:
            return None
        if isinstance(draft.gives, Times):
            message = "a multiplier does not give the same each time"
            self.report.add("limit-of-multiplier", message, times.key, "limit the points, such as `points: 500`")
            return None
        return int(times.value) * draft.gives.give

    # Groups.

    def _groups(self) -> None:
        members: dict[str, list[Draft]] = {}
        for draft in self.drafts.values():
            got = draft.table.get("choose")
            if got is not None and draft.wallet == NO_WALLET:
                message = "this rule gives gift cards, and only points can be compared in a group"
                self.report.add("group-of-cards", message, got.key, "leave `choose` out")
            elif got is not None and self.groups.take_rule(got):
                members.setdefault(got.value, []).append(draft)
                self._limits_of_member(draft, got.value)
        for group, drafts in members.items():
            for draft in drafts[1:]:
                self._agree(group, drafts[0], draft)

    def _agree(self, group: str, first: Draft, other: Draft) -> None:
        also = Also(first.key, "the group's first rule is here")
        if first.wallet and other.wallet and first.wallet != other.wallet:
            message = f"{quoted(other.id)} gives {other.wallet}, but the group {quoted(group)} gives {first.wallet}"
            self.report.add(
                "group-wallets", message, other.place("choose"), "put only rules of one wallet into a group", also
            )
        if first.measure and other.measure and first.measure != other.measure:
            message = (
                f"{quoted(other.id)} measures the {other.measure}, but the group {quoted(group)} the {first.measure}"
            )
            advice = f"write `measure: {first.measure}` in both; the best of a group is chosen in one window"
            self.report.add("group-measures", message, other.place("measure"), advice, also)

    def _limits_of_member(self, draft: Draft, group: str) -> None:
        for limit, got in draft.limits:
            if draft.measure and limit.per != draft.measure:
                message = f"in the group {quoted(group)}, a limit holds in the measure, not per {limit.per}"
                per = got.value.got["per"]
                self.report.add("group-limit", message, per.span, f"write `per: {draft.measure}`, or leave the group")
