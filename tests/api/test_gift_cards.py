"""L9 over HTTP: tills race single-use codes on a real server, with returns between; each code is used exactly once."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from rewards.days import instant
from rewards.service.codes import new_code, normal, shown
from rewards.service.commands import Publish
from rewards.service.service import Service
from rewards.store.database import Store
from tests.api.conftest import NOON, WITH_VOUCHERS, line, purchase, served
from tests.policies import program

CLIENTS, CODES = 50, 60


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[Service, str]]:
    """A server with a file of its own."""
    service = Service(Store.open(f"sqlite:///{tmp_path / 'own.db'}"), clock=lambda: instant(NOON))
    service.do(Publish(WITH_VOUCHERS))
    with served(service) as address:
        yield service, address
    service.close()


def issued(client: httpx.Client, key: str, **fields: object) -> dict[str, Any]:
    answer = client.post("/v1/gift-cards", json={"product": "sorry", **fields}, headers={"Idempotency-Key": key})
    assert answer.status_code == 201, answer.text
    card: dict[str, Any] = answer.json()
    return card


def gave(answer: dict[str, Any]) -> int:
    return sum(one["amount_minor"] for one in answer["discounts"])


def one_client(address: str, number: int, codes: list[str]) -> list[tuple[str, bool, bool]]:
    """Try every code in an order of its own; return each that was got, and whether it was given back or kept in part."""
    luck, log = random.Random(number), []
    with httpx.Client(base_url=address, timeout=60) as client:
        for i, code in enumerate(luck.sample(codes, len(codes))):
            name = f"{number}-{i}"
            body = purchase(name, lines=[line(quantity=2)], codes=[code])
            if luck.random() < 0.3:
                body["quote"] = client.post("/v1/quotes", json=body).json()["quote"]
            sent = client.post("/v1/purchases", json=body)
            if sent.status_code == 409:  # another till used what the quote promised
                assert sent.json()["code"] == "offer-gone"
                continue
            assert sent.status_code == 201, sent.text
            if luck.random() < 0.2:
                assert client.post("/v1/purchases", json=body).content == sent.content
            if gave(sent.json()):
                full, part = luck.random() < 0.5, luck.random() < 0.5
                what = {"all": True} if full else {"lines": [{"line_id": "1", "quantity": 1}]}
                if full or part:
                    back = {"return_id": name, "store_id": "S12", "occurred_at": "2026-12-02T11:00:00Z", **what}
                    of = {"store_id": "S12", "receipt_id": name}
                    answer = client.post("/v1/returns", json={**back, "of": of})
                    assert answer.status_code == 201, answer.text
                log.append((code, full, part))
    return log


def test_fifty_clients_race_for_codes(own: tuple[Service, str]) -> None:
    service, address = own
    with httpx.Client(base_url=address, timeout=60) as client:
        cards = [issued(client, f"k{i}") for i in range(CODES)]
        codes = [card["code"] for card in cards]
        with ThreadPoolExecutor(CLIENTS) as pool:
            logs = list(pool.map(lambda i: one_client(address, i, codes), range(CLIENTS)))
        got: Counter[str] = Counter(code for log in logs for code, _, _ in log)
        returned: Counter[str] = Counter(code for log in logs for code, full, _ in log if full)
        states = {code: client.post("/v1/gift-cards/lookup", json={"code": code}).json()["state"] for code in codes}
    assert set(got) == set(codes)
    for code in codes:  # whoever returned everything gave it back to the next one; whoever kept a part did not
        assert got[code] - returned[code] == (states[code] == "used")
    assert sum(returned.values()) > CODES // 4
    assert "used" in states.values()
    assert service.verify() == []


def test_no_code_is_kept_after_a_run(
    own: tuple[Service, str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the database, nor in its WAL, nor in a log; right codes, wrong ones and those with a slip."""
    _, address = own
    caplog.set_level(logging.DEBUG)
    shown_codes = []
    with httpx.Client(base_url=address, timeout=60) as client:
        for i in range(10):
            first, again = issued(client, f"k{i}"), issued(client, f"k{i}")
            slip = first["code"][:7] + "*" + first["code"][8:]
            codes = [first["code"], again["code"].lower(), slip, shown(new_code())]
            shown_codes += codes
            body = purchase(f"r{i}", codes=codes)
            quoted = client.post("/v1/quotes", json=body).json()["quote"]
            assert client.post("/v1/purchases", json={**body, "quote": quoted}).status_code == 201
            assert client.post("/v1/purchases", json={**body, "codes": codes[:2]}).status_code == 409
            told = client.get("/v1/purchases", params={"store_id": "S12", "receipt_id": f"r{i}"}).json()
            assert sorted(one["reason"] for one in told["codes_refused"]) == ["unknown-code"] * 2
            for code in codes:
                found = client.post("/v1/gift-cards/lookup", json={"code": code})
                assert found.status_code == (200 if code in codes[:2] else 404)
                assert code not in found.text
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir()) + caplog.text.encode()
    assert len(list(tmp_path.iterdir())) == 3  # the database, its WAL and the WAL's index
    texts = {text for code in shown_codes for text in (code, normal(code), code.upper(), code.replace("-", ""))}
    assert [text for text in texts if text.encode() in kept] == []
    assert shown_codes[0][-4:].encode() in kept


def test_a_code_that_leads_nowhere_is_answered_alike(own: tuple[Service, str]) -> None:
    _, address = own
    with httpx.Client(base_url=address) as client:
        good = normal(issued(client, "k")["code"])
        slip = good[:5] + ("2" if good[5] == "3" else "3") + good[6:]
        answers = [
            client.post("/v1/gift-cards/lookup", json={"code": code}) for code in (new_code(), slip, "x", "Ω" * 17)
        ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_what_staff_may_not_ask(own: tuple[Service, str]) -> None:
    _, address = own
    with httpx.Client(base_url=address) as client:
        card = issued(client, "k")
        where = f"/v1/gift-cards/{card['gift_card_id']}/activities"

        numbers = count()

        def ask(body: dict[str, object], address: str = where) -> tuple[int, str, str | None]:
            answer = client.post(address, json=body, headers={"Idempotency-Key": f"n{next(numbers)}"}).json()
            return answer["status"], answer["code"], (answer["faults"] or [{}])[0].get("pointer")

        assert ask({"activity": "LOAD"}) == (422, "activity-not-supported", "/activity")
        assert ask({"activity": "EAT"}) == (400, "value-not-allowed", "/activity")
        assert ask({"activity": "UNBLOCK"}) == (409, "activity-not-possible", "/activity")
        assert ask({"activity": "BLOCK"}, "/v1/gift-cards/gc_none/activities")[:2] == (404, "unknown-gift-card")
        assert ask({"product": "none"}, "/v1/gift-cards") == (422, "unknown-product", "/product")
        assert ask({"product": "sorry", "member": {"card": "1"}}, "/v1/gift-cards") == (
            404,
            "unknown-member",
            "/member",
        )
        missing = client.post("/v1/gift-cards", json={"product": "sorry"})
        assert (missing.status_code, missing.json()["code"]) == (400, "key-missing")


MONEY = program("""gift_cards: {cafe: {kind: paid, load: 5.00-250.00}}
""").encode()


@pytest.fixture
def till(tmp_path: Path) -> Iterator[httpx.Client]:
    service = Service(Store.open(f"sqlite:///{tmp_path / 'cards.db'}"), clock=lambda: instant(NOON))
    service.do(Publish(MONEY))
    with served(service) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client
    assert service.verify() == []
    service.close()


def test_money_on_a_card_over_http(till: httpx.Client) -> None:
    body = {"product": "cafe", "amount_minor": 2500, "pin": "4711"}
    card = till.post("/v1/gift-cards", json=body, headers={"Idempotency-Key": "i"}).json()
    where = f"/v1/gift-cards/{card['gift_card_id']}/activities"
    load = {"activity": "LOAD", "amount_minor": 1000}
    first, again = (till.post(where, json=load, headers={"Idempotency-Key": "a"}) for _ in range(2))
    assert (first.status_code, first.json()["balance_minor"]) == (201, 3500)
    assert (again.content, again.headers["Idempotency-Status"]) == (first.content, "replayed")
    short = till.post(
        where, json={**load, "activity": "REDEEM", "amount_minor": 3501}, headers={"Idempotency-Key": "b"}
    )
    assert (short.status_code, short.json()["code"], short.json()["balance_minor"]) == (409, "balance-too-low", 3500)
    found = till.post("/v1/gift-cards/lookup", json={"code": card["code"], "pin": "4711"})
    assert (found.status_code, found.json()["balance_minor"]) == (200, 3500)
    assert found.headers["content-type"] == "application/json"


def test_guessing_is_answered_alike_locks_the_card_and_slows_the_caller(till: httpx.Client) -> None:
    body = {"product": "cafe", "amount_minor": 2500, "pin": "4711"}
    card = till.post("/v1/gift-cards", json=body, headers={"Idempotency-Key": "i"}).json()

    def ask(code: str, pin: str) -> httpx.Response:
        return till.post("/v1/gift-cards/lookup", json={"code": code, "pin": pin})

    wrong = [ask(card["code"], f"{pin:04}") for pin in range(30)] + [ask(new_code(), "4711") for _ in range(30)]
    assert {answer.status_code for answer in wrong} == {404}
    assert len({answer.content for answer in wrong}) == 1
    slowed = ask(card["code"], "4711")
    assert (slowed.status_code, slowed.json()["code"], slowed.json()["retryable"]) == (429, "too-many-guesses", True)
    assert 0 < int(slowed.headers["Retry-After"]) <= 10
    where = f"/v1/gift-cards/{card['gift_card_id']}/activities"
    staff = till.post(where, json={"activity": "UNBLOCK"}, headers={"Idempotency-Key": "u"})
    assert (staff.status_code, staff.json()["state"], staff.json()["balance_minor"]) == (201, "active", 2500)
