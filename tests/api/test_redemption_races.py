"""Races through HTTP on a real `rewards serve`: points buy one reward, however many ask for one at once.

Overspent, negative and unhandled are 0 after any number of tries: two redemptions for one balance, by call and in a
basket; a return and a redemption; two cancellations of one redemption. A debt is what a return leaves that takes back
points which had bought something, and nothing else. `REWARDS_CAMPAIGN` says how many tries there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest

from tests import campaign
from tests.api.apart import Server, sold_now
from tests.policies import program

TRIES = campaign.size(default=30, ci=500, long=10_000)  # of each kind
DESKS = 8  # that race at once, each with a member of its own
POLICY = program("""points:
  points: {one: point}
earn:
  points: {on: {categories: [goods]}, every: 1.00, give: 1 point}
rewards:
  card: {cost: 100 points, gives: {gift_card: thanks, value: 1.00}}
gift_cards:
  thanks: {kind: promotional, to: member}
returns: {}
""")


class Races(Server):
    """A server whose books are read once it has stopped."""

    def outstanding(self) -> tuple[int, int]:
        """Return the money on all gift cards, and the points that bought it; in minor units and points."""
        with closing(sqlite3.connect(self.database)) as rows:
            (money,) = rows.execute("SELECT sum(amount) FROM posting WHERE account = 'lot' AND unit = 'EUR'").fetchone()
            accounts = "SELECT sum(amount) FROM posting WHERE account IN ('spent', 'restored') AND unit = 'points'"
            return money or 0, rows.execute(accounts).fetchone()[0] or 0


@pytest.fixture(scope="module")
def races(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Races]:
    with Races(tmp_path_factory.mktemp("races"), POLICY) as server:
        yield server
    money, points = server.outstanding()
    assert money == points  # a card of 1.00 for each 100 points: none was given twice, and none for nothing


class Desk:
    """A member and whoever asks for something of the member's; `number` makes names."""

    def __init__(self, client: httpx.Client, number: int) -> None:
        self.client, self.number, self.names = client, number, count()
        self.unhandled = 0
        self.member = self.post("members", {}).json()["member_id"]

    def name(self) -> str:
        return f"{self.number}-{next(self.names)}"

    def post(self, path: str, body: dict[str, Any]) -> httpx.Response:
        response = self.client.post(f"/v1/{path}", json=body, headers={"Idempotency-Key": self.name()})
        self.unhandled += response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
        return response

    def give(self, points: int) -> None:
        body = {"wallet": "points", "points": points, "reason": "a race", "actor": "kim"}
        assert self.post(f"members/{self.member}/adjustments", body).status_code == httpx.codes.CREATED

    def redeem(self) -> httpx.Response:
        return self.post(f"members/{self.member}/redemptions", {"reward": "card"})

    def cancel(self, redemption: httpx.Response) -> httpx.Response:
        redemption_id = redemption.json()["redemption_id"]
        body = {"reason": "a race", "actor": "kim"}
        return self.post(f"members/{self.member}/redemptions/{redemption_id}/cancel", body)

    def buy(self, name: str, minor: int, category: str, *rewards: str) -> httpx.Response:
        line = {"line_id": "1", "sku": "A", "categories": [category], "amount_minor": minor}
        asked = [{"reward": reward} for reward in rewards]
        return self.post("purchases", sold_now(name, member={"id": self.member}, lines=[line], rewards=asked))

    def give_back(self, name: str) -> httpx.Response:
        of = {"store_id": "S1", "receipt_id": name}
        now = datetime.now(UTC).isoformat()
        body = {"return_id": f"b{name}", "store_id": "S1", "occurred_at": now, "of": of, "all": True}
        return self.post("returns", body)

    def points(self) -> tuple[int, int]:
        wallet = self.client.get(f"/v1/members/{self.member}/balance").json()["wallets"]["points"]
        return wallet["available"], wallet["debt"]


def at_once(pool: ThreadPoolExecutor, *asks: Callable[[], httpx.Response]) -> list[httpx.Response]:
    return [one.result() for one in [pool.submit(ask) for ask in asks]]


def race(server: Races, one_try: Callable[[Desk, ThreadPoolExecutor, int], None], first: int) -> None:
    """Have the desks try so many times together; each try checks what came of it."""
    limits = httpx.Limits(max_connections=4 * DESKS)
    with (
        httpx.Client(base_url=server.address, timeout=60, limits=limits) as client,
        ThreadPoolExecutor(DESKS) as desks,
        ThreadPoolExecutor(2 * DESKS) as pool,
    ):

        def at_a_desk(number: int) -> int:
            desk = Desk(client, first + number)
            for i in range(number, TRIES, DESKS):
                one_try(desk, pool, i)
            return desk.unhandled

        assert sum(desks.map(at_a_desk, range(DESKS))) == 0


def two_redemptions(desk: Desk, pool: ThreadPoolExecutor, number: int) -> None:
    """One by call, the other by call or in a basket: one of them gets the card."""
    desk.give(100)
    by_basket = bool(number % 2)
    other = (lambda: desk.buy(desk.name(), 50, "other", "card")) if by_basket else desk.redeem
    answers = at_once(pool, desk.redeem, other)
    assert sorted(one.status_code for one in answers) == [201, 409], [one.text for one in answers]
    (refused,) = [one.json() for one in answers if one.status_code == httpx.codes.CONFLICT]
    assert (refused["code"], refused["available"]) == ("not-enough-points", 0)
    assert desk.points() == (0, 0)


def return_and_redeem(desk: Desk, pool: ThreadPoolExecutor, number: int) -> None:
    """The return takes back the points that the redemption wants, or gives back those of a reward bought before."""
    name, gives_back = desk.name(), bool(number % 2)
    if gives_back:
        desk.give(100)
    bought = desk.buy(name, 10_000, *(("other", "card") if gives_back else ("goods",)))
    assert bought.status_code == httpx.codes.CREATED, bought.text
    back, redeemed = at_once(pool, lambda: desk.give_back(name), desk.redeem)
    assert back.status_code == httpx.codes.CREATED, back.text
    won = redeemed.status_code == httpx.codes.CREATED
    if gives_back:
        assert desk.points() == (0 if won else 100, 0)
    else:
        assert desk.points() == (0, 100 if won else 0)
    if won:
        assert desk.cancel(redeemed).status_code == httpx.codes.OK
    else:
        assert redeemed.json()["code"] == "not-enough-points", redeemed.text
    assert desk.points() == (100 if gives_back else 0, 0)
    desk.give(-desk.points()[0]) if gives_back else None


def two_cancellations(desk: Desk, pool: ThreadPoolExecutor, number: int) -> None:
    """Both are answered alike, and the points come back once."""
    del number
    desk.give(100)
    redeemed = desk.redeem()
    answers = at_once(pool, lambda: desk.cancel(redeemed), lambda: desk.cancel(redeemed))
    assert answers[0].content == answers[1].content
    assert desk.points() == (100, 0)
    desk.give(-100)


@pytest.mark.parametrize(
    ("one_try", "first"), [(two_redemptions, 100), (return_and_redeem, 200), (two_cancellations, 300)]
)
def test_points_are_spent_once(
    races: Races, one_try: Callable[[Desk, ThreadPoolExecutor, int], None], first: int
) -> None:
    race(races, one_try, first)
