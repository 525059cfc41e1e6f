"""Decides a receipt's offers: which are legal for this buyer now, and the best combination of them.

What does not live here: the combination itself (`offers`), conditions on the
basket (`offer_conditions`), and recording what was decided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec

from rewards.days import period
from rewards.engine.explain import Money
from rewards.engine.lines import holds as holds_at
from rewards.engine.lines import selects
from rewards.engine.misses import Miss, Scene, failure
from rewards.engine.offer_conditions import Barred, barred
from rewards.engine.offers import Claim, NotTaken, OfferBook, Outcome, discounted
from rewards.engine.plan import offer_gate
from rewards.engine.step import Compiled
from rewards.policy.model import Condition, Free, HasCode, Offer, UseLimit
from rewards.receipt import Discount, Receipt

Known = Mapping[str, Sequence[Sequence[int]]]  # uses by offer: [purchase, day, units, minor units]
Drawn = Mapping[int, Sequence[int]]  # of a budget, by day: times, units, minor units


class Buyer(NamedTuple):
    """What is known of a member at the till: the day so far, this basket included, and earlier uses of offers."""

    scene: Scene
    uses: Known


class Withheld(NamedTuple):
    """An offer that did not apply, and why; `short` is in minor units, units, visits or days, as `unit` says."""

    offer: Offer
    condition: str
    why: str
    short: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A receipt with our discounts taken off, and the offers that were not applied."""

    receipt: Receipt
    withheld: list[Withheld]


def decide(
    version: Compiled,
    receipt: Receipt,
    buyer: Buyer | None,
    asked: Mapping[str, Offer] | None = None,
    drawn: Mapping[str, Drawn] | None = None,
) -> Decision:
    """Take the best legal combination of offers off a receipt; `buyer` is None for a guest.

    `asked` are the offers for which a voucher or reward asks: they never apply by themselves. One that the version
    no longer has joins its offers, outside of groups that it does not have either; one asked for several times is as
    it is then. `drawn` is what all buyers drew
    on the budgets so far, by offer.
    """
    offers, book = version.policy.offers, version.offers
    asked = asked or {}
    if any(offers.get(name) is not offer for name, offer in asked.items()):
        offers = {**offers, **asked}
        book = OfferBook(offers, version.policy.offer_groups, version.policy.eligible)
    if book is None:
        return Decision(receipt, [])
    claims, withheld = [], []
    for offer in offers.values():
        if offer.only_by is not None and offer.id not in asked:
            continue
        found = _claim(version, offer, receipt, buyer, (drawn or {}).get(offer.id, {}))
        if isinstance(found, Claim):
            claims.append(found)
        elif found is not None:
            withheld.append(found)
    if not claims:
        return Decision(receipt, withheld)
    outcome = book.best(receipt.lines, claims)
    withheld += [_beaten(one) for one in outcome.not_taken if one.why == "beaten"]
    return Decision(_taken_off(receipt, outcome, claims), withheld)


def _taken_off(receipt: Receipt, outcome: Outcome, claims: Sequence[Claim]) -> Receipt:
    left = {claim.offer.id: claim.money_left for claim in claims}
    found = tuple(
        Discount(
            one.offer.id,
            one.amount_minor,
            one.units,
            one.lines_minor,
            rest=one.amount_minor == left[one.offer.id],
            lines_free=_free(one.offer, receipt, one.lines_minor),
        )
        for one in outcome.applied
    )
    return with_free(msgspec.structs.replace(receipt, lines=discounted(receipt.lines, outcome), discounts=found))


def _free(offer: Offer, receipt: Receipt, lines_minor: Sequence[int]) -> tuple[int, ...]:
    """Return the units of each line that an offer gives for nothing: a share of a unit is not one."""
    if not isinstance(offer.gives, Free) or offer.gives.off[0] != offer.gives.off[1]:
        return ()
    cost = [max(1, line.gross_minor - line.discount_minor) for line in receipt.lines]
    pairs = zip(receipt.lines, cost, lines_minor, strict=True)  # prices of units are the line's, rounded
    return tuple(min(line.quantity, (off * line.quantity + line.quantity - 1) // whole) for line, whole, off in pairs)


def with_free(receipt: Receipt) -> Receipt:
    """Return the receipt with the units of each line that its discounts gave for nothing."""
    free = [one.lines_free for one in receipt.discounts if one.lines_free]
    if not free:
        return receipt
    units = [min(line.quantity, sum(one[i] for one in free)) for i, line in enumerate(receipt.lines)]
    lines = (
        msgspec.structs.replace(line, free_units=n) if n else line for line, n in zip(receipt.lines, units, strict=True)
    )
    return msgspec.structs.replace(receipt, lines=tuple(lines))


def _claim(
    version: Compiled, offer: Offer, receipt: Receipt, buyer: Buyer | None, drawn: Drawn
) -> Claim | Withheld | None:
    """Return the offer as a claim, or why it is withheld; None if it is not for this receipt at all."""
    if offer.on is not None and not any(selects(offer.on, line) for line in receipt.lines):
        return None
    misses: list[Miss] = []

    def holds(condition: Condition) -> bool:
        """Tell whether a condition on the member holds; note it if it does not."""
        assert buyer is not None
        miss = failure(buyer.scene, offer.id, offer_gate(offer, condition))
        misses.extend([miss] if miss is not None else [])
        return miss is None

    eligible, member = version.policy.eligible, None if buyer is None else holds
    if any(isinstance(one, HasCode) and one.code not in receipt.codes for one in offer.when):
        return None  # nobody is told a code
    if offer.schedule is not None and not holds_at(offer.schedule, receipt):
        return None
    why = barred(offer, receipt, eligible, granted=True, member=member)
    if why is not None:
        told = _withheld(offer, why, tuple(misses), version.policy.decimals)
        if told is None or why.condition is None:
            return told
        others = tuple(condition for condition in offer.when if condition is not why.condition)
        rest = replace(offer, when=others)
        return told if barred(rest, receipt, eligible, granted=True, member=member) is None else None
    return _within(offer, receipt.day, () if buyer is None else buyer.uses.get(offer.id, ()), drawn)


def _within(offer: Offer, day: int, known: Sequence[Sequence[int]], drawn: Drawn) -> Claim | Withheld:
    """Return the offer as far as its limits and budgets leave it, or which of them is used up."""
    limits = [(limit, left(limit, known, day)) for limit in offer.limits if limit.per != "receipt"]
    if any(room == 0 for _, room in limits):
        return Withheld(offer, "limit", f"the limit is used up: {_limits(limits)}")
    budgets = [(budget, left_of_budget(budget, drawn, day)) for budget in offer.budgets]
    if spent := [budget for budget, room in budgets if room == 0]:
        return Withheld(offer, "budget", f"the budget is used up{_windows(spent)}")
    rooms = [*limits, *budgets]
    return Claim(
        offer=offer,
        units_left=min((room for limit, room in rooms if limit.what == "units"), default=None),
        money_left=min((room for limit, room in rooms if limit.what == "money"), default=None),
    )


def left(limit: UseLimit, known: Sequence[Sequence[int]], day: int) -> int:
    """Return what earlier uses leave of a limit on a day: uses, units or minor units; never below zero."""
    now = period(day, limit.per)
    mine = [use for use in known if period(use[1], limit.per) == now]
    used = len(mine) if limit.what == "times" else sum(use[2 if limit.what == "units" else 3] for use in mine)
    return max(0, limit.amount - used)


def left_of_budget(budget: UseLimit, drawn: Drawn, day: int) -> int:
    """Return what all buyers' uses leave of a budget on a day: uses, units or minor units; never below zero."""
    now, what = period(day, budget.per), _DRAWN.index(budget.what)
    near = drawn if budget.per == "ever" else [of for of in drawn if abs(of - day) < _LONGEST_WINDOW]
    return max(0, budget.amount - sum([drawn[of][what] for of in near if period(of, budget.per) == now]))


_DRAWN = ("times", "units", "money")
_LONGEST_WINDOW = 366  # days, of those that end


def _windows(spent: Sequence[UseLimit]) -> str:
    """Name the windows, and not the amounts: what a shop sets aside is its own affair."""
    windows = [budget.per for budget in spent]
    return "" if "ever" in windows else f" per {' and per '.join(dict.fromkeys(windows))}"


def _limits(rooms: Sequence[tuple[UseLimit, int]]) -> str:
    return ", ".join(f"{limit.amount} {limit.what} per {limit.per}" for limit, room in rooms if room == 0)


def _withheld(offer: Offer, why: Barred, misses: Sequence[Miss], decimals: int) -> Withheld | None:
    """Word what bars an offer; a schedule that does not hold bars it without a word."""
    if why.why == "needs_member":
        return Withheld(offer, "member", "needs a member")
    if why.why != "condition":
        return None
    if misses:
        miss = misses[-1]
        return Withheld(offer, miss.condition, miss.why, miss.short, miss.unit)
    if why.short is not None:
        what = getattr(why.condition, "what", "spend")
        least = getattr(why.condition, "at_least", None) or 0
        return Withheld(offer, what, _short(what, why.short, least, decimals), why.short, _UNITS[what])
    return Withheld(offer, type(why.condition).__name__.lower(), "a condition does not hold")


_UNITS = {"spend": "minor", "units": "units"}


def _short(what: str, short: int, least: int, decimals: int) -> str:

    if what == "spend":
        money = Money(decimals)
        return f"{money.text(short)} short of {money.text(least)}"
    return f"{short} short of {least} units"


def _beaten(one: NotTaken) -> Withheld:
    by = " and ".join(f"`{name}`" for name in one.by)
    return Withheld(one.offer, "choose", f"{by} is better" if by else "another combination is better")
