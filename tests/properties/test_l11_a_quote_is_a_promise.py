"""L11: a quote brought back is what the purchase gives, whatever came in between; through the service, with its seal.

Only a limit or budget that other purchases used up since may refuse it, and then with a word (`offer-gone`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
from hypothesis import given

from rewards.basket import Basket, BasketLine, MemberRef, StoredValue
from rewards.errors import Conflict
from rewards.policy.model import Policy
from rewards.receipt import Line, Receipt
from rewards.service.answers import PurchaseAnswer
from rewards.service.commands import Enrol, Publish, RecordPurchase
from rewards.service.service import Service
from rewards.store.database import Store
from tests.engine_adapter import run_engine
from tests.strategies.as_yaml import policy_yaml
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Purchase, receipt, was_referred
from tests.strategies.rung_up import undecided
from tests.strategies.till import with_fitting_offers
from tests.strategies.words import chance, pick

CARD, FRIEND = "2600000001236", "2600000001243"
LATEST = 44 * 86_400_000_000
START = datetime(1970, 1, 1, tzinfo=UTC)


def basket_of(bought: Receipt, currency: str, *, member: bool) -> Basket:
    """Return what a till would send of a drawn receipt; paid by whatever is due."""
    return Basket(
        receipt_id=bought.receipt_id,
        store_id=bought.store_id,
        occurred_at=START + timedelta(microseconds=bought.occurred_at),
        currency=currency,
        member=MemberRef(card=CARD) if member else None,
        lines=tuple(map(_line, bought.lines)),
        codes=bought.codes,
    )


def _line(line: Line) -> BasketLine:
    return BasketLine(
        line_id=line.line_id,
        sku=line.sku,
        categories=line.categories,
        quantity=line.quantity,
        amount_minor=line.gross_minor,
        discount_minor=line.discount_minor,
        tax_minor=line.tax_minor,
        tax_included=line.tax_included,
        lowest_minor=line.lowest_minor,
        attributes=line.attributes,
        stored_value=StoredValue(product=line.stored_value) if line.stored_value else None,
    )


class _Till:
    """A shop in memory that runs the case's first version."""

    def __init__(self, case: Case, policy: Policy | None = None) -> None:
        self.now = 0
        self.policy = policy or case.versions[0][1]
        self.service = Service(Store.open("sqlite://"), clock=lambda: self.now)
        self.member = case.story.joined is not None
        self.now = min(event.at for event in case.story.events)
        self.service.do(Publish(policy_yaml(self.policy).encode()))
        joined = date.fromordinal(case.story.joined or 1)
        friend = MemberRef(card=FRIEND) if was_referred(case.story.joined) else None
        self.service.do(Enrol(card=FRIEND, joined=joined))
        self.service.do(Enrol(card=CARD, joined=joined, referred_by=friend))

    def basket(self, bought: Receipt) -> Basket:
        self.now = max(self.now, bought.occurred_at)
        return basket_of(bought, self.policy.currency, member=self.member)

    def buy(self, basket: Basket) -> PurchaseAnswer:
        body = self.service.do(RecordPurchase(basket)).body
        return msgspec.convert(json.loads(body), PurchaseAnswer)


@given(case=cases(most_receipts=4, busy=False))
def test_brought_back_at_once(case: Case) -> None:
    till = _Till(case)
    for bought in _receipts(case):
        basket = till.basket(bought)
        quoted = till.service.quote(basket)
        found = till.buy(msgspec.structs.replace(basket, quote=quoted.quote))

        assert found.discounts == quoted.discounts
        assert found.lines == quoted.lines
        assert found.totals == quoted.totals
        assert [(a.rule, a.points, a.why) for a in found.awards] == [(a.rule, a.points, a.why) for a in quoted.awards]
        assert found.balance == quoted.balance
    assert till.service.verify() == []
    till.service.close()


@given(case=cases(most_receipts=4, busy=False))
def test_brought_back_after_something_else(case: Case) -> None:
    """After a receipt of the same member in between, and up to half an hour later: the same price, line by line."""
    till = _Till(case)
    for bought in _receipts(case):
        basket = till.basket(bought)
        quoted = till.service.quote(basket)
        other = receipt(case.more, f"other-{bought.receipt_id}", bought.day, case.zone)
        other = msgspec.structs.replace(other, occurred_at=bought.occurred_at)
        if chance(case.more, 2):
            till.buy(till.basket(other))
        later = pick(case.more, (0, 1, 30))
        till.now += later * 60_000_000
        late = msgspec.structs.replace(
            basket, quote=quoted.quote, occurred_at=basket.occurred_at + timedelta(minutes=later)
        )
        try:
            found = till.buy(late)
        except Conflict as refusal:
            gone = till.policy.offers[str(refusal.facts["offer"])]
            assert gone.limits or gone.budgets, refusal  # noqa: PT017  not every quote is refused
            continue
        assert found.discounts == quoted.discounts
        assert found.lines == quoted.lines
        assert found.totals.due_minor == quoted.totals.due_minor
    assert till.service.verify() == []
    till.service.close()


@given(case=cases(most_receipts=4, busy=False))
def test_the_service_decides_as_the_engine_does(case: Case) -> None:
    """From its database, with what the timeline says it needs and no more; budgets have owners of their own."""
    first = case.versions[0][1]
    without = {name: replace(one, budgets=()) for name, one in first.offers.items()}
    policy = with_fitting_offers(replace(first, offers=without))
    versions = [(case.versions[0][0], policy)]
    till = _Till(case, policy)
    booked: list[Purchase] = []
    for bought in _receipts(case):
        expected = run_engine(versions, case.story.joined, booked).decided(undecided(bought)).receipt
        found = till.buy(till.basket(bought))
        booked.append(Purchase(expected))

        assert [(one.offer, one.amount_minor) for one in found.discounts] == [
            (one.offer, one.amount_minor) for one in expected.discounts
        ]
        assert [line.net_minor for line in found.lines] == [line.net_minor for line in expected.lines]
    till.service.close()


def _receipts(case: Case) -> list[Receipt]:
    """The receipts as they arrive, but for those that come too late for a till."""
    found: list[Receipt] = []
    for event in case.arrived:
        latest = max((one.occurred_at for one in found), default=0)
        if isinstance(event, Purchase) and event.receipt.occurred_at > latest - LATEST:
            found.append(event.receipt)
    return found
