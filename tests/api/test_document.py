"""The OpenAPI document says what the decoder takes; its page loads nothing from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import httpx
import msgspec
import pytest

from rewards.api import bodies
from rewards.api.examples import EXAMPLES
from rewards.basket import Basket, BasketLine, BasketTender, MemberRef, StoredValue
from rewards.service.commands import Contact, Enrol, IssueGiftCard, OpenHold, RecordReturn, ReturnLine, ReturnOf

SENT = [Basket, BasketLine, BasketTender, MemberRef, StoredValue, Enrol, RecordReturn, ReturnLine, ReturnOf]
SENT += [bodies.Adjustment, bodies.CardActivity, bodies.GiftCardCode, bodies.PolicyText, bodies.PolicyToPublish]
SENT += [
    OpenHold,
    bodies.Capture,
    bodies.Release,
    IssueGiftCard,
    bodies.Claim,
    bodies.ContactsChange,
    bodies.Merge,
    bodies.OfflineBatch,
    Contact,
]
SENT += [bodies.Redemption, bodies.Cancellation]


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    answer = client.get("/schema/openapi.json")
    assert answer.headers["Content-Type"] == "application/vnd.oai.openapi+json"
    whole: dict[str, Any] = answer.json()
    return whole


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(f"{m.upper()} {path}", op) for path, item in document["paths"].items() for m, op in item.items()]


def test_operations(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert {name: operation["operationId"] for name, operation in operations(document)} == {
        "POST /v1/members": "enrol_member",
        "GET /v1/members/{member_id}": "get_member",
        "PATCH /v1/members/{member_id}": "change_member",
        "POST /v1/members/{member_id}/contacts": "change_contacts",
        "POST /v1/members/{member_id}/merge": "merge_members",
        "POST /v1/members/lookup": "look_up_member",
        "GET /v1/members/{member_id}/balance": "get_balance",
        "GET /v1/members/{member_id}/statement": "get_statement",
        "POST /v1/members/{member_id}/adjustments": "adjust_points",
        "POST /v1/members/{member_id}/activities": "record_activity",
        "POST /v1/members/{member_id}/redemptions": "redeem_reward",
        "POST /v1/members/{member_id}/redemptions/{redemption_id}/cancel": "cancel_redemption",
        "POST /v1/quotes": "quote_purchase",
        "POST /v1/purchases": "record_purchase",
        "GET /v1/purchases": "find_purchase",
        "GET /v1/purchases/{purchase_id}": "get_purchase",
        "POST /v1/purchases/{purchase_id}/claim": "claim_purchase",
        "POST /v1/batches": "record_batch",
        "POST /v1/returns": "record_return",
        "POST /v1/gift-cards": "issue_gift_card",
        "POST /v1/gift-cards/lookup": "look_up_gift_card",
        "POST /v1/gift-cards/images": "draw_gift_card_code",
        "POST /v1/gift-cards/{gift_card_id}/activities": "act_on_gift_card",
        "POST /v1/holds": "open_hold",
        "GET /v1/holds/{hold_id}": "get_hold",
        "POST /v1/holds/{hold_id}/capture": "capture_hold",
        "POST /v1/holds/{hold_id}/void": "void_hold",
        "GET /v1/reports/liability": "report_liability",
        "GET /v1/policy": "get_policy",
        "PUT /v1/policy": "publish_policy",
        "GET /v1/policy/versions": "list_policy_versions",
        "POST /v1/policy/check": "check_policy",
        "GET /health/live": "check_live",
        "GET /health/ready": "check_ready",
    }


def test_every_operation_documents_its_problems(document: dict[str, Any]) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if (operation["operationId"], status) == ("draw_gift_card_code", "200"):
                assert list(answer["content"]) == ["image/svg+xml"]
                continue
            medium = "application/json" if status < "300" else "application/problem+json"
            also = ["text/plain"] if (operation["operationId"], status) == ("get_statement", "200") else []
            assert list(answer["content"]) == [medium, *also], name
            assert "$ref" in answer["content"][medium]["schema"], name
        assert {"400", "403", "500", "503"} <= operation["responses"].keys(), name
        assert ("requestBody" in operation) == ("415" in operation["responses"]), name


@pytest.mark.parametrize("record", SENT)
def test_what_is_sent_has_no_further_fields(document: dict[str, Any], record: type[msgspec.Struct]) -> None:
    form = document["components"]["schemas"][record.__name__]
    assert form["additionalProperties"] is False
    assert set(form["properties"]) == set(record.__struct_encode_fields__)


def test_instants_are_instants(document: dict[str, Any]) -> None:
    forms = document["components"]["schemas"]
    assert forms["Basket"]["properties"]["occurred_at"]["format"] == "date-time"
    balance = document["paths"]["/v1/members/{member_id}/balance"]["get"]
    (at,) = [one for one in balance["parameters"] if one["name"] == "at"]
    assert at["schema"]["format"] == "date-time"


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    text = msgspec.json.encode(document).decode()
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    assert names <= document["components"]["schemas"].keys()


def test_the_page_works_offline(client: httpx.Client, document: dict[str, Any]) -> None:
    answer = client.get("/schema")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<script" not in answer.text
    assert re.findall(r'(?:src|href)="((?!#|data:|/schema)[^"]*)"', answer.text) == []
    assert [op["operationId"] for _, op in operations(document) if f'id="{op["operationId"]}"' not in answer.text] == []


def texts(form: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the forms of texts inside a form."""
    parts = [*form.get("anyOf", ()), *form.get("properties", {}).values(), form.get("items", {})]
    parts += [form.get("additionalProperties") or {}]
    return ([form] if form.get("type") == "string" else []) + [text for part in parts if part for text in texts(part)]


@pytest.mark.parametrize("record", SENT)
def test_no_text_that_is_sent_takes_nul(document: dict[str, Any], record: type[msgspec.Struct]) -> None:
    for text in texts(document["components"]["schemas"][record.__name__]):
        assert "format" in text or not re.search(text["pattern"], "a\0"), text


def test_examples_are_taken(client: httpx.Client, document: dict[str, Any]) -> None:
    known: dict[str, str] = {}
    client.post("/v1/members", json={"card": "2600000009997"}, headers={"Idempotency-Key": "merged"})
    for path, operation in [(name, op) for name, op in operations(document) if "requestBody" in op]:
        form = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
        (example,) = document["components"]["schemas"][form]["examples"]
        if form == "Release":  # what the example before it captured can't be voided
            known["hold_id"] = client.post("/v1/holds", json={**EXAMPLES["OpenHold"], "hold_id": "H89"}).json()[
                "hold_id"
            ]
        method, _, address = path.format_map(known).partition(" ")
        example |= {key: known[key] for key in ("code", "claim_code") if key in example}  # no code is known beforehand
        answer = client.request(method, address, json=example, headers={"Idempotency-Key": f"example-{form}"})
        assert answer.status_code in {200, 201}, (path, answer.text)
        if answer.headers["Content-Type"] != "application/json":
            continue
        known |= {name: value for name, value in answer.json().items() if isinstance(value, str)}
        known |= {"claim_code": answer.json()["claim"]["code"]} if form == "Basket" and "claim" in answer.json() else {}
