"""Batches over HTTP: the events of a till that was offline are facts, each answered by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from rewards.days import instant
from rewards.service.commands import IssueGiftCard, Publish
from rewards.service.service import Service
from rewards.store.database import Store
from tests.api.conftest import enrolled, line, served
from tests.policies import program

BACK = datetime(2026, 12, 5, 8, 30, tzinfo=UTC)  # when the till came back: 09:30 in Berlin
BEN = "2600000002042"
CAFE = program("""points:
  beans: {one: bean, expires: {after: 12 months, at: end_of_month}}
earn:
  beans: {every: 1.00, give: 5 beans}
offers:
  welcome: {on: {categories: [coffee]}, amount_off: 1.00, limit: {times: 1, per: ever}, budget: {times: 2, per: ever}}
gift_cards:
  cafe-card: {kind: paid, load: 1.00-250.00}
returns: {accept_within: 90 days}
""").encode()


@pytest.fixture
def cafe(tmp_path: Path) -> Iterator[tuple[Service, httpx.Client]]:
    now = [BACK - 2 * timedelta(days=1)]
    service = Service(Store.open(f"sqlite:///{tmp_path / 'cafe.db'}"), clock=lambda: instant(now[0]))
    service.do(Publish(CAFE))
    with served(service) as address, httpx.Client(base_url=address, timeout=60) as client:
        enrolled(client, "ben", card=BEN)
        bought = client.post("/v1/purchases", json=receipt("EARLIER", 1050, at="2026-12-03T08:00:00+01:00"))
        assert bought.json()["totals"]["earned"] == {"beans": 50}
        now[0] = BACK
        yield service, client
    assert service.verify() == []
    service.rebuild()
    assert service.verify() == []
    service.close()


def receipt(name: str, amount: int, *, at: str = "2026-12-03T09:05:00+01:00", **fields: Any) -> dict[str, Any]:
    one = {
        "line_id": "1",
        "sku": "CROISSANT",
        "name": "Croissant",
        "categories": ["bakery"],
        "unit_price_minor": amount,
    }
    return {
        "receipt_id": name,
        "store_id": "S12",
        "till_id": "T3",
        "occurred_at": at,
        "currency": "EUR",
        "member": {"card": BEN},
        "lines": [one],
        **fields,
    }


def event(key: str, body: Any, kind: str = "purchase") -> dict[str, Any]:
    return {"idempotency_key": key, "kind": kind, "body": body}


def send(client: httpx.Client, *events: Any) -> list[dict[str, Any]]:
    answer = client.post("/v1/batches", json={"store_id": "S12", "till_id": "T3", "events": list(events)})
    assert answer.status_code == 200, answer.text
    results: list[dict[str, Any]] = answer.json()["results"]
    assert [result["index"] for result in results] == list(range(len(events)))
    return results


def codes(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["code"], one["pointer"]) for one in result["body"]["warnings"]]


def test_the_example_with_every_figure(cafe: tuple[Service, httpx.Client]) -> None:
    service, client = cafe
    card = json.loads(service.do(IssueGiftCard(product="cafe-card", amount_minor=180)).body)
    two = [{"line_id": "1", "sku": "CROISSANT", "categories": ["bakery"], "quantity": 2, "unit_price_minor": 230}]
    late = event("T3-000911", receipt("S12-T3-0911", 0, lines=two, tenders=[{"kind": "cash", "amount_minor": 460}]))
    by_card = [{"kind": "gift_card", "code": card["code"], "amount_minor": 300}]
    tea = receipt("S12-T3-0912", 300, at="2026-12-03T09:09:00+01:00", member={"card": "2600000009997"}, tenders=by_card)
    back = {
        "return_id": "S12-T3-R01",
        "store_id": "S12",
        "occurred_at": "2026-12-03T09:30:00+01:00",
        "of": {"store_id": "S07", "receipt_id": "S07-0440"},
        "all": True,
    }
    first = send(client, late, event("T3-000912", tea), event("T3-000913", back, "return"), late)
    bought, guest, parked, again = first
    assert (bought["status"], bought.get("replayed")) == (201, None)
    totals = bought["body"]["totals"]
    assert {key: totals[key] for key in ("gross_minor", "discount_minor", "net_minor", "due_minor")} == {
        "gross_minor": 460,
        "discount_minor": 0,
        "net_minor": 460,
        "due_minor": 460,
    }
    assert (totals["earned"], totals["spent"]) == ({"beans": 25}, {})
    (award,) = bought["body"]["awards"]
    assert (award["points"], award["day"]) == (25, "2026-12-03")
    assert award["why"] == "15 whole 1.00 in 15.10 eligible of that day: 75, of which 50 were given"
    assert (guest["status"], guest["body"]["member_id"]) == (201, None)
    assert guest["body"]["claim"]["until"] == "2026-12-12T09:30:00+01:00"
    assert codes(guest) == [
        ("unknown-member", "/events/1/body/member"),
        ("gift-card-shortfall", "/events/1/body/tenders/0"),
    ]
    assert guest["body"]["warnings"][1]["shortfall_minor"] == 120
    assert guest["body"]["tenders"][0]["shortfall_minor"] == 120
    assert service.gift_card(card["code"]).balance_minor == 0
    report = client.get("/v1/reports/liability", params={"from": "2026-12"}).json()
    (paid,) = [row for row in report["rows"] if row["kind"] == "paid"]
    assert (paid["issued"], paid["spent"], paid["closing"], paid["difference"]) == (180, 180, 0, 0)
    assert report["shortfalls"] == [{"month": "2026-12", "kind": "gift_card", "currency": "EUR", "amount_minor": 120}]
    assert (parked["status"], parked["body"]["state"]) == (202, "parked")
    assert parked["body"]["waits_for"] == {"store_id": "S07", "receipt_id": "S07-0440"}
    assert (again["status"], again["replayed"], again["body"]) == (201, True, bought["body"])
    for before, after in zip(
        first, send(client, late, event("T3-000912", tea), event("T3-000913", back, "return"), late), strict=True
    ):
        assert after == {**before, "replayed": True}


def test_a_guests_receipt_of_a_batch_is_claimed(cafe: tuple[Service, httpx.Client]) -> None:
    _, client = cafe
    (guest,) = send(client, event("k", receipt("G1", 460, member={"card": "2600000009997"})))
    claimed = client.post(
        f"/v1/purchases/{guest['body']['purchase_id']}/claim",
        json={"member": {"card": BEN}, "claim_code": guest["body"]["claim"]["code"]},
        headers={"Idempotency-Key": "claim"},
    )
    assert claimed.json()["earned"] == {"beans": 25}


def test_one_event_is_refused_alone(cafe: tuple[Service, httpx.Client]) -> None:
    _, client = cafe
    good = receipt("GOOD", 100)
    results = send(
        client,
        event("a", {**good, "colour": "red"}),
        event("b", {**good, "lines": [line(name="a\0b")]}),
        event("c", good, "exchange"),
        event("d", {**good, "receipt_id": "USD", "currency": "USD"}),
        event("e", {**good, "tenders": [{"kind": "points", "wallet": "beans", "up_to": True}]}),
        event("f", {**good, "store_id": "S13"}),
        event("g g", good),
        "nothing",
        event("h", {**good, "occurred_at": "2026-01-01T00:00:00Z"}),
        event("i", {**good, "member": {}}),
        event("n", receipt("USD", 100)),
        event("j", good),
        event("j", receipt("OTHER", 100)),
        event("k", {**good, "lines": [line()]}),
        event(
            "l",
            {
                "return_id": "R",
                "store_id": "S12",
                "occurred_at": good["occurred_at"],
                "of": {"purchase_id": "x"},
                "all": True,
            },
            "return",
        ),
    )
    told = [
        (result["status"], result["body"].get("code"), (result["body"].get("faults") or [{}])[0].get("pointer"))
        for result in results
    ]
    assert told == [
        (400, "unknown-field", "/events/0/body/colour"),
        (400, "nul-character", "/events/1/body/lines/0/name"),
        (400, "value-not-allowed", "/events/2/kind"),
        (201, None, None),
        (422, "tender-ambiguous", "/events/4/body/tenders/0"),
        (422, "store-differs", "/events/5/body/store_id"),
        (400, "value-not-allowed", "/events/6/idempotency_key"),
        (400, "wrong-type", "/events/7"),
        (422, "time-out-of-range", "/events/8/body/occurred_at"),
        (422, "member-ambiguous", "/events/9/body/member"),
        (409, "receipt-conflict", "/events/10/body/currency"),
        (201, None, None),
        (422, "key-reused", "/events/12/body"),
        (409, "receipt-conflict", "/events/13/body/lines/0/amount_minor"),
        (201, None, None),
    ]
    assert codes(results[3]) == [("currency-mismatch", "/events/3/body/currency")]
    assert codes(results[14]) == [("unknown-purchase", "/events/14/body/of/purchase_id")]


def test_a_key_twice_in_one_event_is_that_events_fault(cafe: tuple[Service, httpx.Client]) -> None:
    _, client = cafe
    good, twice = (json.dumps(event(name, receipt(name, 100))) for name in ("A", "B"))
    twice = twice.replace('"store_id"', '"store_id": "S13", "store_id"')
    body = f'{{"store_id": "S12", "till_id": "a\\u003ab", "events": [{good}, {twice}]}}'
    answer = client.post("/v1/batches", content=body, headers={"Content-Type": "application/json"}).json()
    assert [result["status"] for result in answer["results"]] == [201, 400]
    assert answer["results"][1]["body"]["faults"][0]["pointer"] == "/events/1/body/store_id"


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ('{"store_id": "S12", "till_id": "T3", "events": []}', 400, "value-not-allowed", "/events"),
        ('{"store_id": "S12", "till_id": "T3"}', 400, "missing-field", "/events"),
        ('{"store_id": "S12", "store_id": "S12", "till_id": "T3", "events": [{}]}', 400, "duplicate-key", "/store_id"),
        ('{"store_id": "S12", "till_id": "T3", "events": [{}]', 400, "broken-json", ""),
        ('{"store_id": "S12", "till_id": "T3", "events": [{"a": }]}', 400, "broken-json", ""),
        ('{"store_id": "S12", "till_id": "T\\u00003", "events": [{}]}', 400, "nul-character", "/till_id"),
        ('{"store_id": "S12", "till_id": "T3", "events": [' + "[" * 100_000, 400, "too-deep", ""),
        (
            '{"store_id": "S12", "till_id": "T3", "events": [' + ",".join(["{}"] * 1001) + "]}",
            400,
            "value-not-allowed",
            "/events",
        ),
        (json.dumps({"store_id": "x" * 9_000_000}), 413, "body-too-large", ""),
    ],
)
def test_a_batch_that_cannot_be_read(
    cafe: tuple[Service, httpx.Client], body: str, status: int, code: str, pointer: str
) -> None:
    problem = cafe[1].post("/v1/batches", content=body, headers={"Content-Type": "application/json"}).json()
    assert (problem["status"], problem["code"], problem["faults"][0]["pointer"]) == (status, code, pointer)


def test_a_thousand_events(cafe: tuple[Service, httpx.Client]) -> None:
    service, client = cafe
    many = [line(i, name="x" * 400) for i in range(1, 13)]
    results = send(client, *(event(f"k{i}", receipt(f"R{i}", 0, lines=many)) for i in range(1000)))
    assert {result["status"] for result in results} == {201}
    owner = service.purchase(store_id="S12", receipt_id="R999").member_id
    assert owner is not None
    assert service.balance(owner).wallets["beans"].available == (1000 * 12 * 380 + 1050) // 100 * 5
