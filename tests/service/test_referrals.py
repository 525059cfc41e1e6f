"""Referrals: both get their part when the friend first buys, and keep it only while that holds."""

import random
from datetime import date

import pytest

from rewards.basket import MemberRef
from rewards.errors import InvalidRequest, NotFound
from rewards.service.commands import ChangeMember
from tests.service.conftest import DAY, NOON, POLICY, opened

WITH_REFERRALS = POLICY.replace(
    b"returns:",
    b"""activities:
  referral:
    give: 30 beans
    for_referrer: 40 beans
    when: {spend: {at_least: 5.00}}
    limit: {times: 2, per: month}
returns:""",
)
ANA, BEN = "2600000001236", "2600000002042"
EARLY = date(2026, 1, 1)


@pytest.fixture
def shop(clock):
    shop = opened("sqlite://", clock, WITH_REFERRALS)
    yield shop
    shop.close()


def _pair(shop):
    ana = shop.enrol(ANA, joined=EARLY)["member_id"]
    ben = shop.enrol(BEN, joined=EARLY, referred_by=MemberRef(card=ANA))["member_id"]
    return ana, ben


def _of(shop, member):
    return shop.beans(member).available


def test_both_get_their_part_when_the_friend_first_buys(shop):
    ana, ben = _pair(shop)
    assert _of(shop, ana) == 0
    answer = shop.buy("r1", 600, card=BEN)
    awards = {award["rule"]: award for award in answer["awards"]}
    assert awards["referral"]["points"] == 30
    assert awards["referral"]["why"].startswith(
        "once, on 6.00 eligible today; for the first purchase and being brought"
    )
    assert (_of(shop, ana), _of(shop, ben)) == (40, 30 + 30 + 100)
    (entry,) = shop.service.statement(ana).entries
    (change,) = entry.changes
    assert (entry.kind, entry.activity, change.points, change.why) == ("activity", "referral", 40, "for `referral`")
    shop.buy("r2", 600, card=BEN)
    shop.clock.now += DAY
    shop.buy("r3", 600, card=BEN)
    assert _of(shop, ana) == 40  # once


def test_what_it_asks_for_may_be_reached_by_a_second_receipt_of_the_day(shop):
    ana, _ = _pair(shop)
    shop.buy("r1", 300, card=BEN)
    assert _of(shop, ana) == 0
    shop.buy("r2", 300, card=BEN)
    assert _of(shop, ana) == 40


def test_who_was_not_brought_gets_nothing_and_is_not_told_of_it(shop):
    shop.enrol(ANA, joined=EARLY)
    answer = shop.buy("r1", 600)
    told = [award["rule"] for award in answer["awards"]] + [miss["rule"] for miss in answer["not_applied"]]
    assert "referral" not in told


def test_a_full_return_takes_both_parts_back(shop):
    ana, ben = _pair(shop)
    shop.buy("r1", 600, card=BEN)
    shop.ask(shop.give_back())
    assert (_of(shop, ana), _of(shop, ben)) == (0, 0)
    (change,) = shop.service.statement(ana).entries[0].changes
    assert (change.points, change.why) == (-40, "what it was for counts no longer: 0, not 40")
    shop.clock.now += DAY
    shop.buy("r2", 600, card=BEN)  # now this is the first
    assert _of(shop, ana) == 40


def test_a_late_receipt_moves_both_to_its_day(shop):
    ana, ben = _pair(shop)
    shop.clock.now += 10 * DAY
    shop.buy("r1", 600, card=BEN)
    shop.buy("r0", 600, card=BEN, at=NOON)
    assert [(e.points, e.expires_at[:10]) for e in shop.beans(ana).expiries] == [(40, "2027-12-02")]
    assert [(e.points, e.expires_at[:10]) for e in shop.beans(ben).expiries] == [
        (160, "2027-12-02"),
        (30, "2027-12-12"),
    ]
    shop.ask(shop.give_back(of="r0"))
    assert [(e.points, e.expires_at[:10]) for e in shop.beans(ana).expiries] == [(40, "2027-12-12")]


def test_the_limit_is_the_referrers(shop):
    ana = shop.enrol(ANA, joined=EARLY)["member_id"]
    cards = ["2600000009997", BEN, "2600000003001"]
    for number, card in enumerate(cards):
        shop.enrol(card, joined=EARLY, referred_by=MemberRef(card=ANA))
        shop.buy(f"r{number}", 600, card=card)
    assert _of(shop, ana) == 80
    shop.ask(shop.give_back(of="r0"))
    assert _of(shop, ana) == 80  # the third takes the place of the first


def test_a_blocked_referrer_gets_nothing(shop):
    ana, ben = _pair(shop)
    shop.ask(ChangeMember(member_id=ana, state="blocked"))
    shop.buy("r1", 600, card=BEN)
    assert (_of(shop, ana), _of(shop, ben)) == (0, 160)


def test_only_a_member_can_have_brought_somebody(shop):
    with pytest.raises(NotFound) as refused:
        shop.enrol(BEN, referred_by=MemberRef(card=ANA))
    assert (refused.value.code, refused.value.pointer) == ("unknown-member", "/referred_by")
    with pytest.raises(NotFound):
        shop.enrol(BEN, referred_by=MemberRef(card=BEN))  # nobody brings themselves
    for ref, pointer in ((MemberRef(), "/referred_by"), (MemberRef(phone="x"), "/referred_by/phone")):
        with pytest.raises(InvalidRequest) as wrong:
            shop.enrol(BEN, referred_by=ref)
        assert wrong.value.pointer == pointer
    shop.enrol(BEN, referred_by=None)


def test_any_order_of_arrival_gives_the_same(clock):
    def told(seed):
        shop = opened("sqlite://", clock, WITH_REFERRALS)
        clock.now = NOON
        ana = shop.enrol(ANA, joined=EARLY)["member_id"]
        friends = [BEN, "2600000009997", "2600000003001"]
        for card in friends:
            shop.enrol(card, joined=EARLY, referred_by=MemberRef(card=ANA))
        clock.now += 40 * DAY
        events = [(card, n, NOON + (7 * i + 11 * n) % 36 * DAY) for i, card in enumerate(friends) for n in range(4)]
        random.Random(seed).shuffle(events)
        for card, n, at in events:
            shop.buy(f"{card}-{n}", 300 + 100 * n, card=card, at=at)
        for card in friends:
            shop.ask(shop.give_back(f"{card}-b", of=f"{card}-2"))
        found = shop.beans(ana)
        shop.close()
        return [(e.points, e.expires_at) for e in found.expiries]

    first = told(0)
    assert sum(points for points, _ in first) in {40, 80, 120}
    assert all(told(seed) == first for seed in range(1, 6))
