"""L7 and L8 to the end: four lines of two units, discounted, bought with a reward and a code, paid with points, two
gift cards and cash, come back in every order; nothing is left, and no refund on any tender is ever below zero.

What came back so far is one of 3^4 = 81 stages, and a unit more leads from one to the next (216 ways; 1,215 in a
campaign, with several units at once). Whichever way led to a stage, everything is the same, down to the stored state;
so it is after all 2,520 orders of single units, by induction. Some of them are also walked here, and all of them in a
long campaign, at once and hours apart. In between nothing was spent, or some, or nearly everything; and lots ended.
"""

from __future__ import annotations

import itertools
import random
import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
import pytest

from rewards.basket import AskedReward, BasketTender, MemberRef
from rewards.ledger.timeline import decode_day, decode_near
from rewards.service.commands import Adjust, Publish
from rewards.service.service import Service
from rewards.store.database import Store
from tests import campaign
from tests.policies import program

from .conftest import DAY, Clock, line
from .test_card_money import ANA, Desk

POLICY = program("""points:
  beans:
    one: bean
    expires: {after: 20 days}
    pays: {points: 7 beans, buys: 0.10, step: 7 beans}
  stamps: {one: stamp, pending: 1 day, expires: {after: 30 days}}
selections:
  deposit: {categories: [deposit]}
eligible: {except: deposit, amount: after_discounts, tax: included, paid_by_points: does_not_count}
tiers: {by: spend, measure: 30 days, levels: {basic: 0.00, silver: 62.00}}
earn:
  beans: {every: 1.00, give: 3 beans}
  silver: {when: {tier: [silver]}, times: 1.5, of: beans}
  big: {when: {spend: {at_least: 15.00}}, give: 25 beans, limit: {times: 2, per: month}}
  stamp: {on: {categories: [coffee]}, every: 1 unit, give: 1 stamp}
  third: {when: {nth_visit: {every: 3}}, give: 10 beans}
offers:
  autumn:
    on: {categories: [cake]}
    when: {code: FALL}
    percent_off: 17%
    limit: {times: 1, per: month}
    budget: {times: 2, per: year}
  bread: {on: {categories: [bread]}, amount_off: 0.01 per unit, limit: {units: 3, per: ever}}
  cup: {on: {categories: [coffee]}, only_by: reward, free: {units: 1, pick: cheapest}}
rewards:
  cup: {cost: 7 stamps, gives: {offer: cup}}
gift_cards:
  plain: {kind: paid, load: 1.00-100.00, expires: {after: 100 days}}
  gift: {kind: promotional, expires: {after: 17 days}, not_on: deposit}
returns: {accept_within: 90 days, spent_points: SPENT, restored_points_last: 14 days}
""")
LINES = (
    line("1", "CUP", 389, 2, categories=("coffee",)),
    line("2", "CAKE", 745, 2, categories=("cake",)),
    line("3", "ROLL", 7, 2, categories=("bread",)),
    line("4", "BOTTLE", 333, 2, categories=("deposit",)),
)
NAMES = tuple(one.line_id for one in LINES)
STAGES = list(itertools.product(range(3), repeat=4))  # units that came back, by line
ORDERS = sorted(set(itertools.permutations(NAMES * 2)))
CASH = 2  # the tender
LASTS = 14 * DAY  # what is given back lasts at least so long


@dataclass
class Sums:
    """What came back so far: on each tender, in points of each wallet, and what of it was kept for points gone."""

    tenders: list[int] = field(default_factory=lambda: [0] * 4)
    points: int = 0
    stamps: int = 0
    kept: int = field(default=0, compare=False)

    def add(self, answer):
        deducted = answer.get("deducted", [])
        back = answer.get("restored", {})
        figures = [one["amount_minor"] for one in (*answer["refund"], *deducted)]
        figures += [one["points"] for one in (*answer["refund"], *deducted) if "points" in one]
        figures += [answer.get("refund_due_minor", 0), *back.values()]
        assert min(figures, default=0) >= 0
        tenders, kept = list(self.tenders), sum(one["amount_minor"] for one in deducted)
        for one in answer["refund"]:
            tenders[one["tender"]] += one["amount_minor"]
        tenders[CASH] += kept
        points, stamps = self.points + back.get("beans", 0), self.stamps + back.get("stamps", 0)
        return Sums(tenders, points, stamps, self.kept + kept)


class World:
    """A shop in which all of it happened; it can be put back to how it was."""

    def __init__(self, between, *, bought=True, spent="debt"):
        self.clock = Clock()
        self.desk = Desk(Service(Store.open("sqlite://"), clock=self.clock), self.clock)
        self.desk.service.do(Publish(POLICY.replace("SPENT", spent).encode()))
        self.member = self.desk.enrol(ANA)["member_id"]
        cups = tuple(line(str(i), "CUP", 500, categories=("coffee",)) for i in range(12))
        self.desk.buy("before", lines=cups, tenders=(("cash", 6000),))
        self.cards = [self.desk.issue("plain", 700), self.desk.issue("gift", 500)]
        self.clock.now += 2 * DAY
        self.desk.act(self.cards[0], "LOAD", 4300)
        self.bought = self.buy() if bought else None
        if between != "nothing":
            self.spend(15 if between == "some" else 195)

    @property
    def connection(self):
        return self.desk.service._store._writing

    def buy(self):
        asks = {"lines": LINES, "codes": ("fall",), "rewards": (AskedReward(reward="cup"),)}
        due = self.desk.service.quote(self.desk.basket("bought", **asks)).totals.payable_minor
        points = BasketTender(kind="points", wallet="beans", points=77)
        paid, given = (
            BasketTender(kind="gift_card", code=card["code"], amount_minor=minor)
            for card, minor in zip(self.cards, (999, 333), strict=True)
        )
        return self.desk.buy("bought", **asks, tenders=(points, paid, ("cash", due - 110 - 999 - 333), given))

    def spend(self, points):
        """Spend points and money of the card; the gift ends, and soon the early points do."""
        self.clock.now += 3 * DAY
        pays = BasketTender(kind="points", wallet="beans", points=70)
        card = BasketTender(kind="gift_card", code=self.cards[0]["code"], amount_minor=500)
        self.desk.buy("between", 1700, tenders=(pays, card, ("cash", 1100)))
        take = Adjust(member=MemberRef(card=ANA), wallet="beans", points=-points, reason="moved", actor="kim")
        self.desk.ask(take)
        self.clock.now += 14 * DAY + timedelta(hours=9)  # an hour before the early beans end

    def keep(self):
        copy = sqlite3.connect(":memory:")
        self.connection.backup(copy)
        return copy, self.clock.now

    def put_back(self, kept):
        kept[0].backup(self.connection)
        self.clock.now = kept[1]

    def give_back(self, units):
        name = "-".join(f"{key}x{count}" for key, count in units.items()) + f"-{self.returns()}"
        return self.desk.ask(self.desk.give_back(name, of="bought", lines=units))

    def returns(self):
        return self.rows("SELECT count(*) FROM event WHERE kind = 'return'")[0][0]

    def rows(self, sql):
        return self.connection.execute(sql).fetchall()

    def stored(self):
        """The states of all owners; of what was settled at one instant only the sum, in however many returns."""
        states = self.rows("SELECT n.owner_id, o.kind, n.state FROM near_state n JOIN owner o ON o.id = n.owner_id")
        near = {owner: decode_near(state) if kind == "member" else state for owner, kind, state in states}
        days = [(owner, decode_day(state)) for owner, state in self.rows("SELECT owner_id, state FROM day_state")]
        days += [(owner, one.last) for owner, one in near.items() if getattr(one, "last", None)]
        for _, row in days:
            sums = Counter()
            for at, wallet, points in row.spent:
                sums[at, wallet] += points
            row.spent = sorted(sums.items())
        days.sort(key=lambda pair: (pair[0], pair[1].day))
        return near, days

    def told(self, first, days=60):
        """Everything that a member or a till is told, on each of the days from an instant on."""
        found = []
        for at in range(self.clock() + first * 86_400_000_000, self.clock() + days * 86_400_000_000, 86_400_000_000):
            answer = msgspec.to_builtins(self.desk.service.balance(self.member, at))
            found.append({key: answer[key] for key in ("at", "wallets", "tier", "rewards")})
        return found

    def decided(self):
        """What the next receipt would get: limits, uses, budgets, rewards."""
        asks = {"lines": LINES, "codes": ("fall",)}
        quote = msgspec.to_builtins(self.desk.service.quote(self.desk.basket("next", **asks)))
        return {key: quote[key] for key in ("totals", "discounts", "awards", "not_applied", "lines")}

    def money(self):
        """What is on each card, by the day on which it ends."""
        found = [self.desk.look(card)["expiries"] for card in self.cards]
        return [{one["expires_at"][:10]: one["amount_minor"] for one in ends} for ends in found]

    def paid_back(self, sums):
        assert sums.tenders == [one["amount_minor"] for one in self.bought["tenders"]]
        assert (sums.points, sums.stamps) == (77, 7)

    def close(self):
        assert self.desk.service.verify() == []
        self.desk.service.close()


@pytest.fixture(params=["nothing", "some", "nearly-all"])
def between(request):
    """What was spent between the purchase and its returns."""
    return request.param


@pytest.fixture
def worlds(between):
    bought, never = World(between), World(between, bought=False)
    yield bought, never
    bought.close()
    never.close()


def test_the_purchase_has_all_of_it(worlds):
    answer = worlds[0].bought
    assert {one["offer"]: one["amount_minor"] for one in answer["discounts"]} == {"autumn": 253, "bread": 2, "cup": 389}
    assert answer["totals"]["spent"] == {"beans": 77, "stamps": 7}
    assert [one["kind"] for one in answer["tenders"]] == ["points", "gift_card", "cash", "gift_card"]
    assert all(len([one for one in each["tenders"] if one["amount_minor"]]) > 1 for each in answer["lines"])


def ways(stage, most):
    """The later stages, with what comes back on the way: `most` units at once."""
    for later in itertools.product(*(range(have, 3) for have in stage)):
        units = {name: new - old for name, old, new in zip(NAMES, stage, later, strict=True) if new > old}
        if 0 < sum(units.values()) <= most:
            yield later, units


@pytest.mark.parametrize(
    ("between", "spent"), [("nothing", "debt"), ("some", "debt"), ("nearly-all", "deduct_from_refund")]
)
def test_every_way_to_a_stage_leads_to_the_same(between, spent):
    """But for what is settled for ever: how long points last that come back to a debt, and money kept for them."""
    world = World(between, spent=spent)
    most = campaign.size(default=1, ci=8, long=8)
    stages = {STAGES[0]: (world.keep(), Sums())}
    taken = 0
    for stage in STAGES:
        kept, sums = stages[stage][:2]
        for later, units in ways(stage, most):
            world.put_back(kept)
            after = sums.add(world.give_back(units))
            found = (after, world.money()) + ((world.stored(),) if between != "nearly-all" else ())
            stages.setdefault(later, (world.keep(), *found))
            assert found == stages[later][1:], (stage, later)
            taken += 1
    assert (len(stages), taken) == (81, {1: 216, 8: 1215}[most])
    world.paid_back(stages[STAGES[-1]][1])
    assert any(one[1].kept for one in stages.values()) == (spent != "debt")
    world.close()


def back_as_it_was(bought, never, between):
    """Nothing is left: what lasts longer because it was given back is all that may differ, and not for ever."""
    assert bought.decided() == never.decided()
    if between == "nothing":
        assert bought.told(-5) == never.told(-5)
        assert bought.money() == never.money()
        return
    last = LASTS // DAY + 1
    assert bought.told(last) == never.told(last)
    for ours, theirs in zip(bought.told(0, last), never.told(0, last), strict=True):
        for key, most in (("beans", 77), ("stamps", 7)):
            ours_now, theirs_now = ours["wallets"][key], theirs["wallets"][key]
            assert 0 <= ours_now["available"] - theirs_now["available"] <= most
            assert ours_now["debt"] == theirs_now["debt"]
    ours, theirs = ([sum(ends.values()) for ends in one.money()] for one in (bought, never))
    assert (ours, theirs) == ([4500, 333], [4500, 0])
    bought.clock.now += LASTS + DAY
    assert bought.money()[1] == {}


def walk(world, order, hours):
    """Return units one by one, some time apart; the sums of what came back."""
    paid = Sums()
    for name in order:
        world.clock.now += timedelta(hours=hours)
        paid = paid.add(world.give_back({name: 1}))
    return paid


def some(orders, count):
    return random.Random(7).sample(orders, count) if count < len(orders) else orders


@pytest.mark.parametrize("hours", [0, 3])
def test_every_order_ends_where_it_began(worlds, between, hours):
    bought, never = worlds
    began = bought.keep()
    never.clock.now += 8 * timedelta(hours=hours)
    for order in some(ORDERS, campaign.size(default=10, ci=50, long=len(ORDERS))):
        bought.put_back(began)
        paid = walk(bought, order, hours)
        bought.paid_back(paid)
        assert bought.rows("SELECT sum(amount) FROM posting") == [(0,)]
        back_as_it_was(bought, never, between)
