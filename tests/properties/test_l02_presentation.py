"""L2: presentation does not matter.

Order of lines, rules and keys: all results are equal. A line split in units of
equal amounts: equal. Renamed ids: lots and totals are equal; only which of
several equally good members of a group is named may change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.engine.reference import Points, Versions
from rewards.policy.model import EarningRule, Policy, Times
from rewards.receipt import Line, Receipt
from tests.engine_adapter import RUNS, Run
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, Return
from tests.strategies.rules import with_rules


def with_changed_rules(
    versions: Versions, change: Callable[[dict[str, EarningRule]], dict[str, EarningRule]]
) -> Versions:
    """The versions, each with changed rules."""
    return [(day, with_rules(policy, change(policy.rules))) for day, policy in versions]


def with_receipts(events: Sequence[Event], change: Callable[[Receipt], Receipt]) -> list[Event]:
    """The events, each purchase with a changed receipt."""
    return [Purchase(change(event.receipt)) if isinstance(event, Purchase) else event for event in events]


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases(), random=st.randoms(use_true_random=False))
def test_order_of_lines_and_rules(run: Run, case: Case, random: Random) -> None:
    def shuffled_rules(rules: dict[str, EarningRule]) -> dict[str, EarningRule]:
        return dict(random.sample(list(rules.items()), len(rules)))

    def shuffled_lines(receipt: Receipt) -> Receipt:
        return msgspec.structs.replace(receipt, lines=tuple(random.sample(receipt.lines, len(receipt.lines))))

    first = run(case.versions, case.story.joined, case.story.events)
    versions = with_changed_rules(case.versions, shuffled_rules)
    second = run(versions, case.story.joined, with_receipts(case.story.events, shuffled_lines))

    assert first.earned() == second.earned()
    assert first.lots() == second.lots()


def _in_whole_units(line: Line) -> Line:
    """A line whose units are alike, none of them free; without tax, which is floored by line."""
    times = line.quantity
    return msgspec.structs.replace(
        line,
        gross_minor=line.gross_minor * times,
        discount_minor=line.discount_minor * times,
        offers_minor=line.offers_minor * times,
        net_minor=line.net_minor * times,
        tenders_minor=tuple(part * times for part in line.tenders_minor),
        tax_minor=0,
        free_units=0,
    )


def _units(line: Line) -> list[Line]:
    return [
        msgspec.structs.replace(
            line,
            line_id=f"{line.line_id}.{number}",
            quantity=1,
            gross_minor=line.gross_minor // line.quantity,
            discount_minor=line.discount_minor // line.quantity,
            offers_minor=line.offers_minor // line.quantity,
            net_minor=line.net_minor // line.quantity,
            tenders_minor=tuple(part // line.quantity for part in line.tenders_minor),
        )
        for number in range(line.quantity)
    ]


def _split_safe(policy: Policy) -> Policy:
    """Without what is floored by line: the part of a line's units, or of its discounts, that a kind of tender paid."""
    rules = {key: replace(rule, paid_with=None) for key, rule in policy.rules.items()}
    return with_rules(policy, rules)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_a_line_split_into_equal_units(run: Run, case: Case) -> None:
    events = [event for event in case.story.events if not isinstance(event, Return)]
    versions = [(day, _split_safe(policy)) for day, policy in case.versions]

    def whole(receipt: Receipt) -> Receipt:
        return msgspec.structs.replace(receipt, lines=tuple(_in_whole_units(line) for line in receipt.lines))

    def split(receipt: Receipt) -> Receipt:
        return msgspec.structs.replace(
            receipt, lines=tuple(unit for line in whole(receipt).lines for unit in _units(line))
        )

    together = run(versions, case.story.joined, with_receipts(events, whole))
    apart = run(versions, case.story.joined, with_receipts(events, split))

    assert together.earned() == apart.earned()
    assert together.lots() == apart.lots()


def _renamed(rules: dict[str, EarningRule]) -> dict[str, EarningRule]:
    """Rules whose ids sort the other way round."""
    names = {name: f"{999 - number}-{name}" for number, name in enumerate(sorted(rules))}
    renamed = {}
    for name, rule in rules.items():
        gives = rule.gives
        if isinstance(gives, Times):
            gives = replace(gives, of=tuple(sorted(names[base] for base in gives.of)))
        renamed[names[name]] = replace(rule, id=names[name], gives=gives)
    return renamed


def _by_old_name(earned: Points, choosing: set[str]) -> Points:
    found: Points = {}
    for day, points in earned.items():
        for rule, given_points in points.items():
            name = rule.partition("-")[2] or rule
            if name not in choosing:
                found.setdefault(day, {})[name] = given_points
    return found


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_renamed_ids(run: Run, case: Case) -> None:
    versions = case.versions[:1]  # a new name is a new rule to the next version
    renamed = with_changed_rules(versions, _renamed)
    choosing = {rule.id for rule in versions[0][1].rules.values() if rule.choose}

    first = run(versions, case.story.joined, case.story.events)
    second = run(renamed, case.story.joined, case.story.events)

    assert _by_old_name(first.earned(), choosing) == _by_old_name(second.earned(), choosing)
    assert first.lots() == second.lots()
    assert [first.balance(at) for at in case.instants] == [second.balance(at) for at in case.instants]
