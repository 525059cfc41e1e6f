"""A merge: two members who are one person have, from then on, what one would have who did all of it from the start.

Points of each day, lots, balances and debts at every t, uses of offers, whenever the merge comes and whatever comes
after it: what counts is the union of the facts. What moves leaves one timeline and arrives on the other, to the point.
"""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import assume, given

from rewards.engine.program import Program
from rewards.engine.reference import Versions
from rewards.ledger import timeline
from rewards.ledger.merging import MOVED, Merge, leave, merge
from rewards.ledger.purses import Standing, standings
from tests.engine_adapter import EngineOutcome, run_engine, run_reference
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, Return, Telling, was_referred
from tests.strategies.words import Draw, whole

HERE, OTHER = 10, 11


def opened(versions: Versions, joined: int, referred: int) -> EngineOutcome:
    return EngineOutcome(Program(versions), timeline.open_near(joined, referrer=int(was_referred(referred))))


def sides(draw: Draw, events: Sequence[Event]) -> list[bool]:
    """Say of each event whether it is the other's; what comes back comes back to where it was bought."""
    of_receipt: dict[str, bool] = {}
    found = []
    for event in events:
        other = bool(whole(draw, 0, 1)) and not isinstance(event, Telling)
        if isinstance(event, Purchase):
            of_receipt[event.receipt.receipt_id] = other
        elif isinstance(event, Return):
            other = of_receipt[event.receipt_id]
        found.append(other)
    return found


def joined_in(one: EngineOutcome, other: EngineOutcome, at: int) -> dict[str, int]:
    """Merge as the service does; return what moved, by wallet."""
    numbers = {number: one.taken + number for number in range(1, other.taken + 1)}
    day = max([1, *one.all_rows(), *other.all_rows()])
    change = Merge(HERE, OTHER, other.near, other.rows, numbers, at, day)
    receipts = [(receipt, back) for each in (one, other) for _, receipt, back in each.receipts.values()]
    booking = merge(one.program, one.near, change, one.rows, receipts)
    left = leave(other.program, change, booking.near.clock)
    assert not left.near.purses
    assert set(left.days) == set(other.rows)
    take(one, booking)
    other.entries += left.entries
    one.receipts |= {name: (numbers[key], receipt, back) for name, (key, receipt, back) in other.receipts.items()}
    one.taken += other.taken
    return moved(one, -1)


def take(one: EngineOutcome, booking: timeline.Booking) -> None:
    one.near = timeline.decode_near(timeline.encode(booking.near))
    one.rows = {**one.rows, **{day: row for day, row in booking.days.items() if row is not None}}
    one.rows = {day: row for day, row in one.rows.items() if booking.days.get(day, row) is not None}
    one.entries += booking.entries


def moved(one: EngineOutcome, sign: int) -> dict[str, int]:
    sums: dict[str, int] = {}
    for entry in one.entries:
        for leg in entry.postings:
            if leg.account == MOVED:
                sums[leg.wallet] = sums.get(leg.wallet, 0) + sign * leg.points
    return {wallet: points for wallet, points in sums.items() if points}


def booked(one: EngineOutcome, at: int) -> dict[str, Standing]:
    """What stands in the purses of the state, wallets without anything left out."""
    found = standings(one.program, one.near, at)
    return {wallet: standing for wallet, standing in found.items() if standing != Standing(0, 0, 0, [], [])}


def awarded(*outcomes: EngineOutcome) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for outcome in outcomes:
        for day, points in outcome.awarded().items():
            for rule, given_ in points.items():
                found.setdefault(day, {})[rule] = found.get(day, {}).get(rule, 0) + given_
    return {day: kept for day, points in found.items() if (kept := {rule: n for rule, n in points.items() if n})}


@given(case=cases())
def test_what_was_merged_is_one_history(case: Case) -> None:
    joined = case.story.joined
    assume(joined)
    assert joined is not None
    events, draw = case.arrived, case.more
    one, other = opened(case.versions, joined, joined), opened(case.versions, joined + whole(draw, 0, 40), joined)
    until = whole(draw, 0, len(events))
    for event, is_others in zip(events[:until], sides(draw, events), strict=False):
        (other if is_others else one).take(event)
    at = max([0, one.near.clock, other.near.clock])
    came = joined_in(one, other, at)
    for event in events[until:]:
        one.take(event)

    alone, reference = run_engine(case.versions, joined, events), run_reference(case.versions, joined, events)
    assert one.earned() == alone.earned() == reference.earned()
    assert one.lots() == alone.lots()
    assert one.uses() == alone.uses()
    assert [one.balance(each) for each in case.instants] == [alone.balance(each) for each in case.instants]
    assert came == moved(other, 1)
    assert awarded(one, other) == one.earned()
    for entry in (*one.entries, *other.entries):
        assert sum(leg.points for leg in entry.postings) == 0
    last = max(one.near.clock, alone.near.clock)
    assert booked(one, last) == booked(alone, last)
