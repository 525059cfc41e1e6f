"""Offers: what was read of them -> drafts, and what offers must agree on.

What does not live here: selections and conditions (their own modules), which
selections overlap (`overlap`), and oddities that are legal (`offer_oddities`).
A draft holds None where its part of the file is broken; nothing is reported twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import factorial
from typing import Literal

from rewards.policy.conditions import OfMembers, OfRule, compile_conditions, compile_schedule
from rewards.policy.groups import Groups
from rewards.policy.meaning import Meanings
from rewards.policy.model import (
    ALL,
    AmountOff,
    Condition,
    FixedPrice,
    Free,
    Offer,
    PercentOff,
    Schedule,
    Selection,
    UseLimit,
)
from rewards.policy.offer_forms import Off
from rewards.policy.offer_schema import GIVES
from rewards.policy.overlap import may_share_a_line, may_share_a_receipt, work_to_compare
from rewards.policy.problems import Also, Report, Span
from rewards.policy.rules import on_name
from rewards.policy.selections import Selections
from rewards.policy.shape import Got, Table
from rewards.policy.wallets import text_of
from rewards.policy.wording import quoted

MOST_COMBINATIONS = 256  # that the engine tries for a basket
MOST_COMPARED = 200_000  # matches of the selections of free offers
Gives = PercentOff | AmountOff | FixedPrice | Free
Uses = list[tuple[UseLimit, Got]]


@dataclass(slots=True)
class OfferDraft:
    """An offer on its way; `key` is the place of its id."""

    id: str
    table: Table
    key: Span
    on: Selection | None  # `ALL` if the author names nothing
    on_name: str
    stage: Literal["item", "basket"] | None
    gives: Gives | None
    when: tuple[Condition, ...]
    schedule: Schedule | None
    limits: Uses = field(default_factory=list)
    budgets: Uses = field(default_factory=list)
    group: str | None = None  # a group that it may be in


def draft_offer(name: str, got: Got, selections: Selections, members: OfMembers, report: Report) -> OfferDraft:
    """Read one offer; what needs other offers or the groups comes later."""
    table: Table = got.value
    on, when = table.get("on"), table.get("when")
    selected = selections.resolve(on) if table.has("on") else ALL
    of_offer = OfRule(selected, "receipt", selections, report, members, offer=True)
    draft = OfferDraft(
        id=name,
        table=table,
        key=got.key,
        on=selected,
        on_name=on_name(on),
        stage=_stage(table),
        gives=_gives(table, report),
        when=compile_conditions(when.value, of_offer) if when else (),
        schedule=compile_schedule(table.get("schedule")),
        limits=_uses(table.get("limit")),
        budgets=_uses(table.get("budget")),
    )
    _check_units(draft, report)
    return draft


def _stage(table: Table) -> Literal["item", "basket"] | None:
    if "stage" in table.broken or (not table.has("stage") and "amount_off" in table.broken):
        return None
    of_lines = table.has("on") or _of_units(table)
    return "basket" if table.value("stage", "item" if of_lines else "basket") == "basket" else "item"


def _of_units(table: Table) -> str:
    """Return the key by which the offer looks at single units, or an empty text."""
    if (off := table.get("amount_off")) and off.value.per_unit:
        return "amount_off"
    return next((name for name in ("fixed_price", "free") if table.has(name)), "")


def _gives(table: Table, report: Report) -> Gives | None:
    name = next((one for one in GIVES if table.get(one)), "")
    value = table.value(name)
    if isinstance(value, Fraction):
        return PercentOff(value.numerator, value.denominator)
    if isinstance(value, Off):
        return AmountOff(value.minor, value.per_unit)
    if isinstance(value, Table):
        return _free(value, report)
    return FixedPrice(value) if name == "fixed_price" else None


def _free(table: Table, report: Report) -> Free | None:
    units, of_every, off = table.get("units"), table.get("of_every"), table.value("off", Fraction(1))
    if units is None or table.broken:
        return None
    if of_every and units.value > of_every.value:
        message = f"{units.value} units of every {of_every.value} are more than there are"
        also = Also(of_every.span, "the units that they are of")
        report.add("free-of-fewer", message, units.span, "write the units that are free, then of how many", also)
    return Free(
        units=units.value,
        of_every=of_every.value if of_every else None,
        pick=table.value("pick", "cheapest"),
        off=(off.numerator, off.denominator),
    )


def _uses(got: Got | None) -> Uses:
    found = [(_use(part.value), part) for part in got.parts] if got else []
    return [(use, part) for use, part in found if use is not None]


def _use(table: Table) -> UseLimit | None:
    per = table.value("per")
    kinds: tuple[Literal["times", "units", "money"], ...] = ("times", "units", "money")
    for what in kinds:
        if per and table.get(what):
            return UseLimit(what, table.value(what), per)
    return None


def _check_units(draft: OfferDraft, report: Report) -> None:
    """Refuse what looks at units where there are none: after the items, and in a sum that comes off once."""
    name, stage = _of_units(draft.table), draft.table.get("stage")
    if name and stage and draft.stage == "basket":
        message = f"`{name}` looks at single units, but `stage: basket` at what all lines still cost"
        report.add("stage-of-units", message, stage.span, "write `item`")
    once = isinstance(draft.gives, AmountOff) and not draft.gives.per_unit
    if name or not (once or draft.stage == "basket"):
        return
    for use, got in (*draft.limits, *draft.budgets):
        if use.what == "units":
            what = "an amount that comes off once" if once else "what is off the basket"
            message = f"units are limited here, but {what} serves no units"
            report.add("limit-of-units", message, got.value.got["units"].key, "limit `times` or `money`")


@dataclass(slots=True)
class OfferChecks:
    """What offers must agree on with their groups and with each other."""

    drafts: dict[str, OfferDraft]
    groups: Groups
    report: Report
    _members: dict[str, list[OfferDraft]] = field(default_factory=dict)

    def run(self) -> None:
        """Check all; offers get their group."""
        for draft in self.drafts.values():
            choose = draft.table.get("choose")
            if choose is not None and self.groups.take_offer(choose):
                draft.group = choose.value
                self._members.setdefault(choose.value, []).append(draft)
                self._stage_in_group(draft, choose)
        self._combinations()
        self._free_offers()

    def _stage_in_group(self, draft: OfferDraft, choose: Got) -> None:
        if self.groups.of(choose.value) != "line" or draft.stage != "basket":
            return
        group = self.groups.named[choose.value].value.got["of"]
        message = f"{quoted(draft.id)} is off the basket, but the group {quoted(choose.value)} is decided line by line"
        stage = draft.table.get("stage")
        advice = "write `of: receipt` in the group, or " + ("`stage: item` here" if stage else "add `stage: item` here")
        also = Also(group.span, "the group is here")
        self.report.add("group-stage", message, stage.span if stage else choose.span, advice, also)

    def _combinations(self) -> None:
        """Refuse groups that allow too many combinations, at the group with which they do."""
        total = 1
        for name in (one for one in self.groups.named if one in self._members):
            ways = self._ways(name)
            total *= ways
            if total > MOST_COMBINATIONS:
                others = "" if ways == total else ", with those of the groups before,"
                message = f"the offers of {quoted(name)}{others} can be combined in more than {MOST_COMBINATIONS} ways"
                advice = "put fewer offers into groups; offers outside of groups all apply, and add up"
                self.report.add("choose-too-wide", message, self.groups.named[name].key, advice)
                return

    def _ways(self, name: str) -> int:
        """Return the combinations of a group: one for each member, or for each order of its `free` ones on a line."""
        members = self._members[name]
        if self.groups.of(name) == "receipt":
            return len(members)
        return factorial(min(MOST_COMBINATIONS, sum(isinstance(one.gives, Free) for one in members)))

    # Offers of free units.

    def _free_offers(self) -> None:
        free = [one for one in self.drafts.values() if isinstance(one.gives, Free) and one.on is not None]
        free = [one for one in free if one.group or not one.table.has("choose")]
        work = 0
        for i, draft in enumerate(free):
            for other in free[:i]:
                work += 1 + work_to_compare(draft.on or ALL, other.on or ALL)
                if work > MOST_COMPARED:
                    self._too_much_to_compare(draft)
                    return
                if _may_serve_one_unit(draft, other):
                    self._overlap(draft, other)
                    break

    def _overlap(self, draft: OfferDraft, other: OfferDraft) -> None:
        message = f"{quoted(draft.id)} and {quoted(other.id)} are both `free`, and may pick the same unit"
        group = other.group or draft.group
        advice = f"write `choose: {group}` in both" if group else "put both into one group, `{keep: best, of: line}`"
        place = draft.table.got["free"].key
        also = Also(other.key, "the other offer is here")
        self.report.add("free-overlap", message, place, f"{advice}, or keep their lines apart by `except`", also)

    def _too_much_to_compare(self, draft: OfferDraft) -> None:
        message = "the selections of the `free` offers are too large to be compared with each other"
        advice = "use fewer offers, or let the till send a category in place of long lists"
        self.report.add("selection-too-large", message, draft.key, advice)


def _may_serve_one_unit(one: OfferDraft, other: OfferDraft) -> bool:
    if one.group is not None and one.group == other.group:
        return False
    return may_share_a_receipt(one.schedule, other.schedule) and may_share_a_line(one.on or ALL, other.on or ALL)


def remark_on_ungiven(by: str, given: set[str], advice: str, drafts: dict[str, OfferDraft], report: Report) -> None:
    """Warn of offers that only a reward, or a voucher, gives, when none does."""
    for draft in drafts.values():
        if draft.table.value("only_by") == by and draft.id not in given:
            message = f"no {by} gives the offer {quoted(draft.id)}"
            report.add("unused", message, draft.key, f"add one in {advice}, or delete the offer")


def built_offer(draft: OfferDraft) -> Offer:
    """Return the offer of a draft without errors, its meaning still empty."""
    if draft.on is None or draft.stage is None or draft.gives is None:
        raise AssertionError(draft.id)
    table = draft.table
    return Offer(
        id=draft.id,
        title=text_of(table.get("title")),
        on=None if draft.on == ALL else draft.on,
        on_name=draft.on_name,
        stage=draft.stage,
        gives=draft.gives,
        schedule=draft.schedule,
        when=draft.when,
        at_most=table.value("at_most"),
        limits=tuple(use for use, _ in (*draft.limits, *_of_receipt(draft.budgets))),
        budgets=tuple(use for use, _ in draft.budgets if use.per != "receipt"),
        only_by=table.value("only_by"),
        funded_by=table.value("funded_by", ""),
        choose=draft.group,
        meaning="",
    )


def _of_receipt(budgets: Uses) -> Uses:
    """Return the budgets that are limits: a receipt is one buyer's."""
    return [one for one in budgets if one[0].per == "receipt"]


def built_offers(drafts: dict[str, OfferDraft], groups: Groups) -> dict[str, Offer]:
    """Return the offers of drafts without errors."""
    meanings = Meanings({}, {})
    offers = {name: built_offer(draft) for name, draft in drafts.items()}
    ways = {name: groups.of(offer.choose) if offer.choose else "" for name, offer in offers.items()}
    return {name: replace(offer, meaning=meanings.of_offer(offer, ways[name])) for name, offer in offers.items()}
