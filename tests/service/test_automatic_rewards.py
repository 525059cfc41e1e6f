"""Rewards that come by themselves at a period's end: once, for what is there then, whoever touches first."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.policies import program

from .conftest import DAY, opened
from .test_card_money import ANA
from .test_redemptions import Counter

POLICY = program("""points:
  points: {one: point, expires: {after: 1 months, at: end_of_month}}
earn:
  points: {every: 1.00, give: 1 point}
rewards:
  quarterly:
    cost: {at_least: 150 points, step: 50 points}
    gives: {gift_card: shop, value: 0.01, per: point}
    automatic: {at: end_of_quarter}
gift_cards:
  shop: {kind: promotional, expires: {after: 24 months}, to: member, max_balance: 4.00}
returns: {accept_within: 90 days}
""").encode()
NEW_YEAR = datetime(2026, 12, 31, 23, 0, tzinfo=UTC)  # midnight in Berlin


def counter_of(path, clock):
    counter = opened(f"sqlite:///{path}", clock, POLICY, Counter)
    counter.member_id = counter.enrol(ANA)["member_id"]
    return counter


@pytest.fixture
def counter(tmp_path, clock):
    counter = counter_of(tmp_path / "shop.db", clock)
    yield counter
    counter.close()


def held(counter):
    balance = counter.service.balance(counter.member_id)
    return balance.wallets["points"].available, [card.balance_minor for card in balance.gift_cards]


def test_it_comes_at_the_last_moment_of_the_period(counter):
    counter.buy("r1", 27500)
    counter.clock.now = NEW_YEAR - timedelta(seconds=1)
    assert counter.service.due() == {}
    assert held(counter) == (275, [])
    counter.clock.now = NEW_YEAR
    assert counter.service.due() == {"quarterly": 1}
    assert counter.service.due() == {}
    assert held(counter) == (25, [250])
    (entry,) = [one for one in counter.service.statement(counter.member_id).entries if one.kind == "redemption"]
    assert (entry.points, entry.reward, entry.occurred_at[:19]) == (
        {"points": -250},
        "quarterly",
        "2026-12-31T23:59:59",
    )


def test_a_touch_books_the_same_as_a_run(tmp_path, clock):
    found = []
    for name in ("run", "touch"):
        clock.now = NEW_YEAR - 20 * DAY
        counter = counter_of(tmp_path / f"{name}.db", clock)
        counter.buy("r1", 27500)
        if name == "run":
            clock.now = NEW_YEAR
            counter.service.due()
        clock.now = NEW_YEAR + 5 * DAY
        counter.buy("r2", 20000, at=NEW_YEAR - DAY)  # a late receipt
        counter.buy("r3", 1000)
        found.append((held(counter), counter.accounts()))
        counter.close()
    assert found[0] == found[1]
    assert found[0][0] == (235, [250])


def test_a_balance_shows_what_has_come_before_it_is_booked(counter):
    counter.buy("r1", 20000)
    counter.clock.now = NEW_YEAR + DAY
    balance = counter.service.balance(counter.member_id)
    assert [(card.gift_card_id, card.balance_minor) for card in balance.gift_cards] == [("", 200)]
    assert counter.service.statement(counter.member_id).entries[0].points == {"points": -200}
    counter.service.due()
    assert held(counter) == (0, [200])
    assert counter.service.balance(counter.member_id).gift_cards[0].gift_card_id.startswith("gc_")


def test_points_that_end_with_the_period_still_count(counter):
    counter.clock.now = datetime(2026, 12, 2, 11, tzinfo=UTC)
    counter.buy("r1", 15000)
    counter.clock.now = NEW_YEAR - 10 * DAY
    counter.buy("r2", 5000)
    counter.clock.now = NEW_YEAR + 40 * DAY  # both would have ended by now
    assert held(counter) == (0, [200])


def test_too_few_are_kept_for_the_next_period_and_a_card_is_never_too_full(counter):
    counter.buy("r1", 14900)
    counter.clock.now = NEW_YEAR
    assert counter.service.due() == {}
    counter.buy("r2", 60000)
    counter.clock.now = NEW_YEAR + 91 * DAY
    assert counter.service.due() == {}  # of January: they had ended by the end of March
    counter.buy("r3", 60000, at=datetime(2027, 3, 30, 10, tzinfo=UTC))  # late, and the first that is there then
    assert held(counter) == (200, [400])
    assert counter.service.due() == {"quarterly": 1}


def test_a_member_is_given_nothing_for_time_before_the_enrolment(counter, clock):
    other = counter.enrol("2600000002042", joined=date(2020, 1, 1))
    clock.now += timedelta(days=1)
    assert counter.service.due() == {}
    assert counter.service.balance(other["member_id"]).gift_cards == []
