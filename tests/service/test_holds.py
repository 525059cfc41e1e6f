"""Holds: points, card money, rewards and vouchers set aside; captured, voided, run out; by a purchase, and back again."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rewards.basket import AskedReward, BasketTender, MemberRef, StoredValue
from rewards.days import instant
from rewards.errors import Conflict, InvalidRequest, NotFound, RewardsError
from rewards.service.commands import (
    Adjust,
    CaptureHold,
    ChangeMember,
    OpenHold,
    RecordPurchase,
    VoidHold,
)
from tests.policies import program

from .conftest import DAY, cash, line, opened
from .test_card_money import ANA, BEN, Desk

POLICY = program("""selections:
  hot-drinks: {categories: [coffee, tea]}
points:
  stamps: {one: stamp}
  beans:
    one: bean
    expires: {after: 12 months, at: end_of_month}
    pays: {points: 100 beans, buys: 1.00, minimum: 100 beans, step: 1 bean, at_most: 50%}
    liability: {points: 100 beans, worth: 0.85}
earn:
  beans: {every: 1.00, give: 5 beans}
offers:
  free-hot-drink: {on: hot-drinks, only_by: reward, free: {units: 1, pick: cheapest}, at_most: 6.00}
  treat: {on: {categories: [cake]}, only_by: voucher, percent_off: 50%}
rewards:
  free-coffee: {cost: 9 stamps, gives: {offer: free-hot-drink}}
gift_cards:
  cafe-card: {kind: paid, load: 5.00-250.00, max_balance: 300.00}
  short: {kind: promotional, expires: {after: 3 days}}
  bonus: {kind: promotional, value: 5.00, expires: {after: 60 days}, to: member}
  birthday: {kind: voucher, offer: treat, expires: {after: 3 days}}
returns: {accept_within: 90 days, spent_points: debt, restored_points_last: 14 days}
""").encode()
COFFEE = line("1", "FLATWHITE", 380, categories=("coffee",))
CAKE = line("1", "CAKE", 800, categories=("cake",))
SECOND = timedelta(seconds=1)


class Bank(Desk):
    def hold(self, name="h1", kind="points", **facts):
        if kind in {"points", "reward"}:
            facts.setdefault("member", MemberRef(card=ANA))
        if kind == "points":
            facts.setdefault("wallet", "beans")
        return self.ask(OpenHold(hold_id=name, kind=kind, **facts))

    def capture(self, name="h1", **facts):
        return self.ask(CaptureHold(hold_id=name, **facts))

    def void(self, name="h1", **facts):
        return self.ask(VoidHold(hold_id=name, **facts))

    def give(self, points, wallet="beans", at=None, card=ANA):
        given = Adjust(
            member=MemberRef(card=card),
            wallet=wallet,
            points=points,
            reason="r",
            actor="a",
            occurred_at=at or self.clock.now,
        )
        self.ask(given, caller="scenario")

    def state(self, wallet="beans", at=None):
        one = self.service.balance(self.member, instant(at) if at is not None else None).wallets[wallet]
        return one.available, one.held, one.debt

    def pays(self, receipt, *tenders, lines=(CAKE,), quoted=False, how=None, **facts):
        basket = self.basket(receipt, lines=lines, **facts)
        fields = {key: getattr(basket, key) for key in basket.__struct_fields__}
        basket = type(basket)(**fields | {"tenders": tenders})
        return self.service.quote(basket) if quoted else self.ask(RecordPurchase(basket), **(how or {}))


def bank_of(clock, policy=POLICY):
    bank = opened("sqlite://", clock, policy, Bank)
    clock.now = datetime(2026, 10, 20, 8, tzinfo=UTC)
    bank.member = bank.enrol(ANA)["member_id"]
    bank.enrol(BEN)
    bank.give(870)
    bank.give(9, "stamps")
    clock.now = datetime(2026, 12, 2, 7, 12, tzinfo=UTC)
    return bank


@pytest.fixture
def bank(clock):
    bank = bank_of(clock)
    yield bank
    bank.close()


def by(hold, minor=None):
    return BasketTender(kind="hold", hold_id=hold, amount_minor=minor)


def refusal(do, *args, **facts):
    with pytest.raises(RewardsError) as raised:
        do(*args, **facts)
    return raised.value


# points


def test_points_are_set_aside_taken_in_part_and_released(bank):
    answer = bank.hold(points=300, expires_in_seconds=900, store_id="S12")
    assert answer == {
        "hold_id": "h1",
        "state": "open",
        "kind": "points",
        "member_id": bank.member,
        "wallet": "beans",
        "points": 300,
        "lots": [{"lot": "beans:2026-10-20", "points": 300, "expires_at": "2027-11-01T00:00:00+01:00"}],
        "held_at": "2026-12-02T08:12:00+01:00",
        "expires_at": "2026-12-02T08:27:00+01:00",
        "balance": {"beans": {"available": 570, "pending": 0, "held": 300, "debt": 0}},
    }
    assert bank.state() == (570, 300, 0)
    taken = bank.capture(points=120)
    assert (taken["state"], taken["captured"], taken["released"]) == ("captured", 120, 180)
    assert bank.state() == (750, 0, 0)


def test_points_by_what_they_pay(bank):
    answer = bank.hold(amount_minor=250)
    assert (answer["points"], answer["amount_minor"]) == (250, 250)
    assert bank.capture(amount_minor=200)["captured"] == 200
    assert bank.state() == (670, 0, 0)


def test_what_is_held_nobody_else_can_take(bank):
    bank.hold(points=800)
    short = refusal(bank.hold, "h2", points=100)
    assert (short.code, short.pointer, short.facts) == (
        "not-enough-points",
        "/points",
        {"available": 70, "wanted": 100},
    )
    points = BasketTender(kind="points", wallet="beans", points=100)
    assert refusal(bank.pays, "r1", points, cash(700)).code == "not-enough-points"
    taken = Adjust(member=MemberRef(card=ANA), wallet="beans", points=-71, reason="r", actor="a")
    assert refusal(bank.ask, taken).facts == {"available": 70, "wanted": 71}
    bank.void()
    assert bank.pays("r1", points, cash(700))["totals"]["spent"] == {"beans": 100}


def test_a_hold_is_itself_again_and_no_other(bank):
    first = bank.service.do(OpenHold(hold_id="h1", kind="points", member=MemberRef(card=ANA), wallet="beans", points=5))
    bank.clock.now += 100 * SECOND
    again = bank.service.do(OpenHold(hold_id="h1", kind="points", member=MemberRef(card=ANA), wallet="beans", points=5))
    assert (again.body, again.replayed) == (first.body, True)
    for facts, differs in (
        ({"points": 6}, ["/points"]),
        ({"points": 5, "member": MemberRef(card=BEN)}, ["/member"]),
        ({"points": 5, "wallet": "stamps", "expires_in_seconds": 60}, ["/expires_in_seconds", "/wallet"]),
        ({"points": 5, "store_id": "S1", "till_id": "T"}, ["/store_id", "/till_id"]),
    ):
        other = refusal(bank.hold, **facts)
        assert (other.code, other.facts["differs"]) == ("hold-conflict", differs)
    assert bank.state() == (865, 5, 0)


def test_the_same_end_again_is_answered_as_the_first_time_and_another_is_refused(bank):
    for name in ("a", "b", "c"):
        bank.hold(name, points=10, expires_in_seconds=60)
    captured = bank.service.do(CaptureHold(hold_id="a", points=4))
    voided = bank.service.do(VoidHold(hold_id="b"))
    bank.give(1)
    assert bank.service.do(CaptureHold(hold_id="a", points=4)).body == captured.body
    assert bank.service.do(CaptureHold(hold_id="a")).body == captured.body
    assert bank.service.do(VoidHold(hold_id="b", reason="once more")).body == voided.body
    other = refusal(bank.capture, "a", points=5)
    assert (other.code, other.facts) == (
        "hold-already-captured",
        {"state": "captured", "hold_id": "a", "captured": 4},
    )
    assert refusal(bank.void, "a").code == "hold-already-captured"
    assert refusal(bank.capture, "b").code == "hold-already-voided"
    bank.clock.now += 60 * SECOND
    assert refusal(bank.capture, "c").code == refusal(bank.void, "c").code == "hold-expired"
    assert refusal(bank.pays, "r1", by("c", 10), cash(790)).code == "hold-expired"
    assert refusal(bank.capture, "d").code == "unknown-hold"


def test_it_runs_out_by_itself_exactly_whoever_looks(bank):
    bank.hold(points=300, expires_in_seconds=60)
    end = bank.clock.now + 60 * SECOND
    bank.clock.now = end - timedelta(microseconds=1)
    assert bank.state() == (570, 300, 0)
    assert bank.state(at=end) == (870, 0, 0)
    assert bank.state(at=end - timedelta(microseconds=1)) == (570, 300, 0)
    bank.clock.now = end
    assert bank.state() == (870, 0, 0)
    assert bank.service.hold("h1").state == "expired"
    assert bank.service.verify() == []
    assert bank.service.due() == {}
    assert bank.books("SELECT occurred_at FROM event WHERE external_id = '\x1fh1'") == [(instant(end),)]
    bank.clock.now += DAY
    assert (bank.state(), bank.state(at=end - SECOND)) == ((870, 0, 0), (570, 300, 0))


def test_a_lot_that_ends_meanwhile_is_honoured_at_capture_and_gone_at_void(bank):
    bank.clock.now = datetime(2027, 10, 31, 22, 50, tzinfo=UTC)  # the beans of October end at 23:00
    bank.hold("a", points=300, expires_in_seconds=3600)
    bank.hold("b", points=200, expires_in_seconds=3600)
    bank.clock.now += timedelta(minutes=20)
    assert bank.state() == (0, 500, 0)
    assert bank.capture("a", points=120)["balance"]["beans"] == {"available": 0, "pending": 0, "held": 200, "debt": 0}
    bank.void("b")
    assert bank.state() == (0, 0, 0)
    sums = dict(bank.books("SELECT account, sum(amount) FROM posting WHERE unit = 'beans' GROUP BY account"))
    assert sums == {"adjusted": -870, "lot": 0, "held": 0, "spent": 120, "expired": 750}


def test_the_statement_tells_what_is_set_aside(bank):
    bank.hold(points=300)
    assert "set aside: 300" in bank.service.letter(bank.member, language="en")[0]
    assert "отложено: 300" in bank.service.letter(bank.member, language="ru")[0]
    bank.clock.now += 900 * SECOND
    first = bank.service.statement(bank.member).entries[0]
    assert (first.entry, first.kind, first.points) == (0, "hold", {"beans": 300})
    bank.hold("h2", points=200)
    bank.capture("h2", points=50)
    told = [(one.kind, one.hold_id, one.points, [(each.points, each.why) for each in one.changes])
            for one in bank.service.statement(bank.member).entries[:4]]  # fmt: skip
    assert told == [
        ("hold", "h2", {"beans": 150}, [(200, "no longer set aside"), (-50, "used")]),
        ("hold", "h2", {"beans": -200}, [(-200, "set aside")]),
        ("hold", "h1", {"beans": 300}, [(300, "no longer set aside")]),
        ("hold", "h1", {"beans": -300}, [(-300, "set aside")]),
    ]


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        ("DELETE FROM receipt_route WHERE kind = 'hold'", "does not lead to it"),
        ("DELETE FROM event WHERE external_id = '\x1fh1'", "was not captured by it"),
        ("DELETE FROM event WHERE external_id = 'END\x1fh2'", "was not captured by it"),
        ("UPDATE posting SET amount = amount + 1 WHERE account = 'held' AND amount > 0", "what is held"),
    ],
)
def test_damage_is_found(clock, sql, finding):
    bank = bank_of(clock)
    paid = bank.issue("cafe-card", 2000)
    bank.hold(points=500)
    bank.hold("h2", "gift_card", code=paid["code"], amount_minor=1000)
    bank.pays("r1", by("h1", 300), by("h2", 500))
    assert bank.service.verify() == []
    bank.damage(sql)
    assert any(finding in one for one in bank.service.verify())
    bank.service.close()


def test_held_points_are_outstanding(bank):
    bank.hold(points=300)
    row = next(one for one in bank.service.liability().rows if (one.month, one.unit) == ("2026-12", "beans"))
    assert (row.opening, row.spent, row.closing, row.value_minor, row.difference) == (870, 0, 870, 740, 0)
    bank.capture(points=100)
    row = next(one for one in bank.service.liability().rows if (one.month, one.unit) == ("2026-12", "beans"))
    assert (row.spent, row.closing, row.difference) == (100, 770, 0)


def test_a_receipt_that_comes_late_finds_what_was_there(bank):
    """A hold is a spending of its instant: an earlier receipt takes nothing of it, an older lot stands before it."""
    start = bank.clock.now
    bank.clock.now += timedelta(hours=2)
    bank.hold(points=800)
    points = BasketTender(kind="points", wallet="beans", points=100)
    assert refusal(bank.pays, "r1", points, cash(700), at=start).facts == {"available": 70, "wanted": 100}
    bank.buy("r2", 1000, at=start - 3 * DAY)
    bank.give(50, at=start - 50 * DAY)
    assert bank.state() == (170, 800, 0)
    bank.void()
    assert bank.state() == (970, 0, 0)


def test_held_points_that_go_after_all_are_owed(bank):
    bank.buy("r1", 40000)
    bank.hold(points=2800)
    bank.ask(bank.give_back(of="r1"))
    assert bank.state() == (0, 2800, 1930)
    bank.void()
    assert bank.state() == (870, 0, 0)


def test_a_till_whose_clock_is_ahead_frees_nothing_early(bank):
    bank.hold(points=800, expires_in_seconds=60)
    ahead = bank.clock.now + 240 * SECOND
    bank.buy("r1", 100, at=ahead)
    points = BasketTender(kind="points", wallet="beans", points=200)
    for at in (ahead, ahead - 40 * SECOND):
        assert refusal(bank.pays, "r2", points, cash(600), at=at).code == "not-enough-points"
    assert bank.capture()["captured"] == 800
    assert bank.state() == (75, 0, 0)


# by a purchase


def test_a_purchase_captures_points_and_releases_the_rest(bank):
    bank.hold(points=500)
    answer = bank.pays("r1", by("h1", 300), cash(500))
    assert answer["totals"]["due_minor"] == 500
    assert (answer["totals"]["spent"], answer["totals"]["earned"]) == ({"beans": 300}, {"beans": 25})
    assert answer["lines"][0]["paid_by_points_minor"] == 300
    assert answer["tenders"][0] == {
        "kind": "points",
        "amount_minor": 300,
        "hold_id": "h1",
        "wallet": "beans",
        "points": 300,
        "lots": [],
    }
    assert bank.state() == (595, 0, 0)
    told = msgspec.to_builtins(bank.service.hold("h1"))
    assert (told["state"], told["captured"], told["released"], told["purchase_id"]) == (
        "captured",
        300,
        200,
        answer["purchase_id"],
    )
    assert bank.capture() == {key: value for key, value in told.items() if key != "balance"}
    assert refusal(bank.void).code == "hold-already-captured"
    entry = bank.service.statement(bank.member).entries[0]
    assert entry.points == {"beans": 225}
    assert [(one.points, one.why) for one in entry.changes][1:] == [
        (500, "no longer set aside"),
        (-300, "paid for this purchase"),
    ]


def test_what_comes_back_goes_to_the_points_own_lots(bank):
    bank.hold(points=500)
    bank.pays("r1", by("h1", 400), cash(400), lines=(line("1", "CAKE", 400, 2),))
    half = bank.ask(bank.give_back("b1", of="r1", lines={"1": 1}))
    assert half["refund"][0] == {
        "tender": 0,
        "kind": "points",
        "amount_minor": 200,
        "wallet": "beans",
        "points": 200,
        "lots": [{"lot": "beans:2026-10-20", "points": 200, "expires_at": "2027-11-01T00:00:00+01:00"}],
    }
    bank.ask(bank.give_back("b2", of="r1"))
    assert bank.state() == (870, 0, 0)
    assert bank.service.hold("h1").captured == 400


def test_points_given_back_last_a_while_where_their_lot_ended_when_held(bank):
    bank.clock.now = datetime(2027, 10, 31, 22, 50, tzinfo=UTC)
    bank.hold(points=400, expires_in_seconds=3600)
    bank.clock.now += timedelta(minutes=20)
    bank.pays("r1", by("h1", 400), cash(400))
    bank.clock.now += DAY
    back = bank.ask(bank.give_back(of="r1"))
    assert back["restored"] == {"beans": 400}
    expiries = bank.service.balance(bank.member).wallets["beans"].expiries
    assert [(one.points, one.expires_at) for one in expiries] == [(400, "2027-11-16T00:00:00+01:00")]


def test_a_purchase_is_refused_what_is_not_its_own(bank):
    bank.hold(points=500)
    refused = [
        (refusal(bank.pays, "r1", by("h1", 501), cash(299)), "points-above-share"),
        (refusal(bank.pays, "r1", by("h1", 501), cash(1099), lines=(line("1", "CAKE", 1600),)), "hold-too-small"),
        (refusal(bank.pays, "r1", by("h1", 50), cash(750)), "points-below-minimum"),
        (refusal(bank.pays, "r1", by("h1", 300), cash(499)), "due-changed"),
        (refusal(bank.pays, "r1", by("h1", 300), cash(500), card=BEN), "hold-other-member"),
        (refusal(bank.pays, "r1", by("h1", 300), cash(500), card=None), "hold-other-member"),
        (refusal(bank.pays, "r1", by("h9", 300), cash(500)), "unknown-hold"),
        (refusal(bank.pays, "r1", by("h1"), cash(500)), "amount-missing"),
        (refusal(bank.pays, "r1", by("", 300), cash(500)), "hold-missing"),
        (refusal(bank.pays, "r1", by("h1", 300), by("h1", 300), cash(200)), "tender-ambiguous"),
        (
            refusal(bank.pays, "r1", by("h1", 300), BasketTender(kind="points", wallet="beans", points=100), cash(400)),
            "tender-ambiguous",
        ),
        (refusal(bank.pays, "r1", BasketTender(kind="cash", hold_id="h1", amount_minor=800)), "tender-ambiguous"),
    ]
    assert [(error.code, error.pointer.startswith("/tenders")) for error, _ in refused] == [
        (code, True) for _, code in refused
    ]
    assert bank.state() == (370, 500, 0)
    bank.ask(ChangeMember(member_id=bank.member, state="blocked"))
    assert refusal(bank.pays, "r1", by("h1", 300), cash(500)).code == "member-blocked"
    assert refusal(bank.capture).code == refusal(bank.hold, "h2", points=5).code == "member-blocked"
    assert bank.void()["released"] == 500


def test_sent_again_a_purchase_is_the_same_and_takes_nothing(bank):
    bank.hold(points=500)
    first = bank.pays("r1", by("h1", 300), cash(500))
    assert bank.pays("r1", by("h1", 300), cash(500)) == first
    other = refusal(bank.pays, "r1", by("h1", 200), cash(600))
    assert (other.code, other.facts["differs"]) == ("receipt-conflict", ["/tenders"])
    assert bank.state() == (595, 0, 0)


def test_a_quote_says_what_a_hold_pays_and_leaves_it_open(bank):
    bank.hold(points=500)
    quoted = bank.pays("r1", by("h1", 300), quoted=True)
    assert (quoted.totals.due_minor, quoted.points_usable["beans"]["points"]) == (500, 370)
    assert bank.state() == (370, 500, 0)


# rewards


@pytest.mark.parametrize("kind", ["points", "gift_card"])
def test_captured_again_after_a_purchase_did_it_is_answered_with_the_same_bytes_for_ever(bank, kind):
    """What stands on the wallet or the card moves on, so it is left to the purchase's answer, and to the balance."""
    code = bank.issue("cafe-card", 2000)["code"] if kind == "gift_card" else ""
    bank.hold("h1", kind, **({"code": code, "amount_minor": 1000} if code else {"points": 500}))
    bank.pays("r1", by("h1", 300), cash(500))
    first = bank.service.do(CaptureHold(hold_id="h1"), key="k1")
    bank.give(17)
    if code:
        bank.pays("r2", BasketTender(kind="gift_card", code=code, amount_minor=100), cash(700))
    for key in ("k1", "k2"):
        again = bank.service.do(CaptureHold(hold_id="h1"), key=key)
        assert (again.body, again.replayed) == (first.body, True)
    assert bank.capture("h1")["captured" if kind == "points" else "captured_minor"] == 300


def test_a_reward_is_held_and_given_by_the_purchase(bank):
    answer = bank.hold(kind="reward", reward="free-coffee")
    assert (answer["wallet"], answer["points"], answer["reward"], answer["times"]) == ("stamps", 9, "free-coffee", 1)
    assert bank.state("stamps") == (0, 9, 0)
    wanted = (AskedReward(reward="free-coffee"),)
    assert refusal(bank.pays, "r1", lines=(COFFEE,), rewards=wanted).code == "not-enough-points"
    quoted = bank.pays("r1", by("h1"), lines=(COFFEE,), quoted=True)
    for rewards in ((), wanted):
        basket = {"lines": (COFFEE, line("2", "CAKE", 200)), "rewards": rewards}
        bank.pays("q", by("h1"), cash(200), quoted=True, **basket)
    assert (quoted.totals.discount_minor, quoted.totals.spent) == (380, {"stamps": 9})
    bought = bank.pays("r1", by("h1"), lines=(COFFEE,), quote=quoted.quote)
    assert (bought["totals"]["discount_minor"], bought["totals"]["spent"]) == (380, {"stamps": 9})
    assert bank.state("stamps") == (0, 0, 0)
    assert bank.service.hold("h1").purchase_id == bought["purchase_id"]
    bank.ask(bank.give_back(of="r1"))
    assert bank.state("stamps") == (9, 0, 0)


def test_a_reward_that_takes_nothing_off_stays_held(bank):
    bank.hold(kind="reward", reward="free-coffee")
    assert refusal(bank.pays, "r1", by("h1"), cash(800)).code == "hold-not-used"
    assert refusal(bank.pays, "r1", by("h1", 380), cash(420)).code == "tender-ambiguous"
    two = (AskedReward(reward="free-coffee", times=2),)
    lines = (line("1", "FLATWHITE", 380, 2, categories=("coffee",)),)
    assert refusal(bank.pays, "r1", by("h1"), lines=lines, rewards=two).code == "hold-too-small"
    assert bank.state("stamps") == (0, 9, 0)
    assert refusal(bank.capture, points=3).code == "hold-ambiguous"
    assert bank.capture()["captured"] == 9


def test_a_quote_with_a_held_reward_is_no_promise_without_it(bank):
    bank.hold(kind="reward", reward="free-coffee")
    quoted = bank.pays("r1", by("h1"), lines=(COFFEE,), quoted=True)
    assert refusal(bank.pays, "r1", cash(0), lines=(COFFEE,), quote=quoted.quote).code == "quote-mismatch"


# gift cards


def test_money_of_a_card_is_held_captured_and_told(bank):
    paid = bank.issue("cafe-card", 1767, pin="4711")
    facts = {"code": paid["code"], "pin": "4711", "amount_minor": 1500}
    answer = bank.hold("S12-T1-H88", "gift_card", store_id="S12", expires_in_seconds=900, **facts)
    assert (answer["card"], answer["amount_minor"]) == ({"available_minor": 267, "held_minor": 1500}, 1500)
    assert refusal(bank.hold, "h2", "gift_card", **facts).facts == {
        "balance_minor": 267,
        "wanted_minor": 1500,
        "held_minor": 1500,
    }
    look = bank.service.gift_card(paid["code"], "4711")
    assert (look.balance_minor, look.held_minor) == (267, 1500)
    taken = bank.capture("S12-T1-H88", amount_minor=1250)
    assert (taken["captured_minor"], taken["released_minor"]) == (1250, 250)
    assert taken["card"] == {"available_minor": 517, "held_minor": 0}
    assert bank.accounts() == {"sold": -1767, "redeemed": 1250, "lot": 517}


def test_a_purchase_captures_money_and_gives_it_back(bank):
    paid = bank.issue("cafe-card", 2000)
    bank.hold("h1", "gift_card", code=paid["code"], amount_minor=1000)
    answer = bank.pays("r1", by("h1", 600), cash(200))
    assert (answer["tenders"][0]["hold_id"], answer["tenders"][0]["balance_minor"]) == ("h1", 1400)
    assert answer["totals"]["earned"] == {"beans": 40}
    back = bank.ask(bank.give_back(of="r1"))
    assert [(one["tender"], one["kind"], one["amount_minor"]) for one in back["refund"]] == [
        (0, "gift_card", 600),
        (1, "cash", 200),
    ]
    assert bank.balance(paid) == 2000
    assert bank.accounts() == {"sold": -2000, "lot": 2000, "redeemed": 600, "restored": -600}


def test_held_money_can_not_be_moved_paid_out_or_cleared(bank):
    paid, other = bank.issue("cafe-card", 2000), bank.issue("cafe-card", 1000)
    bank.hold("h1", "gift_card", code=paid["code"], amount_minor=1500)
    card = BasketTender(kind="gift_card", code=paid["code"], amount_minor=501)
    assert refusal(bank.pays, "r1", card, cash(299)).code == "balance-too-low"
    assert refusal(bank.act, paid, "CASH_OUT", 501).code == "balance-too-low"
    assert refusal(bank.act, paid, "TRANSFER_BALANCE", 501, to=other["gift_card_id"]).code == "balance-too-low"
    bank.adjust(paid, "CLEAR_BALANCE")
    assert refusal(bank.act, paid, "DEACTIVATE").facts == {"balance_minor": 0, "held_minor": 1500}
    bank.act(paid, "LOAD", 25000)
    assert refusal(bank.act, paid, "LOAD", 5000).code == "balance-too-high"
    two = (by("h1", 400), BasketTender(kind="gift_card", code=paid["code"], amount_minor=400))
    assert refusal(bank.pays, "r1", *two).code == "gift-card-twice"
    bank.void()
    assert bank.balance(paid) == 26500


def test_a_card_that_was_sold_and_comes_back_keeps_what_is_held(bank):
    sold = line("1", "CARD", 2000, stored_value=StoredValue(product="cafe-card"))
    issued = bank.pays("r1", cash(2000), lines=(sold,))["gift_cards_issued"][0]
    bank.hold("h1", "gift_card", code=issued["code"], amount_minor=1500)
    back = bank.ask(bank.give_back(of="r1"))
    assert [(one["voided_minor"], one["spent_minor"]) for one in back["gift_cards_voided"]] == [(500, 1500)]
    assert back["refund_due_minor"] == 500
    assert bank.capture()["captured_minor"] == 1500


def test_a_card_that_comes_back_after_its_hold_ran_out_gives_up_all(bank):
    sold = line("1", "CARD", 2000, stored_value=StoredValue(product="cafe-card"))
    issued = bank.pays("r1", cash(2000), lines=(sold,))["gift_cards_issued"][0]
    bank.hold("h1", "gift_card", code=issued["code"], amount_minor=1500, expires_in_seconds=60)
    bank.clock.now += 60 * SECOND
    back = bank.ask(bank.give_back(of="r1"))
    assert [(one["voided_minor"], one["spent_minor"]) for one in back["gift_cards_voided"]] == [(2000, 0)]
    assert bank.look(issued)["state"] == "deactivated"


def test_a_members_own_card_is_told_with_what_is_held(bank):
    bank.hold("h1", "gift_card", code=bank.issue("bonus", None, ANA)["code"], amount_minor=500)
    assert [(one.balance_minor, one.held_minor) for one in bank.service.balance(bank.member).gift_cards] == [(0, 500)]


def test_a_blocked_card_gives_nothing_until_it_is_unblocked(bank):
    paid = bank.issue("cafe-card", 2000)
    bank.hold("h1", "gift_card", code=paid["code"], amount_minor=1500)
    bank.act(paid, "BLOCK")
    assert refusal(bank.capture).facts["state"] == "blocked"
    assert refusal(bank.pays, "r1", by("h1", 800)).facts["state"] == "blocked"
    assert refusal(bank.hold, "h2", "gift_card", code=paid["code"], amount_minor=100).facts["state"] == "blocked"
    bank.act(paid, "UNBLOCK")
    assert bank.capture()["captured_minor"] == 1500


def test_money_that_ends_while_held_is_honoured_and_gone_when_released(bank):
    given = bank.issue("short", 2000)
    bank.clock.now = datetime(2026, 12, 4, 22, 50, tzinfo=UTC)  # it ends at 23:00
    bank.hold("a", "gift_card", code=given["code"], amount_minor=800, expires_in_seconds=3600)
    bank.hold("b", "gift_card", code=given["code"], amount_minor=500, expires_in_seconds=3600)
    bank.clock.now += timedelta(minutes=20)
    assert (bank.balance(given), bank.look(given)["held_minor"]) == (0, 1300)
    assert bank.pays("r1", by("a", 600), cash(200))["totals"]["due_minor"] == 200
    assert bank.void("b")["card"] == {"available_minor": 0, "held_minor": 0}
    assert bank.look(given)["state"] == "expired"
    assert bank.accounts() == {"given": -2000, "redeemed": 600, "expired": 1400}


def test_a_cards_hold_runs_out_by_itself(bank):
    paid = bank.issue("cafe-card", 2000)
    bank.hold("h1", "gift_card", code=paid["code"], amount_minor=1500, expires_in_seconds=60)
    bank.clock.now += 60 * SECOND
    assert (bank.balance(paid), bank.look(paid)["held_minor"]) == (2000, 0)
    assert bank.service.hold("h1").state == "expired"
    bank.service.due()
    assert bank.books("SELECT count(*) FROM event WHERE external_id = 'END\x1fh1'") == [(1,)]
    card = BasketTender(kind="gift_card", code=paid["code"], amount_minor=800)
    bank.pays("r1", card)
    assert refusal(bank.capture).code == "hold-expired"
    assert bank.accounts() == {"sold": -2000, "redeemed": 800, "lot": 1200}


def test_a_card_for_one_member_pays_only_that_members_purchases(bank):
    bonus = bank.issue("bonus", None, BEN)
    bank.hold("h1", "gift_card", code=bonus["code"], amount_minor=500)
    assert refusal(bank.pays, "r1", by("h1", 500), cash(300)).facts["state"] == "other-member"
    assert bank.pays("r1", by("h1", 500), cash(300), card=BEN)["totals"]["due_minor"] == 300


def test_wrong_pins_count_and_nobody_learns_which_part_was_wrong(bank):
    paid = bank.issue("cafe-card", 2000, pin="4711")
    facts = {"code": paid["code"], "amount_minor": 100}
    for i in range(5):
        assert refusal(bank.hold, f"h{i}", "gift_card", pin="0000", **facts).code == "unknown-gift-card"
    assert refusal(bank.hold, "h9", "gift_card", pin="4711", **facts).code == "unknown-gift-card"


# codes


def test_a_voucher_is_held_and_used_by_the_purchase(bank):
    voucher = bank.issue("birthday", None)
    answer = bank.hold("h1", "code", code=voucher["code"])
    assert (answer["kind"], answer["last_four"], answer["state"]) == ("code", voucher["last_four"], "open")
    assert bank.look(voucher)["state"] == "held"
    assert refusal(bank.hold, "h2", "code", code=voucher["code"]).facts["state"] == "held"
    shown = bank.pays("r1", cash(800), codes=(voucher["code"],))
    assert (shown["totals"]["discount_minor"], shown["codes_refused"][0]["reason"]) == (0, "held")
    bank.clock.now += 4 * DAY
    assert bank.service.hold("h1").state == "expired"
    assert bank.look(voucher)["state"] == "expired"


def test_a_held_voucher_is_good_after_its_end_and_back_after_a_return(bank):
    voucher = bank.issue("birthday", None)
    bank.hold("h1", "code", code=voucher["code"], expires_in_seconds=6 * 86_400)
    bank.clock.now += 4 * DAY
    assert refusal(bank.pays, "r1", by("h1"), cash(380), lines=(COFFEE,)).code == "hold-not-used"
    quoted = bank.pays("r1", by("h1"), quoted=True)
    bought = bank.pays("r1", by("h1"), cash(400), quote=quoted.quote)
    assert bought["discounts"][0]["gift_card_id"] == voucher["gift_card_id"]
    assert bought["tenders"][0] == {"kind": "hold", "amount_minor": 0, "hold_id": "h1"}
    assert bank.look(voucher)["state"] == "used"
    assert bank.service.hold("h1").purchase_id == bought["purchase_id"]
    bank.ask(bank.give_back(of="r1"))
    assert bank.look(voucher)["state"] == "expired"


def test_a_held_voucher_comes_before_another_of_its_offer(bank):
    held, other = bank.issue("birthday", None), bank.issue("birthday", None)
    bank.hold("h1", "code", code=held["code"])
    bought = bank.pays("r1", by("h1"), cash(400), codes=(other["code"], held["code"]))
    assert [one["gift_card_id"] for one in bought["discounts"]] == [held["gift_card_id"]]
    assert [(one["gift_card_id"], one["reason"]) for one in bought["codes_refused"]] == [
        (other["gift_card_id"], "one-per-receipt")
    ]


def test_a_voucher_is_released_or_used_without_a_purchase(bank):
    one, two = bank.issue("birthday", None), bank.issue("birthday", None)
    bank.hold("a", "code", code=one["code"])
    bank.hold("b", "code", code=two["code"])
    assert bank.void("a")["state"] == "voided"
    assert bank.look(one)["state"] == "active"
    assert bank.capture("b")["state"] == "captured"
    assert bank.look(two)["state"] == "used"
    assert bank.capture("b")["state"] == "captured"


# forms


def test_what_does_not_belong_together_is_refused(bank):
    paid = bank.issue("cafe-card", 2000)
    voucher = bank.issue("birthday", None)
    wrong = [
        (refusal(bank.hold, points=5, amount_minor=5), "hold-ambiguous", "/points"),
        (refusal(bank.hold), "hold-ambiguous", "/points"),
        (refusal(bank.hold, points=5, code="x"), "hold-ambiguous", "/code"),
        (refusal(bank.hold, points=5, wallet="stars"), "unknown-wallet", "/wallet"),
        (refusal(bank.hold, amount_minor=5, wallet="stamps"), "points-do-not-pay", "/amount_minor"),
        (refusal(bank.hold, points=5, member=None), "hold-ambiguous", "/member"),
        (refusal(bank.hold, points=5, member=MemberRef(card="2600000009997")), "unknown-member", "/member"),
        (refusal(bank.hold, points=5, currency="USD"), "currency-mismatch", "/currency"),
        (refusal(bank.hold, kind="gift_card", code=paid["code"]), "hold-ambiguous", "/amount_minor"),
        (refusal(bank.hold, kind="gift_card", code=voucher["code"], amount_minor=5), "gift-card-not-usable", "/code"),
        (refusal(bank.hold, kind="code", code=paid["code"]), "gift-card-not-usable", "/code"),
        (refusal(bank.hold, kind="code", code="AUTUMN"), "unknown-gift-card", "/code"),
        (refusal(bank.hold, kind="reward", reward="tea"), "unknown-reward", "/reward"),
    ]
    assert [(error.code, error.pointer) for error, _, _ in wrong] == [(code, pointer) for _, code, pointer in wrong]
    with pytest.raises(NotFound):
        bank.service.hold("h1")
    assert isinstance(wrong[0][0], InvalidRequest)
    assert isinstance(wrong[9][0], Conflict)
