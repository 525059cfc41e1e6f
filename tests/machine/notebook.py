"""All of a shop as a clerk with a notebook works it out: from lists of facts, from the start, every time.

What was decided at a till is a fact here: what a line cost, and which part of it each tender paid. All else is worked
out: points, tiers, limits, what is on a card, and what a return pays back on which tender. The program is `PROGRAM`.
It shares no code with the engine, and knows no state, no order of arrival and no difference between two figures.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

PROGRAM = """policy: rewards/v1
program: everything
title: Everything
currency: EUR
timezone: Europe/Berlin
points:
  beans: {one: bean, expires: {after: 30 days}, pays: {points: 1 bean, buys: 0.10, at_most: 50%}}
  stamps: {one: stamp, pending: 2 days}
selections: {deposit: {categories: [deposit]}}
eligible: {except: deposit, amount: after_discounts, tax: included, paid_by_points: does_not_count}
tiers: {by: spend, measure: 30 days, levels: {basic: 0.00, silver: 60.00}}
earn:
  beans: {every: 1.00, give: RATE beans}
  silver: {when: {tier: [silver]}, every: 10.00, give: 4 beans}
  big: {when: {spend: {at_least: 20.00}}, give: 25 beans, limit: {times: 2, per: month}}
  third: {when: {nth_visit: {every: 3}}, give: 10 beans}
  stamp: {on: {categories: [coffee]}, every: 1 unit, give: 1 stamp}
offers:
  cakes: {on: {categories: [cake]}, amount_off: 0.50 per unit, limit: {units: 4, per: ever}}
  coupon:
    when: {code: TWO}
    amount_off: 2.00
    stage: basket
    limit: {times: 1, per: week}
    budget: {times: 3, per: month}
  cup: {on: {categories: [coffee]}, only_by: reward, free: {units: 1, pick: cheapest}}
  euro: {only_by: voucher, amount_off: 1.00, stage: basket}
rewards:
  cup: {cost: 3 stamps, gives: {offer: cup}}
  mug: {cost: 20 beans, gives: {item: mug}, limit: {times: 2, per: month}}
  thanks: {cost: 30 beans, gives: {gift_card: gift, value: 4.00}}
gift_cards:
  plain: {kind: paid, load: 1.00-100.00, max_balance: 110.00}
  ending: {kind: paid, expires: {after: 5 days}}
  gift: {kind: promotional, expires: {after: 3 days}}
  flyer: {kind: voucher, offer: euro, expires: {after: 7 days}}
returns: {accept_within: 365 days, spent_points: debt, restored_points_last: 14 days}
"""
ZONE = ZoneInfo("Europe/Berlin")
FOREVER = datetime.max.replace(tzinfo=UTC)
LASTS = {"plain": None, "ending": 5, "gift": 3, "flyer": 7}  # days
GRACE = 14  # days that what is given back lasts at least
WALLETS = ("beans", "stamps")


def midnight(day: date, days: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=days), time(), ZONE).astimezone(UTC)


def day_of(at: datetime) -> date:
    return at.astimezone(ZONE).date()


def week(day: date) -> int:
    return (day.toordinal() - 1) // 7


@lru_cache(10_000)
def split(minor: int, shares: tuple[int, ...]) -> list[int]:
    """Lay an amount on tenders, cent by cent: each to the largest share / (2 * given + 1), the first of equals."""
    given = [0] * len(shares)
    for _ in range(minor):
        best = 0
        for i, share in enumerate(shares):
            if share * (2 * given[best] + 1) > shares[best] * (2 * given[i] + 1):
                best = i
        given[best] += 1
    return given


@dataclass
class Card:
    """A gift card's page: what is on it, by when it ends; of a voucher, which receipt used it."""

    id: str
    code: str
    product: str
    ends: datetime
    state: str = "active"
    money: dict[datetime, int] = field(default_factory=dict)
    drawn: int = 0  # redeemed without a receipt
    used_by: str = ""
    holds: list[Hold] = field(default_factory=list)  # that are open

    def held(self) -> int:
        return sum(hold.minor() for hold in self.holds)

    def put(self, ends: datetime, minor: int) -> None:
        self.money[ends] = self.money.get(ends, 0) + minor

    def take(self, minor: int) -> dict[datetime, int]:
        """Take money, the soonest ending first; return what was taken by its end."""
        taken = {}
        for ends in sorted(self.money):
            taken[ends] = min(minor, self.money[ends])
            self.money[ends] -= taken[ends]
            minor -= taken[ends]
        assert not minor
        return taken

    def give_back(self, taken: dict[datetime, int], before: int, minor: int, last: datetime) -> None:
        """Put money back into the lots that it came from, the latest ending first; `before` came back earlier."""
        for ends in sorted(taken, reverse=True):
            skipped = min(before, taken[ends])
            part = min(minor, taken[ends] - skipped)
            before, minor = before - skipped, minor - part
            if part:
                self.put(max(ends, last), part)

    def void(self, line: Line, now: datetime) -> tuple[int, int]:
        """The line that sold it comes back: take what is left of it; return that, and what lacks."""
        part = min(line.net, self.left(now))
        self.take(part)
        if line.new and not self.left(now) and not self.holds:
            self.state = "deactivated"
        return part, line.net - part

    def left(self, now: datetime) -> int:
        self.money = {ends: minor for ends, minor in self.money.items() if ends > now and minor}
        return sum(self.money.values())

    def at(self, now: datetime) -> str:
        """Its state, as whoever asks is told."""
        if self.state == "deactivated" or (self.state != "active" and not self.used_by):
            return self.state
        ended = self.product in {"gift", "flyer"} and self.ends <= now and not self.left(now) and not self.holds
        return "used" if self.used_by else "expired" if ended else "active"


@dataclass
class Hold:
    """Points or money of a card that are set aside."""

    name: str
    at: datetime
    until: datetime
    who: str | None = None
    wallet: str = ""
    points: int = 0
    card: Card | None = None
    parts: dict[datetime, int] = field(default_factory=dict)  # money of the card, by when it ends
    state: str = "open"
    ended: datetime | None = None
    taken: int = 0  # points or money
    receipt: Receipt | None = None  # that captured it

    def over(self, at: datetime) -> bool:
        return at >= (self.ended or self.until)

    def minor(self) -> int:
        return sum(self.parts.values())

    def costs(self, at: datetime, receipt: Receipt | None = None) -> int:
        """The points that it takes at an instant, from the lots of the instant at which it began."""
        receipt = receipt or self.receipt
        taken = self.taken if receipt is None else receipt.points_of(self)
        return taken if self.over(at) else self.points

    def end(self, state: str, at: datetime, taken: int = 0) -> dict[datetime, int]:
        """Take some of it, and release the rest; return the money that was taken, by when it ends."""
        self.state, self.ended, self.taken, found = state, at, taken, {}
        if self.card is not None:
            self.card.holds.remove(self)
            for ends in sorted(self.parts):
                found[ends] = min(taken, self.parts[ends])
                taken -= found[ends]
                self.card.put(ends, self.parts[ends] - found[ends])
        return found


@dataclass
class Tender:
    kind: str  # points, gift_card, or money
    minor: int
    points: int = 0
    card: Card | None = None
    hold: Hold | None = None  # out of which it paid
    lacks: int = 0  # that a till took on trust and was not there
    taken: dict[datetime, int] = field(default_factory=dict)

    def lost(self) -> bool:
        return self.card is not None and self.card.state == "deactivated"

    def counts(self) -> bool:
        """Whether what it paid earns: neither points nor money that was given."""
        return self.kind != "points" and (self.card is None or self.card.product != "gift")


@dataclass
class Line:
    units: int
    net: int  # what it cost, all discounts off
    paid: tuple[int, ...]  # by each tender
    free: int = 0  # units that cost nothing
    stamps: int = 0  # that a reward cost
    sold: Card | None = None  # the gift card that it sold or loaded
    new: bool = False  # whether it was a new one
    back: int = 0  # units that came back

    def left(self, amount: int) -> int:
        return amount * (self.units - self.back) // self.units

    def parts(self) -> list[int]:
        return split(self.left(self.net), self.paid)


@dataclass
class Receipt:
    name: str
    who: str | None
    at: datetime
    lines: dict[str, Line]  # by kind
    tenders: list[Tender]
    coupon: bool = False
    cakes: int = 0  # units that the offer served
    slip: Card | None = None
    claimable: datetime = FOREVER  # until when, if it is a guest's

    def day(self) -> date:
        return day_of(self.at)

    def units_left(self) -> dict[str, int]:
        return {kind: line.units - line.back for kind, line in self.lines.items() if line.units > line.back}

    def kept(self) -> bool:
        return bool(self.units_left())

    def touched(self) -> bool:
        return any(line.back for line in self.lines.values())

    def on_tenders(self) -> list[int]:
        return [sum(column) for column in zip(*(line.parts() for line in self.lines.values()), strict=True)]

    def there(self) -> list[int]:
        """What each tender has left of what was there: that paid first for what is left."""
        pairs = zip(self.tenders, self.on_tenders(), strict=True)
        return [min(left, tender.minor - tender.lacks) for tender, left in pairs]

    def points_of(self, hold: Hold | None) -> int:
        """The points that it takes out of a hold; or, for none, freely."""
        pairs = zip(self.tenders, self.on_tenders(), strict=True)
        return sum(one.points * left // one.minor for one, left in pairs if one.points and one.hold is hold)

    def costs(self) -> dict[str, int]:
        """The points that it takes, by wallet, but for those of holds."""
        return {"beans": self.points_of(None), "stamps": sum(line.left(line.stamps) for line in self.lines.values())}

    def taken(self) -> dict[str, int]:
        """All points that it takes, by wallet."""
        held = sum(self.points_of(one.hold) for one in self.tenders if one.hold is not None)
        return {wallet: cost + (held if wallet == "beans" else 0) for wallet, cost in self.costs().items()}

    def keep_off(self, refund: list[int], minor: int) -> list[int]:
        """A refund by tender less what is kept: off the last tender of money first, then off the last gift card."""
        left = list(refund)
        for i in sorted(range(len(left)), key=lambda i: (self.tenders[i].kind != "cash", -i)):
            if self.tenders[i].kind != "points":
                part = min(left[i], minor)
                left[i], minor = left[i] - part, minor - part
        return left

    def spend(self, kind: str) -> int:
        """What counts of a line."""
        if kind in {"deposit", "card"}:
            return 0
        pairs = zip(self.tenders, self.lines[kind].parts(), strict=True)
        return sum(part for tender, part in pairs if tender.counts())


@dataclass
class Redeemed:
    """A mug or a gift card that beans bought."""

    who: str
    at: datetime
    points: int
    card: Card | None = None
    cancelled: bool = False


@dataclass
class Notebook:
    rates: list[tuple[date, int]] = field(default_factory=list)  # from a day on, in order of publication
    receipts: dict[str, Receipt] = field(default_factory=dict)
    cards: list[Card] = field(default_factory=list)
    given: list[tuple[str, str, date, int]] = field(default_factory=list)  # who, wallet, day, points
    spent: list[tuple[str, str, datetime, int]] = field(default_factory=list)
    holds: dict[str, Hold] = field(default_factory=dict)
    redeemed: dict[str, Redeemed] = field(default_factory=dict)
    settled: list[tuple[str, str, datetime, int, int]] = field(default_factory=list)  # … points that moved, and rose

    def merge(self, one: str, other: str) -> None:
        """Have what another did be what this one did."""
        for facts in (self.receipts, self.holds, self.redeemed):
            for fact in facts.values():
                fact.who = one if fact.who == other else fact.who
        for facts in (self.given, self.spent, self.settled):
            facts[:] = [(one, *fact[1:]) if fact[0] == other else fact for fact in facts]

    def of(self, who: str) -> list[Receipt]:
        return [one for one in self.receipts.values() if one.who == who]

    # limits

    def cakes_left(self, who: str) -> int:
        return max(0, 4 - sum(one.cakes for one in self.of(who) if one.kept()))

    def coupon_left(self, who: str, day: date) -> bool:
        used = [one for one in self.receipts.values() if one.coupon and one.kept()]
        drawn = sum((one.day().year, one.day().month) == (day.year, day.month) for one in used)
        return drawn < 3 and all(one.who != who or week(one.day()) != week(day) for one in used)

    def discounts(
        self, who: str | None, day: date, lines: dict[str, tuple[int, int]], asks: set[str]
    ) -> dict[str, int]:
        """What offers take off lines of (units, price); `basket` is what coupon and voucher take together."""
        off = {}
        if "cake" in lines and who is not None:
            units, price = lines["cake"]
            off["cakes"] = min(units, self.cakes_left(who)) * min(50, price)
        if "cup" in asks and "coffee" in lines:
            off["cup"] = lines["coffee"][1]
        whole = sum(units * price for kind, (units, price) in lines.items() if kind not in {"deposit", "card"})
        coupon = "coupon" in asks and who is not None and self.coupon_left(who, day)
        off["basket"] = min(whole - sum(off.values()), 200 * coupon + 100 * ("euro" in asks))
        return {offer: minor for offer, minor in off.items() if minor}

    def mugs_left(self, who: str, day: date) -> int:
        mugs = [one for one in self.redeemed.values() if one.who == who and one.card is None and not one.cancelled]
        return 2 - sum((day_of(one.at).year, day_of(one.at).month) == (day.year, day.month) for one in mugs)

    # points

    def spend_by_day(self, who: str) -> dict[date, int]:
        sums: Counter[date] = Counter()
        for one in self.of(who):
            sums[one.day()] += sum(one.spend(kind) for kind in one.lines)
        return {day: sums[day] for day in sorted(sums) if sums[day] > 0}

    def is_silver(self, who: str, day: date) -> bool:
        return sum(minor for d, minor in self.spend_by_day(who).items() if 1 <= (day - d).days <= 30) >= 6000

    def earned(self, who: str) -> dict[tuple[str, date], int]:
        points: dict[tuple[str, date], int] = defaultdict(int)
        bonuses: Counter[tuple[int, int]] = Counter()
        for visit, (day, spend) in enumerate(self.spend_by_day(who).items(), 1):
            rate = [rate for first, rate in self.rates if first <= day][-1]
            points["beans", day] += spend // 100 * rate
            points["beans", day] += spend // 1000 * 4 if self.is_silver(who, day) else 0
            points["beans", day] += 10 if visit % 3 == 0 else 0
            if spend >= 2000 and bonuses[day.year, day.month] < 2:
                bonuses[day.year, day.month] += 1
                points["beans", day] += 25
        for one in self.of(who):
            coffee = one.lines.get("coffee")
            if coffee is not None and one.spend("coffee"):
                points["stamps", one.day()] += coffee.left(coffee.units - coffee.free)
        return points

    def fold(
        self, who: str, wallet: str, at: datetime, then: dict[str, Receipt] | None = None
    ) -> tuple[list[list], int]:
        """Lots as [day, ready, ends, points left at an instant or at their end, credit?], and what is owed.

        Spendings take the soonest ending lot; what none covers is owed, and paid by lots as they become ready.
        `then` are receipts as they will be: what they cost counts, not what they earn.
        """
        sums = Counter({day: points for (kind, day), points in self.earned(who).items() if kind == wallet})
        for whose, kind, day, points in self.given:
            sums[day] += points if (whose, kind) == (who, wallet) else 0
        wait, last = (0, 30) if wallet == "beans" else (2, None)
        lots = [
            [day, midnight(day, wait), midnight(day, last) if last else FOREVER, points, 1]
            for day, points in sums.items()
            if points and day <= day_of(at)
        ]
        settled = [one[2:] for one in self.settled if one[:2] == (who, wallet)]
        for when, moved, risen in settled:
            if (day := day_of(when)) <= day_of(at):
                lots.append([day, midnight(day), midnight(day, GRACE), moved + risen, 0])
        steps = [(lot[1], 1, lot[2], lot[4], lot[0], lot) for lot in lots]
        steps += [(when, 2, None, 0, None, n) for whose, kind, when, n in self.spent if (whose, kind) == (who, wallet)]
        steps += [(when, 2, None, 0, None, moved) for when, moved, _ in settled]
        for name, one in self.receipts.items():
            if one.who == who:
                steps.append((one.at, 2, None, 0, None, (then or {}).get(name, one).costs()[wallet]))
        for name, bought in self.redeemed.items():
            if bought.who == who and wallet == "beans":
                cost = (then or {}).get(name, bought).points
                steps.append((bought.at, 2, None, 0, None, cost))
        for hold in self.holds.values():
            if (hold.who, hold.wallet) == (who, wallet):
                cost = hold.costs(at, (then or {}).get(hold.receipt.name if hold.receipt else ""))
                steps.append((hold.at, 2, None, 0, None, cost))
        owed = 0
        for when, what, _, _, _, it in sorted(steps, key=lambda step: (step[:2], step[2] or FOREVER, step[3])):
            if when > at:
                break
            if what == 1:
                paid = min(owed, it[3])
                owed, it[3] = owed - paid, it[3] - paid
                continue
            owed += it
            for lot in sorted((x for x in lots if x[1] <= when < x[2]), key=lambda x: (x[2], x[4], x[0])):
                taken = min(owed, lot[3])
                owed, lot[3] = owed - taken, lot[3] - taken
        return lots, owed

    def balance(self, who: str, wallet: str, at: datetime) -> tuple[int, int, int, int]:
        """Available, pending, owed, held."""
        lots, owed = self.fold(who, wallet, at)
        alive = [lot for lot in lots if at < lot[2]]
        mine = [one for one in self.holds.values() if (one.who, one.wallet) == (who, wallet) and one.at <= at]
        held = sum(hold.points for hold in mine if not hold.over(at))
        return sum(x[3] for x in alive if x[1] <= at), sum(x[3] for x in alive if x[1] > at), owed, held

    def lapse(self, now: datetime) -> None:
        """Holds that have run out end by themselves."""
        for hold in sorted(self.holds.values(), key=lambda one: one.until):
            if hold.state == "open" and hold.until <= now:
                hold.end("expired", hold.until)

    def come_back(self, name: str, units: dict[str, int], at: datetime, now: datetime) -> dict[str, int]:
        """Note that units of a receipt come back; return the points that they had taken, by wallet."""
        receipt = self.receipts[name]
        lines = {k: replace(line, back=line.back + units.get(k, 0)) for k, line in receipt.lines.items()}
        then = replace(receipt, lines=lines)
        before, after = receipt.taken(), then.taken()
        for wallet in WALLETS if receipt.who else ():
            self.settle(receipt.who, wallet, before[wallet] - after[wallet], at, now, {name: then})
        receipt.lines = lines
        return {wallet: before[wallet] - after[wallet] for wallet in WALLETS if before[wallet] > after[wallet]}

    def cancel(self, name: str, kept: int, now: datetime) -> int:
        """Note that something redeemed was taken back but for some points; return those that come back."""
        bought = self.redeemed[name]
        then = replace(bought, points=kept, cancelled=True)
        self.settle(bought.who, "beans", bought.points - kept, now, now, {name: then})
        self.redeemed[name] = then
        return bought.points - kept

    def settle(self, who: str, wallet: str, points: int, at: datetime, now: datetime, then: dict) -> None:
        """Have points that are given back last for the grace at least: they leave their lots, or rise from them."""
        last = midnight(day_of(at), GRACE)
        if last > now:
            olds, _ = self.fold(who, wallet, now)
            news, _ = self.fold(who, wallet, now, then)
            gains = [(new[2], new[3] - old[3]) for old, new in zip(olds, news, strict=True) if new[4]]
            risen = min(points, sum(gain for ends, gain in gains if gain > 0 and ends <= now))
            moved = min(points - risen, sum(gain for ends, gain in gains if gain > 0 and now < ends < last))
            self.settled.append((who, wallet, at, moved, risen))
