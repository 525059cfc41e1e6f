"""Steps at the till: buying with everything there is, late too, and quotes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from rewards.basket import AskedReward, Basket, BasketLine, MemberRef, StoredValue
from rewards.service.commands import RecordPurchase
from tests.machine.facts import Card, Line, Receipt, Spending, Tender
from tests.machine.notebook import cost, end, money_held, money_left, on_tenders, state_of, take, take_back
from tests.machine.program import LASTS, day_of, midnight
from tests.machine.shop import NUMBERS, Shop, sent

PRICES = (1, 33, 99, 250, 500, 999, 2000)
AMOUNTS = (100, 250, 999, 5000, 10000)
FULL = 11000  # what a plain card holds at most


@dataclass
class Wish:
    """What somebody wants to buy."""

    who: str | None
    lines: dict[str, tuple[int, int]]  # units and price, by kind
    coupon: bool = False
    reward: bool = False
    slip: Card | None = None  # a voucher that is shown
    brings: Spending | None = None  # a hold of a reward or of a voucher
    sells: StoredValue | None = None  # of the line that is a gift card

    def bill(self):
        return sum(units * price for units, price in self.lines.values())

    def sold(self):
        """What stored value costs, which points can't pay."""
        return self.lines["card"][0] * self.lines["card"][1] if "card" in self.lines else 0

    def basket(self, name, at, tenders=()):
        lines = [
            BasketLine(
                line_id=kind,
                sku=kind.upper(),
                categories=(kind,),
                quantity=units,
                unit_price_minor=price,
                stored_value=self.sells if kind == "card" else None,
            )
            for kind, (units, price) in self.lines.items()
        ]
        codes, gift = ("two",) if self.coupon else (), [Tender("hold", 0, out_of=self.brings)] if self.brings else []
        return Basket(
            receipt_id=name,
            store_id="S1",
            occurred_at=at,
            currency="EUR",
            member=MemberRef(card=NUMBERS[self.who]) if self.who else None,
            lines=tuple(lines),
            codes=(*codes, self.slip.code) if self.slip else codes,
            rewards=(AskedReward(reward="cup"),) if self.reward else (),
            tenders=tuple(map(sent, [*tenders, *gift])),
        )


def goods(dice):
    kinds = dice.sample(["coffee", "coffee", "cake", "bread", "deposit"], dice.randint(1, 3))
    return {kind: (dice.randint(1, 3), dice.choice(PRICES)) for kind in kinds}


def at_times(dice, part):
    return dice.random() < part


class Till(Shop):
    def __init__(self):
        super().__init__()
        self.quotes = []  # (wish, basket with its quote, what it takes off, cakes that it serves, offers, instant)
        self.parked = {}  # receipt to come -> [(instant, units; none: all)]
        self.claims = {}  # receipt of a guest -> (purchase, code)

    def somebody(self, dice):
        return dice.choice([*self.members, *self.members, None])

    # buying

    def wished(self, dice):
        """Somebody's basket, with a code, a reward or a voucher at times: mostly of use, not always."""
        wish = Wish(self.somebody(dice), goods(dice), coupon=at_times(dice, 0.3))
        if wish.who is not None and at_times(dice, 0.6 if self.has(wish.who, "stamps", 3) else 0.05):
            wish.reward = True
            wish.lines.setdefault("coffee", (1, dice.choice(PRICES)))
        slips = [card for card in self.book.cards if card.product == "flyer"]
        slips = [card for card in slips if state_of(card, self.now) == "active" or at_times(dice, 0.1)]
        wish.slip = dice.choice(slips) if slips and at_times(dice, 0.5) else None
        return wish

    def taken_off(self, wish, day):
        """What comes off by offer, of a basket of now or of an earlier day."""
        asks = {name for name, asked in (("coupon", wish.coupon), ("cup", wish.reward)) if asked}
        asks |= {"euro"} if wish.slip is not None and state_of(wish.slip, self.now) == "active" else set()
        asks |= {"cup" if wish.brings.reward else "euro"} if wish.brings else set()
        return self.book.discounts(wish.who, day, wish.lines, asks)

    def buy(self, dice):
        """With discounts, a code, a reward, a voucher, points, up to two gift cards and cash; by a quote at times."""
        wish = self.wished(dice)
        if at_times(dice, 0.3):
            self.add_a_card(dice, wish)
        self.bring_a_gift(dice, wish)
        off = self.taken_off(wish, day_of(self.now))
        tenders, allowed = self.paid(dice, wish, wish.bill() - sum(off.values()))
        allowed = allowed and self.gift_is_fit(wish, off)
        name = self.next_name()
        basket, quoted = wish.basket(name, self.now, tenders), None
        if allowed and at_times(dice, 0.3):
            quoted = msgspec.to_builtins(self.service.quote(basket))
            basket = msgspec.structs.replace(basket, quote=quoted["quote"])
        before = self.book.balances(wish.who, self.now) if wish.who else {}
        answer = self.ask(RecordPurchase(basket))
        assert (answer is not None) == allowed, (wish, tenders, self.refused)
        if answer is None:
            return
        if quoted is not None:  # L11
            assert all(answer[key] == quoted[key] for key in ("totals", "discounts", "lines", "awards"))
        self.record(wish, name, answer, off, tenders)
        costs, after = self.costs(self.book.receipts[name]), self.book.balances(wish.who, self.now) if wish.who else {}
        for (wallet, at), (available, _, owed, _) in before.items():  # L3
            assert after[wallet, at][0] >= available - costs[wallet, ""]
            assert after[wallet, at][2] <= owed
        self.arrive(name)

    def bring_a_gift(self, dice, wish):
        """Bring a hold of a reward or of a voucher: mostly of use, not always."""
        some = [hold for hold in self.book.holds.values() if gives(hold)]
        some = [hold for hold in some if hold.state == "open" or at_times(dice, 0.1)]
        wish.brings = dice.choice(some) if some and at_times(dice, 0.6) else None
        if wish.brings and wish.brings.reward and at_times(dice, 0.8):
            wish.who = wish.brings.who if wish.brings.who in self.members else wish.who
            wish.lines.setdefault("coffee", (1, dice.choice(PRICES)))
        elif wish.brings:
            wish.coupon = False  # so that there is enough to take off

    def gift_is_fit(self, wish, off):
        """Whether there is what a reward costs, or a hold that gives something of it."""
        hold = wish.brings
        if hold is None or not hold.reward:
            there = self.has(wish.who, "stamps", 3 if "cup" in off else 0)
        else:
            there = hold.who == wish.who and "cup" in off
        usable = hold is None or hold.reward or (hold.card.state == "active" and "basket" in off)
        return there and usable and (hold is None or hold.state == "open")

    def paid(self, dice, wish, net):
        """Tenders that sum to what is due, and whether the service has to take them."""
        tenders, allowed, due = [], True, net
        holds = [hold for hold in self.book.holds.values() if hold.state == "open" or at_times(dice, 0.1)]
        holds = [hold for hold in holds if hold.wallet != "stamps" and not gives(hold)]
        hold = dice.choice(holds) if holds and at_times(dice, 0.4) else None
        if hold is not None:
            tender, allowed = held(dice, wish, hold, net)
            tenders, hold = ([tender], hold) if tender.minor else ([], None)
            due -= tender.minor
        most = (
            min((net - wish.sold()) // 20, self.figures(wish.who, "beans")[0])
            if wish.who and not (hold and hold.who)
            else 0
        )
        points = dice.choice([0, 0, most, most // 2, most + 1])
        if wish.who and points and points * 10 <= due:
            tenders.append(Tender("points", points * 10, points))
            allowed = allowed and points <= most
            due -= points * 10
        money = [card for card in self.book.cards if card.product != "flyer" and not (hold and hold.card is card)]
        money = [card for card in money if state_of(card, self.now) == "active" or at_times(dice, 0.1)]
        for card in dice.sample(money, min(len(money), dice.choice([0, 1, 2, 2]))):
            there = money_left(card, self.now)
            minor = min(due, dice.choice([there, there, there // 2, there + 1]))
            if minor and not (card.product == "gift" and wish.sells):
                tenders.append(Tender("gift_card", minor, card=card))
                allowed = allowed and state_of(card, self.now) == "active" and minor <= there
                due -= minor
        if due or not tenders:
            tenders.insert(dice.randint(0, len(tenders)), Tender("cash", due))
        return tenders, allowed

    def add_a_card(self, dice, wish):
        """Have a gift card among what is bought: a new one, or a load of one that is there."""
        product, minor = dice.choice(["plain", "ending"]), dice.choice(AMOUNTS)
        mine = [one for one in self.book.cards if one.product == product and one.state in {"active", "inactive"}]
        card = dice.choice([None, *mine])
        if card is None or product != "plain" or money_left(card, self.now) + money_held(card) + minor <= FULL:
            wish.sells = StoredValue(product=product, gift_card_id=card.id if card else "")
            wish.lines["card"] = (1, minor)

    def next_name(self):
        """A receipt's number: one for which a return waits, if there is one."""
        return next(iter(self.parked), None) or self.name()

    def record(self, wish, name, answer, off, tenders, at=None):
        """Note a receipt as it was answered, if it is as it should be."""
        found = {one["offer"]: one["amount_minor"] for one in answer["discounts"]}
        basket = [found.pop(offer) for offer in ("coupon", "euro") if offer in found]
        assert found | ({"basket": sum(basket)} if basket else {}) == off  # L9, L17
        receipt = Receipt(name, wish.who, at or self.now, lines(wish, answer, len(tenders)), tenders)
        assert on_tenders(receipt) == [tender.minor for tender in tenders]
        offers = {one["offer"] for one in answer["discounts"]}
        receipt.coupon = "coupon" in offers
        if "cup" in offers:
            line = receipt.lines["coffee"]
            line.free, line.stamps, line.out_of = 1, 3, Spending(wish.who, "stamps", receipt.at)
            if wish.brings and wish.brings.reward:
                line.out_of = wish.brings
        self.spend_points(receipt)
        if "cakes" in offers:
            receipt.cakes = min(wish.lines["cake"][0], self.book.cakes_left(wish.who))
        if "euro" in offers:
            receipt.slip = wish.brings.card if wish.brings and wish.brings.card else wish.slip
            receipt.slip.used_by = name
        if wish.brings:
            end(wish.brings, "captured", self.now, wish.brings.held)
            self.seen["a reward or voucher out of a hold"] += 1
        was, presents = self.earned(wish.who), self.book.presents(wish.who)
        self.book.receipts[name] = receipt
        self.move_money(receipt, answer)
        spent = Counter()
        for (wallet, _), points in self.costs(receipt).items():
            spent[wallet] += points
        totals = {"earned": changed(was, self.earned(wish.who)), "spent": +spent}
        assert {key: answer["totals"][key] for key in totals} == totals  # L9, L17
        self.give_presents(wish.who, presents, answer)
        self.note(receipt)
        if wish.who is None:
            receipt.claimable = self.days_on(7)
            self.claims[name] = (answer["purchase_id"], answer["claim"]["code"])

    def spend_points(self, receipt):
        """What takes points takes them at the instant of the purchase, if not out of a hold."""
        for one in receipt.tenders:
            if one.points and one.out_of is None:
                one.out_of = Spending(receipt.who, "beans", receipt.at)
        for one in (*receipt.tenders, *receipt.lines.values()):
            if one.out_of is not None:
                one.out_of.receipt = receipt
                self.book.spent += [one.out_of] if one.out_of not in self.book.spent else []

    def costs(self, receipt):
        """The points that a receipt takes, by wallet and hold."""
        some = [one for one in self.book.spent if one.receipt is receipt]
        return Counter({(one.wallet, one.name): cost(one, self.now) for one in some})

    def move_money(self, receipt, answer):
        """Gift cards pay first, then those that were sold are loaded."""
        for tender in receipt.tenders:
            if tender.out_of in self.book.holds.values():
                tender.taken = end(tender.out_of, "captured", self.now, tender.points or tender.minor)
            elif tender.card is not None:
                tender.taken = take(tender.card, tender.minor - tender.lacks, self.now)
            if tender.card is not None:
                tender.card.spent += tender.taken.total()
        for one in [one for one in answer["gift_cards_issued"] if "giver" not in one]:
            line, ends = receipt.lines[one["line_id"]], self.ends(one["product"])
            if one["new"]:
                self.book.cards.append(Card(one["gift_card_id"], one["code"], one["product"], ends))
            line.sold = next(card for card in self.book.cards if card.id == one["gift_card_id"])
            line.new = one["new"]
            line.sold.state = "active" if line.sold.state == "inactive" else line.sold.state
            line.sold.money[ends] += line.net
            assert one["amount_minor"] == line.net

    def give_presents(self, who, before, answer):
        """The rule gives gift cards, or takes some back."""
        days, gone = self.book.after_presents(who, before, self.now)
        told = [one for one in answer.get("gift_cards_issued", []) if "giver" in one]
        assert [(one["giver"], one["amount_minor"]) for one in told] == [("present", 500)] * len(days)
        for one, day in zip(told, days, strict=True):
            ends = midnight(day, LASTS["gift"])
            assert datetime.fromisoformat(one["expires_at"]) == ends
            card = Card(one["gift_card_id"], one["code"], "gift", ends, who=who, day=day)
            card.money[ends] = 500
            self.book.cards.append(card)
        back = [take_back(card, self.now) for card in gone]
        if "merged_id" not in answer:  # which does not tell
            self.check_taken_back(back, answer)
        self.seen["a present"] += len(days)
        self.seen["a present that had ended"] += any(midnight(day, LASTS["gift"]) <= self.now for day in days)
        self.seen["a present taken back without a return"] += len(gone)

    def check_taken_back(self, presents, answer):
        told = [one for one in answer.get("gift_cards_voided", []) if not one["line_id"]]
        found = sorted((one["gift_card_id"], one["voided_minor"], one["spent_minor"]) for one in told)
        assert found == sorted((card.id, left, spent) for card, left, spent in presents)

    def note(self, receipt):
        """Count what is worth counting of a receipt."""
        kinds = Counter(tender.kind for tender in receipt.tenders)
        told = {
            "a coupon": receipt.coupon,
            "a reward": any(line.stamps for line in receipt.lines.values()),
            "a voucher": receipt.slip,
            "a hold captured by a purchase": any(
                tender.out_of in self.book.holds.values() for tender in receipt.tenders
            ),
            "two cards on one receipt": kinds["gift_card"] > 1,
            "a purchase with points, cards and cash": len(kinds) == 3,
            "a new card at the till": any(line.new for line in receipt.lines.values()),
            "a load at the till": any(line.sold and not line.new for line in receipt.lines.values()),
        }
        self.seen.update(what for what, true in told.items() if true)

    def buy_late(self, dice):
        """The receipt of a till that was cut off for a while, and took no points and no cards."""
        wish, late = (
            Wish(self.somebody(dice), goods(dice), at_times(dice, 0.5)),
            self.ago(dice.randint(1, 60 * 24 * 20)),
        )
        self.buy_by_cash(wish, late)

    def buy_by_cash(self, wish, at):
        off = self.taken_off(wish, day_of(at))
        cash = [Tender("cash", wish.bill() - sum(off.values()))]
        name = self.next_name()
        answer = self.ask(RecordPurchase(wish.basket(name, at, cash)))
        self.record(wish, name, answer, off, cash, at)
        self.arrive(name)
        return name

    # quotes

    def ask_for_a_quote(self, dice):
        """And buy the same without it at times, so that what it promised may be gone."""
        wish = self.wished(dice)
        off = self.taken_off(wish, day_of(self.now))
        if "cup" in off and not self.has(wish.who, "stamps", 3):
            return False
        basket = wish.basket(self.name(), self.now)
        quoted = msgspec.to_builtins(self.service.quote(basket))
        assert quoted["totals"]["discount_minor"] == sum(off.values())
        cakes = min(wish.lines["cake"][0], self.book.cakes_left(wish.who)) if "cakes" in off else 0
        offers = {one["offer"] for one in quoted["discounts"]}
        basket = msgspec.structs.replace(basket, quote=quoted["quote"])
        self.quotes.append((wish, basket, off, cakes, offers, self.now))
        if wish.who is not None and at_times(dice, 0.5):
            self.buy_by_cash(Wish(wish.who, dict(wish.lines), coupon=True), self.now)
        return True

    def bring_a_quote(self, dice):
        """What it promised is given within half an hour (L11), unless it is gone by then (L9)."""
        if not self.quotes:
            return False
        wish, basket, off, cakes, offers, asked_at = self.quotes.pop(dice.randrange(len(self.quotes)))
        gone = (
            self.now - asked_at > timedelta(minutes=30)
            or (cakes and cakes > self.book.cakes_left(wish.who))
            or ("coupon" in offers and not self.book.coupon_left(wish.who, day_of(self.now)))
            or ("euro" in offers and (wish.slip.used_by or wish.slip.holds or wish.slip.state != "active"))
            or ("cup" in offers and not self.has(wish.who, "stamps", 3))
        )
        cash = [Tender("cash", wish.bill() - sum(off.values()))]
        tenders = tuple(map(sent, cash))
        answer = self.ask(RecordPurchase(msgspec.structs.replace(basket, occurred_at=self.now, tenders=tenders)))
        assert (answer is None) == bool(gone), (wish, self.refused)
        if answer is not None:
            self.record(wish, basket.receipt_id, answer, off, cash)
            self.book.receipts[basket.receipt_id].cakes = cakes
        return True


def gives(hold):
    """Whether it is one of a reward or of a voucher: it gives something, and pays nothing."""
    return hold.reward or (hold.card is not None and hold.card.product == "flyer")


def held(dice, wish, hold, net):
    """A tender out of a hold, and whether the service has to take it."""
    if hold.card is not None:
        minor = min(net, dice.choice([hold.parts.total(), hold.parts.total() // 2, hold.parts.total() + 1]))
        minor = 0 if hold.card.product == "gift" and wish.sells else minor
        tender, fits = Tender("gift_card", minor, card=hold.card, out_of=hold), hold.card.state == "active"
        fits = fits and minor <= hold.parts.total()
    else:
        points = min(net // 10, dice.choice([hold.held, hold.held // 2, hold.held + 1]))
        tender, fits = (
            Tender("points", points * 10, points, out_of=hold),
            points <= min(hold.held, (net - wish.sold()) // 20),
        )
        fits = fits and hold.who == wish.who
    return tender, not tender.minor or (fits and hold.state == "open")


def lines(wish, answer, tenders):
    """The lines as they were decided: the shares of discounts and tenders add up (L14)."""
    shares = Counter()
    for one in answer["discounts"]:
        assert sum(share["amount_minor"] for share in one["lines"]) == one["amount_minor"] > 0
        for share in one["lines"]:
            shares[share["line_id"]] += share["amount_minor"]
    found = {}
    for one in answer["lines"]:
        units, price = wish.lines[one["line_id"]]
        net = units * price - shares[one["line_id"]]
        parts = {part["tender"]: part["amount_minor"] for part in one.get("tenders", [])}
        paid = tuple(parts.get(i, 0) for i in range(tenders)) if tenders > 1 else (net,)
        assert sum(paid) == net == one["net_minor"] >= 0
        assert min(paid) >= 0
        found[one["line_id"]] = Line(units, net, paid)
    return found


def changed(was, now):
    return {key: now[key] - was[key] for key in now if now[key] != was[key]}
