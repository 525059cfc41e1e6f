"""Redemptions under the laws of points: taken back whole one leaves nothing behind (L7), in part it is a spending of
what it keeps, entries balance (L4), and the order of arrival does not matter (L12).
"""

from __future__ import annotations

from collections import Counter

from hypothesis import given

from rewards.days import moment
from rewards.engine.program import Program
from rewards.ledger import timeline
from tests.engine_adapter import EngineOutcome, everything
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Spending
from tests.strategies.words import GAPS, MINUTES, pick, whole

KEY = 1000  # of the redemption; no event of a case is numbered so
POINTS = (1, 2, 5, 20, 60)


def _redemption(case: Case) -> timeline.Redemption:
    day = case.anchor + pick(case.more, GAPS) - pick(case.more, (0, 1, 7))
    at = (day - moment(0, case.zone).toordinal()) * 86_400_000_000 + pick(case.more, MINUTES) * 60_000_000
    wallets = sorted(case.versions[0][1].wallets)
    points = pick(case.more, POINTS)
    of = moment(at, case.zone).toordinal()
    return timeline.Redemption(KEY, "mug", 1, pick(case.more, wallets), points, at, of)


def _run(
    case: Case, *, given_up: int | None, places: tuple[int, int], redemption: timeline.Redemption
) -> EngineOutcome:
    """Take a case's events, with a redemption at one place and its cancellation at another, unless it is kept."""
    outcome = EngineOutcome(Program(case.versions), timeline.open_near(case.story.joined or 0))
    for i, event in enumerate([*case.arrived, None]):
        if i == places[0]:
            outcome.book(redemption)
        if i == places[1] and given_up is not None:
            outcome.book(timeline.Cancellation(redemption, given_up, redemption.at))
        if event is not None:
            outcome.take(event)
    return outcome


def _places(case: Case) -> tuple[int, int]:
    first = whole(case.more, 0, len(case.arrived))
    return first, whole(case.more, first, len(case.arrived))


def _plain(case: Case) -> EngineOutcome:
    outcome = EngineOutcome(Program(case.versions), timeline.open_near(case.story.joined or 0))
    for event in case.arrived:
        outcome.take(event)
    return outcome


@given(case=cases())
def test_taken_back_it_leaves_nothing(case: Case) -> None:
    without, redemption = _plain(case), _redemption(case)
    outcome = _run(case, given_up=0, places=_places(case), redemption=redemption)

    assert everything(outcome, case.instants) == everything(without, case.instants)


@given(case=cases())
def test_what_it_keeps_is_spent(case: Case) -> None:
    redemption, places = _redemption(case), _places(case)
    kept = whole(case.more, 1, redemption.points)
    outcome = _run(case, given_up=kept, places=places, redemption=redemption)
    spent = EngineOutcome(Program(case.versions), timeline.open_near(case.story.joined or 0))
    for event in [*case.arrived, Spending(redemption.at, redemption.wallet, kept)]:
        spent.take(event)

    for at in case.instants:
        assert outcome.balance(at) == spent.balance(at)


@given(case=cases())
def test_when_it_is_told_does_not_matter(case: Case) -> None:
    redemption, end = _redemption(case), len(case.arrived)
    outcomes = [_run(case, given_up=None, places=(first, end), redemption=redemption) for first in {0, end // 2, end}]

    for at in case.instants:
        assert len({repr(outcome.balance(at)) for outcome in outcomes}) == 1


@given(case=cases())
def test_entries_balance_and_add_up(case: Case) -> None:
    given_up = pick(case.more, (0, None, 1))
    outcome = _run(case, given_up=given_up, places=_places(case), redemption=_redemption(case))
    held: Counter[str] = Counter()
    for entry in outcome.entries:
        sums: Counter[str] = Counter()
        for leg in entry.postings:
            sums[leg.wallet] += leg.points
            held[leg.wallet] += leg.points if leg.account in {"lot", "debt"} else 0
        assert not any(sums.values())
    for key, purse in outcome.near.purses.items():
        assert held[key] == sum(lot[3] for lot in purse.open) - purse.debt
