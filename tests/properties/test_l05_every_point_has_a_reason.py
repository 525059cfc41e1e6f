"""L5: every point has a reason; the parts of an explanation sum to the whole.

Each lot is the sum of what rules gave on its day and of what staff granted; each
entry's awards are the change of what rules gave, and sum to what it issued.
"""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given

from rewards.days import periods
from rewards.engine.explain import facts
from rewards.engine.program import Program
from rewards.engine.reference import History
from rewards.ledger.entries import Award
from rewards.service.awards import why
from rewards.service.reasons import reason
from rewards.service.tongue import LANGUAGES, tongue
from tests.engine_adapter import RUNS, Run, run_engine
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Grant


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_rules_and_grants_are_the_lots(run: Run, case: Case) -> None:
    outcome = run(case.versions, case.story.joined, case.arrived)
    reasons: Counter[tuple[str, int]] = Counter()
    for day, points in outcome.earned().items():
        policy = History(case.versions, case.facts).policy(day)
        for rule, given_points in points.items():
            reasons[policy.rules[rule].wallet, day] += given_points
    for event in case.story.events:
        if isinstance(event, Grant):
            reasons[event.wallet, event.day] += event.points

    lots = {(wallet, lot.day): lot.points for wallet, found in outcome.lots().items() for lot in found}
    assert lots == {key: points for key, points in reasons.items() if points and key[0]}  # gift cards are in no lot


@given(case=cases())
def test_awards_of_entries_sum_to_what_rules_gave(case: Case) -> None:
    outcome = run_engine(case.versions, case.story.joined, case.arrived)

    assert outcome.awarded() == outcome.earned()
    for entry in outcome.entries:
        change: Counter[str] = Counter()
        for award in entry.awards:
            change[award.wallet] += award.points if award.wallet else 0  # gift cards are issued and not posted here
            assert award.points != 0
        for leg in entry.postings:
            if leg.account in {"issued", "taken_back"}:
                change[leg.wallet] += leg.points
        assert not any(change.values())


@given(case=cases())
def test_what_is_told_at_once_is_what_is_told_later(case: Case) -> None:
    """A day's first awards are told by generated text, those of a day that is judged again by `facts`."""
    outcome = run_engine(case.versions, case.story.joined, case.arrived)
    for day, row in outcome.all_rows().items():
        version = outcome.program.on(day)
        if row.rows and row.carry[0] == outcome.program.index(day):
            vector = [sum(column) for column in zip(*row.rows.values(), strict=True)]
            points = [row.points.get(index, 0) for index in range(len(version.rule_ids))]
            now, awards = version.tell(row.carry, periods(day), day, vector, points, Award)
            assert now == row.points
            assert awards == [
                Award(
                    version.rule_ids[index],
                    version.wallets[index],
                    day,
                    given_points,
                    facts(version, index, row.carry, vector, day, 0),
                )
                for index, given_points in row.points.items()
            ]


@given(case=cases())
def test_every_award_can_be_told_to_staff_and_to_customers(case: Case) -> None:
    program = Program(case.versions)
    for entry in run_engine(case.versions, case.story.joined, case.arrived).entries:
        for award in entry.awards:
            assert why(program, award)
            for language in LANGUAGES:
                told = reason(program, award, tongue(language))
                assert told
                assert "{" not in told
