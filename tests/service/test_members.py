"""Members: enrolling, contacts in one form, balances, statements, adjustments."""

from datetime import date, timedelta

import pytest
from stdnum import ean

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, NotFound
from rewards.service.commands import Adjust, Enrol

from .conftest import DAY, counts


def adjust(shop, member, points, **facts):
    how = {"wallet": "beans", "reason": "sorry", "actor": "kim", **facts}
    return shop.ask(Adjust(member=MemberRef(id=member), points=points, **how))


def test_a_card_is_issued_where_none_is_given(shop):
    cards = {shop.ask(Enrol())["cards"][0] for _ in range(20)}
    assert len(cards) == 20
    assert all(card.startswith("26") and ean.is_valid(card) for card in cards)


def test_contacts_are_kept_in_one_form(shop):
    answer = shop.enrol("2600000 001236", phone="030/901820", email=" Ana@Example.COM ", name="Ana", language="de")
    assert answer["cards"] == ["2600000001236"]
    assert (answer["phones"], answer["emails"]) == (["+4930901820"], ["ana@example.com"])
    found = shop.service.member(MemberRef(phone="0049 30 901820"))
    assert (found.member_id, found.name, found.language) == (answer["member_id"], "Ana", "de")


@pytest.mark.parametrize(
    ("facts", "pointer"),
    [
        ({"card": "2600000001237"}, "/card"),
        ({"card": " "}, "/card"),
        ({"phone": "12"}, "/phone"),
        ({"phone": "call me"}, "/phone"),
        ({"email": "nobody"}, "/email"),
        ({"email": "a@b"}, "/email"),
        ({"email": "a b@c.de"}, "/email"),
        ({"joined": date(2027, 1, 1)}, "/joined"),
    ],
)
def test_a_wrong_contact_is_refused(shop, facts, pointer):
    with pytest.raises(InvalidRequest) as refused:
        shop.ask(Enrol(**facts))
    assert refused.value.pointer == pointer
    assert counts(shop.service)["owner"] == 0


@pytest.mark.parametrize("facts", [{"card": "2600000001236"}, {"phone": "+49 30 901820"}, {"external_id": "x"}])
def test_a_contact_is_one_members(shop, facts):
    shop.enrol(phone="030 901820", external_id="x")
    with pytest.raises(Conflict) as refused:
        shop.ask(Enrol(**facts))
    assert (refused.value.code, refused.value.pointer) == ("member-exists", f"/{next(iter(facts))}")


def test_two_who_enrol_at_once_with_one_phone_are_one(shop):
    futures = shop.service.submit_all([Enrol(phone="030 901820"), Enrol(phone="+4930901820")])
    assert futures[0].result().status == 201
    assert isinstance(futures[1].exception(), Conflict)


def test_staff_give_and_take(shop):
    member = shop.enrol()["member_id"]
    given = adjust(shop, member, 30)
    assert given["balance"]["beans"]["available"] == 30
    assert adjust(shop, member, -10)["balance"]["beans"]["available"] == 20
    with pytest.raises(Conflict) as refused:
        adjust(shop, member, -21)
    assert (refused.value.code, refused.value.facts) == ("not-enough-points", {"available": 20, "wanted": 21})
    last = shop.service.statement(member).entries[0]
    assert (last.kind, last.reason, last.actor, last.points) == ("adjustment", "sorry", "kim", {"beans": -10})


@pytest.mark.parametrize("wrong", [{"points": 0}, {"wallet": "stars", "points": 1}])
def test_an_unclear_adjustment_is_refused(shop, wrong):
    member = shop.enrol()["member_id"]
    with pytest.raises(InvalidRequest):
        adjust(shop, member, **wrong)


def test_points_given_on_a_day_join_its_lot(shop):
    member = shop.enrol()["member_id"]
    shop.buy()
    adjust(shop, member, 7)
    assert [end.points for end in shop.beans(member).expiries] == [157]


def test_balances_at_any_instant(shop):
    member = shop.enrol()["member_id"]
    shop.buy("r1")
    first = shop.clock()
    shop.clock.now += 10 * DAY
    shop.buy("r2")
    adjust(shop, member, -60)
    now = shop.clock()
    assert shop.beans(member, first).available == 150
    assert shop.beans(member, first - 1).available == 150  # lots belong to days, not to instants
    assert shop.beans(member, first - 86_400_000_000).available == 0
    assert shop.beans(member).available == 140
    year = 365 * 86_400_000_000
    assert shop.beans(member, first + year).available == 50
    assert shop.beans(member, now + year).available == 0


def test_pending_points_arrive(shop):
    member = shop.enrol()["member_id"]
    adjust(shop, member, 4, wallet="stamps")
    stamps = shop.service.balance(member).wallets["stamps"]
    assert (stamps.available, stamps.pending) == (0, 4)
    assert [(a.points, a.available_at) for a in stamps.arrivals] == [(4, "2026-12-05T00:00:00+01:00")]
    shop.clock.now += 3 * DAY
    assert shop.service.balance(member).wallets["stamps"].available == 4


@pytest.mark.parametrize("at", [-(10**17), 10**18, 10**30])
def test_an_instant_outside_the_calendar_is_refused(shop, at):
    member = shop.enrol()["member_id"]
    with pytest.raises(InvalidRequest):
        shop.service.balance(member, at)


def test_a_statement_has_pages(shop):
    member = shop.enrol()["member_id"]
    for i in range(7):
        adjust(shop, member, i + 1)
    seen, cursor = [], None
    while True:
        page = shop.service.statement(member, limit=3, cursor=cursor)
        seen += [entry.points["beans"] for entry in page.entries]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 201}, {"cursor": "x"}, {"cursor": "ü"}, {"cursor": "_" * 99}]
)
def test_a_wrong_page_is_refused(shop, wrong):
    member = shop.enrol()["member_id"]
    with pytest.raises(InvalidRequest):
        shop.service.statement(member, **wrong)


def test_what_has_ended_is_shown_before_it_is_booked(shop):
    member = shop.enrol()["member_id"]
    shop.buy()
    shop.clock.now += timedelta(days=366)
    shown = shop.service.statement(member).entries
    assert [(entry.entry, entry.kind, entry.points) for entry in shown] == [
        (0, "expiry", {"beans": -150}),
        (1, "purchase", {"beans": 150}),
    ]
    adjust(shop, member, 5)
    booked = shop.service.statement(member).entries
    assert [(entry.entry, entry.kind) for entry in booked] == [(3, "adjustment"), (2, "expiry"), (1, "purchase")]


@pytest.mark.parametrize("name", ["mem_x", "pur_x", "", "mem_" + "a" * 24])
def test_an_unknown_member_is_not_found(shop, name):
    for ask in (shop.service.balance, shop.service.statement):
        with pytest.raises(NotFound):
            ask(name)
    with pytest.raises(NotFound):
        shop.service.member(MemberRef(card="42"))


def test_ids_do_not_count(shop):
    first, second = (shop.ask(Enrol())["member_id"] for _ in range(2))
    assert sum(a == b for a, b in zip(first, second, strict=True)) < 15


def test_a_debt_from_elsewhere_is_taken_over(shop):
    member = shop.enrol()["member_id"]
    adjust(shop, member, -30, may_owe=True)
    assert (shop.beans(member).available, shop.beans(member).debt) == (0, 30)
    assert shop.service.statement(member).entries[0].points == {"beans": -30}
    shop.buy()
    assert shop.beans(member).available == 120
