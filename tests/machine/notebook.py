"""All of a shop as a clerk with a notebook works it out: from lists of facts, from the start, every time.

Points, tiers, limits, and what a return pays back on which tender follow from `facts`; what is on a gift card is kept
on its page. It shares no code with the engine, and knows no state of members, no order of arrival (L12) and no
difference between two figures.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache

from tests.machine.facts import Given, Lot, Spending
from tests.machine.program import GRACE, WALLETS, day_of, midnight, month, week


def pour(amount, parts):
    """Take an amount out of parts in their order, as far as it goes."""
    taken = Counter()
    for key, there in parts.items():
        taken[key] = min(amount, there)
        amount -= taken[key]
    return taken


@lru_cache(10_000)
def split(minor, shares):
    """Lay an amount on tenders, cent by cent: each to the largest share / (2 * given + 1), the first of equals."""
    given = [0] * len(shares)
    for _ in range(minor):
        best = 0
        for i, share in enumerate(shares):
            if share * (2 * given[best] + 1) > shares[best] * (2 * given[i] + 1):
                best = i
        given[best] += 1
    return given


# gift cards and holds


def money_left(card, now):
    return sum(minor for ends, minor in card.money.items() if ends > now)


def money_held(card):
    return sum(hold.parts.total() for hold in card.holds)


def take(card, minor, now):
    """Take money, the soonest ending first; return what was taken by its end."""
    taken = pour(minor, {ends: there for ends, there in sorted(card.money.items()) if ends > now})
    assert taken.total() == minor
    card.money -= taken
    return taken


def strip(card, minor, now, *, ends=True):
    """Take money off a card as far as it is there; one that has none ends by that. Return what was taken."""
    part = min(minor, money_left(card, now))
    take(card, part, now)
    if ends and not money_left(card, now) and not card.holds:
        card.state = "deactivated"
    return part


def state_of(card, now):
    """A card's state, as whoever asks is told."""
    if card.state == "deactivated" or (card.state != "active" and not card.used_by):
        return card.state
    ended = card.product in {"gift", "flyer"} and card.ends <= now and not money_left(card, now) and not card.holds
    held = card.product == "flyer" and card.holds
    return "used" if card.used_by else "held" if held else "expired" if ended else "active"


def end(hold, state, at, taken=0):
    """Take some of a hold, and release the rest; return the money that was taken, by when it ends."""
    hold.state, hold.until, hold.taken, money = state, at, taken, pour(taken, hold.parts)
    if hold.card is not None:
        hold.card.holds.remove(hold)
        hold.card.money += hold.parts - money
    return money


# receipts


def units_left(receipt):
    return {kind: line.units - line.back for kind, line in receipt.lines.items() if line.units > line.back}


def left_of(line, amount):
    return amount * (line.units - line.back) // line.units


def parts_of(line):
    return split(left_of(line, line.net), line.paid)


def on_tenders(receipt):
    return [sum(column) for column in zip(*map(parts_of, receipt.lines.values()), strict=True)]


def there(receipt):
    """What each tender has left of what was there: that paid first for what is left."""
    pairs = zip(receipt.tenders, on_tenders(receipt), strict=True)
    return [min(left, tender.minor - tender.lacks) for tender, left in pairs]


def spend(receipt, kind):
    """What counts of a line: not stored value (L17), nor what points or money that was given paid."""
    gave = [tender.kind == "points" or (tender.card and tender.card.product == "gift") for tender in receipt.tenders]
    parts = zip(gave, parts_of(receipt.lines[kind]), strict=True)
    return 0 if kind in {"deposit", "card"} else sum(part for given, part in parts if not given)


# points


def cost(spending, at):
    """The points that it takes, as seen at an instant; a hold takes all that it holds until it is over."""
    receipt = spending.receipt
    if at < spending.until or receipt is None:
        return spending.held if at < spending.until else spending.taken
    lines = [left_of(line, line.stamps) for line in receipt.lines.values() if line.out_of is spending]
    pairs = zip(receipt.tenders, on_tenders(receipt), strict=True)
    return sum(lines) + sum(one.points * left // one.minor for one, left in pairs if one.out_of is spending)


def fold(lots, takes, at):
    """What is left of each lot at an instant, or was at its end, and what is owed.

    Spendings take the soonest ending lot; what none covers is owed, and paid by lots as they become ready.
    """
    left, owed = [lot.points for lot in lots], 0
    for when, points in sorted([*takes, *((lot.ready, 0) for lot in lots)]):
        owed += points if when <= at else 0
        for i, lot in enumerate(lots if owed and when <= at else ()):
            if lot.ready <= when < lot.ends:
                left[i], owed = left[i] - min(owed, left[i]), owed - min(owed, left[i])
    return left, owed


def lot_of(wallet, day, points):
    ready, ends = (midnight(day, days) for days in WALLETS[wallet])
    return Lot(ends, True, ready, midnight(day), points)


def is_silver(spends, day):
    return sum(minor for d, minor in spends.items() if 1 <= (day - d).days <= 30) >= 6000


@dataclass
class Notebook:
    rates: list = field(default_factory=list)  # (from a day on, beans), in order of publication
    receipts: dict = field(default_factory=dict)
    cards: list = field(default_factory=list)
    given: list = field(default_factory=list)
    spent: list = field(default_factory=list)
    holds: dict = field(default_factory=dict)
    redeemed: dict = field(default_factory=dict)
    moved: int = 0  # points given back that would have ended soon
    risen: int = 0  # … that had ended

    def merge(self, one, other):
        """Have what another did be what this one did."""
        for fact in (*self.receipts.values(), *self.cards, *self.given, *self.spent):
            fact.who = one if fact.who == other else fact.who

    # offers and limits: L9

    def cakes_left(self, who):
        return max(0, 4 - sum(one.cakes for one in self.receipts.values() if one.who == who and units_left(one)))

    def coupon_left(self, who, day):
        used = [(day_of(one.at), one.who) for one in self.receipts.values() if one.coupon and units_left(one)]
        drawn = [month(other) for other, _ in used].count(month(day))
        return drawn < 3 and (week(day), who) not in [(week(other), whose) for other, whose in used]

    def mugs_left(self, who, day):
        return 2 - [month(day_of(one.at)) for one in self.spent if one.who == who and one.mug].count(month(day))

    def discounts(self, who, day, lines, asks):
        """What offers take off lines of (units, price); `basket` is what coupon and voucher take together."""
        off = {"cup": lines["coffee"][1]} if "cup" in asks and "coffee" in lines else {}
        if "cake" in lines and who is not None:
            units, price = lines["cake"]
            off["cakes"] = min(units, self.cakes_left(who)) * min(50, price)
        whole = sum(units * price for kind, (units, price) in lines.items() if kind not in {"deposit", "card"})  # L17
        coupon = "coupon" in asks and who is not None and self.coupon_left(who, day)
        off["basket"] = min(whole - sum(off.values()), 200 * coupon + 100 * ("euro" in asks))
        return {offer: minor for offer, minor in off.items() if minor}

    # points

    def spends(self, who):
        """What counts of each day on which something does."""
        sums = Counter()
        for one in self.receipts.values():
            sums[day_of(one.at)] += sum(spend(one, kind) for kind in one.lines) if one.who == who else 0
        return {day: sums[day] for day in sorted(sums) if sums[day] > 0}

    def earned(self, who):
        """Points by wallet and day, each day by the version of that day (L13)."""
        points, bonuses, spends = Counter(), Counter(), self.spends(who)
        for visit, (day, minor) in enumerate(spends.items(), 1):
            rate = [rate for first, rate in self.rates if first <= day][-1]
            points["beans", day] += minor // 100 * rate + 10 * (visit % 3 == 0)
            points["beans", day] += minor // 1000 * 4 if is_silver(spends, day) else 0
            bonuses[month(day)] += minor >= 2000
            points["beans", day] += 25 if minor >= 2000 and bonuses[month(day)] <= 2 else 0
        for one in self.receipts.values():
            if one.who == who and "coffee" in one.lines and spend(one, "coffee"):
                line = one.lines["coffee"]
                points["stamps", day_of(one.at)] += left_of(line, line.units - line.free)
        return points

    def lots(self, who):
        lots = [(wallet, lot_of(wallet, day, points)) for (wallet, day), points in self.earned(who).items()]
        lots += [(one.wallet, one.lot) for one in self.given if one.who == who]
        return {wallet: sorted(lot for kind, lot in lots if kind == wallet) for wallet in WALLETS}

    def takes(self, who, wallet, at):
        """When points were spent, and how many, as seen at an instant."""
        return [(one.at, cost(one, at)) for one in self.spent if (one.who, one.wallet) == (who, wallet)]

    def balances(self, who, *instants):
        """Available, pending, owed and held points, by wallet and instant."""
        found = {}
        for wallet, lots in self.lots(who).items():
            for at in instants:
                left, owed = fold(lots, self.takes(who, wallet, at), at)
                alive = [(lot, points) for lot, points in zip(lots, left, strict=True) if lot.begins <= at < lot.ends]
                ready = sum(points for lot, points in alive if lot.ready <= at)
                mine = [one for one in self.spent if (one.who, one.wallet) == (who, wallet)]
                held = sum(one.held for one in mine if one.at <= at < one.until)
                found[wallet, at] = ready, sum(points for _, points in alive) - ready, owed, held
        return found

    # gift cards that the rule gives: 5.00 for a day of 40.00, once a month

    def presents(self, who):
        """The days for which somebody has one."""
        firsts = {}
        for day, minor in self.spends(who).items():
            if who and minor >= 4000:
                firsts.setdefault(month(day), day)
        return Counter(firsts.values())

    def after_presents(self, who, before, now):
        """The days for which new ones are given, and those that are taken back: of which least was spent, the latest."""
        after, mine = self.presents(who), [card for card in reversed(self.cards) if card.who == who and card.day]
        gained, lost = sorted((after - before).elements()), before - after
        used = {card.id: left_and_spent(card, now) for card in mine}
        mine.sort(key=lambda card: (card.day not in lost, used[card.id][1], -used[card.id][0]))
        more = len(gained) - lost.total()
        return gained[: max(0, more)], mine[: max(0, -more)]

    # what ends, and what comes back

    def lapse(self, now):
        """Holds that have run out end by themselves."""
        for hold in sorted(self.holds.values(), key=lambda one: one.until):
            if hold.state == "open" and hold.until <= now:
                end(hold, "expired", hold.until)

    def as_it_is(self, who, now):
        """Lots, and what was taken of them, by wallet."""
        return {wallet: (lots, self.takes(who, wallet, now)) for wallet, lots in self.lots(who).items()}

    def settle(self, who, was, at, now):
        """Settle what comes back of what was taken before; return how many points, by wallet.

        They last for the grace at least: what would end sooner leaves its lot for a new one, what had ended rises.
        """
        day, back = day_of(at), {}
        for wallet, (lots, before) in was.items():
            after = self.takes(who, wallet, now)
            points = back[wallet] = sum(n for _, n in before) - sum(n for _, n in after)
            old, new = fold(lots, before, now)[0], fold(lots, after, now)[0]
            gains = [(lot.ends, b - a) for lot, a, b in zip(lots, old, new, strict=True) if lot.earned and b > a]
            risen = min(points, sum(gain for ends, gain in gains if ends <= now))
            moved = min(points - risen, sum(gain for ends, gain in gains if now < ends < midnight(day, GRACE)))
            if midnight(day, GRACE) > now and moved + risen:
                lot = Lot(midnight(day, GRACE), False, midnight(day), midnight(day), moved + risen)
                self.given.append(Given(who, wallet, lot))
                self.spent.append(Spending(who, wallet, at, moved))
                self.moved, self.risen = self.moved + moved, self.risen + risen
        return {wallet: points for wallet, points in back.items() if points}

    def come_back(self, receipt, units, at, now):
        """Note that units come back; return by tender the refund and what is handed out, points, and cards taken back.

        What is left is worked out as if only that had been bought (L8); the difference comes back.
        """
        was, presents, before = self.as_it_is(receipt.who, now), self.presents(receipt.who), there(receipt)
        for kind, count in units.items():
            receipt.lines[kind].back += count
        points = self.settle(receipt.who, was, at, now)
        gross = [old - new for old, new in zip(before, there(receipt), strict=True)]
        assert min(gross) >= 0
        if receipt.slip is not None and not units_left(receipt):
            receipt.slip.used_by = ""
        sold = [line for kind, line in receipt.lines.items() if kind in units and line.sold]
        voided = [(strip(line.sold, line.net, now, ends=line.new), line.net) for line in sold]
        last_first = [*reversed(range(len(gross)))]
        cash = [i for i in last_first if receipt.tenders[i].kind == "cash"]
        cards = [i for i in last_first if receipt.tenders[i].card]
        refund = less(Counter(dict(enumerate(gross))), sum(net - part for part, net in voided), [*cash, *cards])
        lost = [i for i in cards if not give_back(receipt.tenders[i], gross[i], refund[i], now)]
        gone = [take_back(card, now) for card in self.after_presents(receipt.who, presents, now)[1]]
        last = less(refund, sum(spent for *_, spent in gone), cash)
        kept = pour(refund.total() - last.total(), {card: spent for card, _, spent in gone})
        for card, _, spent in gone:
            card.kept = kept[card], max(1, spent)
        out = {i: last[i] for i in cash} | {i: paid_for(receipt.tenders[i], before[i], last[i]) for i in lost}
        return last, out, points, voided, gone


def left_and_spent(card, now):
    """What is left of a present, and what was spent of it or is held; what was put on it since was spent first."""
    part = min(500, money_left(card, now))
    return part, min(500 - part, max(0, card.spent + money_held(card)))


def take_back(card, now):
    """Take back what a rule gave, as far as it is left; return the card, that, and what of it was spent or is held."""
    part, spent = left_and_spent(card, now)
    card.day = None
    return card, strip(card, part, now), spent


# refunds


def less(refund, minor, order):
    """A refund by tender without what is kept of it, in an order of tenders."""
    return refund - pour(minor, {i: refund[i] for i in order})


def give_back(tender, gross, minor, now):
    """Put what came back of a tender on its card, into the lots that it came from, the latest first; not if it is gone."""
    came = pour(gross, dict(sorted(tender.taken.items(), reverse=True)))
    tender.taken -= came
    if tender.card.state == "deactivated":
        return False
    for ends, part in pour(minor, came).items():
        tender.card.money[max(ends, midnight(day_of(now), GRACE))] += part
    tender.card.spent -= minor
    return True


def paid_for(tender, before, minor):
    """How much of a refund to a card that is gone is money: of a present, as much as was kept off for it."""
    if tender.card.product != "gift":
        return minor
    (kept, spent), earlier = tender.card.kept, tender.minor - tender.lacks - before
    return kept * min(spent, earlier + minor) // spent - kept * min(spent, earlier) // spent
