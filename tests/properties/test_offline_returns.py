"""A purchase that a till took on trust, and all of it returned, leaves nothing behind: law 7 where not all was there.

Whatever of points and card money was there, in every order of returns: no refund is below zero, no card gets more than
it gave, what was there pays first for what is left, and in the end members, cards and the books are as they were.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.basket import Basket, BasketLine, BasketTender, MemberRef
from rewards.service.commands import (
    Adjust,
    Command,
    Enrol,
    IssueGiftCard,
    OfflinePurchase,
    OfflineReturn,
    Publish,
    ReturnLine,
    ReturnOf,
)
from rewards.service.service import Service
from rewards.store.database import Store
from tests import campaign

POLICY = b"""policy: rewards/v1
program: trust
title: Trust
currency: EUR
timezone: UTC
points:
  beans: {one: bean, pays: {points: 3 beans, buys: 0.02, minimum: 3 beans, step: 3 beans, at_most: 100%}}
eligible: {amount: after_discounts, tax: included, paid_by_points: does_not_count}
earn:
  beans: {every: 1.00, give: 5 beans}
gift_cards:
  paid: {kind: paid}
  given: {kind: promotional}
returns: {accept_within: 90 days}
"""
NOW = datetime(2026, 12, 2, 11, 0, tzinfo=UTC)
CARD = "2600000001236"
minor = st.integers(0, 700)


class Till:
    """A shop with a member and two gift cards."""

    def __init__(self, points: int, on_cards: tuple[int, int]) -> None:
        clock = (NOW - datetime(1970, 1, 1, tzinfo=UTC)).days * 86_400_000_000 + 11 * 3_600_000_000
        self.service = Service(Store.open("sqlite://"), clock=lambda: clock)
        self.service.do(Publish(POLICY))
        self.member = self.ask(Enrol(card=CARD))["member_id"]
        if points:
            who = MemberRef(card=CARD)
            self.ask(Adjust(member=who, wallet="beans", points=points, reason="r", actor="a"))
        pairs = zip(("paid", "given"), on_cards, strict=True)
        self.codes = [self.ask(IssueGiftCard(product=name, amount_minor=1 + minor))["code"] for name, minor in pairs]

    def ask(self, command: Command) -> Any:
        return json.loads(self.service.do(command).body)

    def stand(self) -> object:
        """Return all that is there: points and debts, money on cards, and what is booked as lacking."""
        wallet = self.service.balance(self.member).wallets.get("beans")
        cards = [self.service.gift_card(code).balance_minor for code in self.codes]
        with self.service._store.reading() as session:
            rows = session.rows(
                "SELECT account, sum(amount) FROM posting WHERE account IN ('shortfall', 'gift_card', 'points') GROUP BY 1"
            )
        return (
            (wallet.available, wallet.debt) if wallet is not None else (0, 0),
            cards,
            {account: amount for account, amount in rows if amount},
        )


@st.composite
def purchases(draw: st.DrawFn) -> tuple[Any, ...]:
    lines = draw(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 3)), min_size=1, max_size=3))
    due = sum(price * units for price, units in lines)
    shares = sorted(draw(st.lists(st.integers(0, due), min_size=3, max_size=3)))
    by = [b - a for a, b in zip([0, *shares], [*shares, due], strict=True)]
    units = [name for name, (_, count) in enumerate(lines) for _ in range(count)]
    return lines, by, draw(st.permutations(units)), draw(st.sampled_from(["member", "guest"])), draw(st.booleans())


@settings(max_examples=campaign.size(default=40, ci=150, long=10_000))
@given(purchases(), minor, st.tuples(minor, minor))
def test_purchase_and_full_return_leave_nothing_where_not_all_was_there(
    bought: tuple[Any, ...], points: int, on_cards: tuple[int, int]
) -> None:
    lines, (by_points, by_paid, by_given, cash), order, who, early = bought
    till = Till(points, on_cards)
    before = till.stand()
    parked = order[:1] if early else []
    for number, index in enumerate(parked):
        till.ask(back(number, index))
    tenders = [
        BasketTender(kind="points", wallet="beans", amount_minor=by_points, points=by_points * 3 // 2 or None),
        *(
            BasketTender(kind="gift_card", code=code, amount_minor=part)
            for code, part in zip(till.codes, (by_paid, by_given), strict=True)
        ),
        BasketTender(kind="cash", amount_minor=cash),
    ]
    basket = Basket(
        receipt_id="r",
        store_id="S1",
        occurred_at=NOW,
        currency="EUR",
        member=MemberRef(card=CARD) if who == "member" else None,
        lines=tuple(
            BasketLine(line_id=str(i), sku="A", unit_price_minor=price, quantity=units)
            for i, (price, units) in enumerate(lines)
        ),
        tenders=tuple(one for one in tenders if one.amount_minor),
    )
    answer = till.ask(OfflinePurchase(basket))
    taken = [one["amount_minor"] - one.get("shortfall_minor", 0) for one in answer.get("tenders", [])]
    given_back = [0] * len(taken)
    for number, index in list(enumerate(order)):
        told = till.ask(back(number, index))
        assert sum(one["amount_minor"] + one.get("shortfall_minor", 0) for one in told["refund"]) == lines[index][0]
        for one in told["refund"]:
            assert one["amount_minor"] >= 0
            assert one.get("shortfall_minor", 0) >= 0
            if taken:
                given_back[one["tender"]] += one["amount_minor"]
        assert all(sent <= there for sent, there in zip(given_back, taken, strict=True))
        assert till.service.verify() == []
    assert given_back == taken
    assert till.stand() == before
    assert [row for row in till.service.liability().rows if row.difference] == []
    till.service.close()


def back(number: int, index: int) -> OfflineReturn:
    return OfflineReturn(
        return_id=f"b{number}",
        store_id="S1",
        occurred_at=NOW,
        of=ReturnOf(store_id="S1", receipt_id="r"),
        lines=(ReturnLine(line_id=str(index), quantity=1),),
    )
