"""Gift cards that an event gives: issued once, told without a code, and taken back as far as they are unspent."""

import pytest

from rewards.basket import MemberRef
from rewards.service import given_cards
from rewards.service.batch import Batch
from rewards.service.given_cards import Gift
from rewards.service.running import current

from .test_card_money import ANA
from .test_redemptions import counter

__all__ = ["counter"]


class Giving:
    """A batch at work, on an event of Ana's that gives cards."""

    def __init__(self, desk):
        self.desk = desk
        self.store = desk.service._store
        self.place = None

    def run(self, work):
        with self.store.transaction() as session:
            batch = Batch(session, current(session, self.desk.service._running))
            result = work(batch, batch.member(MemberRef(card=ANA)))
            batch.flush()
        return result

    def give(self, *gifts):
        self.desk.redeem("mug")  # it gives no cards of its own

        def work(batch, line):
            self.place = (line.owner, line.events)
            products = batch.running.versions[-1].policy.gift_cards
            wanted = [Gift("mug", products[name], minor, i) for i, (name, minor) in enumerate(gifts)]
            now = self.desk.clock()
            return given_cards.give(batch, now, line, self.place, wanted, now), given_cards.told(batch, self.place)

        return self.run(work)

    def take_back(self, name="x1", **how):
        def work(batch, _line):
            back = given_cards.take_back(batch, self.desk.clock(), self.place, "mug", ("", name), b"p" * 32, **how)
            assert given_cards.taken_back(batch, self.place, ("", name)) == back
            return back

        return self.run(work)


@pytest.fixture
def giving(counter):
    return Giving(counter)


def test_an_event_gives_cards_whose_codes_work_and_are_not_told_again(giving):
    codes, told = giving.give(("thanks", 500), ("thanks", 700))
    assert [(one["giver"], one["product"], one["amount_minor"], "code" in one) for one in told] == [
        ("mug", "thanks", 500, False),
        ("mug", "thanks", 700, False),
    ]
    assert [giving.desk.service.gift_card(codes[one["gift_card_id"]]).balance_minor for one in told] == [500, 700]
    assert giving.desk.accounts() == {"lot": 1200, "given": -1200}
    assert giving.desk.service.verify() == []


def test_what_is_left_is_voided_and_what_is_spent_is_told(giving):
    _, told = giving.give(("thanks", 500), ("thanks", 700))
    giving.desk.act(told[0], "REDEEM", 200)
    back = giving.take_back()
    assert [(one.voided_minor, one.spent_minor) for one in back] == [(300, 200), (700, 0)]
    assert giving.desk.accounts() == {"given": -1200, "taken_back": 1000, "redeemed": 200}
    assert giving.take_back("x2") == []  # they are gone already
    assert giving.desk.service.verify() == []


def test_the_first_may_stay(giving):
    _, told = giving.give(("thanks", 500), ("thanks", 700))
    (back,) = giving.take_back(keep=1)
    assert (back.gift_card_id, back.voided_minor) == (told[1]["gift_card_id"], 700)


def test_verify_finds_a_card_that_its_event_does_not_know(giving):
    giving.give(("thanks", 500))
    for change, faults in (("+ 1", 3), ("- 1", 0)):
        with giving.store.transaction() as session:
            session.write(f"UPDATE given_card SET number = number {change} WHERE position = ?", [(0,)])
        assert len(giving.desk.service.verify()) == faults
