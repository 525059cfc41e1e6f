"""L9: limits and budgets hold in every interleaving; and with them L7 and L12 as far as they speak of budgets.

A clerk counts, by hand, what all buyers drew: with one offer every discount is foretold to the cent, so nothing is
overrun and nothing that could be granted is withheld. With several offers, groups and free units, no window of any
budget or limit holds more than it may. A full return of everything leaves nothing drawn.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml
from hypothesis import given
from hypothesis import strategies as st

from rewards.basket import Basket, BasketLine, MemberRef
from rewards.errors import Conflict
from rewards.service.commands import Enrol, Publish, RecordPurchase, RecordReturn, ReturnLine, ReturnOf
from rewards.service.journal import read_receipt
from rewards.service.service import Service
from rewards.store.database import Store
from tests.policies import program

ZONE = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 12, 31, 11, 0, tzinfo=UTC)
CARDS = ("2600000001236", "2600000002042", None)
HEAD = program("""points: {beans: {one: bean}}
earn: {beans: {every: 1.00, give: 1 bean}}
returns: {}
""")
WINDOWS = ("day", "week", "month", "quarter", "year", "ever")


def window(day: date, per: str) -> object:
    return {
        "day": day,
        "week": day.isocalendar()[:2],
        "month": (day.year, day.month),
        "quarter": (day.year, (day.month - 1) // 3),
        "year": day.year,
        "ever": 0,
    }[per]


@st.composite
def uses(draw: st.DrawFn, *, units: bool) -> list[dict[str, object]]:
    """Budgets or limits: small numbers, so that they are used up at once."""
    what = st.sampled_from(["times", "units", "money"] if units else ["times", "money"])
    found = {}
    for kind, per in draw(st.lists(st.tuples(what, st.sampled_from(WINDOWS)), max_size=2, unique=True)):
        amount: object = draw(st.integers(1, 6))
        if kind == "money":
            amount = f"{draw(st.sampled_from([1, 30, 50, 99, 250, 777])) / 100:.2f}"
        found[kind, per] = {kind: amount, "per": per}
    return list(found.values())


GIVES = st.sampled_from(
    [
        {"percent_off": "20%"},
        {"amount_off": "0.50 per unit"},
        {"amount_off": "2.00", "stage": "basket"},
        {"percent_off": "10%", "stage": "basket"},
        {"fixed_price": "0.90"},
        {"free": {"units": 1, "of_every": 2}},
    ]
)


@st.composite
def offers(draw: st.DrawFn, simple: int) -> dict[str, Any]:
    """One plain offer (`simple`), or up to three of all kinds, two of which may be rivals."""
    found = {}
    for name in ("apple", "berry", "cherry")[: 1 if simple else draw(st.integers(1, 3))]:
        gives = draw(GIVES.filter(lambda one: "percent_off" not in one and "free" not in one) if simple else GIVES)
        basket = "stage" in gives
        if "free" in gives and any("free" in one for one in found.values()):
            gives = {"amount_off": "0.10 per unit"}
        offer = {**gives, "on": "all"} if basket else {"on": {"skus": ["PEN"]}, **gives}
        if basket:
            del offer["on"]
        for key in ("budget", "limit"):
            if part := draw(uses(units=not basket)):
                offer[key] = part
        found[name] = offer
    return found


Line = tuple[int, int]  # units, price
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("buy"),
            st.sampled_from(CARDS),
            st.sampled_from([0, 0, 0, 1, 6, 29, 31]),
            st.tuples(st.integers(1, 4), st.sampled_from([90, 100, 500])),
        ),
        st.tuples(
            st.just("quote"),
            st.sampled_from(CARDS),
            st.just(0),
            st.tuples(st.integers(1, 4), st.sampled_from([100, 500])),
        ),
        st.tuples(st.sampled_from(["part", "all", "bring", "again"]), st.integers(0, 9)),
    ),
    min_size=2,
    max_size=16,
)


@dataclass
class Sold:
    basket: Basket
    day: date
    buyer: str | None
    body: bytes
    left: int
    discounts: list[tuple[str, int, int]]  # offer, units, minor units; none once all came back


@dataclass
class Till:
    """The real service and, beside it, the receipts that were sold."""

    service: Service
    offers: dict[str, Any]
    sold: list[Sold] = field(default_factory=list)
    quoted: list[tuple[Basket, list[tuple[str, int]]]] = field(default_factory=list)
    names: int = 0

    def basket(self, card: str | None, days_ago: int, line: Line) -> Basket:
        self.names += 1
        units, price = line
        return Basket(
            receipt_id=f"r{self.names}",
            store_id="S1",
            occurred_at=NOW - timedelta(days=days_ago),
            currency="EUR",
            member=MemberRef(card=card) if card else None,
            lines=(BasketLine(line_id="1", sku="PEN", quantity=units, unit_price_minor=price),),
        )

    def record(self, basket: Basket) -> Sold:
        body = self.service.do(RecordPurchase(basket)).body
        with self.service._reading() as batch:
            owner, number, _ = batch.receipts.get("S1", basket.receipt_id, "purchase")
            receipt = read_receipt(batch.event(owner, number)[9])
        drew = [(one.offer, one.units, one.amount_minor) for one in receipt.discounts]
        day = basket.occurred_at.astimezone(ZONE).date()
        buyer = basket.member.card if basket.member else None
        sold = Sold(basket, day, buyer, body, basket.lines[0].quantity, drew)
        self.sold.append(sold)
        return sold

    def give_back(self, sold: Sold, units: int) -> None:
        self.names += 1
        lines = (ReturnLine(line_id="1", quantity=units),)
        of = ReturnOf(store_id="S1", receipt_id=sold.basket.receipt_id)
        self.service.do(RecordReturn(return_id=f"b{self.names}", store_id="S1", occurred_at=NOW, of=of, lines=lines))
        sold.left -= units
        if not sold.left:
            sold.discounts = []

    def used(self, offer: str, use: dict[str, Any], day: date, buyer: str | None = None) -> int:
        """What counts against a budget, or a buyer's limit, in the window of a day; in units or minor units."""
        found = 0
        for sold in self.sold:
            if (buyer is None or sold.buyer == buyer) and window(sold.day, use["per"]) == window(day, use["per"]):
                for name, units, amount in sold.discounts:
                    found += (1 if "times" in use else units if "units" in use else amount) if name == offer else 0
        return found

    def room(self, offer: str, day: date, buyer: str | None) -> dict[str, int]:
        """What is left of times, units and money: the least over budgets and the buyer's limits."""
        left: defaultdict[str, int] = defaultdict(lambda: 10**9)
        for key, whose in (("budget", None), ("limit", buyer)):
            for use in self.offers[offer].get(key, ()):
                (kind,) = use.keys() - {"per"}
                left[kind] = min(left[kind], most(use) - self.used(offer, use, day, whose))
        return left

    def drawn(self) -> dict[str, dict[int, list[int]]]:
        with self.service._reading() as batch:
            budgets = batch.running.budgets
            return {name: rest for name, owner in budgets.items() if (rest := batch.budget(owner).near.drawn)}


def most(use: dict[str, Any]) -> int:
    return round(float(use["money"]) * 100) if "money" in use else int(use.get("times") or use["units"])


@contextmanager
def open_till(drawn: dict[str, Any], extra: str = "") -> Iterator[Till]:
    service = Service(
        Store.open("sqlite://"), clock=lambda: (NOW - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    )
    try:
        service.do(Publish((HEAD + yaml.safe_dump({"offers": drawn}) + extra).encode()))
        for card in CARDS[:2]:
            service.do(Enrol(card=card, joined=date(2026, 1, 1)))
        till = Till(service, drawn)
        yield till
        assert service.verify() == []
        for sold in till.sold:  # L7
            if sold.left:
                till.give_back(sold, sold.left)
        assert till.drawn() == {}
        assert service.verify() == []
    finally:
        service.close()


def play(till: Till, step: tuple[Any, ...]) -> Sold | None:
    """Do a step; return what was sold by it."""
    match step:
        case ("buy", card, days_ago, line):
            return till.record(till.basket(card, days_ago, line))
        case ("quote", card, days_ago, line):
            basket = till.basket(card, days_ago, line)
            before = till.drawn()
            quote = till.service.quote(basket)
            assert till.drawn() == before
            promised = [(one.offer, one.amount_minor) for one in quote.discounts]
            till.quoted.append((msgspec.structs.replace(basket, quote=quote.quote), promised))
        case ("bring", i) if till.quoted:
            return bring(till, *till.quoted.pop(i % len(till.quoted)))
        case ("again", i) if till.sold:
            sold = till.sold[i % len(till.sold)]
            assert till.service.do(RecordPurchase(sold.basket)).body == sold.body
        case ("part" | "all", i) if left := [sold for sold in till.sold if sold.left]:
            sold = left[i % len(left)]
            till.give_back(sold, 1 if step[0] == "part" else sold.left)
    return None


def bring(till: Till, basket: Basket, promised: list[tuple[str, int]]) -> Sold | None:
    """Bring a quote: it is kept to the cent, or refused because what it promised is gone."""
    gone = None
    try:
        sold = till.record(basket)
    except Conflict as refusal:
        gone = refusal
    if gone is not None:
        assert gone.code == "offer-gone"
        offer = str(gone.facts["offer"])
        buyer = basket.member.card if basket.member else None
        left = till.room(offer, basket.occurred_at.astimezone(ZONE).date(), buyer)
        units, amount = basket.lines[0].quantity, dict(promised)[offer]
        assert left["times"] < 1 or left["units"] < units or left["money"] < amount
        return None
    assert [(name, amount) for name, _, amount in sold.discounts] == promised
    return sold


@given(drawn=offers(simple=1), steps=STEPS)
def test_one_offer_gives_to_the_cent_what_is_left(drawn: dict[str, Any], steps: list[tuple[Any, ...]]) -> None:
    (offer,) = drawn
    with open_till(drawn) as till:
        for step in steps:
            if step[0] != "buy":
                play(till, step)
                continue
            _, card, days_ago, (units, price) = step
            day = (NOW - timedelta(days=days_ago)).astimezone(ZONE).date()
            left = till.room(offer, day, card)
            expected = min(foretold(drawn[offer], units, price, left), left["money"])
            if min(left.values(), default=1) <= 0 or (card is None and "limit" in drawn[offer]):
                expected = 0
            sold = play(till, step)
            assert sold is not None
            assert sum(amount for _, _, amount in sold.discounts) == expected


def foretold(offer: dict[str, Any], units: int, price: int, left: dict[str, int]) -> int:
    served = min(units, left["units"])
    if "fixed_price" in offer:
        return served * max(0, price - 90)
    if "stage" in offer:
        return min(200, units * price)
    return served * 50


@given(drawn=offers(simple=0), steps=STEPS, rivals=st.sampled_from([None, "receipt", "line"]))
def test_no_window_holds_more_than_it_may(
    drawn: dict[str, Any], steps: list[tuple[Any, ...]], rivals: str | None
) -> None:
    extra = ""
    if rivals and not (rivals == "line" and any("stage" in offer for offer in drawn.values())):
        extra = f"choose: {{one: {{keep: best, of: {rivals}}}}}\n"
        drawn = {name: {**offer, "choose": "one"} for name, offer in drawn.items()}
    with open_till(drawn, extra) as till:
        for step in steps:
            sold = play(till, step)
            if sold is None:
                continue
            for offer, parts in drawn.items():
                for use in parts.get("budget", ()):
                    assert till.used(offer, use, sold.day) <= most(use)
                for use in parts.get("limit", ()):
                    if sold.buyer is not None:
                        assert till.used(offer, use, sold.day, sold.buyer) <= most(use)
