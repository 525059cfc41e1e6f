"""L9 through HTTP: fifty clients of a `rewards serve` in a process of its own overrun no budget and no limit by one,
and leave none of it ungranted; neither with returns in between, nor when the server is killed and started again.
"""

from __future__ import annotations

import json
import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from rewards.service.ids import budget_owner
from rewards.service.journal import read_receipt
from rewards.service.service import Service
from rewards.store.database import Store
from tests.api.apart import Server, sold_now
from tests.policies import program

CLIENTS = 50
CARDS = ("2600000001236", "2600000002042", "2600000009997", None)
POLICY = program("""offers:
  times: {when: {code: TIMES}, amount_off: 1.00, stage: basket, budget: {times: 37, per: ever}}
  units: {on: {skus: [PEN]}, amount_off: 0.10 per unit, limit: {units: 3, per: receipt}, budget: {units: 200, per: ever}}
  money: {on: {skus: [CAKE]}, percent_off: 20%, budget: {money: 49.99, per: ever}}
  mine: {when: {code: MINE}, amount_off: 0.50, stage: basket, limit: {times: 3, per: ever}}
  few: {when: {code: FEW}, amount_off: 0.25, stage: basket, budget: {times: 10, per: ever}}
returns: {}
""")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, POLICY) as server:
        with httpx.Client(base_url=server.address, timeout=30) as client:
            for card in filter(None, CARDS):
                joined = client.post("/v1/members", json={"card": card}, headers={"Idempotency-Key": card})
                assert joined.status_code == 201
        yield server


@pytest.fixture
def ask(server: Server) -> Iterator[Callable[[str, dict[str, Any]], httpx.Response]]:
    """Ask until there is an answer, as a till does: the same body again if the connection broke or nobody was there."""
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    with httpx.Client(timeout=60, limits=limits) as client:

        def asked(path: str, body: dict[str, Any]) -> httpx.Response:
            deadline = time.monotonic() + 60
            while True:
                try:
                    response = client.post(f"{server.address}/v1/{path}", json=body)
                except httpx.TransportError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
                    continue
                if response.status_code != 503:
                    return response
                time.sleep(0.02)

        yield asked


def purchase(receipt: str, card: str | None, line: dict[str, Any], *codes: str, **more: Any) -> dict[str, Any]:
    lines, member = [{"line_id": "1", **line}], {"card": card} if card else None
    return sold_now(receipt, member=member, lines=lines, codes=list(codes), **more)


def baskets(till: int, each: int) -> Iterator[dict[str, Any]]:
    luck = random.Random(till)
    for i in range(each):
        units = luck.randint(1, 5)
        line = luck.choice(
            [
                {"sku": "PEN", "quantity": units, "unit_price_minor": 500},
                {"sku": "CAKE", "quantity": units, "unit_price_minor": luck.choice([395, 400, 415])},
            ]
        )
        codes = luck.sample(["TIMES", "MINE"], luck.randint(0, 2))
        yield purchase(f"{till}-{i}", luck.choice(CARDS), line, *codes)


def drawn(database: Path, offer: str) -> list[int]:
    """What the budget's own events come to: times, units, minor units."""
    with closing(Service(Store.open(f"sqlite:///{database}"))) as service, service._reading() as batch:
        days = batch.budget(budget_owner(offer)).near.drawn.values()
        return [sum(column) for column in zip(*days, strict=True)]


def granted(bodies: list[dict[str, Any]], offer: str) -> list[int]:
    return [one["amount_minor"] for body in bodies for one in body["discounts"] if one["offer"] == offer]


def check_all(server: Server, bodies: list[dict[str, Any]]) -> None:
    """Every budget is granted to the last cent and no further; every member has the three that are theirs."""
    assert granted(bodies, "times") == [100] * 37
    units = granted(bodies, "units")
    assert sum(units) == 2000
    assert max(units) <= 30
    assert sum(granted(bodies, "money")) == 4999
    for member in {body["member_id"] for body in bodies} - {None}:
        assert granted([body for body in bodies if body["member_id"] == member], "mine") == [50] * 3
    assert granted([body for body in bodies if body["member_id"] is None], "mine") == []
    assert drawn(server.database, "times")[::2] == [37, 3700]
    assert drawn(server.database, "units") == [len(units), 200, 2000]
    assert drawn(server.database, "money")[2] == 4999


def test_fifty_clients_share_budgets_to_the_last_unit(server: Server, ask: Any) -> None:
    def till(number: int) -> list[dict[str, Any]]:
        found = []
        for basket in baskets(number, 8):
            response = ask("purchases", basket)
            assert response.status_code == 201, response.text
            found.append(response.json())
        return found

    with ThreadPoolExecutor(CLIENTS) as tills:
        bodies = [body for found in tills.map(till, range(CLIENTS)) for body in found]
    assert len(bodies) == 8 * CLIENTS
    check_all(server, bodies)


def test_fifty_clients_on_one_budget_with_returns(server: Server, ask: Any) -> None:
    """In the order in which the journal has them: granted if, and only if, fewer than ten were out."""

    def till(number: int) -> None:
        luck = random.Random(number)
        for i in range(6):
            name = f"{number}-{i}"
            line = {"sku": "TEA", "quantity": 2, "unit_price_minor": 500}
            basket = purchase(name, luck.choice(CARDS), line, "FEW")
            if luck.random() < 0.3:
                quote = ask("quotes", basket).json()
                if quote["discounts"]:  # what promised nothing would be given nothing
                    basket["quote"] = quote["quote"]
            response = ask("purchases", basket)
            if response.status_code == 409:
                assert response.json()["code"] == "offer-gone"
                continue
            assert response.status_code == 201, response.text
            for part in ({"lines": [{"line_id": "1", "quantity": 1}]}, {"all": True})[luck.randint(0, 1) :]:
                if luck.random() < 0.6:
                    body = {"return_id": f"b{name}{len(part)}{'all' in part}", "store_id": "S1", **part}
                    body |= {"occurred_at": datetime.now(UTC).isoformat()}
                    body["of"] = {"store_id": "S1", "receipt_id": name}
                    assert ask("returns", body).status_code == 201

    with ThreadPoolExecutor(CLIENTS) as tills:
        list(tills.map(till, range(CLIENTS)))
    out: set[str] = set()
    refused = most = 0
    with closing(sqlite3.connect(server.database)) as journal:
        owner = budget_owner("few")
        for row in journal.execute(
            "SELECT owner_id, kind, external_id, body, of_number, number FROM event ORDER BY rowid"
        ):
            if row[0] != owner and row[1] == "purchase":
                if read_receipt(row[3]).discounts:
                    out.add(row[2])
                    assert len(out) <= 10
                else:
                    refused += 1
                    assert len(out) == 10, "an offer was withheld while its budget had room"
            elif row[0] == owner and row[1] == "return":
                sql = "SELECT external_id FROM event WHERE owner_id = ? AND number = ?"
                out.remove(journal.execute(sql, (owner, row[4])).fetchone()[0])
            most = max(most, len(out))
    assert (most, refused > 0) == (10, True)
    assert drawn(server.database, "few") == ([] if not out else [len(out), 2 * len(out), 25 * len(out)])


def test_killed_and_started_again_nothing_is_overrun(server: Server, ask: Any) -> None:
    answered = count()
    turn = threading.Event()

    def till(number: int) -> list[tuple[dict[str, Any], bytes]]:
        found = []
        for basket in baskets(number, 8):
            response = ask("purchases", basket)
            assert response.status_code == 201, response.text
            found.append((basket, response.content))
            if next(answered) == 3 * CLIENTS:
                turn.set()
        return found

    with ThreadPoolExecutor(CLIENTS) as tills:
        running = [tills.submit(till, number) for number in range(CLIENTS)]
        assert turn.wait(60)
        server.stop(signal.SIGKILL)
        server.start()
        pairs = [pair for future in running for pair in future.result(120)]
    assert len(pairs) == 8 * CLIENTS
    check_all(server, [json.loads(content) for _, content in pairs])
    for basket, content in pairs[:: len(pairs) // 20]:
        assert ask("purchases", basket).content == content
