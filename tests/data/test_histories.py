"""Three public histories through the importer: totals and balances equal the independent computation.

Without REWARDS_LONG=1 a part of the members is taken, each with its whole history.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from rewards.basket import MemberRef
from rewards.days import instant
from tests.data.conftest import Shopkeeper
from tests.data.independent import Figures, Shop, booked, earned_and_taken_back, read
from tests.data.shops import GIFT_HOUSE, GROCERY_CARD, RECORD_CLUB

Held = dict[tuple[str, str], tuple[int, int]]
CASES = [
    pytest.param(RECORD_CLUB, 60, id="cdnow"),
    pytest.param(GROCERY_CARD, 60, id="complete_journey"),
    pytest.param(GIFT_HOUSE, 10, id="online_retail"),
]


def held(keeper: Shopkeeper, members: set[str], at: datetime) -> Held:
    """Return (available, pending) by member and wallet, as callers of the service are told."""
    found: Held = {}
    for member in members:
        answer = keeper.service.member(MemberRef(external_id=member))
        balance = keeper.service.balance(answer.member_id, instant(at))
        for wallet, detail in balance.wallets.items():
            assert detail.debt == 0
            if detail.available or detail.pending:
                found[member, wallet] = detail.available, detail.pending
    return found


@pytest.mark.parametrize(("shop", "of"), CASES)
def test_a_history_earns_what_an_independent_computation_says(
    shop: Shop, of: int, open_shop: Callable[[str], Shopkeeper], history: Callable[[str, int], Path]
) -> None:
    file = history(shop.file, of)
    events = read(file)
    entries, outcome = booked(events)
    given, taken = earned_and_taken_back(shop, entries)
    figures = Figures(shop, entries)
    members = {event["member_id"] for event in events if event["member_id"] is not None}
    last = max(datetime.fromisoformat(event["occurred_at"]) for event in events)

    keeper = open_shop(shop.program)
    result = keeper.take(file)

    said = {key: count for key, count in result.outcomes.items() if count}
    assert said.pop(("member", "recorded")) == len(members)
    assert said.pop(("purchase", "recorded")) == outcome.purchases
    assert said.pop(("return", "recorded"), 0) == outcome.returns
    assert said.pop(("return", "money only"), 0) == outcome.money_only
    assert said.pop(("return", "return-exceeds"), 0) == outcome.refused
    assert said.pop(("return", "parked"), 0) == outcome.waiting
    assert not said
    assert result.events == len(events)
    sums = keeper.sums()
    assert {wallet: -total for (account, wallet), total in sums.items() if account == "issued"} == dict(given)
    assert {wallet: total for (account, wallet), total in sums.items() if account == "taken_back"} == +taken
    for at in (last, last + timedelta(days=40), last + timedelta(days=200)):
        assert held(keeper, members, at) == figures.balances(at)
    assert keeper.service.verify() == []

    again = keeper.take(file)
    assert keeper.sums() == sums
    assert {kind for kind, word in again.outcomes if word == "recorded"} == set()
    assert again.outcomes["purchase", "already here"] == outcome.purchases

    other = open_shop(shop.program)
    shuffled = other.take(file, shuffle=20_260)
    accepted = {"recorded", "parked", "money only"}
    for kind in ("purchase", "return"):
        assert sum(n for (k, word), n in shuffled.outcomes.items() if k == kind and word in accepted) == sum(
            n for (k, word), n in result.outcomes.items() if k == kind and word in accepted
        )
    assert held(other, members, last) == figures.balances(last)
    assert other.service.verify() == []
