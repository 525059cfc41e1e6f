"""Counts over generated policies and histories: every condition held and failed, in rules, in offers and under `not`;
every limit and cap cut something; every measure, rounding, kind of offer, stage and group made a difference.

A law that was never put to the test by some word of the language says nothing about it. What is
expected is read off the schema, so a new condition or window fails here until it is drawn and happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest

from rewards.days import WINDOWS
from rewards.engine import reference
from rewards.engine.reference import Bought, History
from rewards.policy.model import AmountOff, Condition, EarningRule, Free, Not, Offer, Policy
from rewards.policy.shared_schema import DEFINITIONS
from rewards.policy.structure import Fields
from rewards.receipt import Receipt
from tests.engine_adapter import run_reference
from tests.properties.test_coverage import _drawn
from tests.strategies import till
from tests.strategies.cases import Case, cases
from tests.strategies.focus import kind_of
from tests.strategies.histories import Event, Purchase
from tests.strategies.rules import with_rules, with_wallets
from tests.strategies.rung_up import rung_up, undecided
from tests.till_reference import legal, settled_history

EXAMPLES = 600
Seen = Counter[tuple[str, str, bool]]  # where, which condition, whether it held

# Conditions


def expected_conditions() -> set[tuple[str, str, bool]]:
    shape = DEFINITIONS["conditions"]
    assert isinstance(shape, Fields)
    names = {key.name for key in shape.keys}
    places = {("earn", name) for name in names} | {("offers", name) for name in names}
    places |= {("not", name) for name in names - {"not"}}  # a `not` of a `not` is refused
    return {(*place, held) for place in places for held in (True, False)}


def conditions_seen(count: int) -> Seen:
    seen: Seen = Counter()
    for case in _drawn(cases(), count):
        _of_rules(case, seen)
        _of_offers(case, seen)
    return seen


def _note(seen: Seen, where: str, condition: Condition, held: bool) -> None:
    seen[where, kind_of(condition).removesuffix("_within"), held] += 1
    if isinstance(condition, Not):
        for one in condition.all_of:
            seen["not", kind_of(one).removesuffix("_within"), held] += 1


def _of_rules(case: Case, seen: Seen) -> None:
    history = settled_history(case.versions, case.facts)
    for bought in (Bought(*purchase) for purchase in case.facts.purchases):
        for rule in history.policy(bought.receipt.day).rules.values():
            for condition in rule.when:
                _note(seen, "earn", condition, _held(history, rule, condition, bought))


def _held(history: History, rule: EarningRule, condition: Condition, bought: Bought) -> bool:
    if not reference._threshold(condition):
        return reference._holds(history, rule, condition, bought.receipt)
    window = [bought] if rule.measure == "receipt" else reference._progress(history, rule, bought.receipt.day)
    return reference._reached(history, replace(rule, when=(condition,)), window)


def _of_offers(case: Case, seen: Seen) -> None:
    here: list[Event] = []
    for event in case.arrived:
        if isinstance(event, Purchase):
            known = run_reference(case.versions, case.story.joined, here)
            legal(
                case.versions,
                known.facts,
                known.uses(),
                undecided(event.receipt),
                lambda condition, held: _note(seen, "offers", condition, held),
            )
        here.append(event)


def test_every_condition_held_and_failed() -> None:
    seen = conditions_seen(EXAMPLES)

    missing = expected_conditions() - set(seen)
    assert not missing, f"never happened: {sorted(missing)}; what did: {sorted(seen.items())}"


def test_a_condition_that_is_not_drawn_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(till, "CONDITIONS", tuple(kind for kind in till.CONDITIONS if kind != "nth_visit"))
    missing = expected_conditions() - set(conditions_seen(EXAMPLES))
    assert missing == {("offers", "nth_visit", True), ("offers", "nth_visit", False)}


# What makes a difference


def _rules_without(change: Callable[[EarningRule], EarningRule]) -> Callable[[Policy], Policy]:
    return lambda policy: with_rules(policy, {key: change(rule) for key, rule in policy.rules.items()})


def _measured_otherwise(window: str) -> Callable[[Policy], Policy]:
    other = "receipt" if window == "day" else "day"
    return _rules_without(lambda rule: replace(rule, measure=other) if rule.measure == window else rule)  # type: ignore[arg-type]


def _unlimited(per: str) -> Callable[[Policy], Policy]:
    return _rules_without(lambda rule: replace(rule, limits=tuple(one for one in rule.limits if one.per != per)))


def _rounded_down(how: str) -> Callable[[Policy], Policy]:
    def strip(policy: Policy) -> Policy:
        wallets = {key: replace(one, round="down") if one.round == how else one for key, one in policy.wallets.items()}
        return with_wallets(policy, wallets)

    return strip


EARNING = {
    **{f"measure: {window}": _measured_otherwise(window) for window in WINDOWS},
    **{f"limit per {window}": _unlimited(window) for window in WINDOWS},
    **{f"round: {how}": _rounded_down(how) for how in ("half_up", "up")},
}


def _offers_without(change: Callable[[Offer], Offer]) -> Callable[[Policy], Policy]:
    return lambda policy: replace(policy, offers={key: change(one) for key, one in policy.offers.items()})


def _unlimited_uses(what: str, per: str | None) -> Callable[[Policy], Policy]:
    def strip(offer: Offer) -> Offer:
        kept = tuple(one for one in offer.limits if (one.what != what if per is None else one.per != per))
        return replace(offer, limits=kept)

    return _offers_without(strip)


def _free_otherwise(**parts: object) -> Callable[[Policy], Policy]:
    def strip(offer: Offer) -> Offer:
        return replace(offer, gives=replace(offer.gives, **parts)) if isinstance(offer.gives, Free) else offer  # type: ignore[arg-type]

    return _offers_without(strip)


def _ungrouped(of: str) -> Callable[[Policy], Policy]:
    return lambda policy: _offers_without(
        lambda one: replace(one, choose=None) if one.choose and policy.offer_groups[one.choose].of == of else one
    )(policy)


def _without_kind(name: str) -> Callable[[Policy], Policy]:
    return lambda policy: replace(policy, offers={key: one for key, one in policy.offers.items() if _kind(one) != name})


def _kind(offer: Offer) -> str:
    per_unit = isinstance(offer.gives, AmountOff) and offer.gives.per_unit
    return f"{type(offer.gives).__name__}{' per unit' if per_unit else ''}, {offer.stage}"


KINDS = ("PercentOff, item", "PercentOff, basket", "AmountOff, item", "AmountOff, basket", "AmountOff per unit, item",
         "FixedPrice, item", "Free, item")  # fmt: skip
OFFERING = {
    **{f"uses: {what}": _unlimited_uses(what, None) for what in ("times", "units", "money")},
    **{f"uses per {window}": _unlimited_uses("", window) for window in WINDOWS},
    **{f"group of {of}": _ungrouped(of) for of in ("line", "receipt")},
    **{kind: _without_kind(kind) for kind in KINDS},
    "at_most": _offers_without(lambda offer: replace(offer, at_most=None)),
    "schedule": _offers_without(lambda offer: replace(offer, schedule=None)),
    "on": _offers_without(lambda offer: replace(offer, on=None)),
    "free: dearest": _free_otherwise(pick="cheapest"),
    "free: of_every": _free_otherwise(of_every=None),
    "free: off": _free_otherwise(off=(1, 1)),
}


def _differs(case: Case, name: str) -> bool:
    strip = EARNING.get(name) or OFFERING[name]
    bare = [(day, strip(policy)) for day, policy in case.versions]
    if bare == case.versions:
        return False
    if name in OFFERING:
        return _discounts(rung_up(bare, case.story.joined, case.arrived)) != _discounts(case.arrived)
    found = run_reference(bare, case.story.joined, case.story.events).lots()
    return found != run_reference(case.versions, case.story.joined, case.story.events).lots()


def _discounts(events: list[Event]) -> list[object]:
    return [event.receipt.discounts for event in events if isinstance(event, Purchase)]


def differences(count: int) -> set[str]:
    """Return what never made a difference."""
    missing = {*EARNING, *OFFERING}
    for case in _drawn(cases(), count):
        missing -= {name for name in missing if _differs(case, name)}
    return missing


def test_everything_makes_a_difference() -> None:
    missing = differences(EXAMPLES)

    assert not missing, f"never made a difference: {sorted(missing)}"


def test_a_lowest_price_stops_an_offer() -> None:
    def free_of_it(receipt: Receipt) -> Receipt:
        lines = tuple(msgspec.structs.replace(line, lowest_minor=None) for line in receipt.lines)
        return msgspec.structs.replace(receipt, lines=lines)

    stopped = 0
    for case in _drawn(cases(), 100):
        events = [Purchase(free_of_it(e.receipt)) if isinstance(e, Purchase) else e for e in case.arrived]
        stopped += _discounts(rung_up(case.versions, case.story.joined, events)) != _discounts(case.arrived)
    assert stopped >= 3
