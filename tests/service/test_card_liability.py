"""The liability report on gift cards: each movement has its column, and at a month's end it is what is on all cards."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.basket import BasketTender, StoredValue
from rewards.errors import Conflict, InvalidRequest
from rewards.service.commands import ActOnGiftCard, CaptureHold, IssueGiftCard, OpenHold, Publish, RecordPurchase
from rewards.service.service import Service
from rewards.store.database import Store
from tests import campaign

from .conftest import DAY, Clock, Shop, line

POLICY = b"""policy: rewards/v1
program: finance
title: Finance
currency: EUR
timezone: UTC
offers:
  tenth: {only_by: voucher, percent_off: 10%}
gift_cards:
  flyer: {kind: voucher, offer: tenth}
  plain: {kind: paid}
  ending: {kind: paid, expires: {after: 20 days}}
  gift: {kind: promotional, expires: {after: 25 days}}
"""
PRODUCTS = ("plain", "ending", "gift")
MOVED = (
    "opening",
    "issued",
    "spent",
    "expired",
    "taken_back",
    "restored",
    "adjusted",
    "cashed_out",
    "cleared",
    "closing",
)


class Books(Shop):
    """A shop that issues and takes gift cards, and what finance reads about it."""

    def __init__(self):
        clock = Clock()
        super().__init__(Service(Store.open("sqlite://"), clock=clock), clock)
        self.clock.now = datetime(2027, 1, 10, 9, tzinfo=UTC)
        self.service.do(Publish(POLICY))
        self.cards, self.receipts = [], []
        self.count = 0

    def name(self, letter):
        self.count += 1
        return f"{letter}{self.count}"

    def issue(self, product="plain", minor=5000):
        card = self.ask(IssueGiftCard(product=product, amount_minor=minor), key=self.name("i"))
        self.cards.append(card)
        return card

    def act(self, card, activity, minor=None, **facts):
        command = ActOnGiftCard(
            gift_card_id=card["gift_card_id"], activity=activity, amount_minor=minor, reason="so", actor="kim", **facts
        )
        return self.ask(command, key=self.name("a"))

    def sell(self, product="plain", minor=2500):
        receipt = self.name("r")
        value = StoredValue(product=product)
        answer = self.buy(receipt, card=None, lines=(line("1", "CARD", minor, stored_value=value),))
        self.cards += answer["gift_cards_issued"]
        self.receipts.append(receipt)
        return receipt, answer["gift_cards_issued"][0]

    def pay(self, card, minor, *, late=timedelta()):
        """Two units of goods, paid by a card; what is odd in cents by cash."""
        receipt = self.name("r")
        tenders = (BasketTender(kind="gift_card", code=card["code"], amount_minor=minor),)
        tenders += (("cash", 1),) if minor % 2 else ()
        lines = (line("1", amount=(minor + minor % 2) // 2, quantity=2),)
        self.ask(
            RecordPurchase(self.basket(receipt, card=None, lines=lines, tenders=tenders, at=self.clock.now - late)),
            caller="scenario",
        )
        self.receipts.append(receipt)
        return receipt

    def back(self, receipt, units=1):
        return self.ask(self.give_back(self.name("b"), of=receipt, lines={"1": units}), caller="scenario")

    def row(self, month, kind="paid"):
        (found,) = [row for row in self.service.liability(month, month).rows if row.kind == kind]
        assert found.unit == "EUR"
        return found

    def moved(self, month, kind="paid"):
        row = self.row(month, kind)
        assert (row.difference, row.transferred, row.settled, row.owed, row.unvalued) == (0, 0, 0, 0, 0)
        assert row.value_minor == row.closing
        return {name: getattr(row, name) for name in MOVED if getattr(row, name)}

    def outstanding(self):
        """Return what is on all cards now, by kind."""
        sums = {"paid": 0, "promotional": 0}
        for card in self.cards:
            told = self.service.gift_card(card["code"])
            sums[told.kind] += told.balance_minor
        return sums


@pytest.fixture
def books():
    opened = Books()
    yield opened
    opened.close()


def on(month, day, hour=9):
    return datetime(2027, month, day, hour, tzinfo=UTC)


def test_each_movement_has_its_column(books):
    card, other = books.issue(), books.issue(minor=1000)
    books.act(card, "LOAD", 2500)
    books.act(card, "REDEEM", 3000)
    books.act(card, "REFUND", 1000)
    books.act(card, "ADJUST_INCREMENT", 100)
    books.act(card, "ADJUST_DECREMENT", 600)
    books.act(card, "TRANSFER_BALANCE", 500, to=other["gift_card_id"])
    assert books.moved("2027-01") == {
        "issued": 8500,
        "spent": 3000,
        "restored": 1000,
        "adjusted": -500,
        "closing": 6000,
    }
    books.clock.now = on(2, 3)
    books.act(card, "CASH_OUT", 700)
    books.act(other, "CLEAR_BALANCE")
    assert books.moved("2027-02") == {"opening": 6000, "cashed_out": 700, "cleared": 1500, "closing": 3800}
    assert books.moved("2027-02", "promotional") == {}
    assert books.row("2027-01").closed
    assert not books.row("2027-02").closed


def test_what_tills_sold_took_and_gave_back(books):
    sold, card = books.sell(minor=2500)
    receipt = books.pay(card, 999)
    books.clock.now = on(2, 3)
    books.back(receipt)
    books.back(sold)
    assert books.moved("2027-01") == {"issued": 2500, "spent": 999, "closing": 1501}
    assert books.moved("2027-02") == {"opening": 1501, "restored": 499, "taken_back": 2000}


def test_money_that_was_given_is_a_kind_of_its_own_and_ends_in_its_month(books):
    books.issue("gift", 1000)
    books.issue("plain", 100)
    books.clock.now = on(2, 1)
    assert books.moved("2027-01", "promotional") == {"issued": 1000, "closing": 1000}
    books.clock.now = on(3, 1)  # it ended on 4 February, and nobody has touched it
    assert books.moved("2027-02", "promotional") == {"opening": 1000, "expired": 1000}
    assert books.moved("2027-02") == {"opening": 100, "closing": 100}


def test_a_late_receipt_changes_no_closed_month(books):
    card = books.issue("ending")  # ends on 30 January
    books.clock.now = on(2, 2)
    closed = books.service.liability("2027-01", "2027-01").rows
    assert books.moved("2027-01") == {"issued": 5000, "expired": 5000}
    books.pay(card, 2000, late=5 * DAY)
    assert books.service.liability("2027-01", "2027-01").rows == closed
    assert books.moved("2027-02") == {"spent": 2000, "expired": -2000}
    books.act(card, "LOAD", 100)  # books the end of the rest
    assert books.moved("2027-02") == {"issued": 100, "spent": 2000, "expired": -2000, "closing": 100}


def test_what_is_held_is_outstanding_until_it_is_captured(books):
    card = books.issue()
    facts = {"kind": "gift_card", "code": card["code"], "amount_minor": 2000, "expires_in_seconds": 7 * 86_400}
    books.clock.now = on(1, 28)
    books.ask(OpenHold(hold_id="h1", **facts))
    assert books.moved("2027-01") == {"issued": 5000, "closing": 5000}
    books.clock.now = on(2, 2)
    books.ask(CaptureHold(hold_id="h1", amount_minor=1500))
    assert books.moved("2027-01") == {"issued": 5000, "closing": 5000}
    assert books.moved("2027-02") == {"opening": 5000, "spent": 1500, "closing": 3500}


def test_a_program_without_cards_of_money_has_no_rows_of_them(books):
    service = Service(Store.open("sqlite://"), clock=books.clock)
    service.do(Publish(POLICY.replace(b"kind: paid", b"kind: voucher, offer: tenth").split(b"  ending")[0]))
    assert service.liability().rows == []
    service.close()


STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "issue",
                "sell",
                "pay",
                "pay",
                "late",
                "back",
                "back",
                "REDEEM",
                "REFUND",
                "LOAD",
                "ADJUST_INCREMENT",
                "ADJUST_DECREMENT",
                "CASH_OUT",
                "CLEAR_BALANCE",
                "TRANSFER_BALANCE",
                "BLOCK",
                "UNBLOCK",
                "DEACTIVATE",
                "rest",
            ]
        ),
        st.integers(0, 3),
        st.integers(0, 20),
    ),
    min_size=6,
    max_size=30,
)


class Diary:
    """Notes at each month's end what is on all cards, and what the report says then."""

    def __init__(self, books):
        self.books = books
        self.ends, self.told = {}, {}

    def until(self, then):
        books = self.books
        while (books.clock.now.year, books.clock.now.month) < (then.year, then.month):
            month = books.clock.now.strftime("%Y-%m")
            books.clock.now = (books.clock.now.replace(day=1, hour=0, minute=0, second=0) + 32 * DAY).replace(day=1)
            self.ends[month] = books.outstanding()
            self.told[month] = books.service.liability(month, month).rows
        books.clock.now = max(books.clock.now, then)


def step(books, what, which, number):
    """Do one of the steps; what can't be done is not done."""
    card, other = books.cards[which % len(books.cards)], books.cards[(which + number) % len(books.cards)]
    minor = 100 * number + 1
    match what:
        case "issue":
            books.issue(PRODUCTS[which % 3], minor)
        case "sell":
            books.sell(PRODUCTS[which % 2], minor)
        case "pay":
            books.pay(card, minor)
        case "late":
            books.pay(card, minor, late=number * DAY)
        case "back" if books.receipts:
            books.back(books.receipts[number % len(books.receipts)])
        case "TRANSFER_BALANCE":
            books.act(card, what, to=other["gift_card_id"])
        case "CASH_OUT":
            books.act(card, what)
        case "CLEAR_BALANCE" | "BLOCK" | "UNBLOCK" | "DEACTIVATE":
            books.act(card, what)
        case "REDEEM" | "REFUND" | "LOAD" | "ADJUST_INCREMENT" | "ADJUST_DECREMENT":
            books.act(card, what, minor)


@settings(max_examples=campaign.size(default=settings.default.max_examples, ci=200, long=5000))
@given(STEPS)
def test_the_roll_forward_is_what_was_on_the_cards(steps):
    """At each month's end the closing is the sum of all cards, and stays so whatever is recorded later."""
    books = Books()
    diary = Diary(books)
    for product in PRODUCTS:
        books.issue(product, 3000)
    for what, which, number in steps:
        with suppress(Conflict, InvalidRequest):
            step(books, what, which, number)
        diary.until(books.clock.now + (2 * number if what == "rest" else number % 6) * DAY)
    diary.until(books.clock.now + 40 * DAY)
    rows = books.service.liability("2027-01").rows
    assert [row for row in rows if row.difference or row.transferred] == []
    for month, sums in diary.ends.items():
        mine = [row for row in rows if row.month == month]
        assert {row.kind: row.closing for row in mine} == sums
        assert mine == diary.told[month]
    for before, after in zip(rows, rows[2:], strict=False):
        assert after.opening == before.closing
    books.close()
