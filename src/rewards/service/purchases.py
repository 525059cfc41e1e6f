"""Purchases: working one out, recording it, and knowing it again.

A quote and a purchase are worked out by the same `draft`; a quote is not
recorded. What does not live here: what is earned (`ledger.timeline`).
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from rewards.basket import Basket, MemberRef, paid, to_receipt
from rewards.days import instant
from rewards.engine.till import Withheld
from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.timeline import Purchase
from rewards.receipt import Receipt
from rewards.service import (
    budgets,
    card_tenders,
    differences,
    due,
    hold_tenders,
    offline,
    pricing,
    promises,
    rewards,
    rule_cards,
    sold_cards,
    tenders,
    vouchers,
)
from rewards.service.answers import ClaimAnswer, PurchaseAnswer
from rewards.service.asked import Asked
from rewards.service.balances import text
from rewards.service.batch import Batch, Place
from rewards.service.claims import claimable_until
from rewards.service.codes import HIDDEN_CLAIM
from rewards.service.commands import Outcome, PreparedPurchase, RecordPurchase
from rewards.service.drafts import Draft
from rewards.service.enrolment import enrol_unseen
from rewards.service.given_cards import Codes
from rewards.service.journal import Happened, NoteBody, Timeline, pack, read_receipt
from rewards.service.pins import looked_up
from rewards.service.returns import book_parked
from rewards.service.telling import again, answer
from rewards.store import statements

LONGEST = 2000
_RECORDED = (RecordPurchase, PreparedPurchase)
_json = msgspec.json.Encoder()


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Record a purchase, or answer as the first time if it is here already."""
    command = asked.command
    assert isinstance(command, _RECORDED)
    about = command.basket if isinstance(command, RecordPurchase) else command.receipt
    route = batch.receipts.get(about.store_id, about.receipt_id, "purchase")
    if route is not None:
        return _again(batch, asked, command, route, print_)
    new_cards: list[Timeline] = []
    if isinstance(command, PreparedPurchase):
        work, metadata = _draft_prepared(batch, asked, command), command.metadata
    else:
        work, metadata = draft(batch, asked, command.basket), command.basket.metadata
        receipt, new_cards = sold_cards.numbered(batch, asked, work.receipt, command.basket)
        work = work if receipt is work.receipt else replace(work, receipt=receipt)
    receipt, line = work.receipt, work.line
    happened = Happened(
        kind="purchase",
        external_id=receipt.receipt_id,
        occurred_at=receipt.occurred_at,
        recorded_at=asked.now,
        store_id=receipt.store_id,
        till_id=receipt.till_id,
        operator_id=receipt.operator_id,
        fingerprint=print_,
        body=msgspec.Raw(work.prepared.body) if work.prepared is not None else receipt,
    )
    number = batch.record(line, happened, work.booking if line.kind == "member" else None, work.entries)
    place = (line.owner, number)
    batch.route(receipt.store_id, receipt.receipt_id, "purchase", place, print_)
    codes = Codes() if work.prepared is not None else _pass_on(batch, asked, happened, work, new_cards, place)
    if batch.owing.events:
        rule_cards.settle(batch)
    if metadata:
        batch.more[statements.ADD_NOTE].append((*place, pack(NoteBody(metadata=metadata))))
    body = b"" if asked.silent else _json.encode(_answer(batch, asked.now, work, place))
    book_parked(batch, asked, line, number, receipt)
    return sold_cards.with_codes(batch.answered(asked, place, 201, body), codes | batch.owing.codes)


def _pass_on(
    batch: Batch, asked: Asked, happened: Happened, work: Draft, new_cards: list[Timeline], place: Place
) -> Codes:
    """Record on other timelines what a purchase does to them; return the codes of new gift cards."""
    now, line, receipt, print_ = asked.now, work.line, work.receipt, happened.fingerprint
    budgets.draw(batch, happened, receipt, place)
    vouchers.redeem(batch, now, receipt, place, print_)
    card_tenders.redeem(batch, now, receipt, place, print_)
    hold_tenders.capture(batch, receipt, place, print_)
    codes = rewards.redeem(batch, now, line, receipt, place[1], print_) if receipt.bought else Codes()
    return codes | sold_cards.hand_over(batch, now, line, receipt, new_cards, place, print_)


def _answer(batch: Batch, now: int, work: Draft, place: Place) -> PurchaseAnswer:
    """Tell a purchase; to a guest also how to claim it, with a code that is put in when the answer is sent."""
    told = answer(batch, now, work, place)
    if work.line.kind != "guest" or offline.is_nobodys(work):
        return told
    zone = batch.running.zone
    until = claimable_until(work.receipt.occurred_at, now, zone)
    return msgspec.structs.replace(told, claim=ClaimAnswer(HIDDEN_CLAIM, text(until, zone)))


def draft(batch: Batch, asked: Asked, basket: Basket, *, quote: bool = False) -> Draft:
    """Work a purchase out; raise what refuses it. Nothing is recorded. The tenders of a quote may leave a rest."""
    _check(batch, asked, basket, instant(basket.occurred_at))
    receipt = to_receipt(basket, batch.running.zone, most_lines=10**6 if asked.trusted else LONGEST)
    if asked.offline:
        return offline.draft(batch, asked, basket, receipt)
    _check_undecided(basket)
    receipt = msgspec.structs.replace(receipt, tenders=())  # until they are resolved
    return _worked_out(batch, asked, basket.member, receipt, basket, quote=quote)


def _draft_prepared(batch: Batch, asked: Asked, command: PreparedPurchase) -> Draft:
    receipt = command.receipt
    _check(batch, asked, receipt, receipt.occurred_at)
    work = _worked_out(batch, asked, command.member, receipt, None)
    if work.receipt is receipt:  # nothing changed it: what was prepared holds
        work.prepared = command
    return work


def _worked_out(
    batch: Batch,
    asked: Asked,
    member: MemberRef | None,
    receipt: Receipt,
    basket: Basket | None,
    *,
    quote: bool = False,
) -> Draft:
    """Decide our offers, take the tenders, and book; without a `basket` it has neither tenders nor a quote."""
    line = _buyer(batch, asked, member, receipt)
    warnings = [offline.blocked()] if member is not None and line.kind == "guest" else []
    if basket is not None:
        sold_cards.check(batch, asked, line, receipt, basket)
    due.touch(batch, line, asked.now)
    holds = hold_tenders.brought(batch, asked, basket, line) if basket is not None and basket.tenders else {}
    withheld: list[Withheld] = []
    if asked.silent:
        receipt = vouchers.unseen(batch.running, receipt)
    else:
        if receipt.codes:
            looked_up(batch, asked, vouchers.without_codes(batch.running, receipt)[1])
        promise = promises.brought(batch, line, basket, asked.now) if basket is not None else None
        decision = pricing.decided(batch, line, receipt, promise, holds)
        receipt, withheld = decision.receipt, decision.withheld
    if basket is not None:
        receipt = paid(*tenders.resolved(batch, asked, line, receipt, basket, holds, quote=quote))
    if line.kind == "guest" and asked.silent:
        return Draft(line, receipt, None)
    return Draft(line, receipt, batch.book(line, Purchase(line.events + 1, receipt)), withheld, warnings=warnings)


def _check_undecided(basket: Basket) -> None:
    """Refuse our offers where the till has decided on them: that is for tills that were offline."""
    for i, line in enumerate(basket.lines):
        if line.offer is not None:
            raise InvalidRequest(
                "offer-given-online", "only a batch tells which offer was given", pointer=f"/lines/{i}/offer"
            )


def _check(batch: Batch, asked: Asked, about: Basket | Receipt, at: int) -> None:
    """Refuse what this program or this moment cannot take."""
    running = batch.running
    running.ready()
    if about.currency != running.currency and not asked.offline:
        raise InvalidRequest(
            "currency-mismatch",
            f"the program's currency is {running.currency}, not {about.currency}",
            pointer="/currency",
        )
    asked.check_instant(at)


def _buyer(batch: Batch, asked: Asked, ref: MemberRef | None, receipt: Receipt) -> Timeline:
    if ref is None:
        return batch.open("guest", None)
    if asked.silent and ref.external_id is not None:
        return batch.find(ref) or enrol_unseen(batch, asked, ref.external_id, receipt.day)
    line = batch.member(ref)
    if line.state != "active":
        return batch.open("guest", None)  # a blocked member earns and spends nothing, which `draft` says
    return line


def _again(
    batch: Batch,
    asked: Asked,
    command: RecordPurchase | PreparedPurchase,
    route: tuple[int | None, int | None, bytes],
    print_: bytes,
) -> Outcome:
    """Answer a receipt number that is taken: as the first time if the content is the same, else what differs."""
    owner, number, known = route
    assert owner is not None
    assert number is not None
    if known != print_:
        if isinstance(command, PreparedPurchase):
            member, receipt = command.member, vouchers.unseen(batch.running, command.receipt)
        else:
            member, receipt = command.basket.member, to_receipt(command.basket, batch.running.zone, most_lines=10**6)
            receipt = vouchers.unseen(batch.running, card_tenders.as_sent(receipt, command.basket))
            receipt = offline.as_given(batch.running, command.basket, receipt)
        stored = read_receipt(batch.event(owner, number)[9])
        owner_now = batch.now_of(owner)
        buyer = batch.find(member) if member is not None else None
        line = batch.line(owner)
        assert line is not None
        same = (buyer is None) == (line.kind == "guest") and (buyer is None or buyer.owner == owner_now)
        pointers = differences.between(stored, receipt, same_member=same)
        if pointers:
            raise Conflict(
                "receipt-conflict",
                f"receipt `{receipt.receipt_id}` of store `{receipt.store_id}` was recorded with other content",
                pointer=pointers[0],
                differs=pointers,
            )
    outcome = batch.replay(asked, (owner, number), lambda: _json.encode(again(batch, asked.now, owner, number)))
    return sold_cards.with_new_codes(batch, outcome)
