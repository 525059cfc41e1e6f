"""Claims over HTTP: a guest's receipt counts once; whatever is wrong with id or code, the answer is the same."""

from __future__ import annotations

from itertools import count

import httpx

from tests.api.conftest import enrolled, purchase

NUMBERS = count()


def claim(client: httpx.Client, purchase_id: str, member_id: str, code: object) -> httpx.Response:
    body = {"member": {"id": member_id}, "claim_code": code}
    headers = {"Idempotency-Key": f"claim-{next(NUMBERS)}"}
    return client.post(f"/v1/purchases/{purchase_id}/claim", json=body, headers=headers)


def test_a_guests_receipt_counts_once(client: httpx.Client) -> None:
    ana = enrolled(client, "claims-ana")
    bought = client.post("/v1/purchases", json=purchase("CLAIM-1")).json()
    code, where = bought["claim"]["code"], bought["purchase_id"]
    claimed = claim(client, where, ana, code)
    assert (claimed.status_code, claimed.headers["Idempotency-Status"]) == (200, "created")
    assert claimed.json()["earned"] == bought["would_earn"] | {"beans": claimed.json()["earned"]["beans"]}
    assert claimed.json()["member_id"] == ana
    again = claim(client, where, ana, code).json()
    assert (again["status"], again["code"], again["retryable"]) == (409, "already-claimed", False)
    assert client.get(f"/v1/purchases/{where}").json()["member_id"] == ana
    assert client.post("/v1/purchases", json=purchase("CLAIM-1")).json() == bought
    assert code not in client.get(f"/v1/purchases/{where}").text


def test_whatever_is_wrong_is_answered_alike(client: httpx.Client) -> None:
    ben = enrolled(client, "claims-ben")
    bought = client.post("/v1/purchases", json=purchase("CLAIM-2")).json()
    mine = client.post("/v1/purchases", json=purchase("CLAIM-3", member={"id": ben})).json()
    code = bought["claim"]["code"]
    answers = [
        claim(client, bought["purchase_id"], ben, "0000-0000"),
        claim(client, bought["purchase_id"], "mem_x", "Ω"),
        claim(client, "pur_x", ben, code),
        claim(client, mine["purchase_id"], ben, code),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    unknown = claim(client, bought["purchase_id"], "mem_x", code).json()
    assert (unknown["code"], unknown["faults"][0]["pointer"]) == ("unknown-member", "/member")
    assert claim(client, bought["purchase_id"], ben, "").json()["code"] == "value-not-allowed"
    assert claim(client, bought["purchase_id"], ben, 12345678).json()["code"] == "wrong-type"
    without = client.post(
        f"/v1/purchases/{bought['purchase_id']}/claim", json={"member": {"id": ben}, "claim_code": code}
    )
    assert (without.status_code, without.json()["code"]) == (400, "key-missing")
    assert claim(client, bought["purchase_id"], ben, code).status_code == 200
