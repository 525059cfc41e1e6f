"""One step of a story: a map that was read -> the command that it sends.

What does not live here: which keys a step has (`vocabulary`), and the file
around it (`read`).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from rewards.basket import AskedReward, Basket, BasketLine, BasketTender, MemberRef, StoredValue
from rewards.days import instant
from rewards.policy.forms import Given
from rewards.policy.problems import Span
from rewards.policy.shape import Got, Table
from rewards.policy.wording import one_of, quoted
from rewards.scenario.hold_steps import by_hold, hold_step
from rewards.scenario.names import Known
from rewards.scenario.reward_steps import of_rewards
from rewards.scenario.story import Act, Action, Buy, Issue, Quote, ReadBalance, Step, UseCard
from rewards.scenario.values import Local
from rewards.scenario.vocabulary import HOLD_VERBS, VERBS
from rewards.service.commands import (
    Adjust,
    GiftCardActivity,
    IssueGiftCard,
    Publish,
    RecordActivity,
    RecordReturn,
    ReturnLine,
    ReturnOf,
)

STORE = "shop"
_OF_CARDS = ("issue", "card")
_BY_RULE = ("earned_by", "taken_back_by")
_BY_WALLET = frozenset(
    ("earned", "would_earn", "spent", "restored", "taken_back", "balance", "pending", "held", "debt", "next_expiry")
)
_DOES: dict[str, GiftCardActivity] = {
    "block": "BLOCK",
    "unblock": "UNBLOCK",
    "deactivate": "DEACTIVATE",
    "load": "LOAD",
    "clear": "CLEAR_BALANCE",
    "cash_out": "CASH_OUT",
    "transfer": "TRANSFER_BALANCE",
}
_RULE_LISTS = ("gives", "not_gives")

_Missing = tuple[str, str, Span, set[str]]  # what, its name, where, and the names that there are


class StepReader:
    """Makes steps of one story; faults go to the report, and a broken step is None."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.number = 0

    def step(self, got: Got) -> Step | None:
        """Return the step, or None after a fault was reported."""
        self.number += 1
        table: Table = got.value
        verb = next(verb for verb in VERBS if table.has(verb))
        if table.broken:
            return None
        at = self._instant(table.value("at"))
        action, owner = self._action(verb, table, at)
        expect = self._expect(table)
        if action is None or expect is None:
            return None
        return Step(
            number=self.number,
            line=table.got[verb].key.line,
            says=_says(verb, table),
            at=instant(at),
            arrives=instant(self._instant(table.value("arrives"))) if table.has("arrives") else instant(at),
            action=action,
            owner=owner,
            expect=expect,
        )

    def _instant(self, local: Local) -> datetime:
        return local.moment.replace(tzinfo=self.known.policy.zone)

    def _action(self, verb: str, table: Table, at: datetime) -> tuple[Action | None, str | None]:
        got = table.got[verb]
        if verb in _OF_CARDS:
            return (self._use(table), None) if verb == "card" else self._issue(got.value, at)
        if verb in ("purchase", "quote"):
            return self._purchase(verb, table, at)
        read = {"return": self._return, "adjust": self._adjust, "activity": self._activity}
        if verb in read:
            return read[verb](got.value, at)
        if verb in ("redeem", "cancel"):
            return of_rewards(self.known, got, at, self.number)
        if verb in HOLD_VERBS:
            return hold_step(self.known, verb, got.value)
        if verb == "balance":
            return (ReadBalance(), got.value) if self._is_member(got.value, got.span) else (None, None)
        return self._publish(got, at, table.got["at"].span), None

    def _is_member(self, name: str, span: Span) -> bool:
        if name in self.known.members:
            return True
        self.known.miss("member", name, span, list(self.known.members))
        return False

    def _is_card(self, got: Got) -> bool:
        if got.value in self.known.cards or got.value in self.known.products:
            return True
        self.known.miss("gift card", got.value, got.span, self.known.cards | self.known.products)
        return False

    def _use(self, table: Table) -> Action | None:
        to = table.get("to")
        if not self._is_card(table.got["card"]) or (to is not None and not self._is_card(to)):
            return None
        do = _DOES.get(table.value("do", ""))
        return UseCard(table.value("card"), do, table.value("amount"), to.value if to is not None else "")

    def _issue(self, table: Table, at: datetime) -> tuple[Action | None, str | None]:
        product, member = table.got["product"], table.get("member")
        if product.value not in self.known.products:
            self.known.miss("gift card in the policy", product.value, product.span, self.known.products)
            return None, None
        if member is not None and not self._is_member(member.value, member.span):
            return None, None
        owner = member.value if member is not None else None
        ref = MemberRef(external_id=owner) if owner is not None else None
        command = IssueGiftCard(
            product=product.value, member=ref, amount_minor=table.value("value"), actor="scenario", occurred_at=at
        )
        return Issue(table.value("card"), command), owner

    def _purchase(self, verb: str, table: Table, at: datetime) -> tuple[Action | None, str | None]:
        member = table.get("member")
        ref, owner = None, None
        if member and isinstance(member.value, str):
            if not self._is_member(member.value, member.span):
                return None, None
            ref, owner = MemberRef(external_id=member.value), member.value
        elif member:
            ref = MemberRef(**{key: got.value for key, got in member.value.got.items()})
        lines = [self._line(number, got.value) for number, got in enumerate(table.value("lines"), 1)]
        if None in lines:
            return None, None
        basket = Basket(
            receipt_id=table.value(verb),
            store_id=table.value("store", STORE),
            occurred_at=at,
            currency=table.value("currency", self.known.policy.currency),
            member=ref,
            lines=tuple(line for line in lines if line),
            codes=tuple(got.value for got in table.value("codes", ())),
            rewards=tuple(AskedReward(reward=got.value) for got in table.value("rewards", ())),
        )
        tenders = self._tenders(table)
        if tenders is None:
            return None, None
        basket = msgspec.structs.replace(basket, tenders=tenders)
        shown: list[Got] = table.value("vouchers", [])
        if sum(not self._is_card(got) for got in shown):  # each that is none is told
            return None, None
        vouchers = tuple(got.value for got in shown)
        sold = sold_in(table)
        if verb == "quote":
            return Quote(basket, vouchers, sold), owner
        return Buy(basket, table.value("quoted", ""), vouchers, sold), owner

    def _tenders(self, table: Table) -> tuple[BasketTender, ...] | None:
        """Return the tenders that the step names, or None after a fault was reported."""
        tenders = table.get("tenders")
        if not tenders:
            return ()
        maps = [got.value for got in tenders.value] if isinstance(tenders.value, list) else [tenders.value]
        found = [self._tender(kind, got, one) for one in maps for kind, got in one.got.items() if _pays(kind, one)]
        return None if None in found else tuple(one for one in found if one)

    def _tender(self, kind: str, got: Got, beside: Table) -> BasketTender | None:
        wallet = beside.value("wallet", "")
        if kind == "card" and isinstance(got.value, str):
            return self._by_card(got, beside)
        if kind == "hold" and isinstance(got.value, str):
            return by_hold(self.known, got, beside)
        if isinstance(got.value, Given) and kind == "points":
            return BasketTender(kind=kind, wallet=got.value.wallet, points=got.value.points)
        if isinstance(got.value, int) and (kind != "points" or wallet in self.known.wallets):
            return BasketTender(kind=kind, amount_minor=got.value, wallet=wallet if kind == "points" else "")
        if isinstance(got.value, int):
            self.known.miss("wallet", str(wallet), got.span, self.known.wallets)
        else:
            advice = f"write `{kind}: 5.00`, or points as `points: 500 beans`"
            self.known.report.add("wrong-kind", f"this is no amount that `{kind}` pays", got.span, advice)
        return None

    def _by_card(self, got: Got, beside: Table) -> BasketTender | None:
        """Return a tender by a gift card, with its name for a code."""
        if not self._is_card(got):
            return None
        amount = beside.get("amount")
        if amount is None or not isinstance(amount.value, int):
            advice = f"write `{{card: {got.value}, amount: 5.00}}`"
            self.known.report.add("missing-key", "it is not said what the gift card pays", got.span, advice)
            return None
        return BasketTender(kind="gift_card", code=got.value, amount_minor=amount.value)

    def _line(self, number: int, table: Table) -> BasketLine | None:
        attributes = self._attributes(table)
        if attributes is None:
            return None
        stored = table.value("stored_value")
        categories = tuple(got.value for got in table.value("categories", ()))
        return BasketLine(
            line_id=str(number),
            sku=table.value("sku", "item"),
            categories=categories,
            quantity=table.value("quantity", 1),
            unit_price_minor=table.value("price"),
            amount_minor=table.value("amount"),
            discount_minor=table.value("discount", 0),
            tax_minor=table.value("tax", 0),
            tax_included=table.value("tax_included", default=True),
            lowest_minor=table.value("lowest"),
            attributes=attributes,
            stored_value=StoredValue(product=stored.value("product")) if stored else None,
        )

    def _attributes(self, table: Table) -> dict[str, bool | int | str] | None:
        declared = self.known.policy.line_attributes
        given: Table = table.value("attributes") or Table()
        values: dict[str, bool | int | str] = {}
        for name, got in given.got.items():
            if name not in declared:
                self.known.miss("attribute of lines", name, got.key, list(declared))
                return None
            value = _typed(got.value, declared[name])
            if value is None:
                self.known.report.add(
                    "wrong-kind", f"{quoted(got.value)} is no value of `{name}`", got.span, _values(declared[name])
                )
                return None
            values[name] = value
        return values

    def _return(self, table: Table, at: datetime) -> tuple[Action | None, str | None]:
        of = table.got["of"]
        if of.value not in self.known.purchases:
            self.known.miss("purchase", of.value, of.span, list(self.known.purchases))
            return None, None
        store, owner = self.known.purchases[of.value]
        lines: Table = table.value("lines") or Table()
        command = RecordReturn(
            return_id=table.value("id", f"return-{self.number}"),
            store_id=store,
            occurred_at=at,
            of=ReturnOf(store_id=store, receipt_id=of.value),
            all=table.has("all"),
            lines=tuple(ReturnLine(line_id=name, quantity=got.value) for name, got in lines.got.items()),
        )
        return command, owner

    def _adjust(self, table: Table, at: datetime) -> tuple[Action | None, str | None]:
        member = table.got["member"]
        if not self._is_member(member.value, member.span):
            return None, None
        points, sign = (table.value("give"), 1) if table.has("give") else (table.value("take"), -1)
        command = Adjust(
            member=MemberRef(external_id=member.value),
            wallet=points.wallet,
            points=sign * points.points,
            reason=table.value("reason", "adjustment"),
            actor="scenario",
            approved_by=table.value("approved_by", ""),
            adjustment_id=table.value("id", f"adjustment-{self.number}"),
            occurred_at=at,
        )
        return command, member.value

    def _activity(self, table: Table, at: datetime) -> tuple[Action | None, str | None]:
        member = table.got["member"]
        if not self._is_member(member.value, member.span):
            return None, None
        command = RecordActivity(
            member=MemberRef(external_id=member.value),
            name=table.value("name"),
            occurred_at=at,
            score=table.value("score"),
        )
        return Act(command, table.value("id", f"activity-{self.number}")), member.value

    def _publish(self, got: Got, at: datetime, span: Span) -> Action | None:
        if (at.hour, at.minute, at.second) != (0, 0, 0):
            message = "a policy takes effect at a midnight"
            self.known.report.add("bad-moment", message, span, f"write the date alone, `{at.date().isoformat()}`")
            return None
        data = self.known.beside.get(got.value)
        return None if data is None else Publish(data, at.date(), got.value)

    def _expect(self, table: Table) -> dict[str, object] | None:
        found: Table = table.value("expect") or Table()
        faults = [fault for key, got in found.got.items() for fault in self._missing(key, got)]
        for what, name, span, names in faults:
            self.known.miss(what, name, span, names)
        return None if faults else {key: _plain(got) for key, got in found.got.items()}

    def _missing(self, key: str, got: Got) -> Iterator[_Missing]:
        """Return the names of rules and wallets in an expectation that no policy of the story has."""
        what, names = ("wallet", self.known.wallets) if key in _BY_WALLET else ("rule", self.known.rules)
        if key in _BY_RULE or (key in _BY_WALLET and isinstance(got.value, Table)):
            used = [(name, one.key) for name, one in got.value.got.items()]
        elif key in _RULE_LISTS:
            used = [(one.value, one.span) for one in got.value]
        else:
            return
        yield from ((what, name, span, names) for name, span in used if name not in names)


def _pays(key: str, beside: Table) -> bool:
    """Return whether a key names a tender, and not what goes with one."""
    return key != "wallet" and not (key == "amount" and isinstance(beside.value("card", beside.value("hold")), str))


def sold_in(table: Table) -> dict[str, str]:
    """Return the names of the gift cards that a purchase's lines sell, by line."""
    lines: list[Got] = table.value("lines", [])
    values = ((number, got.value.value("stored_value")) for number, got in enumerate(lines, 1))
    return {str(number): value.value("card") for number, value in values if value and value.has("card")}


def _typed(text: str, kind: object) -> bool | int | str | None:
    """Return the value of an attribute as the policy declares it, or None."""
    if kind == "boolean":
        return {"true": True, "false": False}.get(text)
    if kind == "integer":
        return int(text) if text.isdecimal() else None
    return text if kind == "text" or (isinstance(kind, frozenset) and text in kind) else None


def _values(kind: object) -> str:
    if isinstance(kind, frozenset):
        return f"write {one_of(sorted(kind))}"
    return "write `true` or `false`" if kind == "boolean" else "write a whole number"


def _says(verb: str, table: Table) -> str:
    value = table.value(verb)
    if isinstance(value, str):
        return f"{verb} {value}"
    names = {"return": "of", "issue": "card", "hold": "id", "capture": "hold", "void": "hold"}
    return f"{verb} {'of ' * (verb == 'return')}{value.value(names.get(verb, 'member'))}"


def _plain(got: Got) -> Any:
    """Return a value without its places."""
    if isinstance(got.value, Table):
        return {name: _plain(one) for name, one in got.value.got.items()}
    if isinstance(got.value, list):
        return [_plain(one) for one in got.value]
    return got.value
