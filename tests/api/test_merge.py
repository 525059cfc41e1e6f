"""Merging over HTTP: two cards, one person; retried, refused, and raced by tills that sell to the old card."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count

import httpx

from rewards.service.service import Service
from tests.api.conftest import enrolled, purchase

NUMBERS = count()


def merge(client: httpx.Client, into: str, other: dict[str, str], key: str = "") -> httpx.Response:
    headers = {"Idempotency-Key": key or f"merge-{next(NUMBERS)}"}
    body = {"member": other, "actor": "kim", "reason": "two cards"}
    return client.post(f"/v1/members/{into}/merge", json=body, headers=headers)


def test_two_cards_one_person(client: httpx.Client) -> None:
    ana, old = enrolled(client, "merge-ana"), enrolled(client, "merge-old")
    bought = client.post("/v1/purchases", json=purchase("MERGE-1", member={"id": old})).json()
    merged = merge(client, ana, {"id": old}, "merge-once")
    assert (merged.status_code, merged.headers["Idempotency-Status"]) == (200, "created")
    assert (merged.json()["member_id"], merged.json()["merged_id"]) == (ana, old)
    assert merged.json()["moved"] == bought["totals"]["earned"]
    assert merge(client, ana, {"id": old}, "merge-once").content == merged.content
    assert merge(client, ana, {"id": old}).content == merged.content
    for call in ("", "/balance"):
        assert client.get(f"/v1/members/{old}{call}").json()["member_id"] == ana
    assert client.get(f"/v1/purchases/{bought['purchase_id']}").json()["member_id"] == ana
    assert client.post("/v1/purchases", json=purchase("MERGE-1", member={"id": old})).json() == bought
    assert [entry["kind"] for entry in client.get(f"/v1/members/{old}/statement").json()["entries"]] == [
        "merge",
        "purchase",
    ]


def test_what_can_not_be_merged_says_what_to_do(client: httpx.Client) -> None:
    ana, old = enrolled(client, "refuse-ana"), enrolled(client, "refuse-old")
    itself = merge(client, ana, {"id": ana}).json()
    assert (itself["status"], itself["code"], itself["faults"][0]["pointer"]) == (409, "same-member", "/member")
    nobody = merge(client, "mem_x", {"id": ana}).json()
    assert (nobody["status"], nobody["code"]) == (404, "unknown-member")
    assert merge(client, ana, {"id": "mem_x"}).json()["faults"][0]["pointer"] == "/member"
    assert merge(client, ana, {"id": old, "card": "1"}).json()["code"] == "member-ambiguous"
    assert merge(client, ana, {"id": old}).status_code == 200
    back = merge(client, old, {"id": ana}).json()
    assert (back["code"], back["member_id"], back["retryable"]) == ("member-merged", ana, False)


def test_tills_that_sell_while_cards_are_joined_lose_and_double_nothing(client: httpx.Client, service: Service) -> None:
    pairs = [(enrolled(client, f"race-new-{i}"), enrolled(client, f"race-old-{i}")) for i in range(4)]

    def sell(number: int) -> dict[str, int]:
        old = pairs[number % 4][1]
        answer = client.post("/v1/purchases", json=purchase(f"RACE-{number}", member={"id": old}))
        assert answer.status_code == 201, answer.text
        return answer.json()["totals"]["earned"]

    def joined(number: int) -> dict[str, int]:
        answer = merge(client, pairs[number][0], {"id": pairs[number][1]})
        assert answer.status_code == 200, answer.text
        return {}

    with ThreadPoolExecutor(16) as pool:
        jobs = [pool.submit(joined, i // 12) if i % 12 == 6 else pool.submit(sell, i) for i in range(48)]
    earned: dict[str, int] = {}
    for job in jobs:
        for wallet, points in job.result().items():
            earned[wallet] = earned.get(wallet, 0) + points
    merged: dict[str, int] = {}
    for new, old in pairs:
        balance = client.get(f"/v1/members/{new}/balance").json()
        assert client.get(f"/v1/members/{old}/balance").json()["wallets"] == balance["wallets"]
        for wallet, held in balance["wallets"].items():
            merged[wallet] = merged.get(wallet, 0) + held["available"] + held["pending"]
    once = {i: purchase(f"RACE-{i}", member={"id": pairs[i % 4][1]}) for i in range(48) if i % 12 != 6}
    for body in once.values():
        assert client.post("/v1/purchases", json=body).headers["Idempotency-Status"] == "replayed"
    assert merged == expected(client, len(once))
    assert service.verify() == []


def expected(client: httpx.Client, receipts: int) -> dict[str, int]:
    """The same receipts, sold to four members who never had a second card."""
    found: dict[str, int] = {}
    numbers = [i for i in range(48) if i % 12 != 6]
    assert len(numbers) == receipts
    alone = [enrolled(client, f"alone-{i}") for i in range(4)]
    for i in numbers:
        client.post("/v1/purchases", json=purchase(f"ALONE-{i}", member={"id": alone[i % 4]}))
    for member in alone:
        for wallet, held in client.get(f"/v1/members/{member}/balance").json()["wallets"].items():
            found[wallet] = found.get(wallet, 0) + held["available"] + held["pending"]
    return found
