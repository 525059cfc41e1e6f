"""The same events in any order, in any batches, across restarts: the same balances, and nothing to find.

Returns of one purchase keep their order, since of two that together exceed it the first is taken.
"""

import random
from datetime import timedelta

import msgspec
import pytest

from rewards.basket import MemberRef
from rewards.service.commands import Adjust, Publish, RecordPurchase

from .conftest import DAY, NOON, POLICY, Shop, line, opened

CARDS = ("2600000001236", "2600000002042")
START = NOON - 60 * DAY
SHORT = POLICY.replace(
    b"beans: {one: bean, expires: {after: 12 months}}", b"beans: {one: bean, expires: {after: 20 days}}"
)
LATER = SHORT.replace(b"give: 5 beans", b"give: 8 beans").replace(b"at_least: 50.00", b"at_least: 30.00")


def story(luck, shop):
    """Return commands by purchase: each purchase with its returns."""
    told = []
    for i in range(30):
        at = START + timedelta(days=luck.randint(0, 50), minutes=luck.randint(0, 600))
        lines = tuple(
            line(
                str(n),
                amount=luck.randint(1, 3000),
                quantity=luck.randint(1, 3),
                categories=("coffee",) * luck.randint(0, 1),
            )
            for n in range(luck.randint(1, 3))
        )
        basket = shop.basket(f"r{i}", card=luck.choice([*CARDS, None]), at=at, lines=lines)
        mine = [RecordPurchase(basket)]
        if luck.random() < 0.4:
            mine.append(shop.give_back(f"b{i}", of=f"r{i}", lines={"0": 1}, at=at + DAY))
        if luck.random() < 0.2:
            mine.append(shop.give_back(f"c{i}", of=f"r{i}", at=at + 2 * DAY))
        told.append(mine)
    for i in range(6):
        at = START + timedelta(days=luck.randint(0, 50))
        ref = MemberRef(card=luck.choice(CARDS))
        points = luck.choice([luck.randint(1, 200), -luck.randint(1, 300)])
        told.append(
            [
                Adjust(
                    member=ref,
                    wallet="beans",
                    points=points,
                    reason="r",
                    actor="k",
                    adjustment_id=f"a{i}",
                    may_owe=True,
                    occurred_at=at,
                )
            ]
        )
    return told


def play(url, clock, luck, told, *, shuffled):
    clock.now = START
    shop = opened(url, clock, SHORT)
    shop.service.do(Publish(LATER, (START + 25 * DAY).date()))
    for card in CARDS:
        shop.enrol(card, joined=START.date())
    clock.now = NOON
    left = [list(mine) for mine in told]
    commands = []
    if shuffled:
        order = [i for i, mine in enumerate(left) for _ in mine]
        luck.shuffle(order)
        commands = [left[i].pop(0) for i in order]
    else:
        commands = sorted((command for mine in left for command in mine), key=when)
    while commands:
        size = luck.randint(1, 9)
        for future in shop.service.submit_all(commands[:size], caller="scenario"):
            error = future.exception()
            assert error is None or error.code == "return-exceeds"
        commands = commands[size:]
        if url != "sqlite://" and luck.random() < 0.2:
            shop.service.close()
            shop = opened(url, clock, SHORT)
    assert shop.service.verify() == []
    members = [shop.service.member(MemberRef(card=card)).member_id for card in CARDS]
    for member in members:
        check_statement(shop, member)
    now = shop.clock()
    instants = [now, now - 20 * 86_400_000_000, now + 200 * 86_400_000_000, now + 340 * 86_400_000_000]
    found = [shop.service.balance(member, at).wallets for member in members for at in instants]
    shop.service.rebuild()
    assert [shop.service.balance(member, at).wallets for member in members for at in instants] == found
    shop.service.close()
    return msgspec.to_builtins(found)


def check_statement(shop, member):
    """Every entry's reasons sum to what it changed, and all entries to the balance."""
    entries, cursor = [], None
    while True:
        page = shop.service.statement(member, limit=20, cursor=cursor)
        entries += page.entries
        cursor = page.next_cursor
        if cursor is None:
            break
    have = {"beans": 0, "stamps": 0}
    for entry in entries:
        sums = dict.fromkeys(have, 0)
        for change in entry.changes:
            sums[change.wallet] += change.points
        assert sums == {**dict.fromkeys(have, 0), **entry.points}, entry
        for wallet, points in sums.items():
            have[wallet] += points
    wallets = shop.service.balance(member).wallets
    assert have == {key: wallet.available + wallet.pending - wallet.debt for key, wallet in wallets.items()}


def when(command):
    return command.basket.occurred_at if isinstance(command, RecordPurchase) else command.occurred_at


@pytest.mark.parametrize("seed", range(12))
def test_any_order_any_batches(clock, tmp_path, seed):
    luck = random.Random(seed)
    told = story(luck, Shop(None, clock))
    first = play("sqlite://", clock, luck, told, shuffled=False)
    url = f"sqlite:///{tmp_path / 'shop.db'}" if seed % 4 == 0 else "sqlite://"
    assert play(url, clock, luck, told, shuffled=True) == first
    assert any(wallet["beans"]["available"] for wallet in first)
