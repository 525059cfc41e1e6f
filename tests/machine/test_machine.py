"""The service against a clerk's notebook: after every step both must say the same, at several instants.

Steps: buy (now or late), review (now or late), quote and buy, send again, return part, return all, give and take points, publish a new
version, let time pass, and start anew from the stored state.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rewards.basket import Basket, BasketLine, MemberRef
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
  stamps: {{one: stamp, pending: 2 days}}
eligible: {{amount: after_discounts, tax: included, paid_by_points: does_not_count}}
earn:
  beans: {{every: 1.00, give: {rate} beans}}
  week: {{when: {{spend: {{at_least: 20.00}}}}, give: 50 beans, measure: week}}
  stamp: {{on: {{categories: [coffee]}}, every: 1 unit, give: 1 stamp}}
  third: {{when: {{nth_visit: {{every: 3}}}}, give: 10 beans}}
  away: {{when: {{no_visit_for: 10 days}}, give: 7 beans}}
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

    def basket(self, lines, back_minutes):
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
        return Basket(receipt_id=self.name(), store_id="S1", occurred_at=at, currency="EUR", member=ref, lines=rows)

    def record(self, basket, lines):
        answer = self.service.do(RecordPurchase(basket), caller="scenario").body
        self.sent[basket.receipt_id] = (basket, answer)
        rows = [[coffee, quantity, quantity * price, 0] for coffee, quantity, price in lines]
        self.book.bought[basket.receipt_id] = Bought(basket.occurred_at.astimezone(ZONE).toordinal(), rows)
        return json.loads(answer)

    @rule(lines=LINES)
    def buy(self, lines):
        before = self.figures(_us(self.now), self.today())
        self.record(self.basket(lines, 0), lines)
        after = self.figures(_us(self.now), self.today())
        for wallet in before:  # L3: a member's latest purchase lowers nothing
            assert after[wallet][0] >= before[wallet][0]
            assert after[wallet][2] <= before[wallet][2]

    @rule(lines=LINES, late=st.integers(1, 60 * 24 * 20))
    def buy_late(self, lines, late):
        self.record(self.basket(lines, late), lines)

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

    @rule(lines=LINES)
    def quote_and_buy(self, lines):
        basket = self.basket(lines, 0)
        quoted = self.service.quote(basket, caller="scenario")
        brought = Basket(**{name: getattr(basket, name) for name in basket.__struct_fields__} | {"quote": quoted.quote})
        answer = self.record(brought, lines)
        assert answer["totals"]["earned"] == quoted.totals.earned
        assert answer["totals"]["due_minor"] == quoted.totals.due_minor

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

    @rule(minutes=st.sampled_from([1, 60, 60 * 9, 60 * 24, 60 * 24 * 3, 60 * 24 * 8, 60 * 24 * 31]))
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
