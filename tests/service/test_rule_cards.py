"""Gift cards that rules give: issued with what earned them, voided when it counts no longer, the same in any order."""

import random
from datetime import date, timedelta

import pytest

from rewards.basket import BasketTender, MemberRef, StoredValue
from rewards.service.commands import (
    BookDue,
    ClaimPurchase,
    Enrol,
    MergeMembers,
    OpenHold,
    RecordActivity,
    RecordPurchase,
    Redeem,
    VoidHold,
)
from tests.policies import program

from .conftest import DAY, NOON, line, opened
from .test_card_money import ANA, BEN, Desk

POLICY = program("""country: DE
points:
  beans: {one: bean}
earn:
  beans: {every: 1.00, give: 5 beans}
  top-up: {on: {stored_value: [cafe]}, every: 50.00, give: {gift_card: bonus}, limit: {times: 3, per: month}}
  flowers:
    title: A voucher with every second bunch
    on: {categories: [flower]}
    every: 2 units
    give: {gift_card: flyer}
  back-again: {when: {no_visit_for: 20 days}, give: {gift_card: sorry, value: 2.00}, limit: {money: 4.00, per: year}}
activities:
  review: {give: {gift_card: sorry, value: 1.00}, limit: {times: 1, per: month}}
  birthday: {give: {gift_card: flyer}}
  referral: {give: 5 beans, for_referrer: {gift_card: sorry, value: 3.00}}
rewards:
  flowers: {cost: 20 beans, gives: {gift_card: flyer}}
offers:
  tenth: {only_by: voucher, percent_off: 10%}
gift_cards:
  cafe: {kind: paid, load: 5.00-250.00}
  flyer: {kind: voucher, offer: tenth, expires: {after: 30 days}, to: member}
  bonus: {kind: promotional, value: 5.00, expires: {after: 60 days}, to: member}
  sorry: {kind: promotional, expires: {after: 10 days}}
returns: {accept_within: 90 days}
""").encode()


@pytest.fixture
def desk(clock):
    desk = opened("sqlite://", clock, POLICY, Desk, (ANA,))
    yield desk
    desk.close()


def sells(amount, name="1"):
    return line(name, "CARD", amount=amount, stored_value=StoredValue(product="cafe"))


def flowers(count, name="1"):
    return line(name, "ROSE", amount=400, quantity=count, categories=("flower",))


def given(answer):
    return [one for one in answer.get("gift_cards_issued", []) if "giver" in one]


def of_product(desk, member=None):
    """Return how many usable cards the member has, by product."""
    balance = desk.service.balance(member or desk.member)
    counts = {}
    for one in [*balance.vouchers, *balance.gift_cards]:
        counts[one.product] = counts.get(one.product, 0) + 1
    return counts


def test_a_purchase_that_earns_a_card_tells_its_code_and_its_reason(desk):
    answer = desk.buy("r1", lines=(sells(12000),))
    assert answer["totals"]["earned"] == {}
    assert [one["product"] for one in given(answer)] == ["bonus", "bonus"]
    first, second = given(answer)
    assert (first["giver"], first["amount_minor"], first["new"]) == ("top-up", 500, True)
    assert first["why"] == "2 whole 50.00 in 120.00 eligible today; 20.00 carried for the rest of the day"
    assert first["expires_at"] == "2027-01-31T00:00:00+01:00"
    assert [desk.balance(one) for one in (first, second)] == [500, 500]
    assert desk.accounts() == {"lot": 13000, "sold": -12000, "given": -1000}


def test_it_is_told_alike_ever_after_and_a_replay_has_new_codes(desk):
    basket = desk.basket("r1", lines=(sells(5000),))
    first, again = (desk.ask(RecordPurchase(basket), key="k") for _ in range(2))
    (one,), (two,) = given(first), given(again)
    assert one["code"] != two["code"]
    assert {**one, "code": ""} == {**two, "code": ""}
    assert desk.balance(one) == desk.balance(two) == 500
    bare = {key: value for key, value in one.items() if key != "code"}
    assert bare in desk.service.purchase(first["purchase_id"]).gift_cards_issued


def test_a_quote_says_what_would_be_given_and_issues_nothing(desk):
    (told,) = desk.service.quote(desk.basket("q", lines=(flowers(4),))).gift_cards_issued
    assert (told["giver"], told["product"], told["count"]) == ("flowers", "flyer", 2)
    assert told["title"] == "A voucher with every second bunch"
    assert desk.accounts() == {}


def test_the_limit_counts_cards(desk):
    counts = [len(given(desk.buy(f"r{i}", lines=(sells(10000),)))) for i in range(3)]
    assert counts == [2, 1, 0]


def test_the_statement_says_which_card_came_and_why(desk):
    member = desk.service.member(MemberRef(card=ANA)).member_id
    desk.buy("r1", lines=(flowers(2),))
    (entry,) = desk.service.statement(member).entries
    change = next(one for one in entry.changes if one.rule == "flowers")
    assert (change.gift_card, change.count, change.points, change.wallet) == ("flyer", 1, 0, "")
    assert "gift card: flyer" in desk.service.letter(member)[0].lower()


def test_a_full_return_voids_what_is_left_and_keeps_what_is_spent_off_the_refund(desk):
    answer = desk.buy("r1", lines=(sells(5000),), tenders=(("cash", 5000),))
    (bonus,) = given(answer)
    desk.act(bonus, "REDEEM", 200)
    back = desk.ask(desk.give_back(of="r1"))
    (mine,) = [one for one in back["gift_cards_voided"] if one.get("giver")]
    assert (mine["giver"], mine["voided_minor"], mine["spent_minor"]) == ("top-up", 300, 200)
    assert back["refund_due_minor"] == 4800
    assert back["refund"] == [{"tender": 0, "kind": "cash", "amount_minor": 4800}]
    assert desk.look(bonus)["state"] == "deactivated"
    assert desk.accounts() == {"sold": -5000, "given": -500, "taken_back": 5300, "redeemed": 200}
    assert desk.ask(desk.give_back(of="r1"))["gift_cards_voided"] == back["gift_cards_voided"]


def test_what_was_kept_off_a_refund_comes_back_as_money(desk):
    (bonus,) = given(desk.buy("r1", lines=(sells(5000),), tenders=(("cash", 5000),)))
    tenders = (BasketTender(kind="gift_card", code=bonus["code"], amount_minor=200), ("cash", 800))
    desk.buy("r2", 1000, tenders=tenders)
    assert desk.ask(desk.give_back("b1", of="r1"))["refund_due_minor"] == 4800
    back = desk.ask(desk.give_back("b2", of="r2"))
    assert [(one["kind"], one["amount_minor"], one.get("paid_out", False)) for one in back["refund"]] == [
        ("gift_card", 200, True),
        ("cash", 800, False),
    ]
    assert back["refund_due_minor"] == 1000


def test_no_more_comes_back_as_money_than_was_kept_off(desk):
    """Of 5.00 that were spent the refund could bear 2.00: these were paid for, and 3.00 stay given."""
    desk.buy("r1", lines=(sells(4900),), tenders=(("cash", 4900),))
    cafe = BasketTender(kind="gift_card", code=desk.issue(amount=5000)["code"], amount_minor=300)
    (bonus,) = given(desk.buy("r2", lines=(sells(500),), tenders=(cafe, ("cash", 200))))
    tender = BasketTender(kind="gift_card", code=bonus["code"], amount_minor=500)
    desk.buy("r3", lines=(line("1", "A", amount=500, quantity=2),), tenders=(tender, ("cash", 500)))
    back = desk.ask(desk.give_back("b2", of="r2"))
    assert [one["spent_minor"] for one in back["gift_cards_voided"]] == [0, 500]
    assert back.get("refund_due_minor", 0) == 0
    found = [desk.ask(desk.give_back(name, of="r3", lines={"1": 1})) for name in ("b3", "b4")]
    assert [one["refund"][0] for one in found] == [
        {**one["refund"][0], "amount_minor": 250, "paid_out": True, "forfeited_minor": 150} for one in found
    ]
    assert [one["refund_due_minor"] for one in found] == [350, 350]


def test_money_that_was_put_on_it_since_is_forfeited_like_any_that_was_given(desk):
    (bonus,) = given(desk.buy("r1", lines=(sells(5000),), tenders=(("cash", 5000),)))
    desk.adjust(bonus, "ADJUST_INCREMENT", 300)
    desk.buy("r2", 800, tenders=(BasketTender(kind="gift_card", code=bonus["code"], amount_minor=800),))
    assert desk.ask(desk.give_back("b1", of="r1"))["refund_due_minor"] == 4500
    back = desk.ask(desk.give_back("b2", of="r2"))
    assert (back["refund"][0]["amount_minor"], back["refund"][0]["forfeited_minor"]) == (800, 300)
    assert back["refund_due_minor"] == 500


def test_what_is_held_is_kept_off_the_refund_and_stays(desk):
    (bonus,) = given(desk.buy("r1", lines=(sells(5000),), tenders=(("cash", 5000),)))
    hold = OpenHold(hold_id="h1", store_id="S1", kind="gift_card", code=bonus["code"], amount_minor=200)
    desk.ask(hold)
    back = desk.ask(desk.give_back("b1", of="r1"))
    assert back["refund_due_minor"] == 4800
    (mine,) = [one for one in back["gift_cards_voided"] if one.get("giver")]
    assert (mine["voided_minor"], mine["spent_minor"]) == (300, 200)
    desk.ask(VoidHold(hold_id="h1", reason="left"))
    assert desk.balance(bonus) == 200  # it was paid for


def test_what_ended_is_not_what_was_spent(desk):
    (bonus,) = given(desk.buy("r1", lines=(sells(5000),), tenders=(("cash", 5000),)))
    desk.clock.now += timedelta(days=70)
    back = desk.ask(desk.give_back(of="r1"))
    assert back["refund_due_minor"] == 5000
    assert [(one["voided_minor"], one["spent_minor"]) for one in back["gift_cards_voided"]] == [(5000, 0), (0, 0)]
    assert desk.look(bonus)["state"] == "deactivated"


def test_what_was_put_on_it_since_stays(desk):
    """What staff gave, and what came from another card: of the rule's card no more is taken back than it gave."""
    (bonus,) = given(desk.buy("r1", lines=(sells(5000),), tenders=(("cash", 5000),)))
    desk.adjust(bonus, "ADJUST_INCREMENT", 300)
    desk.act(bonus, "REDEEM", 200)
    back = desk.ask(desk.give_back(of="r1"))
    (mine,) = [one for one in back["gift_cards_voided"] if one.get("giver")]
    assert (mine["voided_minor"], mine["spent_minor"]) == (500, 0)
    assert back["refund_due_minor"] == 5000
    assert (desk.balance(bonus), desk.look(bonus)["state"]) == (100, "active")


def test_what_is_kept_off_is_no_more_than_was_given(desk):
    (bonus,) = given(desk.buy("r1", lines=(sells(5000),), tenders=(("cash", 5000),)))
    desk.adjust(bonus, "ADJUST_INCREMENT", 300)
    desk.act(bonus, "REDEEM", 700)
    back = desk.ask(desk.give_back(of="r1"))
    (mine,) = [one for one in back["gift_cards_voided"] if one.get("giver")]
    assert (mine["voided_minor"], mine["spent_minor"]) == (100, 400)
    assert back["refund_due_minor"] == 4600
    assert desk.look(bonus)["state"] == "deactivated"


def test_what_is_held_no_more_is_not_spent(desk):
    (bonus,) = given(desk.buy("r1", lines=(sells(5000),), tenders=(("cash", 5000),)))
    desk.ask(OpenHold(hold_id="h1", store_id="S1", kind="gift_card", code=bonus["code"], amount_minor=200))
    desk.clock.now += timedelta(minutes=20)
    back = desk.ask(desk.give_back("b1", of="r1"))
    (mine,) = [one for one in back["gift_cards_voided"] if one.get("giver")]
    assert (mine["voided_minor"], mine["spent_minor"]) == (500, 0)
    assert back["refund_due_minor"] == 5000
    assert desk.look(bonus)["state"] == "deactivated"


def test_the_card_goes_of_which_least_was_spent(desk):
    """Whatever staff did with it since: so least is kept off the refund."""
    lines = (sells(5000, "1"), sells(5000, "2"))
    one, other = given(desk.buy("r1", lines=lines))
    desk.act(one, "REDEEM", 400)
    desk.adjust(one, "ADJUST_INCREMENT", 300)
    desk.adjust(other, "ADJUST_DECREMENT", 200)
    back = desk.ask(desk.give_back("b1", of="r1", lines={"1": 1}))
    (mine,) = [each for each in back["gift_cards_voided"] if each.get("giver")]
    assert (mine["gift_card_id"], mine["voided_minor"], mine["spent_minor"]) == (other["gift_card_id"], 300, 0)
    assert desk.balance(one) == 400


def test_of_cards_that_are_alike_the_latest_goes(desk):
    one, other = given(desk.buy("r1", lines=(sells(5000, "1"), sells(5000, "2"))))
    desk.ask(desk.give_back("b1", of="r1", lines={"1": 1}))
    assert [desk.look(each)["state"] for each in (one, other)] == ["active", "deactivated"]


def test_a_part_that_comes_back_takes_the_card_that_nobody_used(desk):
    answer = desk.buy("r1", lines=(flowers(4),))
    one, other = given(answer)
    discount = desk.buy("r2", 1000, codes=(one["code"],))["totals"]["discount_minor"]
    assert discount == 100
    back = desk.ask(desk.give_back(of="r1", lines={"1": 1}))
    assert [(each["gift_card_id"], each.get("used", False)) for each in back["gift_cards_voided"]] == [
        (other["gift_card_id"], False)
    ]
    rest = desk.ask(desk.give_back("b2", of="r1"))
    assert [(each["gift_card_id"], each["used"]) for each in rest["gift_cards_voided"]] == [(one["gift_card_id"], True)]


def test_what_a_reward_of_the_same_name_gave_stays(desk):
    (mine,) = given(desk.buy("r1", lines=(flowers(2),)))
    bought = desk.ask(Redeem(member=MemberRef(card=ANA), reward="flowers"), key="k")["gift_cards_issued"]
    assert [one["product"] for one in bought] == ["flyer"]
    desk.ask(desk.give_back(of="r1"))
    assert [desk.look(one)["state"] for one in (mine, *bought)] == ["deactivated", "active"]


def test_what_is_earned_again_is_a_new_card(desk):
    (one,) = given(desk.buy("r1", lines=(flowers(2),)))
    desk.ask(desk.give_back(of="r1"))
    (other,) = given(desk.buy("r2", lines=(flowers(2),)))
    assert one["gift_card_id"] != other["gift_card_id"]
    refused = desk.buy("r3", 1000, codes=(one["code"],))["codes_refused"]
    assert [each["reason"] for each in refused] == ["deactivated"]


def test_a_late_receipt_moves_the_day_and_not_the_card(desk):
    desk.buy("r1", lines=(sells(10000),))
    kept = given(desk.buy("r2", lines=(sells(5000),), at=NOON + DAY * 0))
    late = desk.buy("r0", lines=(sells(10000),), at=NOON - DAY)  # three cards a month: the days change, the cards stay
    assert given(late) == []
    assert late.get("gift_cards_voided", []) == []
    assert desk.balance(kept[0]) == 500


def test_a_late_receipt_that_ends_an_absence_voids_the_card(desk):
    desk.buy("r1", at=NOON - DAY * 30)
    (card,) = given(desk.buy("r2"))
    assert card["amount_minor"] == 200
    late = desk.buy("late", at=NOON - DAY * 15)
    (mine,) = late["gift_cards_voided"]
    assert (mine["giver"], mine["voided_minor"]) == ("back-again", 200)
    assert desk.service.purchase(late["purchase_id"]).gift_cards_voided[0].gift_card_id == card["gift_card_id"]
    assert desk.look(card)["state"] == "deactivated"


def test_an_activity_gives_a_card_up_to_its_limit(desk):
    review = RecordActivity(member=MemberRef(card=ANA), name="review", occurred_at=NOON)
    first, again = (desk.ask(review, key="k1") for _ in range(2))
    (card,), (same,) = given(first), given(again)
    assert (card["amount_minor"], card["why"]) == (100, "for `review`")
    assert card["code"] != same["code"]
    assert desk.balance(card) == desk.balance(same) == 100
    second = desk.ask(review, key="k2")
    assert given(second) == []
    assert second["not_given"][0]["condition"] == "limit"


def test_a_birthday_issues_its_card_once_however_it_comes(desk):
    desk.clock.now = NOON - DAY
    member = desk.ask(Enrol(card=BEN, birthday="12-02", joined=date(2026, 11, 1)))["member_id"]
    desk.clock.now = NOON
    assert of_product(desk, member) == {}
    assert desk.service.due() == {"birthday": 1}
    assert of_product(desk, member) == {"flyer": 1}
    assert desk.service.due() == {}
    desk.buy("r1", card=BEN)
    assert of_product(desk, member) == {"flyer": 1}


def test_the_code_of_a_card_that_came_by_itself_is_told_when_staff_ask_for_it(desk):
    member = desk.ask(Enrol(card=BEN, birthday="12-03"))["member_id"]
    desk.clock.now = NOON + DAY
    desk.ask(BookDue((desk.service._running.ids.read_member(member),), desk.clock()))
    (voucher,) = desk.service.balance(member).vouchers
    card = {"gift_card_id": voucher.gift_card_id}
    first, again = (desk.act(card, "NEW_CODE", key="k") for _ in range(2))
    assert first["code"] != again["code"]
    assert {**first, "code": ""} == {**again, "code": ""}
    answer = desk.buy("r1", 1000, card=BEN, codes=(again["code"],))
    assert answer["totals"]["discount_minor"] == 100


def test_who_brought_a_friend_gets_a_card_that_goes_with_the_friends_purchase(desk):
    ana = desk.service.member(MemberRef(card=ANA)).member_id
    desk.ask(Enrol(card=BEN, referred_by=MemberRef(card=ANA)))
    desk.buy("r1", card=BEN)
    assert of_product(desk, ana) == {"sorry": 1}
    desk.ask(desk.give_back(of="r1"))
    assert of_product(desk, ana) == {}


def test_a_guest_gets_no_card_before_the_receipt_is_claimed(desk):
    answer = desk.buy("r1", lines=(flowers(2),), card=None)
    assert answer["gift_cards_issued"] == []
    claim = ClaimPurchase(
        purchase_id=answer["purchase_id"], member=MemberRef(card=ANA), claim_code=answer["claim"]["code"]
    )
    (card,) = given(desk.ask(claim, key="k"))
    assert desk.buy("r2", 1000, codes=(card["code"],))["totals"]["discount_minor"] == 100


def test_the_order_of_arrival_makes_no_difference_to_what_there_is(clock):
    """Cards and their worth, whatever came first; which of several equal codes are left may differ."""
    events = [("buy", f"r{i}", days, units) for i, (days, units) in enumerate([(40, 3), (39, 1), (10, 2), (10, 5)])]
    events += [("back", "b1", "r1", None), ("back", "b3", "r3", {"1": 2})]
    found = set()
    for seed in range(6):
        desk = opened("sqlite://", clock, POLICY, Desk)
        desk.enrol(ANA, joined=date(2026, 1, 1))
        order = events.copy()
        random.Random(seed).shuffle(order)
        for kind, name, what, more in order:
            if kind == "buy":
                desk.buy(name, lines=(flowers(more), sells(5000 * more, "2")), at=NOON - DAY * what)
            else:
                desk.ask(desk.give_back(name, of=what, lines=more))
        member = desk.service.member(MemberRef(card=ANA)).member_id
        balance = desk.service.balance(member, desk.clock())
        rows = desk.books("SELECT giver, count(*) FROM given_card GROUP BY giver")
        live = sorted((one.product, one.balance_minor) for one in balance.gift_cards)
        found.add((tuple(live), len(balance.vouchers)))
        assert dict(rows)["top-up"] >= 3
        desk.close()
    assert len(found) == 1


def test_who_turns_out_to_be_one_person_has_the_cards_of_one(desk):
    desk.enrol(BEN)
    cards = [one for card in (ANA, BEN) for one in given(desk.buy(f"r{card}", lines=(sells(10000),), card=card))]
    assert len(cards) == 4  # and three a month are for one person
    ana = desk.service.member(MemberRef(card=ANA)).member_id
    desk.ask(MergeMembers(member_id=ana, member=MemberRef(card=BEN), actor="kim", reason="two cards"), key="m")
    assert sorted(desk.look(one)["state"] for one in cards) == ["active", "active", "active", "deactivated"]
    desk.ask(desk.give_back("b1", of=f"r{BEN}"))
    assert sorted(desk.look(one)["state"] for one in cards) == ["active", "active", "deactivated", "deactivated"]


def test_a_card_that_only_both_together_earned_is_handed_out_with_the_merge(desk):
    """One bunch each, on one day: every second bunch of a day brings a voucher."""
    desk.enrol(BEN)
    for card in (ANA, BEN):
        assert given(desk.buy(f"r{card}", lines=(flowers(1),), card=card)) == []
    ana = desk.service.member(MemberRef(card=ANA)).member_id
    merge = MergeMembers(member_id=ana, member=MemberRef(card=BEN), actor="kim")
    (voucher,) = desk.ask(merge, key="m")["gift_cards_issued"]
    assert (voucher["giver"], desk.look(voucher)["state"]) == ("flowers", "active")
    (again,) = desk.ask(merge, key="m")["gift_cards_issued"]
    assert again["gift_card_id"] == voucher["gift_card_id"]
    assert desk.look(again)["state"] == "active"


def test_verify_finds_a_card_that_no_rule_gave_and_one_that_is_missing(desk):
    (card,) = given(desk.buy("r1", lines=(flowers(2),)))
    owner = desk.service._running.ids.read_gift_card(card["gift_card_id"])
    for giver, fault in (("top-up", "`flowers` gave 1 gift cards more"), ("flowers", "")):
        with desk.service._store.transaction() as session:
            session.write("UPDATE given_card SET giver = ? WHERE card_id = ?", [(giver, owner)])
        findings = desk.service.verify()
        assert any(fault in one for one in findings) if fault else findings == []


def test_no_code_is_kept(tmp_path, clock):
    shop = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock, POLICY, Desk, (ANA,))
    basket = shop.basket("r1", lines=(flowers(2), sells(5000, "2")))
    codes = [one["code"] for _ in range(2) for one in given(shop.ask(RecordPurchase(basket), key="k"))]
    (review,) = given(shop.ask(RecordActivity(member=MemberRef(card=ANA), name="review", occurred_at=NOON), key="a"))
    codes += [review["code"], shop.act(review, "NEW_CODE", key="n")["code"]]
    shop.service.close()
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert len(set(codes)) == 6
    assert [code for code in codes if code.encode() in kept or code.replace("-", "").encode() in kept] == []
