"""The service against a clerk's notebook: after every step both must say the same, at several instants.

Steps: buy (now or late, with money or with stamps), review (now or late), quote, bring a quote (at once, after other
receipts, too late), send again, return part, return all, give and take points, publish a new version, let time pass,
and start anew from the stored state. Receipts have offers, with coupons or without; a line's share of a discount is
what the service says, if the shares add up.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rewards.basket import Basket, BasketLine, BasketTender, MemberRef
from rewards.days import midnight
from rewards.errors import Conflict
from rewards.service.commands import (
    Adjust,
    Enrol,
    Publish,
    RecordActivity,
    RecordPurchase,
    RecordReturn,
    ReturnLine,
    ReturnOf,
)
from rewards.service.service import Service
from rewards.store.database import Store
from tests.machine.naive import Bought, Notebook

ZONE = ZoneInfo("Europe/Berlin")
POLICY = """policy: rewards/v1
program: notebook
title: Notebook
currency: EUR
timezone: Europe/Berlin
points:
  beans: {{one: bean, expires: {{after: 30 days}}}}
  stamps: {{one: stamp, pending: 2 days, pays: {{points: 1 stamp, buys: 0.50}}}}
eligible: {{amount: after_discounts, tax: included, paid_by_points: counts}}
earn:
  beans: {{every: 1.00, give: {rate} beans}}
  week: {{when: {{spend: {{at_least: 20.00}}}}, give: 50 beans, measure: week}}
  stamp: {{on: {{categories: [coffee]}}, every: 1 unit, give: 1 stamp}}
  third: {{when: {{nth_visit: {{every: 3}}}}, give: 10 beans}}
  away: {{when: {{no_visit_for: 10 days}}, give: 7 beans}}
offers:
  third: {{on: {{categories: [coffee]}}, free: {{units: 1, of_every: 3}}}}
  cakes: {{on: {{categories: [cake]}}, amount_off: 0.50 per unit, limit: {{units: 3, per: ever}}}}
  coupon: {{when: {{code: TWO}}, amount_off: 2.00, stage: basket, limit: {{times: 1, per: week}}, choose: one}}
  tenth: {{when: {{spend: {{at_least: 30.00}}}}, percent_off: 10%, stage: basket, choose: one}}
choose: {{one: {{keep: best, of: receipt}}}}
activities:
  review: {{give: 3 beans, limit: {{times: 2, per: week}}}}
  anniversary: {{give: 11 beans, when: {{visits: {{at_least: 1, within: 60 days}}}}}}
returns: {{accept_within: 365 days, spent_points: debt}}
"""
START = datetime(2026, 10, 19, 9, 0, tzinfo=UTC)  # the clocks change on the 25th
LINES = st.lists(
    st.tuples(st.booleans(), st.integers(1, 3), st.sampled_from([33, 99, 100, 101, 500, 999, 1000, 2000])),
    min_size=1,
    max_size=3,
)


class Machine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = START
        self.service = Service(Store.open("sqlite://"), clock=lambda: _us(self.now))
        self.book = Notebook(lambda day: midnight(day, ZONE))
        self.sent = {}  # receipt -> (command, answer)
        self.returns = []  # (command, answer)
        self.quotes = []  # (basket with its quote, lines, what it promised)
        self.names = 0

    @initialize(rate=st.integers(1, 5))
    def open(self, rate):
        self.service.do(Publish(POLICY.format(rate=rate).encode()))
        self.book.rates.append((0, rate))
        answer = json.loads(self.service.do(Enrol(card="2600000001236", joined=date(2025, 11, 5))).body)
        self.member = answer["member_id"]

    def name(self):
        self.names += 1
        return f"n{self.names}"

    def basket(self, lines, back_minutes, coupon, tenders=()):
        at = self.now - timedelta(minutes=back_minutes)
        rows = tuple(
            BasketLine(
                line_id=str(i),
                sku="COFFEE" if coffee else "CAKE",
                categories=("coffee",) if coffee else ("cake",),
                quantity=quantity,
                unit_price_minor=price,
            )
            for i, (coffee, quantity, price) in enumerate(lines)
        )
        ref = MemberRef(card="2600000001236")
        return Basket(receipt_id=self.name(), store_id="S1", occurred_at=at, currency="EUR", member=ref, lines=rows,
            codes=("two",) if coupon else (), tenders=tenders,
        )  # fmt: skip

    def record(self, basket, lines, promised=None, paid=()):
        day = basket.occurred_at.astimezone(ZONE).toordinal()
        allowed = [promised] if promised is not None else self.book.discounts(day, lines, bool(basket.codes))
        had_coupon = self.book.coupon_left(day)
        answer = self.service.do(RecordPurchase(basket), caller="scenario").body
        self.sent[basket.receipt_id] = (basket, answer)
        told = json.loads(answer)
        found = {one["offer"]: one["amount_minor"] for one in told["discounts"]}
        assert found in allowed
        if basket.codes and not had_coupon and promised is None:
            assert "coupon" in {one["rule"] for one in told["not_applied"] if one["condition"] == "limit"}
        cakes = sum(quantity for coffee, quantity, _ in lines if not coffee)
        served = min(self.book.cakes_left(), cakes) if "cakes" in found else 0
        rows = self.rows(lines, told, found)
        self.book.bought[basket.receipt_id] = Bought(day, rows, "coupon" in found, served, paid)
        return told

    def rows(self, lines, told, found):
        """The lines at what they cost after discounts; the shares add up, and none is more than its line."""
        off = [0 for _ in lines]
        for one in told["discounts"]:
            assert sum(share["amount_minor"] for share in one["lines"]) == found[one["offer"]]
            for share in one["lines"]:
                off[int(share["line_id"])] += share["amount_minor"]
        rows = [[coffee, n, n * price - less, 0] for (coffee, n, price), less in zip(lines, off, strict=True)]
        assert all(row[2] >= 0 for row in rows)
        assert [row[2] for row in rows] == [line["net_minor"] for line in told["lines"]]
        return rows

    @rule(lines=LINES, coupon=st.booleans())
    def buy(self, lines, coupon):
        before = self.figures(_us(self.now), self.today())
        self.record(self.basket(lines, 0, coupon), lines)
        after = self.figures(_us(self.now), self.today())
        for wallet in before:  # L3: a member's latest purchase lowers nothing
            assert after[wallet][0] >= before[wallet][0]
            assert after[wallet][2] <= before[wallet][2]

    @rule(lines=LINES, coupon=st.booleans(), late=st.integers(1, 60 * 24 * 20))
    def buy_late(self, lines, coupon, late):
        self.record(self.basket(lines, late, coupon), lines)

    @rule(units=st.integers(1, 2), price=st.sampled_from([50, 150, 500]))
    def buy_with_stamps(self, units, price):
        lines, stamps = [(True, units, price)], units * price // 50
        tender = BasketTender(kind="points", wallet="stamps", points=stamps)
        before = self.figures(_us(self.now), self.today())["stamps"]
        if before[0] < stamps:
            with pytest.raises(Conflict, match="stamps are there, not") as refusal:
                self.service.do(RecordPurchase(self.basket(lines, 0, coupon=False, tenders=(tender,))))
            assert refusal.value.facts["available"] == before[0]
            return
        basket = self.basket(lines, 0, coupon=False, tenders=(tender,))
        answer = self.record(basket, lines, paid=(_us(self.now), stamps))
        assert sum(lot["points"] for lot in answer["tenders"][0]["lots"]) == stamps
        assert answer["balance"]["stamps"]["available"] == before[0] - stamps

    @rule(late=st.integers(0, 60 * 24 * 20))
    def review(self, late):
        at = self.now - timedelta(minutes=late)
        command = RecordActivity(member=MemberRef(id=self.member), name="review", occurred_at=at)
        key = self.name()
        answer = self.service.do(command, caller="scenario", key=key).body
        assert self.service.do(command, caller="scenario", key=key).body == answer
        self.book.reviews.append(at.astimezone(ZONE).toordinal())

    @rule()
    def due(self):
        self.service.due()
        assert self.service.due() == {}

    @rule(lines=LINES, coupon=st.booleans())
    def quote(self, lines, coupon):
        basket = self.basket(lines, 0, coupon)
        quoted = self.service.quote(basket, caller="scenario")
        found = {one.offer: one.amount_minor for one in quoted.discounts}
        assert found in self.book.discounts(self.today(), lines, coupon)
        self.quotes.append((msgspec.structs.replace(basket, quote=quoted.quote), lines, found))

    @rule(lines=LINES, coupon=st.booleans())
    def quote_and_buy(self, lines, coupon):
        basket = self.basket(lines, 0, coupon)
        quoted = self.service.quote(basket, caller="scenario")
        found = {one.offer: one.amount_minor for one in quoted.discounts}
        answer = self.record(msgspec.structs.replace(basket, quote=quoted.quote), lines, found)
        assert answer["totals"]["earned"] == quoted.totals.earned
        assert answer["totals"]["due_minor"] == quoted.totals.due_minor

    @precondition(lambda self: self.quotes)
    @rule(data=st.data())
    def bring_a_quote(self, data):
        """Its price, line by line; refused half an hour later, and if a limit was used up since."""
        basket, lines, found = self.quotes.pop(data.draw(st.integers(0, len(self.quotes) - 1)))
        day = basket.occurred_at.astimezone(ZONE).toordinal()
        cakes = found.get("cakes", 0) and self.cakes_of(lines, found["cakes"])
        gone = ("coupon" in found and not self.book.coupon_left(day)) or cakes > self.book.cakes_left()
        expired = self.now > basket.occurred_at + timedelta(minutes=30)
        if expired or gone:
            with pytest.raises(Conflict) as refusal:
                self.service.do(RecordPurchase(basket), caller="scenario")
            assert refusal.value.code == ("quote-expired" if expired else "offer-gone")
            return
        self.record(basket, lines, found)
        self.book.bought[basket.receipt_id].cakes = cakes

    def cakes_of(self, lines, off):
        """How many cakes, the dearest first, make up so much of 0.50 off each."""
        prices = sorted((price for coffee, n, price in lines if not coffee for _ in range(n)), reverse=True)
        return next(n for n in range(1, 4) if sum(min(50, price) for price in prices[:n]) == off)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data):
        basket, answer = self.sent[data.draw(st.sampled_from(sorted(self.sent)))]
        assert self.service.do(RecordPurchase(basket), caller="scenario").body == answer

    @precondition(lambda self: self.returns)
    @rule(data=st.data())
    def return_again(self, data):
        command, answer = data.draw(st.sampled_from(self.returns))
        assert self.service.do(command, caller="scenario").body == answer

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), whole=st.booleans())
    def give_back(self, data, whole):
        receipt = data.draw(st.sampled_from(sorted(self.sent)))
        bought = self.book.bought[receipt]
        left = {i: line[1] - line[3] for i, line in enumerate(bought.lines) if line[1] > line[3]}
        if not left:
            return
        units = (
            left if whole else {i: data.draw(st.integers(1, n)) for i, n in left.items() if data.draw(st.booleans())}
        )
        if not units:
            return
        lines = tuple(ReturnLine(line_id=str(i), quantity=n) for i, n in units.items())
        command = RecordReturn(
            return_id=self.name(),
            store_id="S1",
            occurred_at=self.now,
            of=ReturnOf(store_id="S1", receipt_id=receipt),
            all=whole,
            lines=() if whole else lines,
        )
        before = sum(bought.left(line)[2] for line in bought.lines)
        answer = self.service.do(command, caller="scenario").body
        for i, n in units.items():
            bought.lines[i][3] += n
        refund = sum(line["net_minor"] for line in json.loads(answer)["lines"])
        assert refund == before - sum(bought.left(line)[2] for line in bought.lines)
        self.returns.append((command, answer))

    @rule(wallet=st.sampled_from(["beans", "stamps"]), points=st.integers(1, 40))
    def give(self, wallet, points):
        self.adjust(wallet, points)
        self.book.given.append((self.today(), wallet, points))

    @rule(wallet=st.sampled_from(["beans", "stamps"]), points=st.integers(1, 60))
    def take(self, wallet, points):
        if self.figures(_us(self.now), self.today())[wallet][0] < points:
            with pytest.raises(Conflict, match="are there, not"):
                self.adjust(wallet, -points)
            return
        self.adjust(wallet, -points)
        self.book.spent.append((_us(self.now), wallet, points))

    def adjust(self, wallet, points):
        ref = MemberRef(id=self.member)
        self.service.do(
            Adjust(member=ref, wallet=wallet, points=points, reason="goodwill", actor="kim"), key=self.name()
        )

    @rule(rate=st.integers(1, 5))
    def publish(self, rate):
        if rate == self.book.rates[-1][1] or self.book.rates[-1][0] > self.today():
            return
        self.service.do(Publish(POLICY.format(rate=rate).encode()))
        self.book.rates.append((self.today() + 1, rate))

    @rule(minutes=st.sampled_from([1, 20, 60, 60 * 9, 60 * 24, 60 * 24 * 3, 60 * 24 * 8, 60 * 24 * 31]))
    def pass_time(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def rebuild(self):
        self.service.rebuild()

    def today(self):
        return self.now.astimezone(ZONE).toordinal()

    def figures(self, at, today):
        self.book.today = self.today()
        return {wallet: self.book.balance(wallet, at, today) for wallet in ("beans", "stamps")}

    @invariant()
    def both_say_the_same(self):
        for days in (-9, 0, 2, 30):
            at = self.now + timedelta(days=days)
            expected = self.figures(_us(at), at.astimezone(ZONE).toordinal())
            found = self.service.balance(self.member, _us(at)).wallets
            for wallet, figures in expected.items():
                has = found.get(wallet)
                assert (has.available, has.pending, has.debt) == figures if has else not any(figures), (wallet, days)

    def teardown(self):
        findings = self.service.verify()
        self.service.close()
        assert findings == []


def _us(moment):
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


Machine.TestCase.settings = settings(stateful_step_count=25)
TestMachine = Machine.TestCase
