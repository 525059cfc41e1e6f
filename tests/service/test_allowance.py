"""What staff may give and take alone: counted by person and day, never overrun; above it a second person."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest
from rewards.service.commands import ActOnGiftCard, Adjust, IssueGiftCard, Publish
from tests.policies import program

from .conftest import DAY, Shop, opened

ANA, BEN = "2600000001236", "2600000002042"
POLICY = program("""points: {beans: {one: bean}, stamps: {one: stamp}}
earn: {beans: {every: 1.00, give: 5 beans}}
gift_cards: {card: {kind: paid, load: 5.00-250.00}}
returns: {accept_within: 90 days}
adjustments:
  limit: [{points: 100 beans, per: day}, {points: 60 beans, per: adjustment}, {money: 20.00, per: day}]
""").encode()


class Desk(Shop):
    """A desk where Kim and Lee work."""

    def give(self, points, *, actor="kim", card=ANA, wallet="beans", **facts):
        give = Adjust(member=MemberRef(card=card), wallet=wallet, points=points, reason="sorry", actor=actor, **facts)
        return self.ask(give)["balance"][wallet]["available"]

    def refused(self, *args, **facts):
        with pytest.raises((Conflict, InvalidRequest)) as error:
            self.give(*args, **facts)
        return error.value


@pytest.fixture
def desk(clock):
    desk = opened("sqlite://", clock, POLICY, Desk, (ANA, BEN))
    yield desk
    assert desk.service.verify() == []
    before = counted(desk.service)
    desk.service.rebuild()
    assert counted(desk.service) == before
    desk.service.close()


def counted(service):
    with service._store.reading() as session:
        return session.rows("SELECT day, unit, amount FROM staff_day ORDER BY owner_id, day, unit")


def test_a_person_gives_so_much_a_day_alone(desk):
    assert desk.give(60) == 60
    assert desk.give(40, card=BEN) == 40
    refused = desk.refused(1)
    assert (refused.code, refused.pointer) == ("needs-approval", "/points")
    assert refused.facts == {"limit": 100, "per": "day", "used": 100, "wanted": 1}
    assert "at most 100 beans per day alone; 100 are used up, so 1 more need a second person" in refused.message
    assert desk.give(60, actor="lee") == 120
    desk.clock.now += DAY
    assert desk.give(60) == 180


def test_what_is_taken_counts_as_what_is_given(desk):
    desk.give(60)
    desk.give(-40)
    assert desk.refused(-1).facts["used"] == 100


def test_a_single_adjustment_has_a_limit_of_its_own(desk):
    refused = desk.refused(61)
    assert refused.facts == {"limit": 60, "per": "adjustment", "used": 0, "wanted": 61}
    assert desk.give(1000, wallet="stamps") == 1000  # of which the policy says nothing


def test_a_second_person_approves_what_is_above(desk):
    assert desk.give(500, approved_by="lee") == 500
    assert desk.give(60) == 560  # what was approved is not counted
    entry = desk.service.statement(desk.service.member(MemberRef(card=ANA)).member_id).entries[1]
    assert (entry.actor, entry.approved_by, entry.reason) == ("kim", "lee", "sorry")


@pytest.mark.parametrize("approver", ["kim", "KIM ", "\uff4bim"])
def test_nobody_approves_their_own(desk, approver):
    refused = desk.refused(10, approved_by=approver)
    assert (refused.code, refused.pointer) == ("approver-is-actor", "/approved_by")


def test_another_spelling_is_the_same_person(desk):
    desk.give(60)
    assert desk.refused(41, actor=" Kim").code == "needs-approval"


def test_another_date_is_the_same_day(desk):
    desk.give(60, occurred_at=desk.clock.now - 3 * DAY)
    assert desk.refused(41, occurred_at=desk.clock.now - DAY).facts["used"] == 60


def test_what_was_refused_counts_for_nothing(desk):
    desk.give(50)
    assert desk.refused(-55).code == "needs-approval"
    assert desk.refused(-51).code == "needs-approval"
    desk.give(-50)
    desk.clock.now += DAY
    assert desk.refused(-10).code == "not-enough-points"
    assert desk.give(60) == 60


def test_a_retry_is_not_counted_twice(desk):
    assert desk.give(60, adjustment_id="a1") == 60
    assert desk.give(60, adjustment_id="a1") == 60
    assert desk.give(40) == 100


def test_money_on_gift_cards_has_a_limit_too(desk):
    card = desk.ask(IssueGiftCard(product="card", amount_minor=5000))["gift_card_id"]

    def act(activity, minor=None, **facts):
        command = ActOnGiftCard(
            gift_card_id=card, activity=activity, amount_minor=minor, reason="sorry", actor="kim", **facts
        )
        return desk.ask(command)["balance_minor"]

    assert act("ADJUST_INCREMENT", 1500) == 6500
    with pytest.raises(Conflict) as error:
        act("ADJUST_DECREMENT", 501)
    assert (error.value.code, error.value.pointer) == ("needs-approval", "/amount_minor")
    with pytest.raises(Conflict) as error:
        act("CLEAR_BALANCE")
    assert (error.value.code, error.value.pointer) == ("needs-approval", "/activity")
    assert act("ADJUST_DECREMENT", 500) == 6000
    assert act("CLEAR_BALANCE", approved_by="lee") == 0


def test_races_do_not_overrun_it(desk):
    def give(number):
        try:
            desk.give(7, card=(ANA, BEN)[number % 2])
        except Conflict as error:
            return error.code
        return "given"

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(give, range(60)))
    assert (found.count("given"), found.count("needs-approval")) == (14, 46)


def test_a_new_limit_counts_what_was_given_before(desk):
    desk.give(60)
    desk.clock.now += DAY
    desk.give(50)
    desk.ask(Publish(POLICY.replace(b"100 beans", b"55 beans"), from_day=(desk.clock.now + DAY).date()))
    desk.clock.now += DAY
    assert desk.give(55) == 165
    assert desk.refused(1).facts["limit"] == 55


def test_a_count_that_is_wrong_is_found(clock):
    desk = opened("sqlite://", clock, POLICY, Desk, (ANA,))
    desk.give(60)
    desk.damage("UPDATE staff_day SET amount = 1")
    assert desk.service.verify() == ["what staff gave and took alone on 2026-12-02 is not counted as it was: 60 beans"]
    desk.service.rebuild()
    desk.close()
