"""L3: a purchase that is not before any other recorded event of the member lowers no lot and no available balance,
and raises no debt; no balance is ever negative, debts are shown as debts.

What it pays with points is the member's own doing, and bounds what it takes. A *late* purchase may lower what was there: that is an adjustment of its own.
"""

from __future__ import annotations

import pytest
from hypothesis import given

from rewards.days import moment
from rewards.receipt import points_left
from tests.engine_adapter import RUNS, Figures, Run
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Purchase, receipt
from tests.strategies.words import pick


def _one_more(case: Case) -> Purchase:
    """A purchase on the case's last day or after it."""
    last = max(moment(event.at, case.zone).toordinal() for event in case.story.events)
    return Purchase(receipt(case.more, "latest", last + pick(case.more, (1, 0, 2, 7, 30)), case.zone))


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_the_latest_purchase_takes_nothing(run: Run, case: Case) -> None:
    more = _one_more(case)
    events = [event for event in case.story.events if event.at <= more.at]
    before = run(case.versions, case.story.joined, events)
    after = run(case.versions, case.story.joined, [*events, more])

    for wallet, lots in before.lots().items():
        now = {lot.day: lot for lot in after.lots().get(wallet, [])}
        for lot in lots:
            assert now[lot.day].points >= lot.points
            assert (now[lot.day].expires_at or 2**63) >= (lot.expires_at or 2**63)
    paid = points_left(more.receipt, {})
    for at in [at for at in case.instants if at >= more.at]:
        was, now_held = before.balance(at), after.balance(at)
        for wallet in {*was, *now_held}:
            (available, pending, debt, _), (more_available, _, less_debt, _) = _pair(was, now_held, wallet)
            assert more_available - less_debt >= available - debt - paid.get(wallet, 0)
            assert more_available >= available - paid.get(wallet, 0)
            assert less_debt <= debt + paid.get(wallet, 0)
            assert pending >= 0


def _pair(was: dict[str, Figures], now: dict[str, Figures], wallet: str) -> tuple[Figures, Figures]:
    nothing = (0, 0, 0, ())
    return was.get(wallet, nothing), now.get(wallet, nothing)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_nothing_is_negative(run: Run, case: Case) -> None:
    outcome = run(case.versions, case.story.joined, case.arrived)

    for lots in outcome.lots().values():
        assert all(lot.points > 0 for lot in lots)
    for at in case.instants:
        for available, pending, debt, lots_left in outcome.balance(at).values():
            assert min(available, pending, debt) >= 0
            assert all(left > 0 for _, left, _ in lots_left)
            assert not (available and debt)
            assert available + pending == sum(left for _, left, _ in lots_left)
