"""One real server for all tests of the API: a service over a SQLite file, uvicorn on a loopback port, its clock standing still."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import uvicorn

from rewards.api.app import create_app
from rewards.days import instant
from rewards.service.commands import Publish
from rewards.service.service import Service
from rewards.store.database import Store

NOON = datetime(2026, 12, 2, 12, 0, tzinfo=UTC)
CAFE = Path(__file__).parents[2] / "rules" / "corner-cafe.yaml"
WITH_VOUCHERS = (
    CAFE.read_bytes()
    .replace(b"offers:\n", b"offers:\n  sorry: {only_by: voucher, amount_off: 1.00}\n")
    .replace(b"rewards:\n", b"rewards:\n  mug: {cost: 50 beans, gives: {item: mug}}\n")
    .replace(b"gift_cards:\n", b"gift_cards:\n  sorry: {kind: voucher, offer: sorry, expires: {after: 30 days}}\n")
)


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    file = tmp_path_factory.mktemp("api") / "rewards.db"
    opened = Service(Store.open(f"sqlite:///{file}"), clock=lambda: instant(NOON))
    opened.do(Publish(WITH_VOUCHERS))
    yield opened
    opened.close()


@contextmanager
def served(service: Service) -> Iterator[str]:
    """Serve on a free loopback port; give the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(create_app(service), log_level="warning", access_log=False, ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="session")
def address(service: Service) -> Iterator[str]:
    with served(service) as opened:
        yield opened


@pytest.fixture(scope="session")
def client(address: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=address, timeout=30) as opened:
        yield opened


def line(number: int = 1, **fields: object) -> dict[str, object]:
    """Return a line of a flat white for 3.80."""
    return {
        "line_id": str(number),
        "sku": "FLATWHITE",
        "name": "Flat white",
        "categories": ["coffee"],
        "unit_price_minor": 380,
        **fields,
    }


def purchase(receipt_id: str, *, lines: list[dict[str, object]] | None = None, **fields: object) -> dict[str, object]:
    """Return the body of a purchase of a guest: one flat white, if no lines are given."""
    return {
        "receipt_id": receipt_id,
        "store_id": "S12",
        "till_id": "T1",
        "operator_id": "kim",
        "occurred_at": "2026-12-02T08:12:00+01:00",
        "currency": "EUR",
        "lines": lines or [line()],
        **fields,
    }


def enrolled(client: httpx.Client, key: str, **fields: object) -> str:
    """Enrol a member and return its id."""
    answer = client.post("/v1/members", json=fields, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    member_id: str = answer.json()["member_id"]
    return member_id
