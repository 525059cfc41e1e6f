"""A shop on a real database: in memory, or on disk where a test says so."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from rewards.basket import Basket, BasketLine, BasketTender, MemberRef
from rewards.service.commands import Enrol, Publish, RecordPurchase, RecordReturn, ReturnLine, ReturnOf
from rewards.service.service import Service
from rewards.store.database import Store
from tests.policies import program

POLICY = program("""country: DE
points:
  beans: {one: bean, expires: {after: 12 months}}
  stamps: {one: stamp, pending: 3 days, expires: {after: 12 months}}
earn:
  beans: {every: 1.00, give: 5 beans}
  stamp: {on: {categories: [coffee]}, every: 1 unit, give: 1 stamp}
  welcome: {when: {first_purchase: true}, give: 100 beans}
  big: {when: {spend: {at_least: 50.00}}, give: 20 beans}
returns: {accept_within: 90 days, spent_points: debt}
""").encode()
NOON = datetime(2026, 12, 2, 11, 0, tzinfo=UTC)  # a Wednesday
DAY = timedelta(days=1)


class Clock:
    """Tells the time that a test sets."""

    def __init__(self):
        self.now = NOON

    def __call__(self):
        return (self.now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


class Shop:
    """A service with short words for what tests do over and over."""

    def __init__(self, service, clock):
        self.service = service
        self.clock = clock

    def enrol(self, card="2600000001236", **facts):
        return self.ask(Enrol(card=card, **facts))

    def ask(self, command, **how):
        return json.loads(self.service.do(command, **how).body)

    def basket(self, receipt="r1", amount=1000, *, card="2600000001236", at=None, tenders=(), **facts):
        member = MemberRef(card=card) if card is not None else None
        lines = facts.pop("lines", None) or (line("1", amount=amount),)
        return Basket(
            receipt_id=receipt,
            store_id=facts.pop("store", "S1"),
            occurred_at=at or self.clock.now,
            currency="EUR",
            member=facts.pop("member", member),
            lines=lines,
            tenders=tuple(
                one if isinstance(one, BasketTender) else BasketTender(kind=one[0], amount_minor=one[1])
                for one in tenders
            ),
            **facts,
        )

    def buy(self, receipt="r1", amount=1000, *, how=None, **facts):
        return self.ask(RecordPurchase(self.basket(receipt, amount, **facts)), **(how or {}))

    def give_back(self, name="b1", *, of="r1", lines=None, store="S1", at=None, **facts):
        return RecordReturn(
            return_id=name,
            store_id=store,
            occurred_at=at or self.clock.now,
            of=ReturnOf(store_id="S1", receipt_id=of) if isinstance(of, str) else of,
            all=lines is None and of is not None,
            lines=tuple(ReturnLine(line_id=key, quantity=units) for key, units in (lines or {}).items()),
            **facts,
        )

    def beans(self, member_id, at=None):
        return self.service.balance(member_id, at).wallets["beans"]

    def books(self, sql, *values):
        """Return what is stored."""
        with self.service._store.reading() as session:
            return session.rows(sql, values)

    def damage(self, *sqls):
        """Change the books behind the service's back."""
        with self.service._store.transaction() as session:
            for sql in sqls:
                session.write(sql, [()])

    def close(self):
        """Nothing is found in the books at the end of the day, nor when everything was worked out anew."""
        found = [self.service.verify()]
        self.service.rebuild()
        found.append(self.service.verify())
        self.service.close()
        assert found == [[], []]


def line(name, sku="CAKE", amount=1000, quantity=1, **facts):
    return BasketLine(line_id=name, sku=sku, quantity=quantity, unit_price_minor=amount, **facts)


def card(issued, minor, pin=""):
    """A tender by a gift card."""
    return BasketTender(kind="gift_card", code=issued["code"], pin=pin, amount_minor=minor)


def cash(minor):
    return BasketTender(kind="cash", amount_minor=minor)


def points(amount_minor=None, wallet="beans", **how):
    """A tender by points."""
    return BasketTender(kind="points", wallet=wallet, amount_minor=amount_minor, **how)


def offers(answer):
    """What each offer took off, in minor units."""
    return {one["offer"]: one["amount_minor"] for one in answer["discounts"]}


def warned(answer):
    return [(one["code"], one["pointer"]) for one in answer.get("warnings", ())]


def counts(service):
    tables = ("owner", "event", "entry", "posting", "receipt_route", "key_route", "answer", "parked_return")
    with service._store.reading() as session:
        return {table: session.rows(f"SELECT count(*) FROM {table}")[0][0] for table in tables}


@pytest.fixture
def clock():
    return Clock()


def opened(url, clock, policy=POLICY, kind=Shop, cards=(), **how):
    """Open a shop; a new one with a policy, and members who have these cards."""
    shop = kind(Service(Store.open(url), clock=clock, **how), clock)
    if not shop.service.versions():
        shop.ask(Publish(policy))
    for card in cards:
        shop.enrol(card)
    return shop


@pytest.fixture
def shop(clock):
    shop = opened("sqlite://", clock)
    yield shop
    shop.close()


@pytest.fixture
def filed(tmp_path, clock):
    shop = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock)
    yield shop
    shop.close()
