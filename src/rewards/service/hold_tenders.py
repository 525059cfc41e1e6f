"""Holds that a purchase captures: named as tenders; what the purchase does not take of them is released with it.

One of points or of a gift card pays like points or the card itself. One of a
reward or of a code pays nothing, and gives the reward or the voucher. What does
not live here: what such points and money may pay (`tenders`, `card_tenders`).
"""

from __future__ import annotations

from dataclasses import replace

import msgspec

from rewards.basket import Basket
from rewards.engine.till import Decision
from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.gift_cards import Card
from rewards.receipt import Discount, Receipt, Shown, held_left
from rewards.service.asked import Asked
from rewards.service.batch import Batch, Place
from rewards.service.hold_ends import HOLD, NONE, Found, Holds, check_open, end, found, too_small
from rewards.service.journal import Timeline
from rewards.service.named import active
from rewards.service.rewards import Wanted
from rewards.service.vouchers import ONE_EACH, Hand, held_offer


def brought(batch: Batch, asked: Asked, basket: Basket, buyer: Timeline) -> Holds:
    """Return the holds that a basket names, all of them open and the buyer's own; raise what refuses one.

    A trusted caller's tender without a `hold_id` is another system's.
    """
    if not any(one.kind == HOLD or one.hold_id for one in basket.tenders):
        return NONE
    holds: dict[int, Found] = {}
    for i, tender in enumerate(basket.tenders):
        pointer = f"/tenders/{i}"
        if tender.kind != HOLD and tender.hold_id:
            raise InvalidRequest("tender-ambiguous", "`hold_id` is for a tender of kind `hold`", pointer=pointer)
        if tender.kind != HOLD or (asked.trusted and not tender.hold_id):
            continue
        if not tender.hold_id:
            raise InvalidRequest("hold-missing", "a hold is named by its `hold_id`", pointer=f"{pointer}/hold_id")
        if tender.wallet or tender.points is not None or tender.up_to or tender.code or tender.pin:
            message = "a hold is named by its `hold_id`, and says in `amount_minor` what it pays"
            raise InvalidRequest("tender-ambiguous", message, pointer=pointer)
        hold = found(batch, tender.hold_id, f"{pointer}/hold_id")
        check_open(batch, hold, pointer)
        _check_buyer(hold, buyer, pointer)
        pays = hold.kind in {"points", "gift_card"}
        if pays != bool(tender.amount_minor):
            what = "say in `amount_minor` what the hold pays" if pays else f"a hold of a {hold.kind} pays no amount"
            raise InvalidRequest("amount-missing" if pays else "tender-ambiguous", what, pointer=pointer)
        if any(_same(hold, other) for other in holds.values()):
            message = "two tenders take from one hold, one gift card, one wallet or one reward: bring one of them"
            raise InvalidRequest("tender-ambiguous", message, pointer=pointer)
        holds[i] = hold
    return holds


def _check_buyer(hold: Found, buyer: Timeline, pointer: str) -> None:
    line = hold.line
    if line.card is not None:
        return
    active(line, pointer)
    if line.owner != buyer.owner or buyer.kind != "member":
        raise Conflict("hold-other-member", "the hold is another member's than the buyer", pointer=pointer)


def _same(one: Found, other: Found) -> bool:
    if one.line.owner != other.line.owner or one.kind != other.kind:
        return False
    if one.body is None or other.body is None:
        return True
    return one.body.wallet == other.body.wallet if one.kind == "points" else one.body.reward == other.body.reward


# what is asked for: rewards and vouchers


def with_vouchers(batch: Batch, receipt: Receipt, hand: Hand, holds: Holds) -> Hand:
    """Have the vouchers that are held ask for their offers, as they could when the hold began."""
    for i, hold in holds.items():
        card = hold.line.card
        if hold.kind == "code" and card is not None:
            _check_card(card, f"/tenders/{i}")
            shown = Shown(batch.running.ids.gift_card(hold.line.owner), card.last_four)
            offer = held_offer(batch, card, receipt)
            if offer is None:
                raise _unused(hold, i)
            hand.refused = [one for one in hand.refused if one.gift_card_id != shown.gift_card_id]
            if card.offer in hand.asking:
                hand.refused.append(msgspec.structs.replace(hand.asking[card.offer], reason=ONE_EACH))
            hand.asking[card.offer], hand.offers[card.offer] = shown, offer
    return hand


def _check_card(card: Card, pointer: str) -> None:
    if card.state != "active":
        facts = {"state": card.state, "last_four": card.last_four}
        raise Conflict("gift-card-not-usable", f"the gift card is {card.state}", pointer=pointer, **facts)


def asking(receipt: Receipt, holds: Holds) -> Receipt:
    """Return the receipt asking also for the rewards that are held, where it does not ask for them itself."""
    named = {name for name, _ in receipt.rewards}
    bodies = [hold.body for hold in holds.values() if hold.kind == "reward" and hold.body is not None]
    more = tuple((body.reward, body.times) for body in bodies if body.reward not in named)
    return msgspec.structs.replace(receipt, rewards=(*receipt.rewards, *more)) if more else receipt


def at_their_cost(wanted: Wanted, holds: Holds) -> Wanted:
    """Return what is asked for, each reward that is held at what it cost when the hold began."""
    for hold in holds.values():
        for offer, (reward, times) in wanted.rewards.items():
            if hold.body is not None and hold.body.reward == reward.id:
                cost = hold.body.points // hold.body.times
                wanted.rewards[offer] = (replace(reward, points=cost, wallet=hold.body.wallet), times)
    return wanted


def out_of(batch: Batch, decision: Decision, holds: Holds) -> Decision:
    """Say on each discount out of which hold its reward or voucher came.

    Raises `Conflict` `hold-not-used` for one that takes nothing off, and `hold-too-small` for a reward that is asked
    for more often than it is held.
    """
    discounts = list(decision.receipt.discounts)
    for i, hold in holds.items():
        if hold.kind not in {"reward", "code"}:
            continue
        at = next((at for at, one in enumerate(discounts) if _gave(batch, hold, one)), None)
        if at is None:
            raise _unused(hold, i)
        discounts[at] = msgspec.structs.replace(discounts[at], hold=hold.id)
        points = sum(discounts[at].lines_points)
        if points > hold.points:
            raise too_small(hold, points, f"/tenders/{i}")
    return replace(decision, receipt=msgspec.structs.replace(decision.receipt, discounts=tuple(discounts)))


def _gave(batch: Batch, hold: Found, discount: Discount) -> bool:
    if hold.body is not None:
        return discount.reward == hold.body.reward
    return discount.voucher == batch.running.ids.gift_card(hold.line.owner)


def _unused(hold: Found, i: int) -> Conflict:
    message = f"the hold `{hold.id}` takes nothing off this basket: leave it out"
    return Conflict("hold-not-used", message, pointer=f"/tenders/{i}", hold_id=hold.id)


# with the purchase


def capture(batch: Batch, receipt: Receipt, place: Place, print_: bytes) -> None:
    """Record that a purchase captured holds of points; its own event took what it takes of them."""
    if receipt.tenders or receipt.discounts:
        for name, points in held_left(receipt, {}).items():
            hold = found(batch, name, "/tenders")
            end(batch, hold, "captured", print_, taken=points, purchase=place)
