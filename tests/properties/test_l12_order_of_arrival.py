"""L12: the same set of accepted events, in any order of arrival, gives the same points, lots and debt at every t.

What a purchase recorded as its discounts is part of the event: another order decides nothing anew, and counts the
same uses.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from tests.engine_adapter import RUNS, Run, everything
from tests.strategies.cases import Case, cases


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_order_of_arrival_does_not_matter(run: Run, case: Case) -> None:
    in_order = run(case.versions, case.story.joined, case.story.events)
    in_disorder = run(case.versions, case.story.joined, case.arrived)

    assert everything(in_order, case.instants) == everything(in_disorder, case.instants)
