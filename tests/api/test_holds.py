"""Holds through HTTP, with every figure of a till's day: card money captured in part, by a purchase, points released."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from rewards.days import instant
from rewards.service.commands import Publish
from rewards.service.service import Service
from rewards.store.database import Store
from tests.api.conftest import CAFE, enrolled, line, purchase, served

MORNING = datetime(2026, 12, 5, 10, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def till() -> httpx.Client:
    """A cafe with its own clock, a card with 17.67 and a PIN, and a member with 220 beans."""
    service = Service(Store.open("sqlite://"), clock=lambda: instant(MORNING))
    service.do(Publish(CAFE.read_bytes()))
    with served(service) as address, httpx.Client(base_url=address, timeout=30) as client:
        client.member = enrolled(client, "ana", phone="+4930901820")  # type: ignore[attr-defined]
        given = {"wallet": "beans", "points": 220, "reason": "hello", "actor": "kim"}
        client.post(f"/v1/members/{client.member}/adjustments", json=given, headers={"Idempotency-Key": "g"})  # type: ignore[attr-defined]
        yield client
    assert service.verify() == []
    service.close()


def issued(till: httpx.Client, key: str) -> dict[str, object]:
    body = {"product": "cafe-card", "amount_minor": 1767, "pin": "4711"}
    answer = till.post("/v1/gift-cards", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 201
    return dict(answer.json())


def hold_of(card: dict[str, object], name: str) -> dict[str, object]:
    return {
        "hold_id": name,
        "store_id": "S12",
        "kind": "gift_card",
        "code": card["code"],
        "pin": "4711",
        "amount_minor": 1500,
        "expires_in_seconds": 900,
    }


def test_card_money_is_held_and_captured(till: httpx.Client) -> None:
    card = issued(till, "c1")
    held = till.post("/v1/holds", json=hold_of(card, "S12-T1-H88"))
    assert held.status_code == 201
    assert held.json() == {
        "hold_id": "S12-T1-H88",
        "state": "open",
        "kind": "gift_card",
        "gift_card_id": card["gift_card_id"],
        "last_four": card["last_four"],
        "amount_minor": 1500,
        "held_at": "2026-12-05T11:05:00+01:00",
        "expires_at": "2026-12-05T11:20:00+01:00",
        "card": {"available_minor": 267, "held_minor": 1500},
    }
    again = till.post("/v1/holds", json=hold_of(card, "S12-T1-H88"))
    assert (again.content, again.headers["Idempotency-Status"]) == (held.content, "replayed")
    other = till.post("/v1/holds", json={**hold_of(card, "S12-T1-H88"), "amount_minor": 1400})
    assert (other.status_code, other.json()["code"], other.json()["differs"]) == (
        409,
        "hold-conflict",
        ["/amount_minor"],
    )
    captured = till.post("/v1/holds/S12-T1-H88/capture", json={"amount_minor": 1250})
    assert captured.status_code == 200
    told = captured.json()
    assert (told["state"], told["captured_minor"], told["released_minor"]) == ("captured", 1250, 250)
    assert told["card"] == {"available_minor": 517, "held_minor": 0}
    assert till.post("/v1/holds/S12-T1-H88/capture", json={"amount_minor": 1250}).content == captured.content
    void = till.post("/v1/holds/S12-T1-H88/void", json={})
    assert (void.status_code, void.json()["code"], void.json()["captured_minor"]) == (
        409,
        "hold-already-captured",
        1250,
    )


def test_a_purchase_captures_what_it_needs(till: httpx.Client) -> None:
    card = issued(till, "c2")
    assert till.post("/v1/holds", json=hold_of(card, "H90")).status_code == 201
    body = purchase(
        "R1",
        lines=[line(unit_price_minor=1250)],
        occurred_at="2026-12-05T11:06:00+01:00",
        tenders=[{"kind": "hold", "hold_id": "H90", "amount_minor": 1250}],
    )
    bought = till.post("/v1/purchases", json=body)
    assert bought.status_code == 201, bought.text
    assert bought.json()["tenders"] == [
        {
            "kind": "gift_card",
            "amount_minor": 1250,
            "hold_id": "H90",
            "gift_card_id": card["gift_card_id"],
            "last_four": card["last_four"],
            "balance_minor": 517,
        }
    ]
    told = till.get("/v1/holds/H90").json()
    assert (told["captured_minor"], told["released_minor"]) == (1250, 250)
    assert told["purchase_id"] == bought.json()["purchase_id"]
    assert till.post("/v1/purchases", json=body).content == bought.content


def test_points_are_released(till: httpx.Client) -> None:
    body = {"hold_id": "S12-T1-H89", "kind": "points", "member": {"phone": "+4930901820"}, "wallet": "beans"}
    assert till.post("/v1/holds", json={**body, "points": 200}).status_code == 201
    balance = till.get(f"/v1/members/{till.member}/balance")  # type: ignore[attr-defined]
    beans = balance.json()["wallets"]["beans"]
    assert (beans["available"], beans["held"]) == (20, 200)
    void = till.post("/v1/holds/S12-T1-H89/void", json={"reason": "customer left"})
    told = void.json()
    assert (void.status_code, told["state"], told["kind"], told["wallet"], told["released"]) == (
        200,
        "voided",
        "points",
        "beans",
        200,
    )
    assert till.post("/v1/holds/S12-T1-H89/void", json={"reason": "customer left"}).content == void.content
    capture = till.post("/v1/holds/S12-T1-H89/capture", json={})
    assert (capture.status_code, capture.json()["code"]) == (409, "hold-already-voided")


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("holds", {"hold_id": "X", "kind": "points", "points": 0}, 400, "value-not-allowed"),
        ("holds", {"hold_id": "X", "kind": "points", "expires_in_seconds": 604_801}, 400, "value-not-allowed"),
        ("holds", {"hold_id": "X", "kind": "money"}, 400, "value-not-allowed"),
        ("holds", {"hold_id": "X/Y", "kind": "code", "code": "c"}, 400, "value-not-allowed"),
        ("holds", {"hold_id": "X", "kind": "code", "code": "7ZZZ-0000-0000-00004"}, 404, "unknown-gift-card"),
        ("holds/nobody/capture", {}, 404, "unknown-hold"),
        ("holds/nobody/void", {}, 404, "unknown-hold"),
        ("holds/nobody/void", {"amount_minor": 5}, 400, "unknown-field"),
    ],
)
def test_what_can_not_be_is_refused(till: httpx.Client, path: str, body: object, status: int, code: str) -> None:
    answer = till.post(f"/v1/{path}", json=body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert till.get("/v1/holds/X").status_code == 404
