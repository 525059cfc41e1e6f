"""Redemptions over HTTP: the calls as they are answered, and each refusal with its code and its pointer."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import enrolled


@pytest.fixture(scope="module")
def member(client: httpx.Client) -> str:
    """A member with 210 beans; a mug costs 50."""
    member = enrolled(client, "redemptions")
    body = {"wallet": "beans", "points": 210, "reason": "to spend", "actor": "kim"}
    client.post(f"/v1/members/{member}/adjustments", json=body, headers={"Idempotency-Key": "redemptions-beans"})
    return member


def redeem(client: httpx.Client, member: str, key: str | None, **body: Any) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key is not None else {}
    return client.post(f"/v1/members/{member}/redemptions", json={"reward": "mug", **body}, headers=headers)


def test_a_reward_is_had_once_and_taken_back_once(client: httpx.Client, member: str) -> None:
    first, again = (redeem(client, member, "redeem-1", times=2) for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    answer = first.json()
    assert {key: answer[key] for key in ("reward", "times", "wallet", "points", "item")} == {
        "reward": "mug",
        "times": 2,
        "wallet": "beans",
        "points": 100,
        "item": "mug",
    }
    assert answer["balance"]["beans"]["available"] == 110
    place, body = (
        f"/v1/members/{member}/redemptions/{answer['redemption_id']}/cancel",
        {"reason": "a slip", "actor": "kim"},
    )
    back, once_more = (client.post(place, json=body) for _ in range(2))
    assert (back.status_code, once_more.content) == (200, back.content)
    assert (back.json()["restored"], back.json()["lots"]) == (100, answer["lots"])
    assert back.json()["balance"]["beans"]["available"] == 210


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        ({"reward": "nothing"}, 422, "unknown-reward", "/reward"),
        ({"points": 50}, 422, "reward-points", "/points"),
        ({"times": 0}, 400, "value-not-allowed", "/times"),
        ({"times": 5}, 409, "not-enough-points", "/reward"),
        ({"reward": "free-coffee"}, 409, "not-enough-points", "/reward"),
        ({"occurred_at": "2026-09-01T10:00:00Z"}, 422, "time-out-of-range", "/occurred_at"),
        ({"colour": "blue"}, 400, "unknown-field", "/colour"),
    ],
)
def test_what_is_refused(
    client: httpx.Client, member: str, body: dict[str, Any], status: int, code: str, pointer: str
) -> None:
    problem = redeem(client, member, f"refused-{code}{pointer}{len(body)}{sorted(body)}".replace(" ", ""), **body)
    assert (problem.status_code, problem.json()["code"]) == (status, code), problem.text
    assert problem.json()["faults"][0]["pointer"] == pointer


def test_what_is_not_there(client: httpx.Client, member: str) -> None:
    assert redeem(client, member, None).json()["code"] == "key-missing"
    nobody = redeem(client, "mem_nobody", "nobody")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "unknown-member")
    body = {"reason": "a slip", "actor": "kim"}
    nothing = client.post(f"/v1/members/{member}/redemptions/red_nothing/cancel", json=body)
    assert (nothing.status_code, nothing.json()["code"]) == (404, "unknown-redemption")
    silent = client.post(f"/v1/members/{member}/redemptions/red_nothing/cancel", json={"actor": "kim"})
    assert (silent.status_code, silent.json()["faults"][0]["pointer"]) == (400, "/reason")
