"""Holds raced through HTTP: captured, bought with, voided and run out at once; and several for one balance.

One of them wins, the others are told so; nothing is overspent, nothing falls below zero, nothing is unhandled.
REWARDS_CAMPAIGN says how many races are run.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any

import pytest

from tests import campaign
from tests.api.apart import sold_now
from tests.api.races import Answer, Tills, racing
from tests.policies import program

RACES = campaign.size(default=30, ci=500, long=10_000)
ACCOUNTS = min(RACES // 2, 40)  # raced for at once: each second one is a member's points, the others gift cards
START = 10**8
POLICY = program("""points:
  beans: {one: bean, pays: {points: 1 bean, buys: 0.01, minimum: 1 bean, step: 1 bean, at_most: 100%}}
gift_cards:
  cafe: {kind: paid, load: 1.00-2000000.00}
returns: {}
""")


class Account:
    """A balance, of points or of money, and what was taken of it."""

    def __init__(self, tills: Tills, name: str, balance: int, *, points: bool) -> None:
        self.tills, self.left, self.points = tills, balance, points
        if self.points:
            self.id = tills.post("members", {"external_id": name})[1]["member_id"]
            self.adjust(balance)
        else:
            card = tills.post("gift-cards", {"product": "cafe", "amount_minor": balance})[1]
            self.id, self.code = card["gift_card_id"], card["code"]

    def adjust(self, points: int) -> Answer:
        body = {"wallet": "beans", "points": points, "reason": "race", "actor": "kim"}
        return self.tills.post(f"members/{self.id}/adjustments", body)

    def hold(self, name: str, amount: int, seconds: int = 900) -> Answer:
        what = {"kind": "gift_card", "code": getattr(self, "code", ""), "amount_minor": amount}
        if self.points:
            what = {"kind": "points", "member": {"id": self.id}, "wallet": "beans", "points": amount}
        return self.tills.post("holds", {"hold_id": name, "expires_in_seconds": seconds, **what})

    def take(self, amount: int) -> Answer:
        """Spend without a hold."""
        if self.points:
            return self.adjust(-amount)
        return self.tills.post(f"gift-cards/{self.id}/activities", {"activity": "REDEEM", "amount_minor": amount})

    def give_back(self, amount: int) -> Answer:
        if self.points:
            return self.adjust(amount)
        return self.tills.post(f"gift-cards/{self.id}/activities", {"activity": "REFUND", "amount_minor": amount})

    def buy(self, hold: str, amount: int) -> Answer:
        tender = {"kind": "hold", "hold_id": hold, "amount_minor": amount}
        member = {"id": self.id} if self.points else None
        return self.tills.post("purchases", sold_now(hold, amount, member=member, tenders=[tender]))

    def balance(self) -> tuple[int, int]:
        """What is available and what is held."""
        if self.points:
            beans = self.tills.get(f"members/{self.id}/balance")["wallets"]["beans"]
            assert beans["debt"] == 0
            return beans["available"], beans["held"]
        card = self.tills.post("gift-cards/lookup", {"code": self.code})[1]
        return card["balance_minor"], card["held_minor"]


@pytest.fixture(scope="module")
def tills(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tills]:
    with racing(tmp_path_factory.mktemp("races"), POLICY) as opened:
        yield opened


def enough(races: int) -> Iterator[int]:
    """Rounds of races, one for each account."""
    return iter(range(-(-races // ACCOUNTS)))


def test_capture_purchase_void_and_expiry_of_one_hold(tills: Tills) -> None:
    luck, names = random.Random(5), count()
    accounts = [Account(tills, f"s{number}", START, points=number % 2 == 0) for number in range(ACCOUNTS)]
    ends: Counter[str] = Counter()
    for number in enough(RACES):
        runs_out = number % 3 == 1
        holds = {f"h{next(names)}": account for account in accounts}
        asked = [partial(account.hold, name, 100, 1 if runs_out else 900) for name, account in holds.items()]
        opened = tills.all_at_once(asked, luck)
        assert {status for status, _ in opened} == {201}
        if runs_out:  # the first of them run out about now
            first = min(datetime.fromisoformat(told["expires_at"]) for _, told in opened)
            time.sleep(max(0, (first - datetime.now(UTC)).total_seconds() - 0.01))
        ways = [way for name, account in holds.items() for way in _ways(tills, account, name)]
        answers = iter(tills.all_at_once(ways, luck))
        for name, account in holds.items():
            ends[_settled(tills, account, name, [next(answers) for _ in range(4)])] += 1
    for account in accounts:
        assert account.balance() == (account.left, 0)
    assert ends.total() >= RACES
    assert len(ends) > 1, ends


def _ways(tills: Tills, account: Account, name: str) -> list[Callable[[], Answer]]:
    part: dict[str, Any] = {"points": 70} if account.points else {"amount_minor": 70}
    return [
        partial(tills.post, f"holds/{name}/capture", part),
        partial(tills.post, f"holds/{name}/void", {}),
        partial(account.buy, name, 60),
        partial(tills.post, f"holds/{name}/capture", part),
    ]


def _settled(tills: Tills, account: Account, name: str, answers: list[Answer]) -> str:
    """Check that one way won, whichever; count what it took, and return how the hold ended."""
    captured, voided, bought, again = (status for status, _ in answers)
    assert {captured, voided, again} <= {200, 409}
    assert bought in {201, 409}
    assert captured == again
    won = {"captured": captured == 200, "voided": voided == 200, "bought": bought == 201}
    told = tills.get(f"holds/{name}")
    end = next((way for way, yes in won.items() if yes), "expired")
    assert sum(won.values()) == (end != "expired")
    assert told["state"] == ("captured" if end == "bought" else end)
    assert ("purchase_id" in told) == (end == "bought")
    codes = {told["code"] for status, told in answers if status == 409}
    wanted = {"voided": "hold-already-voided", "expired": "hold-expired"}.get(end, "hold-already-captured")
    assert codes <= {wanted}
    account.left -= {"captured": 70, "bought": 60}.get(end, 0)
    return end


def test_two_holds_and_a_spending_for_one_balance(tills: Tills) -> None:
    luck, names = random.Random(7), count()
    accounts = [Account(tills, f"t{number}", 1000, points=number % 2 == 0) for number in range(ACCOUNTS)]
    won: Counter[str] = Counter()
    for _ in enough(RACES):
        tries = [(account, f"a{next(names)}", f"b{next(names)}") for account in accounts]
        ways: list[Callable[[], Answer]] = []
        for account, one, two in tries:
            ways += [partial(account.hold, one, 700), partial(account.hold, two, 700), partial(account.take, 700)]
        answers = iter(tills.all_at_once(ways, luck))
        after: list[Callable[[], Answer]] = []
        for account, one, two in tries:
            first, second, taken = (next(answers)[0] for _ in range(3))
            assert sorted([first, second, taken]) == [201, 409, 409]
            assert account.balance() == ((300, 0) if taken == 201 else (300, 700))
            won["spending" if taken == 201 else "hold"] += 1
            name = one if first == 201 else two
            release = partial(tills.post, f"holds/{name}/void", {})
            after.append(release if taken == 409 else partial(account.give_back, 700))
        assert {status for status, _ in tills.all_at_once(after, luck)} <= {200, 201}
    assert [account.balance() for account in accounts] == [(1000, 0)] * ACCOUNTS
    assert won.total() >= RACES
