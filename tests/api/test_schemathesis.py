"""Schemathesis against the real server: its checks on generated requests, good and bad, for every operation.

`REWARDS_SCHEMATHESIS_EXAMPLES` says how many examples an operation gets (20; the
full run is 300). The seed is fixed.
"""

from __future__ import annotations

import os
from itertools import count
from typing import Any, cast

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, seed, settings
from schemathesis.openapi import from_dict

from rewards.api.app import create_app
from rewards.api.document import exact
from rewards.service.service import Service
from tests.api.conftest import enrolled, purchase

EXAMPLES = int(os.environ.get("REWARDS_SCHEMATHESIS_EXAMPLES", "20"))
DOCUMENT = exact(create_app(cast("Service", None)).openapi_schema.to_schema())  # made without asking the service
KNOWN: dict[str, str] = {}  # ids on the server under test
NUMBER = count(1)
TAKEN = {"points": ("member", "wallet", "points"), "reward": ("member", "reward", "times"), "code": ("code",)}

schema = from_dict(DOCUMENT)
# 422: the document has the form of the schema, but its sums, times or currency do not agree
schema.config.checks.positive_data_acceptance.expected_statuses += ["422"]


@pytest.fixture(scope="module", autouse=True)
def known(client: httpx.Client) -> None:
    KNOWN["member_id"] = enrolled(client, "schemathesis")
    issued = client.post("/v1/gift-cards", json={"product": "sorry"}, headers={"Idempotency-Key": "schemathesis-card"})
    KNOWN["gift_card_id"], KNOWN["code"] = issued.json()["gift_card_id"], issued.json()["code"]
    KNOWN["hold_id"] = "schemathesis"
    held = {"hold_id": "schemathesis", "kind": "code", "code": KNOWN["code"]}
    assert client.post("/v1/holds", json=held).status_code == 201
    member = f"/v1/members/{KNOWN['member_id']}"
    for name, body in (
        ("adjustments", {"wallet": "beans", "points": 10**6, "reason": "to spend", "actor": "lee"}),
        ("redemptions", {"reward": "mug"}),
    ):
        answer = client.post(f"{member}/{name}", json=body, headers={"Idempotency-Key": f"schemathesis-{name}"})
    KNOWN["redemption_id"] = answer.json()["redemption_id"]
    KNOWN["purchase_id"] = client.post("/v1/purchases", json=purchase("SCHEMATHESIS")).json()["purchase_id"]


@schemathesis.hook
def map_body(_: Any, body: Any) -> Any:
    """Write `1.0` as `1`: to JSON Schema both are the same integer, to a strict decoder they are not."""
    return whole(body)


def whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(part) for key, part in value.items()}
    if isinstance(value, list):
        return [whole(part) for part in value]
    return value


@schemathesis.hook
def before_call(_: Any, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Let two good requests of three name what is there, with sums that agree: chance would hardly find such."""
    number = next(NUMBER)
    if case.meta is None or not case.meta.generation.mode.is_positive or number % 3 == 0:
        return
    if "Idempotency-Key" in case.headers and number % 7:
        case.headers["Idempotency-Key"] = f"schemathesis-{number}"
    case.path_parameters = {name: KNOWN.get(name, value) for name, value in (case.path_parameters or {}).items()}
    if isinstance(case.body, dict):
        agree(case.body, number)


def agree(body: dict[str, Any], number: int) -> None:
    """Change a good body into one that the program can take."""
    replacements: dict[str, Any] = {
        "occurred_at": "2026-12-02T11:00:00Z",
        "currency": "EUR",
        "wallet": "beans",
        "product": "sorry",
        "code": KNOWN["code"],
        "name": "review",
        "reward": "mug",
        "member": {"id": KNOWN["member_id"]},
        "quote": None,
        "hold_id": f"schemathesis-{number}",
        "discount_minor": 0,
        "tenders": [],
        "receipt_id": f"schemathesis-{number}",
        "return_id": f"schemathesis-{number}",
    }
    body |= {field: to for field, to in replacements.items() if field in body}
    if body.get("kind") in TAKEN:
        for field in ("member", "wallet", "points", "amount_minor", "code", "pin", "reward", "times"):
            if field not in TAKEN[body["kind"]]:
                body.pop(field, None)
        body |= {"member": {"id": KNOWN["member_id"]}} if "member" in TAKEN[body["kind"]] else {}
    if "return_id" in body:
        body["of"] = [None, {"purchase_id": KNOWN["purchase_id"]}, {"store_id": "S12", "receipt_id": "X"}][number % 3]
    if "receipt_id" in body and "lines" in body:
        for i, line in enumerate(body["lines"]):
            line |= {
                "line_id": str(i),
                "quantity": 2,
                "unit_price_minor": 380,
                "amount_minor": None,
                "discount_minor": 0,
            }


@schema.parametrize()
@seed(20261202)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_documented(case: schemathesis.Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address)
