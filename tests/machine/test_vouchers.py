"""Vouchers against a clerk's list: after every step each voucher is what the list says, to whoever asks.

Steps: issue, issue again, buy with any of them (at once, or by a quote kept for a while), send again, return a part
or everything, before the purchase too, block, unblock, deactivate, let time pass, and fold all states anew.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rewards.basket import Basket, BasketLine, MemberRef
from rewards.errors import Conflict
from rewards.service.commands import (
    ActOnGiftCard,
    Enrol,
    IssueGiftCard,
    Publish,
    RecordPurchase,
    RecordReturn,
    ReturnLine,
    ReturnOf,
)
from rewards.service.service import Service
from rewards.store.database import Store

POLICY = b"""policy: rewards/v1
program: vouchers
title: Vouchers
currency: EUR
timezone: UTC
offers:
  euro: {only_by: voucher, amount_off: 1.00}
  cup: {on: {categories: [tea]}, only_by: voucher, fixed_price: 0.00, limit: {units: 1, per: receipt}}
gift_cards:
  flyer: {kind: voucher, offer: euro, expires: {after: 7 days}}
  ticket: {kind: voucher, offer: euro}
  sorry: {kind: voucher, offer: cup, expires: {after: 3 days}, to: member}
"""
LASTS = {"flyer": 7, "ticket": None, "sorry": 3}
START = datetime(2026, 10, 19, 9, 0, tzinfo=UTC)
CARDS = ("2600000001236", "2600000002042")


@dataclass
class Slip:
    """A voucher as the clerk has it on the list."""

    id: str
    product: str
    member: str | None
    ends: datetime
    codes: list[str]
    state: str = "active"
    used_by: str = ""

    def at(self, now):
        if self.state == "deactivated" or (self.state == "blocked" and not self.used_by):
            return self.state
        return "used" if self.used_by else "expired" if now >= self.ends else "active"


class Vouchers(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.now = START
        self.service = Service(
            Store.open("sqlite://"),
            clock=lambda: (self.now - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
        )
        self.slips = []
        self.issued = []  # (command, key, slip)
        self.sent = {}  # receipt -> (basket, answer, slips that it used, units left by line)
        self.names = 0

    @initialize()
    def open(self):
        self.service.do(Publish(POLICY))
        enrolled = [self.service.do(Enrol(card=card, joined=date(2026, 1, 1))) for card in CARDS]
        self.members = {card: json.loads(one.body)["member_id"] for card, one in zip(CARDS, enrolled, strict=True)}

    def name(self):
        self.names += 1
        return f"n{self.names}"

    @rule(product=st.sampled_from(sorted(LASTS)), card=st.sampled_from((*CARDS, None)))
    def issue(self, product, card):
        card = card or (CARDS[0] if product == "sorry" else None)
        command = IssueGiftCard(product=product, member=MemberRef(card=card) if card else None)
        key = self.name()
        answer = json.loads(self.service.do(command, key=key).body)
        days = LASTS[product]
        ends = datetime.max.replace(tzinfo=UTC) if days is None else midnight(self.now) + timedelta(days=days)
        slip = Slip(answer["gift_card_id"], product, card, ends, [answer["code"]])
        self.slips.append(slip)
        self.issued.append((command, key, slip))

    @precondition(lambda self: self.issued)
    @rule(data=st.data())
    def issue_again(self, data):
        command, key, slip = data.draw(st.sampled_from(self.issued))
        answer = json.loads(self.service.do(command, key=key).body)
        assert (answer["gift_card_id"], answer["last_four"]) == (slip.id, slip.codes[0][-4:])
        slip.codes.append(answer["code"])

    @precondition(lambda self: self.slips)
    @rule(
        data=st.data(),
        card=st.sampled_from((*CARDS, None)),
        tea=st.booleans(),
        how=st.sampled_from(["", "", "quoted", "early"]),
    )
    def buy(self, data, card, tea, how):
        shown = data.draw(st.lists(st.sampled_from(self.slips), max_size=4, unique_by=lambda slip: slip.id))
        name = self.name()
        lines = [BasketLine(line_id="1", sku="CAKE", quantity=2, unit_price_minor=500)]
        lines += [BasketLine(line_id="2", sku="TEA", categories=("tea",), unit_price_minor=300)] * tea
        basket = Basket(
            receipt_id=name,
            store_id="S1",
            occurred_at=self.now,
            currency="EUR",
            member=MemberRef(card=card) if card else None,
            lines=tuple(lines),
            codes=tuple(data.draw(st.sampled_from(slip.codes)) for slip in shown),
        )
        if how == "quoted":
            quote = self.service.quote(basket)
            basket = Basket(**{key: getattr(basket, key) for key in basket.__struct_fields__} | {"quote": quote.quote})
        whole = data.draw(st.booleans())
        if how == "early":
            self.returned(name, {"1": 1}, whole=whole)
        used = self.wanted(shown, card, tea)
        answer = self.service.do(RecordPurchase(basket)).body
        told = json.loads(answer)
        assert {one["gift_card_id"] for one in told["discounts"]} == {slip.id for slip in used}
        assert sum(one["amount_minor"] for one in told["discounts"]) == sum(
            300 if slip.product == "sorry" else 100 for slip in used
        )
        assert len(told["codes_refused"]) == len(shown) - len(used)
        left = {"1": 2} | ({"2": 1} if tea else {})
        for slip in used:
            slip.used_by = name
        self.sent[name] = (basket, answer, used, left)
        if how == "early":
            self.came_back(name, dict(left) if whole else {"1": 1})

    def wanted(self, shown, card, tea):
        """Return the slips that a purchase uses: of each offer the usable one that ends soonest."""
        best = {}
        for slip in shown:
            mine = slip.product != "sorry" or (tea and slip.member == card)
            if slip.at(self.now) == "active" and mine:
                offer = "cup" if slip.product == "sorry" else "euro"
                best[offer] = min(best.get(offer, slip), slip, key=lambda one: (one.ends, one.id))
        return list(best.values())

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data):
        basket, answer, _, _ = self.sent[data.draw(st.sampled_from(sorted(self.sent)))]
        assert self.service.do(RecordPurchase(basket)).body == answer

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), whole=st.booleans())
    def give_back(self, data, whole):
        receipt = data.draw(st.sampled_from(sorted(self.sent)))
        left = {line: units for line, units in self.sent[receipt][3].items() if units}
        if not left:
            return
        line = data.draw(st.sampled_from(sorted(left)))
        units = left if whole else {line: data.draw(st.integers(1, left[line]))}
        answer = self.returned(receipt, units, whole=whole)
        restored = {one["gift_card_id"] for one in answer.get("vouchers_restored", [])}
        assert restored == {slip.id for slip in self.came_back(receipt, units)}

    def returned(self, receipt, units, *, whole):
        lines = () if whole else tuple(ReturnLine(line_id=line, quantity=count) for line, count in units.items())
        of = ReturnOf(store_id="S1", receipt_id=receipt)
        command = RecordReturn(
            return_id=self.name(), store_id="S1", occurred_at=self.now, of=of, all=whole, lines=lines
        )
        return json.loads(self.service.do(command).body)

    def came_back(self, receipt, units):
        """Note what came back; return the slips that are free again."""
        _, _, used, left = self.sent[receipt]
        for line, count in units.items():
            left[line] -= count
        if any(left.values()):
            return []
        for slip in used:
            assert slip.used_by == receipt
            slip.used_by = ""
        return used

    @precondition(lambda self: self.slips)
    @rule(data=st.data(), activity=st.sampled_from(["BLOCK", "BLOCK", "UNBLOCK", "UNBLOCK", "DEACTIVATE"]))
    def act(self, data, activity):
        slip = data.draw(st.sampled_from(self.slips))
        allowed = {"BLOCK": ("active",), "UNBLOCK": ("blocked",), "DEACTIVATE": ("active", "blocked")}[activity]
        command = ActOnGiftCard(gift_card_id=slip.id, activity=activity)
        if slip.state not in allowed:
            with pytest.raises(Conflict, match=f"is {slip.state}"):
                self.service.do(command)
            return
        self.service.do(command)
        slip.state = {"BLOCK": "blocked", "UNBLOCK": "active", "DEACTIVATE": "deactivated"}[activity]

    @rule(minutes=st.sampled_from([1, 60, 60 * 9, 60 * 24, 60 * 24 * 3, 60 * 24 * 8]))
    def pass_time(self, minutes):
        self.now += timedelta(minutes=minutes)

    @rule()
    def rebuild(self):
        self.service.rebuild()

    @invariant()
    def both_say_the_same(self):
        for slip in self.slips:
            assert self.service.gift_card(slip.codes[-1]).state == slip.at(self.now), slip
            assert self.service.gift_card(slip.codes[0]).gift_card_id == slip.id
        for card, member in getattr(self, "members", {}).items():
            mine = [slip for slip in self.slips if slip.member == card and slip.at(self.now) == "active"]
            found = [one.gift_card_id for one in self.service.balance(member).vouchers]
            assert sorted(found) == sorted(slip.id for slip in mine)

    def teardown(self):
        findings = self.service.verify()
        self.service.close()
        assert findings == []


def midnight(moment):
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


Vouchers.TestCase.settings = settings(stateful_step_count=30)
TestVouchers = Vouchers.TestCase
