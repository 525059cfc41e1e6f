"""L1: the same facts give the same reward, for the day and in total, whoever the member is.

Names of receipts, tills, operators and goods' texts, and which of two receipts of
a day came first, are nobody's reward.
"""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given

from rewards.receipt import Receipt
from tests.engine_adapter import RUNS, Run
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, Return


def _of_another_member(events: list[Event]) -> list[Event]:
    names = {event.receipt.receipt_id for event in events if isinstance(event, Purchase)}
    other = {name: f"other-{len(names) - number}" for number, name in enumerate(sorted(names))}
    found: list[Event] = []
    for event in events:
        if isinstance(event, Purchase):
            found.append(Purchase(_renamed(event, other[event.receipt.receipt_id])))
        elif isinstance(event, Return):
            found.append(replace(event, receipt_id=other[event.receipt_id]))
        else:
            found.append(event)
    return found


def _renamed(event: Purchase, name: str) -> Receipt:
    lines = tuple(msgspec.structs.replace(line, name="Something") for line in event.receipt.lines)
    return msgspec.structs.replace(event.receipt, receipt_id=name, till_id="t9", operator_id="o9", lines=lines)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_same_facts_same_reward(run: Run, case: Case) -> None:
    mine = run(case.versions, case.story.joined, case.story.events)
    theirs = run(case.versions, case.story.joined, _of_another_member(case.arrived))

    assert mine.earned() == theirs.earned()
    assert mine.lots() == theirs.lots()
    assert [mine.balance(at) for at in case.instants] == [theirs.balance(at) for at in case.instants]
