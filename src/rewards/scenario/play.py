"""Playing stories: the service on a database in memory, the story's own clock, and what came of each step.

What does not live here: comparing (`expectations`) and showing the results
(`rewards.cli`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from rewards.basket import Basket, BasketLine, BasketTender, MemberRef
from rewards.days import midnight, moment
from rewards.errors import RewardsError
from rewards.scenario.expectations import Happened, Mismatch, mismatches
from rewards.scenario.story import (
    Act,
    Buy,
    Hold,
    Issue,
    Member,
    Quote,
    ReadBalance,
    Spend,
    Step,
    Stories,
    Story,
    TakeBack,
    UseCard,
)
from rewards.service.answers import MoneyCard, VoucherAnswer
from rewards.service.commands import (
    ActOnGiftCard,
    Adjust,
    CancelRedemption,
    CaptureHold,
    Command,
    Enrol,
    Publish,
    RecordPurchase,
    RecordReturn,
    VoidHold,
)
from rewards.service.inspection import Inspected
from rewards.service.service import Service
from rewards.store.database import Store

_VERB = {
    Buy: "purchase",
    Quote: "quote",
    RecordReturn: "return",
    Adjust: "adjust",
    Issue: "issue",
    UseCard: "card",
    Act: "activity",
    Spend: "redeem",
    TakeBack: "cancel",
    Hold: "hold",
    CaptureHold: "capture",
    VoidHold: "void",
    ReadBalance: "balance",
    Publish: "publish",
}

CALLER = "scenario"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """The first step of a story that came out otherwise than expected."""

    step: Step
    mismatches: list[Mismatch]
    explanation: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of a story; `failure` is None if all was as expected."""

    story: Story
    failure: Failure | None


def play_all(stories: Stories) -> Iterator[Result]:
    """Play each story anew, in the order of the file."""
    for story in stories.stories:
        yield play(stories, story)


Watch = Callable[[Inspected], None]  # told of every new basket before it is bought or quoted


def play(stories: Stories, story: Story, watch: Watch | None = None) -> Result:
    """Play one story up to its first failing step."""
    world = _World(stories, story, watch)
    try:
        if refused := world.open():
            return Result(story=story, failure=Failure(step=story.steps[0], mismatches=[refused], explanation=[]))
        failures = (failure for step in story.steps if (failure := world.step(step)))
        return Result(story=story, failure=next(failures, None))
    finally:
        world.close()


class _World:
    """A program in memory, as one story sees it."""

    def __init__(self, stories: Stories, story: Story, watch: Watch | None) -> None:
        self.stories, self.policy, self.watch = stories, stories.policy, watch
        self.watched: set[tuple[str, str]] = set()  # purchases, by store and receipt
        self.first = min((step.at for step in story.steps), default=0)
        self.now = midnight(self._day(self.first) - 1, self.policy.zone)
        self.service = Service(Store.open("sqlite://"), clock=lambda: self.now)
        self.ids: dict[str, str] = {}
        self.quotes: dict[str, str] = {}  # by name
        self.codes: dict[str, str] = {}  # of gift cards, by name
        self.redeemed: dict[str, str] = {}  # ids of redemptions, by name
        self.cards: dict[str, str] = {}  # names of gift cards, by id
        self.issued_by: dict[str, str] = {}  # gift cards' names -> the receipt that sold them, empty for none
        self.paid: dict[
            tuple[str, str], tuple[BasketTender, ...]
        ] = {}  # by store and receipt, where the step names none

    def _day(self, at: int) -> int:
        return moment(at, self.policy.zone).toordinal()

    def open(self) -> Mismatch | None:
        """Publish the policy and enrol the members, with what they hold; return what was refused."""
        self._do(Publish(self.stories.source, name=self.stories.file))
        for member in self.stories.members.values():
            try:
                self._enrol(member)
            except RewardsError as error:
                refused = f"refused with `{error.code}`: {error.message}"
                return Mismatch(f"members: {member.name}", "to be enrolled", refused)
        return None

    def close(self) -> None:
        """Close the service, and with it the database in memory."""
        self.service.close()

    def _do(self, command: Command, key: str | None = None) -> dict[str, Any]:
        outcome = self.service.do(command, caller=CALLER, key=key)
        body: dict[str, Any] = msgspec.json.decode(outcome.body)
        return body

    def _enrol(self, member: Member) -> None:
        joined = member.joined or self._day(self.now)
        start, self.now = self.now, max(self.now, midnight(joined, self.policy.zone))
        card, phone, email = map(member.contacts.get, ("card", "phone", "email"))
        enrolled = Enrol(
            external_id=member.name,
            name=member.name,
            joined=date.fromordinal(joined),
            card=card,
            phone=phone,
            email=email,
            birthday=member.birthday,
            referred_by=MemberRef(external_id=member.referred_by) if member.referred_by else None,
            attributes=member.attributes,
        )
        self.ids[member.name] = self._do(enrolled, key=f"enrol {member.name}")["member_id"]
        for wallet, points in member.balances.items():
            if points:
                self._open_balance(member.name, wallet, points, joined)
        self.now = start

    def _open_balance(self, name: str, wallet: str, points: int, day: int) -> None:
        command = Adjust(
            member=MemberRef(external_id=name),
            wallet=wallet,
            points=points,
            reason="opening balance",
            actor=CALLER,
            adjustment_id=f"opening-{wallet}",
            occurred_at=moment(midnight(day, self.policy.zone), self.policy.zone),
            may_owe=True,
        )
        self._do(command, key=f"opening {name} {wallet}")

    def step(self, step: Step) -> Failure | None:
        """Do what the step says; return what came out otherwise than expected."""
        if not isinstance(step.action, Publish):
            self.now = max(self.now, step.arrives)
        happened = self._happened(step)
        wrong = mismatches(step.expect, happened, self.policy)
        return Failure(step=step, mismatches=wrong, explanation=happened.explanation()) if wrong else None

    def _happened(self, step: Step) -> Happened:
        answer: dict[str, Any] = {}
        refused = None
        try:
            answer = self._answer(step)
        except RewardsError as error:
            refused = error
        balance = self._balance(step)
        wallets, tier = balance.get("wallets", {}), (balance.get("tier") or {}).get("name", "")
        return Happened(verb=_VERB[type(step.action)], answer=answer, refused=refused, balances=wallets, tier=tier)

    def _answer(self, step: Step) -> dict[str, Any]:
        if isinstance(step.action, ReadBalance):
            return {}
        if isinstance(step.action, Quote):
            basket = self._shown(step.action)
            self._watched(basket)
            answer: dict[str, Any] = msgspec.to_builtins(self.service.quote(basket, caller=CALLER))
            self.quotes[basket.receipt_id] = answer["quote"]
            return self._named(answer)
        if isinstance(step.action, Buy):
            return self._named(self._buy(step.action))
        if isinstance(step.action, Issue | UseCard):
            return self._issue(step.action) if isinstance(step.action, Issue) else self._use(step.action)
        if isinstance(step.action, Spend | TakeBack):
            return self._kept(self._of_reward(step.action, step.owner or ""))
        if isinstance(step.action, Act):
            return self._kept(self._do(step.action.command, key=f"{step.owner} {step.action.key}"))
        if isinstance(step.action, Hold):
            return self._do(msgspec.structs.replace(step.action.command, code=self._code(step.action.card)))
        key = f"{step.owner} {step.action.adjustment_id}" if isinstance(step.action, Adjust) else None
        return self._do(step.action, key=key)

    def _of_reward(self, action: Spend | TakeBack, owner: str) -> dict[str, Any]:
        if isinstance(action, TakeBack):
            return self._cancel(action, owner)
        answer = self._do(action.command, key=f"redeem {action.name}")
        self.redeemed[action.name] = answer["redemption_id"]
        for one in answer.get("gift_cards_issued", [])[:1]:
            if action.card:
                self.codes[action.card], self.cards[one["gift_card_id"]] = one["code"], action.card
                self.issued_by[action.card] = ""
        return answer

    def _cancel(self, action: TakeBack, owner: str) -> dict[str, Any]:
        return self._do(
            CancelRedemption(
                member_id=self.ids[owner],
                redemption_id=self.redeemed.get(action.name, action.name),
                reason=f"{CALLER} says so",
                actor=CALLER,
            )
        )

    def _issue(self, action: Issue) -> dict[str, Any]:
        answer = self._do(action.command, key=f"issue {action.name}")
        self.codes[action.name] = answer["code"]
        self.cards[answer["gift_card_id"]] = action.name
        self.issued_by[action.name] = ""
        return answer

    def _kept(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Keep the codes of cards that rules gave: each goes by its product, the last one that was given."""
        for one in answer.get("gift_cards_issued", ()):
            if "giver" in one and "code" in one:
                self.codes[one["product"]], self.cards[one["gift_card_id"]] = one["code"], one["product"]
        return answer

    def _code(self, name: str) -> str:
        """Return the code that a card of the story is known by, or the name itself; what is due comes first."""
        if name in self.policy.gift_cards and name not in self.issued_by:
            self.service.due()
            for member_id in self.ids.values():
                self._ask_for_codes(member_id, name)
        return self.codes.get(name, name)

    def _ask_for_codes(self, member_id: str, product: str) -> None:
        """Have staff ask for the codes of cards that came by themselves, and that nobody was told."""
        balance = self.service.balance(member_id)
        held: list[VoucherAnswer | MoneyCard] = [*balance.vouchers, *balance.gift_cards]
        for one in held:
            if one.product == product and one.gift_card_id not in self.cards:
                asked = ActOnGiftCard(gift_card_id=one.gift_card_id, activity="NEW_CODE", actor=CALLER)
                self.codes[product] = self._do(asked)["code"]
                self.cards[one.gift_card_id] = product

    def _use(self, action: UseCard) -> dict[str, Any]:
        answer: dict[str, Any] = msgspec.to_builtins(self.service.gift_card(self._code(action.name)))
        if action.do is None:
            return answer
        to = next((card for card, name in self.cards.items() if name == action.to), "")
        command = ActOnGiftCard(
            gift_card_id=answer["gift_card_id"],
            activity=action.do,
            amount_minor=action.amount_minor,
            to=to,
            reason=f"{CALLER} says so",
            actor=CALLER,
        )
        return self._do(command)

    def _shown(self, action: Buy | Quote) -> Basket:
        """Return the basket with the codes of the cards that are shown or loaded; one that was refused has none."""
        basket = action.basket
        codes = [code for name in action.vouchers if (code := self._code(name)) != name]
        lines = tuple(self._loading(basket, line, action.sold.get(line.line_id, "")) for line in basket.lines)
        tenders = tuple(
            msgspec.structs.replace(one, code=self._code(one.code)) if one.code else one for one in basket.tenders
        )
        return msgspec.structs.replace(basket, codes=(*basket.codes, *codes), lines=lines, tenders=tenders)

    def _loading(self, basket: Basket, line: BasketLine, card: str) -> BasketLine:
        if line.stored_value is None or self.issued_by.get(card, basket.receipt_id) == basket.receipt_id:
            return line
        return msgspec.structs.replace(
            line, stored_value=msgspec.structs.replace(line.stored_value, code=self.codes[card])
        )

    def _named(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Return an answer in which vouchers that were refused stand under the story's names for them."""
        for one in answer["codes_refused"]:
            one["code"] = self.cards.get(one.get("gift_card_id", ""), one["code"])
        return answer

    def _buy(self, action: Buy) -> dict[str, Any]:
        """Record a purchase; the same name again is the same request, paid as it was the first time."""
        basket = self._shown(action)
        if action.quoted:
            basket = msgspec.structs.replace(basket, quote=self.quotes.get(action.quoted, action.quoted))
        if not basket.tenders:
            key = (basket.store_id, basket.receipt_id)
            if key not in self.paid:
                due = self.service.quote(basket, caller=CALLER).totals.due_minor
                self.paid[key] = (BasketTender(kind="cash", amount_minor=due),)
            basket = msgspec.structs.replace(basket, tenders=self.paid[key])
        if (basket.store_id, basket.receipt_id) not in self.watched:  # sent again, it is the first one still
            self.watched.add((basket.store_id, basket.receipt_id))
            self._watched(basket)
        answer = self._do(RecordPurchase(basket))
        for one in answer["gift_cards_issued"]:
            if name := action.sold.get(one.get("line_id", "")):
                self.codes.setdefault(name, one.get("code", ""))
                self.issued_by.setdefault(name, action.basket.receipt_id)
                self.cards[one["gift_card_id"]] = name
        return self._kept(answer)

    def _watched(self, basket: Basket) -> None:
        if self.watch is not None:
            with suppress(RewardsError):  # what is refused shows nothing; the step itself says why
                self.watch(self.service.inspect(basket, caller=CALLER))

    def _balance(self, step: Step) -> dict[str, Any]:
        """Return the member's balance, at the step's time if it reads a balance, else as they are now."""
        if step.owner is None or step.owner not in self.ids:
            return {}
        at = step.at if isinstance(step.action, ReadBalance) else None
        found: dict[str, Any] = msgspec.to_builtins(self.service.balance(self.ids[step.owner], at))
        return found
