"""Verify and rebuild for gift cards: their state folded anew, and what it must agree on with codes, members, purchases.

What does not live here: numbers and routes of events, which all owners share (`audit`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rewards.ledger.gift_cards import Activity, Card, after, read_activity
from rewards.service.batch import Batch
from rewards.service.journal import Row, Timeline, read_receipt, recorded_first
from rewards.store import statements


def fold(events: Sequence[Row]) -> Card | None:
    """Return the state that a card's events give, in the order in which they were recorded."""
    card: Card | None = None
    for row in events:
        card = after(card, read_activity(row[11]))
    return card


def faults(batch: Batch, line: Timeline, events: Sequence[Row]) -> Iterator[str]:
    """Yield what is wrong with a card, one sentence for each fault."""
    card = fold(events)
    if card is None:
        yield "it is a gift card that was never issued"
        return
    if card != line.card:
        yield "its state is not what its events give"
    for row in events:
        yield from _event(batch, line.owner, row[1], read_activity(row[11]))


def _event(batch: Batch, owner: int, number: int, activity: Activity) -> Iterator[str]:
    if activity.card is not None:
        routes = batch.session.rows(statements.CODE, (activity.code_hash,))
        if routes != [(owner, activity.card.last_four)]:
            yield "the code that it was issued with does not lead to it"
        member = activity.card.member
        if member and (member, owner) not in batch.session.keyed(statements.HELD_CARDS, [(member,)]):
            yield "its member is not known to have it"
    if activity.of is not None:
        purchase = batch.events.get(*activity.of)
        name = batch.running.ids.gift_card(owner)
        gave = purchase is not None and purchase[0] == "purchase" and read_receipt(purchase[9]).discounts
        if not gave or all(discount.voucher != name for discount in gave):
            yield f"event {number}: the purchase that it names had nothing from it"


def unredeemed(batch: Batch, place: tuple[int, int], row: Row) -> Iterator[str]:
    """Yield the vouchers that gave a discount of a purchase and were not used up by it."""
    receipt = read_receipt(row[11])
    place = recorded_first(*place, receipt)
    for discount in receipt.discounts:
        owner = batch.running.ids.read_gift_card(discount.voucher) if discount.voucher else None
        if owner is not None:
            events = batch.session.keyed(statements.EVENTS_OF_OWNER, [(owner,)])
            acts = [read_activity(each[11]) for each in events]
            if not any(act.kind == "REDEEM" and act.of == place for act in acts):
                yield f"event {row[1]}: the voucher {discount.voucher} was not used up by it"
