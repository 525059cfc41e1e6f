"""Offers at the till: decided, promised by a quote, limited for a member, given back by a full return."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest

from rewards.basket import Basket, MemberRef
from rewards.errors import Conflict, InvalidRequest
from rewards.service.commands import RecordPurchase
from tests.policies import program

from .conftest import DAY, line, offers, opened

POLICY = program("""country: DE
points:
  beans: {one: bean}
earn:
  beans: {every: 1.00, give: 5 beans}
offers:
  cake-hour: {on: {categories: [cake]}, schedule: {hours: "11:00-13:00"}, percent_off: 20%}
  third-free: {on: {categories: [coffee]}, free: {units: 1, of_every: 3}}
  weekly: {when: {spend: {at_least: 10.00}}, amount_off: 2.00, stage: basket, limit: {times: 1, per: week}}
  back-again: {when: {visits: {at_least: 2, within: 30 days}, code: AGAIN}, percent_off: 10%, stage: basket}
  ten-in-all: {on: {skus: [PEN]}, amount_off: 0.50 per unit, limit: {units: 3, per: ever}}
returns: {}
""").encode()


@pytest.fixture
def till(clock):
    shop = opened("sqlite://", clock, POLICY)
    yield shop
    shop.close()


def cake(amount=800, quantity=3):
    return line("1", amount=amount, quantity=quantity, categories=("cake",))


def test_a_discount_is_told_with_its_shares_and_earns_nothing(till):
    till.enrol()
    answer = till.buy(lines=(cake(), line("2", "BREAD", amount=480)))
    assert offers(answer) == {"cake-hour": 480, "weekly": 200}
    assert answer["totals"]["net_minor"] == 2880 - 680 == answer["totals"]["due_minor"]
    assert sum(share["amount_minor"] for one in answer["discounts"] for share in one["lines"]) == 680
    assert answer["totals"]["earned"] == {"beans": 110}
    assert answer["discounts"][0]["why"] == "20% off 24.00 of the basket"
    assert [one["net_minor"] for one in answer["lines"]] == [1760, 440]


def test_tenders_pay_what_is_left(till):
    till.enrol()
    with pytest.raises(Conflict) as refusal:
        till.buy(lines=(cake(),), tenders=(("cash", 2400),))
    assert (refusal.value.code, refusal.value.facts["payable_minor"]) == ("due-changed", 1720)
    assert till.buy(lines=(cake(),), tenders=(("cash", 1720),))["totals"]["due_minor"] == 1720


def test_a_guest_has_what_reads_no_member(till):
    answer = till.buy(card=None, lines=(cake(),))
    assert offers(answer) == {"cake-hour": 480}
    assert ("weekly", "needs a member") in {(one["rule"], one["why"]) for one in answer["not_applied"]}


def test_units_are_free_by_threes(till):
    till.enrol()
    coffee = line("1", "FLATWHITE", amount=300, quantity=7, categories=("coffee",))
    assert offers(till.buy(lines=(coffee,))) == {"third-free": 600, "weekly": 200}


def test_what_is_short_is_told(till):
    till.enrol()
    answer = till.buy(amount=950)
    assert answer["discounts"] == []
    assert [(one["rule"], one["why"], one["short_minor"]) for one in answer["not_applied"]] == [
        ("weekly", "0.50 short of 10.00", 50)
    ]


def test_a_condition_on_visits_counts_today(till, clock):
    till.enrol()
    assert offers(till.buy("r1", 500, codes=("again",))) == {}
    clock.now += DAY
    assert offers(till.buy("r2", 500, codes=("again",))) == {"back-again": 50}


def test_a_limit_holds_until_a_full_return(till, clock):
    till.enrol()
    assert offers(till.buy("r1", 1000)) == {"weekly": 200}
    assert offers(till.buy("r2", 2000)) == {}
    clock.now += timedelta(hours=1)
    till.ask(till.give_back("b1", of="r1"))
    assert offers(till.buy("r3", 1000)) == {"weekly": 200}
    clock.now += 7 * DAY
    assert offers(till.buy("r4", 1000)) == {"weekly": 200}


def test_a_partial_return_gives_no_use_back(till):
    till.enrol()
    assert offers(till.buy("r1", lines=(line("1", amount=1000, quantity=2),))) == {"weekly": 200}
    till.ask(till.give_back("b1", of="r1", lines={"1": 1}))
    assert offers(till.buy("r2", 1000)) == {}
    till.ask(till.give_back("b2", of="r1"))
    assert offers(till.buy("r3", 1000)) == {"weekly": 200}


def test_units_are_limited_over_receipts(till):
    till.enrol()
    pens = lambda units: (line("1", "PEN", amount=100, quantity=units),)  # noqa: E731
    assert offers(till.buy("r1", lines=pens(2))) == {"ten-in-all": 100}
    assert offers(till.buy("r2", lines=pens(2))) == {"ten-in-all": 50}
    assert offers(till.buy("r3", lines=pens(2))) == {}


def test_sent_again_it_is_the_same_answer_though_the_limit_is_used_up(till):
    till.enrol()
    basket = till.basket("r1", 1000)
    first = till.service.do(RecordPurchase(basket))
    again = till.service.do(RecordPurchase(basket))
    assert (again.body, again.replayed) == (first.body, True)
    with pytest.raises(Conflict) as refusal:
        till.buy("r1", 1001)
    assert refusal.value.code == "receipt-conflict"


def test_a_partial_return_pays_back_the_share(till):
    till.enrol()
    till.buy("r1", lines=(cake(),), tenders=(("cash", 1720),))
    parts = [till.ask(till.give_back(f"b{i}", of="r1", lines={"1": 1}))["refund_due_minor"] for i in range(3)]
    assert parts == [574, 573, 573]


def test_a_quote_is_what_the_purchase_gets(till, clock):
    till.enrol()
    basket = till.basket("r1", lines=(cake(),))
    quote = till.service.quote(basket)
    clock.now += timedelta(minutes=20)  # the hour of cakes has not ended, but were it over, the promise would stand
    clock.now = clock.now.replace(hour=12, minute=5)
    quoted = msgspec.structs.replace(basket, occurred_at=clock.now, quote=quote.quote)
    with pytest.raises(Conflict, match="expired"):
        till.service.do(RecordPurchase(quoted))
    clock.now = clock.now.replace(hour=11, minute=10)
    answer = json.loads(till.service.do(RecordPurchase(msgspec.structs.replace(quoted, occurred_at=clock.now))).body)
    assert answer["totals"]["due_minor"] == quote.totals.due_minor == 1720
    assert [(one["offer"], one["amount_minor"]) for one in answer["discounts"]] == [
        (one.offer, one.amount_minor) for one in quote.discounts
    ]


def test_a_quote_keeps_its_price_when_the_hour_is_over(till, clock):
    till.enrol()
    clock.now = clock.now.replace(hour=11, minute=55)  # 12:55 in Berlin
    basket = till.basket("r1", lines=(cake(),))
    quote = till.service.quote(basket)
    clock.now += timedelta(minutes=10)
    late = msgspec.structs.replace(basket, occurred_at=clock.now)
    assert (
        json.loads(till.service.do(RecordPurchase(msgspec.structs.replace(late, receipt_id="x"))).body)["totals"][
            "due_minor"
        ]
        == 2200
    )
    with pytest.raises(Conflict) as refusal:  # `weekly` went to the other receipt
        till.service.do(RecordPurchase(msgspec.structs.replace(late, quote=quote.quote)))
    assert (refusal.value.code, refusal.value.facts["offer"]) == ("offer-gone", "weekly")
    till.ask(till.give_back("b1", of="x"))
    answer = json.loads(till.service.do(RecordPurchase(msgspec.structs.replace(late, quote=quote.quote))).body)
    assert answer["totals"]["due_minor"] == 1720


def test_a_quote_of_a_long_receipt_can_be_brought(till):
    till.enrol()
    lines = tuple(line(str(i), f"S{i}", amount=100 + i, categories=("cake",)) for i in range(2000))
    basket = till.basket("r1", lines=lines)
    quote = till.service.quote(basket)
    body = msgspec.json.encode(msgspec.structs.replace(basket, quote=quote.quote))
    answer = till.ask(RecordPurchase(msgspec.json.decode(body, type=Basket)))
    assert answer["totals"]["due_minor"] == quote.totals.due_minor < sum(range(100, 2100))


def test_an_offer_with_a_code_is_not_told_to_who_has_none(till):
    till.enrol()
    told = {one["rule"] for one in till.buy("r1", 500)["not_applied"]}
    told |= {one["rule"] for one in till.buy("r2", 500, card=None)["not_applied"]}
    assert told == {"weekly"}


def test_a_quote_of_another_basket_or_made_up_is_refused(till):
    till.enrol()
    quote = till.service.quote(till.basket("r1", 1000)).quote
    with pytest.raises(Conflict) as refusal:
        till.buy("r1", 1100, quote=quote)
    assert refusal.value.code == "quote-mismatch"
    with pytest.raises(InvalidRequest) as refusal:
        till.buy("r1", 1000, quote=quote[:-3] + "xxx")
    assert refusal.value.code == "quote-invalid"


def test_a_quote_writes_nothing_and_uses_nothing_up(till):
    till.enrol()
    for _ in range(3):
        assert till.service.quote(till.basket("r1", 1000)).totals.due_minor == 800
    assert offers(till.buy("r1", 1000)) == {"weekly": 200}


def test_a_limit_is_never_overrun_by_tills_at_once(till):
    till.enrol()
    baskets = [till.basket(f"r{i}", 1000) for i in range(50)]
    with ThreadPoolExecutor(50) as tills:
        answers = list(tills.map(lambda basket: till.ask(RecordPurchase(basket)), baskets))
    assert sum(offers(answer).get("weekly", 0) for answer in answers) == 200
    assert sum(answer["totals"]["net_minor"] for answer in answers) == 50_000 - 200


def test_one_quote_brought_by_two_tills_at_once_is_kept_once(till):
    till.enrol()
    quote = till.service.quote(till.basket("q", 1000)).quote
    baskets = [till.basket(f"r{i}", 1000, quote=quote) for i in range(8)]

    def bring(basket):
        try:
            return till.ask(RecordPurchase(basket))["totals"]["due_minor"]
        except Conflict as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as tills:
        found = sorted(map(str, tills.map(bring, baskets)))
    assert found == ["800", *["offer-gone"] * 7]


def test_imported_receipts_keep_their_price(till):
    outcome = till.service.do(
        RecordPurchase(till.basket("r1", lines=(cake(),), member=MemberRef(external_id="old"))), caller="import"
    )
    assert outcome.status == 201
    assert till.service.purchase(store_id="S1", receipt_id="r1").discounts == []


def test_states_are_rebuilt_with_the_uses(till):
    till.enrol()
    till.buy("r1", 1000)
    till.service.rebuild()
    assert offers(till.buy("r2", 1000)) == {}
