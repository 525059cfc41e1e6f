"""L4: every entry sums to zero in each wallet; and at every instant, over the lots:
gross = spent + expired + left, all of them at least 0, and spent + debt = all that was spent.
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from rewards.days import midnight
from rewards.ledger.lots import advance
from rewards.receipt import points_left
from tests.engine_adapter import figures, run_engine, run_reference
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Grant, Spending


@given(case=cases())
def test_lots_add_up(case: Case) -> None:
    outcome = run_reference(case.versions, case.story.joined, case.story.events)

    for at in case.instants:
        for wallet, held in outcome.full_balance(at).items():
            lots = [lot for lot in outcome.lots().get(wallet, []) if midnight(lot.day, case.zone) <= at]
            spent = sum(
                e.points for e in case.story.events if isinstance(e, Spending) and e.wallet == wallet and e.at <= at
            )
            spent += sum(
                points_left(receipt, returned).get(wallet, 0)
                for receipt, returned in case.facts.purchases
                if receipt.occurred_at <= at
            )
            assert sum(lot.points for lot in lots) == held.spent + held.expired + held.available + held.pending
            assert held.spent + held.debt == spent
            assert min(held.spent, held.expired, held.available, held.pending, held.debt) >= 0
            gross = {lot.day: lot.points for lot in lots}
            assert all(0 < left <= gross[day] for day, left, _ in held.lots)


@given(case=cases())
def test_every_entry_sums_to_zero(case: Case) -> None:
    for entry in run_engine(case.versions, case.story.joined, case.arrived).entries:
        sums: Counter[str] = Counter()
        for leg in entry.postings:
            sums[leg.wallet] += leg.points
            assert leg.points != 0
        assert not any(sums.values())


@given(case=cases())
def test_the_journal_adds_up_to_the_balance(case: Case) -> None:
    """What was posted, summed, is what the fold of all facts says at the instant of the latest event."""
    outcome = run_engine(case.versions, case.story.joined, case.arrived)
    clock = max(event.at for event in case.story.events)
    purses = outcome.near.purses
    for purse in purses.values():
        advance(purse, clock)

    posted: Counter[tuple[str, str]] = Counter()
    for entry in outcome.entries:
        for leg in entry.postings:
            posted[leg.wallet, leg.account] += leg.points
    expected = run_reference(case.versions, case.story.joined, case.story.events)

    assert figures(purses, clock) == expected.balance(clock)
    for wallet, held in expected.full_balance(clock).items():
        granted = sum(e.points for e in case.story.events if isinstance(e, Grant) and e.wallet == wallet)
        gross = sum(lot.points for lot in expected.lots().get(wallet, []))
        assert posted[wallet, "lot"] == held.available + held.pending
        assert posted[wallet, "debt"] == -held.debt
        assert posted[wallet, "spent"] + posted[wallet, "restored"] == held.spent + held.debt
        assert posted[wallet, "expired"] == held.expired
        assert posted[wallet, "adjusted"] == -granted
        assert posted[wallet, "issued"] + posted[wallet, "taken_back"] == granted - gross
