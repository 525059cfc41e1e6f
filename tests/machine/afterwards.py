"""Steps that come after a sale: goods that come back, guests who claim, and tills that were offline."""

from __future__ import annotations

import json

import msgspec

from rewards.basket import MemberRef, StoredValue
from rewards.service.commands import ClaimPurchase, OfflinePurchase, OfflineReturn, RecordReturn
from tests.machine.facts import Tender
from tests.machine.notebook import money_left, state_of, units_left
from tests.machine.program import FOREVER, LASTS, day_of
from tests.machine.shop import NUMBERS, UNKNOWN, back, without_codes
from tests.machine.till import AMOUNTS, FULL, Till, Wish, at_times, changed, goods


class Afterwards(Till):
    # goods that come back

    def give_back(self, dice):
        """Some units or all that is left, of any receipt; rather of one that seldom comes back."""
        kept = [name for name, one in self.book.receipts.items() if units_left(one)]
        if not kept:
            return False
        rare = [name for name in kept if self.is_rare(self.book.receipts[name])]
        name = dice.choice(rare if rare and at_times(dice, 0.5) else kept)
        left = units_left(self.book.receipts[name])
        whole = at_times(dice, 0.4)
        units = left if whole else {k: dice.randint(1, n) for k, n in left.items() if at_times(dice, 0.6)}
        if units:
            self.return_now(name, units, whole=whole, kind=dice.choice([RecordReturn, RecordReturn, OfflineReturn]))
        return bool(units)

    def is_rare(self, receipt):
        """Whether a card that paid is gone, or the day gave a gift card that was spent."""
        gone = any(one.card and one.card.state == "deactivated" for one in receipt.tenders)
        days = [(card.who, card.day) for card in self.book.cards if card.spent > 0]
        return gone or (receipt.who and (receipt.who, day_of(receipt.at)) in days)

    def return_now(self, name, units, *, whole, kind=RecordReturn):
        receipt = self.book.receipts[name]
        answer = self.ask(back(kind, self.name(), self.now, name, None if whole else units))
        refund, out, points, voided, presents = self.come_back(receipt, units, self.now)
        told = {one["tender"]: one for one in answer.get("refund", [])}
        assert {i: one["amount_minor"] for i, one in told.items() if one["amount_minor"]} == refund  # L8
        assert answer.get("refund_due_minor", 0) == sum(out.values())
        gone = {i for i, one in told.items() if one.get("paid_out")}
        assert gone == {i for i, minor in out.items() if minor and receipt.tenders[i].card}
        self.seen["money paid out for a card that is gone"] += len(gone)
        assert answer.get("restored", {}) == points
        sold = [one for one in answer.get("gift_cards_voided", []) if one["line_id"]]
        assert [(one["voided_minor"], one["voided_minor"] + one["spent_minor"]) for one in sold] == voided
        self.check_taken_back(presents, answer)
        left = {one["line_id"]: one["quantity"] for one in answer.get("still_returnable", [])}
        assert left == units_left(receipt)

    def come_back(self, receipt, units, at):
        """Note that goods came back."""
        found = self.book.come_back(receipt, units, at, self.now)
        *_, voided, presents = found
        self.seen["a present taken back"] += len(presents)
        self.seen["a present that was spent taken back"] += any(spent for *_, spent in presents)
        self.seen["a sold card that was spent came back"] += any(part < net for part, net in voided)
        return found

    def return_first(self, dice):
        """Goods come back of a receipt that is not there yet: some, or all of it."""
        kinds = dice.sample(["coffee", "cake", "bread"], dice.randint(0, 2))
        units = {kind: dice.randint(1, 2) for kind in kinds}
        name = self.next_name()
        answer = self.ask(back(RecordReturn, self.name(), self.now, name, units or None))
        assert answer["state"] == "parked"
        self.parked.setdefault(name, []).append((self.now, units))

    def arrive(self, name):
        """A receipt is there: the returns that waited for it count, where they can be."""
        for at, wanted in self.parked.pop(name, ()):
            left = units_left(self.book.receipts[name])
            units = wanted or left
            fits = bool(units) and all(count <= left.get(kind, 0) for kind, count in units.items())
            self.seen[f"a parked return that {'fits' if fits else 'does not fit'}"] += 1
            if fits:
                self.come_back(self.book.receipts[name], units, at)

    def return_too_much(self, dice):
        if not self.book.receipts:
            return False
        name, one = dice.choice(list(self.book.receipts.items()))
        kind = dice.choice(list(one.lines))
        units = {kind: one.lines[kind].units - one.lines[kind].back + 1}
        assert self.ask(back(RecordReturn, self.name(), self.now, name, units)) is None
        assert self.refused.code == "return-exceeds"
        return True

    def regret(self, dice):
        """A purchase that comes back at once leaves nothing behind (L7)."""
        wish, before = Wish(dice.choice([*self.members]), goods(dice)), self.told()
        name = self.buy_by_cash(wish, self.now)
        if units_left(self.book.receipts[name]):
            self.return_now(name, units_left(self.book.receipts[name]), whole=True)
        assert self.told() == before

    # guests, and tills that were offline

    def claim(self, dice):
        """A guest's receipt counts for a member, by the right code, once, in time, and if nothing came back."""
        if not self.claims:
            return False
        name, who = dice.choice(list(self.claims)), dice.choice([*self.members])
        (purchase, code), receipt, right = self.claims[name], self.book.receipts[name], at_times(dice, 0.8)
        if not right:
            code = next((other for _, other in self.claims.values() if other != code), "8888-8888")
        allowed = (
            right
            and receipt.who is None
            and self.now <= receipt.claimable
            and not any(line.back for line in receipt.lines.values())
        )
        was, presents = self.earned(who), self.book.presents(who)
        answer = self.ask(ClaimPurchase(purchase_id=purchase, member=MemberRef(card=NUMBERS[who]), claim_code=code))
        assert (answer is not None) == allowed, self.refused
        if answer is not None:
            receipt.who = who
            self.seen["a receipt claimed"] += 1
            assert answer["earned"] == changed(was, self.earned(who))
            self.give_presents(who, presents, answer)
        return True

    def come_online(self, dice):
        """A till reports in one batch what it sold, with the discounts that it gave: facts, beyond limits too."""
        sales = [self.sold_offline(dice) for _ in range(dice.randint(1, 3))]
        keys = [self.name() for _ in sales]
        futures = self.service.submit_all([command for command, _ in sales], caller="local", keys=keys)
        for key, future, (command, (wish, off, units, cash)) in zip(keys, futures, sales, strict=True):
            answer = json.loads(future.result().body)
            self.answered.append((command, key, without_codes(answer)))
            name = command.basket.receipt_id
            self.miss(cash, answer, command.basket.occurred_at)
            overrun = any(one["code"] == "limit-overrun" for one in answer.get("warnings", []))
            assert overrun == (wish.who is not None and units > self.book.cakes_left(wish.who))
            self.seen["a limit overrun offline"] += overrun
            unplaced = any(one["code"] == "stored-value-unplaced" for one in answer.get("warnings", []))
            names = [card.id for card in self.book.cards if card.state == "deactivated"]
            assert unplaced == (wish.sells is not None and wish.sells.gift_card_id in names)
            self.seen["money sold offline on no card"] += unplaced
            self.record(wish, name, answer, off, cash, command.basket.occurred_at)
            self.book.receipts[name].cakes = units

    def miss(self, tenders, answer, at):
        """Note what of a card was not there; a card of which nothing was there did not pay."""
        told = [one["shortfall_minor"] for one in answer.get("warnings", []) if "shortfall_minor" in one]
        for tender in tenders:
            if tender.card is not None:
                state, blocked = state_of(tender.card, self.now), tender.card.blocked_at
                usable = state == "active" or (state == "blocked" and blocked > at)
                there = min(tender.minor, money_left(tender.card, self.now)) if usable else 0
                self.seen["paid by a card that was blocked since"] += there > 0 and state == "blocked"
                tender.lacks = tender.minor - there
                tender.card = tender.card if there else None
        assert told == [tender.lacks for tender in tenders if tender.lacks]
        self.seen["money that a card lacked"] += len(told)

    def sold_offline(self, dice):
        who = dice.choice([*self.members, "nobody knows"])
        wish = Wish(who if who in NUMBERS else None, goods(dice))
        late = dice.choice([0, 10, 60 * 24 * 9])
        if at_times(dice, 0.3):
            self.sell_a_card_offline(dice, wish, late)
        units, price = wish.lines.setdefault("cake", (3, 250)) if at_times(dice, 0.7) else (0, 0)
        off = min(50, price) * units
        tenders = self.trusted(dice, wish, wish.bill() - off, late)
        tenders.append(Tender("cash", wish.bill() - off - sum(one.minor for one in tenders)))
        basket = wish.basket(self.name(), self.ago(late), tenders)
        rows = [
            msgspec.structs.replace(row, discount_minor=off, offer="cakes") if off and row.line_id == "cake" else row
            for row in basket.lines
        ]
        ref = MemberRef(card=NUMBERS.get(who, UNKNOWN))
        basket = msgspec.structs.replace(basket, lines=tuple(rows), member=ref)
        return OfflinePurchase(basket), (wish, {"cakes": off} if off else {}, units, tenders)

    def sell_a_card_offline(self, dice, wish, late):
        """Sell a new gift card, or load any: of one that is gone the money is on no card."""
        product = "plain" if late else dice.choice(["plain", "ending"])
        some = [card for card in self.book.cards if card.product == product]
        gone = [card for card in some if card.state == "deactivated"]
        card = dice.choice(gone if gone and at_times(dice, 0.3) else [None, *some])
        wish.sells = StoredValue(product=product, gift_card_id=card.id if card else "")
        wish.lines["card"] = (1, dice.choice((*AMOUNTS, 2 * FULL)))

    def has_an_end(self, card):
        """Money ends that a card was issued with, or that came from another."""
        return LASTS[card.product] is not None or any(ends != FOREVER for ends in card.money)

    def trusted(self, dice, wish, due, late):
        """Points and a card that a till took without asking, whatever there was; late, a card whose money lasts."""
        tenders, points = [], dice.choice([0, 0, 5, 50])
        if wish.who and 0 < points * 10 <= due:
            tenders.append(Tender("points", points * 10, points))
            due -= points * 10
        money = [card for card in self.book.cards if card.product != "flyer" and not (late and self.has_an_end(card))]
        blocked = [card for card in money if card.state == "blocked"]
        some = blocked if blocked and late else money
        card = dice.choice(some) if some and at_times(dice, 0.8 if some is blocked else 0.4) else None
        minor = min(due, dice.choice([500, 4000]))
        if card is not None and minor:
            tenders.append(Tender("gift_card", minor, card=card))
        return tenders
