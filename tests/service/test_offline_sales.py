"""Gift cards that a till sold while it was offline: their money goes on the card wherever it can, or is told."""

import pytest

from rewards.basket import StoredValue
from rewards.service.codes import new_code

from .conftest import card, line, warned
from .test_card_money import ANA, BEN
from .test_offline_tenders import POLICY as TENDERS
from .test_offline_tenders import refunded, till

POLICY = TENDERS.replace(b"load: 5.00-250.00", b"load: 5.00-250.00, max_balance: 300.00").replace(
    b"  flyer:", b"  mine: {kind: paid, to: member}\n  flyer:"
)
__all__ = ["till"]


@pytest.fixture
def policy():
    return POLICY


def sells(minor=2500, product="cafe", name="1", quantity=1, **named):
    value = StoredValue(product=product, **named)
    return line(name, "GIFTCARD", minor, quantity, stored_value=value)


def sold(till, *lines, receipt="r1", **facts):
    due = sum(one.unit_price_minor * one.quantity for one in lines)
    return till.offline(receipt, ("cash", due), lines=lines, **facts)


def test_a_card_that_waits_is_activated(till):
    waits = till.issue(amount=None)
    answer = sold(till, sells(code=waits["code"]))
    assert (warned(answer), till.look(waits)["state"], till.balance(waits)) == ([], "active", 2500)
    (issued,) = answer["gift_cards_issued"]
    assert (issued["gift_card_id"], issued["new"], "code" in issued) == (waits["gift_card_id"], False, False)
    back = till.ask(till.give_back())
    assert (back["gift_cards_voided"][0]["voided_minor"], till.balance(waits)) == (2500, 0)


def test_a_new_card_is_issued_and_its_code_told_to_the_till(till):
    answer = sold(till, sells())
    (issued,) = answer["gift_cards_issued"]
    assert (warned(answer), issued["new"], till.balance(issued)) == ([], True, 2500)
    again = sold(till, sells())["gift_cards_issued"][0]
    assert again["code"] != issued["code"]
    assert till.balance(again) == 2500


def test_a_card_that_was_active_is_loaded(till):
    issued = till.issue(amount=1000)
    answer = sold(till, sells(gift_card_id=issued["gift_card_id"]))
    assert (warned(answer), till.balance(issued)) == ([("gift-card-active", "/lines/0/stored_value")], 3500)


def test_what_is_sold_in_a_batch_pays_in_it(till):
    waits = till.issue(amount=None)
    sold(till, sells(code=waits["code"]))
    answer = till.offline("r2", card(waits, 1000))
    assert (warned(answer), till.balance(waits)) == ([], 1500)
    back = till.ask(till.give_back())
    assert back["gift_cards_voided"][0]["spent_minor"] == 1000
    assert refunded(back) == {0: (1500, 0)}


@pytest.mark.parametrize(
    ("minor", "code", "pointer"),
    [(100, "load-not-allowed", "/lines/0"), (25_000, "balance-too-high", "/lines/0/stored_value")],
)
def test_a_load_beyond_what_is_allowed_is_on_the_card(till, minor, code, pointer):
    issued = till.issue(amount=10_000)
    answer = sold(till, sells(minor, code=issued["code"]))
    assert warned(answer) == [(code, pointer), ("gift-card-active", "/lines/0/stored_value")]
    assert till.balance(issued) == 10_000 + minor


def test_a_blocked_card_takes_what_was_paid_for_it(till):
    issued = till.issue(amount=1000)
    till.act(issued, "BLOCK")
    answer = sold(till, sells(code=issued["code"]))
    assert warned(answer) == [("activity-not-possible", "/lines/0/stored_value")]
    assert (till.look(issued)["state"], till.balance(issued)) == ("blocked", 3500)


def unknown(_till):
    return sells(code=new_code()), "unknown-gift-card"


def gone(till):
    waits = till.issue(amount=None)
    till.act(waits, "DEACTIVATE")
    return sells(code=waits["code"]), "activity-not-possible"


def given(till):
    return sells(code=till.issue("short", 700)["code"]), "activity-not-possible"


def not_sold(_till):
    return sells(product="bonus"), "not-for-sale"


def several(_till):
    return sells(product="cafe", quantity=2), "one-card-a-line"


def personal(_till):
    return sells(product="mine"), "gift-card-needs-member"


@pytest.mark.parametrize("made", [unknown, gone, given, not_sold, several, personal])
def test_money_that_can_go_on_no_card_is_told_and_booked(till, made):
    row, code = made(till)
    accounts = till.accounts()
    paid = row.unit_price_minor * row.quantity
    answer = sold(till, row, line("2"), card=None)
    assert [one for one, _ in warned(answer)] == [code, "stored-value-unplaced"]
    assert answer["warnings"][1]["unplaced_minor"] == paid
    assert (answer["gift_cards_issued"], till.lacking()) == ([], {"unplaced": paid, "stored_value": -paid})
    (told,) = till.service.liability().shortfalls
    assert (told.kind, told.amount_minor) == ("stored_value", paid)
    back = till.ask(till.give_back())
    assert (back["refund_due_minor"], till.lacking(), till.accounts()) == (paid + 1000, {}, accounts)


def test_a_card_for_one_member_is_the_buyers(till):
    answer = sold(till, sells(product="mine"), card=BEN)
    assert warned(answer) == []
    assert till.look(answer["gift_cards_issued"][0])["personal"]


def test_a_product_that_the_policy_does_not_have_is_the_tills_own(till):
    answer = sold(till, sells(product="film"), card=ANA)
    assert (warned(answer), answer["gift_cards_issued"], answer["totals"]["earned"]) == ([], [], {})
