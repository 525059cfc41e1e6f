"""L7: purchase + full return = nothing, at every later instant: points, lots, expiry, debt, visits and limits,
whatever was bought, spent or expired in between.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine_adapter import RUNS, Run
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, full_return, receipt
from tests.strategies.words import GAPS, pick, whole


@st.composite
def _with_one_returned(draw: st.DrawFn) -> tuple[Case, list[Event]]:
    """A case, and the same with one more purchase and its return in between, in any order of arrival."""
    case = draw(cases())
    day = case.anchor + pick(draw, GAPS) - pick(draw, (0, 1, 7))
    more = receipt(draw, "regretted", day, case.zone)
    events = list(case.arrived)
    first = whole(draw, 0, len(events))
    events.insert(first, Purchase(more))
    events.insert(whole(draw, first + 1, len(events)), full_return(more, more.occurred_at))
    return case, events


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(drawn=_with_one_returned())
def test_nothing_is_left(run: Run, drawn: tuple[Case, list[Event]]) -> None:
    case, events = drawn
    without = run(case.versions, case.story.joined, case.story.events)
    regretted = run(case.versions, case.story.joined, events)

    assert regretted.earned() == without.earned()
    assert regretted.lots() == without.lots()
    for at in case.instants:
        assert regretted.balance(at) == without.balance(at)
