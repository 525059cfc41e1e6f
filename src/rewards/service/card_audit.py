"""Verify and rebuild for gift cards: their state folded anew, and what it must agree on with codes, members, purchases.

What does not live here: numbers and routes of events, which all owners share (`audit`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rewards.ledger.card_money import Lots, add
from rewards.ledger.gift_cards import Activity, Card, after, held_minor, read_activity
from rewards.ledger.lots import NEVER
from rewards.receipt import Receipt
from rewards.service.batch import Batch
from rewards.service.journal import Row, Timeline, read_receipt, recorded_first
from rewards.store import statements


def fold(events: Sequence[Row]) -> Card | None:
    """Return the state that a card's events give, in the order in which they were recorded."""
    card: Card | None = None
    for row in events:
        card = after(card, read_activity(row[11]))
    return card


def faults(batch: Batch, line: Timeline, events: Sequence[Row], postings: Sequence[Row]) -> Iterator[str]:
    """Yield what is wrong with a card, one sentence for each fault."""
    card = fold(events)
    if card is None:
        yield "it is a gift card that was never issued"
        return
    if card != line.card:
        yield "its state is not what its events give"
    if add((), _lots(postings)) != card.lots or any(row[4] != card.currency for row in postings):
        yield "its postings do not add up to what is on it"
    if sum(row[5] for row in postings if row[3] == "held") != held_minor(card):
        yield "its postings do not add up to what is held of it"
    for row in events:
        yield from _event(batch, line.owner, row[1], read_activity(row[11]))


def _lots(postings: Sequence[Row]) -> Lots:
    return tuple((NEVER if row[8] is None else row[8], row[5]) for row in postings if row[3] == "lot")


def _event(batch: Batch, owner: int, number: int, activity: Activity) -> Iterator[str]:
    if activity.card is not None:
        routes = batch.session.rows(statements.CODE, (activity.code_hash,))
        if routes != [(owner, activity.card.last_four)]:
            yield "the code that it was issued with does not lead to it"
        member = activity.card.member
        if member and (member, owner) not in batch.session.keyed(statements.HELD_CARDS, [(member,)]):
            yield "its member is not known to have it"
    if activity.of is None:
        return
    other = batch.events.get(*activity.of)
    if activity.kind in _OTHER_WAY:
        beside = read_activity(other[9]) if other is not None and other[0] == "card" else None
        mirrored = beside is not None and (beside.kind, beside.of, beside.parts) == (
            _OTHER_WAY[activity.kind],
            (owner, number),
            activity.parts,
        )
        if not mirrored:
            yield f"event {number}: the other card of this transfer does not know of it"
        return
    if activity.kind in {"ISSUE", "VOID"} and any(owner == card for _, _, card in batch.given.get(*activity.of)):
        return
    receipt = read_receipt(other[9]) if other is not None and other[0] == "purchase" else None
    if receipt is None or batch.running.ids.gift_card(owner) not in _named(receipt):
        yield f"event {number}: the purchase that it names had nothing from it"


def ungiven(batch: Batch, member: Timeline, events: Sequence[Row]) -> Iterator[str]:
    """Yield the gift cards that a member's events are said to have given, and that know nothing of it."""
    numbers = {row[1] for row in events}
    for _, number, giver, _, card in batch.session.keyed(statements.GIVEN_CARDS_OF_OWNER, [(member.owner,)]):
        first = batch.events.get(card, 1)
        of = read_activity(first[9]).of if first is not None and first[0] == "card" else None
        if number not in numbers or of != (member.owner, number):
            yield f"event {number}: the gift card that `{giver}` gave was not issued by it"


_OTHER_WAY = {"TRANSFER_OUT": "TRANSFER_IN", "TRANSFER_IN": "TRANSFER_OUT"}


def _named(receipt: Receipt) -> set[str]:
    """Return the gift cards that a purchase used."""
    sold = {line.card for line in receipt.lines}
    return {discount.voucher for discount in receipt.discounts} | sold | {tender.card for tender in receipt.tenders}


_USED, _LOADED = frozenset(("REDEEM", "CAPTURE")), frozenset(("ISSUE", "ACTIVATE", "LOAD"))


def unredeemed(batch: Batch, place: tuple[int, int], row: Row) -> Iterator[str]:
    """Yield the gift cards that gave, paid or were sold by a purchase, and do not know of it."""
    receipt = read_receipt(row[11])
    place = recorded_first(*place, receipt)
    used = [*(each.voucher for each in receipt.discounts), *(each.card for each in receipt.tenders)]
    sold = [line.card for line in receipt.lines]
    wanted = [*((name, _USED, "used up") for name in used), *((name, _LOADED, "loaded") for name in sold)]
    for name, kinds, what in wanted:
        owner = batch.running.ids.read_gift_card(name) if name else None
        if owner is not None:
            events = batch.session.keyed(statements.EVENTS_OF_OWNER, [(owner,)])
            acts = [read_activity(each[11]) for each in events]
            if not any(act.kind in kinds and act.of == place for act in acts):
                yield f"event {row[1]}: the gift card {name} was not {what} by it"
