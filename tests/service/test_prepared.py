"""A purchase that the server has prepared is answered and recorded as one that the writer works out alone."""

import shutil
import sqlite3

import msgspec
import pytest

from rewards.basket import BasketLine, StoredValue
from rewards.errors import RewardsError
from rewards.service.asked import Asked
from rewards.service.commands import Enrol, PreparedPurchase
from rewards.service.messages import asking, read_asked
from rewards.service.prepared import prepared
from rewards.service.running import begin
from rewards.service.writes import Planner
from rewards.store.database import Store
from rewards.store.writer import write

from .conftest import POLICY, Clock, RecordPurchase, Shop, line, opened

CARD = "2600000001236"
OFFERS = b"""
offers:
  thanks: {title: Thanks, amount_off: 1.00}
"""


def pair(folder, policy=POLICY):
    """Return two planners on equal databases, with their stores."""
    shop = opened(f"sqlite:///{folder}/here.db", Clock(), policy)
    shop.ask(Enrol(card=CARD))
    shop.service.close()
    shutil.copy(folder / "here.db", folder / "there.db")
    stores = [Store.open(f"sqlite:///{folder}/{name}.db") for name in ("here", "there")]
    return shop, [(store, Planner(begin(store, shop.clock()))) for store in stores]


def told(result):
    if isinstance(result, RewardsError):
        return type(result), result.code, result.message, result.pointer, result.facts
    return result


def rows(store):
    with sqlite3.connect(store.path) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: sorted(map(repr, connection.execute(f"SELECT * FROM {name}"))) for (name,) in names}


def both(here, there, baskets, now, *, key=None):
    """Ask one writer as callers ask, the other as the server does; return what it got, and compare what came of it."""
    plain = [Asked(RecordPurchase(basket), "till", key, now) for basket in baskets]
    sent = [read_asked(asking(prepared(there[1].running, asked))[4:]) for asked in plain]
    results = [
        [told(result) for result in write(store.transaction, planner, asked)]
        for (store, planner), asked in ((here, plain), (there, sent))
    ]
    assert results[0] == results[1]
    assert rows(here[0]) == rows(there[0])
    return sent, results[1]


def kinds(shop):
    """Return baskets of every kind that a till may send."""
    odd = BasketLine(line_id="2", sku="ÖL", quantity="0.500", amount_minor=5, tax_minor=1, tax_included=False)
    card = BasketLine(line_id="3", sku="CARD", unit_price_minor=900, stored_value=StoredValue(product="card"))
    lines = (line("1", amount=500), odd, card)
    return [
        shop.basket("r1"),
        shop.basket("r1"),
        shop.basket("r1", 999),
        shop.basket("r2", lines=lines, discount_minor=7, codes=("a", " B ", "ABCD-EFGH-JKLM"), metadata={"n": "x"}),
        shop.basket("r3", card=None),
        shop.basket("r4", tenders=(("cash", 400), ("card", 600))),
        shop.basket("r5", tenders=(("cash", 1),)),
        shop.basket("r6", tenders=(("points", 1000),)),
        shop.basket("r7", card="4000000000000"),
        shop.basket("r8", discount_minor=2000),
        shop.basket("r9", lines=(line("1", amount=5), line("1", amount=5))),
        shop.basket("r1", quote="q1.x.y"),
        shop.basket("r10", quote="q1.x.y"),
        shop.basket("r11", at=shop.clock.now.replace(year=2020)),
    ]


@pytest.mark.parametrize("policy", [POLICY, POLICY + OFFERS])
def test_what_was_prepared_comes_to_the_same(tmp_path, policy):
    shop, (here, there) = pair(tmp_path, policy)
    sent, results = both(here, there, kinds(shop), shop.clock())
    assert sum(isinstance(asked.command, PreparedPurchase) for asked in sent) == 6
    refused = {result[1] for result in results if isinstance(result, tuple)}
    assert refused >= {"receipt-conflict", "due-changed", "discount-too-large", "line-repeated", "time-out-of-range"}
    both(here, there, kinds(shop)[3:4], shop.clock(), key="k")
    both(here, there, kinds(shop)[3:4], shop.clock(), key="k")
    both(here, there, kinds(shop)[4:5], shop.clock(), key="k")
    for store, _ in (here, there):
        store.close()


def test_a_prepared_purchase_tells_the_cards_that_rules_gave(tmp_path):
    policy = POLICY.replace(b"earn:\n", b"earn:\n  thanks: {every: 5.00, give: {gift_card: bonus}}\n") + (
        b"gift_cards:\n  bonus: {kind: promotional, value: 5.00, expires: {after: 60 days}, to: member}\n"
    )
    shop, (_, (store, planner)) = pair(tmp_path, policy)
    asked = prepared(planner.running, Asked(RecordPurchase(shop.basket("r1")), "till", None, shop.clock()))
    assert isinstance(asked.command, PreparedPurchase)
    (outcome,) = write(store.transaction, planner, [asked])
    cards = msgspec.json.decode(outcome.body)["gift_cards_issued"]
    assert [(card["giver"], card["product"], "code" in card) for card in cards] == [("thanks", "bonus", True)] * 2
    store.close()


def test_before_the_first_policy_nothing_is_prepared(tmp_path):
    with_nothing = begin(Store.open(f"sqlite:///{tmp_path}/empty.db"), 1)
    asked = Asked(RecordPurchase(Shop(None, Clock()).basket("r1")), "till", None, 1)
    assert prepared(with_nothing, asked) is asked
