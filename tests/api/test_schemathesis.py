"""Schemathesis against the real server: its checks on generated requests, good and bad, for every operation.

`REWARDS_SCHEMATHESIS_EXAMPLES` says how many examples an operation gets (20; the
full run is 300). The seed is fixed.
"""

from __future__ import annotations

import os
import re
from typing import Any, cast
from zlib import crc32

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

PLAUSIBLE = (
    ("currency", "[A-Z]{3}", "EUR"),
    ("occurred_at", r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-12-02T11:00:00Z"),
    ("wallet", "[ -~]{1,99}", "beans"),
    ("quote", "[ -~]{1,999}", None),
)

schema = from_dict(DOCUMENT)
# 422: the document has the form of the schema, but its sums, times or currency do not agree
schema.config.checks.positive_data_acceptance.expected_statuses += ["422"]


KNOWN: dict[str, str] = {}  # ids on the server under test


@pytest.fixture(scope="module", autouse=True)
def known(client: httpx.Client) -> None:
    KNOWN["member_id"] = enrolled(client, "schemathesis")
    bought = client.post("/v1/purchases", json=purchase("SCHEMATHESIS"))
    KNOWN["purchase_id"] = bought.json()["purchase_id"]


@schemathesis.hook
def map_body(_: Any, body: Any) -> Any:
    """Write `1.0` as `1` (to JSON Schema the same integer, not to a strict decoder); name what is there, in its time.

    Only values that are allowed are replaced, by others that are, so that good bodies stay good and bad ones bad.
    """
    body = whole(body)
    return likely(body) if isinstance(body, dict) and crc32(repr(body).encode()) % 4 else body


def likely(body: dict[str, Any]) -> dict[str, Any]:
    """Make a good body agree with itself and with the program, more often than chance would."""
    there = {"member": {"id": KNOWN["member_id"]}, "of": {"purchase_id": KNOWN["purchase_id"]}}
    body |= {field: ref for field, ref in there.items() if body.get(field, ...) is None}
    body |= {field: to for field, form, to in PLAUSIBLE if is_text(body.get(field), form)}
    if is_amount(body.get("discount_minor")):
        body["discount_minor"] = 0
    if isinstance(body.get("lines"), list) and "receipt_id" in body:
        body["lines"] = [priced(i, line) if isinstance(line, dict) else line for i, line in enumerate(body["lines"])]
    if isinstance(body.get("tenders"), list) and all(map(is_tender, body["tenders"])):
        body["tenders"] = []
    return body


def priced(number: int, line: dict[str, Any]) -> dict[str, Any]:
    for field, to in (("amount_minor", None), ("unit_price_minor", 380)):
        if line.get(field) is None or is_amount(line[field]):
            line[field] = to
    if is_amount(line.get("discount_minor")):
        line["discount_minor"] = 0
    if is_text(line.get("quantity"), r"[0-9]{1,7}\.[0-9]{1,6}"):
        line["quantity"] = 2
    if is_text(line.get("line_id"), "[ -~]{1,90}"):
        line["line_id"] += f"#{number}"
    return line


def is_text(value: object, form: str) -> bool:
    return isinstance(value, str) and re.fullmatch(form, value) is not None


def is_amount(value: object) -> bool:
    return type(value) is int and 0 <= value < 2**53


def is_tender(value: Any) -> bool:
    good = isinstance(value, dict) and value.keys() == {"kind", "amount_minor"}
    return good and is_amount(value["amount_minor"]) and is_text(value["kind"], "[ -~]{1,100}")


@schemathesis.hook
def map_path_parameters(_: Any, path_parameters: Any) -> Any:
    """Name a member and a purchase that are there, for every other address."""
    return {
        name: KNOWN[name] if name in KNOWN and crc32(str(value).encode()) % 2 else value
        for name, value in (path_parameters or {}).items()
    }


def whole(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: whole(part) for key, part in value.items()}
    if isinstance(value, list):
        return [whole(part) for part in value]
    return value


@schema.parametrize()
@seed(20261202)
@settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_documented(case: schemathesis.Case[Any], address: str) -> None:
    case.call_and_validate(base_url=address)
