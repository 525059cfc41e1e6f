"""Exactly once: three nets, each of which holds when the others are cut."""

import msgspec
import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, KeyReused
from rewards.service.commands import Adjust, Enrol, Publish, RecordPurchase
from rewards.service.service import Service
from rewards.store.database import Store

from .conftest import POLICY, Shop, counts, line


def cut(shop, *tables):
    shop.damage(*(f"DELETE FROM {table}" for table in tables))


def mend(shop, rows):
    """Put routes back, so that the last look at the database finds nothing wrong."""
    with shop.service._store.transaction() as session:
        session.write("INSERT INTO receipt_route VALUES (?, ?, ?, ?, ?, ?)", rows)


def routes(shop):
    return shop.books("SELECT * FROM receipt_route")


def test_the_key_alone(shop):
    """Without its receipt number a purchase would be another one; the key knows it."""
    shop.enrol()
    first = shop.service.do(RecordPurchase(shop.basket()), key="k", caller="till")
    before, kept = counts(shop.service), routes(shop)
    cut(shop, "receipt_route")
    again = shop.service.do(RecordPurchase(shop.basket()), key="k", caller="till")
    assert (again.status, again.body, again.replayed) == (201, first.body, True)
    assert counts(shop.service)["event"] == before["event"]
    mend(shop, kept)


def test_the_receipt_number_alone(shop):
    shop.enrol()
    first = shop.service.do(RecordPurchase(shop.basket()))
    before = counts(shop.service)
    shop.clock.now += shop.clock.now.resolution
    again = shop.service.do(RecordPurchase(shop.basket(at=shop.clock.now - shop.clock.now.resolution)))
    assert (again.body, again.replayed) == (first.body, True)
    assert counts(shop.service) == before


def test_the_journals_own_key_alone(shop):
    """With routes and keys lost, the database itself refuses the double."""
    member = shop.enrol()["member_id"]
    shop.service.do(RecordPurchase(shop.basket()), key="k")
    before, kept = counts(shop.service), routes(shop)
    cut(shop, "receipt_route", "key_route", "answer")
    with pytest.raises(Conflict) as refused:
        shop.service.do(RecordPurchase(shop.basket()), key="k")
    assert refused.value.code == "recorded-already"
    assert counts(shop.service)["event"] == before["event"]
    assert shop.beans(member).available == 150
    mend(shop, kept)


def test_other_content_under_a_key_is_refused(shop):
    shop.enrol()
    shop.service.do(RecordPurchase(shop.basket()), key="k")
    with pytest.raises(KeyReused):
        shop.service.do(RecordPurchase(shop.basket("r2")), key="k")
    shop.service.do(RecordPurchase(shop.basket("r2")), key="k", caller="another till")


def test_a_key_of_another_command_is_refused(shop):
    shop.enrol()
    shop.service.do(RecordPurchase(shop.basket()), key="k")
    with pytest.raises(KeyReused):
        shop.service.do(Enrol(phone="+4930901820"), key="k")
    with pytest.raises(KeyReused):
        shop.service.do(Publish(POLICY), key="k")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"lines": (line("1", amount=1001),)}, "/lines/0/amount_minor"),
        ({"lines": (line("1"), line("2"))}, "/lines"),
        ({"lines": (line("2"),)}, "/lines/0/line_id"),
        ({"codes": ("X",)}, "/codes"),
        ({"till_id": "T9"}, "/till_id"),
        ({"member": None}, "/member"),
        ({"discount_minor": 1}, "/lines/0/discount_minor"),
        ({"tenders": (("cash", 1000),)}, "/tenders"),
    ],
)
def test_other_content_under_a_receipt_number_is_refused(shop, change, pointer):
    shop.enrol()
    shop.buy()
    with pytest.raises(Conflict) as refused:
        shop.buy(**change)
    assert refused.value.code == "receipt-conflict"
    assert refused.value.facts["differs"] == [pointer]


def test_the_same_facts_in_other_words_are_the_same(shop):
    """By card or by id, by price or by amount: no till is refused for how it says a thing."""
    member = shop.enrol()["member_id"]
    first = shop.service.do(RecordPurchase(shop.basket()))
    spoken = msgspec.structs.replace(
        shop.basket(),
        member=MemberRef(id=member),
        lines=(msgspec.structs.replace(line("1"), unit_price_minor=None, amount_minor=1000),),
    )
    assert shop.service.do(RecordPurchase(spoken)).body == first.body


def test_attributes_in_another_order_are_the_same(shop):
    shop.enrol()
    one = shop.basket(lines=(line("1", attributes={"a": 1, "b": True}),))
    other = shop.basket(lines=(line("1", attributes={"b": True, "a": 1}),))
    first = shop.service.do(RecordPurchase(one), key="k")
    assert shop.service.do(RecordPurchase(other), key="k").body == first.body


def test_a_refusal_is_the_answer_under_its_key_and_the_number_stays_free(shop):
    member = shop.enrol()["member_id"]
    take = Adjust(member=MemberRef(id=member), wallet="beans", points=-10, reason="r", actor="kim")
    with pytest.raises(Conflict) as first:
        shop.service.do(take, key="k")
    shop.buy()
    with pytest.raises(Conflict) as again:
        shop.service.do(take, key="k")
    assert (again.value.message, again.value.facts) == (first.value.message, first.value.facts)
    shop.service.do(take, key="k2")
    due = shop.basket("r2", tenders=(("cash", 1),))
    with pytest.raises(Conflict, match="tenders"):
        shop.service.do(RecordPurchase(due), key="d")
    with pytest.raises(Conflict, match="tenders"):
        shop.service.do(RecordPurchase(due), key="d")
    shop.service.do(RecordPurchase(shop.basket("r2")), key="d2")


def test_an_enrolment_and_a_version_come_back_byte_for_byte(shop):
    first = shop.service.do(Enrol(phone="+4930901820"), key="e")
    again = shop.service.do(Enrol(phone="+4930901820"), key="e")
    assert (again.body, again.replayed) == (first.body, True)
    later = POLICY + b"# a note\n"
    first = shop.service.do(Publish(later), key="p")
    again = shop.service.do(Publish(later), key="p")
    assert (again.body, again.replayed) == (first.body, True)
    assert len(shop.service.versions()) == 2


def test_doubles_in_one_batch_are_one(shop):
    shop.enrol()
    futures = shop.service.submit_all([RecordPurchase(shop.basket())] * 5)
    outcomes = [future.result() for future in futures]
    assert len({outcome.body for outcome in outcomes}) == 1
    assert [outcome.replayed for outcome in outcomes] == [False, True, True, True, True]


def test_adjustments_have_a_name_of_their_own(shop):
    member = shop.enrol()["member_id"]
    give = Adjust(member=MemberRef(id=member), wallet="beans", points=5, reason="r", actor="kim", adjustment_id="a")
    first = shop.service.do(give)
    assert shop.service.do(give).body == first.body
    with pytest.raises(Conflict):
        shop.service.do(msgspec.structs.replace(give, points=6))
    assert shop.beans(member).available == 5


def test_a_batch_sees_what_was_imported(shop):
    """What import recorded without an answer is told when a till asks for it."""
    shop.enrol()
    shop.service.do(RecordPurchase(shop.basket()), caller="import")
    again = shop.service.do(RecordPurchase(shop.basket()), key="k")
    assert again.replayed
    assert b'"earned":{"beans":150}' in again.body


def test_a_shop_that_was_not_open_yet_refuses_nothing_for_ever(clock):
    shop = Shop(Service(Store.open(), clock=clock), clock)
    with pytest.raises(Conflict):
        shop.service.do(RecordPurchase(shop.basket(card=None)), key="k")
    shop.service.do(Publish(POLICY))
    assert shop.service.do(RecordPurchase(shop.basket(card=None)), key="k").status == 201
    shop.service.close()
