"""What a till that was offline reports: facts, recorded whatever we would have decided.

Its discounts are not decided again; what they draw on limits and budgets is
counted, also beyond them, and rewards cost their points, also those that are not
there. A member whom nobody knows is a guest. Each of these is told as a warning
with the code of the refusal that it would have been. What does not live here:
how it was paid (`offline_tenders`), gift cards that it sold (`offline_sales`),
recording (`purchases`, `returns`).
"""

from __future__ import annotations

import msgspec

from rewards.basket import Basket, paid
from rewards.errors import Conflict, RewardsError
from rewards.ledger.timeline import Purchase
from rewards.receipt import Discount, Receipt
from rewards.service import budgets, due, lacking, offline_sales, offline_tenders, pricing, rewards, vouchers
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.drafts import Draft
from rewards.service.journal import Timeline
from rewards.service.pins import looked_up
from rewards.service.running import Running
from rewards.service.tenders import OURS
from rewards.service.warnings import Warnings, of_refusal, warning

_NOBODYS = ("member-blocked", "currency-mismatch")


def blocked() -> dict[str, object]:
    """Return the warning of a purchase of a blocked member: there is nobody who earns, now or by a claim."""
    return warning("member-blocked", "the member is blocked and earns nothing: recorded as a guest's", "/member")


def is_nobodys(work: Draft) -> bool:
    """Return whether a guest's purchase can't be claimed."""
    return any(one["code"] in _NOBODYS for one in work.warnings)


def draft(batch: Batch, asked: Asked, basket: Basket, receipt: Receipt) -> Draft:
    """Work a purchase out as it took place."""
    if basket.currency != batch.running.currency:
        return _foreign(batch, basket, receipt)
    warnings: Warnings = []
    line = _buyer(batch, basket, warnings)
    due.touch(batch, line, asked.now)
    if basket.quote is not None:
        warnings.append(warning("quote-ignored", "what the till took off is what counts", "/quote"))
    looked_up(batch, asked, vouchers.without_codes(batch.running, receipt)[1])
    receipt, hand = vouchers.shown(batch, line, receipt)
    receipt = vouchers.given(hand, as_given(batch.running, basket, receipt))
    policy = batch.running.policy_on(receipt.day)
    receipt = _rewarded(batch, line, receipt, warnings)
    receipt = vouchers.kept(hand, policy, receipt, guest=line.kind == "guest")
    warnings += _discounts(batch, basket, line, receipt)
    receipt = offline_sales.placed(batch, line, receipt, basket, warnings)
    receipt = offline_tenders.laid(batch, asked, line, receipt, basket, warnings)
    booking = batch.book(line, Purchase(line.events + 1, receipt))
    entries = lacking.added(batch, receipt, booking if line.kind == "member" else None)
    return Draft(line, receipt, booking, warnings=warnings, entries=entries)


def _foreign(batch: Batch, basket: Basket, receipt: Receipt) -> Draft:
    """Work out a purchase in another currency: nobody earns by it, and nothing that we hold pays or is sold."""
    currency = batch.running.currency
    message = f"the program's currency is {currency}, not {basket.currency}: recorded as nobody's, and earns nothing"
    warnings = [warning("currency-mismatch", message, "/currency")]
    receipt = vouchers.unseen(batch.running, receipt)
    tenders = tuple(
        offline_tenders.lacking(sent) if sent.kind in OURS else one
        for sent, one in zip(basket.tenders, receipt.tenders, strict=True)
    )
    known = batch.running.policy_on(receipt.day).gift_cards
    unplaced = tuple(line.line_id for line in receipt.lines if line.stored_value in known)
    receipt = msgspec.structs.replace(receipt, tenders=tenders, unplaced=unplaced)
    try:
        receipt = paid(receipt)
    except Conflict as refusal:
        warnings.append(of_refusal(refusal, "recorded without tenders"))
        receipt = msgspec.structs.replace(receipt, tenders=())
    entries = lacking.added(batch, receipt, None)
    return Draft(batch.open("guest", None), receipt, None, warnings=warnings, entries=entries)


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


def _rewarded(batch: Batch, line: Timeline, receipt: Receipt, warnings: Warnings) -> Receipt:
    """Say which rewards gave discounts that the till took off, and what points they cost, there or not."""
    if not receipt.rewards:
        return receipt
    policy = batch.running.policy_on(receipt.day)
    wanted = _wanted(batch, line, receipt, warnings)
    receipt = rewards.priced(policy, wanted, receipt)
    given = {discount.reward for discount in receipt.discounts}
    for i, (name, _) in enumerate(receipt.rewards):
        if name not in given and any(reward.id == name for reward, _ in wanted.rewards.values()):
            message = f"the till took nothing off for `{name}`: it costs nothing"
            warnings.append(warning("reward-unused", message, f"/rewards/{i}"))
    try:
        rewards.check_enough(batch, line, receipt)
    except Conflict as refusal:
        warnings.append(of_refusal(refusal, "the rest is owed"))
    return receipt


def _wanted(batch: Batch, line: Timeline, receipt: Receipt, warnings: Warnings) -> rewards.Wanted:
    """Return the rewards that a receipt asks for, each as often as it can be had; say which can't be."""
    wanted = rewards.Wanted()
    for i, (name, times) in enumerate(receipt.rewards):
        for often in dict.fromkeys((times, 1)):
            try:
                one = rewards.asked(batch, line, msgspec.structs.replace(receipt, rewards=((name, often),)))
            except RewardsError as refusal:
                pointer = refusal.pointer.replace("/rewards/0", f"/rewards/{i}")
                warnings.append(warning(refusal.code, f"{refusal.message}: recorded all the same", pointer))
                if refusal.code != "reward-once":
                    break
                continue
            if one.bought:
                message = f"`{name}` takes nothing off: redeem it by a call of its own"
                warnings.append(warning("reward-not-in-basket", message, f"/rewards/{i}"))
            wanted.rewards = {**one.rewards, **wanted.rewards}
            wanted.offers = {**one.offers, **wanted.offers}
            break
    return wanted


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
        if offers[name].only_by and not (given[name].reward or given[name].voucher):
            message = f"only a {offers[name].only_by} gives `{name}`, and none that does was shown"
            found.append(warning("offer-not-asked-for", message, pointer, offer=name))
        if not pricing.has_room(offers[name], given[name], line, receipt.day):
            found.append(warning("limit-overrun", f"more of `{name}` than the member's limit", pointer, offer=name))
        if not budgets.has_room(batch, offers[name], given[name], receipt.day):
            found.append(warning("budget-overrun", f"more of `{name}` than its budget", pointer, offer=name))
    return found
