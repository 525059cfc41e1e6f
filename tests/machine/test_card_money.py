"""Cards of money against a clerk's book: after every step each balance is what the book says, nothing below zero.

Steps: issue, activate, load, redeem, refund, adjust, clear, pay out, move, block, unblock, deactivate, sell cards and
loads at the till, pay with two cards, or offline on trust, hold, capture, void, pay out of a hold, return the sale or
goods, let time pass, send again, and fold all states anew. The book is a map from the end of money to its amount, for
each card and hold.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rewards.basket import Basket, BasketLine, BasketTender, StoredValue
from rewards.errors import Conflict, InvalidRequest
from rewards.service.commands import (
    ActOnGiftCard,
    CaptureHold,
    IssueGiftCard,
    OfflinePurchase,
    OpenHold,
    Publish,
    RecordPurchase,
    RecordReturn,
    ReturnLine,
    ReturnOf,
    VoidHold,
)
from rewards.service.service import Service
from rewards.store.database import Store

POLICY = b"""policy: rewards/v1
program: cards
title: Cards
currency: EUR
timezone: UTC
gift_cards:
  plain: {kind: paid, load: 1.00-100.00, max_balance: 150.00}
  ending: {kind: paid, expires: {after: 5 days}}
  gift: {kind: promotional, expires: {after: 3 days}}
"""
LASTS = {"plain": None, "ending": 5, "gift": 3}
START = datetime(2026, 10, 19, 9, 0, tzinfo=UTC)
FOREVER = datetime.max.replace(tzinfo=UTC)
GRACE = 14  # days
amounts = st.sampled_from([100, 250, 999, 5000, 10000])


@dataclass
class Leaf:
    """A card's page in the book."""

    id: str
    code: str
    product: str
    ends: datetime
    state: str = "active"
    money: dict[datetime, int] = field(default_factory=dict)
    drawn: int = 0
    holds: dict[str, tuple[datetime, dict[datetime, int]]] = field(default_factory=dict)  # end of itself, money

    def put(self, ends, minor):
        self.money[ends] = self.money.get(ends, 0) + minor

    def take(self, minor):
        """Take money, soonest ending first; return what was taken by its end."""
        taken = {}
        for ends in sorted(self.money):
            part = min(minor, self.money[ends])
            if part:
                taken[ends] = part
                self.money[ends] -= part
                minor -= part
        assert not minor
        return taken

    def release(self, name, minor=0):
        """End a hold; return what was taken of it by its end, the soonest ending first; the rest goes back."""
        taken = {}
        for ends, part in sorted(self.holds.pop(name)[1].items()):
            taken[ends] = min(part, minor)
            minor -= taken[ends]
            self.put(ends, part - taken[ends])
        assert not minor
        return {ends: part for ends, part in taken.items() if part}

    def held(self):
        return sum(sum(money.values()) for _, money in self.holds.values())

    def left(self, now):
        for name in [name for name, (until, _) in self.holds.items() if until <= now]:
            self.release(name)
        self.money = {ends: minor for ends, minor in self.money.items() if ends > now and minor}
        return sum(self.money.values())


class Cards(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = START
        self.service = Service(
            Store.open("sqlite://"),
            clock=lambda: (self.now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
        )
        self.book = []
        self.sales = {}  # receipt -> [(leaf, minor, new)]
        self.paid = {}  # receipt -> [[leaf, what was taken by its end, what went back]]
        self.held = {}  # holds, by name: of which leaf
        self.answered = []  # (command, key, answer without code)
        self.names = 0

    @initialize()
    def open(self):
        self.service.do(Publish(POLICY))

    def name(self):
        self.names += 1
        return f"n{self.names}"

    def days_on(self, days):
        return self.now.replace(hour=0, minute=0) + timedelta(days=days) if days is not None else FOREVER

    def do(self, command):
        """Carry a command out; return its answer, or None if it was refused."""
        key = self.name()
        try:
            answer = json.loads(self.service.do(command, key=key).body)
        except (Conflict, InvalidRequest) as error:
            self.refused = error
            return None
        self.answered.append((command, key, {**answer, "code": ""}))
        return answer

    @rule(product=st.sampled_from(sorted(LASTS)), minor=amounts, waits=st.booleans())
    def issue(self, product, minor, waits):
        waits = waits and product != "gift"
        answer = self.do(IssueGiftCard(product=product, amount_minor=None if waits else minor))
        ends = self.days_on(LASTS[product])
        leaf = Leaf(answer["gift_card_id"], answer["code"], product, ends, "inactive" if waits else "active")
        if not waits:
            leaf.put(ends, minor)
        self.book.append(leaf)

    def act(self, leaf, activity, minor=None, **facts):
        command = ActOnGiftCard(
            gift_card_id=leaf.id, activity=activity, amount_minor=minor, reason="so", actor="kim", **facts
        )
        return self.do(command)

    @precondition(lambda self: self.book)
    @rule(data=st.data(), minor=amounts, activity=st.sampled_from(["LOAD", "ACTIVATE", "ADJUST_INCREMENT", "REFUND"]))
    def add(self, data, minor, activity):
        leaf = data.draw(st.sampled_from(self.book))
        states = {"ACTIVATE": ("inactive",), "LOAD": ("active",)}.get(activity, ("active", "blocked"))
        fits = leaf.product != "plain" or leaf.left(self.now) + leaf.held() + minor <= 15000 or activity == "REFUND"
        allowed = leaf.state in states and fits
        if activity == "REFUND":
            allowed = allowed and minor <= leaf.drawn
        if activity in {"LOAD", "ACTIVATE"}:
            allowed = allowed and leaf.product != "gift"
        answer = self.act(leaf, activity, minor)
        assert (answer is not None) == allowed, (leaf, self.refused)
        if allowed:
            leaf.state = "active" if activity == "ACTIVATE" else leaf.state
            ends = self.days_on(LASTS[leaf.product])
            leaf.put(max(leaf.ends, self.days_on(GRACE)) if leaf.product == "gift" else ends, minor)
            leaf.drawn -= minor if activity == "REFUND" else 0

    @precondition(lambda self: self.book)
    @rule(
        data=st.data(),
        minor=amounts,
        activity=st.sampled_from(["REDEEM", "REDEEM", "ADJUST_DECREMENT", "CASH_OUT", "CLEAR_BALANCE"]),
    )
    def take(self, data, minor, activity):
        leaf = data.draw(st.sampled_from(self.book))
        there = leaf.left(self.now)
        minor = there if activity == "CLEAR_BALANCE" else minor
        states = ("active", "blocked") if activity in {"ADJUST_DECREMENT", "CLEAR_BALANCE"} else ("active",)
        allowed = leaf.state in states and 0 < minor <= there and (activity, leaf.product) != ("CASH_OUT", "gift")
        answer = self.act(leaf, activity, None if activity == "CLEAR_BALANCE" else minor)
        assert (answer is not None) == allowed, (leaf, self.refused)
        if allowed:
            leaf.take(minor)
            leaf.drawn += minor if activity == "REDEEM" else 0

    @precondition(lambda self: len(self.book) > 1)
    @rule(data=st.data(), minor=st.one_of(st.none(), amounts))
    def move(self, data, minor):
        leaf, to = data.draw(st.lists(st.sampled_from(self.book), min_size=2, max_size=2, unique_by=lambda one: one.id))
        there, beside = leaf.left(self.now), to.left(self.now) + to.held()
        wanted = there if minor is None else minor
        kinds = (leaf.product == "gift") == (to.product == "gift")
        fits = to.product != "plain" or beside + wanted <= 15000
        allowed = kinds and fits and 0 < wanted <= there and leaf.state == to.state == "active"
        answer = self.act(leaf, "TRANSFER_BALANCE", minor, to=to.id)
        assert (answer is not None) == allowed, (leaf, to, self.refused)
        if allowed:
            for ends, part in leaf.take(wanted).items():
                to.put(ends, part)

    @precondition(lambda self: self.book)
    @rule(data=st.data(), activity=st.sampled_from(["BLOCK", "UNBLOCK", "DEACTIVATE"]))
    def turn(self, data, activity):
        leaf = data.draw(st.sampled_from(self.book))
        states = {"BLOCK": ("active",), "UNBLOCK": ("blocked",), "DEACTIVATE": ("active", "blocked", "inactive")}
        allowed = leaf.state in states[activity] and not (
            activity == "DEACTIVATE" and leaf.left(self.now) + leaf.held()
        )
        assert (self.act(leaf, activity) is not None) == allowed
        if allowed:
            leaf.state = {"BLOCK": "blocked", "UNBLOCK": "active", "DEACTIVATE": "deactivated"}[activity]

    @rule(data=st.data(), minor=amounts, product=st.sampled_from(["plain", "ending"]), new=st.booleans())
    def sell(self, data, minor, product, new):
        mine = [leaf for leaf in self.book if leaf.product == product and leaf.state in {"active", "inactive"}]
        leaf = None if new or not mine else data.draw(st.sampled_from(mine))
        if leaf is not None and product == "plain" and leaf.left(self.now) + leaf.held() + minor > 15000:
            return
        receipt = self.name()
        value = StoredValue(product=product, gift_card_id=leaf.id if leaf is not None else "")
        lines = (BasketLine(line_id="1", sku="CARD", unit_price_minor=minor, stored_value=value),)
        basket = Basket(receipt_id=receipt, store_id="S1", occurred_at=self.now, currency="EUR", lines=lines)
        (issued,) = self.do(RecordPurchase(basket))["gift_cards_issued"]
        ends = self.days_on(LASTS[product])
        assert issued["new"] == (leaf is None)
        if leaf is None:
            leaf = Leaf(issued["gift_card_id"], issued["code"], product, ends)
            self.book.append(leaf)
        leaf.state = "active"
        leaf.put(ends, minor)
        self.sales[receipt] = (leaf, minor, issued["new"])

    @precondition(lambda self: self.sales)
    @rule(data=st.data())
    def return_sale(self, data):
        receipt = data.draw(st.sampled_from(sorted(self.sales)))
        leaf, minor, new = self.sales.pop(receipt)
        of = ReturnOf(store_id="S1", receipt_id=receipt)
        command = RecordReturn(return_id=self.name(), store_id="S1", occurred_at=self.now, of=of, all=True)
        (voided,) = self.do(command)["gift_cards_voided"]
        back = min(minor, leaf.left(self.now))
        assert (voided["voided_minor"], voided["spent_minor"]) == (back, minor - back)
        leaf.take(back)
        if new and not leaf.left(self.now) + leaf.held():
            leaf.state = "deactivated"

    @precondition(lambda self: len(self.book) > 1)
    @rule(data=st.data(), first=amounts, second=amounts)
    def pay(self, data, first, second):
        """Two units of goods, paid by two cards and a euro of cash."""
        pair = data.draw(st.lists(st.sampled_from(self.book), min_size=2, max_size=2, unique_by=lambda one: one.id))
        wanted = list(zip(pair, (first, second), strict=True))
        receipt, due = self.name(), first + second + 100
        tenders = [BasketTender(kind="gift_card", code=leaf.code, amount_minor=minor) for leaf, minor in wanted]
        basket = Basket(
            receipt_id=receipt,
            store_id="S1",
            occurred_at=self.now,
            currency="EUR",
            lines=(BasketLine(line_id="1", sku="CAKE", quantity=2, amount_minor=due + due % 2, unit_price_minor=None),),
            tenders=(*tenders, BasketTender(kind="cash", amount_minor=100 + due % 2)),
        )
        allowed = all(leaf.state == "active" and leaf.left(self.now) >= minor for leaf, minor in wanted)
        assert (self.do(RecordPurchase(basket)) is not None) == allowed, (wanted, self.refused)
        if allowed:
            self.paid[receipt] = [[leaf, leaf.take(minor), 0] for leaf, minor in wanted]

    @precondition(lambda self: self.book)
    @rule(data=st.data(), minor=amounts, seconds=st.sampled_from([60, 3600, 600_000]))
    def set_aside(self, data, minor, seconds):
        leaf, name = data.draw(st.sampled_from(self.book)), self.name()
        allowed = leaf.state == "active" and leaf.left(self.now) >= minor
        hold = OpenHold(hold_id=name, kind="gift_card", code=leaf.code, amount_minor=minor, expires_in_seconds=seconds)
        assert (self.do(hold) is not None) == allowed, (leaf, self.refused)
        if allowed:
            leaf.holds[name] = (self.now + timedelta(seconds=seconds), leaf.take(minor))
            self.held[name] = leaf

    @precondition(lambda self: self.held)
    @rule(data=st.data(), way=st.sampled_from(["capture", "void", "pay"]), all_=st.booleans())
    def end_hold(self, data, way, all_):
        """Take or release a hold that may have run out; a purchase of two units takes of it what they cost."""
        name = data.draw(st.sampled_from(sorted(self.held)))
        leaf = self.held.pop(name)
        leaf.left(self.now)
        minor = sum(leaf.holds[name][1].values()) if name in leaf.holds else 100
        minor = minor if all_ else 50
        allowed = name in leaf.holds and (leaf.state == "active" or way == "void")
        tender = BasketTender(kind="hold", hold_id=name, amount_minor=minor)
        line = BasketLine(line_id="1", sku="CAKE", quantity=2, amount_minor=minor + minor % 2, unit_price_minor=None)
        odd = (BasketTender(kind="cash", amount_minor=1),) if minor % 2 else ()
        basket = Basket(
            receipt_id=name,
            store_id="S1",
            occurred_at=self.now,
            currency="EUR",
            lines=(line,),
            tenders=(tender, *odd),
        )
        command = {
            "capture": CaptureHold(hold_id=name, amount_minor=minor),
            "void": VoidHold(hold_id=name),
            "pay": RecordPurchase(basket),
        }[way]
        assert (self.do(command) is not None) == allowed, (way, leaf, self.refused)
        if not allowed:
            return
        taken = leaf.release(name, 0 if way == "void" else minor)
        if way == "pay":
            self.paid[name] = [[leaf, taken, 0]]

    @precondition(lambda self: self.book)
    @rule(data=st.data(), minor=amounts)
    def pay_offline(self, data, minor):
        """Two units of goods that a till sold while it was offline: a card pays as far as it has it and may."""
        leaf = data.draw(st.sampled_from(self.book))
        receipt, due = self.name(), minor + minor % 2
        cash = (BasketTender(kind="cash", amount_minor=minor % 2),) if minor % 2 else ()
        basket = Basket(
            receipt_id=receipt,
            store_id="S1",
            occurred_at=self.now,
            currency="EUR",
            lines=(BasketLine(line_id="1", sku="CAKE", quantity=2, unit_price_minor=due // 2),),
            tenders=(BasketTender(kind="gift_card", code=leaf.code, amount_minor=minor), *cash),
        )
        there = min(minor, leaf.left(self.now)) if leaf.state == "active" else 0
        answer = self.do(OfflinePurchase(basket))
        assert answer["tenders"][0].get("shortfall_minor", 0) == minor - there
        assert ("warnings" in answer) == (there < minor)
        self.paid[receipt] = [[leaf, leaf.take(there), 0]]

    @precondition(lambda self: self.paid)
    @rule(data=st.data(), whole=st.booleans())
    def return_paid(self, data, whole):
        """Give goods back; a card gets what it paid into the lots that it came from, the latest ending first."""
        receipt = data.draw(st.sampled_from(sorted(self.paid)))
        of = ReturnOf(store_id="S1", receipt_id=receipt)
        lines = () if whole else (ReturnLine(line_id="1", quantity=1),)
        command = RecordReturn(
            return_id=self.name(), store_id="S1", occurred_at=self.now, of=of, all=whole, lines=lines
        )
        answer = self.do(command)
        if answer is None:
            return
        refund = {one["tender"]: one for one in answer["refund"]}
        for number, page in enumerate(self.paid[receipt]):
            leaf, taken, before = page
            minor = refund[number]["amount_minor"] if number in refund else 0
            assert minor >= 0
            assert not whole or before + minor == sum(taken.values())
            page[2] += minor
            if not minor:
                continue
            if leaf.state == "deactivated":
                assert ("paid_out" in refund[number]) == (leaf.product != "gift")
                continue
            for ends in sorted(taken, reverse=True):
                skipped = min(before, taken[ends])
                part = min(minor, taken[ends] - skipped)
                before, minor = before - skipped, minor - part
                if part:
                    leaf.put(max(ends, self.days_on(GRACE)), part)
        if not answer.get("still_returnable"):
            del self.paid[receipt]

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def send_again(self, data):
        command, key, answer = data.draw(st.sampled_from(self.answered))
        again = json.loads(self.service.do(command, key=key).body)
        for one in (answer, again):
            one["gift_cards_issued"] = [{**each, "code": ""} for each in one.get("gift_cards_issued", [])]
        assert {**again, "code": ""} == answer

    @rule(minutes=st.sampled_from([1, 60 * 9, 60 * 24, 60 * 24 * 4]))
    def pass_time(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def rebuild(self):
        self.service.rebuild()

    @invariant()
    def both_say_the_same(self):
        for leaf in self.book:
            told = self.service.gift_card(leaf.code)
            assert told.balance_minor == leaf.left(self.now) >= 0, leaf
            assert told.held_minor == leaf.held(), leaf
            ended = leaf.state == "active" and leaf.ends <= self.now and leaf.product == "gift"
            assert told.state == ("expired" if ended and not leaf.left(self.now) + leaf.held() else leaf.state), leaf

    def teardown(self):
        findings = self.service.verify()
        self.service.close()
        assert findings == []


Cards.TestCase.settings = settings(stateful_step_count=30)
TestCards = Cards.TestCase
