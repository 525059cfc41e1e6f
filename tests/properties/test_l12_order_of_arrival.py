"""L12: the same set of accepted events, in any order of arrival, gives the same points, lots and debt at every t.

What a purchase recorded as its discounts is part of the event: another order decides nothing anew, and counts the
same uses.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.engine_adapter import RUNS, Run
from tests.strategies.cases import Case, cases


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_order_of_arrival_does_not_matter(run: Run, case: Case) -> None:
    in_order = run(case.versions, case.story.joined, case.story.events)
    in_disorder = run(case.versions, case.story.joined, case.arrived)

    assert in_order.earned() == in_disorder.earned()
    assert in_order.lots() == in_disorder.lots()
    assert in_order.uses() == in_disorder.uses()
    assert [in_order.balance(at) for at in case.instants] == [in_disorder.balance(at) for at in case.instants]
