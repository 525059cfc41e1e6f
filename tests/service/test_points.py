"""Points at the till: what they pay, what they leave, and how they come back."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rewards.basket import BasketTender, MemberRef
from rewards.days import instant
from rewards.errors import Conflict, InvalidRequest, RewardsError
from rewards.service.commands import Adjust
from tests.policies import program
from tests.service.conftest import Clock, Shop, counts, line, opened, points

CAFE = program("""selections:
  hot-drinks: {categories: [coffee, tea]}
points:
  stamps: {one: stamp, expires: {after: 12 months}}
  beans:
    one: bean
    expires: {after: 12 months, at: end_of_month}
    pays: {points: 100 beans, buys: 1.00, minimum: 100 beans, step: 1 bean, at_most: 50%}
earn:
  beans: {every: 1.00, give: 5 beans}
  stamp: {on: hot-drinks, every: 1 unit, give: 1 stamp}
offers:
  happy-hour:
    on: {categories: [cake]}
    schedule: {days: [mon, tue, wed, thu, fri], hours: "15:00-17:00"}
    percent_off: 20%
returns: {accept_within: 90 days, spent_points: SPENT, restored_points_last: 14 days}
""").encode()
CARD = "2600000001236"
AFTERNOON = datetime(2026, 12, 3, 14, 40, tzinfo=UTC)
CAKES = (
    line("1", "CAKE-S", 800, 3, categories=("cake",)),
    line("2", "BISCUITS", 480, categories=("bakery",)),
)


class Till(Shop):
    def give(self, points, at, wallet="beans"):
        given = Adjust(member=MemberRef(card=CARD), wallet=wallet, points=points, reason="r", actor="a", occurred_at=at)
        self.ask(given, caller="scenario")

    def balance(self, at=None):
        wallets = self.service.balance(self.member, at).wallets
        return {key: (one.available, one.pending, one.debt, one.expiries) for key, one in wallets.items()}


def cafe(policy):
    clock = Clock()
    till = opened("sqlite://", clock, policy, Till)
    till.clock.now = datetime(2026, 10, 20, 8, tzinfo=UTC)
    till.member = till.enrol(CARD)["member_id"]
    return till


@pytest.fixture
def till():
    """A cafe whose member has 870 beans of October, and 30 beans and a stamp of yesterday."""
    till = cafe(CAFE.replace(b"SPENT", b"debt"))
    till.give(870, till.clock.now)
    till.clock.now = datetime(2026, 12, 2, 7, 12, tzinfo=UTC)
    coffee = line("1", "FLATWHITE", 380, categories=("coffee",))
    till.buy("breakfast", lines=(coffee, line("2", "CROISSANT", 290)))
    till.clock.now = AFTERNOON
    yield till
    till.close()


def cakes(till, name="r1", *, tenders=None, **facts):
    paid = tenders or (points(500), ("card", 1000), ("cash", 900))
    return till.buy(name, lines=CAKES, tenders=paid, **facts)


def refused(code, ask, *args, **facts):
    with pytest.raises(RewardsError) as refusal:
        ask(*args, **facts)
    assert refusal.value.code == code
    return refusal.value


def test_several_tenders_pay_a_discounted_basket(till):
    answer = cakes(till)
    assert answer["totals"] == {
        "gross_minor": 2880,
        "discount_minor": 480,
        "net_minor": 2400,
        "payable_minor": 2400,
        "due_minor": 1900,
        "earned": {"beans": 95},
        "spent": {"beans": 500},
    }
    assert [(one["net_minor"], one["paid_by_points_minor"]) for one in answer["lines"]] == [(1920, 400), (480, 100)]
    assert [[part["amount_minor"] for part in one["tenders"]] for one in answer["lines"]] == [
        [400, 800, 720],
        [100, 200, 180],
    ]
    assert [(one["offer"], one["amount_minor"]) for one in answer["discounts"]] == [("happy-hour", 480)]
    (award,) = answer["awards"]
    assert (award["points"], [one["points"] for one in award["lines"]]) == (95, [76, 19])
    assert answer["tenders"] == [
        {
            "kind": "points",
            "wallet": "beans",
            "points": 500,
            "amount_minor": 500,
            "lots": [{"lot": "beans:2026-10-20", "points": 500, "expires_at": "2027-11-01T00:00:00+01:00"}],
        },
        {"kind": "card", "amount_minor": 1000},
        {"kind": "cash", "amount_minor": 900},
    ]
    assert answer["balance"]["beans"] == {"available": 495, "pending": 0, "held": 0, "debt": 0}
    assert answer["balance"]["stamps"]["available"] == 1


def test_one_of_three_cakes_comes_back_then_the_rest(till):
    cakes(till)
    till.clock.now = datetime(2026, 12, 5, 10, tzinfo=UTC)
    answer = till.ask(till.give_back("b1", lines={"1": 1}))
    assert answer["lines"] == [
        {"line_id": "1", "quantity": 1, "gross_minor": 800, "discount_minor": 160, "net_minor": 640}
    ]
    lots = [{"lot": "beans:2026-10-20", "points": 133, "expires_at": "2027-11-01T00:00:00+01:00"}]
    assert answer["refund"] == [
        {"tender": 0, "kind": "points", "wallet": "beans", "points": 133, "amount_minor": 133, "lots": lots},
        {"tender": 1, "kind": "card", "amount_minor": 267},
        {"tender": 2, "kind": "cash", "amount_minor": 240},
    ]
    assert answer["refund_due_minor"] == 507
    assert [(one["points"], one["day"]) for one in answer["taken_back"]] == [(30, "2026-12-03")]
    assert answer["still_returnable"] == [{"line_id": "1", "quantity": 2}, {"line_id": "2", "quantity": 1}]
    assert answer["balance"]["beans"]["available"] == 598
    again = till.ask(till.give_back("b2", lines={"1": 2}))
    assert [one["amount_minor"] for one in again["refund"]] == [267, 533, 480]
    last = till.ask(till.give_back("b3"))
    assert [one["amount_minor"] for one in last["refund"]] == [100, 200, 180]
    assert last["balance"]["beans"]["available"] == 900


@pytest.mark.parametrize("spent_first", [0, 350, 880])
def test_a_full_return_leaves_nothing_behind(till, spent_first):
    if spent_first:
        till.give(-spent_first, AFTERNOON - timedelta(hours=1))
    later = [instant(AFTERNOON + timedelta(days=days)) for days in (0, 1, 200, 330, 400)]
    before = [till.balance(at) for at in later]
    paid = (points(points=min(500, 900 - spent_first)), ("cash", 2400 - min(500, 900 - spent_first)))
    if spent_first == 880:
        assert refused("points-below-minimum", cakes, till, tenders=paid).facts["minimum"] == 100
        return
    cakes(till, tenders=paid)
    assert [till.balance(at) for at in later] != before
    till.ask(till.give_back("b1", lines={"2": 1}))
    till.ask(till.give_back("b2", lines={"1": 2}))
    till.ask(till.give_back("b3"))
    assert [till.balance(at) for at in later] == before


def test_too_few_points_are_told_and_the_number_stays_free(till):
    till.give(-780, AFTERNOON)
    before = counts(till.service)
    refusal = refused("not-enough-points", cakes, till)
    assert (refusal.pointer, refusal.facts) == ("/tenders/0", {"available": 120, "wanted": 500})
    assert counts(till.service) == before
    assert cakes(till, tenders=(points(120), ("cash", 2280)))["totals"]["spent"] == {"beans": 120}


@pytest.mark.parametrize(
    ("code", "tender", "rest"),
    [
        ("points-below-minimum", points(99), 2301),
        ("points-above-share", points(1201), 1199),
        ("tender-ambiguous", points(100, points=100), 2300),
        ("tender-ambiguous", points(), 2400),
        ("unknown-wallet", points(100, wallet="bean"), 2300),
        ("unknown-wallet", points(100, wallet=""), 2300),
        ("points-do-not-pay", points(100, wallet="stamps"), 2300),
        ("tender-ambiguous", BasketTender(kind="card", amount_minor=100, wallet="beans"), 2300),
        ("tender-ambiguous", BasketTender(kind="card", up_to=True), 2300),
        ("amount-missing", BasketTender(kind="card"), 2400),
        ("due-changed", points(100), 2301),
    ],
)
def test_what_can_not_pay_is_refused(till, code, tender, rest):
    till.give(1000, AFTERNOON)
    refusal = refused(code, cakes, till, tenders=(tender, ("cash", rest)))
    assert isinstance(refusal, Conflict | InvalidRequest)
    assert refusal.pointer.startswith("/tenders")


def test_a_wallet_pays_once_and_a_guest_never(till):
    twice = (points(100), points(100), ("cash", 2200))
    assert refused("tender-ambiguous", cakes, till, tenders=twice).pointer == "/tenders/1"
    assert refused("tender-needs-member", cakes, till, card=None).pointer == "/tenders/0"


def test_a_purchase_never_pays_with_its_own_points(till):
    till.give(-900, AFTERNOON)
    lines = (line("1", amount=100_000),)
    facts = {"lines": lines, "tenders": (points(100), ("cash", 99_900))}
    assert refused("not-enough-points", till.buy, "r1", **facts).facts["available"] == 0
    till.buy("r1", lines=lines)
    assert till.buy("r2", **facts)["totals"]["spent"] == {"beans": 100}


def test_a_late_purchase_takes_nothing_that_was_spent_since(till):
    till.give(-850, AFTERNOON)
    before = AFTERNOON - timedelta(hours=20)
    assert refused("not-enough-points", cakes, till, at=before).facts["available"] == 50
    paid = (points(100), ("cash", 2780))
    refused("not-enough-points", cakes, till, tenders=paid, at=before)
    till.give(60, AFTERNOON)
    refused("not-enough-points", cakes, till, tenders=paid, at=datetime(2026, 10, 19, 21, tzinfo=UTC))


def test_up_to_takes_the_most_that_may_pay(till):
    quoted = till.service.quote(till.basket("r1", lines=CAKES, tenders=(points(up_to=True),)))
    assert quoted.points_usable == {"beans": {"points": 900, "amount_minor": 900}}
    assert (quoted.totals.due_minor, quoted.totals.spent) == (1500, {"beans": 900})
    assert [one["points"] for one in quoted.tenders] == [900]
    bought = cakes(till, tenders=(points(up_to=True), ("cash", 1500)), quote=quoted.quote)
    assert bought["totals"]["earned"] == quoted.totals.earned == {"beans": 75}
    replay = cakes(till, tenders=(points(up_to=True), ("cash", 1500)), quote=quoted.quote)
    assert replay == bought
    assert refused("receipt-conflict", cakes, till).facts["differs"] == ["/tenders"]


def test_up_to_never_takes_more_than_the_others_leave_or_the_policy_allows(till):
    till.give(5000, AFTERNOON)
    assert cakes(till, tenders=(points(up_to=True), ("cash", 1200)))["totals"]["spent"] == {"beans": 1200}
    assert cakes(till, "r2", tenders=(("cash", 2000), points(up_to=True)))["totals"]["spent"] == {"beans": 400}
    assert cakes(till, "r3", tenders=(("cash", 2400), points(up_to=True)))["totals"]["spent"] == {}


def test_the_journal_tells_the_same_as_the_answer(till):
    first = cakes(till)
    till.ask(till.give_back("b1", lines={"1": 1}))
    told = json.loads(msgspec.json.encode(till.service.purchase(first["purchase_id"])))
    assert told["tenders"] == first["tenders"]
    assert told["totals"] == first["totals"]
    changes = [(one.wallet, one.points, one.why) for one in till.service.statement(till.member).entries[0].changes]
    assert ("beans", 133, "given back: they had paid for what came back") in changes
    paid = [(one.wallet, one.points) for one in till.service.statement(till.member).entries[1].changes]
    assert ("beans", -500) in paid


def test_points_whose_lot_has_ended_come_back_for_a_while_once(till):
    till.clock.now = datetime(2027, 10, 31, 14, 40, tzinfo=UTC)
    cakes(till, tenders=(points(500), ("cash", 2380)))  # a Sunday: no happy hour
    till.clock.now = datetime(2027, 11, 2, 9, tzinfo=UTC)
    answer = till.ask(till.give_back("b1"))
    (back, _) = answer["refund"]
    assert back["points"] == 500
    assert back["lots"] == [
        {"lot": "beans:2027-11-02:restored", "points": 500, "expires_at": "2027-11-16T00:00:00+01:00"}
    ]
    assert till.balance()["beans"][:3] == (530, 0, 0)
    assert till.balance(instant(datetime(2027, 11, 16, tzinfo=UTC)))["beans"][0] == 30
    till.clock.now = datetime(2027, 11, 2, 14, 40, tzinfo=UTC)  # a Tuesday: happy hour
    assert cakes(till, "r2", tenders=(points(500), ("cash", 1900)))["tenders"][0]["lots"] == back["lots"]
    till.clock.now = datetime(2027, 11, 17, 9, tzinfo=UTC)
    till.ask(till.give_back("b2", of="r2"))
    assert till.balance()["beans"][0] == 30  # they had their time once more


def test_points_of_a_lot_that_ends_sooner_last_longer(till):
    till.clock.now = datetime(2027, 10, 20, 9, tzinfo=UTC)
    cakes(till, tenders=(points(500), ("cash", 2380)))
    till.clock.now = datetime(2027, 10, 25, 9, tzinfo=UTC)
    till.ask(till.give_back("b1"))
    ends = [(one.points, one.expires_at[:10]) for one in till.balance()["beans"][3]]
    assert ends == [(370, "2027-11-01"), (500, "2027-11-08"), (30, "2028-01-01")]


@pytest.mark.parametrize("gone", [0, 20, 50])
def test_points_that_are_gone_are_kept_from_the_refund(gone):
    till = cafe(CAFE.replace(b"SPENT", b"deduct_from_refund"))
    till.clock.now = AFTERNOON
    till.buy("r1", 1000)
    if gone:
        till.give(-gone, AFTERNOON)
    answer = till.ask(till.give_back("b1"))
    assert answer["refund_due_minor"] == 1000 - gone
    assert answer.get("deducted", []) == [{"wallet": "beans", "points": gone, "amount_minor": gone}] * bool(gone)
    assert answer["balance"]["beans"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}
    till.close()


def test_what_is_kept_comes_off_the_money_tender():
    till = cafe(CAFE.replace(b"SPENT", b"deduct_from_refund"))
    till.clock.now = AFTERNOON
    till.buy("r1", 20_000)
    till.give(-1000, AFTERNOON)
    till.buy("r2", 130, tenders=(("cash", 130),))
    till.give(-5, AFTERNOON)
    answer = till.ask(till.give_back("b1", of="r2"))
    assert (answer["refund_due_minor"], answer["refund"]) == (125, [{"tender": 0, "kind": "cash", "amount_minor": 125}])
    assert answer["balance"]["beans"]["debt"] == 0
    till.close()
