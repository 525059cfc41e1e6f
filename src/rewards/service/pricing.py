"""Our discounts on a purchase: decided, or kept as a quote promised, and told.

What does not live here: which combination is best (`engine.offers`), and who may
have what (`engine.till`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from rewards.engine.explain import Money, several
from rewards.engine.till import Buyer, Decision, Withheld, decide, left, with_free
from rewards.errors import Conflict
from rewards.ledger.timeline import Purchase
from rewards.policy.model import AmountOff, FixedPrice, Free, Offer, PercentOff, Policy
from rewards.receipt import Discount, Receipt
from rewards.service import budgets, hold_tenders, rewards, vouchers
from rewards.service.answers import DiscountAnswer, LineAmount, NotApplied
from rewards.service.awards import title
from rewards.service.batch import Batch
from rewards.service.hold_ends import NONE, Holds
from rewards.service.journal import Timeline
from rewards.service.promises import Promise


def decided(batch: Batch, line: Timeline, receipt: Receipt, promise: Promise | None, holds: Holds = NONE) -> Decision:
    """Return the receipt with our discounts taken off; a promise is kept as it was given, holds give what they keep.

    Raises `Conflict` `offer-gone` if a limit, a budget or a voucher was used up since the quote.
    """
    version, guest = batch.running.ready().on(receipt.day), line.kind == "guest"
    if promise is None and not (version.offers_by_itself or receipt.codes or receipt.rewards or holds):
        return Decision(receipt, [])  # nothing asks for an offer
    receipt, hand = vouchers.shown(batch, line, receipt)
    if holds:
        hand = hold_tenders.with_vouchers(batch, receipt, hand, holds)
    wanted = rewards.Wanted()
    if promise is None:
        wanted = rewards.asked(batch, line, hold_tenders.asking(receipt, holds))
        wanted = hold_tenders.at_their_cost(wanted, holds)
    if promise is not None:
        decision = Decision(_as_promised(batch, line, receipt, promise), [])
    elif not (version.offers_by_itself or hand.asking or wanted.offers):
        decision = Decision(receipt, [])
    else:
        asked = {**hand.offers, **wanted.offers}
        decision = decide(version, receipt, buyer(batch, line, receipt), asked, budgets.drawn_so_far(batch))
        given = rewards.priced(version.policy, wanted, vouchers.given(hand, decision.receipt))
        decision = replace(decision, receipt=given)
        decision.withheld.extend(rewards.unused(wanted, decision))
    if holds:
        decision = hold_tenders.out_of(batch, decision, holds)
    if receipt.rewards:
        bought = tuple(wanted.bought) if promise is None else rewards.promised(batch, line, receipt, promise)
        decision = replace(decision, receipt=msgspec.structs.replace(decision.receipt, bought=bought))
        rewards.check_enough(batch, line, decision.receipt)
    kept = vouchers.kept(hand, version.policy, decision.receipt, guest=guest)
    return decision if kept is decision.receipt else replace(decision, receipt=kept)


def buyer(batch: Batch, line: Timeline, receipt: Receipt) -> Buyer | None:
    """Return what the till knows of whoever buys; None for a guest."""
    if line.kind != "member":
        return None
    return Buyer(batch.scene(line, Purchase(line.events + 1, receipt)), line.near.uses)


def _as_promised(batch: Batch, line: Timeline, receipt: Receipt, promise: Promise) -> Receipt:
    vouchers.check_promised(batch, promise.discounts)
    offers = batch.running.policy_on(receipt.day).offers
    for discount in promise.discounts:
        offer = offers.get(discount.offer)
        if offer is None:
            continue
        day = receipt.day
        if not (has_room(offer, discount, line, day) and budgets.has_room(batch, offer, discount, day)):
            raise Conflict(
                "offer-gone",
                f"the offer `{offer.id}` was used up since the quote: ask for a new one",
                pointer="/quote",
                offer=offer.id,
            )
    lines = list(receipt.lines)
    for discount in promise.discounts:
        for i, off in enumerate(discount.lines_minor):
            old = lines[i]
            lines[i] = msgspec.structs.replace(old, offers_minor=old.offers_minor + off, net_minor=old.net_minor - off)
    return with_free(msgspec.structs.replace(receipt, lines=tuple(lines), discounts=promise.discounts))


def has_room(offer: Offer, discount: Discount, line: Timeline, day: int) -> bool:
    """Return whether a member's limits of an offer still hold a discount."""
    wanted = {"times": 1, "units": discount.units, "money": discount.amount_minor}
    known = line.near.uses.get(offer.id, ())
    return all(left(limit, known, day) >= wanted[limit.what] for limit in offer.limits if limit.per != "receipt")


def discounts_of(policy: Policy, receipt: Receipt, language: str = "") -> list[DiscountAnswer]:
    """Return what our offers took off, each with its shares and its reason."""
    found = []
    for discount in receipt.discounts:
        shares = zip(receipt.lines, discount.lines_minor, strict=True)
        offer = policy.offers.get(discount.offer)
        found.append(
            DiscountAnswer(
                offer=discount.offer,
                amount_minor=discount.amount_minor,
                lines=[LineAmount(line.line_id, off) for line, off in shares if off],
                why=_why(policy, receipt, discount),
                title=title(offer.title, language) if offer is not None else "",
                gift_card_id=discount.voucher,
                reward=discount.reward,
                wallet=discount.wallet,
                points=sum(discount.lines_points),
            )
        )
    return found


def _why(policy: Policy, receipt: Receipt, discount: Discount) -> str:
    """Say what came off what: `20% off 24.00 of cake`."""
    offer = policy.offers.get(discount.offer)
    if offer is None:
        return f"as the {'voucher' if discount.voucher else 'quote'} promised"
    money = Money(policy.decimals)
    what = offer.on_name or "the basket"
    touched = [line for line, off in zip(receipt.lines, discount.lines_minor, strict=True) if off]
    cost = sum(line.gross_minor - line.discount_minor for line in touched)
    match offer.gives:
        case PercentOff(numerator=part, denominator=whole):
            text = f"{_percent(part, whole)} off {money.text(cost)} of {what}"
        case AmountOff(minor=minor, per_unit=True):
            text = f"{money.text(minor)} off each of {several(discount.units, 'unit')} of {what}"
        case AmountOff(minor=minor):
            text = f"{money.text(minor)} off {what}"
        case FixedPrice(minor=minor):
            text = f"{several(discount.units, 'unit')} of {what} at {money.text(minor)}"
        case Free(off=(part, whole)):
            free = "free" if part == whole else f"{_percent(part, whole)} off"
            text = f"{several(discount.units, 'unit')} of {what} {free}"
    if offer.at_most is not None and discount.amount_minor == offer.at_most:
        text += f", at most {money.text(offer.at_most)}"
    text = f"{text}, by a voucher" if discount.voucher else text
    if discount.reward:
        wallet, points = policy.wallets.get(discount.wallet), sum(discount.lines_points)
        text += f", for {points} {wallet.one if wallet is not None and points == 1 else discount.wallet}"
    return f"{text}; that was all that was left" if discount.rest else text


def _percent(part: int, whole: int) -> str:
    """Write a share: `10.5%`.

    >>> _percent(1, 5), _percent(21, 200)
    ('20%', '10.5%')
    """
    hundredths = part * 10_000 // whole
    text = f"{hundredths // 100}.{hundredths % 100:02}".rstrip("0").rstrip(".")
    return f"{text}%"


def withheld_of(withheld: Iterable[Withheld]) -> list[NotApplied]:
    """Return the offers that did not apply, each with its reason."""
    return [
        NotApplied(
            rule=one.offer.id,
            condition=one.condition,
            why=one.why,
            short_minor=one.short if one.unit == "minor" else 0,
            short=0 if one.unit == "minor" else one.short,
        )
        for one in withheld
    ]
