"""What a till that was offline took on trust: points, rewards and gift cards, there or not, and how it comes back."""

from datetime import timedelta

import pytest

from rewards.basket import AskedReward, BasketTender, MemberRef
from rewards.errors import InvalidRequest
from rewards.service.codes import new_code
from rewards.service.commands import (
    Adjust,
    ChangeMember,
    ClaimPurchase,
    MergeMembers,
    OfflinePurchase,
    OfflineReturn,
    OpenHold,
    ReturnOf,
)
from tests.policies import program

from .conftest import DAY, card, line, opened, points, warned
from .test_card_money import ANA, BEN, Desk

POLICY = program("""country: DE
points:
  beans: {one: bean, pays: {points: 100 beans, buys: 1.00, minimum: 100 beans, step: 10 beans, at_most: 50%}}
  stamps: {one: stamp}
selections:
  fuel: {categories: [fuel]}
earn:
  beans: {every: 1.00, give: 5 beans}
offers:
  cup: {on: {categories: [tea]}, only_by: reward, free: {units: 1, pick: cheapest}}
  tenth: {only_by: voucher, percent_off: 10%}
  fifth: {only_by: reward, percent_off: 20%}
rewards:
  free-cup: {cost: 9 stamps, gives: {offer: cup}}
  fifth-off: {cost: 5 stamps, gives: {offer: fifth}}
gift_cards:
  cafe: {kind: paid, load: 5.00-250.00}
  bonus: {kind: promotional, value: 5.00, expires: {after: 60 days}, to: member}
  short: {kind: promotional, expires: {after: 3 days}, not_on: fuel}
  flyer: {kind: voucher, offer: tenth}
returns: {accept_within: 90 days, restored_points_last: 14 days}
""").encode()
NOBODY = "2600000009997"


class Till(Desk):
    """A till that comes back."""

    def offline(self, receipt="r1", *tenders, amount=1000, how=None, **facts):
        return self.ask(OfflinePurchase(self.basket(receipt, amount, tenders=tenders, **facts)), **(how or {}))

    def give(self, points, wallet="beans", card=ANA):
        who = MemberRef(card=card)
        self.ask(Adjust(member=who, wallet=wallet, points=points, reason="r", actor="a"), caller="scenario")

    def has(self, wallet="beans", card=ANA):
        one = self.service.balance(self.service.member(MemberRef(card=card)).member_id).wallets[wallet]
        return one.available, one.debt

    def lacking(self):
        return {
            account: amount
            for account, amount in self.accounts().items()
            if account in {"shortfall", "unplaced", "points", "gift_card", "stored_value"}
        }


@pytest.fixture
def policy():
    return POLICY


@pytest.fixture
def till(clock, policy):
    till = opened("sqlite://", clock, policy, Till, (ANA, BEN))
    yield till
    assert till.service.verify() == []
    till.service.rebuild()
    assert till.service.verify() == []
    assert all(row.difference == 0 for row in till.service.liability().rows)
    till.service.close()


def figures(answer, *names):
    (one,) = answer["warnings"]
    return (one["code"], one["pointer"], *(one[name] for name in names))


def refunded(answer):
    return {one["tender"]: (one["amount_minor"], one.get("shortfall_minor", 0)) for one in answer["refund"]}


# points


def test_points_that_are_there_pay_as_ever(till):
    till.give(700)
    answer = till.offline("r1", points(500), ("cash", 500))
    assert (warned(answer), answer["totals"]["spent"], till.has()) == ([], {"beans": 500}, (225, 0))
    assert answer["tenders"][0]["lots"][0]["points"] == 500


def test_points_that_are_not_there_are_owed_and_later_points_pay(till):
    till.give(120)
    answer = till.offline("r1", points(500), ("cash", 500))
    assert figures(answer, "available", "wanted") == ("not-enough-points", "/tenders/0", 120, 500)
    assert answer["totals"]["earned"] == {"beans": 25}
    assert till.has() == (0, 355)  # 120 + 25 - 500
    assert till.lacking() == {}
    till.give(400)
    assert till.has() == (45, 0)
    back = till.ask(till.give_back())
    assert (back["refund"][0]["points"], till.has()) == (500, (520, 0))


@pytest.mark.parametrize(
    ("tender", "spent", "paid", "code"),
    [
        (points(50), 50, 50, "points-below-minimum"),
        (points(505), 505, 505, "points-not-in-steps"),
        (points(900), 900, 900, "points-above-share"),
        (points(points=300), 300, 300, None),
        (points(300, points=250), 250, 300, "points-rate-differs"),
        (points(300, points=300), 300, 300, None),
        (points(300, "stamps", points=7), 7, 300, "points-do-not-pay"),
        (points(None, "stamps", points=7), 7, 1000, "points-do-not-pay"),
    ],
)
def test_what_a_till_took_is_not_decided_again(till, tender, spent, paid, code):
    till.give(1000)
    till.give(10, "stamps")
    rest = (("cash", 1000 - paid),) if paid < 1000 else ()
    answer = till.offline("r1", tender, *rest)
    assert warned(answer) == ([(code, "/tenders/0")] if code else [])
    assert (answer["tenders"][0]["points"], answer["tenders"][0]["amount_minor"]) == (spent, paid)
    assert answer["totals"]["spent"] == {tender.wallet: spent}


@pytest.mark.parametrize(
    ("tender", "who", "code"),
    [
        (points(300), None, "tender-needs-member"),
        (points(300, "apples"), ANA, "unknown-wallet"),
        (points(300, "apples", points=5), ANA, "unknown-wallet"),
        (points(300, "stamps"), ANA, "points-do-not-pay"),
    ],
)
def test_points_that_cannot_be_taken_are_a_shortfall(till, tender, who, code):
    answer = till.offline("r1", tender, ("cash", 700), card=who)
    assert figures(answer, "shortfall_minor") == (code, "/tenders/0", 300)
    assert (answer["totals"]["spent"], answer["totals"]["due_minor"]) == ({}, 700)
    assert till.lacking() == {"shortfall": -300, "points": 300}
    back = till.ask(till.give_back())
    assert (refunded(back), back["refund_due_minor"], till.lacking()) == ({0: (0, 300), 1: (700, 0)}, 700, {})


def test_whom_nobody_knows_or_who_is_blocked_spends_nothing(till):
    member = till.service.member(MemberRef(card=BEN)).member_id
    till.give(500, card=BEN)
    till.ask(ChangeMember(member_id=member, state="blocked"))
    answer = till.offline("r1", points(300), ("cash", 700), card=BEN)
    assert warned(answer) == [("member-blocked", "/member"), ("tender-needs-member", "/tenders/0")]
    assert "claim" not in answer
    assert till.has(card=BEN) == (500, 0)
    answer = till.offline("r2", points(300), ("cash", 700), card=NOBODY)
    assert warned(answer) == [("unknown-member", "/member"), ("tender-needs-member", "/tenders/0")]
    claim = ClaimPurchase(
        purchase_id=answer["purchase_id"], member=MemberRef(card=ANA), claim_code=answer["claim"]["code"]
    )
    assert till.ask(claim, key="c")["earned"] == {"beans": 35}
    assert till.lacking() == {"shortfall": -600, "points": 600}
    till.ask(till.give_back(of="r2"))
    assert till.lacking() == {"shortfall": -300, "points": 300}


@pytest.mark.parametrize(
    "tenders",
    [
        (points(up_to=True), ("cash", 500)),
        (points(), ("cash", 500)),
        (points(500, code="x"), ("cash", 500)),
        (BasketTender(kind="gift_card", amount_minor=500), ("cash", 500)),
        (BasketTender(kind="gift_card", code="x"), ("cash", 500)),
        (BasketTender(kind="gift_card", code="x", wallet="beans", amount_minor=5), ("cash", 500)),
        (BasketTender(kind="promotional", amount_minor=500), ("cash", 500)),
        (BasketTender(kind="cash", code="x", amount_minor=500), ("cash", 500)),
        (points(200), points(points=300), ("cash", 500)),
    ],
)
def test_what_is_no_tender_is_refused(till, tenders):
    with pytest.raises(InvalidRequest):
        till.offline("r1", *tenders)


def test_two_tenders_of_one_wallet_or_card_are_one(till):
    till.give(1000)
    issued = till.issue(amount=500)
    answer = till.offline("r1", points(200), card(issued, 300), points(100), card(issued, 300), ("cash", 100))
    assert warned(answer) == [
        ("tender-twice", "/tenders/2"),
        ("tender-twice", "/tenders/3"),
        ("gift-card-shortfall", "/tenders/1"),
    ]
    assert [one["amount_minor"] for one in answer["tenders"]] == [300, 600, 100]
    assert (till.has(), till.balance(issued)) == ((735, 0), 0)


# gift cards


def test_a_card_pays_once_whichever_of_its_codes_is_shown(till):
    one, other = (till.issue(amount=500, key="k") for _ in range(2))
    answer = till.offline("r1", card(one, 300), card(other, 100), ("cash", 600))
    assert one["code"] != other["code"]
    assert figures(answer, "shortfall_minor") == ("gift-card-twice", "/tenders/1", 100)
    assert till.balance(one) == till.balance(other) == 200


def test_a_card_pays_as_far_as_it_can(till):
    issued = till.issue(amount=500)
    answer = till.offline("r1", card(issued, 800), ("cash", 200))
    assert figures(answer, "shortfall_minor", "taken_minor") == ("gift-card-shortfall", "/tenders/0", 300, 500)
    told = answer["tenders"][0]
    assert (told["amount_minor"], told["shortfall_minor"], told["balance_minor"]) == (800, 300, 0)
    assert answer["totals"]["due_minor"] == 200
    assert till.lacking() == {"shortfall": -300, "gift_card": 300}
    assert till.accounts()["redeemed"] == 500
    assert till.offline("r1", card(issued, 800), ("cash", 200)) == answer
    read = till.service.purchase(store_id="S1", receipt_id="r1")
    assert read.tenders[0]["shortfall_minor"] == 300


def test_finance_sees_by_month_what_was_not_there(till):
    issued = till.issue(amount=500)
    till.offline("r1", card(issued, 800), points(100, "apples"), ("cash", 100))
    till.clock.now += 31 * DAY
    till.offline("r2", card(issued, 400), ("cash", 600))
    till.ask(till.give_back())
    told = till.service.liability("2026-12", "2027-01").shortfalls
    assert [(one.month, one.kind, one.currency, one.amount_minor) for one in told] == [
        ("2026-12", "gift_card", "EUR", 300),
        ("2026-12", "points", "EUR", 100),
        ("2027-01", "gift_card", "EUR", 100),
        ("2027-01", "points", "EUR", -100),
    ]


@pytest.mark.parametrize(("event", "who"), [(1, None), (2, None), (2, ANA), (3, ANA)])
def test_verify_finds_a_shortfall_that_is_not_booked(clock, event, who):
    till = opened("sqlite://", clock, POLICY, Till, (ANA,))
    till.offline("r1", card({"code": new_code()}, 800), ("cash", 200), card=who)
    till.ask(till.give_back())
    assert till.service.verify() == []
    entries = f"SELECT number FROM entry WHERE event_number = {event}"
    till.damage(f"DELETE FROM posting WHERE account IN ('shortfall', 'gift_card') AND entry_number IN ({entries})")
    assert [one for one in till.service.verify() if f"event {event}: its postings are not what was lacking" in one]
    till.service.close()


def unknown_code(_till):
    return BasketTender(kind="gift_card", code=new_code(), amount_minor=400)


def no_code(_till):
    return BasketTender(kind="gift_card", code="not a code", amount_minor=400)


def wrong_pin(till):
    return card(till.issue(pin="4711"), 400, "0815")


def missing_pin(till):
    return card(till.issue(pin="4711"), 400)


def locked(till):
    issued = till.issue(pin="4711")
    for n in range(5):
        till.offline(f"w{n}", card(issued, 400, "0815"), ("cash", 600), card=None)
    return card(issued, 400, "4711")


def blocked(till):
    issued = till.issue()
    till.act(issued, "BLOCK")
    till.clock.now += timedelta(minutes=1)
    return card(issued, 400)


def deactivated(till):
    issued = till.issue(amount=None)
    till.act(issued, "DEACTIVATE")
    return card(issued, 400)


def inactive(till):
    return card(till.issue(amount=None), 400)


def expired(till):
    issued = till.issue("short", 1000)
    till.clock.now += 4 * DAY
    return card(issued, 400)


def anothers(till):
    return card(till.issue("bonus", None, BEN), 400)


def voucher(till):
    return card(till.issue("flyer", None), 400)


@pytest.mark.parametrize(
    ("made", "code", "state"),
    [
        (unknown_code, "unknown-gift-card", None),
        (no_code, "unknown-gift-card", None),
        (wrong_pin, "unknown-gift-card", None),
        (missing_pin, "unknown-gift-card", None),
        (locked, "unknown-gift-card", None),
        (blocked, "gift-card-not-usable", "blocked"),
        (deactivated, "gift-card-not-usable", "deactivated"),
        (inactive, "gift-card-not-usable", "inactive"),
        (expired, "gift-card-not-usable", "expired"),
        (anothers, "gift-card-not-usable", "other-member"),
        (voucher, "gift-card-not-usable", "voucher"),
    ],
)
def test_a_card_that_would_have_been_refused_pays_nothing(till, made, code, state):
    tender = made(till)
    before, redeemed = till.lacking().get("gift_card", 0), till.accounts().get("redeemed", 0)
    answer = till.offline("r1", tender, ("cash", 600))
    assert figures(answer, "shortfall_minor") == (code, "/tenders/0", 400)
    assert answer["warnings"][0].get("state") == state
    assert (till.accounts().get("redeemed", 0), till.lacking()["gift_card"]) == (redeemed, before + 400)
    back = till.ask(till.give_back())
    assert (refunded(back), back["refund_due_minor"]) == ({0: (0, 400), 1: (600, 0)}, 600)
    assert till.accounts().get("restored", 0) == 0
    assert till.lacking().get("gift_card", 0) == before


def test_a_card_that_was_blocked_since_pays_what_it_paid(till):
    issued = till.issue(amount=1000)
    bought_at = till.clock.now
    till.clock.now += timedelta(hours=1)
    till.act(issued, "BLOCK")
    answer = till.offline("r1", card(issued, 400), ("cash", 600), at=bought_at)
    assert (warned(answer), answer["tenders"][0]["balance_minor"]) == ([], 600)
    till.clock.now += timedelta(hours=1)
    assert warned(till.offline("r2", card(issued, 400), ("cash", 600))) == [("gift-card-not-usable", "/tenders/0")]


def test_goods_that_the_card_should_not_pay(till):
    issued = till.issue("short", 1000)
    fuel = (line("1", "FUEL", 600, categories=("fuel",)), line("2", amount=400))
    answer = till.offline("r1", card(issued, 800), ("cash", 200), lines=fuel)
    assert warned(answer) == [("tender-not-on-these", "/tenders/0")]
    assert answer["tenders"][0]["balance_minor"] == 200
    answer = till.offline("r2", card(issued, 200), ("cash", 800), lines=fuel)
    assert [one["amount_minor"] for one in answer["lines"][1]["tenders"]] == [200, 200]


@pytest.mark.parametrize("units", [(1, 1, 1, 1), (2, 2), (3, 1), (1, 3), (4,)])
def test_a_refund_gives_a_card_no_more_than_it_gave(till, units):
    """1.80 of 3.00 were there: what is left of the purchase is paid by them first, so the shortfall is undone first."""
    issued = till.issue(amount=500)
    till.act(issued, "REDEEM", 320)
    four = (line("1", amount=75, quantity=4),)
    till.offline("r1", card(issued, 300), lines=four)
    left, given, undone = 4, 0, 0
    for number, count in enumerate(units):
        left -= count
        back = till.ask(till.give_back(f"b{number}", lines={"1": count}))
        ((amount, lacked),) = refunded(back).values()
        assert (amount >= 0, lacked >= 0, amount + lacked) == (True, True, 75 * count)
        given, undone = given + amount, undone + lacked
        assert given == 180 - min(180, 75 * left) == till.balance(issued)
        assert "refund_due_minor" not in back
    assert (given, undone, till.lacking()) == (180, 120, {})


def test_a_parked_return_of_a_purchase_with_a_shortfall(till):
    issued = till.issue(amount=500)
    back = till.ask(till.give_back(lines={"1": 1}))
    assert back["state"] == "parked"
    till.offline("r1", card(issued, 800), ("cash", 200), lines=(line("1", amount=500, quantity=2),))
    assert till.balance(issued) == 100  # 4.00 of the 8.00 are left to pay, and 5.00 were there
    assert till.lacking() == {}
    told = till.ask(till.give_back(lines={"1": 1}))
    assert refunded(told) == {0: (100, 300), 1: (100, 0)}
    assert refunded(till.ask(till.give_back("b2"))) == {0: (400, 0), 1: (100, 0)}
    assert till.balance(issued) == 500


def test_a_guests_shortfall_stays_when_it_is_claimed(till):
    issued = till.issue(amount=500)
    answer = till.offline("r1", card(issued, 800), ("cash", 200), card=NOBODY)
    claim = ClaimPurchase(
        purchase_id=answer["purchase_id"], member=MemberRef(card=ANA), claim_code=answer["claim"]["code"]
    )
    till.ask(claim, key="c")
    assert till.lacking() == {"shortfall": -300, "gift_card": 300}
    back = till.ask(till.give_back())
    assert (refunded(back), till.lacking(), till.balance(issued)) == ({0: (500, 300), 1: (200, 0)}, {}, 500)


def test_a_card_that_is_gone_is_paid_out_as_far_as_it_paid(till):
    issued = till.issue(amount=500)
    till.offline("r1", card(issued, 800), ("cash", 200))
    till.act(issued, "DEACTIVATE")
    back = till.ask(till.give_back())
    assert (back["refund"][0]["paid_out"], back["refund_due_minor"]) == (True, 700)


# holds


def hold(name, minor):
    return BasketTender(kind="hold", hold_id=name, amount_minor=minor)


def test_holds_are_captured_and_those_that_cannot_be_are_a_shortfall(till):
    till.give(1000)
    issued = till.issue(amount=500)
    now = till.clock.now
    facts = {"store_id": "S1", "expires_in_seconds": 900}
    till.ask(OpenHold(hold_id="h1", kind="points", member=MemberRef(card=ANA), wallet="beans", points=300, **facts))
    till.ask(OpenHold(hold_id="h2", kind="gift_card", code=issued["code"], amount_minor=400, **facts))
    answer = till.offline("r1", hold("h1", 200), hold("h2", 300), hold("h9", 100), ("cash", 400))
    assert warned(answer) == [("unknown-hold", "/tenders/2/hold_id")]
    assert [(one["amount_minor"], one.get("shortfall_minor")) for one in answer["tenders"]] == [
        (200, None),
        (300, None),
        (100, 100),
        (400, None),
    ]
    assert (till.has(), till.balance(issued)) == ((840, 0), 200)
    till.clock.now += timedelta(minutes=1)
    answer = till.offline("r2", hold("h2", 100), ("cash", 900), at=now)
    assert figures(answer, "shortfall_minor") == ("hold-already-captured", "/tenders/0", 100)
    assert till.lacking() == {"shortfall": -200, "gift_card": 200}
    till.ask(till.give_back(of="r1"))
    assert (till.has(), till.balance(issued), till.lacking()) == ((1050, 0), 500, {"shortfall": -100, "gift_card": 100})


# sums


def test_tenders_of_ours_are_kept_where_tenders_do_not_sum(till):
    till.give(1000)
    issued = till.issue(amount=1000)
    answer = till.offline("r1", points(300), card(issued, 400), ("cash", 500))
    assert warned(answer) == [("tenders-disagree", "/tenders")]
    assert [(one["kind"], one["amount_minor"]) for one in answer["tenders"]] == [
        ("points", 300),
        ("gift_card", 400),
        ("unknown", 300),
    ]
    assert answer["totals"]["due_minor"] == 300
    assert (till.has(), till.balance(issued)) == ((735, 0), 600)


def test_tenders_of_ours_pay_no_more_than_there_is_to_pay(till):
    till.give(1000)
    issued = till.issue(amount=500)
    answer = till.offline("r1", points(500), card(issued, 900))
    assert warned(answer) == [("gift-card-shortfall", "/tenders/1"), ("tenders-disagree", "/tenders")]
    assert [(one["amount_minor"], one.get("shortfall_minor")) for one in answer["tenders"]] == [
        (500, None),
        (500, None),
    ]
    assert (till.balance(issued), till.lacking()) == (0, {})
    answer = till.offline("r2", points(300), ("cash", 5), amount=200)
    assert (answer["tenders"][0]["points"], answer["tenders"][0]["amount_minor"]) == (200, 200)


def test_another_currency_is_recorded_and_counts_for_nobody(till):
    till.give(1000)
    issued = till.issue(amount=1000)
    basket = till.basket("r1", 1000, tenders=(points(300), card(issued, 400), ("cash", 300)))
    facts = {name: getattr(basket, name) for name in basket.__struct_fields__}
    command = OfflinePurchase(type(basket)(**facts | {"currency": "USD"}))
    answer = till.ask(command)
    assert warned(answer) == [("currency-mismatch", "/currency")]
    assert (answer["member_id"], answer["currency"], answer["totals"]["earned"]) == (None, "USD", {})
    assert ("claim" in answer, answer["balance"]) == (False, {})
    assert [one.get("shortfall_minor", 0) for one in answer["tenders"]] == [300, 400, 0]
    assert (till.has(), till.balance(issued)) == ((1000, 0), 1000)
    back = till.ask(till.give_back())
    assert refunded(back) == {0: (0, 300), 1: (0, 400), 2: (300, 0)}


# rewards


def cups(count=1, **facts):
    off = {"discount_minor": 400, "offer": "cup"} if facts.pop("given", True) else {}
    return (line("1", "TEA", 400, count, categories=("tea",), **off), line("2", amount=600))


def asks(reward="free-cup", times=1):
    return (AskedReward(reward=reward, times=times),)


def test_a_reward_costs_its_points(till):
    till.give(10, "stamps")
    answer = till.offline("r1", lines=cups(), rewards=asks())
    assert (warned(answer), till.has("stamps")) == ([], (1, 0))
    assert (answer["discounts"][0]["reward"], answer["discounts"][0]["points"]) == ("free-cup", 9)
    till.ask(till.give_back())
    assert till.has("stamps") == (10, 0)


def test_a_reward_that_costs_more_than_there_is_makes_a_debt(till):
    till.give(5, "stamps")
    answer = till.offline("r1", lines=cups(), rewards=asks())
    assert figures(answer, "available", "wanted") == ("not-enough-points", "/rewards/0", 5, 9)
    assert till.has("stamps") == (0, 4)
    till.give(6, "stamps")
    assert till.has("stamps") == (2, 0)


def test_a_reward_that_a_receipt_has_once_costs_its_points_once(till):
    till.give(10, "stamps")
    lines = (line("1", amount=1000, discount_minor=200, offer="fifth"),)
    answer = till.offline("r1", lines=lines, rewards=asks("fifth-off", 2))
    assert warned(answer) == [("reward-once", "/rewards/0")]
    assert (answer["totals"]["spent"], till.has("stamps")) == ({"stamps": 5}, (5, 0))


@pytest.mark.parametrize(
    ("facts", "codes"),
    [
        ({"lines": cups(given=False), "rewards": asks()}, [("reward-unused", "/rewards/0")]),
        (
            {"lines": cups(), "rewards": asks("gone")},
            [("unknown-reward", "/rewards/0/reward"), ("offer-not-asked-for", "/lines/0/offer")],
        ),
        ({"lines": cups()}, [("offer-not-asked-for", "/lines/0/offer")]),
        (
            {"lines": cups(), "rewards": asks(), "card": None},
            [("reward-needs-member", "/rewards/0"), ("offer-not-asked-for", "/lines/0/offer")],
        ),
    ],
)
def test_rewards_that_cost_nothing(till, facts, codes):
    till.give(10, "stamps")
    answer = till.offline("r1", **facts)
    assert warned(answer) == codes
    assert till.has("stamps") == (10, 0)
    assert answer["totals"]["discount_minor"] == (400 if facts["lines"][0].offer else 0)


# coming back


def test_a_return_of_a_purchase_that_nobody_knows_is_money_alone(till):
    command = OfflineReturn(
        return_id="b1", store_id="S1", occurred_at=till.clock.now, of=ReturnOf(purchase_id="pur_none"), all=True
    )
    told = till.ask(command)
    assert (told["return_id"], warned(told)) == ("b1", [("unknown-purchase", "/of/purchase_id")])
    assert till.service.do(command).replayed


def test_what_a_merged_member_lacked_is_undone_with_later_returns(till):
    issued = till.issue(amount=500)
    till.offline("r1", card(issued, 1200), lines=(line("1", amount=300, quantity=4),), card=BEN)
    till.ask(till.give_back("b1", lines={"1": 1}))
    ana, ben = (till.service.member(MemberRef(card=one)).member_id for one in (ANA, BEN))
    till.ask(MergeMembers(member_id=ana, member=MemberRef(id=ben), actor="kim"))
    assert till.service.verify() == []
    answer = till.ask(till.give_back("b2"))
    assert (refunded(answer), till.lacking()) == ({0: (500, 400)}, {})
