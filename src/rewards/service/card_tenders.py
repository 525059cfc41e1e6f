"""Gift cards that pay: what each may pay of which lines, the money taken with the purchase, and given back.

A receipt keeps the card's id and last four, never its code. Money that was given
is recorded as the tender `promotional`, so that it counts as `eligible` says of
points; callers see `gift_card`. What does not live here: how tenders are laid
on lines (`basket.paid`), and PINs (`pins`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from rewards.basket import Basket, BasketTender
from rewards.days import instant
from rewards.engine.lines import selects
from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.card_money import given_back
from rewards.ledger.gift_cards import Activity, Card, balance_at, read_activity, state_at
from rewards.receipt import Line, Receipt, Tender
from rewards.service.asked import Asked
from rewards.service.batch import Batch, Place
from rewards.service.card_activities import lasts_at_least, spent
from rewards.service.codes import may_hold_code, normal
from rewards.service.commands import ShowGiftCards
from rewards.service.gift_cards import card_of, event_name, happen, promised
from rewards.service.hold_ends import HOLD, Found, end, found, too_small
from rewards.service.journal import Timeline
from rewards.service.known_cards import surely_by_id
from rewards.service.pins import begin_anew, opened
from rewards.service.rule_cards import paid_for

KIND, PROMOTIONAL = "gift_card", "promotional"
Allowed = dict[int, list[bool]]  # by tender: the lines that it may pay, where those are not all


def proof(basket: Basket) -> ShowGiftCards | None:
    """Return what proves the codes and PINs of a quote, None if it brings none: a read cannot count wrong ones."""
    shown = [(i, one) for i, one in enumerate(basket.tenders) if one.kind == KIND and one.code]
    loaded = tuple(line.stored_value.code for line in basket.lines if line.stored_value is not None)
    codes = tuple(code for code in (*loaded, *basket.codes) if may_hold_code(code))
    if not shown and not codes:
        return None
    cards = tuple((one.code, one.pin) for _, one in shown)
    return ShowGiftCards(cards, tuple(f"/tenders/{i}" for i, _ in shown), codes, instant(basket.occurred_at))


def by_card(
    batch: Batch, asked: Asked, buyer: Timeline, receipt: Receipt, basket: Basket, i: int, hold: Found | None = None
) -> tuple[Tender, list[bool] | None]:
    """Return what a card pays, out of a hold if there is one, and which lines it may pay if not all; or raise.

    One without a code is another system's card, which only a trusted caller may name.
    """
    sent, pointer = basket.tenders[i], f"/tenders/{i}"
    if hold is not None:
        return _tender(batch, buyer, receipt, hold.line, sent, pointer, hold)
    check_form(sent, pointer)
    line = opened(batch, asked, sent.code, sent.pin, pointer)
    return _tender(batch, buyer, receipt, line, sent, pointer)


def check_form(sent: BasketTender, pointer: str) -> None:
    """Raise `InvalidRequest` for what names no gift card."""
    if sent.wallet or sent.points is not None or sent.up_to:
        message = "`wallet`, `points` and `up_to` are for a tender of kind `points`"
        raise InvalidRequest("tender-ambiguous", message, pointer=pointer)
    if not sent.code:
        raise InvalidRequest("code-missing", "a gift card is named by its `code`", pointer=f"{pointer}/code")


def check_amount(sent: BasketTender, pointer: str) -> int:
    """Return what a card is to pay, in minor units; raise `InvalidRequest` `amount-missing` for nothing."""
    if not sent.amount_minor:
        message = "give what the gift card pays in `amount_minor`"
        raise InvalidRequest("amount-missing", message, pointer=f"{pointer}/amount_minor")
    return sent.amount_minor


def check_usable(batch: Batch, card: Card, state: str, buyer: Timeline, pointer: str) -> None:
    """Raise `Conflict` `gift-card-not-usable` unless a card in a state may pay for a buyer."""
    state = "voucher" if card.kind == "voucher" else state
    if state == "active" and card.personal and batch.now_of(card.member) != buyer.owner:
        state = "other-member"
    if state != "active":
        facts = {"state": state, "last_four": card.last_four}
        raise Conflict("gift-card-not-usable", WHY_NOT[state], pointer=pointer, **facts)


def _tender(
    batch: Batch,
    buyer: Timeline,
    receipt: Receipt,
    line: Timeline,
    sent: BasketTender,
    pointer: str,
    hold: Found | None = None,
) -> tuple[Tender, list[bool] | None]:
    card, at = card_of(line), receipt.occurred_at
    if hold is not None and hold.kind == "code":
        return Tender(HOLD, 0, hold=hold.id), None
    check_usable(batch, card, state_at(card, max(at, card.clock)), buyer, pointer)
    minor = check_amount(sent, pointer)
    if hold is None:
        spent(card, minor, max(at, card.clock), pointer)
    elif minor > hold.minor:
        raise too_small(hold, minor, pointer)
    tender = tender_of(batch, line, minor, hold.id if hold is not None else "")
    return tender, payable_lines(batch, card, receipt)


def tender_of(batch: Batch, line: Timeline, minor: int, hold: str = "") -> Tender:
    """Return the tender that a card's timeline stands behind."""
    card = card_of(line)
    kind = PROMOTIONAL if card.kind == PROMOTIONAL else KIND
    return Tender(kind, minor, card=batch.running.ids.gift_card(line.owner), last_four=card.last_four, hold=hold)


def payable_lines(batch: Batch, card: Card, receipt: Receipt) -> list[bool] | None:
    """Return which lines a card may pay, None for all: not those of its `not_on`, nor given money stored value."""
    not_on = promised(batch.running, card).not_on
    lines = [
        (not_on is None or not selects(not_on, one)) and (card.kind != PROMOTIONAL or one.stored_value is None)
        for one in receipt.lines
    ]
    return None if all(lines) else lines


WHY_NOT = {
    "not-a-voucher": "the gift card holds money: hold some of it with kind `gift_card`",
    "held": "the voucher is held already",
    "voucher": "a voucher gives an offer and holds no money: send its code in `codes`",
    "inactive": "the gift card is not active yet",
    "blocked": "the gift card is blocked",
    "locked": "the gift card is locked",
    "deactivated": "the gift card is deactivated",
    "expired": "the gift card has expired",
    "used": "the gift card is used",
    "other-member": "the gift card is for one member, who is not the buyer",
}


def as_sent(receipt: Receipt, basket: Basket) -> Receipt:
    """Return a receipt as it was sent, with the last four of the codes of its cards."""
    if not any(one.code for one in basket.tenders):
        return receipt
    pairs = zip(receipt.tenders, basket.tenders, strict=True)
    fours = (msgspec.structs.replace(tender, last_four=normal(one.code)[-4:]) for tender, one in pairs)
    return msgspec.structs.replace(receipt, tenders=tuple(fours))


def redeem(batch: Batch, now: int, receipt: Receipt, place: Place, print_: bytes) -> None:
    """Take the money of the cards that paid a purchase, with the purchase."""
    for line, tender in _cards(batch, receipt):
        if tender.hold:
            end(
                batch,
                found(batch, tender.hold, "/tenders"),
                "captured",
                print_,
                taken=tender.amount_minor,
                purchase=place,
            )
            continue
        card = card_of(line)
        at = max(receipt.occurred_at, card.clock)
        minor = tender.amount_minor - tender.shortfall_minor
        activity = Activity("REDEEM", of=place, at=at, parts=spent(card, minor, at, "/tenders"))
        about = (receipt.store_id, receipt.receipt_id)
        happen(batch, now, line, activity, print_, at=receipt.occurred_at, about=about)
        begin_anew(batch, line)


def _cards(batch: Batch, receipt: Receipt) -> Iterator[tuple[Timeline, Tender]]:
    for tender in receipt.tenders:
        if tender.card:
            yield surely_by_id(batch, tender.card), tender


# coming back


def give_back(
    batch: Batch,
    now: int,
    receipt: Receipt,
    place: Place,
    before: Sequence[int],
    refund: Sequence[int],
    about: tuple[str, str],
    print_: bytes,
) -> None:
    """Give back to the cards what returned goods had taken: `refund` by tender, after `before` went back earlier.

    The money goes into the lots that it came from, and lasts as long as points that are given back. A blocked or
    expired card takes it too; a deactivated one takes nothing (`paid_out`, `told`).
    """
    for tender, earlier, minor in zip(receipt.tenders, before, refund, strict=True):
        line = surely_by_id(batch, tender.card) if tender.card and minor else None
        if line is None or line.card is None or line.card.state == "deactivated":
            continue
        name = event_name("END", tender.hold) if tender.hold else event_name("REDEEM", receipt.receipt_id)
        known = batch.by_id.get(line.owner, "card", "" if tender.hold else receipt.store_id, name)
        assert known is not None
        taken = read_activity(batch.event(line.owner, known[0])[9]).parts
        at = max(now, line.card.clock)
        parts = given_back(taken, earlier, minor, lasts_at_least(batch.running, at))
        happen(batch, now, line, Activity("REFUND", of=place, at=at, parts=parts), print_, at=at, about=about)


def took(batch: Batch, tender: Tender, about: tuple[str, str]) -> bool:
    """Return whether the card of a tender took what a return gave back, whose store and number are `about`."""
    line = surely_by_id(batch, tender.card)
    return batch.by_id.get(line.owner, "card", about[0], event_name("REFUND", about[1])) is not None


def paid_out(
    batch: Batch, receipt: Receipt, before: Sequence[int], refund: Sequence[int], about: tuple[str, str]
) -> list[int]:
    """Return by tender the money that is handed out because its card is gone, in minor units; `before` went earlier.

    It was sold, or somebody has paid for it since: see `rule_cards.paid_for`.
    """
    found = []
    for tender, earlier, minor in zip(receipt.tenders, before, refund, strict=True):
        out = 0
        if tender.card and minor and not took(batch, tender, about):
            out = minor if tender.kind == KIND else paid_for(batch, surely_by_id(batch, tender.card), earlier, minor)
        found.append(out)
    return found


# telling


def told(batch: Batch, receipt: Receipt, tenders: list[dict[str, object]], now: int) -> list[dict[str, object]]:
    """Return the tenders of a receipt, the cards among them as callers know them."""
    return [_told(batch, receipt.tenders[i], one, now) for i, one in enumerate(tenders)]


def _told(batch: Batch, tender: Tender, one: dict[str, object], now: int) -> dict[str, object]:
    if not tender.card:
        return one
    card = card_of(surely_by_id(batch, tender.card))
    known = {"gift_card_id": tender.card, "last_four": tender.last_four}
    return {**one, "kind": KIND, **known, "balance_minor": balance_at(card, now)}


def refund_told(
    batch: Batch,
    receipt: Receipt,
    refund: list[dict[str, object]],
    out: Sequence[int],
    about: tuple[str, str],
    now: int,
) -> list[dict[str, object]]:
    """Return what goes back on each tender, the cards among them as callers know them.

    What a deactivated card did not take is `paid_out` if it was money, and `forfeited` if it was given; where it was
    both, `forfeited_minor` was given. `out` is what is handed out by tender.
    """
    found = []
    for one in refund:
        index, minor = one["tender"], one["amount_minor"]
        assert isinstance(index, int)
        assert isinstance(minor, int)
        tender = receipt.tenders[index]
        told_ = _told(batch, tender, one, now)
        if tender.card and minor and not took(batch, tender, about):
            told_["paid_out" if out[index] else "forfeited"] = True
            if 0 < out[index] < minor:
                told_["forfeited_minor"] = minor - out[index]
        found.append(told_)
    return found


def promotional_minor(receipt: Receipt, line: Line) -> int:
    """Return what promotional money paid of a line."""
    pairs = zip(receipt.tenders, line.tenders_minor, strict=False)
    return sum(share for tender, share in pairs if tender.kind == PROMOTIONAL)
