"""L7: purchase + full return = nothing, at every later instant: points, lots, expiry, debt, visits and limits,
whatever was bought, spent or expired in between.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.engine_adapter import RUNS, Run
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, full_return, receipt
from tests.strategies.words import GAPS, pick, whole


def _with_one_returned(case: Case) -> list[Event]:
    """The same with one more purchase and its return in between, in any order of arrival."""
    more = case.more
    day = case.anchor + pick(more, GAPS) - pick(more, (0, 1, 7))
    events = list(case.arrived)
    first = whole(more, 0, len(events))
    regretted = receipt(more, "regretted", day, case.zone)
    events.insert(first, Purchase(regretted))
    events.insert(whole(more, first + 1, len(events)), full_return(regretted, regretted.occurred_at))
    return events


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_nothing_is_left(run: Run, case: Case) -> None:
    without = run(case.versions, case.story.joined, case.story.events)
    regretted = run(case.versions, case.story.joined, _with_one_returned(case))

    assert regretted.earned() == without.earned()
    assert regretted.lots() == without.lots()
    for at in case.instants:
        assert regretted.balance(at) == without.balance(at)
