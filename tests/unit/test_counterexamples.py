"""The cases that broke earlier definitions, each with its numbers, asked of the reference and of the engine.

Every one of them was a rule that read well. The names say what went wrong; the
figures in the tests are what is right.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest

from rewards.days import Duration
from rewards.money import largest_remainder, left_of, webster
from rewards.policy.model import (
    AmountIs,
    Eligible,
    Expiry,
    FirstPurchase,
    Flat,
    InTier,
    Limit,
    Match,
    NoVisitFor,
    Rate,
    Selection,
    Tiers,
    Wallet,
)
from rewards.receipt import Line, Tender
from tests.engine_adapter import Run
from tests.strategies.by_hand import (
    BOTH,
    DAY_0,
    at,
    available,
    bought,
    by_day,
    debt,
    per_euro,
    program,
    returned,
    rule,
    total,
    versions,
)
from tests.strategies.histories import Event, Purchase, Spending

# 1 to 4: which lot a spending took is a function of the facts


TEN_DAYS = program(per_euro(), expires=Expiry(after=Duration(10, "days")))
THIRTY_DAYS = program(per_euro(), expires=Expiry(after=Duration(30, "days")))
LONG = replace(
    THIRTY_DAYS, wallets={"points": Wallet(key="points", one="point", expires=Expiry(after=Duration(200, "days")))}
)


@BOTH
def test_01_spent_points_of_a_returned_purchase_are_taken_from_what_else_there_is(run: Run) -> None:
    """Lot A of 100 to day 200; P gives lot B of 100 to day 31; 100 are spent; P comes back: nothing can be spent again."""
    later = bought(1, 10_000, "P")
    events: list[Event] = [bought(0, 10_000), later, Spending(at(10), "points", 100), returned(later, 20)]
    outcome = run(versions((0, LONG), (1, THIRTY_DAYS)), DAY_0, events)

    assert (available(outcome, 15), debt(outcome, 15)) == (0, 0)
    never = run(versions((0, LONG), (1, THIRTY_DAYS)), DAY_0, [events[0], events[2]])
    assert (available(never, 21), debt(never, 21)) == (0, 0)
    assert [outcome.balance(at(day)) for day in range(40)] == [never.balance(at(day)) for day in range(40)]


@BOTH
def test_02_no_debt_for_a_lot_that_the_spending_would_have_used_before_it_ended(run: Run) -> None:
    policies = versions((0, LONG), (1, TEN_DAYS))
    later = bought(1, 10_000, "P")  # ends on day 11
    first = bought(0, 10_000)
    spent = Spending(at(5), "points", 100)
    outcome = run(policies, DAY_0, [first, later, spent, returned(later, 20)])

    assert (available(outcome, 21), debt(outcome, 21)) == (0, 0)
    assert outcome.lots() == run(policies, DAY_0, [first, spent]).lots()


@BOTH
def test_03_no_debt_for_points_that_ended_unspent_before_the_return(run: Run) -> None:
    purchase = bought(0, 10_000)
    outcome = run(versions((0, TEN_DAYS)), DAY_0, [purchase, returned(purchase, 20)])

    assert (available(outcome, 21), debt(outcome, 21), total(outcome)) == (0, 0, 0)


@BOTH
@pytest.mark.parametrize("late", [False, True])
def test_04_a_late_lot_that_ends_sooner_takes_the_spending_over(run: Run, late: bool) -> None:
    """L1 100 to day 30, L2 100 to day 20, 100 spent on day 10: 100 are left on day 25, whenever L2 arrives."""
    policies = versions((0, THIRTY_DAYS), (1, program(per_euro(), expires=Expiry(after=Duration(19, "days")))))
    first, second, spent = bought(0, 10_000), bought(1, 10_000), Spending(at(10), "points", 100)
    arrived: list[Event] = [first, spent, second] if late else [first, second, spent]
    outcome = run(policies, DAY_0, arrived)

    assert available(outcome, 25) == 100
    assert debt(outcome, 25) == 0


# 5 to 7: windows, limits, groups


@BOTH
@pytest.mark.parametrize("late", [False, True])
def test_05_a_limit_longer_than_the_measure_is_used_up_by_day(run: Run, late: bool) -> None:
    """1 per 1.00, 100 a month, 80.00 on day 0 and on day 9: 80 and 20, in any order of arrival."""
    policy = program(per_euro(limits=(Limit(100, "month"),)))
    events: list[Event] = [bought(0, 8000), bought(9, 8000)]
    outcome = run(versions((0, policy)), DAY_0, events[::-1] if late else events)

    assert by_day(outcome) == {0: 80, 9: 20}


@BOTH
def test_06_a_new_winner_of_the_week_takes_nothing_from_earlier_days(run: Run) -> None:
    """A gives 30 on Monday, B 40 on Friday: Monday keeps its 30, Friday earns 10."""
    a = rule("a", Flat(30), choose="best", measure="week", on=Selection((Match(skus=frozenset("A")),)))
    b = rule("b", Flat(40), choose="best", measure="week", on=Selection((Match(skus=frozenset("B")),)))
    monday = bought(0, 500)
    friday = bought(4, 500, lines=[Line(line_id="1", sku="B", gross_minor=500, net_minor=500)])
    outcome = run(versions((0, program(a, b))), DAY_0, [monday, friday])

    assert outcome.earned() == {DAY_0: {"a": 30}, DAY_0 + 4: {"a": -30, "b": 40}}
    assert [lot.points for lot in outcome.lots()["points"]] == [30, 10]


@BOTH
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_07_members_of_a_group_with_limits_of_its_window_give_the_same_by_any_name(
    run: Run, names: tuple[str, str]
) -> None:
    """A longer limit is refused by `check`; with limits of the week the name of the winner of a tie decides nothing."""
    once = rule(names[0], Flat(50), choose="best", measure="week", limits=(Limit(50, "week"),))
    first = rule(names[1], Flat(50), choose="best", measure="week", when=(FirstPurchase(),))
    outcome = run(versions((0, program(once, first))), DAY_0, [bought(0, 100), bought(7, 100)])

    assert by_day(outcome) == {0: 50, 7: 50}


# 8 to 11: versions


STAMPS = rule("stamps", Rate("visits", 10, 100), measure="ever")


@BOTH
def test_08_a_corrected_label_restarts_nothing(run: Run) -> None:
    """Nine of ten stamps, then the title is corrected: the tenth visit gives its 100."""
    corrected = replace(STAMPS, title={"en": "Ten visits"})
    outcome = run(
        versions((0, program(STAMPS)), (9, program(corrected))), DAY_0, [bought(day, 100) for day in range(10)]
    )

    assert by_day(outcome) == {9: 100}


@BOTH
def test_08_another_meaning_restarts(run: Run) -> None:
    changed = replace(STAMPS, gives=Rate("visits", 10, 101))
    outcome = run(versions((0, program(STAMPS)), (9, program(changed))), DAY_0, [bought(day, 100) for day in range(19)])

    assert by_day(outcome) == {18: 101}


@BOTH
def test_09_what_counts_against_a_limit_is_never_cut(run: Run) -> None:
    """100 once a year, changed to 120 in June: 100, then 20."""
    before = rule("gift", Flat(100), limits=(Limit(100, "year"),))
    after = rule("gift", Flat(120), limits=(Limit(120, "year"),))
    outcome = run(versions((0, program(before)), (100, program(after))), DAY_0, [bought(1, 100), bought(101, 100)])

    assert by_day(outcome) == {1: 100, 101: 20}


@BOTH
def test_09_also_when_only_the_new_version_has_the_limit(run: Run) -> None:
    before, after = rule("gift", Flat(100)), rule("gift", Flat(120), limits=(Limit(120, "year"),))
    outcome = run(versions((0, program(before)), (100, program(after))), DAY_0, [bought(1, 100), bought(101, 100)])

    assert by_day(outcome) == {1: 100, 101: 20}


@BOTH
def test_09_a_new_limit_on_a_member_of_a_group_counts_what_it_was_let_give(run: Run) -> None:
    """b won the week's group with 50; a, which never gave anything, then gets a limit of 40: its 30 fit."""
    a = rule("a", Flat(30), choose="best", measure="week")
    b = rule("b", Flat(50), choose="best", measure="week")
    limited = replace(a, limits=(Limit(40, "week"),))
    policies = versions((0, program(a, b)), (2, program(limited, b)))
    outcome = run(policies, DAY_0, [bought(0, 100), bought(2, 100)])

    assert by_day(outcome) == {0: 50, 2: 30}


@BOTH
def test_10_a_new_rate_counts_from_its_first_day_on(run: Run) -> None:
    """2 per 1.00 becomes 1 per 1.00 in mid-month: 200 for the first 100.00, 100 for the second."""
    before, after = program(per_euro(2, measure="month")), program(per_euro(1, measure="month"))
    outcome = run(versions((0, before), (10, after)), DAY_0, [bought(0, 10_000), bought(12, 10_000)])

    assert by_day(outcome) == {0: 200, 12: 100}


# 12 to 14: what a late purchase takes away


@BOTH
def test_12_a_late_visit_takes_a_win_back_away_and_its_return_gives_it_back(run: Run) -> None:
    policy = program(rule("back", Flat(100), when=(NoVisitFor(Duration(90, "days")),)))
    late = bought(50, 1)
    on_time: list[Event] = [bought(0, 500), bought(100, 500)]

    assert by_day(run(versions((0, policy)), DAY_0, on_time)) == {100: 100}
    assert by_day(run(versions((0, policy)), DAY_0, [*on_time, late])) == {}
    assert by_day(run(versions((0, policy)), DAY_0, [*on_time, late, returned(late, 120)])) == {100: 100}


@BOTH
def test_13_a_first_purchase_with_a_threshold_may_be_spoilt_by_buying_earlier(run: Run) -> None:
    """60.00 on day 2: 110; with 0.01 on day 1: 60. A threshold once, ever, is not spoilt."""
    over = AmountIs(what="spend", at_least=5000)
    spoilt = program(per_euro(), rule("welcome", Flat(50), when=(FirstPurchase(), over)))
    proof = program(per_euro(), rule("welcome", Flat(50), when=(over,), measure="day", limits=(Limit(50, "ever"),)))
    late: list[Event] = [bought(1, 1), bought(2, 6000)]

    assert total(run(versions((0, spoilt)), DAY_0, [bought(2, 6000)])) == 110
    assert total(run(versions((0, spoilt)), DAY_0, late)) == 60
    assert total(run(versions((0, proof)), DAY_0, late)) == 110


@BOTH
def test_14_points_may_move_to_a_day_whose_lot_has_ended(run: Run) -> None:
    """100 points ever, for 30 days: 100.00 of day 40, then 100.00 of day 0 arrive; 100 become 0."""
    policy = program(per_euro(limits=(Limit(100, "ever"),)), expires=Expiry(after=Duration(30, "days")))
    second = bought(40, 10_000)

    assert available(run(versions((0, policy)), DAY_0, [second]), 41) == 100
    late = run(versions((0, policy)), DAY_0, [second, bought(0, 10_000)])
    assert (available(late, 41), debt(late, 41), by_day(late)) == (0, 0, {0: 100})


# 15 to 17: shares of lines


@BOTH
@pytest.mark.parametrize("turned", [False, True])
def test_15_shares_by_content_make_the_order_of_lines_irrelevant(run: Run, turned: bool) -> None:
    """Coffee 0.50 and tobacco 0.50 (excluded), 0.01 paid in points: the share goes by content, so the same is earned."""
    weights = largest_remainder(1, [50, 50])  # ordered by category: coffee before tobacco
    lines = [
        Line(
            line_id=name, sku=name, categories=(name,), gross_minor=50, net_minor=50, tenders_minor=(share, 50 - share)
        )
        for name, share in zip(("coffee", "tobacco"), weights, strict=True)
    ]
    receipt = msgspec.structs.replace(
        bought(0, 1).receipt,
        lines=tuple(lines[::-1] if turned else lines),
        tenders=(Tender("points", 1), Tender("cash", 99)),
    )
    excluding = Eligible(excluding=Selection((Match(categories=frozenset({"tobacco"})),)))
    policy = program(rule("shop", Rate("spend", 50, 1)), eligible=excluding)

    assert total(run(versions((0, policy)), DAY_0, [Purchase(receipt)])) == 0
    assert (
        total(
            run(
                versions((0, replace(policy, eligible=replace(excluding, points_count=True)))),
                DAY_0,
                [Purchase(receipt)],
            )
        )
        == 1
    )


@BOTH
def test_16_after_a_partial_return_the_rest_keeps_its_recorded_discount(run: Run) -> None:
    """10.00 off from 60.00, two lines of 30.00: one comes back, 25.00 of spend are left."""
    lines = [Line(line_id=name, sku="A", gross_minor=3000, offers_minor=500, net_minor=2500) for name in ("1", "2")]
    purchase = bought(0, 0, lines=lines)
    outcome = run(versions((0, program(per_euro()))), DAY_0, [purchase, returned(purchase, 3, {"2": 1})])

    assert by_day(outcome) == {0: 25}


@BOTH
def test_17_what_is_left_of_a_line_is_floored_as_one_line(run: Run) -> None:
    """3 units for 1.00, one comes back: 0.66 are left; as lines of 0.34, 0.33 and 0.33 it may be 0.67."""
    cents = program(rule("cent", Rate("spend", 1, 1)))
    one = bought(0, 0, lines=[Line(line_id="1", sku="A", quantity=3, gross_minor=100, net_minor=100)])
    three = bought(
        0,
        0,
        lines=[Line(line_id=str(n), sku="A", gross_minor=net, net_minor=net) for n, net in enumerate((34, 33, 33))],
    )

    assert total(run(versions((0, cents)), DAY_0, [one, returned(one, 1, {"1": 1})])) == 66
    assert total(run(versions((0, cents)), DAY_0, [three, returned(three, 1, {"1": 1})])) == 67


def test_17_refunds_of_one_unit_at_a_time_leave_nothing_behind() -> None:
    left = [left_of(100, 3, returned_so_far) for returned_so_far in range(4)]

    assert [before - after for before, after in pairwise(left)] == [34, 33, 33]


def test_17_no_refund_of_a_tender_is_negative() -> None:
    """1, 3 and 3 cents over 6 units: by cumulative largest remainders a tender's part would grow on the way."""
    parts = [webster(left_of(7, 6, back), [1, 3, 3]) for back in range(7)]

    assert parts[0] == [1, 3, 3]
    assert parts[-1] == [0, 0, 0]
    for before, after in pairwise(parts):
        assert all(a >= b for a, b in zip(before, after, strict=True))


# 18 and 20: faults that the reference itself once had


@BOTH
@pytest.mark.parametrize("pers", [(10, 15), (15, 10)])
def test_18_two_limits_of_one_period_count_what_was_given_once(run: Run, pers: tuple[int, int]) -> None:
    policy = program(per_euro(limits=tuple(Limit(points, "month") for points in pers)))
    outcome = run(versions((0, policy)), DAY_0, [bought(0, 600), bought(1, 600), bought(2, 600)])

    assert by_day(outcome) == {0: 6, 1: 4}


@BOTH
def test_18_limits_of_two_periods_both_hold(run: Run) -> None:
    policy = program(per_euro(limits=(Limit(10, "week"), Limit(15, "month"))))
    outcome = run(versions((0, policy)), DAY_0, [bought(0, 1000), bought(7, 1000)])

    assert by_day(outcome) == {0: 10, 7: 5}


@BOTH
def test_20_of_two_lots_that_become_available_at_once_the_sooner_ending_pays_the_debt(run: Run) -> None:
    """Debt 1; lots of 1 to day 7 and of 1 to day 13, both from day 2: on day 7 one point is left."""
    one = program(per_euro(), pending=Duration(2, "days"), expires=Expiry(after=Duration(13, "days")))
    two = program(per_euro(), pending=Duration(1, "days"), expires=Expiry(after=Duration(6, "days")))
    events: list[Event] = [Spending(at(0, 0), "points", 1), bought(0, 100), bought(1, 100)]
    outcome = run(versions((0, one), (1, two)), DAY_0, events)

    assert (available(outcome, 1), debt(outcome, 1)) == (0, 1)
    assert (available(outcome, 2), debt(outcome, 2)) == (1, 0)
    assert available(outcome, 8) == 1
    assert available(outcome, 13) == 0


# 21: a late receipt that leaves no trace in the carry, before a version that looks back further


@BOTH
def test_21_a_limit_that_a_later_version_adds_counts_what_came_late_before_it(run: Run) -> None:
    """No limit until day 4, then 5 a month; 3 points on day 1, 3 on day 5, and 1 more of day 1, known on day 6."""
    limited = program(per_euro(limits=(Limit(5, "month"),)))
    events: list[Event] = [bought(1, 300), bought(5, 300), bought(1, 100, minute=700)]
    outcome = run(versions((0, program(per_euro())), (4, limited)), DAY_0, events)

    assert by_day(outcome) == {1: 4, 5: 1}


@BOTH
def test_21_a_tier_that_a_later_version_measures_anew_counts_what_came_late_before_it(run: Run) -> None:
    """Gold from 4 points in the month, as of day 4; the fourth point of day 1 is known only on day 6."""
    gold = rule("gold", Flat(10), when=(InTier(names=frozenset({"gold"})),))
    by_visits = Tiers(by="visits", measure="month", levels=(("basic", 0), ("gold", 9)))
    by_points = Tiers(by="points", measure="month", levels=(("basic", 0), ("gold", 4)))
    policies = [replace(program(per_euro(), gold), tiers=tiers) for tiers in (by_visits, by_points)]
    events: list[Event] = [bought(1, 300), bought(5, 100), bought(1, 100, minute=700)]
    outcome = run(versions((0, policies[0]), (4, policies[1])), DAY_0, events)

    assert by_day(outcome) == {1: 4, 5: 11}
