"""Claims: a guest's purchase that counts for a member from then on, by the code printed on its receipt.

The purchase is recorded once more, on the member's timeline, where it counts as
one that arrives late; its id and its number lead there (`places`). What was
decided at the till is not looked at again. What does not live here: making the
code (`codes`), and putting it into the till's answer (`batch`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from hmac import compare_digest
from typing import Never
from zoneinfo import ZoneInfo

import msgspec

from rewards.days import instant, moment
from rewards.errors import Conflict, NotFound
from rewards.ledger.timeline import Purchase
from rewards.receipt import Receipt
from rewards.service import due, guesses, rule_cards
from rewards.service.answers import ClaimedAnswer
from rewards.service.asked import Asked
from rewards.service.awards import earned, told
from rewards.service.balances import text
from rewards.service.batch import Batch
from rewards.service.codes import claim_code, code_hash, normal
from rewards.service.commands import ClaimPurchase, Outcome
from rewards.service.journal import (
    ClaimBody,
    Happened,
    Row,
    Timeline,
    read_claim,
    read_receipt,
    read_return,
    recorded_first,
)
from rewards.service.named import active
from rewards.service.places import CLAIMED, FIRST, followed
from rewards.service.sold_cards import with_codes
from rewards.service.telling import balance_of

MOST_GUESSES = 10  # wrong codes for one purchase; after so many no code is right
VALID = timedelta(days=7)
_GUESS = "guess\x1f"  # callers' names hold no such character
_json = msgspec.json.Encoder()


def claimable_until(occurred_at: int, recorded_at: int, zone: ZoneInfo) -> int:
    """Return the last instant of a claim: seven days from the purchase or from its arrival, whichever is later."""
    return instant(moment(max(occurred_at, recorded_at), zone) + VALID)


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Count a guest's purchase for a member.

    Raises `NotFound` `unknown-purchase` for no such purchase and for a wrong code alike; with the right code
    `Conflict` `already-claimed`, `purchase-returned`, `claim-expired` or `member-blocked`.
    """
    command = asked.of(ClaimPurchase)
    batch.running.ready()
    guest = _guest(batch, asked, command, print_)
    event = batch.event(guest.owner, FIRST)
    _check(batch, asked, guest, event)
    line = active(batch.member(command.member), "/member")
    due.touch(batch, line, asked.now)
    receipt = msgspec.structs.replace(read_receipt(event[9]), first_owner=guest.owner)
    booking = batch.book(line, Purchase(line.events + 1, receipt))
    place = (line.owner, batch.record(line, _purchase(asked.now, receipt, print_), booking))
    _note(batch, asked.now, guest, CLAIMED, ClaimBody(*place), print_)
    rule_cards.settle(batch)
    entry = booking.entries[-1]
    answer = ClaimedAnswer(
        purchase_id=batch.running.ids.purchase(guest.owner, FIRST),
        member_id=batch.running.ids.member(line.owner),
        earned=earned(entry.awards),
        awards=told(batch.running.ready(), entry.awards, entry.postings, receipt),
        gift_cards_issued=rule_cards.issued(batch, place, entry.awards),
        balance=balance_of(batch, line, asked.now),
    )
    return with_codes(batch.answered(asked, place, 200, _json.encode(answer)), batch.owing.codes)


def _guest(batch: Batch, asked: Asked, command: ClaimPurchase, print_: bytes) -> Timeline:
    """Return the guest whose purchase the id and the code name; a wrong code is counted."""
    guesses.check(batch, asked)
    place = batch.running.ids.read_purchase(command.purchase_id)
    line = batch.line(place[0]) if place is not None else None
    if line is None or line.kind != "guest" or place != (line.owner, FIRST):
        _unknown(batch, asked)
    event = batch.events.get(line.owner, FIRST)
    if event is None or event[0] != "purchase" or _guesses(batch, line) >= MOST_GUESSES:
        _unknown(batch, asked)
    secret, code = batch.running.secret, normal(command.claim_code)
    if not compare_digest(code.encode(), normal(claim_code(secret, line.owner)).encode()):
        # WHY: the same wrong code again tells nothing new, so a till that sends it twice is not charged twice
        name = _GUESS + code_hash(secret, code).hex()
        if batch.by_id.get(line.owner, "change", "", name) is not None:
            raise _refusal()
        _note(batch, asked.now, line, name, ClaimBody(), print_)
        _unknown(batch, asked)
    return line


def _unknown(batch: Batch, asked: Asked) -> Never:
    guesses.count(batch, asked)
    raise _refusal()


def _refusal() -> NotFound:
    return NotFound("unknown-purchase", "there is no such purchase of a guest with this code")


def _guesses(batch: Batch, guest: Timeline) -> int:
    """Return how many wrong codes were tried."""
    if guest.events == FIRST:
        return 0
    return sum(row[3].startswith(_GUESS) for row in batch.events_of(guest) if row[2] == "change")


def _check(batch: Batch, asked: Asked, guest: Timeline, event: Row) -> None:
    if followed(batch, (guest.owner, FIRST))[0] != guest.owner:
        raise Conflict("already-claimed", "the purchase was claimed before")
    if any(read_return(body) for _, body in batch.returns.get(guest.owner, FIRST)):
        raise Conflict("purchase-returned", "goods of the purchase came back: it can't be claimed any more")
    zone = batch.running.zone
    until = claimable_until(event[3], event[4], zone)
    if asked.now > until:
        raise Conflict("claim-expired", f"the purchase could be claimed until {text(until, zone)}")


def _purchase(now: int, receipt: Receipt, print_: bytes) -> Happened:
    return Happened(
        kind="purchase",
        external_id=receipt.receipt_id,
        occurred_at=receipt.occurred_at,
        recorded_at=now,
        store_id=receipt.store_id,
        till_id=receipt.till_id,
        operator_id=receipt.operator_id,
        fingerprint=print_,
        body=receipt,
    )


def _note(batch: Batch, now: int, guest: Timeline, name: str, body: ClaimBody, print_: bytes) -> None:
    """Record on the guest's timeline what became of its purchase, once for each name."""
    happened = Happened(
        kind="change", external_id=name, occurred_at=now, recorded_at=now, fingerprint=print_, body=body
    )
    number = batch.record(guest, happened, None)
    batch.by_id.put((guest.owner, "change", "", name), (number, print_))


# verifying


def is_claimed(events: Sequence[Row]) -> bool:
    """Return whether the purchase of a guest's events counts for a member."""
    return any(row[2] == "change" and row[3] == CLAIMED for row in events)


def faults(batch: Batch, line: Timeline, events: Sequence[Row]) -> Iterator[str]:
    """Yield the claims of a guest or a member of which the other side knows nothing."""
    for row in events:
        if line.kind == "guest" and row[2] == "change" and row[3] == CLAIMED:
            claim = read_claim(row[11])
            other = batch.events.get(claim.owner, claim.number)
            if other is None or other[0] != "purchase" or read_receipt(other[9]).first_owner != line.owner:
                yield f"event {row[1]}: the member does not have the purchase that was claimed"
        elif line.kind == "member" and line.state != "merged" and row[2] == "purchase":
            receipt = read_receipt(row[11])
            if receipt.first_owner and followed(batch, recorded_first(0, 0, receipt)) != (line.owner, row[1]):
                yield f"event {row[1]}: its purchase was recorded elsewhere, and neither claimed nor merged into here"
