"""Steps at the service desk: points given and taken, and all that is done with gift cards besides paying."""

from __future__ import annotations

from datetime import timedelta

from rewards.basket import MemberRef
from rewards.service.commands import (
    ActOnGiftCard,
    Adjust,
    CancelRedemption,
    CaptureHold,
    IssueGiftCard,
    MergeMembers,
    OpenHold,
    Redeem,
    VoidHold,
)
from tests.machine.facts import Card, Given, Spending
from tests.machine.notebook import end, lot_of, money_held, money_left, state_of, strip, take
from tests.machine.program import GRACE, WALLETS, day_of, midnight
from tests.machine.shop import NUMBERS, Shop
from tests.machine.till import AMOUNTS, FULL, gives

LASTS_SECONDS = (60, 900, 86_400, 604_800)
BLOCKED_TOO = ("active", "blocked")


class Desk(Shop):
    def __init__(self):
        """Everybody begins with some points, and there is a card of each kind."""
        super().__init__()
        for who in NUMBERS:
            for wallet, points in (("beans", 60), ("stamps", 7)):
                self.give_points(who, wallet, points)
        for product in ("plain", "plain", "ending", "gift", "flyer"):
            self.hand_out(product, None if product == "flyer" else 2500)

    def adjust(self, dice):
        self.give_points(dice.choice([*self.members]), dice.choice([*WALLETS]), dice.randint(-60, 40))

    def give_points(self, who, wallet, points):
        """Below zero: take them."""
        allowed = points > 0 or (points < 0 and self.has(who, wallet, -points))
        command = Adjust(member=MemberRef(card=NUMBERS[who]), wallet=wallet, points=points, reason="so", actor="kim")
        assert (self.ask(command) is not None) == allowed, self.refused
        if allowed and points > 0:
            self.book.given.append(Given(who, wallet, lot_of(wallet, day_of(self.now), points)))
        elif allowed:
            self.book.spent.append(Spending(who, wallet, self.now, -points))

    def issue(self, dice):
        product, minor = dice.choice(["plain", "ending", "gift", "flyer"]), dice.choice(AMOUNTS)
        waits = product in {"plain", "ending"} and dice.random() < 0.2
        self.hand_out(product, None if waits or product == "flyer" else minor)

    def hand_out(self, product, minor):
        """Issue a card; one that could hold money and does not waits to be activated."""
        answer = self.ask(IssueGiftCard(product=product, amount_minor=minor))
        card = Card(answer["gift_card_id"], answer["code"], product, self.ends(product))
        if minor:
            card.money[card.ends] += minor
        elif product != "flyer":
            card.state = "inactive"
        self.book.cards.append(card)

    def act(self, card, activity, minor=None, to=""):
        facts = {"gift_card_id": card.id, "activity": activity, "amount_minor": minor, "to": to}
        return self.ask(ActOnGiftCard(**facts, reason="so", actor="kim")) is not None

    def of_money(self, dice, number=1):
        """Some gift cards that hold money, none if there are not so many."""
        money = [card for card in self.book.cards if card.product != "flyer"]
        return dice.sample(money, number) if len(money) >= number else []

    def put_on_a_card(self, dice):
        minor, activity = dice.choice(AMOUNTS), dice.choice(["LOAD", "LOAD", "ACTIVATE", "ADJUST_INCREMENT", "REFUND"])
        for card in self.of_money(dice):
            states = {"ACTIVATE": ("inactive",), "LOAD": ("active",)}.get(activity, BLOCKED_TOO)
            fits = (
                card.product != "plain"
                or money_left(card, self.now) + money_held(card) + minor <= FULL
                or activity == "REFUND"
            )
            allowed = card.state in states and fits and (activity != "REFUND" or minor <= card.drawn)
            allowed = allowed and not (card.product == "gift" and activity in {"LOAD", "ACTIVATE"})
            assert self.act(card, activity, minor) == allowed, (card, self.refused)
            if allowed:
                card.state = "active" if activity == "ACTIVATE" else card.state
                given = max(card.ends, midnight(day_of(self.now), GRACE))
                card.money[given if card.product == "gift" else self.ends(card.product)] += minor
                back = minor if activity == "REFUND" else 0
                card.drawn, card.spent = card.drawn - back, card.spent - back
            return True
        return False

    def take_off_a_card(self, dice):
        minor = dice.choice(AMOUNTS)
        activity = dice.choice(["REDEEM", "REDEEM", "ADJUST_DECREMENT", "CASH_OUT", "CLEAR_BALANCE"])
        for card in self.of_money(dice):
            clear, there = activity == "CLEAR_BALANCE", money_left(card, self.now)
            minor = there if clear else minor
            states = BLOCKED_TOO if activity in {"ADJUST_DECREMENT", "CLEAR_BALANCE"} else ("active",)
            allowed = card.state in states and 0 < minor <= there and (activity, card.product) != ("CASH_OUT", "gift")
            assert self.act(card, activity, None if clear else minor) == allowed, (card, self.refused)
            if allowed:
                take(card, minor, self.now)
                drawn = minor if activity == "REDEEM" else 0
                card.drawn, card.spent = card.drawn + drawn, card.spent + drawn
            return True
        return False

    def transfer(self, dice):
        pair = self.of_money(dice, 2)
        if not pair:
            return False
        card, to = pair
        minor = dice.choice([None, *AMOUNTS])
        wanted = money_left(card, self.now) if minor is None else minor
        alike = (card.product == "gift") == (to.product == "gift")
        fits = to.product != "plain" or money_left(to, self.now) + money_held(to) + wanted <= FULL
        allowed = alike and fits and 0 < wanted <= money_left(card, self.now) and card.state == to.state == "active"
        assert self.act(card, "TRANSFER_BALANCE", minor, to.id) == allowed, (card, to, self.refused)
        if allowed:
            to.money += take(card, wanted, self.now)
            card.spent, to.spent = card.spent + wanted, to.spent - wanted
        return True

    def turn_a_card(self, dice):
        if not self.book.cards:
            return False
        activity = dice.choice(["BLOCK", "UNBLOCK", "DEACTIVATE"])
        empty = [card for card in self.book.cards if activity == "DEACTIVATE" and not money_left(card, self.now)]
        card = dice.choice(empty if empty and dice.random() < 0.8 else self.book.cards)
        states = {"BLOCK": ("active",), "UNBLOCK": ("blocked",), "DEACTIVATE": ("active", "blocked", "inactive")}
        allowed = card.state in states[activity] and not (
            activity == "DEACTIVATE" and (money_left(card, self.now) or card.holds)
        )
        assert self.act(card, activity) == allowed, (card, self.refused)
        if allowed:
            card.state = {"BLOCK": "blocked", "UNBLOCK": "active", "DEACTIVATE": "deactivated"}[activity]
            card.blocked_at = self.now if activity == "BLOCK" else card.blocked_at
        return True

    def merge(self, dice):
        """Two members are one from now on, unless something of the other is held."""
        if len(self.members) == 1:
            return False
        one, other = dice.sample([*self.members], 2)
        held = any(hold.who == other and hold.state == "open" for hold in self.book.holds.values())
        command = MergeMembers(member_id=self.members[one], member=MemberRef(card=NUMBERS[other]), actor="kim")
        answer, presents = self.ask(command), self.book.presents(one) + self.book.presents(other)
        assert (answer is None) == held, self.refused
        if not held:
            self.book.merge(one, other)
            self.give_presents(one, presents, answer)
            self.once.append((self.members.pop(other), one))
            self.once = [(old, one if who == other else who) for old, who in self.once]
            self.quotes = [quote for quote in self.quotes if quote[0].who != other]
        return True

    # what points buy

    def redeem(self, dice):
        who, reward = dice.choice([*self.members]), dice.choice(["mug", "thanks"])
        cost = {"mug": 20, "thanks": 30}[reward]
        allowed = self.has(who, "beans", cost) and (reward != "mug" or self.book.mugs_left(who, day_of(self.now)) > 0)
        answer = self.ask(Redeem(member=MemberRef(card=NUMBERS[who]), reward=reward))
        assert (answer is not None) == allowed, self.refused
        if allowed:
            bought = Spending(who, "beans", self.now, cost, mug=reward == "mug")
            self.book.spent.append(bought)
            self.book.redeemed[answer["redemption_id"]] = bought
            for one in answer.get("gift_cards_issued", []):
                bought.card = Card(one["gift_card_id"], one["code"], "gift", self.ends("gift"), who=who)
                bought.card.money[bought.card.ends] = 400
                self.book.cards.append(bought.card)
            assert (bought.card is not None) == (reward == "thanks")

    def cancel(self, dice):
        """What of a card was spent stays paid; all of it spent, there is nothing to cancel."""
        if not self.book.redeemed:
            return False
        name, bought = dice.choice(list(self.book.redeemed.items()))
        left = min(400, money_left(bought.card, self.now)) if bought.card else 400
        back = bought.taken * left // 400
        command = CancelRedemption(member_id=self.members[bought.who], redemption_id=name, reason="a slip", actor="kim")
        answer = self.ask(command)
        assert (answer is not None) == (back > 0), (bought, self.refused)
        if back:
            was, bought.taken, bought.mug = self.book.as_it_is(bought.who, self.now), bought.taken - back, False
            assert {"beans": answer["restored"]} == self.book.settle(bought.who, was, self.now, self.now)
            del self.book.redeemed[name]
            self.seen["a redemption cancelled"] += 1
            if bought.card:
                strip(bought.card, 400, self.now)
        return True

    # holds

    def hold_points(self, dice):
        who, wallet, points = dice.choice([*self.members]), dice.choice([*WALLETS]), dice.randint(1, 40)
        name, lasts = self.name(), dice.choice(LASTS_SECONDS)
        command = OpenHold(
            hold_id=name,
            kind="points",
            member=MemberRef(card=NUMBERS[who]),
            wallet=wallet,
            points=points,
            expires_in_seconds=lasts,
        )
        allowed = self.has(who, wallet, points)
        assert (self.ask(command) is not None) == allowed, self.refused
        if allowed:
            until = self.now + timedelta(seconds=lasts)
            self.book.holds[name] = Spending(who, wallet, self.now, name=name, until=until, held=points)
            self.book.spent.append(self.book.holds[name])

    def hold_money(self, dice):
        for card in self.of_money(dice):
            name, lasts, there = self.name(), dice.choice(LASTS_SECONDS), money_left(card, self.now)
            minor = dice.choice([*AMOUNTS, there // 2 + 1, there + 1])
            command = OpenHold(
                hold_id=name, kind="gift_card", code=card.code, amount_minor=minor, expires_in_seconds=lasts
            )
            allowed = state_of(card, self.now) == "active" and minor <= there
            assert (self.ask(command) is not None) == allowed, (card, self.refused)
            if allowed:
                until, parts = self.now + timedelta(seconds=lasts), take(card, minor, self.now)
                hold = Spending(None, "", self.now, card=card, name=name, until=until, parts=parts)
                self.book.holds[name] = hold
                card.holds.append(hold)
            return True
        return False

    def hold_reward(self, dice):
        who, name, lasts = dice.choice([*self.members]), self.name(), dice.choice(LASTS_SECONDS)
        ref, allowed = MemberRef(card=NUMBERS[who]), self.has(who, "stamps", 3)
        command = OpenHold(hold_id=name, kind="reward", member=ref, reward="cup", expires_in_seconds=lasts)
        assert (self.ask(command) is not None) == allowed, self.refused
        if allowed:
            until = self.now + timedelta(seconds=lasts)
            hold = Spending(who, "stamps", self.now, name=name, until=until, held=3, reward=True)
            self.book.holds[name] = hold
            self.book.spent.append(hold)

    def hold_voucher(self, dice):
        slips = [card for card in self.book.cards if card.product == "flyer" and not card.used_by]
        if not slips:
            return False
        card, name, lasts = dice.choice(slips), self.name(), dice.choice(LASTS_SECONDS)
        allowed = state_of(card, self.now) == "active"
        command = OpenHold(hold_id=name, kind="code", code=card.code, expires_in_seconds=lasts)
        assert (self.ask(command) is not None) == allowed, (card, self.refused)
        if allowed:
            until = self.now + timedelta(seconds=lasts)
            self.book.holds[name] = Spending(None, "", self.now, card=card, name=name, until=until)
            card.holds.append(self.book.holds[name])
        return True

    def end_a_hold(self, dice):
        """Once; in the same way again, it is answered the same, in another way it is refused."""
        if not self.book.holds:
            return False
        some = [hold for hold in self.book.holds.values() if hold.state == "open"]
        hold = dice.choice(some if some and dice.random() < 0.8 else list(self.book.holds.values()))
        most = hold.parts.total() or hold.held
        if gives(hold):
            takes = dice.random() < 0.5
            amount, taken = {}, most if takes else 0
        else:
            takes = taken = dice.choice([most, most, dice.randint(1, most), most + 1, 0])
            amount = {"amount_minor": taken} if hold.card else {"points": taken}
        command = CaptureHold(hold_id=hold.name, **amount) if takes else VoidHold(hold_id=hold.name)
        state = "captured" if takes else "voided"
        was_open = hold.state == "open"
        usable = taken <= most and (not takes or hold.card is None or hold.card.state == "active")
        allowed = usable if was_open else hold.state == state and taken == hold.taken
        answer = self.ask(command)
        assert (answer is not None) == allowed, (hold, command, self.refused)
        if allowed:
            assert answer["state"] == state
            if was_open:
                end(hold, state, self.now, taken)
                if hold.card:
                    hold.card.spent += taken
                    hold.card.used_by = "nobody" if takes and gives(hold) else hold.card.used_by
                self.seen[f"a hold of a reward or voucher {state}"] += gives(hold)
                self.seen[f"a hold {state}"] += 1
        return True
