"""L15: the engine equals the reference definition: what each day earned, every lot, every balance at every instant,
the uses of offers, what the till decides, whatever the order in which events arrived.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.engine.offers import OfferBook
from rewards.engine.reference import History
from tests.engine_adapter import everything, figures, run_engine, run_reference
from tests.strategies.cases import Case, cases
from tests.strategies.focus import FOCUSES, climbing, focused
from tests.strategies.histories import Event, Purchase
from tests.strategies.rung_up import undecided
from tests.till_reference import legal


def check(case: Case) -> None:
    """Compare both on one case."""
    expected = run_reference(case.versions, case.story.joined, case.story.events)
    found = run_engine(case.versions, case.story.joined, case.arrived)
    clock = max(event.at for event in case.story.events)

    assert everything(found, case.instants) == everything(expected, case.instants)
    assert figures(found.near.purses, clock) == expected.balance(clock)


@given(case=cases())
def test_on_everything(case: Case) -> None:
    check(case)


@given(case=cases(most_receipts=12))
def test_on_long_stories(case: Case) -> None:
    check(case)


@given(case=cases())
def test_the_till_decides_as_the_definition_says(case: Case) -> None:
    """Of what had arrived by then: the same offers are legal, with the same rooms under their limits."""
    here: list[Event] = []
    engine = run_engine(case.versions, case.story.joined, ())
    for event in case.arrived:
        if isinstance(event, Purchase):
            receipt = undecided(event.receipt)
            known = run_reference(case.versions, case.story.joined, here)
            claims = legal(case.versions, known.facts, known.uses(), receipt)
            policy = History(case.versions, known.facts).policy(receipt.day)
            book = OfferBook(policy.offers, policy.offer_groups, policy.eligible)
            expected = book.best(receipt.lines, claims)

            found = engine.decided(receipt).receipt
            assert [line.offers_minor for line in found.lines] == list(expected.lines_minor)
            assert [(one.offer, one.amount_minor, one.units) for one in found.discounts] == [
                (one.offer.id, one.amount_minor, one.units) for one in expected.applied
            ]
        here.append(event)
        engine.take(event)


@pytest.mark.parametrize("name", FOCUSES)
@given(data=st.data())
def test_on_one_feature(name: str, data: st.DataObject) -> None:
    check(data.draw(focused(name)))


@given(case=climbing())
def test_on_tiers_over_years(case: Case) -> None:
    check(case)
