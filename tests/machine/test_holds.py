"""Holds of points against a notebook: every step, at every instant, whatever arrived late or ended by itself.

The notebook keeps facts and works every balance out from the start: a hold is a spending of its instant, of all its
points while it is open, then of what was taken.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from rewards.basket import Basket, BasketLine, BasketTender, MemberRef
from rewards.days import instant, midnight, moment
from rewards.errors import Conflict
from rewards.service.commands import (
    Adjust,
    CaptureHold,
    Enrol,
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
from tests import campaign

SHOPS = campaign.size(default=2, ci=2, long=40)  # rather than long stories: the notebook works all out every time
STEPS = campaign.size(default=75, ci=500, long=500)  # of each
SECOND, DAY = 1_000_000, 86_400_000_000
POLICY = b"""policy: rewards/v1
program: test-shop
title: Test shop
currency: EUR
timezone: Europe/Berlin
points:
  beans: {one: bean, expires: {after: 5 days}, pays: {points: 1 bean, buys: 0.01, minimum: 1 bean, step: 1 bean, at_most: 100%}}
  stars: {one: star, pending: 1 days, pays: {points: 1 star, buys: 0.01, minimum: 1 star, step: 1 star, at_most: 100%}}
returns: {accept_within: 90 days}
"""
WALLETS = ("beans", "stars")
CARD = "2600000001236"


@dataclass
class Held:
    wallet: str
    points: int
    at: int
    until: int
    ended: int = 0
    taken: int = 0
    units: int = 0  # of the purchase that captured it: each a tenth of what it took
    end: str = "open"

    def laid(self, at: int) -> int:
        return self.points if at < (self.ended or self.until) else self.taken * (10 - self.units) // 10


@dataclass
class Notebook:
    zone: object
    given: list = field(default_factory=list)  # (day, wallet, points)
    spent: list = field(default_factory=list)  # (instant, wallet, points)
    holds: dict = field(default_factory=dict)

    def balance(self, wallet: str, at: int) -> tuple[int, int, int, int]:
        """Available, pending, held and owed at an instant."""
        wait, last = (0, 5) if wallet == "beans" else (1, 10_000)
        lots = [
            [midnight(day + wait, self.zone), midnight(day + last, self.zone), points]
            for day, kind, points in self.given
            if kind == wallet and midnight(day, self.zone) <= at
        ]
        holds = [hold for hold in self.holds.values() if hold.wallet == wallet and hold.at <= at]
        takes = [(when, points) for when, kind, points in self.spent if kind == wallet and when <= at]
        takes += [(hold.at, hold.laid(at)) for hold in holds]
        steps = [(lot[0], 0, lot) for lot in lots if lot[0] <= at] + [(when, 1, points) for when, points in takes]
        debt = 0
        for when, kind, it in sorted(steps, key=lambda step: step[:2]):
            debt += it if kind else 0
            for lot in sorted((lot for lot in lots if lot[0] <= when < lot[1]), key=lambda lot: lot[1]):
                paid = min(debt, lot[2])
                debt, lot[2] = debt - paid, lot[2] - paid
        alive = [lot for lot in lots if at < lot[1]]
        held = sum(hold.points for hold in holds if at < (hold.ended or hold.until))
        return sum(x[2] for x in alive if x[0] <= at), sum(x[2] for x in alive if x[0] > at), held, debt


class Shop:
    """Does one thing at a time, by chance, in the service and in the notebook."""

    def __init__(self, seed: int) -> None:
        self.luck, self.now, self.did = random.Random(seed), instant(datetime(2026, 12, 1, 9, tzinfo=UTC)), Counter()
        self.service = Service(Store.open("sqlite://"), clock=lambda: self.now)
        self.service.do(Publish(POLICY))
        self.zone = ZoneInfo("Europe/Berlin")
        self.book = Notebook(self.zone)
        self.member = MemberRef(card=CARD)
        self.service.do(Enrol(card=CARD), key="ana")
        self.id = self.service.member(self.member).member_id
        self.number = 0

    def name(self) -> str:
        self.number += 1
        return f"n{self.number}"

    def at(self, back: int) -> datetime:
        return moment(self.now - back, self.zone)

    def open(self) -> list[str]:
        return [name for name, hold in self.book.holds.items() if hold.end == "open"]

    def step(self) -> None:
        self.now += self.luck.choice([0, 0, SECOND, 30 * SECOND, 600 * SECOND, DAY // 4])
        for hold in self.book.holds.values():
            if hold.end == "open" and hold.until <= self.now:
                hold.ended, hold.end = hold.until, "expired"
        what = self.luck.choice(
            [self.give, self.give, self.hold, self.hold, self.capture, self.void, self.pay, self.pay]
        )
        what = self.luck.choice([what] * 6 + [self.buy, self.bring_back, self.take])
        self.did[f"{what.__name__} {what() or ''}"] += 1
        self.compare()

    def give(self) -> None:
        wallet, points = self.luck.choice(WALLETS), self.luck.randint(1, 300)
        at = self.at(self.luck.choice([0, 0, DAY, 4 * DAY]))
        self.adjust(wallet, points, at)
        self.book.given.append((at.toordinal(), wallet, points))

    def take(self) -> str:
        wallet, points = self.luck.choice(WALLETS), self.luck.randint(1, 200)
        if self.book.balance(wallet, self.now)[0] < points:
            with pytest.raises(Conflict, match="are there, not"):
                self.adjust(wallet, -points, self.at(0))
            return "refused"
        self.adjust(wallet, -points, self.at(0))
        self.book.spent.append((self.now, wallet, points))
        return "done"

    def adjust(self, wallet: str, points: int, at: datetime) -> None:
        command = Adjust(member=self.member, wallet=wallet, points=points, reason="r", actor="a", occurred_at=at)
        self.service.do(command, key=self.name())

    def hold(self) -> str:
        wallet, points, seconds = (
            self.luck.choice(WALLETS),
            self.luck.randint(1, 200),
            self.luck.choice([20, 900, 86400]),
        )
        name = self.name()
        command = OpenHold(
            hold_id=name,
            kind="points",
            member=self.member,
            wallet=wallet,
            points=points,
            expires_in_seconds=seconds,
        )
        if self.book.balance(wallet, self.now)[0] < points:
            with pytest.raises(Conflict, match="are there, not"):
                self.service.do(command)
            return "refused"
        self.service.do(command)
        self.book.holds[name] = Held(wallet, points, self.now, self.now + seconds * SECOND)
        return "done"

    def capture(self) -> str:
        return self.end("captured")

    def void(self) -> str:
        return self.end("voided")

    def end(self, how: str) -> str:
        if not self.book.holds:
            return "none"
        name = self.luck.choice(
            list(self.book.holds) if self.luck.random() < 0.3 else self.open() or [*self.book.holds]
        )
        hold = self.book.holds[name]
        points = self.luck.randint(1, hold.points)
        command = CaptureHold(hold_id=name, points=points) if how == "captured" else VoidHold(hold_id=name)
        if hold.end == "open":
            self.service.do(command)
            hold.ended, hold.end, hold.taken = self.now, how, points if how == "captured" else 0
            return "done"
        code = "hold-expired" if hold.end == "expired" else f"hold-already-{hold.end}"
        if hold.end != how or (how == "captured" and points != hold.taken):
            with pytest.raises(Conflict) as refused:
                self.service.do(command)
            assert refused.value.code == code
            return "refused"
        assert self.service.do(command).status == 200
        return "again"

    def pay(self) -> str:
        """A purchase of ten units takes some points of a hold; it may have been a while ago."""
        if not self.open():
            return "none"
        name = self.luck.choice(self.open())
        hold = self.book.holds[name]
        points = self.luck.randint(1, hold.points) // 10 * 10
        if not points:
            return "none"
        back = self.luck.choice([0, 40 * SECOND, DAY])
        self.purchase(name, points, BasketTender(kind="hold", hold_id=name, amount_minor=points), self.at(back))
        hold.ended, hold.taken, hold.end = max(hold.at, self.now - back), points, "captured"
        return "late" if back else "done"

    def buy(self) -> str:
        """Points pay without a hold: what is there and nobody holds."""
        wallet, points = self.luck.choice(WALLETS), self.luck.randint(1, 20) * 10
        at = self.at(self.luck.choice([0, 0, DAY]))
        tender = BasketTender(kind="points", wallet=wallet, points=points)
        before = self.book.balance(wallet, self.now)
        refused = ""
        try:
            self.purchase(self.name(), points, tender, at)
        except Conflict as error:
            refused = error.code
        if refused:
            assert (refused, instant(at) < self.now or before[0] < points) == ("not-enough-points", True)
            return "refused"
        self.book.spent.append((instant(at), wallet, points))
        assert self.book.balance(wallet, self.now)[3] == before[3]
        return "late" if instant(at) < self.now else "done"

    def purchase(self, name: str, minor: int, tender: BasketTender, at: datetime) -> None:
        line = BasketLine(line_id="1", sku="A", quantity=10, amount_minor=minor, unit_price_minor=minor // 10)
        basket = Basket(
            receipt_id=name,
            store_id="S",
            occurred_at=at,
            currency="EUR",
            member=self.member,
            lines=(line,),
            tenders=(tender,),
        )
        self.service.do(RecordPurchase(basket))

    def bring_back(self) -> str:
        """Only of stars: what is given back of beans would last longer than their own lots."""
        bought = [name for name, hold in self.book.holds.items() if hold.wallet == "stars" and hold.end == "captured"]
        bought = [name for name in bought if self.service.hold(name).purchase_id and self.book.holds[name].units < 10]
        if not bought:
            return "none"
        name = self.luck.choice(bought)
        hold = self.book.holds[name]
        units = self.luck.randint(1, 10 - hold.units)
        command = RecordReturn(
            return_id=self.name(),
            store_id="S",
            occurred_at=self.at(0),
            of=ReturnOf(store_id="S", receipt_id=name),
            lines=(ReturnLine(line_id="1", quantity=units),),
        )
        self.service.do(command)
        hold.units += units
        return "done"

    def compare(self) -> None:
        instants = [self.now, self.now - self.luck.randint(0, 8 * DAY), self.now + self.luck.randint(0, 3 * DAY)]
        instants += [
            edge for hold in list(self.book.holds.values())[-1:] for edge in (hold.at, hold.ended or hold.until)
        ]
        for at in instants:
            wallets = self.service.balance(self.id, at).wallets
            for wallet in WALLETS:
                one = wallets[wallet]
                assert (one.available, one.pending, one.held, one.debt) == self.book.balance(wallet, at), (wallet, at)


@pytest.mark.parametrize("seed", range(1, SHOPS + 1))
def test_holds_agree_with_a_notebook(seed: int) -> None:
    shop = Shop(seed)
    for _ in range(STEPS):
        shop.step()
    found = shop.service.verify()
    shop.service.rebuild()
    assert found == shop.service.verify() == []
    shop.compare()
    row = [one.difference for one in shop.service.liability().rows]
    assert set(row) == {0}
    shop.service.close()
    if STEPS >= 500:
        wanted = {"give ", "take refused", "hold done", "hold refused", "capture done", "capture refused", "void done"}
        assert wanted | {"void refused", "pay done", "pay late", "buy done", "buy refused", "bring_back done"} <= {
            *shop.did
        }
