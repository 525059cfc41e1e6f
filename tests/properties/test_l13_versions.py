"""L13: a version from day c changes no (rule, day) and no lot of a day before c, also when events of those days
arrive later; it forgets no use of an offer; a version that means the same changes nothing at all.

What a lot that lasts from the last visit still lives to see is a matter of later
days: it is a visit's effect, not the version's, and is compared without it.
"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.days import moment
from rewards.engine.reference import Points, Versions
from rewards.engine.reference_lots import Lot
from rewards.policy.model import Policy
from tests.engine_adapter import RUNS, Run, Uses, everything, run_engine, run_engine_with
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event
from tests.strategies.policies import amended, fitting
from tests.strategies.words import chance, pick


def _with_a_new_version(case: Case) -> Versions:
    last_cut, last = case.versions[-1]
    cut = max(last_cut + 1, case.anchor + pick(case.more, (0, 1, 3, 14)))
    return [*case.versions, (cut, fitting(amended(case.more, last, case.anchor, 9)))]


def _before(points: Points, day: int) -> Points:
    return {each: given_points for each, given_points in points.items() if each < day}


def _lots_before(lots: dict[str, list[Lot]], day: int, versions: Versions) -> list[object]:
    policies = [policy for _, policy in versions]
    moving = {
        key for policy in policies for key, wallet in policy.wallets.items()
        if wallet.expires and wallet.expires.since == "last_visit"
    }  # fmt: skip
    return [
        (wallet, lot if wallet not in moving else lot[:3])
        for wallet, found in sorted(lots.items())
        for lot in found
        if lot.day < day
    ]


def _uses_before(uses: Uses, day: int) -> Uses:
    found = {offer: [use for use in known if use[1] < day] for offer, known in uses.items()}
    return {offer: known for offer, known in found.items() if known}


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_a_new_version_leaves_earlier_days(run: Run, case: Case) -> None:
    versions = _with_a_new_version(case)
    cut = versions[-1][0]
    old = run(case.versions, case.story.joined, case.arrived)
    new = run(versions, case.story.joined, case.arrived)

    assert _before(old.earned(), cut) == _before(new.earned(), cut)
    assert _lots_before(old.lots(), cut, versions) == _lots_before(new.lots(), cut, versions)
    assert _uses_before(old.uses(), cut) == _uses_before(new.uses(), cut)


@given(case=cases())
def test_publishing_between_events(case: Case) -> None:
    """Events of earlier days that arrive after the publication are judged as if they had come before it."""
    versions = _with_a_new_version(case)
    early, late = _split(case, versions[-1][0])
    at_once = run_engine(versions, case.story.joined, case.story.events)
    on_the_way = run_engine_with(case.versions, versions, case.story.joined, [*early, *late], len(early))

    assert everything(on_the_way, case.instants) == everything(at_once, case.instants)


def _split(case: Case, cut: int) -> tuple[list[Event], list[Event]]:
    """Cut the arrivals in two: none of the first is of the new version's days."""
    early: list[Event] = []
    for event in case.arrived:
        if moment(event.at, case.zone).toordinal() >= cut or chance(case.more, 5):
            break
        early.append(event)
    return early, case.arrived[len(early) :]


def _same_meaning(policy: Policy) -> Policy:
    """Other texts, another name: nothing that anybody earns by."""
    rules = {key: replace(rule, title={"": "Corrected"}, on_name="other") for key, rule in policy.rules.items()}
    wallets = {key: replace(wallet, title={"": "Other"}) for key, wallet in policy.wallets.items()}
    offers = {key: replace(one, title={"": "Corrected"}, on_name="other") for key, one in policy.offers.items()}
    return replace(policy, version="sha256:same", title={"": "New"}, rules=rules, wallets=wallets, offers=offers)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases(), days_later=st.sampled_from((0, 1, 2, 7)))
def test_a_version_that_means_the_same_changes_nothing(run: Run, case: Case, days_later: int) -> None:
    last_cut, last = case.versions[-1]
    versions = [*case.versions, (max(last_cut + 1, case.anchor + days_later), _same_meaning(last))]
    old = run(case.versions, case.story.joined, case.arrived)
    new = run(versions, case.story.joined, case.arrived)

    assert everything(old, case.instants) == everything(new, case.instants)
