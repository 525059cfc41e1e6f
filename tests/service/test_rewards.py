"""Rewards of the catalogue in a basket: what they give, what they cost, and what comes back."""

from datetime import UTC, datetime, timedelta

import pytest

from rewards.basket import AskedReward, BasketTender
from rewards.days import instant
from tests.service.conftest import counts, line, points
from tests.service.test_points import CAFE, cafe, refused

CATALOGUE = CAFE.replace(b"SPENT", b"debt").replace(
    b"offers:\n",
    b"""rewards:
  free-coffee: {cost: 9 stamps, gives: {offer: free-hot-drink}}
  big-day: {title: Ten off, cost: 200 beans, gives: {offer: big-day}}
  tenth: {cost: 50 beans, gives: {offer: tenth}}
offers:
  free-hot-drink: {on: hot-drinks, only_by: reward, free: {units: 1, pick: cheapest}, at_most: 6.00}
  big-day: {only_by: reward, amount_off: 10.00}
  tenth: {only_by: reward, percent_off: 10%}
""",
)
MORNING = datetime(2026, 12, 2, 7, 12, tzinfo=UTC)
COFFEES = (
    line("1", "FLATWHITE", 380, 2, categories=("coffee",)),
    line("2", "CROISSANT", 290, categories=("bakery",)),
)


@pytest.fixture
def till():
    """A cafe whose member has 9 stamps and 870 beans of October."""
    till = cafe(CATALOGUE)
    till.give(870, till.clock.now)
    till.give(9, till.clock.now, "stamps")
    till.clock.now = MORNING
    yield till
    till.close()


def asked(*names):
    return tuple(AskedReward(reward=name) for name in names)


def coffees(till, name="r1", *, cash=670, rewards=("free-coffee",), **facts):
    facts.setdefault("lines", COFFEES)
    return till.buy(name, tenders=(("cash", cash),), rewards=asked(*rewards), **facts)


def test_nine_stamps_pay_for_a_hot_drink(till):
    quoted = till.service.quote(till.basket("r1", lines=COFFEES, rewards=asked("free-coffee")))
    answer = coffees(till, quote=quoted.quote)
    assert answer["totals"] == {
        "gross_minor": 1050,
        "discount_minor": 380,
        "net_minor": 670,
        "payable_minor": 670,
        "due_minor": 670,
        "earned": {"beans": 30, "stamps": 1},
        "spent": {"stamps": 9},
    }
    figures = ("gross_minor", "discount_minor", "net_minor", "paid_by_points_minor", "paid_by_promotional_minor")
    assert [[one[key] for key in figures] for one in answer["lines"]] == [[760, 380, 380, 0, 0], [290, 0, 290, 0, 0]]
    (discount,) = answer["discounts"]
    assert discount.pop("why") == "1 unit of hot-drinks free, for 9 stamps"
    assert discount == {
        "offer": "free-hot-drink",
        "reward": "free-coffee",
        "wallet": "stamps",
        "points": 9,
        "amount_minor": 380,
        "lines": [{"line_id": "1", "amount_minor": 380}],
    }
    beans, stamp = answer["awards"]
    assert (beans["points"], [one["points"] for one in beans["lines"]]) == (30, [17, 13])
    assert (beans["available_at"], beans["expires_at"]) == ("2026-12-02T00:00:00+01:00", "2028-01-01T00:00:00+01:00")
    assert (stamp["points"], stamp["expires_at"]) == (1, "2027-12-02T00:00:00+01:00")
    assert {key: one["available"] for key, one in answer["balance"].items()} == {"beans": 900, "stamps": 1}
    assert quoted.totals.earned == answer["totals"]["earned"]


def test_what_came_back_gives_its_points_back(till):
    later = [instant(MORNING + timedelta(days=days)) for days in (1, 200, 322, 330, 400)]
    before = [till.balance(at) for at in later]
    coffees(till)
    first = till.ask(till.give_back("b1", lines={"1": 1}))
    assert [one["amount_minor"] for one in first["refund"]] == [190]
    assert first["restored"] == {"stamps": 5}
    assert {one["wallet"]: one["points"] for one in first["taken_back"]} == {"beans": 10, "stamps": 1}
    rest = till.ask(till.give_back("b2"))
    assert rest["restored"] == {"stamps": 4}
    assert [till.balance(at) for at in later] == before


def test_the_catalogue_tells_what_is_within_reach_and_what_is_next(till):
    told = till.service.balance(till.member).rewards
    assert [(one.reward, one.times, one.short) for one in told] == [
        ("big-day", 4, 0),
        ("tenth", 17, 0),
        ("free-coffee", 1, 0),
    ]
    coffees(till)
    quoted = till.service.quote(till.basket("r2", lines=COFFEES))
    assert [(one.reward, one.times, one.short) for one in quoted.rewards][-1] == ("free-coffee", 0, 8)


def test_points_that_are_not_there_are_told(till):
    coffees(till)
    before = counts(till.service)
    refusal = refused("not-enough-points", coffees, till, "r2")
    assert (refusal.pointer, refusal.facts) == ("/rewards/0", {"available": 1, "wanted": 9})
    assert counts(till.service) == before


def test_a_quote_does_not_hold_points(till):
    quoted = till.service.quote(till.basket("r2", lines=COFFEES, rewards=asked("free-coffee")))
    coffees(till)
    assert refused("not-enough-points", coffees, till, "r2", quote=quoted.quote).pointer == "/rewards/0"
    other = till.basket("r3", lines=COFFEES, quote=quoted.quote, tenders=(("cash", 1050),))
    assert refused("quote-mismatch", till.service.quote, other).pointer == "/quote"


def test_rewards_come_before_points_that_pay(till):
    lines = (line("1", "CAKE", 6000, categories=("bread",)),)
    quoted = till.service.quote(till.basket("r1", lines=lines, rewards=asked("big-day")))
    assert quoted.points_usable == {"beans": {"points": 670, "amount_minor": 670}}
    facts = {"lines": lines, "rewards": asked("big-day")}
    too_many = (points(671), ("cash", 4329))
    assert refused("not-enough-points", till.buy, "r1", tenders=too_many, **facts).facts["available"] == 670
    answer = till.buy("r1", tenders=(points(670), ("cash", 4330)), **facts)
    assert answer["totals"]["spent"] == {"beans": 870}
    back = till.ask(till.give_back("b1"))
    assert back["restored"] == {"beans": 870}
    assert [one.get("points") for one in back["refund"]] == [670, None]


@pytest.mark.parametrize(
    ("times", "units", "served", "cost"), [(1, 3, 1, 9), (2, 3, 2, 18), (3, 3, 3, 27), (4, 3, 3, 27), (5, 1, 1, 9)]
)
def test_several_times_cost_no_more_than_they_give(till, times, units, served, cost):
    till.give(91, MORNING, "stamps")
    lines = (line("1", "TEA", 250, units, categories=("tea",)),)
    wanted = (AskedReward(reward="free-coffee", times=times),)
    answer = till.buy("r1", lines=lines, rewards=wanted, tenders=(("cash", (units - served) * 250),))
    assert answer["totals"]["spent"] == {"stamps": cost}
    assert answer["totals"]["earned"].get("stamps", 0) == units - served


def test_what_can_not_be_asked_for(till):
    assert refused("unknown-reward", coffees, till, rewards=("coffee",)).pointer == "/rewards/0/reward"
    assert refused("reward-needs-member", coffees, till, card=None).pointer == "/rewards/0"
    assert refused("reward-once", coffees, till, rewards=("tenth", "tenth")).pointer == "/rewards/0"
    answer = coffees(till, rewards=("free-coffee",), lines=(line("1", "ROLL", 670),))
    assert answer["totals"]["spent"] == {}
    assert [one["rule"] for one in answer["not_applied"]] == ["free-hot-drink"]
    again = till.basket("r1", lines=(line("1", "ROLL", 670),), tenders=(BasketTender(kind="cash", amount_minor=670),))
    with_other = {"lines": again.lines, "tenders": again.tenders}
    assert refused("receipt-conflict", till.buy, "r1", **with_other).facts["differs"] == ["/rewards"]
