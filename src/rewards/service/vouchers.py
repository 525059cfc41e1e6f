"""Vouchers at the till: the codes of a receipt that are gift cards', what they ask for, and what used them up.

A receipt keeps who was shown, never a code. A voucher is used up only if its
offer took something off, and at most one voucher of an offer on a receipt: the
one that ends soonest. What does not live here: what an offer takes off
(`engine.offers`), and issuing (`gift_cards`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from rewards.engine.plan import member_conditions
from rewards.errors import Conflict
from rewards.ledger.gift_cards import Activity, Card, hold_of, state_at
from rewards.policy.model import AmountIs, InTier, Offer, Policy
from rewards.receipt import Discount, Receipt, Returned, Shown, all_back
from rewards.service.answers import RestoredAnswer
from rewards.service.awards import reading, reason_of
from rewards.service.batch import Batch, Place
from rewards.service.codes import masked, may_hold_code, normal
from rewards.service.gift_cards import card_of, happen
from rewards.service.hold_ends import end, found
from rewards.service.journal import Timeline
from rewards.service.known_cards import by_code, surely_by_id
from rewards.service.running import Running

ONE_EACH = "one-per-receipt"


@dataclass(slots=True)
class Hand:
    """The gift cards that a customer shows: those that ask for an offer, and why others do not."""

    asking: dict[str, Shown] = field(default_factory=dict)  # by offer
    offers: dict[str, Offer] = field(default_factory=dict)  # that are asked for
    refused: list[Shown] = field(default_factory=list)


def without_codes(running: Running, receipt: Receipt) -> tuple[Receipt, list[str]]:
    """Take off a receipt's codes what may be a gift card's; return the receipt and what was taken, each once."""
    if not receipt.codes or not running.has_gift_cards:
        return receipt, []
    taken = of_cards(running.policy_on(receipt.day), receipt.codes)
    kept = tuple(code for code in receipt.codes if code not in taken)
    return msgspec.structs.replace(receipt, codes=kept), list(dict.fromkeys(map(normal, taken)))


def of_cards(policy: Policy, codes: Sequence[str]) -> list[str]:
    """Return those of a receipt's codes that may be gift cards', and are no words of the policy."""
    words = reading(policy)
    return [code for code in codes if code not in words and may_hold_code(code)]


def unseen(running: Running, receipt: Receipt) -> Receipt:
    """Return the receipt with its gift cards' codes replaced, and nothing looked up."""
    receipt, codes = without_codes(running, receipt)
    return _with(receipt, [Shown("", code[-4:], "gave-nothing") for code in codes]) if codes else receipt


def shown(batch: Batch, buyer: Timeline, receipt: Receipt) -> tuple[Receipt, Hand]:
    """Look the receipt's gift cards up; return the receipt without their codes."""
    receipt, codes = without_codes(batch.running, receipt)
    if not codes:
        return receipt, Hand()
    hand, seen = Hand(), set[int]()
    found: list[tuple[Card, Shown]] = []
    for code in codes:
        line = by_code(batch, code)
        if line is None or line.card is None or line.card.pin:  # what a PIN guards is told to nobody without it
            hand.refused.append(Shown("", code[-4:], "unknown-code"))
        elif line.owner not in seen:
            seen.add(line.owner)
            found.append((line.card, Shown(batch.running.ids.gift_card(line.owner), line.card.last_four)))
    policy = batch.running.policy_on(receipt.day)
    for card, one in sorted(found, key=lambda pair: (pair[0].expires_at, pair[1].gift_card_id)):
        reason = _bars(batch, card, receipt, buyer)
        offer = _offer(batch.running, policy, card) if not reason else None
        if reason or offer is None or card.offer in hand.asking:
            reason = reason or ("not-now" if offer is None else ONE_EACH)
            hand.refused.append(msgspec.structs.replace(one, reason=reason))
        else:
            hand.asking[card.offer], hand.offers[card.offer] = one, offer
    return receipt, hand


def _offer(running: Running, policy: Policy, card: Card) -> Offer | None:
    """Return the offer that a card gives: as the policy of the day has it, else as it was promised.

    None if everybody has it now, or if it was promised with a condition on what a member bought, or on a tier, of
    which the policy of the day knows nothing.
    """
    today = policy.offers.get(card.offer)
    if today is not None:
        return today if today.only_by == "voucher" else None
    promised = next(one.policy for one in running.versions if one.policy.version == card.policy_version)
    offer = promised.offers[card.offer]
    return None if any(isinstance(one, AmountIs | InTier) for one in member_conditions(offer.when)) else offer


def _bars(batch: Batch, card: Card, receipt: Receipt, buyer: Timeline) -> str:
    """Return why a card is of no use here, or an empty text."""
    if card.kind != "voucher":
        return "not-a-voucher"
    state = state_at(card, receipt.occurred_at)
    if state != "active":
        return state
    if card.personal and batch.now_of(card.member) != buyer.owner:
        return "needs-member" if buyer.kind == "guest" else "other-member"
    return ""


def held_offer(batch: Batch, card: Card, receipt: Receipt) -> Offer | None:
    """Return the offer of a voucher that was held, None if it can't be had now."""
    return _offer(batch.running, batch.running.policy_on(receipt.day), card)


def given(hand: Hand, receipt: Receipt) -> Receipt:
    """Say on each discount which voucher gave it."""
    if not hand.asking:
        return receipt
    discounts = (_by(hand, discount) for discount in receipt.discounts)
    return msgspec.structs.replace(receipt, discounts=tuple(discounts))


def _by(hand: Hand, discount: Discount) -> Discount:
    one = hand.asking.get(discount.offer)
    return msgspec.structs.replace(discount, voucher=one.gift_card_id) if one is not None else discount


def check_promised(batch: Batch, discounts: Sequence[Discount]) -> None:
    """Raise `Conflict` `offer-gone` if a voucher of a promise was used or blocked since; its end was promised away."""
    for discount in discounts:
        if discount.voucher:
            card = card_of(surely_by_id(batch, discount.voucher))
            if discount.hold and hold_of(card, discount.hold) is not None:
                card = msgspec.structs.replace(card, holds=())
            state = state_at(card, card.issued_at)
            if state != "active":
                raise Conflict(
                    "offer-gone",
                    f"the voucher {masked(card.last_four)} was {state} since the quote: ask for a new one",
                    pointer="/quote",
                    offer=discount.offer,
                )


def kept(hand: Hand, policy: Policy, receipt: Receipt, *, guest: bool) -> Receipt:
    """Return the receipt with the gift cards that were shown, each with the reason why it did nothing."""
    if not hand.asking and not hand.refused:
        return receipt
    gave = {discount.voucher for discount in receipt.discounts if discount.voucher}
    ones = list(hand.refused)
    for offer, one in hand.asking.items():
        reason = reason_of(policy, receipt, hand.offers[offer], guest=guest) or ONE_EACH
        ones.append(msgspec.structs.replace(one, reason=reason))
    told = [msgspec.structs.replace(one, reason="") if one.gift_card_id in gave else one for one in ones]
    return _with(receipt, told)


def _with(receipt: Receipt, ones: Sequence[Shown]) -> Receipt:
    ordered = sorted(ones, key=lambda one: (one.last_four, one.gift_card_id))
    return msgspec.structs.replace(receipt, shown=tuple(ordered))


def redeem(batch: Batch, now: int, receipt: Receipt, place: Place, print_: bytes) -> None:
    """Use up the vouchers that gave a discount of a purchase, with the purchase."""
    for discount in receipt.discounts:
        if discount.voucher:
            activity = Activity("REDEEM", of=place, at=receipt.occurred_at)
            about = (receipt.store_id, receipt.receipt_id)
            line = surely_by_id(batch, discount.voucher)
            if discount.hold:
                end(batch, found(batch, discount.hold, "/tenders"), "captured", print_, purchase=place)
            else:
                happen(batch, now, line, activity, print_, at=receipt.occurred_at, about=about)


def give_back(
    batch: Batch, now: int, receipt: Receipt, place: Place, returned: Returned, about: tuple[str, str], print_: bytes
) -> None:
    """Give back the vouchers of a purchase of which everything came back; `about` is the return's store and number."""
    if not all_back(receipt, returned):
        return
    for discount in receipt.discounts:
        line = surely_by_id(batch, discount.voucher) if discount.voucher else None
        if line is not None and card_of(line).used == place:
            happen(batch, now, line, Activity("REFUND", of=place), print_, at=now, about=about)


def restored(receipt: Receipt, before: Returned, after: Returned) -> list[RestoredAnswer]:
    """Return the vouchers that a return gave back."""
    if not all_back(receipt, after) or all_back(receipt, before):
        return []
    fours = {one.gift_card_id: one.last_four for one in receipt.shown}
    found = [discount for discount in receipt.discounts if discount.voucher]
    return [RestoredAnswer(each.voucher, fours.get(each.voucher, ""), each.offer) for each in found]
