"""Several contacts for a member, lost cards, and members who are blocked."""

import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, NotFound, RewardsError
from rewards.service.commands import ChangeContacts, ChangeMember, Contact, Enrol, OfflinePurchase

ANA, BEN, NEW = "2600000001236", "2600000002042", "2600000009997"


def change(shop, member_id, *, remove=(), add=(), **facts):
    command = ChangeContacts(
        member_id=member_id,
        remove=tuple(Contact(**one) for one in remove),
        add=tuple(Contact(**one) for one in add),
        **facts,
    )
    return shop.ask(command)


@pytest.fixture
def ana(shop):
    return shop.enrol(ANA)["member_id"]


def test_a_member_has_several_of_each(shop, ana):
    told = change(
        shop, ana, add=[{"card": NEW}, {"phone": "030 901820"}, {"phone": "030 901821"}, {"email": "A@b.example"}]
    )
    assert told["cards"] == [ANA, NEW]
    assert (told["phones"], told["emails"]) == (["+4930901820", "+4930901821"], ["a@b.example"])
    for ref in (MemberRef(card=NEW), MemberRef(phone="+4930901821"), MemberRef(email="a@B.example")):
        assert shop.service.member(ref).member_id == ana


def test_a_phone_that_is_taken_away_may_be_anothers(shop, ana):
    ben = shop.enrol(BEN)["member_id"]
    change(shop, ana, add=[{"phone": "030 901820"}])
    told = change(shop, ana, remove=[{"phone": "+49 30 901820"}])
    assert "phones" not in told
    assert change(shop, ben, add=[{"phone": "030 901820"}])["phones"] == ["+4930901820"]


def test_in_one_batch_too(shop, ana):
    ben = shop.enrol(BEN)["member_id"]
    phone = (Contact(phone="030 901820"),)
    steps = [(ana, (), phone), (ana, phone, ()), (ben, (), phone), (ben, phone, ()), (ana, (), phone)]
    commands = [ChangeContacts(member_id=who, remove=gone, add=new) for who, gone, new in steps]
    for future in shop.service.submit_all(commands):
        future.result()
    assert shop.service.member(MemberRef(phone="030 901820")).member_id == ana
    assert shop.service.member(MemberRef(id=ben)).phones == []


def test_a_lost_card_is_replaced(shop, ana):
    shop.buy("r1", 1000)
    told = change(shop, ana, remove=[{"card": ANA}], issue_card=True, actor="lee")
    (card,) = told["cards"]
    assert told["replaced_cards"] == [ANA]
    assert shop.buy("r2", 1000, card=card)["member_id"] == ana
    for ask in (
        lambda: shop.buy("r3", 1000),
        lambda: shop.enrol(ANA),
        lambda: shop.service.member(MemberRef(card=ANA)),
    ):
        with pytest.raises(Conflict) as refused:
            ask()
        assert (refused.value.code, refused.value.facts["member_id"]) == ("card-replaced", ana)
    with pytest.raises(Conflict, match="lost"):
        change(shop, shop.enrol(BEN)["member_id"], add=[{"card": ANA}])
    assert shop.beans(ana).available == 200


def test_offline_a_lost_card_is_a_guest(shop, ana):
    change(shop, ana, remove=[{"card": ANA}])
    answer = shop.ask(OfflinePurchase(shop.basket("r1", 1000)))
    assert (answer["member_id"], answer["warnings"][0]["code"]) == (None, "card-replaced")


def test_the_same_change_again_changes_nothing(shop, ana):
    once = change(shop, ana, add=[{"card": NEW}], remove=[{"card": ANA}])
    assert change(shop, ana, add=[{"card": NEW}], remove=[{"card": ANA}]) == once


@pytest.mark.parametrize(
    ("facts", "kind", "code", "pointer"),
    [
        ({"add": [{"card": BEN}]}, Conflict, "member-exists", "/add/0/card"),
        ({"add": [{"card": NEW}, {"card": "2600000009990"}]}, InvalidRequest, "card-check-digit", "/add/1/card"),
        ({"add": [{}]}, InvalidRequest, "contact-ambiguous", "/add/0"),
        ({"add": [{"card": NEW, "phone": "030 901820"}]}, InvalidRequest, "contact-ambiguous", "/add/0"),
        ({"add": [{"card": ANA}], "remove": [{"card": ANA}]}, InvalidRequest, "contact-ambiguous", "/add/0/card"),
        ({"remove": [{"card": BEN}]}, NotFound, "unknown-contact", "/remove/0/card"),
        ({"remove": [{"email": "x@y.example"}]}, NotFound, "unknown-contact", "/remove/0/email"),
        ({"add": [{"email": f"a{i}@b.example"} for i in range(21)]}, InvalidRequest, "too-many-contacts", "/add"),
    ],
)
def test_what_is_refused_changes_nothing(shop, ana, facts, kind, code, pointer):
    shop.enrol(BEN)
    before = shop.service.member(MemberRef(id=ana))
    with pytest.raises(RewardsError) as refused:
        change(shop, ana, **facts)
    assert (type(refused.value), refused.value.code, refused.value.pointer) == (kind, code, pointer)
    assert shop.service.member(MemberRef(id=ana)) == before


def test_a_blocked_member_earns_nothing_and_is_told(shop, ana):
    shop.buy("r1", 1000)
    assert shop.ask(ChangeMember(member_id=ana, state="blocked"))["state"] == "blocked"
    for answer in (shop.buy("r2", 1000), shop.ask(OfflinePurchase(shop.basket("r3", 1000)))):
        assert (answer["member_id"], answer["totals"]["earned"]) == (None, {})
        assert [one["code"] for one in answer["warnings"]] == ["member-blocked"]
        assert "claim" not in answer
    assert shop.service.quote(shop.basket("r4", 1000)).warnings[0]["code"] == "member-blocked"
    assert shop.buy("r2", 1000)["member_id"] is None
    assert shop.beans(ana).available == 150
    assert shop.ask(shop.give_back(of="r1"))["taken_back"] != []
    assert shop.ask(ChangeMember(member_id=ana, state="active"))["state"] == "active"
    assert shop.buy("r5", 1000)["member_id"] == ana


def test_verify_finds_a_state_that_nothing_brought_about(shop, ana):
    shop.damage("UPDATE owner SET state = 'blocked'")
    assert shop.service.verify() == ["owner 1: it is blocked, and its events say active"]
    shop.damage("UPDATE owner SET state = 'active'")


def test_a_new_member_cannot_have_a_lost_card_by_any_way(shop, ana):
    change(shop, ana, remove=[{"card": ANA}])
    with pytest.raises(Conflict) as refused:
        shop.ask(Enrol(card=ANA, phone="030 901820"))
    assert refused.value.pointer == "/card"
    with pytest.raises(NotFound):
        shop.service.member(MemberRef(phone="030 901820"))
