"""Many callers at once: sums agree, doubles are one, a poisoned command fails alone."""

import asyncio
import json
import random
from concurrent.futures import ThreadPoolExecutor

import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, RewardsError
from rewards.service import writes
from rewards.service.commands import Adjust, RecordPurchase
from rewards.service.journal import read_receipt

from .conftest import counts, opened

CARDS = ("2600000001236", "2600000002042", "2600000009997")


def test_sixteen_threads_on_three_members(filed):
    """Purchases, their doubles, returns, spendings; every sum is as if they had queued."""
    members = {card: filed.enrol(card)["member_id"] for card in CARDS}
    spent = dict.fromkeys(CARDS, 0)
    bought = {card: set() for card in CARDS}
    back = {card: set() for card in CARDS}

    def till(seed):
        luck, log = random.Random(seed), []
        for i in range(25):
            card, name = luck.choice(CARDS), f"{seed}-{i}"
            command = RecordPurchase(filed.basket(name, 100 * luck.randint(1, 20), card=card))
            first = filed.service.do(command, key=name)
            assert filed.service.do(command, key=name).body == first.body
            log.append(("bought", card, name))
            if luck.random() < 0.3:
                filed.service.do(filed.give_back(f"b{name}", of=name))
                log.append(("back", card, name))
            if luck.random() < 0.3:
                take = Adjust(member=MemberRef(id=members[card]), wallet="beans", points=-7, reason="r", actor="k")
                try:
                    filed.service.do(take)
                    log.append(("spent", card, 7))
                except Conflict:
                    pass
            filed.service.balance(members[card])
        return log

    with ThreadPoolExecutor(16) as pool:
        for log in pool.map(till, range(16)):
            for what, card, value in log:
                if what == "spent":
                    spent[card] += value
                else:
                    (bought if what == "bought" else back)[card].add(value)
    assert counts(filed.service)["event"] == 3 + 16 * 25 + sum(map(len, back.values())) + sum(spent.values()) // 7
    for card, member in members.items():
        total = sum(int(kept(filed, name)) for name in bought[card] - back[card])
        bonus = 100 + (20 if total >= 5000 else 0)
        wallet = filed.beans(member)
        assert wallet.available - wallet.debt == total // 100 * 5 + bonus - spent[card]


def kept(shop, name):
    row = shop.books("SELECT body FROM event WHERE kind = 'purchase' AND external_id = ?", name)[0]
    return sum(line.net_minor for line in read_receipt(row[0]).lines)


def test_doubles_sent_at_once_are_one(filed):
    filed.enrol()
    command = RecordPurchase(filed.basket())
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda i: filed.service.do(command, key=f"k{i % 4}"), range(64)))
    assert len({outcome.body for outcome in outcomes}) == 1
    assert sum(not outcome.replayed for outcome in outcomes) == 1
    assert counts(filed.service)["key_route"] == 4


def test_one_balance_is_not_spent_twice(filed):
    member = filed.enrol()["member_id"]
    filed.buy()
    take = Adjust(member=MemberRef(id=member), wallet="beans", points=-100, reason="r", actor="kim")

    def go(i):
        try:
            return filed.service.do(take, key=f"k{i}").status
        except Conflict:
            return 409

    with ThreadPoolExecutor(16) as pool:
        assert sorted(pool.map(go, range(20))) == [201] + [409] * 19
    assert filed.beans(member).available == 50


def test_a_poisoned_command_fails_alone(filed, monkeypatch):
    """A fault of our own in one command: the others of its batch are recorded, it is not."""
    member = filed.enrol()["member_id"]
    record = writes.purchases.record

    def poisoned(batch, asked, print_):
        outcome = record(batch, asked, print_)
        if asked.command.basket.receipt_id == "r7":
            raise AssertionError("poison")
        return outcome

    monkeypatch.setitem(writes._HANDLERS, RecordPurchase, poisoned)
    futures = filed.service.submit_all([RecordPurchase(filed.basket(f"r{i}", 100)) for i in range(15)])
    failed = [i for i, future in enumerate(futures) if future.exception() is not None]
    assert failed == [7]
    assert filed.beans(member).available == 100 + 14 * 5
    monkeypatch.undo()
    filed.buy("r7", 100)
    assert filed.beans(member).available == 100 + 15 * 5


def test_an_event_loop_waits_for_many(filed):
    member = filed.enrol()["member_id"]

    async def all_at_once():
        commands = [RecordPurchase(filed.basket(f"r{i}", 100)) for i in range(50)]
        return await asyncio.gather(*(filed.service.asubmit(command, key=str(i)) for i, command in enumerate(commands)))

    outcomes = asyncio.run(all_at_once())
    assert len({json.loads(outcome.body)["purchase_id"] for outcome in outcomes}) == 50
    assert filed.beans(member).available == 100 + 50 * 5 + 20


def test_two_processes_share_a_file(filed, tmp_path, clock):
    """Two services on one file, as two processes have it: one owner each, no double, no gap."""
    other = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock)
    filed.enrol()

    def go(i):
        shop = (filed, other)[i % 2]
        for j in range(10):
            try:
                shop.buy(f"r{i // 2}-{j}", 100, card=CARDS[0] if j % 2 else None)
            except RewardsError as error:
                return error.code
        return None

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(go, range(4))) == {None}
    assert counts(filed.service)["event"] == 1 + 20
    other.service.close()


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b", "a\nb"])
def test_a_key_that_is_no_key_is_refused(filed, key):
    with pytest.raises(RewardsError) as refused:
        filed.service.do(RecordPurchase(filed.basket()), key=key)
    assert refused.value.code == "key-invalid"
