"""Warnings about offers: what is legal and yet hardly meant.

What does not live here: what is refused (`offers`), and oddities of earning rules (`oddities`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import permutations

from rewards.days import Window
from rewards.policy.groups import Groups
from rewards.policy.meaning import Meanings
from rewards.policy.model import ALL, AmountOff, FixedPrice, Free, Offer, PercentOff
from rewards.policy.oddities import MOST_WINDOWS, remark_on_schedule
from rewards.policy.offers import Gives, OfferDraft, Uses, built_offer
from rewards.policy.problems import Also, Report
from rewards.policy.shape import Got
from rewards.policy.wording import quoted


def remark_on_offer(draft: OfferDraft, report: Report) -> None:
    """Warn of what is odd in one offer."""
    if draft.schedule and (got := draft.table.get("schedule")):
        remark_on_schedule(draft.schedule, got, report)
    if got := draft.table.get("at_most"):
        _at_most(draft, got, report)
    for uses, name in ((draft.limits, "limit"), (draft.budgets, "budget")):
        _uses(uses, name, report)
        _of_receipts(uses, name, report)
    _beside_budgets(draft, report)


def _at_most(draft: OfferDraft, got: Got, report: Report) -> None:
    if isinstance(draft.gives, FixedPrice):
        message = f"`at_most` ends `fixed_price`: what is above {got.text} of discount costs more than the price"
        report.add("price-not-kept", message, got.key, "limit the units, such as `limit: {units: 6, per: receipt}`")
    elif isinstance(draft.gives, AmountOff) and not draft.gives.per_unit:
        message = "`at_most` beside an `amount_off` that comes off once: only the smaller one holds"
        report.add("no-effect", message, got.key, "keep the smaller one as `amount_off`")


def _uses(uses: Uses, name: str, report: Report) -> None:
    for (one, _), (other, got) in permutations(uses, 2):
        windows = MOST_WINDOWS.get((one.per, other.per)) if one.per != other.per else None
        if one.what == other.what and windows is not None and windows * one.amount <= other.amount:
            message = f"this {name} never holds anything back: the {name} per {one.per} allows no more per {other.per}"
            report.add("limit-cannot-bind", message, got.key, "delete it, or lower it")
    seen: dict[tuple[str, str], Got] = {}
    for use, got in uses:
        first = seen.setdefault((use.what, use.per), got)
        if first is not got:
            message = f"two {name}s of `{use.what}` per {use.per}: only the smaller one holds"
            also = Also(first.value.got["per"].span, f"the other {name}")
            report.add("two-limits", message, got.value.got["per"].span, "keep the smaller one", also)


def _of_receipts(uses: Uses, name: str, report: Report) -> None:
    for use, got in uses:
        if use.per != "receipt":
            continue
        if use.what == "times":
            message = f"this {name} never holds anything back: a receipt uses an offer once, however much it gives"
            advice = "limit the units, such as `{units: 1, per: receipt}`, or delete it"
            report.add("limit-cannot-bind", message, got.key, advice)
        elif name == "budget":
            message = "a receipt is one buyer's, so this budget is no more than a limit"
            report.add("budget-of-receipt", message, got.value.got["per"].span, "write it as `limit`")


def _beside_budgets(draft: OfferDraft, report: Report) -> None:
    """Warn of a member's limit that is no less than what all buyers have together."""
    for limit, place in draft.limits:
        for budget, got in draft.budgets:
            windows = _windows_in(budget.per, limit.per)
            if budget.what == limit.what and windows and windows * budget.amount <= limit.amount:
                allows = f"the budget per {budget.per} allows all buyers together no more"
                message, also = f"this limit never holds anything back: {allows}", Also(got.key, "the budget is here")
                report.add("limit-cannot-bind", message, place.key, "lower it, delete it, or raise the budget", also)
                break


def _windows_in(one: Window, other: Window) -> int:
    """Return how many windows of one kind at most meet one of another; 0 if they are not known to nest."""
    if (one, other) in MOST_WINDOWS:
        return MOST_WINDOWS[one, other]
    return int(one == "ever" or other == "receipt" or (other, one) in MOST_WINDOWS)


MOST_RIVALS = 256  # offers on the same lines that are compared with each other


@dataclass(frozen=True, slots=True)
class _Rival:
    """An offer of a group, with its conditions as texts."""

    offer: Offer
    wanted: frozenset[str]


def remark_on_beaten(drafts: dict[str, OfferDraft], groups: Groups, report: Report) -> None:
    """Warn of offers that another one of their group beats on every receipt."""
    meanings, rivals = Meanings({}, {}), dict[tuple[str, str, type, str], list[_Rival]]()
    for draft in drafts.values():
        if draft.group is not None:
            offer = built_offer(draft)
            on = offer.on or ALL
            key = draft.group, offer.stage, type(offer.gives), meanings.of_selection(on)
            rivals.setdefault(key, []).append(_Rival(offer, frozenset(meanings.of_conditions(offer, on))))
    for (group, *_), members in rivals.items():
        if len(members) > MOST_RIVALS:
            continue
        by_line = groups.of(group) == "line"
        winners = [(i, one) for i, one in enumerate(members) if not (by_line and _may_leave_lines(one.offer))]
        for i, loser in enumerate(members):
            beats = (one.offer for j, one in winners if j != i and _beats(one, loser, first=j < i))
            winner = next(beats, None)
            if winner is not None:
                _beaten(drafts[loser.offer.id], drafts[winner.id], report)


def _beaten(loser: OfferDraft, winner: OfferDraft, report: Report) -> None:
    more = "as much" if loser.gives == winner.gives else "more"
    message = (
        f"{quoted(loser.id)} never gives: {quoted(winner.id)} of the same group takes {more} off whenever it could"
    )
    advice = f"delete it, or give {quoted(winner.id)} a condition that this one does not have"
    report.add("always-beaten", message, loser.key, advice, Also(winner.key, "the other offer is here"))


def _beats(one: _Rival, other: _Rival, *, first: bool) -> bool:
    """Tell whether an offer on the same lines always takes as much off; of equals the first one does."""
    winner, loser = one.offer, other.offer
    if winner.limits or winner.budgets or winner.only_by or winner.schedule not in (None, loser.schedule):
        return False
    if winner.at_most is not None and (loser.at_most is None or winner.at_most < loser.at_most):
        return False
    if winner.gives == loser.gives and not first:
        return False
    return one.wanted <= other.wanted and _gives_as_much(winner.gives, loser.gives)


def _may_leave_lines(offer: Offer) -> bool:
    """Tell whether what an offer gives on one line depends on others, so that some may do better without it."""
    once = isinstance(offer.gives, AmountOff) and not offer.gives.per_unit
    return once or isinstance(offer.gives, Free) or offer.at_most is not None


def _gives_as_much(one: Gives, other: Gives) -> bool:
    if isinstance(one, PercentOff) and isinstance(other, PercentOff):
        return _share(one) >= _share(other)
    if isinstance(one, AmountOff) and isinstance(other, AmountOff):
        return one.per_unit == other.per_unit and one.minor >= other.minor
    if isinstance(one, FixedPrice) and isinstance(other, FixedPrice):
        return one.minor <= other.minor
    if isinstance(one, Free) and isinstance(other, Free):
        same = (one.of_every, one.pick) == (other.of_every, other.pick)
        return same and one.units >= other.units and Fraction(*one.off) >= Fraction(*other.off)
    return False


def _share(percent: PercentOff) -> Fraction:
    return Fraction(percent.numerator, percent.denominator)
