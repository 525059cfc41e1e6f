"""How a purchase of a till that was offline was paid: what it took on trust is taken now, as far as it is there.

Points that a member does not have become a debt. What no gift card had, and
points that are nobody's, is the tender's `shortfall_minor`: goods that the shop
gave without them. A card that would have been refused pays nothing. Each is
told as a warning with the code of the refusal it would have been. What does not
live here: the tenders of a till that asks (`tenders`, `card_tenders`), and
refunds (`refunds`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from rewards.basket import Basket, BasketTender, paid, payable
from rewards.errors import Conflict, InvalidRequest, NotFound
from rewards.ledger.gift_cards import Card, balance_at, read_activity, state_at
from rewards.policy.model import Pays
from rewards.receipt import Receipt, Tender
from rewards.service import card_tenders
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.codes import normal
from rewards.service.gift_cards import card_of
from rewards.service.hold_ends import HOLD
from rewards.service.hold_tenders import brought
from rewards.service.journal import Timeline
from rewards.service.pins import opened
from rewards.service.tenders import OURS, POINTS, by_rewards, check_terms, held, money, spendable
from rewards.service.warnings import Warnings, of_refusal, warning

UNKNOWN = "unknown"  # the kind of money that paid what is left where tenders do not sum
Taken = tuple[Tender, list[bool] | None]  # with the lines that it may pay, None for all


class _Till(NamedTuple):
    """What the tenders of a purchase are worked out from."""

    batch: Batch
    asked: Asked
    buyer: Timeline
    receipt: Receipt
    due_minor: int
    warnings: Warnings


def laid(batch: Batch, asked: Asked, buyer: Timeline, receipt: Receipt, basket: Basket, warnings: Warnings) -> Receipt:
    """Return the receipt with its tenders as they were taken, laid on its lines; none if the till sent none.

    Raises `InvalidRequest` for what can't be a tender. Tenders that do not sum are kept as far as we hold them.
    """
    if not basket.tenders:
        return receipt
    till = _Till(batch, asked, buyer, receipt, sum([payable(line) for line in receipt.lines]), warnings)
    sent = _added_up(basket, warnings)
    found: list[Taken] = []
    for n, (i, tender) in enumerate(sent):
        if tender.kind == card_tenders.KIND:
            found.append(_card(till, i, tender, [one.card for one, _ in found]))
        elif tender.kind == POINTS:
            others = sum(one.amount_minor for one, _ in found)
            others += sum(one.amount_minor or 0 for _, one in sent[n + 1 :])
            found.append((_points(till, i, tender, max(0, till.due_minor - others)), None))
        elif tender.kind == HOLD and not (asked.trusted and not tender.hold_id):
            alone = msgspec.structs.replace(basket, tenders=(tender,))
            found += _hold(till, i, alone, [one.card for one, _ in found])
        else:
            found.append((money(i, tender), None))
    found = _summing(till, found)
    receipt = msgspec.structs.replace(receipt, tenders=tuple(one for one, _ in found))
    try:
        return paid(receipt, {i: lines for i, (_, lines) in enumerate(found) if lines is not None})
    except Conflict as refusal:
        warnings.append(of_refusal(refusal, "recorded all the same"))
        return paid(receipt)


def lacking(sent: BasketTender) -> Tender:
    """Return a tender of ours of which nothing is there."""
    minor = sent.amount_minor or 0
    return Tender(sent.kind, minor, sent.wallet, last_four=normal(sent.code)[-4:], shortfall_minor=minor)


def _added_up(basket: Basket, warnings: Warnings) -> list[tuple[int, BasketTender]]:
    """Return the tenders with their indexes; those of one wallet, or of one code, become one."""
    found: dict[object, tuple[int, BasketTender]] = {}
    for i, sent in enumerate(basket.tenders):
        key: object = i
        if sent.kind == card_tenders.KIND:
            key = (sent.kind, normal(sent.code))
        elif sent.kind == POINTS:
            key = (sent.kind, sent.wallet)
        if key not in found:
            found[key] = (i, sent)
            continue
        first, before = found[key]
        if _says(before) != _says(sent):
            message = "two tenders of one wallet or card do not say the same of it"
            raise InvalidRequest("tender-ambiguous", message, pointer=f"/tenders/{i}")
        points = None if sent.points is None else (before.points or 0) + sent.points
        minor = None if sent.amount_minor is None else (before.amount_minor or 0) + sent.amount_minor
        found[key] = (first, msgspec.structs.replace(before, points=points, amount_minor=minor))
        message = f"taken together with tender {first}, of the same wallet or card"
        warnings.append(warning("tender-twice", message, f"/tenders/{i}"))
    return list(found.values())


def _says(sent: BasketTender) -> tuple[bool, bool, bool]:
    """Return which figures a tender gives."""
    return sent.amount_minor is not None, sent.points is not None, sent.up_to


# gift cards


def _card(till: _Till, i: int, sent: BasketTender, before: Sequence[str]) -> Taken:
    """Return what a card pays, as far as it has it and would have been let."""
    pointer = f"/tenders/{i}"
    card_tenders.check_form(sent, pointer)
    minor = card_tenders.check_amount(sent, pointer)
    try:
        line = opened(till.batch, till.asked, sent.code, sent.pin, pointer)
        card = card_of(line)
        at = max(till.receipt.occurred_at, card.clock)
        card_tenders.check_usable(till.batch, card, _state_then(till, line, card, at), till.buyer, pointer)
        tender = card_tenders.tender_of(till.batch, line, minor)
        _check_other(tender, before, pointer)
    except (NotFound, Conflict) as refusal:
        till.warnings.append(of_refusal(refusal, "nothing was taken from it", shortfall_minor=minor))
        return lacking(sent), None
    there = min(minor, balance_at(card, at))
    if there < minor:
        facts = {"shortfall_minor": minor - there, "taken_minor": there}
        message = f"{there} were on the gift card, not {minor}"
        till.warnings.append(warning("gift-card-shortfall", message, pointer, **facts))
    if not there:
        return lacking(sent), None
    lines = card_tenders.payable_lines(till.batch, card, till.receipt)
    return msgspec.structs.replace(tender, shortfall_minor=minor - there), lines


def _check_other(tender: Tender, before: Sequence[str], pointer: str) -> None:
    """Refuse a card that pays already, by another of its codes."""
    if tender.card in before:
        raise Conflict("gift-card-twice", "another tender takes money of this gift card", pointer=pointer)


def _state_then(till: _Till, line: Timeline, card: Card, at: int) -> str:
    """Return what a card was at the purchase: one that was blocked since could still pay then."""
    if card.state == "blocked" and _blocked_at(till.batch, line) > till.receipt.occurred_at:
        card = msgspec.structs.replace(card, state="active")
    return state_at(card, at)


def _blocked_at(batch: Batch, line: Timeline) -> int:
    """Return the instant at which a card was last blocked."""
    acts = (read_activity(row[11]) for row in batch.events_of(line))
    return max((act.at for act in acts if act.kind == "BLOCK"), default=0)


# holds


def _hold(till: _Till, i: int, basket: Basket, before: Sequence[str]) -> list[Taken]:
    """Return what a hold pays, the one tender of a basket; one that can't be captured pays nothing, and runs out."""
    minor = basket.tenders[0].amount_minor or 0
    try:
        return [_captured(till, basket, before)]
    except (NotFound, Conflict) as refusal:
        refusal.pointer = refusal.pointer.replace("/tenders/0", f"/tenders/{i}")
        till.warnings.append(of_refusal(refusal, "nothing was taken from it", shortfall_minor=minor))
        return [(Tender(card_tenders.KIND, minor, shortfall_minor=minor), None)] if minor else []


def _captured(till: _Till, basket: Basket, before: Sequence[str]) -> Taken:
    pointer = "/tenders/0"
    hold = brought(till.batch, till.asked, basket, till.buyer)[0]
    if hold.kind == "points":
        return held(till.batch, till.receipt, basket, 0, hold), None
    if hold.kind != "gift_card":
        raise Conflict("hold-not-used", "a batch captures holds of points and of gift cards alone", pointer=pointer)
    tender, lines = card_tenders.by_card(till.batch, till.asked, till.buyer, till.receipt, basket, 0, hold)
    _check_other(tender, before, pointer)
    return tender, lines


# points


def _points(till: _Till, i: int, sent: BasketTender, rest_minor: int) -> Tender:
    """Return the points that a till took; those that are not there will be a debt, those of nobody are lacking."""
    pointer = f"/tenders/{i}"
    if sent.up_to or (sent.points is None and sent.amount_minor is None):
        message = "a till that was offline says how many points it took (`points`), what they paid, or both"
        raise InvalidRequest("tender-ambiguous", message, pointer=pointer)
    if sent.code or sent.pin:
        message = "`code` and `pin` are for a tender of kind `gift_card`"
        raise InvalidRequest("tender-ambiguous", message, pointer=pointer)
    wallet = till.batch.running.policy_on(till.receipt.day).wallets.get(sent.wallet)
    pays = wallet.pays if wallet is not None else None
    points, minor = _figures(sent, pays, rest_minor)
    code = _untakable(till, known=wallet is not None, points=points)
    if code:
        facts = {"shortfall_minor": minor}
        till.warnings.append(warning(code, f"no {sent.wallet or 'points'} were taken", pointer, **facts))
        return lacking(msgspec.structs.replace(sent, amount_minor=minor))
    _check_points(till, sent, pays, points, pointer)
    return Tender(POINTS, minor, sent.wallet, points) if minor else Tender(POINTS, 0)


def _figures(sent: BasketTender, pays: Pays | None, rest_minor: int) -> tuple[int, int]:
    """Return points and minor units, as both were said or the one follows from the other, floored.

    What points pay that have no rate is what the other tenders leave.
    """
    points, minor = sent.points, sent.amount_minor
    if points is None:
        points = minor * pays.points // pays.buys_minor if pays is not None and minor is not None else 0
    if minor is None:
        minor = pays.worth_minor(points) if pays is not None else rest_minor
    return points, minor


def _untakable(till: _Till, *, known: bool, points: int) -> str:
    """Return the code that says why no points can be taken, or an empty text."""
    if till.buyer.kind != "member":
        return "tender-needs-member"
    if not known:
        return "unknown-wallet"
    return "points-do-not-pay" if not points else ""


def _check_points(till: _Till, sent: BasketTender, pays: Pays | None, points: int, pointer: str) -> None:
    """Tell what would have been refused of points that are taken."""
    net = sum([line.net_minor for line in till.receipt.lines])
    key, recorded = sent.wallet, "recorded all the same"
    if pays is None:
        till.warnings.append(warning("points-do-not-pay", f"{key} do not pay at the till: {recorded}", pointer))
    elif sent.points is not None and sent.amount_minor not in {None, pays.worth_minor(points)}:
        facts: dict[str, object] = {"worth_minor": pays.worth_minor(points)}
        message = f"{points} {key} pay {pays.worth_minor(points)}, not {sent.amount_minor}: {recorded}"
        till.warnings.append(warning("points-rate-differs", message, pointer, **facts))
    else:
        try:
            check_terms(pays, key, points, net, pointer)
        except Conflict as refusal:
            till.warnings.append(of_refusal(refusal, recorded))
    taken = by_rewards(till.receipt, key)
    there = max(0, spendable(till.batch, till.buyer, till.receipt, key, points + taken) - taken)
    if there < points:
        facts = {"available": there, "wanted": points}
        message = f"{there} {key} were there, not {points}: the rest is owed"
        till.warnings.append(warning("not-enough-points", message, pointer, **facts))


# sums


def _summing(till: _Till, found: list[Taken]) -> list[Taken]:
    """Return tenders that sum to what is payable: ours as far as they fit, and the rest as money of an unknown kind."""
    total = sum(one.amount_minor for one, _ in found)
    if total == till.due_minor:
        return found
    message = f"the tenders sum to {total}, payable is {till.due_minor}"
    if not any(one.kind in OURS for one, _ in found):
        till.warnings.append(warning("tenders-disagree", f"{message}: recorded without tenders", "/tenders"))
        return []
    message += ": what points and gift cards paid is kept, the rest is money"
    till.warnings.append(warning("tenders-disagree", message, "/tenders", payable_minor=till.due_minor))
    kept, left = list[Taken](), till.due_minor
    for one, lines in found:
        part = min(one.amount_minor, left) if one.kind in OURS else 0
        if part:
            kept.append((_cut(one, part), lines))
            left -= part
    return [*kept, (Tender(UNKNOWN, left), None)] if left else kept


def _cut(tender: Tender, minor: int) -> Tender:
    """Return a tender that pays less than it was said to: its points in proportion, floored; what is there first."""
    if minor == tender.amount_minor:
        return tender
    there = tender.amount_minor - tender.shortfall_minor
    points = tender.points * minor // tender.amount_minor
    return msgspec.structs.replace(tender, amount_minor=minor, points=points, shortfall_minor=max(0, minor - there))
