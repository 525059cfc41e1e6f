"""Gift cards that a purchase sells: lines with `stored_value` issue, activate or load a card, and a return voids it.

A line is one card. The receipt keeps the card's id, never a code; the code of a
card that the purchase issued is told once. What does not live here: paying with
a card, and cards that are issued by a call of their own (`gift_cards`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from rewards.basket import Basket, BasketLine
from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.card_money import taken, total
from rewards.ledger.gift_cards import Activity, balance_at, held_minor, read_activity
from rewards.policy.model import GiftCard
from rewards.receipt import Line, Receipt, Returned
from rewards.service.asked import Asked
from rewards.service.batch import Batch, Place
from rewards.service.codes import code_hash, new_code, shown
from rewards.service.commands import Outcome
from rewards.service.gift_cards import (
    card_of,
    check_load,
    check_room,
    event_name,
    hand_out,
    happen,
    money_ends,
    new_card,
    open_lots,
    promised,
)
from rewards.service.journal import Timeline
from rewards.service.known_cards import by_code, by_id, lapse, unknown
from rewards.service.pins import looked_up
from rewards.service.reward_answers import VoidedAnswer
from rewards.store import statements

_ISSUED = b'"gift_cards_issued":[{'
Codes = dict[str, str]  # by the id of the card that was issued with it


def check(batch: Batch, asked: Asked, line: Timeline, receipt: Receipt, basket: Basket) -> None:
    """Raise what refuses a line that sells a card; a product that the policy does not have is the till's own affair."""
    if asked.silent:
        return
    looked_up(batch, asked, [line.stored_value.code for line in basket.lines if line.stored_value is not None])
    loaded: dict[int, int] = {}
    for i, sent, product in sales(batch, receipt, basket):
        check_line(receipt.lines[i], product, line, i)
        check_card(batch, receipt, sent, product, i, loaded)


def check_card(
    batch: Batch, receipt: Receipt, sent: BasketLine, product: GiftCard, i: int, loaded: dict[int, int]
) -> None:
    """Raise what keeps a line's money off the card that it names, or off a new one; `loaded` is by the lines before."""
    pointer = f"/lines/{i}/stored_value"
    card_line = given(batch, sent, i)
    if card_line is None:
        check_room(product, 0, receipt.lines[i].gross_minor, f"/lines/{i}")
        return
    card = card_of(card_line)
    if card.product != product.id or card.state not in {"active", "inactive"}:
        message = f"the gift card is {card.state}, a `{card.product}`: this line cannot load it"
        facts = {"state": card.state, "product": card.product}
        raise Conflict("activity-not-possible", message, pointer=pointer, **facts)
    before = balance_at(card, receipt.occurred_at) + held_minor(card) + loaded.get(card_line.owner, 0)
    loaded[card_line.owner] = loaded.get(card_line.owner, 0) + receipt.lines[i].gross_minor
    check_room(promised(batch.running, card), before, receipt.lines[i].gross_minor, pointer)


def sales(batch: Batch, receipt: Receipt, basket: Basket) -> Iterator[tuple[int, BasketLine, GiftCard]]:
    """Yield the lines that sell a card of the policy, each with its index and its product."""
    products = batch.running.policy_on(receipt.day).gift_cards
    for i, line in enumerate(basket.lines):
        if line.stored_value is not None and (product := products.get(line.stored_value.product)) is not None:
            yield i, line, product


def check_line(line: Line, product: GiftCard, buyer: Timeline, i: int) -> None:
    """Raise what refuses a line that sells a card of a product, whichever card it is."""
    pointer = f"/lines/{i}"
    if product.kind != "paid":
        message = f"a `{product.id}` is given, not sold"
        raise InvalidRequest("not-for-sale", message, pointer=f"{pointer}/stored_value/product")
    if line.quantity != 1:
        message = "a line sells one gift card: write a line for each"
        raise InvalidRequest("one-card-a-line", message, pointer=f"{pointer}/quantity")
    if product.to == "member" and buyer.kind != "member":
        message = f"a `{product.id}` is for one member: name who buys it"
        raise InvalidRequest("gift-card-needs-member", message, pointer="/member")
    check_load(product, line.gross_minor, pointer)


def given(batch: Batch, sent: BasketLine, i: int) -> Timeline | None:
    """Return the card that a line loads, None for a new one; raise `NotFound` `unknown-gift-card`."""
    value, pointer = sent.stored_value, f"/lines/{i}/stored_value"
    assert value is not None
    if not value.code and not value.gift_card_id:
        return None
    line = by_code(batch, value.code) if value.code else by_id(batch, value.gift_card_id)
    if line is None or line.card is None:
        raise unknown(pointer)
    return lapse(batch, line)


def numbered(batch: Batch, asked: Asked, receipt: Receipt, basket: Basket) -> tuple[Receipt, list[Timeline]]:
    """Return the receipt with the id of each card that it sells, and the timelines of the new ones."""
    if asked.silent:
        return receipt, []
    lines, new = list(receipt.lines), []
    for i, sent, _ in sales(batch, receipt, basket):
        if sent.line_id in receipt.unplaced:
            continue
        card_line = given(batch, sent, i)
        if card_line is None:
            card_line = batch.open("card", None)
            batch.number(card_line)
            new.append(card_line)
        lines[i] = msgspec.structs.replace(lines[i], card=batch.running.ids.gift_card(card_line.owner))
    return msgspec.structs.replace(receipt, lines=tuple(lines)) if any(line.card for line in lines) else receipt, new


def hand_over(
    batch: Batch, now: int, buyer: Timeline, receipt: Receipt, new: list[Timeline], place: Place, print_: bytes
) -> Codes:
    """Issue or load the cards of a recorded purchase; return the codes of the new ones."""
    codes = Codes()
    fresh = {line.owner: line for line in new}
    for sold in receipt.lines:
        if not sold.card:
            continue
        owner = batch.running.ids.read_gift_card(sold.card)
        assert owner is not None
        about = (receipt.store_id, _name(receipt.receipt_id, sold))
        if owner in fresh:
            product = batch.running.policy_on(receipt.day).gift_cards[sold.stored_value or ""]
            member = buyer.owner if product.to == "member" else 0
            code = codes[sold.card] = new_code()
            card = new_card(batch.running, product, code, receipt.occurred_at, member)
            hand_out(batch, now, fresh[owner], card, code, sold.gross_minor, print_, place=place, about=about)
        else:
            line = batch.line(owner)
            assert line is not None
            _load(batch, now, line, receipt, sold, place, print_)
    return codes


def _name(of: str, sold: Line) -> str:
    return f"{of}\x1f{sold.line_id}"


def _load(batch: Batch, now: int, line: Timeline, receipt: Receipt, sold: Line, place: Place, print_: bytes) -> None:
    card = card_of(line)
    at = max(receipt.occurred_at, card.clock)
    parts = ((money_ends(batch.running, promised(batch.running, card), at), sold.gross_minor),)
    kind = "ACTIVATE" if card.state == "inactive" else "LOAD"
    about = (receipt.store_id, _name(receipt.receipt_id, sold))
    happen(batch, now, line, Activity(kind, of=place, at=at, parts=parts), print_, at=at, about=about)


# telling


def issued(batch: Batch, receipt: Receipt, place: Place | None) -> list[dict[str, object]]:
    """Return the cards that a purchase issued or loaded; a quote has none yet."""
    found: list[dict[str, object]] = []
    for sold in receipt.lines:
        line = by_id(batch, sold.card) if sold.card and place is not None else None
        if line is not None:
            card = card_of(line)
            found.append(
                {
                    "line_id": sold.line_id,
                    "gift_card_id": sold.card,
                    "product": card.product,
                    "last_four": card.last_four,
                    "amount_minor": sold.gross_minor,
                    "new": _is_new(batch, line, receipt, sold),
                }
            )
    return found


def _is_new(batch: Batch, line: Timeline, receipt: Receipt, sold: Line) -> bool:
    name = event_name("ISSUE", _name(receipt.receipt_id, sold))
    return batch.by_id.get(line.owner, "card", receipt.store_id, name) is not None


def with_codes(outcome: Outcome, codes: Codes) -> Outcome:
    """Return the answer with the codes of the cards that were issued, which the stored one does not have."""
    if not codes or _ISSUED not in outcome.body:
        return outcome
    answer = msgspec.json.decode(outcome.body)
    for one in answer["gift_cards_issued"]:
        if one["gift_card_id"] in codes:
            one["code"] = shown(codes[one["gift_card_id"]])
    return msgspec.structs.replace(outcome, body=msgspec.json.encode(answer))


def with_new_codes(batch: Batch, outcome: Outcome) -> Outcome:
    """Return a stored answer with a new code for each card that the purchase issued: the first was not kept."""
    if _ISSUED not in outcome.body:
        return outcome
    codes: Codes = {}
    for one in msgspec.json.decode(outcome.body)["gift_cards_issued"]:
        owner = batch.running.ids.read_gift_card(one["gift_card_id"])
        if one["new"] and owner is not None:
            code = codes[one["gift_card_id"]] = new_code(one["last_four"])
            row = (code_hash(batch.running.secret, code), owner, one["last_four"])
            batch.more[statements.ADD_CODE_ROUTE].append(row)
    return with_codes(outcome, codes)


# coming back


def _cards_of(batch: Batch, receipt: Receipt, units: Returned) -> Iterator[tuple[Line, Timeline]]:
    """Yield the cards that lines had sold of which units came back."""
    for sold in receipt.lines:
        line = by_id(batch, sold.card) if sold.card and sold.line_id in units else None
        if line is not None:
            yield sold, line


def void(
    batch: Batch, now: int, receipt: Receipt, place: Place, units: Returned, about: tuple[str, str], print_: bytes
) -> None:
    """Take back what is left on the cards that returned lines had sold; `about` is the return's store and number.

    A card that the purchase had issued, and on which nothing is left, is deactivated.
    """
    for sold, line in _cards_of(batch, receipt, units):
        card = card_of(lapse(batch, line))
        at = max(now, card.clock)
        lots = open_lots(card, at)
        parts = taken(lots, min(sold.gross_minor, total(lots)))
        own = (about[0], _name(about[1], sold))
        happen(batch, now, line, Activity("VOID", of=place, at=at, parts=parts), print_, at=at, about=own)
        card = card_of(line)
        left = balance_at(card, at) + held_minor(card)
        if not left and card.state != "deactivated" and _is_new(batch, line, receipt, sold):
            happen(batch, now, line, Activity("DEACTIVATE", at=at), print_, at=at, about=own)


def voided(batch: Batch, receipt: Receipt, units: Returned, about: tuple[str, str]) -> list[VoidedAnswer]:
    """Return what a return took back from which card, and what of it was spent by then."""
    found = []
    for sold, line in _cards_of(batch, receipt, units):
        name = event_name("VOID", _name(about[1], sold))
        known = batch.by_id.get(line.owner, "card", about[0], name)
        assert known is not None
        back = total(read_activity(batch.event(line.owner, known[0])[9]).parts)
        found.append(VoidedAnswer(sold.line_id, sold.card, card_of(line).last_four, back, sold.gross_minor - back))
    return found


def spent(voided_: Sequence[VoidedAnswer]) -> int:
    """Return what is kept off a refund, in minor units: it was spent before the card came back."""
    return sum(one.spent_minor for one in voided_)
