"""What was not there at a till that was offline: booked with the purchase, undone with its returns, and verified.

What does not live here: how much that is (`ledger.shortfalls`), and why (`offline_tenders`, `offline_sales`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterator, Sequence

from rewards.ledger import shortfalls
from rewards.ledger.entries import Entry
from rewards.ledger.timeline import Booking
from rewards.receipt import Receipt, Returned
from rewards.service.batch import Batch
from rewards.service.journal import Row, read_receipt, read_return, total


def added(batch: Batch, receipt: Receipt, booking: Booking | None) -> Sequence[Entry]:
    """Book what a purchase lacks with its own entry; return the entry of a guest's, who has no other."""
    return _booked(batch, receipt, booking, "purchase", receipt.occurred_at, {}, shortfalls.left(receipt, {}))


def undone(
    batch: Batch, receipt: Receipt, booking: Booking | None, at: int, before: Returned, after: Returned
) -> Sequence[Entry]:
    """Book what a return undoes of it, in the same way."""
    was, now = shortfalls.left(receipt, before), shortfalls.left(receipt, after)
    return _booked(batch, receipt, booking, "return", at, was, now)


def _booked(
    batch: Batch,
    receipt: Receipt,
    booking: Booking | None,
    kind: str,
    at: int,
    before: dict[str, int],
    after: dict[str, int],
) -> Sequence[Entry]:
    legs = shortfalls.legs(receipt.currency, before, after)
    if legs and booking is not None:
        booking.entries[-1].postings.extend(legs)
    if not legs or booking is not None:
        return ()
    version = batch.running.policy_on(receipt.day).version
    return [Entry(kind=kind, occurred_at=at, policy_version=version, postings=legs)]


def faults(
    events: Sequence[Row], entries: Sequence[Row], postings: Sequence[Row], came: Container[int]
) -> Iterator[str]:
    """Yield the purchases and returns whose postings are not what was lacking.

    A claimed purchase booked it before, and so did the events that `came` with a merged member.
    """
    event_of = {row[1]: row[2] for row in entries}
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in postings:
        if row[3] in shortfalls.KINDS:
            sign = -1 if row[3] == shortfalls.STORED_VALUE else 1
            found[event_of.get(row[1], 0)][row[3]] = sign * row[5]
    receipts: dict[int, Receipt] = {}
    back: dict[int, Returned] = {}
    for row in events:
        wanted: dict[str, int] = {}
        if row[2] == "purchase":
            receipt = receipts[row[1]] = read_receipt(row[11])
            wanted = {} if receipt.first_owner else shortfalls.left(receipt, {})
        elif row[2] == "return" and row[4] in receipts:
            before = back.get(row[4], {})
            back[row[4]] = total([before, read_return(row[11])])
            wanted = {} if row[1] in came else _change(receipts[row[4]], before, back[row[4]])
        if found.get(row[1], {}) != wanted:
            yield f"event {row[1]}: its postings are not what was lacking"


def _change(receipt: Receipt, before: Returned, after: Returned) -> dict[str, int]:
    was, now = shortfalls.left(receipt, before), shortfalls.left(receipt, after)
    return {kind: change for kind, minor in was.items() if (change := now.get(kind, 0) - minor)}
