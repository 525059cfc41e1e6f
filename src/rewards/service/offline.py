"""What a till that was offline reports: facts, recorded whatever we would have decided.

Its discounts are not decided again; what they draw on limits and budgets is
counted, also beyond them. A member whom nobody knows is a guest. Each of these is
told as a warning. What does not live here: recording (`purchases`, `returns`).
"""

from __future__ import annotations

import msgspec

from rewards.basket import Basket, paid
from rewards.errors import Conflict, InvalidRequest, RewardsError
from rewards.ledger.timeline import Purchase
from rewards.receipt import Discount, Receipt
from rewards.service import budgets, due, pricing, tenders, vouchers
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.drafts import Draft
from rewards.service.hold_ends import HOLD
from rewards.service.journal import Timeline
from rewards.service.pins import looked_up
from rewards.service.running import Running

_ASKED_FOR = tenders.OURS | {HOLD}
Warnings = list[dict[str, object]]


def warning(code: str, detail: str, pointer: str, **facts: object) -> dict[str, object]:
    """Return what an answer says of something that was recorded all the same."""
    return {"code": code, "detail": detail, "pointer": pointer, **facts}


def blocked() -> dict[str, object]:
    """Return the warning of a purchase of a blocked member: there is nobody who earns, now or by a claim."""
    return warning("member-blocked", "the member is blocked and earns nothing: recorded as a guest's", "/member")


def draft(batch: Batch, asked: Asked, basket: Basket, receipt: Receipt) -> Draft:
    """Work a purchase out as it took place."""
    warnings: Warnings = []
    _check_tenders(basket)
    line = _buyer(batch, basket, warnings)
    due.touch(batch, line, asked.now)
    if basket.quote is not None:
        warnings.append(warning("quote-ignored", "what the till took off is what counts", "/quote"))
    looked_up(batch, asked, vouchers.without_codes(batch.running, receipt)[1])
    receipt, hand = vouchers.shown(batch, line, receipt)
    receipt = vouchers.given(hand, as_given(batch.running, basket, receipt))
    policy = batch.running.policy_on(receipt.day)
    receipt = vouchers.kept(hand, policy, receipt, guest=line.kind == "guest")
    warnings += _discounts(batch, basket, line, receipt)
    try:
        receipt = paid(*tenders.resolved(batch, asked, line, receipt, basket, quote=False))
    except Conflict as error:
        warnings.append(warning("tenders-disagree", f"{error.message}: recorded without tenders", "/tenders"))
        receipt = msgspec.structs.replace(receipt, tenders=())
    return Draft(line, receipt, batch.book(line, Purchase(line.events + 1, receipt)), warnings=warnings)


def _check_tenders(basket: Basket) -> None:
    """Refuse what a till can't have done without asking: take points, gift cards, holds, or sell a gift card."""
    for i, line in enumerate(basket.lines):
        if line.stored_value is not None:
            message = "a line that sells a gift card is not supported in a batch"
            raise InvalidRequest("tender-not-supported", message, pointer=f"/lines/{i}/stored_value")
    for i, tender in enumerate(basket.tenders):
        if tender.kind in _ASKED_FOR:
            message = f"a tender of kind `{tender.kind}` is not supported in a batch"
            raise InvalidRequest("tender-not-supported", message, pointer=f"/tenders/{i}/kind")


def _buyer(batch: Batch, basket: Basket, warnings: Warnings) -> Timeline:
    """Return the member, or a guest where there is none who could earn."""
    if basket.member is None:
        return batch.open("guest", None)
    basket.member.named()  # which key is meant is a matter of form
    try:
        line = batch.member(basket.member)
    except RewardsError as error:
        warnings.append(warning(error.code, f"{error.message}: recorded as a guest's", "/member"))
        return batch.open("guest", None)
    if line.state != "active":
        warnings.append(blocked())
        return batch.open("guest", None)
    return line


def as_given(running: Running, basket: Basket, receipt: Receipt) -> Receipt:
    """Say which of the till's discounts are our offers; one of no offer of the day's policy stays the till's own."""
    offers = running.policy_on(receipt.day).offers
    named = {line.offer for line in basket.lines if line.offer is not None and line.discount_minor}
    found, lines = [], list(receipt.lines)
    for offer in (offer for offer in offers if offer in named):
        off = [line.discount_minor if line.offer == offer else 0 for line in basket.lines]
        units = sum(line.quantity for line, minor in zip(lines, off, strict=True) if minor)
        found.append(Discount(offer, sum(off), units, tuple(off)))
        for i, minor in enumerate(off):
            old = lines[i]
            lines[i] = msgspec.structs.replace(
                old, discount_minor=old.discount_minor - minor, offers_minor=old.offers_minor + minor
            )
    if not found:
        return receipt
    return msgspec.structs.replace(receipt, lines=tuple(lines), discounts=tuple(found))


def _discounts(batch: Batch, basket: Basket, line: Timeline, receipt: Receipt) -> Warnings:
    """Return what is odd about the offers that the till gave: unknown ones, and those given beyond what was left."""
    offers, found = batch.running.policy_on(receipt.day).offers, []
    given = {discount.offer: discount for discount in receipt.discounts}
    first: dict[str, int] = {}
    for i, each in enumerate(basket.lines):
        if each.offer is not None and each.discount_minor:
            first.setdefault(each.offer, i)
    for name, i in first.items():
        pointer = f"/lines/{i}/offer"
        if name not in given:
            found.append(warning("unknown-offer", f"the policy has no offer `{name}`: the till's own", pointer))
            continue
        if not pricing.has_room(offers[name], given[name], line, receipt.day):
            found.append(warning("limit-overrun", f"more of `{name}` than the member's limit", pointer, offer=name))
        if not budgets.has_room(batch, offers[name], given[name], receipt.day):
            found.append(warning("budget-overrun", f"more of `{name}` than its budget", pointer, offer=name))
    return found
