"""Verify for holds: their names lead to them, and purchases know what they captured.

What does not live here: the states that events give (`audit`, `card_audit`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rewards.ledger.gift_cards import read_activity
from rewards.receipt import Receipt, held_left
from rewards.service.batch import Batch, Place
from rewards.service.gift_cards import event_name
from rewards.service.journal import Row, Timeline, read_hold, read_hold_end, read_receipt, recorded_first

_BEGINS, _END = event_name("HOLD", ""), event_name("END", "")


def faults(batch: Batch, line: Timeline, events: Sequence[Row]) -> Iterator[str]:
    """Yield what is wrong with the holds of a member or a card, and with those that purchases captured."""
    for row in events:
        if row[2] == "card" and row[3].startswith(_BEGINS):
            yield from _begun(batch, row, read_activity(row[11]).hold)
        elif row[2] == "card" and row[3].startswith(_END):
            activity = read_activity(row[11])
            yield from _captured(batch, row, activity.hold, activity.of)
        elif row[2] == "hold" and row[3].startswith("\x1f"):
            end = read_hold_end(row[11])
            yield from _captured(batch, row, end.id, end.purchase if any(end.purchase) else None)
        elif row[2] == "hold":
            yield from _begun(batch, row, read_hold(row[11]).id)
        elif row[2] == "purchase" and line.kind != "budget":
            yield from _named(batch, row, read_receipt(row[11]))


def _begun(batch: Batch, row: Row, name: str) -> Iterator[str]:
    route = batch.receipts.get("", name, "hold")
    if route is None or route[:2] != row[:2]:
        yield f"event {row[1]}: its hold `{name}` does not lead to it"


def _captured(batch: Batch, row: Row, name: str, of: Place | None) -> Iterator[str]:
    other = batch.events.get(*of) if of is not None else None
    if of is not None and (other is None or other[0] != "purchase" or name not in holds_of(read_receipt(other[9]))):
        yield f"event {row[1]}: the purchase that it names did not capture the hold `{name}`"


def _named(batch: Batch, row: Row, receipt: Receipt) -> Iterator[str]:
    place = recorded_first(row[0], row[1], receipt)
    for name in holds_of(receipt):
        route = batch.receipts.get("", name, "hold")
        owner = route[0] if route is not None else None
        holder = batch.line(owner) if owner is not None else None
        of_points = holder is not None and holder.card is None
        kind, end = ("hold", f"\x1f{name}") if of_points else ("card", event_name("END", name))
        known = batch.by_id.get(owner, kind, "", end) if owner is not None else None
        body = batch.event(owner, known[0])[9] if owner is not None and known is not None else None
        by = None if body is None else read_hold_end(body).purchase if of_points else read_activity(body).of
        if by != place:
            yield f"event {row[1]}: the hold `{name}` was not captured by it"


def holds_of(receipt: Receipt) -> set[str]:
    """Return the holds that a purchase captured."""
    found = {one.hold for one in receipt.tenders if one.hold} | {one.hold for one in receipt.discounts if one.hold}
    return found | held_left(receipt, {}).keys()
