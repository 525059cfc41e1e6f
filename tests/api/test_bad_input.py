"""Bad input through a real server: each kind is a problem document that says what and where, and none is a 500."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rewards.api.problems import KINDS
from tests.api.conftest import enrolled, line, purchase

JSON = {"Content-Type": "application/json"}
KEY = {**JSON, "Idempotency-Key": "k"}
BASKET = purchase("BAD-1")
TEXT = json.dumps(BASKET)


@pytest.fixture(autouse=True)
def no_tracebacks(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def basket(**fields: object) -> str:
    return json.dumps({**BASKET, **fields})


def one_line(**fields: Any) -> str:
    return basket(lines=[line(**fields)])


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        pytest.param(basket(colour="red"), 400, "unknown-field", "/colour", id="unknown field"),
        pytest.param(one_line(colour="red"), 400, "unknown-field", "/lines/0/colour", id="unknown field of a line"),
        pytest.param(TEXT.replace('"S12"', '"S12", "store_id": "S13"'), 400, "duplicate-key", "/store_id", id="key twice"),
        pytest.param(one_line(quantity=1.0), 400, "wrong-type", "/lines/0/quantity", id="1.0 for an integer"),
        pytest.param(one_line(unit_price_minor="380"), 400, "wrong-type", "/lines/0/unit_price_minor", id="text for an integer"),
        pytest.param(one_line(unit_price_minor=-1), 400, "value-not-allowed", "/lines/0/unit_price_minor", id="negative amount"),
        pytest.param(one_line(unit_price_minor=2**53), 400, "value-not-allowed", "/lines/0/unit_price_minor", id="amount too large"),
        pytest.param(one_line(unit_price_minor=2**53 - 1, quantity=2), 422, "amount-too-large", "/lines/0", id="product too large"),
        pytest.param(basket(currency="USD"), 422, "currency-mismatch", "/currency", id="foreign currency"),
        pytest.param(basket(member={"card": "2600000001236"}), 404, "unknown-member", "/member", id="unknown member"),
        pytest.param(basket(member={}), 422, "member-ambiguous", "/member", id="member without a key"),
        pytest.param(basket(member={"card": "1", "email": "a@b.example"}), 422, "member-ambiguous", "/member", id="member with two keys"),
        pytest.param(basket(receipt_id="x" * 10_000_000), 413, "body-too-large", "", id="10 MB"),
        pytest.param(TEXT[:-1], 400, "broken-json", "", id="broken JSON"),
        pytest.param("[" * 100_000, 400, "too-deep", "", id="100,000 brackets"),
        pytest.param(one_line(attributes="?").replace('"?"', '{"a":' * 50_000), 400, "too-deep", "", id="50,000 objects"),
        pytest.param(one_line(name="a\0b"), 400, "nul-character", "/lines/0/name", id="NUL"),
        pytest.param(TEXT.encode().replace(b"kim", b"k\xe9"), 400, "not-utf8", "", id="Latin-1"),
        pytest.param("", 400, "body-missing", "", id="no body"),
        pytest.param("null", 400, "wrong-type", "", id="null"),
        pytest.param(basket(lines=[]), 400, "value-not-allowed", "/lines", id="no lines"),
        pytest.param(basket(lines=[line(), line()]), 422, "line-repeated", "/lines", id="line id twice"),
        pytest.param(basket(lines=[line(i) for i in range(2001)]), 422, "too-many-lines", "/lines", id="2001 lines"),
        pytest.param(basket(occurred_at="2026-12-02T08:12:00"), 400, "naive-time", "/occurred_at", id="naive time"),
        pytest.param(basket(occurred_at="2026-12-02"), 400, "value-not-allowed", "/occurred_at", id="date for an instant"),
        pytest.param(basket(occurred_at="2026-10-01T08:12:00Z"), 422, "time-out-of-range", "/occurred_at", id="too long ago"),
        pytest.param(basket(occurred_at="2026-12-02T12:06:00Z"), 422, "time-out-of-range", "/occurred_at", id="in the future"),
        pytest.param(basket(occurred_at="0001-01-01T00:00:00+14:00"), 422, "time-out-of-range", "/occurred_at", id="before the calendar"),
        pytest.param(basket(tenders=[{"kind": "cash", "amount_minor": 379}]), 409, "due-changed", "/tenders", id="tenders too low"),
        pytest.param(basket(discount_minor=381), 422, "discount-too-large", "/discount_minor", id="discount too large"),
        pytest.param(one_line(amount_minor=379), 422, "amount-mismatch", "/lines/0/amount_minor", id="amounts disagree"),
        pytest.param(one_line(quantity="0.500"), 422, "amount-missing", "/lines/0/amount_minor", id="weight without an amount"),
        pytest.param(one_line(quantity="0.000", amount_minor=0), 422, "quantity-zero", "/lines/0/quantity", id="nothing weighed"),
    ],
)  # fmt: skip
def test_of_a_purchase(client: httpx.Client, body: bytes | str, status: int, code: str, pointer: str) -> None:
    answer = client.post("/v1/purchases", content=body, headers=JSON)
    refused(answer, status, code, pointer)
    assert client.get("/v1/purchases", params={"store_id": "S12", "receipt_id": "BAD-1"}).status_code == 404


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Content-Type": "text/plain"}, "content-type"),
        ({}, "content-type"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, "content-type"),
        ({"Content-Type": "application/json; charset=latin-1"}, "content-type"),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, "encoding-not-supported"),
    ],
)
def test_of_announcing_a_body(client: httpx.Client, headers: dict[str, str], code: str) -> None:
    refused(client.post("/v1/purchases", content=TEXT, headers=headers), 415, code, "")


def test_charset_may_be_named(client: httpx.Client) -> None:
    headers = {"Content-Type": "application/json; charset=UTF-8"}
    assert client.post("/v1/quotes", content=TEXT, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "parameter"),
    [
        ("GET", "/v1/purchases?receipt_id=R1", 400, "bad-parameter", "store_id"),
        ("GET", "/v1/purchases?store_id=S12&receipt_id=", 400, "bad-parameter", "receipt_id"),
        ("GET", "/v1/members/mem_x/statement?limit=0", 400, "bad-parameter", "limit"),
        ("GET", "/v1/members/mem_x/statement?limit=ten", 400, "bad-parameter", "limit"),
        ("GET", "/v1/members/mem_x/balance?at=tomorrow", 400, "bad-parameter", "at"),
        ("GET", "/v1/members/mem_x/balance?at=2026-12-02T08:12:00", 400, "bad-parameter", "at"),
        ("GET", "/v1/reports/liability?from=2026", 400, "bad-parameter", "from"),
        ("GET", "/v1/reports/liability?until=2026-00", 400, "bad-parameter", "until"),
        ("GET", "/v1/reports/liability?until=0000-01", 422, "month-out-of-range", "until"),
        ("GET", "/v1/reports/liability?until=2027-01", 422, "month-out-of-range", "until"),
        ("POST", "/v1/members", 400, "key-missing", "Idempotency-Key"),
        ("POST", "/v1/members/mem_x/adjustments", 400, "key-missing", "Idempotency-Key"),
    ],
)
def test_of_parameters(client: httpx.Client, method: str, path: str, status: int, code: str, parameter: str) -> None:
    body = {"wallet": "beans", "points": 1, "reason": "r", "actor": "kim"} if path.endswith("adjustments") else {}
    problem = refused(client.request(method, path, json=body if method == "POST" else None), status, code, None)
    assert [fault["parameter"] for fault in problem["faults"]] == [parameter]


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/members/mem_x", 404, "unknown-member"),
        ("GET", "/v1/members/%00%F0%9F%98%80", 404, "unknown-member"),
        ("GET", "/v1/members/mem_x/balance", 404, "unknown-member"),
        ("GET", "/v1/members/mem_x/statement", 404, "unknown-member"),
        ("GET", "/v1/purchases/pur_x", 404, "unknown-purchase"),
        ("GET", "/v1/purchases?store_id=S12&receipt_id=nowhere", 404, "unknown-purchase"),
        ("GET", "/v1/nothing", 404, "no-such-path"),
        ("GET", "/schema/nothing", 404, "no-such-path"),
        ("GET", "/", 404, "no-such-path"),
    ],
)
def test_of_addresses(client: httpx.Client, method: str, path: str, status: int, code: str) -> None:
    refused(client.request(method, path), status, code, None)


def test_more_than_is_left_cannot_be_returned(client: httpx.Client) -> None:
    bought = client.post("/v1/purchases", json=purchase("BAD-RETURN", lines=[line(quantity=2)]))
    assert bought.status_code == 201, bought.text
    body = {
        "return_id": "BAD-R1",
        "store_id": "S12",
        "occurred_at": "2026-12-02T11:00:00+01:00",
        "of": {"store_id": "S12", "receipt_id": "BAD-RETURN"},
        "lines": [{"line_id": "1", "quantity": 3}],
    }
    problem = refused(client.post("/v1/returns", json=body), 409, "return-exceeds", "/lines/0/quantity")
    assert "2" in problem["detail"]


def test_other_content_under_the_same_number_is_refused(client: httpx.Client) -> None:
    assert client.post("/v1/purchases", json=purchase("BAD-TWICE")).status_code == 201
    other = purchase("BAD-TWICE", lines=[line(categories=["tea"])])
    refused(client.post("/v1/purchases", json=other), 409, "receipt-conflict", "/lines/0/categories")


def test_a_key_is_for_one_content(client: httpx.Client) -> None:
    enrolled(client, "bad-key", name="Ana")
    answer = client.post("/v1/members", json={"name": "Ben"}, headers={"Idempotency-Key": "bad-key"})
    refused(answer, 422, "key-reused", None)


def test_a_contact_belongs_to_one_member(client: httpx.Client) -> None:
    enrolled(client, "bad-email", email="only.one@example.org")
    answer = client.post(
        "/v1/members", json={"email": "Only.One@example.org"}, headers={"Idempotency-Key": "bad-email-2"}
    )
    refused(answer, 409, "member-exists", "/email")


def test_the_connection_is_still_good_after_a_refusal(client: httpx.Client) -> None:
    for _ in range(3):
        assert client.post("/v1/purchases", content=b"x" * 2_000_000, headers=JSON).status_code == 413
        assert client.get("/health/live").status_code == 200


def refused(answer: httpx.Response, status: int, code: str, pointer: str | None) -> dict[str, Any]:
    """Check a problem document and return it; `pointer` None: it is not about a place in the body."""
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, code), problem
    assert {"type", "title", "status", "detail", "help", "code", "faults", "retryable"} <= problem.keys()
    assert problem["help"] == KINDS[code].remedy
    assert (problem["type"], problem["status"], problem["retryable"]) == (f"/schema#{code}", status, False)
    detail = str(problem["detail"])
    assert detail[0] == detail[0].lower()
    assert not detail.endswith(".")
    faults = problem["faults"]
    assert isinstance(faults, list)
    assert [fault.get("pointer") for fault in faults if "pointer" in fault] == ([] if pointer is None else [pointer])
    return problem
