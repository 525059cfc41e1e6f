"""The statement over HTTP: JSON or text, whichever is accepted, in a language."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import purchase
from tests.api.test_bad_input import refused


@pytest.fixture(scope="module")
def member(client: httpx.Client) -> str:
    body = {"card": "2600000055550", "name": "Լուսինե", "language": "hy"}
    member: str = client.post("/v1/members", json=body, headers={"Idempotency-Key": "st-1"}).json()["member_id"]
    for number in range(3):
        sold = purchase(f"st-{number}", member={"id": member})
        assert client.post("/v1/purchases", json=sold).status_code == 201
    return member


def ask(client: httpx.Client, member: str, query: str = "", accept: str = "text/plain") -> httpx.Response:
    return client.get(f"/v1/members/{member}/statement{query}", headers={"Accept": accept})


def test_text_in_the_members_language(client: httpx.Client, member: str) -> None:
    answer = ask(client, member)
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (answer.headers["Content-Language"], answer.headers["Vary"]) == ("hy", "Accept")
    assert "Լուսինե" in answer.text
    assert answer.text.count("Գնում, կտրոն st-") == 3
    assert "Link" not in answer.headers


def test_text_in_another_language_and_by_pages(client: httpx.Client, member: str) -> None:
    answer = ask(client, member, "?language=ru-RU&limit=2")
    assert answer.text.count("Покупка, чек st-") == 2
    assert "Есть и более ранние записи." in answer.text
    following = answer.links["next"]["url"]
    last = ask(client, member, following)
    assert last.headers["Content-Language"] == "ru"
    assert last.text.count("Покупка, чек st-") == 1
    assert "next" not in last.links


@pytest.mark.parametrize("accept", ["application/json", "*/*", "application/json, text/plain", "image/png", ""])
def test_json_unless_text_is_preferred(client: httpx.Client, member: str, accept: str) -> None:
    answer = ask(client, member, accept=accept)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Vary"] == "Accept"
    assert len(answer.json()["entries"]) == 3


def test_json_with_the_customers_reasons(client: httpx.Client, member: str) -> None:
    told = ask(client, member, "?language=kk", "application/json").json()["entries"]
    assert "сатып алу сомасы" in str(told)


@pytest.mark.parametrize("accept", ["application/json", "text/plain"])
def test_what_is_refused_is_a_problem_document(client: httpx.Client, member: str, accept: str) -> None:
    refused(ask(client, member, "?language=fr", accept), 422, "unknown-language", None)
    refused(ask(client, member, "?language=%00", accept), 400, "bad-parameter", None)
    refused(ask(client, "mem_x", "", accept), 404, "unknown-member", None)
