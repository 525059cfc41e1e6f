"""Days where clocks change, lots that end before they start, events older than anything known: by hand, on both."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from rewards.days import Duration, midnight, moment
from rewards.policy.model import (
    Expiry,
    Flat,
)
from rewards.receipt import Receipt
from tests.engine_adapter import Run
from tests.strategies.by_hand import (
    BOTH,
    DAY_0,
    at,
    available,
    bought,
    by_day,
    per_euro,
    program,
    rule,
    versions,
)
from tests.strategies.histories import Event, Grant, Purchase, Spending


@BOTH
def test_a_day_is_a_date_also_where_clocks_enter_it_twice(run: Run) -> None:
    """St John's left 7 November 2010 at 00:01 and entered it again: both receipts of the 6th are of one day."""
    zone = ZoneInfo("America/St_Johns")
    policy = program(rule("day", Flat(5)), zone=zone)
    day = date(2010, 11, 6).toordinal()
    first = Purchase(_at_instant(bought(0, 100).receipt, midnight(day + 1, zone) - 30 * 60_000_000, zone))
    again = Purchase(
        msgspec.structs.replace(
            _at_instant(bought(0, 100).receipt, midnight(day + 1, zone) + 30 * 60_000_000, zone), receipt_id="again"
        )
    )
    outcome = run([(day - 10, policy)], day, [first, again])

    assert (first.receipt.day, again.receipt.day) == (day, day)
    assert outcome.earned() == {day: {"day": 5}}


@BOTH
def test_a_lot_that_is_there_stays_there_when_its_date_is_left_again(run: Run) -> None:
    """At 23:30 for the second time it is the 6th again, and the 7th's points have been there since its first instant."""
    zone = ZoneInfo("America/St_Johns")
    day = date(2010, 11, 7).toordinal()
    start = midnight(day, zone)
    purchase = Purchase(_at_instant(bought(0, 100).receipt, start + 20 * 3600 * 1_000_000, zone))
    outcome = run([(day - 10, program(rule("day", Flat(5)), zone=zone))], day, [purchase])

    assert moment(start + 30 * 60_000_000, zone).toordinal() == day - 1
    assert outcome.balance(start - 1) == {}
    assert outcome.balance(start + 30 * 60_000_000)["points"][0] == 5


def _at_instant(receipt: Receipt, instant: int, zone: ZoneInfo) -> Receipt:
    local = moment(instant, zone)
    return msgspec.structs.replace(
        receipt, occurred_at=instant, day=local.toordinal(), minute=local.hour * 60 + local.minute
    )


@BOTH
def test_a_lot_starts_with_its_day_where_midnight_does_not_exist(run: Run) -> None:
    """Cairo skipped midnight on 26 April 2024; points that wait one day are there from the first instant after it."""
    zone = ZoneInfo("Africa/Cairo")
    day = date(2024, 4, 25).toordinal()
    policy = program(rule("day", Flat(5)), zone=zone, pending=Duration(1, "days"))
    purchase = Purchase(_at_instant(bought(0, 100).receipt, midnight(day, zone) + 600 * 60_000_000, zone))
    start = midnight(day + 1, zone)
    outcome = run([(day, policy)], day, [purchase])

    assert outcome.balance(start - 1)["points"][:2] == (0, 5)
    assert outcome.balance(start)["points"][:2] == (5, 0)


@BOTH
def test_points_that_end_before_they_could_be_spent_end_as_any_others(run: Run) -> None:
    """Two months pending, gone at the end of the month: pending, then nothing."""
    policy = program(per_euro(), pending=Duration(2, "months"), expires=Expiry(at="end_of_month"))
    outcome = run(versions((0, policy)), DAY_0, [bought(0, 500)])

    assert outcome.balance(at(1))["points"][:3] == (0, 5, 0)
    assert outcome.balance(at(40)) == {}
    assert outcome.balance(at(70)) == {}


@BOTH
def test_a_late_event_before_the_cut_of_a_member_first_seen_after_it(run: Run) -> None:
    """A spending on a later day, one on an earlier day, then a late purchase of that day: judged by that day's version."""
    old, new = program(per_euro(2, measure="month")), program(per_euro(1, measure="month"))
    events: list[Event] = [
        Spending(at(12), "points", 1),
        Spending(at(3), "points", 1),
        Grant(at(5), DAY_0 + 5, "points", 4),
        bought(5, 500),
    ]
    outcome = run(versions((0, old), (10, new)), DAY_0, events)

    assert by_day(outcome) == {5: 10}
    assert available(outcome, 13) == 12
