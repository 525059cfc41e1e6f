"""Races for the money of one gift card and the points of one member, on a real server over HTTP.

Whatever comes first, nothing is spent twice, nothing is below zero, no request fails for a reason of ours.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest

from tests import campaign
from tests.api.apart import Caller, Server, sold_now
from tests.policies import program

TRIES = campaign.size(default=30, ci=500, long=10_000)
LANES = 6  # races that run beside each other
BOTH_HAPPEN = 100  # tries after which each outcome has been seen
POLICY = program("""points:
  beans: {one: bean, pays: {points: 100 beans, buys: 1.00, minimum: 1 bean, step: 1 bean, at_most: 100%}}
earn:
  beans: {every: 1.00, give: 10 beans}
gift_cards:
  cafe: {kind: paid, load: 1.00-250.00}
returns: {accept_within: 90 days, spent_points: debt}
""")
Said = tuple[int, dict[str, Any]]
Post = tuple[str, dict[str, Any], str]


class Lane:
    """Three tills, and what they are told; requests that are sent at once are under way together."""

    def __init__(self, server: Server, number: int) -> None:
        self.number, self.luck = number, random.Random(number)
        self.tills = [Caller(server) for _ in range(3)]

    def ask(self, path: str, body: dict[str, Any], key: str = "") -> dict[str, Any]:
        status, told, data = self.tills[0].post(path, body, key)
        assert status in {200, 201}, data
        answer: dict[str, Any] = told
        return answer

    def at_once(self, *posts: Post) -> list[Said]:
        """Send all in an order of luck, then hear the answers; each is a yes or a refusal that says why."""
        pairs = list(zip(self.tills, posts, strict=False))
        for till, post in self.luck.sample(pairs, len(pairs)):
            till.send(*post)
        said = [till.hear()[:2] for till, _ in pairs]
        assert all(status in {200, 201, 409} for status, _ in said), said
        return said

    def card(self, key: str, minor: int, pin: str = "") -> dict[str, Any]:
        body = {"product": "cafe", "amount_minor": minor, **({"pin": pin} if pin else {})}
        return self.ask("gift-cards", body, key)

    def balance(self, card: dict[str, Any]) -> int:
        body = {"code": card["code"], **({"pin": "4711"} if card["has_pin"] else {})}
        minor: int = self.ask("gift-cards/lookup", body)["balance_minor"]
        assert minor >= 0
        return minor


def by_card(name: str, card: dict[str, Any], minor: int) -> Post:
    tender = {"kind": "gift_card", "code": card["code"], "amount_minor": minor}
    tender |= {"pin": "4711"} if card["has_pin"] else {}
    return "purchases", sold_now(name, minor, tenders=[tender]), ""


def back(name: str, receipt: str) -> Post:
    body = {"return_id": name, "store_id": "S1", "occurred_at": datetime.now(UTC).isoformat(), "all": True}
    return "returns", {**body, "of": {"store_id": "S1", "receipt_id": receipt}}, ""


def tills_for_one_card(lane: Lane, name: str) -> str:
    """Two or three tills take from one card, the same receipt twice among them; staff take from it too."""
    least = lane.luck.randint(100, 1000)
    card = lane.card(name, least, pin=lane.luck.choice(["", "4711"]))
    wanted = [lane.luck.randint(1, least) for _ in range(2)]
    posts = [by_card(f"{name}-{i}", card, minor) for i, minor in enumerate(wanted)]
    third = lane.luck.choice(["again", "staff"])
    if third == "again":
        posts.append(posts[0])
    else:
        where = f"gift-cards/{card['gift_card_id']}/activities"
        wanted.append(lane.luck.randint(1, least))
        posts.append((where, {"activity": "REDEEM", "amount_minor": wanted[2]}, f"{name}-staff"))
    said = lane.at_once(*posts)
    if third == "again" and said[0][0] == said[2][0] == 201:
        assert said[0] == said[2]
    took = [said[0][0] == 201 or (third == "again" and said[2][0] == 201), *(status == 201 for status, _ in said[1:])]
    spent = sum(minor for minor, yes in zip(wanted, took, strict=False) if yes)
    assert lane.balance(card) == least - spent
    for minor, (status, told) in zip(wanted, said, strict=False):  # refused only where there was too little
        assert status == 201 or (told["code"] == "balance-too-low" and told["balance_minor"] < minor)
    assert any(took)
    return f"{sum(took[: len(wanted)])} took"


def return_and_redeem(lane: Lane, name: str) -> str:
    """What a card paid comes back while a till takes more than is left without it."""
    card = lane.card(name, 1000)
    assert lane.at_once(by_card(f"{name}-1", card, 700))[0][0] == 201
    gone, got = lane.at_once(back(f"{name}-r", f"{name}-1"), by_card(f"{name}-2", card, 500))
    assert gone[0] == 201
    assert got[0] == 201 or got[1]["balance_minor"] == 300
    assert lane.balance(card) == (500 if got[0] == 201 else 1000)
    return "redeemed" if got[0] == 201 else "too early"


def return_twice(lane: Lane, name: str) -> str:
    """Two tills take one purchase back under two numbers: its money comes back once."""
    card = lane.card(name, 1000)
    assert lane.at_once(by_card(f"{name}-1", card, 700))[0][0] == 201
    said = lane.at_once(back(f"{name}-a", f"{name}-1"), back(f"{name}-b", f"{name}-1"))
    assert lane.balance(card) == 1000
    refunded = [sum(one["amount_minor"] for one in told.get("refund", [])) for _, told in said]
    assert sorted(refunded) == [0, 700]
    return "first" if refunded[0] else "second"


def points_come_back_and_pay(lane: Lane, name: str) -> str:
    """The purchase that gave the points comes back while they pay for another one: one of the two finds them."""
    member = lane.ask("members", {}, name)["member_id"]
    lane.ask("purchases", sold_now(f"{name}-1", 1000, member={"id": member}))
    pays = [{"kind": "points", "wallet": "beans", "points": 80}]
    post = ("purchases", sold_now(f"{name}-2", 80, member={"id": member}, tenders=pays), "")
    gone, got = lane.at_once(back(f"{name}-r", f"{name}-1"), post)
    assert gone[0] == 201
    assert got[0] == 201 or got[1]["code"] == "not-enough-points"
    quoted = lane.ask("quotes", sold_now(f"{name}-3", 50, member={"id": member}))["balance"]["beans"]
    assert (quoted["available"], quoted["debt"]) == (0, 80 if got[0] == 201 else 0)
    return "paid first" if got[0] == 201 else "back first"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("races"), POLICY) as server:
        yield server


@pytest.mark.parametrize("race", [tills_for_one_card, return_and_redeem, return_twice, points_come_back_and_pay])
def test_races(server: Server, race: Callable[[Lane, str], str]) -> None:
    def run(number: int) -> Sequence[str]:
        lane = Lane(server, number)
        try:
            return [race(lane, f"{race.__name__}-{number}-{i}") for i in range(number, TRIES, LANES)]
        finally:
            for till in lane.tills:
                till.close()

    with ThreadPoolExecutor(LANES) as pool:
        ends = Counter(end for found in pool.map(run, range(LANES)) for end in found)
    assert sum(ends.values()) == TRIES
    assert TRIES < BOTH_HAPPEN or len(ends) > 1, ends  # it is a race
