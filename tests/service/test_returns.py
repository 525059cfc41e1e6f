"""Returns: whole, in parts, without a receipt, and before their purchase."""

import json
from datetime import timedelta

import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, NotFound
from rewards.service.commands import Adjust, RecordPurchase, ReturnOf

from .conftest import DAY, counts, line


def test_a_full_return_leaves_nothing(shop):
    member = shop.enrol()["member_id"]
    shop.buy(tenders=(("cash", 400), ("card", 600)))
    answer = shop.ask(shop.give_back())
    assert answer["refund"] == [
        {"tender": 0, "kind": "cash", "amount_minor": 400},
        {"tender": 1, "kind": "card", "amount_minor": 600},
    ]
    assert answer["refund_due_minor"] == 1000
    assert {one["rule"]: one["points"] for one in answer["taken_back"]} == {"beans": 50, "welcome": 100}
    assert "still_returnable" not in answer
    assert shop.beans(member).available == 0
    assert shop.buy("r2")["totals"]["earned"] == {"beans": 150}


def test_parts_sum_to_the_whole(shop):
    shop.enrol()
    shop.buy(
        lines=(line("1", amount=800, quantity=3), line("2", amount=480)),
        tenders=(("cheque", 500), ("gift_card", 1000), ("cash", 1380)),
        how={"caller": "scenario"},
    )
    parts = [shop.ask(shop.give_back(f"b{i}", lines={"1": 1})) for i in range(3)] + [shop.ask(shop.give_back("b3"))]
    sums = [0, 0, 0]
    for part in parts:
        for refund in part["refund"]:
            sums[refund["tender"]] += refund["amount_minor"]
    assert sums == [500, 1000, 1380]
    assert sum(part["refund_due_minor"] for part in parts) == 1880
    assert parts[0]["still_returnable"] == [{"line_id": "1", "quantity": 2}, {"line_id": "2", "quantity": 1}]


def test_tax_that_the_price_leaves_out_comes_back_too(shop):
    shop.buy(card=None, lines=(line("1", amount=500, quantity=2, tax_minor=70, tax_included=False),))
    assert shop.ask(shop.give_back(lines={"1": 1}))["refund_due_minor"] == 535


def test_spent_points_become_a_debt_that_the_next_purchase_pays(shop):
    member = shop.enrol()["member_id"]
    shop.buy()
    shop.ask(Adjust(member=MemberRef(id=member), wallet="beans", points=-140, reason="spent", actor="kim"))
    shop.ask(shop.give_back())
    assert (shop.beans(member).available, shop.beans(member).debt) == (0, 140)
    shop.buy("r2")
    assert (shop.beans(member).available, shop.beans(member).debt) == (10, 0)


def test_too_much_is_refused(shop):
    shop.enrol()
    shop.buy(lines=(line("1", quantity=2),))
    shop.ask(shop.give_back("b1", lines={"1": 1}))
    with pytest.raises(Conflict) as refused:
        shop.ask(shop.give_back("b2", lines={"1": 2}))
    assert (refused.value.code, refused.value.facts["returnable"]) == ("return-exceeds", 1)
    shop.ask(shop.give_back("b3"))
    with pytest.raises(Conflict):
        shop.ask(shop.give_back("b4"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"lines": {"9": 1}},
        {"lines": {}},
        {"of": ReturnOf()},
        {"of": ReturnOf(store_id="S1")},
        {"of": ReturnOf(purchase_id="pur_x", store_id="S1", receipt_id="r1")},
        {"of": None, "lines": {"1": 1}},
    ],
)
def test_an_unclear_return_is_refused(shop, wrong):
    shop.enrol()
    shop.buy()
    with pytest.raises(InvalidRequest):
        shop.ask(shop.give_back(**wrong))


def test_by_the_purchases_id(shop):
    shop.enrol()
    bought = shop.buy()
    answer = shop.ask(shop.give_back(of=ReturnOf(purchase_id=bought["purchase_id"])))
    assert answer["purchase_id"] == bought["purchase_id"]
    with pytest.raises(NotFound):
        shop.ask(shop.give_back("b2", of=ReturnOf(purchase_id="pur_nothing")))


def test_sent_again_it_is_the_same_return(shop):
    shop.enrol()
    shop.buy()
    first = shop.service.do(shop.give_back())
    again = shop.service.do(shop.give_back())
    assert (again.body, again.replayed) == (first.body, True)
    with pytest.raises(Conflict) as refused:
        shop.service.do(shop.give_back(reason="other"))
    assert refused.value.code == "return-conflict"


def test_without_a_receipt_it_is_money_only(shop):
    answer = shop.service.do(shop.give_back(of=None))
    assert answer.status == 201
    assert json.loads(answer.body) == {"return_id": "b1"}
    assert shop.service.do(shop.give_back(of=None)).replayed


def test_a_guests_return(shop):
    shop.buy(card=None)
    answer = shop.ask(shop.give_back())
    assert answer["refund_due_minor"] == 1000
    assert "taken_back" not in answer


def test_a_return_waits_for_its_purchase(shop):
    member = shop.enrol()["member_id"]
    parked = shop.service.do(shop.give_back("b1", lines={"1": 1}, reason="broken"), key="k")
    assert parked.status == 202
    assert json.loads(parked.body)["waits_for"] == {"store_id": "S1", "receipt_id": "r1"}
    assert shop.service.do(shop.give_back("b1", lines={"1": 1}, reason="broken")).status == 202
    shop.ask(shop.give_back("b2", lines={"1": 9}))
    answer = shop.buy(lines=(line("1", quantity=3),))
    assert answer["totals"]["earned"] == {"beans": 250}
    assert shop.beans(member).available == 200
    entries = shop.service.statement(member).entries
    assert [entry.kind for entry in entries] == ["return", "return", "purchase"]
    assert counts(shop.service)["parked_return"] == 0
    booked = shop.service.do(shop.give_back("b1", lines={"1": 1}, reason="broken"))
    assert (booked.status, booked.replayed) == (201, True)
    assert json.loads(booked.body)["refund_due_minor"] == 1000
    assert shop.service.do(shop.give_back("b1", lines={"1": 1}, reason="broken"), key="k").body == parked.body


def test_parked_in_the_same_batch_as_its_purchase(shop):
    member = shop.enrol()["member_id"]
    commands = [shop.give_back(), RecordPurchase(shop.basket()), shop.give_back("b2", lines={"1": 1})]
    futures = shop.service.submit_all(commands)
    assert [futures[0].result().status, futures[1].result().status] == [202, 201]
    assert isinstance(futures[2].exception(), Conflict)
    assert shop.beans(member).available == 0


def test_a_purchase_and_its_return_in_one_batch(shop):
    member = shop.enrol()["member_id"]
    commands = [RecordPurchase(shop.basket()), shop.give_back(), RecordPurchase(shop.basket("r2"))]
    futures = shop.service.submit_all(commands)
    assert [future.result().status for future in futures] == [201, 201, 201]
    assert shop.beans(member).available == 150


def test_returns_of_old_purchases_with_days_in_between(shop):
    member = shop.enrol()["member_id"]
    for i in range(12):
        shop.buy(f"r{i}", 550 + i)
        shop.clock.now += timedelta(days=2)
    for i in (0, 5, 11):
        shop.ask(shop.give_back(f"b{i}", of=f"r{i}"))
    assert shop.beans(member).available == 100 + 9 * 25
    assert shop.service.verify() == []


def test_a_return_after_the_promised_time_is_recorded_with_a_warning(shop, clock):
    shop.enrol()
    shop.buy()
    clock.now += 90 * DAY
    assert "warnings" not in shop.ask(shop.give_back("b1", of="r1"))
    clock.now -= 90 * DAY
    shop.buy("r2")
    clock.now += 91 * DAY
    answer = shop.ask(shop.give_back("b2", of="r2"))
    assert [(one["code"], one["detail"]) for one in answer["warnings"]] == [
        ("return-late", "the policy takes goods of this purchase back until 2027-03-02")
    ]


def test_two_returns_of_everything_wait_for_one_purchase(shop):
    """The second finds nothing left, on a timeline that is empty again: it is recorded and takes nothing."""
    member = shop.enrol()["member_id"]
    for name in ("b1", "b2"):
        assert shop.service.do(shop.give_back(name, of="r1")).status == 202
    shop.buy("r1", 1000)
    assert shop.beans(member).available == 0
    assert shop.ask(shop.give_back("b2", of="r1"))["purchase_id"] == shop.buy("r1", 1000)["purchase_id"]
