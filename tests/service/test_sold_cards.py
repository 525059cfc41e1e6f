"""Gift cards sold at the till: issued, activated or loaded by a purchase, and earning nothing."""

from datetime import timedelta

import pytest

from rewards.basket import StoredValue
from rewards.errors import NotFound
from rewards.service.codes import new_code
from rewards.service.commands import OpenHold, RecordPurchase

from .conftest import line
from .test_card_money import ANA, desk, refusal

__all__ = ["desk"]


def sells(name="1", amount=2500, product="cafe", *, quantity=1, **which):
    return line(name, "CARD", amount=amount, quantity=quantity, stored_value=StoredValue(product=product, **which))


def test_a_purchase_issues_a_card_and_tells_its_code_once(desk):
    basket = desk.basket("r1", lines=(line("0"), sells()))
    answer = desk.ask(RecordPurchase(basket))
    (card,) = answer["gift_cards_issued"]
    assert {key: card[key] for key in ("line_id", "product", "amount_minor", "new")} == {
        "line_id": "1",
        "product": "cafe",
        "amount_minor": 2500,
        "new": True,
    }
    assert answer["totals"]["earned"] == {"beans": 50}
    assert answer["totals"]["payable_minor"] == 3500
    assert desk.balance(card) == 2500
    stored = desk.service.purchase(answer["purchase_id"]).gift_cards_issued
    assert stored == [{key: value for key, value in card.items() if key != "code"}]
    assert desk.accounts() == {"lot": 2500, "sold": -2500}


@pytest.mark.parametrize("key", [None, "k"])
def test_a_purchase_sent_again_tells_a_new_code_for_the_same_card(desk, key):
    basket = desk.basket("r1", lines=(sells(),))
    first, again = (desk.ask(RecordPurchase(basket), key=key)["gift_cards_issued"][0] for _ in range(2))
    assert first["code"] != again["code"]
    assert {**first, "code": ""} == {**again, "code": ""}
    assert desk.balance(first) == desk.balance(again) == 2500


def test_a_purchase_loads_a_card_by_code_or_id_and_activates_one(desk):
    card, waiting = desk.issue(amount=1000), desk.issue(amount=None)
    lines = (sells("1", code=card["code"]), sells("2", gift_card_id=waiting["gift_card_id"]))
    issued = desk.buy("r1", lines=lines)["gift_cards_issued"]
    assert [(one["gift_card_id"], one["new"]) for one in issued] == [
        (card["gift_card_id"], False),
        (waiting["gift_card_id"], False),
    ]
    assert [desk.balance(one) for one in (card, waiting)] == [3500, 2500]
    assert desk.look(waiting)["state"] == "active"


def test_a_quote_issues_nothing(desk):
    assert desk.service.quote(desk.basket("q", lines=(sells(),))).gift_cards_issued == []
    assert desk.accounts() == {}


def test_what_a_line_cannot_sell(desk):
    def code(*lines, **facts):
        return refusal(desk.buy, "r", lines=lines, **facts).code

    assert code(sells(amount=499)) == "load-not-allowed"
    assert code(sells(product="bonus")) == "not-for-sale"
    assert code(sells(quantity=2)) == "one-card-a-line"
    card = desk.issue(amount=25000)
    both = (sells("1", code=card["code"]), sells("2", code=card["code"], amount=2501))
    full = refusal(desk.buy, "r", lines=both)
    assert (full.code, full.pointer, full.facts["balance_minor"]) == (
        "balance-too-high",
        "/lines/1/stored_value",
        27500,
    )
    desk.act(card, "BLOCK")
    assert code(sells(code=card["code"])) == "activity-not-possible"
    with pytest.raises(NotFound):
        desk.buy("r", lines=(sells(code=new_code()),))
    assert desk.buy("r", lines=(sells(product="of-the-till"),))["gift_cards_issued"] == []


def test_selling_stored_value_is_no_visit_and_earns_nothing(desk):
    answer = desk.buy("r1", lines=(sells(),), card=ANA)
    assert (answer["totals"]["earned"], answer["awards"]) == ({}, [])


def test_a_quote_with_a_card_is_what_the_purchase_gives(desk):
    basket = desk.basket("r1", lines=(line("0"), sells()), card=ANA)
    quote = desk.service.quote(basket)
    assert (quote.totals.net_minor, quote.totals.payable_minor, quote.totals.earned) == (3500, 3500, {"beans": 50})
    facts = {name: getattr(basket, name) for name in basket.__struct_fields__}
    answer = desk.ask(RecordPurchase(type(basket)(**facts | {"quote": quote.quote})))
    assert answer["totals"]["earned"] == {"beans": 50}
    assert desk.balance(answer["gift_cards_issued"][0]) == 2500


# coming back


def test_a_return_voids_the_card(desk):
    card = desk.buy("r1", lines=(line("0"), sells()), tenders=(("cash", 3500),))["gift_cards_issued"][0]
    answer = desk.ask(desk.give_back(lines={"1": 1}))
    assert answer["gift_cards_voided"] == [
        {
            "line_id": "1",
            "gift_card_id": card["gift_card_id"],
            "last_four": card["last_four"],
            "voided_minor": 2500,
            "spent_minor": 0,
        }
    ]
    assert answer["refund_due_minor"] == 2500
    assert (desk.look(card)["state"], desk.accounts()) == ("deactivated", {"sold": -2500, "taken_back": 2500})


def test_what_was_spent_is_kept_off_the_refund(desk):
    card = desk.buy("r1", lines=(sells(),), tenders=(("cash", 2500),))["gift_cards_issued"][0]
    desk.act(card, "REDEEM", 700)
    answer = desk.ask(desk.give_back())
    assert [(one["voided_minor"], one["spent_minor"]) for one in answer["gift_cards_voided"]] == [(1800, 700)]
    assert answer["refund_due_minor"] == 1800
    assert sum(one["amount_minor"] for one in answer["refund"]) == 1800
    assert desk.accounts() == {"sold": -2500, "taken_back": 1800, "redeemed": 700}


def test_money_whose_hold_has_run_out_is_there_to_be_taken_back(desk, clock):
    card = desk.buy("r1", lines=(sells(),), tenders=(("cash", 2500),))["gift_cards_issued"][0]
    hold = OpenHold(hold_id="h1", kind="gift_card", code=card["code"], amount_minor=700, expires_in_seconds=60)
    desk.ask(hold)
    clock.now += timedelta(seconds=60)
    answer = desk.ask(desk.give_back())
    assert [(one["voided_minor"], one["spent_minor"]) for one in answer["gift_cards_voided"]] == [(2500, 0)]
    assert (answer["refund_due_minor"], desk.look(card)["state"]) == (2500, "deactivated")


def test_a_load_comes_back_and_the_card_stays(desk):
    card = desk.issue(amount=1000)
    desk.buy("r1", lines=(sells(code=card["code"]),))
    desk.act(card, "BLOCK")
    assert desk.ask(desk.give_back())["refund_due_minor"] == 2500
    assert (desk.look(card)["state"], desk.look(card)["balance_minor"]) == ("blocked", 1000)


def test_a_return_that_came_first_voids_the_card_at_once(desk):
    desk.ask(desk.give_back("b1"))
    card = desk.buy("r1", lines=(sells(),))["gift_cards_issued"][0]
    assert desk.look(card)["state"] == "deactivated"
    assert desk.ask(desk.give_back("b1"))["gift_cards_voided"][0]["voided_minor"] == 2500
