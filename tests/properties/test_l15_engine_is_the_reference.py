"""L15: the engine equals the reference definition: what each day earned, every lot, every balance at every instant,
the uses of offers, whatever the order in which events arrived.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.engine_adapter import figures, run_engine, run_reference
from tests.strategies.cases import Case, cases
from tests.strategies.focus import FOCUSES, climbing, focused


def check(case: Case) -> None:
    """Compare both on one case."""
    expected = run_reference(case.versions, case.story.joined, case.story.events)
    found = run_engine(case.versions, case.story.joined, case.arrived)
    clock = max(event.at for event in case.story.events)

    assert found.earned() == expected.earned()
    assert found.lots() == expected.lots()
    assert found.uses() == expected.uses()
    for at in case.instants:
        assert found.balance(at) == expected.balance(at)
    assert figures(found.near.purses, clock) == expected.balance(clock)


@given(case=cases())
def test_on_everything(case: Case) -> None:
    check(case)


@given(case=cases(most_receipts=12))
def test_on_long_stories(case: Case) -> None:
    check(case)


@pytest.mark.parametrize("name", FOCUSES)
@given(data=st.data())
def test_on_one_feature(name: str, data: st.DataObject) -> None:
    check(data.draw(focused(name)))


@given(case=climbing())
def test_on_tiers_over_years(case: Case) -> None:
    check(case)
