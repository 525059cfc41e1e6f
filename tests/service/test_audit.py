"""Verify finds every seeded damage; rebuild mends what is a cache and nothing else."""

import random

import pytest

from rewards.basket import MemberRef
from rewards.service.commands import Adjust

from .conftest import DAY, opened

CARDS = ("2600000001236", "2600000002042")


@pytest.fixture
def lived_in(clock):
    """A shop after three weeks: two members, guests, returns, adjustments, a late receipt."""
    shop = opened("sqlite://", clock)
    luck = random.Random(7)
    members = [shop.enrol(card)["member_id"] for card in CARDS]
    for i in range(20):
        shop.buy(f"r{i}", 100 * luck.randint(1, 60), card=luck.choice([*CARDS, None]))
        shop.clock.now += DAY
    for i in (3, 9, 19):
        shop.ask(shop.give_back(f"b{i}", of=f"r{i}"))
    shop.buy("late", 1234, at=shop.clock.now - 12 * DAY)
    for member in members:
        shop.ask(Adjust(member=MemberRef(id=member), wallet="beans", points=-30, reason="r", actor="kim"))
    yield shop
    shop.service.close()


def damage(shop, sql):
    shop.damage(sql)


def test_all_is_well(lived_in):
    assert lived_in.service.verify() == []
    balances = [lived_in.service.balance(lived_in.service.member(MemberRef(card=card)).member_id) for card in CARDS]
    assert lived_in.service.rebuild() == 2 + sum(
        1 for i in range(20) if lived_in.service.purchase(store_id="S1", receipt_id=f"r{i}").member_id is None
    )
    assert lived_in.service.verify() == []
    assert [lived_in.service.balance(answer.member_id) for answer in balances] == balances


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM event WHERE owner_id = 1 AND number = 2",
        "DELETE FROM event WHERE owner_id = 1 AND number = (SELECT max(number) FROM event WHERE owner_id = 1)",
        "DELETE FROM entry WHERE owner_id = 1 AND number = 2",
        "DELETE FROM entry WHERE owner_id = 1 AND number = (SELECT max(number) FROM entry WHERE owner_id = 1)",
        "UPDATE entry SET recorded_at = recorded_at + 1 WHERE owner_id = 1 AND number = 1",
        "UPDATE entry SET awards = x'90' WHERE owner_id = 1 AND number = 1",
        "UPDATE posting SET amount = amount + 1 WHERE owner_id = 1 AND entry_number = 1 AND leg = 0",
        "UPDATE posting SET amount = amount * 2 WHERE owner_id = 1 AND entry_number = 1",
        "DELETE FROM posting WHERE owner_id = 1 AND entry_number = 1",
        "UPDATE event SET body = x'c1' WHERE owner_id = 1 AND number = 2",
        "DELETE FROM receipt_route WHERE receipt_id = 'r0'",
        "UPDATE receipt_route SET number = 99 WHERE receipt_id = 'b3'",
        "DELETE FROM near_state WHERE owner_id = 1",
    ],
)
def test_damage_to_the_journal_is_found_and_not_hidden(lived_in, sql):
    damage(lived_in, sql)
    assert lived_in.service.verify() != []


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE near_state SET state = (SELECT state FROM near_state WHERE owner_id = 2) WHERE owner_id = 1",
        "UPDATE near_state SET entries = entries + 1 WHERE owner_id = 1",
        "UPDATE near_state SET head = x'00' WHERE owner_id = 1",
        "DELETE FROM day_state WHERE owner_id = 1",
        "UPDATE day_state SET day = day + 100 WHERE owner_id = 1",
    ],
)
def test_damage_to_a_state_is_found_and_mended(lived_in, sql):
    damage(lived_in, sql)
    assert any(finding.startswith("owner 1:") for finding in lived_in.service.verify())
    lived_in.service.rebuild()
    assert lived_in.service.verify() == []
