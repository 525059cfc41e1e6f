"""A member as a clerk with a notebook would work it out: everything from the start, every time.

One program, written out by hand: G beans for each whole 1.00 of a day; 50 beans in a week once 20.00 are
reached; a stamp for each coffee, ready after two days; 10 beans on each third visit; 7 after ten days away;
3 for a review, twice a week; 11 on 5 November for who bought something in the last 60 days. Beans last 30 days,
stamps for ever. Offers: each third coffee free, the cheapest; 0.50 off a cake, three for each member in all; off the
rest the better of 2.00 (a coupon, one a week) and a tenth (from 30.00 on). A stamp pays 0.50, and what stamps pay
counts as any other money.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

DAY = 86_400_000_000
ENDLESS = 10**18


@dataclass
class Bought:
    day: int
    lines: list[list]  # [coffee?, quantity, amount paid, units that came back]
    coupon: bool = False
    cakes: int = 0  # units that the offer on cakes served
    paid: tuple = ()  # (instant, stamps), if stamps paid for all of it

    def kept(self):
        return any(quantity > back for _, quantity, _, back in self.lines)

    def left(self, line):
        coffee, quantity, amount, back = line
        return coffee, quantity - back, amount * (quantity - back) // quantity


@dataclass
class Notebook:
    midnight: object  # day -> instant
    rates: list = field(default_factory=list)  # (first day, G), in order of publication
    bought: dict = field(default_factory=dict)  # receipt -> Bought
    spent: list = field(default_factory=list)  # (instant, wallet, points)
    given: list = field(default_factory=list)  # (day, wallet, points)
    reviews: list = field(default_factory=list)  # days
    today: int = 0

    def rate(self, day):
        current = self.rates[0][1]
        for first, rate in self.rates:
            if first <= day:
                current = rate
        return current

    def cakes_left(self):
        return max(0, 3 - sum(bought.cakes for bought in self.bought.values() if bought.kept()))

    def coupon_left(self, day):
        used = (b.day for b in self.bought.values() if b.coupon and b.kept())
        return all((other - 1) // 7 != (day - 1) // 7 for other in used)

    def discounts(self, day, lines, coupon):
        """What comes off by offer, for lines of (coffee?, quantity, price); where two are as good, both answers."""
        coffees = sorted(price for coffee, n, price in lines if coffee for _ in range(n))
        cakes = sorted((price for coffee, n, price in lines if not coffee for _ in range(n)), reverse=True)
        item = {"third": sum(coffees[: len(coffees) // 3])}
        item["cakes"] = sum(min(50, price) for price in cakes[: self.cakes_left()])
        whole = sum(n * price for _, n, price in lines)
        rest, rivals = whole - sum(item.values()), {}
        if coupon and self.coupon_left(day):
            rivals["coupon"] = min(200, rest)
        if whole >= 3000:
            rivals["tenth"] = (rest + 5) // 10
        best = max(rivals.values(), default=0)
        answers = [{**item, rival: off} for rival, off in rivals.items() if off == best] or [item]
        return [{offer: off for offer, off in answer.items() if off} for answer in answers]

    def earned(self):
        """Points by (wallet, day)."""
        spend, coffees = defaultdict(int), defaultdict(int)
        for purchase in self.bought.values():
            for line in purchase.lines:
                coffee, units, net = purchase.left(line)
                spend[purchase.day] += net
                coffees[purchase.day] += units if coffee and net else 0
        points, visits = defaultdict(int), []
        for day in sorted(day for day in spend if spend[day] > 0):
            week = [d for d in spend if (d - 1) // 7 == (day - 1) // 7]
            before, now = (sum(spend[d] for d in week if d < day), sum(spend[d] for d in week if d <= day))
            beans = spend[day] // 100 * self.rate(day)
            beans += 50 if before < 2000 <= now else 0
            beans += 10 if (len(visits) + 1) % 3 == 0 else 0
            beans += 7 if visits and day - visits[-1] >= 10 else 0
            visits.append(day)
            points["beans", day] += beans
            points["stamps", day] += coffees[day]
        for day in set(self.reviews):
            before = sum(day > d >= day - (day - 1) % 7 for d in self.reviews)
            points["beans", day] += 3 * max(0, min(2 - before, self.reviews.count(day)))
        for year in (2026, 2027, 2028):
            day = date(year, 11, 5).toordinal()
            if day <= self.today and any(day - 60 < visit <= day for visit in visits):
                points["beans", day] += 11
        for day, wallet, amount in self.given:
            points[wallet, day] += amount
        return points

    def stamps_kept(self, purchase):
        whole = sum(line[2] for line in purchase.lines)
        return purchase.paid[1] * sum(purchase.left(line)[2] for line in purchase.lines) // whole

    def balance(self, wallet, at, today):
        """(available, pending, debt) at an instant; lots of days after `today` are not there yet."""
        wait, last = (0, 30) if wallet == "beans" else (2, None)
        lots = [
            [self.midnight(day + wait), self.midnight(day + last) if last else ENDLESS, day, points]
            for (kind, day), points in self.earned().items()
            if kind == wallet and points and day <= today
        ]
        debt, steps = 0, [(lot[0], 1, lot[1], lot[2], lot) for lot in lots]
        steps += [(when, 2, 0, 0, points) for when, kind, points in self.spent if kind == wallet]
        paying = [one for one in self.bought.values() if one.paid and wallet == "stamps"]
        steps += [(one.paid[0], 2, 0, 0, self.stamps_kept(one)) for one in paying]
        for when, what, _, _, it in sorted(steps, key=lambda step: step[:4]):
            if when > at:
                break
            if what == 1:
                paid = min(debt, it[3])
                debt, it[3] = debt - paid, it[3] - paid
                continue
            debt += it
            for lot in sorted((x for x in lots if x[0] <= when < x[1]), key=lambda x: (x[1], x[2])):
                taken = min(debt, lot[3])
                debt, lot[3] = debt - taken, lot[3] - taken
        alive = [lot for lot in lots if at < lot[1]]
        return sum(x[3] for x in alive if x[0] <= at), sum(x[3] for x in alive if x[0] > at), debt
