"""Claims: a guest's purchase counts for a member, once, by the code on its receipt; wrong codes tell nothing."""

import json
from datetime import timedelta

import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, NotFound
from rewards.service.claims import MOST_GUESSES
from rewards.service.codes import DIGITS
from rewards.service.commands import ClaimPurchase, IssueGiftCard, RecordPurchase
from tests.policies import program

from .conftest import DAY, NOON, Shop, counts, line, opened

ANA, BEN = "2600000001236", "2600000002042"
CAFE = program("""points:
  beans: {one: bean, expires: {after: 12 months, at: end_of_month}}
  stamps: {one: stamp, expires: {after: 12 months}}
earn:
  beans: {every: 1.00, give: 5 beans}
  stamp: {on: {categories: [coffee]}, every: 1 unit, give: 1 stamp}
offers:
  fifth: {when: {code: FIFTH}, percent_off: 20%, stage: basket, budget: {times: 2, per: ever}}
  tenth: {only_by: voucher, percent_off: 10%, stage: basket}
gift_cards:
  flyer: {kind: voucher, offer: tenth}
returns: {accept_within: 90 days, spent_points: debt}
""").encode()
BREAKFAST = (line("1", "FLATWHITE", 380, categories=("coffee",)), line("2", "CROISSANT", 290))


class Desk(Shop):
    """A shop whose guests come back with their receipts."""

    def guest(self, receipt="g1", **facts):
        return self.buy(receipt, card=None, lines=facts.pop("lines", BREAKFAST), **facts)

    def claim(self, bought, code=None, card=ANA, **how):
        command = ClaimPurchase(
            purchase_id=bought["purchase_id"], member=MemberRef(card=card), claim_code=code or bought["claim"]["code"]
        )
        return self.ask(command, **how)

    def refused(self, *args, **how):
        with pytest.raises((Conflict, NotFound)) as error:
            self.claim(*args, **how)
        return error.value.code

    def points(self, card=ANA):
        found = self.service.balance(self.service.member(MemberRef(card=card)).member_id)
        return {wallet: one.available for wallet, one in found.wallets.items()}


@pytest.fixture
def desk(tmp_path, clock):
    desk = opened(f"sqlite:///{tmp_path / 'cafe.db'}", clock, CAFE, Desk, (ANA, BEN))
    yield desk
    desk.close()


def wrong(code):
    return code[:-1] + next(symbol for symbol in DIGITS if symbol != code[-1])


def test_a_guest_is_told_what_a_member_would_earn_and_how_to_claim_it(desk):
    bought = desk.guest()
    assert bought["would_earn"] == {"beans": 30, "stamps": 1}
    assert bought["member_id"] is None
    assert bought["claim"]["until"] == "2026-12-09T12:00:00+01:00"
    code = bought["claim"]["code"].replace("-", "")
    assert len(code) == 8
    assert set(code) <= set(DIGITS)
    assert "claim" not in desk.buy("r1", 100)


def test_of_purchase_and_arrival_the_later_counts(desk):
    assert desk.guest("late", at=NOON - 3 * DAY)["claim"]["until"] == "2026-12-09T12:00:00+01:00"
    assert desk.guest("early", at=NOON + timedelta(minutes=4))["claim"]["until"] == "2026-12-09T12:04:00+01:00"


def test_it_counts_as_a_late_receipt_on_the_members_day(desk, clock):
    desk.buy("r1", lines=BREAKFAST)
    bought = desk.guest(at=NOON + timedelta(minutes=1))
    clock.now += 2 * DAY
    desk.buy("r2", 150)
    before = desk.points()
    claimed = desk.claim(bought)
    assert claimed["earned"] == {"beans": 35, "stamps": 1}
    assert (claimed["purchase_id"], claimed["member_id"]) == (
        bought["purchase_id"],
        desk.service.member(MemberRef(card=ANA)).member_id,
    )
    assert [(one["rule"], one["points"], one["day"]) for one in claimed["awards"]] == [
        ("beans", 35, "2026-12-02"),
        ("stamp", 1, "2026-12-02"),
    ]
    assert claimed["awards"][0]["why"] == "13 whole 1.00 in 13.40 eligible of that day: 65, of which 30 were given"
    assert desk.points() == {"beans": before["beans"] + 35, "stamps": before["stamps"] + 1}


def test_claimed_or_bought_by_the_member_is_the_same(desk):
    desk.claim(desk.guest("g1", codes=("FIFTH",)))
    desk.buy("r1", lines=BREAKFAST, codes=("FIFTH",), card=BEN)
    assert desk.points(ANA) == desk.points(BEN)


def test_once(desk):
    bought = desk.guest()
    desk.claim(bought)
    assert desk.refused(bought) == "already-claimed"
    assert desk.refused(bought, card=BEN) == "already-claimed"
    assert desk.refused(bought, wrong(bought["claim"]["code"])) == "unknown-purchase"
    assert desk.points(BEN) == {"beans": 0, "stamps": 0}


def test_one_of_many_at_once(desk):
    bought = desk.guest()
    command = [
        ClaimPurchase(
            purchase_id=bought["purchase_id"], member=MemberRef(card=card), claim_code=bought["claim"]["code"]
        )
        for card in (ANA, BEN) * 10
    ]
    ended = [future.exception() for future in desk.service.submit_all(command)]
    assert [error.code for error in ended if error is not None] == ["already-claimed"] * 19


def test_a_repeated_claim_gets_the_same_answer(desk):
    bought = desk.guest()
    assert desk.claim(bought, key="k") == desk.claim(bought, key="k")
    assert desk.points()["beans"] == 30


@pytest.mark.parametrize("write", [str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_code_is_read_as_people_type_it(desk, write):
    bought = desk.guest()
    assert desk.claim(bought, write(bought["claim"]["code"]))["earned"]["beans"] == 30


def test_a_wrong_code_is_answered_as_no_such_purchase(desk):
    bought = desk.guest()
    member = desk.buy("r1", 100)
    told = []
    for purchase_id, code in (
        (bought["purchase_id"], "0000-0000"),
        (bought["purchase_id"], "Ω"),
        ("pur_nothing", bought["claim"]["code"]),
        (member["purchase_id"], bought["claim"]["code"]),
    ):
        with pytest.raises(NotFound) as error:
            desk.ask(ClaimPurchase(purchase_id=purchase_id, member=MemberRef(card=ANA), claim_code=code))
        told.append((error.value.code, error.value.message, error.value.pointer, error.value.facts))
    assert told == [told[0]] * 4


def test_after_so_many_wrong_codes_none_is_right_not_even_after_a_restart(desk, tmp_path, clock):
    bought, other = desk.guest("g1"), desk.guest("g2")
    code = bought["claim"]["code"]
    for i in range(MOST_GUESSES):
        assert desk.refused(bought, f"{i:08}") == "unknown-purchase"
    again = opened(f"sqlite:///{tmp_path / 'cafe.db'}", clock, CAFE, Desk)
    assert again.refused(bought, code) == "unknown-purchase"
    assert again.claim(other)["earned"]["beans"] == 30
    again.service.close()
    before = counts(desk.service)
    assert desk.refused(bought, "ZZZZZZZZ") == "unknown-purchase"
    assert counts(desk.service) == before


def test_a_wrong_code_sent_again_is_one_guess(desk):
    bought = desk.guest()
    for _ in range(3 * MOST_GUESSES):
        assert desk.refused(bought, wrong(bought["claim"]["code"])) == "unknown-purchase"
    assert desk.claim(bought)["earned"]["beans"] == 30


def test_seven_days(desk, clock):
    first, second = desk.guest("g1"), desk.guest("g2")
    clock.now += 7 * DAY
    desk.claim(first)
    clock.now += timedelta(microseconds=1)
    assert desk.refused(second) == "claim-expired"


def test_not_after_a_return(desk):
    bought = desk.guest()
    desk.ask(desk.give_back(of="g1", lines={"2": 1}))
    assert desk.refused(bought) == "purchase-returned"


def test_after_a_return_that_took_nothing(desk):
    """It came before the receipt, and names what the receipt does not have."""
    desk.ask(desk.give_back("early", of="g1", lines={"9": 1}))
    assert desk.claim(desk.guest())["earned"] == {"beans": 30, "stamps": 1}


@pytest.mark.parametrize("by_id", [False, True])
def test_a_return_afterwards_takes_the_members_points_back(desk, by_id):
    desk.buy("r1", lines=BREAKFAST)
    before = desk.points()
    bought = desk.guest()
    desk.claim(bought)
    of = {"purchase_id": bought["purchase_id"]} if by_id else {"store_id": "S1", "receipt_id": "g1"}
    command = desk.give_back(of="g1")
    command = type(command)(
        return_id="b1", store_id="S1", occurred_at=desk.clock.now, of=type(command.of)(**of), all=True
    )
    told = desk.ask(command)
    assert told["purchase_id"] == bought["purchase_id"]
    assert {one["wallet"]: one["points"] for one in told["taken_back"]} == {"beans": 35, "stamps": 1}
    assert desk.points() == before
    assert desk.service.do(command).replayed


def test_the_purchase_is_read_as_the_members(desk):
    bought = desk.guest()
    member_id = desk.claim(bought)["member_id"]
    for read in (
        desk.service.purchase(bought["purchase_id"]),
        desk.service.purchase(store_id="S1", receipt_id="g1"),
    ):
        assert (read.purchase_id, read.member_id, read.totals.earned) == (
            bought["purchase_id"],
            member_id,
            {"beans": 30, "stamps": 1},
        )
        assert read.claim is None
    entry = desk.service.statement(member_id).entries[0]
    assert (entry.kind, entry.purchase_id, entry.receipt_id) == ("purchase", bought["purchase_id"], "g1")


def test_the_till_is_answered_alike_before_and_after_the_claim(desk):
    basket = desk.basket("g1", card=None, lines=BREAKFAST)
    first = desk.service.do(RecordPurchase(basket), key="k")
    assert desk.service.do(RecordPurchase(basket), key="k").body == first.body
    bought = json.loads(first.body)
    desk.claim(bought)
    for key in ("k", None, "other"):
        again = desk.service.do(RecordPurchase(basket), key=key)
        assert (again.replayed, again.body) == (True, first.body)


def test_its_offers_are_not_looked_at_again(desk):
    flyer = desk.ask(IssueGiftCard(product="flyer"))
    bought = desk.guest("g1", codes=("FIFTH",))
    sold = desk.guest("g2", codes=(flyer["code"],))
    assert (bought["totals"]["discount_minor"], sold["totals"]["discount_minor"]) == (134, 67)
    desk.claim(bought)
    desk.claim(sold)
    assert desk.guest("g3", codes=("FIFTH",))["totals"]["discount_minor"] == 134
    assert desk.guest("g4", codes=("FIFTH",))["totals"]["discount_minor"] == 0
    desk.ask(desk.give_back("b1", of="g1"))
    assert desk.ask(desk.give_back("b2", of="g2"))["vouchers_restored"] != []
    assert desk.guest("g5", codes=("FIFTH",))["totals"]["discount_minor"] == 134
    assert desk.service.gift_card(flyer["code"]).state == "active"


def test_codes_are_kept_nowhere(desk, tmp_path, caplog):
    told = [desk.guest(f"g{i}") for i in range(3)]
    codes = [bought["claim"]["code"] for bought in told]
    desk.claim(told[0])
    desk.refused(told[1], wrong(codes[1]))
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir()) + caplog.text.encode()
    assert b"****-****" in kept
    for code in (*codes, wrong(codes[1])):
        assert code.encode() not in kept
        assert code.replace("-", "").encode() not in kept


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM event WHERE owner_id = 3 AND number = 2",
        "UPDATE event SET body = x'920107' WHERE owner_id = 3 AND number = 2",
        "UPDATE event SET external_id = 'x' WHERE owner_id = 3 AND number = 2",
    ],
)
def test_verify_finds_a_claim_with_one_side(clock, sql):
    desk = opened("sqlite://", clock, CAFE, Desk, (ANA, BEN))
    desk.claim(desk.guest())
    assert desk.service.verify() == []
    desk.damage(sql)
    assert any("claimed" in finding for finding in desk.service.verify())
    desk.service.close()
