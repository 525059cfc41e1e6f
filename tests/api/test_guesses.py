"""Guesses at codes and PINs on a real server, by every call that takes one, from several callers, over a restart."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from rewards.service.codes import new_code
from tests import campaign
from tests.api.apart import Caller, Server, sold_now
from tests.policies import program

GUESSES = campaign.size(default=400, ci=5_000, long=100_000)
CALLERS, CARDS, RECEIPTS = 4, 12, 4
PIN_TRIES, MOST = 3, 40
HONEST, RIGHT = "127.0.0.77", "4711"
POLICY = program("""offers: {tenth: {only_by: voucher, percent_off: 10%}}
gift_cards:
  cafe: {kind: paid, load: 5.00-250.00}
  flyer: {kind: voucher, offer: tenth}
""")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server on which a caller's wrong guesses come back in a year."""
    with Server(tmp_path, POLICY, pin_tries=PIN_TRIES, guesses=MOST, guess_seconds=31_536_000) as server:
        yield server


class Thief:
    """Guesses at everything, and keeps what was looked at: whatever was not answered 429."""

    def __init__(self, server: Server, number: int, cards: list[str], receipts: list[str]) -> None:
        self.caller = Caller(server, f"127.0.0.{10 + number}")
        self.cards, self.receipts = cards, receipts
        self.luck, self.names = random.Random(number), (f"{number}-{i}" for i in count())
        self.evaluated: Counter[str] = Counter()  # by kind of guess
        self.pins: Counter[str] = Counter()  # wrong ones that were looked at, by card
        self.answers: defaultdict[str, set[bytes]] = defaultdict(set)
        self.kinds: list[Callable[[], None]] = [
            self.no_such_code,
            self.wrong_pin,
            self.no_pin,
            self.tender,
            self.voucher,
            self.claim,
            self.offline,
            self.load,
            self.hold,
        ]

    def guess(self, times: int) -> None:
        for i in range(times):
            self.luck.choice(self.kinds)()
            if i % 40 == 0:  # a caller who is refused goes on selling
                assert self.caller.post("purchases", sold_now(next(self.names)))[0] == 201
        self.caller.close()

    def ask(self, kind: str, path: str, body: object, looked_at: int, key: str = "") -> bool:
        status, _, data = self.caller.post(path, body, key)
        assert status in {looked_at, 429}, data
        if status == looked_at:
            self.evaluated[kind] += 1
            if status == 404:
                self.answers[path.partition("/")[0]].add(data)
        return status == looked_at

    def no_such_code(self) -> None:
        self.ask("no such code", "gift-cards/lookup", {"code": new_code(), "pin": self.pin()}, 404)

    def wrong_pin(self) -> None:
        card = self.luck.choice(self.cards)
        self.pins[card] += self.ask("wrong pin", "gift-cards/lookup", {"code": card, "pin": self.pin()}, 404)

    def no_pin(self) -> None:
        self.ask("no pin", "gift-cards/lookup", {"code": self.luck.choice([*self.cards, new_code()])}, 404)

    def tender(self) -> None:
        code, pin = self.luck.choice([*self.cards, new_code()]), self.luck.choice([self.pin(), ""])
        tenders = [{"kind": "gift_card", "code": code, "amount_minor": 500, **({"pin": pin} if pin else {})}]
        path = self.luck.choice(["quotes", "purchases"])
        looked_at = self.ask(f"tender of {path}", path, sold_now(next(self.names), tenders=tenders), 404)
        self.pins[code] += looked_at and bool(pin)

    def voucher(self) -> None:
        path, status = self.luck.choice([("quotes", 200), ("purchases", 201)])
        self.ask(f"code of {path}", path, sold_now(next(self.names), codes=[new_code()]), status)

    def claim(self) -> None:
        body = {"member": {"card": "2600000001236"}, "claim_code": f"{self.luck.randrange(10**8):08}"}
        self.ask("claim", f"purchases/{self.luck.choice(self.receipts)}/claim", body, 404, next(self.names))

    def offline(self) -> None:
        name = next(self.names)
        event = {"idempotency_key": name, "kind": "purchase", "body": sold_now(name, codes=[new_code()])}
        status, told, data = self.caller.post("batches", {"store_id": "S1", "till_id": "T1", "events": [event]})
        assert status == 200, data
        assert told["results"][0]["status"] in {201, 429}
        self.evaluated["batch"] += told["results"][0]["status"] == 201

    def load(self) -> None:
        line = {"line_id": "1", "sku": "GC", "unit_price_minor": 500}
        line |= {"stored_value": {"product": "cafe", "code": new_code()}}
        self.ask("load", "purchases", sold_now(next(self.names), lines=[line]), 404)

    def hold(self) -> None:
        body = {"hold_id": next(self.names), "store_id": "S1", "kind": "gift_card", "amount_minor": 100}
        self.ask("hold", "holds", {**body, "code": new_code(), "pin": self.pin()}, 404)

    def pin(self) -> str:
        """Return a wrong one."""
        return f"{self.luck.choice([i for i in range(4700, 4720) if i != int(RIGHT)])}"


def issued(till: Caller, key: str) -> str:
    body = {"product": "cafe", "amount_minor": 25000, "pin": RIGHT}
    status, card, _ = till.post("gift-cards", body, key)
    assert status == 201
    return str(card["code"])


def test_guesses_are_looked_at_as_often_as_configured_also_over_a_restart(server: Server) -> None:
    """Per caller and per card; nobody else is slowed, and answers tell nothing."""
    honest = Caller(server, HONEST)
    cards = [issued(honest, f"i{i}") for i in range(CARDS)]
    spare = issued(honest, "spare")
    sold = [honest.post("purchases", sold_now(f"g{i}")) for i in range(RECEIPTS)]
    thieves = [Thief(server, i, cards, [told["purchase_id"] for _, told, _ in sold]) for i in range(CALLERS)]

    def buy(name: str) -> Any:
        tender = {"kind": "gift_card", "code": spare, "pin": RIGHT, "amount_minor": 1}
        return honest.post("purchases", sold_now(name, tenders=[tender, {"kind": "cash", "amount_minor": 499}]))

    for half in range(2):
        with ThreadPoolExecutor(CALLERS) as pool:
            running = [pool.submit(thief.guess, GUESSES // CALLERS // 2) for thief in thieves]
            for i in count():  # somebody honest is there all the time
                assert buy(f"h{half}-{i}")[0] == 201
                if not wait(running, timeout=0.02).not_done:
                    break
            for one in running:
                one.result()
        if half == 0:
            server.stop()
            server.start()
    for thief in thieves:
        assert sum(thief.evaluated.values()) == MOST, thief.evaluated
    for kind in ("gift-cards", "quotes", "holds"):
        bodies = {data for thief in thieves for data in thief.answers[kind]}
        assert len(bodies) == 1, bodies
    looked_at: Counter[str] = sum((thief.pins for thief in thieves), Counter())
    for card in cards:
        status = honest.post("gift-cards/lookup", {"code": card, "pin": RIGHT})[0]
        assert (status == 200) == (looked_at[card] < PIN_TRIES), (card[-4:], looked_at[card])
    assert max(looked_at[card] for card in cards) >= PIN_TRIES
    honest.close()
