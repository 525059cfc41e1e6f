"""L7: purchase + full return = nothing, at every later instant: points, lots, expiry, debt, visits, limits and uses of
offers, whatever was bought, spent or expired in between; and the till decides the next receipt as it would have.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from rewards.engine.program import Program
from rewards.ledger import timeline
from rewards.receipt import Receipt
from tests.engine_adapter import RUNS, EngineOutcome, Run, everything, run_engine
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, full_return, receipt
from tests.strategies.rung_up import at_the_till, undecided
from tests.strategies.words import GAPS, pick, whole


def _one_more(case: Case, name: str) -> Receipt:
    day = case.anchor + pick(case.more, GAPS) - pick(case.more, (0, 1, 7))
    return receipt(case.more, name, day, case.zone)


def _with_one_returned(case: Case) -> list[Event]:
    """The same with one more purchase and its return in between, in any order of arrival."""
    events = list(case.arrived)
    first = whole(case.more, 0, len(events))
    regretted = _one_more(case, "regretted")
    before = EngineOutcome(Program(case.versions), timeline.open_near(case.story.joined or 0))
    for event in events[:first]:
        before.take(event)
    regretted = at_the_till(before, regretted)
    events.insert(first, Purchase(regretted))
    events.insert(whole(case.more, first + 1, len(events)), full_return(regretted, regretted.occurred_at))
    return events


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_nothing_is_left(run: Run, case: Case) -> None:
    without = run(case.versions, case.story.joined, case.story.events)
    regretted = run(case.versions, case.story.joined, _with_one_returned(case))

    assert everything(regretted, case.instants) == everything(without, case.instants)


@given(case=cases())
def test_the_till_decides_as_if_it_had_never_been(case: Case) -> None:
    without = run_engine(case.versions, case.story.joined, case.arrived)
    regretted = run_engine(case.versions, case.story.joined, _with_one_returned(case))
    following = undecided(_one_more(case, "following"))

    assert regretted.decided(following) == without.decided(following)
