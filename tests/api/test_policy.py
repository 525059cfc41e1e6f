"""Publishing over HTTP: two real servers on one database, and a clock that a test sets."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from rewards.days import instant
from rewards.service.commands import Publish
from rewards.service.service import Service
from rewards.store.database import Store
from tests.api.conftest import purchase, served
from tests.policies import program

POLICY = program("""points:
  beans: {one: bean}
earn:
  beans: {every: 1.00, give: 5 beans}
returns: {accept_within: 90 days}
""")
DOUBLE = POLICY.replace("5 beans", "10 beans")
STORIES = """\
scenarios: rewards/v1
members:
  ana: {}
stories:
  ten-for-each-euro:
    - {at: 2026-12-07 09:00, purchase: r1, member: ana, lines: [{sku: TEA, price: 2.00}], expect: {earned: {beans: 20}}}
"""
NOON = datetime(2026, 12, 2, 12, 0, tzinfo=UTC)


class Tills:
    """Two servers of one program, and the clock that both go by."""

    def __init__(self) -> None:
        self.now = NOON
        self.servers: list[httpx.Client] = []

    def publish(self, number: int = 0, **body: object) -> httpx.Response:
        return self.servers[number].put("/v1/policy", json=body)

    def versions(self, number: int) -> list[dict[str, Any]]:
        versions: list[dict[str, Any]] = self.servers[number].get("/v1/policy/versions").json()["versions"]
        return versions

    def would_earn(self, number: int) -> dict[str, int]:
        body = purchase(f"r-{self.now:%d}-{number}", occurred_at=self.now.isoformat())
        answer = self.servers[number].post("/v1/purchases", json=body)
        assert answer.status_code == 201, answer.text
        earned: dict[str, int] = answer.json()["would_earn"]
        return earned


@contextmanager
def serving(file: Path, tills: Tills) -> Iterator[httpx.Client]:
    service = Service(Store.open(f"sqlite:///{file}"), clock=lambda: instant(tills.now))
    with served(service) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client
    service.close()


@pytest.fixture
def tills(tmp_path: Path) -> Iterator[Tills]:
    both = Tills()
    with ExitStack() as stack:
        file = tmp_path / "shop.db"
        both.servers = [stack.enter_context(serving(file, both)) for _ in range(2)]
        yield both


def test_the_first_version_is_in_force_at_once_on_both(tills: Tills) -> None:
    assert tills.servers[1].get("/v1/policy").status_code == 404
    answer = tills.publish(policy=POLICY)
    assert (answer.status_code, answer.json()["in_force"], answer.headers["Idempotency-Status"]) == (
        201,
        True,
        "created",
    )
    assert [tills.would_earn(number) for number in (0, 1)] == [{"beans": 15}, {"beans": 15}]


def test_both_servers_judge_by_the_new_version_from_its_midnight(tills: Tills) -> None:
    tills.publish(policy=POLICY)
    answer = tills.publish(0, policy=DOUBLE, scenarios=STORIES, **{"from": "2026-12-04"})
    assert (answer.status_code, answer.json()["effective"], answer.json()["in_force"]) == (201, "2026-12-04", False)
    assert [len(tills.versions(number)) for number in (0, 1)] == [2, 2]
    assert [tills.would_earn(number) for number in (0, 1)] == [{"beans": 15}, {"beans": 15}]
    tills.now += timedelta(days=2)
    assert [tills.would_earn(number) for number in (0, 1)] == [{"beans": 30}, {"beans": 30}]
    assert [tills.servers[number].get("/v1/policy").json()["policy"] for number in (0, 1)] == [DOUBLE, DOUBLE]


def test_the_same_again_is_told_and_writes_nothing(tills: Tills) -> None:
    tills.publish(policy=POLICY)
    for body in ({"policy": POLICY}, {"policy": POLICY, "from": "2027-01-01"}):
        answer = tills.publish(1, **body)
        assert (answer.status_code, answer.headers["Idempotency-Status"]) == (200, "replayed")
    assert len(tills.versions(0)) == 1


def refused(tills: Tills, code: str, **body: object) -> list[dict[str, Any]]:
    """Publish on the second server, and return the faults; the version of the first stays in force."""
    answer = tills.publish(1, **body)
    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["code"] == code, problem
    assert (
        answer.status_code
        == problem["status"]
        == (409 if code in {"effective-not-to-come", "currency-changed"} else 422)
    )
    assert len(tills.versions(0)) == 1
    assert tills.servers[1].get("/v1/policy").json()["policy"] == POLICY
    faults: list[dict[str, Any]] = problem["faults"]
    return faults


def test_a_broken_file_leaves_the_old_version_in_force(tills: Tills) -> None:
    tills.publish(policy=POLICY)
    broken = DOUBLE.replace("timezone:", "timezon:").replace("every: 1.00", "every: 1.000")
    first, second = refused(tills, "policy-invalid", policy=broken)
    assert (first["pointer"], first["line"], first["column"], first["code"]) == ("/policy", 5, 1, "unknown-key")
    assert "`timezone`" in first["help"]
    assert (second["line"], second["column"]) == (10, 18)
    assert "stays" in tills.publish(policy=broken).json()["detail"]


def test_a_story_that_fails_is_told_with_its_place(tills: Tills) -> None:
    tills.publish(policy=POLICY)
    (fault,) = refused(tills, "scenarios-failed", policy=DOUBLE, scenarios=STORIES.replace("beans: 20", "beans: 21"))
    assert fault["message"] == "story `ten-for-each-euro`, step 1, purchase r1: earned: beans: expected 21, got 20"
    assert (fault["pointer"], fault["line"], fault["code"]) == ("/scenarios", 6, "story-failed")
    (fault,) = refused(tills, "scenarios-failed", policy=DOUBLE, scenarios=STORIES.replace("beans: 20", "bens: 20"))
    assert (fault["pointer"], fault["line"], fault["code"]) == ("/scenarios", 6, "unknown-name")


def test_stories_may_publish_what_is_sent_beside(tills: Tills) -> None:
    tills.publish(policy=POLICY)
    stories = STORIES.replace("\n    - {", "\n    - {at: 2026-12-07, publish: old.yaml}\n    - {").replace(
        "beans: 20", "beans: 10"
    )
    (fault,) = refused(tills, "scenarios-failed", policy=DOUBLE, scenarios=stories)
    assert fault["message"] == "`old.yaml` can't be read: it was not sent in `beside`"
    assert tills.publish(policy=DOUBLE, scenarios=stories, beside={"old.yaml": POLICY}).status_code == 201


def test_what_a_program_keeps_and_days_that_have_begun(tills: Tills) -> None:
    tills.publish(policy=POLICY)
    (fault,) = refused(tills, "currency-changed", policy=DOUBLE.replace("EUR", "GBP"))
    assert fault["pointer"] == "/policy"
    (fault,) = refused(tills, "effective-not-to-come", policy=DOUBLE, **{"from": "2026-12-02"})
    assert fault["pointer"] == "/from"
    assert "2026-12-03 or later" in fault["message"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"policy": POLICY, "from": "tomorrow"}, "/from"),
        ({"policy": POLICY, "from": "2026-12-32"}, "/from"),
        ({"policy": 1}, "/policy"),
        ({"policy": ""}, "/policy"),
        ({"policy": POLICY, "scenarios": 1}, "/scenarios"),
        ({"policy": POLICY, "beside": {"x": 1}}, "/beside/x"),
        ({"policy": POLICY, "later": 1}, "/later"),
        ({"scenarios": STORIES}, "/policy"),
    ],
)
def test_bodies_that_are_none(tills: Tills, body: dict[str, Any], pointer: str) -> None:
    answer = tills.publish(**body)
    assert answer.status_code == 400
    assert answer.json()["faults"][0]["pointer"] == pointer
    assert tills.versions(0) == []


def test_the_methods_of_the_address(tills: Tills) -> None:
    assert tills.servers[0].options("/v1/policy").headers["Allow"] == "GET, OPTIONS, PUT"
    assert tills.servers[0].delete("/v1/policy").status_code == 405


def test_a_key_brings_the_first_answer(tills: Tills) -> None:
    headers = {"Idempotency-Key": "publish-1"}
    client = tills.servers[0]
    first = client.put("/v1/policy", json={"policy": POLICY}, headers=headers)
    again = client.put("/v1/policy", json={"policy": POLICY}, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)
    other = client.put("/v1/policy", json={"policy": DOUBLE}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "key-reused")


def test_a_version_published_by_the_service_is_told(tmp_path: Path, tills: Tills) -> None:
    """The command line writes to the same database; both servers notice."""
    other = Service(Store.open(f"sqlite:///{tmp_path / 'shop.db'}"), clock=lambda: instant(tills.now))
    other.do(Publish(POLICY.encode()))
    other.close()
    assert [len(tills.versions(number)) for number in (0, 1)] == [1, 1]
