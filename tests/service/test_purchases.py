"""Purchases: what is answered, who may buy, what is refused; quotes are the same unwritten."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, NotFound
from rewards.service.commands import Enrol, RecordPurchase
from rewards.service.service import Service
from rewards.store.database import Store

from .conftest import DAY, NOON, counts, line


def test_a_first_purchase(shop):
    member = shop.enrol()["member_id"]
    coffee = line("2", sku="LATTE", amount=350, quantity=2, categories=("coffee",))
    lines = (line("1", amount=1050), coffee)
    answer = shop.buy(lines=lines, discount_minor=50, tenders=(("cash", 1000), ("card", 700)))
    assert answer["member_id"] == member
    assert answer["totals"] == {
        "gross_minor": 1750,
        "discount_minor": 50,
        "net_minor": 1700,
        "payable_minor": 1700,
        "due_minor": 1700,
        "earned": {"beans": 185, "stamps": 2},
        "spent": {},
    }
    assert sum(sum(t["amount_minor"] for t in each["tenders"]) for each in answer["lines"]) == 1700
    awards = {award["rule"]: award for award in answer["awards"]}
    assert {rule: award["points"] for rule, award in awards.items()} == {"beans": 85, "stamp": 2, "welcome": 100}
    assert awards["stamp"]["available_at"] == "2026-12-05T00:00:00+01:00"
    assert awards["beans"]["expires_at"] == "2027-12-02T00:00:00+01:00"
    assert sum(part["points"] for part in awards["beans"]["lines"]) == 85
    assert "17 whole 1.00 in 17.00" in awards["beans"]["why"]
    assert [(miss["rule"], miss["short_minor"]) for miss in answer["not_applied"]] == [("big", 3300)]
    assert answer["balance"]["stamps"] == {"available": 0, "pending": 2, "held": 0, "debt": 0}


def test_a_guest_is_told_what_it_would_have_earned(shop):
    answer = shop.buy(card=None)
    assert answer["member_id"] is None
    assert answer["awards"] == []
    assert answer["would_earn"] == {"beans": 50}
    assert counts(shop.service)["entry"] == 0
    assert shop.buy(card=None) == answer


def test_codes_that_nobody_knows_are_named(shop):
    shop.enrol()
    assert shop.buy(codes=("nope",))["codes_refused"] == [{"code": "NOPE", "reason": "unknown-code"}]


def test_a_member_is_found_by_every_name(shop):
    member = shop.enrol(phone="030 901820", email="Ana@Example.com", external_id="x-1")["member_id"]
    refs = [{"id": member}, {"card": "2600000 001236"}, {"phone": "+4930901820"}, {"email": "ana@example.COM"}]
    for i, ref in enumerate([*refs, {"external_id": "x-1"}]):
        assert shop.buy(f"r{i}", member=MemberRef(**ref))["member_id"] == member


@pytest.mark.parametrize("ref", [{"id": "mem_nobody"}, {"card": "42"}, {"external_id": "x"}, {"phone": "+4930901821"}])
def test_an_unknown_member_is_refused(shop, ref):
    with pytest.raises(NotFound) as refused:
        shop.buy(member=MemberRef(**ref))
    assert (refused.value.code, refused.value.pointer) == ("unknown-member", "/member")
    assert counts(shop.service)["event"] == 0


@pytest.mark.parametrize("ref", [{}, {"card": "42", "phone": "+4930901820"}])
def test_a_member_has_one_name(shop, ref):
    with pytest.raises(InvalidRequest):
        shop.buy(member=MemberRef(**ref))


@pytest.mark.parametrize(("late", "taken"), [(-45, True), (-46, False), (0.003, True), (0.004, False)])
def test_an_instant_far_off_is_refused(shop, late, taken):
    shop.enrol()
    at = NOON + timedelta(days=late)
    if taken:
        shop.buy(at=at)
        return
    with pytest.raises(InvalidRequest) as refused:
        shop.buy(at=at)
    assert refused.value.code == "time-out-of-range"
    assert shop.buy(at=at, how={"caller": "scenario"})["purchase_id"]


def test_another_currency_is_refused(shop):
    shop.enrol()
    with pytest.raises(InvalidRequest) as refused:
        shop.service.do(RecordPurchase(msgspec.structs.replace(shop.basket(), currency="GBP")))
    assert refused.value.code == "currency-mismatch"


def test_nothing_goes_without_a_policy(clock):
    service = Service(Store.open(), clock=clock)
    with pytest.raises(NotFound):
        service.policy()
    for ask in (lambda: service.balance("mem_x"), lambda: service.do(Enrol()), lambda: service.purchase("pur_x")):
        with pytest.raises(Conflict) as refused:
            ask()
        assert refused.value.code == "no-policy"
    service.close()


def test_two_receipts_of_a_day_see_each_other_in_one_batch(shop):
    member = shop.enrol()["member_id"]
    baskets = [shop.basket(f"r{i}", 50) for i in range(4)]
    answers = [f.result() for f in shop.service.submit_all([RecordPurchase(b) for b in baskets])]
    earned = [json.loads(outcome.body)["totals"]["earned"].get("beans", 0) for outcome in answers]
    assert earned == [100, 5, 0, 5]
    assert shop.beans(member).available == 110


def test_a_late_receipt_counts_on_its_own_day(shop):
    member = shop.enrol()["member_id"]
    shop.buy("r1", 150)
    shop.clock.now += 3 * DAY
    shop.buy("r2", 150)
    shop.buy("r3", 150, at=NOON)
    assert shop.beans(member).available == 100 + 15 + 5
    assert shop.service.statement(member).entries[0].changes[0].day == "2026-12-02"


def test_a_purchase_is_read_again(shop):
    shop.enrol()
    said = shop.buy(lines=(line("1", quantity=2), line("2", amount=300)))
    assert json.loads(msgspec.json.encode(shop.service.purchase(said["purchase_id"])))["awards"] == said["awards"]
    shop.service.do(shop.give_back(lines={"1": 1}, reason="broken"))
    again = shop.service.purchase(store_id="S1", receipt_id="r1")
    assert [each.returned for each in again.lines] == [1, 0]
    assert [(entry.kind, entry.points) for entry in again.adjustments] == [("return", {"beans": -50})]
    assert again.totals.earned == {"beans": 215}


@pytest.mark.parametrize("name", ["pur_x", "pur_" + "a" * 32, "nonsense", "mem_" + "a" * 24, "pur_ü"])
def test_an_unknown_purchase_is_not_found(shop, name):
    with pytest.raises(NotFound):
        shop.service.purchase(name)


def test_a_quote_is_the_purchase_unwritten(shop):
    shop.enrol()
    before = counts(shop.service)
    quote = json.loads(msgspec.json.encode(shop.service.quote(shop.basket())))
    assert counts(shop.service) == before
    bought = shop.buy(quote=quote["quote"])
    for answer in (quote, bought):
        for key in ("quote", "quote_until", "purchase_id"):
            answer.pop(key, None)
    assert quote == bought


def test_a_guest_has_quotes_too(shop):
    quote = shop.service.quote(shop.basket(card=None))
    assert quote.would_earn == {"beans": 50}
    assert shop.buy(card=None, quote=quote.quote)


def test_a_quote_is_for_its_basket_and_its_half_hour(shop):
    shop.enrol()
    quote = shop.service.quote(shop.basket()).quote
    with pytest.raises(Conflict) as refused:
        shop.buy(amount=999, quote=quote)
    assert refused.value.code == "quote-mismatch"
    with pytest.raises(Conflict) as refused:
        shop.buy(card=None, quote=quote)
    assert refused.value.code == "quote-mismatch"
    shop.clock.now += timedelta(minutes=30, seconds=1)
    with pytest.raises(Conflict) as refused:
        shop.buy(quote=quote)
    assert refused.value.code == "quote-expired"
    shop.clock.now -= timedelta(seconds=2)
    shop.buy(quote=quote)


@pytest.mark.parametrize("forged", ["", "q1", "q1.a.b", "q1.!.!", "q2.{1}.{2}", "q1.{1}.AAAA", "q1.{1}.{2}.x", "ü.ü.ü"])
def test_a_forged_quote_is_refused(shop, forged):
    shop.enrol()
    parts = shop.service.quote(shop.basket()).quote.split(".")
    with pytest.raises(InvalidRequest) as refused:
        shop.buy(quote=forged.format(*parts))
    assert refused.value.code == "quote-invalid"


def test_a_batch_goes_on_after_a_refusal(shop):
    shop.enrol()
    wrong = shop.basket("r2", card="42")
    futures = shop.service.submit_all([RecordPurchase(b) for b in (shop.basket("r1"), wrong, shop.basket("r3"))])
    assert futures[0].result().status == 201
    assert isinstance(futures[1].exception(), NotFound)
    assert futures[2].result().status == 201


def test_import_enrols_whom_it_meets(shop):
    basket = shop.basket(member=MemberRef(external_id="m-1"), at=datetime(2020, 1, 1, 12, tzinfo=UTC))
    assert shop.service.do(RecordPurchase(basket), caller="import").body == b""
    member = shop.service.member(MemberRef(external_id="m-1"))
    assert member.joined == "2020-01-01"
    assert shop.beans(member.member_id, at=shop.clock() - 2350 * 86400 * 10**6).available == 150


@pytest.mark.parametrize("year", [1, 1899, 2200, 9999])
def test_not_even_import_takes_any_year(shop, year):
    basket = shop.basket(card=None, at=datetime(year, 6, 1, tzinfo=UTC))
    with pytest.raises(InvalidRequest) as refused:
        shop.service.do(RecordPurchase(basket), caller="import")
    assert refused.value.code == "time-out-of-range"


def test_a_hold_is_named(shop):
    shop.enrol()
    with pytest.raises(InvalidRequest) as refusal:
        shop.buy(tenders=(("hold", 500), ("cash", 500)))
    assert (refusal.value.code, refusal.value.pointer) == ("hold-missing", "/tenders/0/hold_id")
