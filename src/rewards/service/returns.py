"""Returns: of a purchase, without one (money only), and parked until theirs arrives.

What came back is a fact about the purchase; what it takes is booked by the
timeline. What does not live here: how a line's rest is worked out (`money`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rewards.days import instant
from rewards.errors import Conflict, InvalidRequest, NotFound, RewardsError
from rewards.ledger.entries import Entry
from rewards.ledger.timeline import Booking, Return, Settlement
from rewards.receipt import Receipt, Returned, all_back
from rewards.service import (
    budgets,
    card_tenders,
    due,
    lacking,
    redeeming,
    refunds,
    rewards,
    rule_cards,
    sold_cards,
    vouchers,
)
from rewards.service.answers import ReturnAnswer
from rewards.service.asked import Asked
from rewards.service.awards import told
from rewards.service.batch import Batch, Place
from rewards.service.commands import Outcome, RecordReturn, ReturnOf
from rewards.service.journal import (
    Happened,
    NoteBody,
    ReturnBody,
    Timeline,
    pack,
    read_awards,
    read_receipt,
    read_return,
    read_settled,
    recorded_first,
    total,
)
from rewards.service.places import followed
from rewards.service.reward_answers import CancellationAnswer
from rewards.service.settling import settled
from rewards.service.telling import balance_of, entries_of, note_of
from rewards.service.units_back import claimed, fitting
from rewards.service.warnings import of_refusal
from rewards.store import statements

PARKED, BOOKED = 202, 201
_json = msgspec.json.Encoder()
_parked = msgspec.msgpack.Decoder(RecordReturn)


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Record a return, park it, or answer as the first time if it is here already."""
    command = asked.of(RecordReturn)
    batch.running.ready()
    route = batch.receipts.get(command.store_id, command.return_id, "return")
    if route is not None:
        return _again(batch, asked, command, route, print_)
    _check(asked, command)
    if command.of is None:
        return _money_only(batch, asked, command, print_)
    try:
        place = _purchase(batch, command.of)
    except NotFound as error:
        if not asked.offline:
            raise
        return _money_only(batch, asked, command, print_, [of_refusal(error, "recorded as money alone")])
    if place is None:
        return _park(batch, asked, command, print_)
    line = batch.line(place[0])
    assert line is not None
    due.touch(batch, line, asked.now)
    receipt = read_receipt(batch.event(*place)[9])
    return _book(batch, asked, command, print_, line, place[1], receipt, command.store_id)


def _check(asked: Asked, command: RecordReturn) -> None:
    asked.check_instant(instant(command.occurred_at))
    if command.all and command.lines:
        raise InvalidRequest("return-ambiguous", "give `all` or `lines`, not both", pointer="/lines")
    if command.of is None and (command.all or command.lines):
        raise InvalidRequest("return-ambiguous", "without `of` there are no lines to return", pointer="/of")
    if command.of is not None and not (command.all or command.lines):
        raise InvalidRequest("return-empty", "give `all` or `lines`", pointer="/lines")
    if len({line.line_id for line in command.lines}) != len(command.lines):
        raise InvalidRequest("line-repeated", "two lines have the same `line_id`", pointer="/lines")


def _purchase(batch: Batch, of: ReturnOf) -> Place | None:
    """Return the purchase's place, or None if it may still arrive."""
    if of.purchase_id is not None and of.store_id is None and of.receipt_id is None:
        place = batch.running.ids.read_purchase(of.purchase_id)
        if place is None or batch.events.get(*place) is None:
            raise NotFound("unknown-purchase", f"there is no purchase `{of.purchase_id}`", pointer="/of/purchase_id")
        return followed(batch, place)
    if of.purchase_id is not None or of.store_id is None or of.receipt_id is None:
        raise InvalidRequest(
            "return-ambiguous", "`of` needs `purchase_id`, or `store_id` and `receipt_id`", pointer="/of"
        )
    route = batch.receipts.get(of.store_id, of.receipt_id, "purchase")
    if route is None or route[0] is None or route[1] is None:
        return None
    return followed(batch, (route[0], route[1]))


def _again(
    batch: Batch, asked: Asked, command: RecordReturn, route: tuple[int | None, int | None, bytes], print_: bytes
) -> Outcome:
    owner, number, known = route
    if known != print_:
        raise Conflict(
            "return-conflict",
            f"return `{command.return_id}` of store `{command.store_id}` was recorded with other content",
            pointer="/return_id",
        )
    if owner is None or number is None:
        return Outcome(PARKED, b"" if asked.silent else _json.encode(_waiting(command)), replayed=True)
    told_ = batch.replay(asked, (owner, number), lambda: _json.encode(_told_anew(batch, asked, command, owner, number)))
    return sold_cards.with_new_codes(batch, told_)


# without a purchase, or before it


def _money_only(
    batch: Batch, asked: Asked, command: RecordReturn, print_: bytes, warnings: Sequence[dict[str, object]] = ()
) -> Outcome:
    line = batch.open("guest", None)
    place = _record(batch, asked.now, command, print_, line, None, {}, None, command.store_id)
    batch.route(command.store_id, command.return_id, "return", place, print_)
    told_ = ReturnAnswer(return_id=command.return_id, warnings=list(warnings))
    return batch.answered(asked, place, BOOKED, b"" if asked.silent else _json.encode(told_))


def _park(batch: Batch, asked: Asked, command: RecordReturn, print_: bytes) -> Outcome:
    assert command.of is not None
    key = (command.of.store_id, command.of.receipt_id)
    rest = (command.store_id, command.return_id, asked.now, pack(command))
    batch.parked.get(*key).append(rest)
    batch.more[statements.ADD_PARKED].append((*key, *rest))
    batch.route(command.store_id, command.return_id, "return", None, print_)
    return Outcome(PARKED, b"" if asked.silent else _json.encode(_waiting(command)))


def _waiting(command: RecordReturn) -> ReturnAnswer:
    of = command.of
    assert of is not None
    waits = {"store_id": of.store_id or "", "receipt_id": of.receipt_id or ""}
    return ReturnAnswer(return_id=command.return_id, state="parked", waits_for=waits)


def book_parked(batch: Batch, asked: Asked, line: Timeline, number: int, receipt: Receipt) -> None:
    """Book the returns that waited for a purchase, in the order of their arrival.

    One that would be refused now (a line that the purchase lacks, too many units) is recorded and takes
    nothing, so that the order of arrival does not matter.
    """
    waiting = batch.parked.get(receipt.store_id, receipt.receipt_id)
    for store, name, _, body in sorted(waiting, key=lambda row: row[2]):
        command = _parked.decode(body)
        known = batch.receipts.get(store, name, "return")
        assert known is not None
        units = fitting(command, receipt, _so_far(batch, line, number))
        place = _record(batch, asked.now, command, known[2], line, number, units, receipt, store)
        batch.receipts.put((store, name, "return"), (*place, known[2]))
        batch.more[statements.ROUTE_RETURN].append((*place, store, name, "return"))
        batch.more[statements.DROP_PARKED].append((receipt.store_id, receipt.receipt_id, store, name))
    waiting.clear()


# of a purchase


def _book(
    batch: Batch,
    asked: Asked,
    command: RecordReturn,
    print_: bytes,
    line: Timeline,
    number: int,
    receipt: Receipt,
    store: str,
) -> Outcome:
    before = _so_far(batch, line, number)
    units, warnings = _taken(asked, command, receipt, before)
    place = _record(batch, asked.now, command, print_, line, number, units, receipt, store)
    batch.route(store, command.return_id, "return", place, print_)
    body = b""
    if not asked.silent:
        told_ = _answer(batch, asked.now, command, line, number, receipt, before, units, place[1])
        body = _json.encode(msgspec.structs.replace(told_, warnings=[*warnings, *told_.warnings]))
    return sold_cards.with_codes(batch.answered(asked, place, BOOKED, body), batch.owing.codes)


def _taken(
    asked: Asked, command: RecordReturn, receipt: Receipt, before: Returned
) -> tuple[Returned, list[dict[str, object]]]:
    """Return the units that came back; of a till that was offline what can't be is told, and takes nothing."""
    try:
        return claimed(command, receipt, before), []
    except RewardsError as error:
        if not asked.offline:
            raise
        return {}, [of_refusal(error, "nothing was taken back")]


def _so_far(batch: Batch, line: Timeline, number: int) -> Returned:
    return total([read_return(body) for _, body in batch.returns.get(line.owner, number)])


def _record(
    batch: Batch,
    now: int,
    command: RecordReturn,
    print_: bytes,
    line: Timeline,
    of: int | None,
    units: Returned,
    receipt: Receipt | None,
    store: str,
) -> Place:
    """Record what came back and book what it takes; return the event's place."""
    booking: Booking | None = None
    settlements: tuple[Settlement, ...] = ()
    entries: Sequence[Entry] = ()
    whole = False
    if receipt is not None and of is not None:
        before = _so_far(batch, line, of)
        returned = total([before, units])
        whole = all_back(receipt, returned)
        about = (store, command.return_id)
        spent = _to_cards(batch, now, receipt, (line.owner, of), units, about, print_)
        if line.kind == "member":
            change = Return(of, receipt, returned, instant(command.occurred_at))
            if batch.running.ready().gives_cards:
                given = rule_cards.spent_of(batch, line, batch.book(line, change))
                batch.owing.kept_minor = max(0, min(given, refunds.due(receipt, before, returned) - spent))
                spent += given
            due_minor = max(0, refunds.due(receipt, before, returned) - spent)
            change = settled(batch, line, change, due_minor)
            booking, settlements = batch.book(line, change), change.settled
        entries = lacking.undone(batch, receipt, booking, instant(command.occurred_at), before, returned)
    happened = Happened(
        kind="return",
        external_id=command.return_id,
        of_number=of,
        occurred_at=instant(command.occurred_at),
        recorded_at=now,
        store_id=store,
        till_id=command.till_id,
        operator_id=command.operator_id,
        fingerprint=print_,
        body=ReturnBody(units, settlements),
    )
    if of is not None:
        batch.returns.get(line.owner, of).append((line.events + 1, pack(happened.body)))
    number = batch.record(line, happened, booking, entries)
    if batch.owing.events:
        rule_cards.settle(batch)
    if receipt is not None and whole and receipt.bought and of is not None:
        why = redeeming.Cancelling(command.reason, command.operator_id, instant(command.occurred_at))
        rewards.take_back(batch, now, line, receipt, of, why, print_)
    if receipt is not None and whole:
        budgets.give_back(batch, happened, receipt, (line.owner, number))
    if command.reason:
        batch.more[statements.ADD_NOTE].append((line.owner, number, pack(NoteBody(command.reason))))
    return line.owner, number


def _to_cards(
    batch: Batch, now: int, receipt: Receipt, place: Place, units: Returned, about: tuple[str, str], print_: bytes
) -> int:
    """Book a return on gift cards: those that gave a discount, those sold, those that paid; return what was spent."""
    line = batch.line(place[0])
    before = _so_far(batch, line, place[1]) if line is not None else {}
    after = total([before, units])
    place = recorded_first(*place, receipt)  # where cards know it
    vouchers.give_back(batch, now, receipt, place, after, about, print_)
    sold_cards.void(batch, now, receipt, place, units, about, print_)
    spent = sold_cards.spent(sold_cards.voided(batch, receipt, units, about))
    earlier, refund = (refunds.by_tender(receipt, *pair) for pair in (({}, before), (before, after)))
    left = refunds.less(receipt, refund, spent)
    card_tenders.give_back(batch, now, receipt, place, earlier, left, about, print_)
    return spent


def _told_anew(batch: Batch, asked: Asked, command: RecordReturn, owner: int, number: int) -> ReturnAnswer:
    """Tell a return that was booked without an answer (it was parked, or imported)."""
    line = batch.line(owner)
    assert line is not None
    event = batch.event(owner, number)
    if event[2] is None:
        return ReturnAnswer(return_id=command.return_id)
    receipt = read_receipt(batch.event(owner, event[2])[9])
    before = total([read_return(body) for other, body in batch.returns.get(owner, event[2]) if other < number])
    return _answer(batch, asked.now, command, line, event[2], receipt, before, read_return(event[9]), number)


def _answer(
    batch: Batch,
    now: int,
    command: RecordReturn,
    line: Timeline,
    of: int,
    receipt: Receipt,
    before: Returned,
    units: Returned,
    number: int,
) -> ReturnAnswer:
    running = batch.running
    entries = [entry for entry in entries_of(batch, line.owner, [number]) if entry[0][3] == "return"]
    changes, legs = [], []
    for row, some in entries:
        changes += told(running.ready(), read_awards(row[8]), some, language=batch.language(line))
        legs += some
    after = total([before, units])
    about = (command.store_id, command.return_id)
    awards = [award for row, _ in entries for award in read_awards(row[8])]
    place = (line.owner, number)
    sold, given = sold_cards.voided(batch, receipt, units, about), rule_cards.voided(batch, place, awards)
    gone = read_settled(batch.event(line.owner, number)[9])
    kept = (sold_cards.spent(sold), sold_cards.spent(given) + refunds.kept(gone))
    by_tender = refunds.less(receipt, refunds.by_tender(receipt, before, after), *kept)
    refund = refunds.told(running, receipt, by_tender, before, after, legs)
    out = card_tenders.paid_out(batch, receipt, refunds.by_tender(receipt, {}, before), by_tender, about)
    due_minor = max(0, refunds.due(receipt, before, after) - sum(kept))
    return ReturnAnswer(
        return_id=command.return_id,
        purchase_id=running.ids.purchase(*recorded_first(line.owner, of, receipt)),
        policy_version=running.policy_on(receipt.day).version,
        lines=[refunds.returned_line(each, before, after) for each in receipt.lines if each.line_id in units],
        refund=card_tenders.refund_told(batch, receipt, refund, out, about, now),
        refund_due_minor=due_minor + sum(out),
        restored=refunds.restored(receipt, before, after),
        deducted=refunds.deducted(gone),
        taken_back=[msgspec.structs.replace(one, points=-one.points) for one in changes if one.points < 0],
        given=[one for one in changes if one.points > 0],
        gift_cards_voided=[*sold, *given],
        gift_cards_issued=rule_cards.issued(batch, place, awards, batch.language(line)),
        redemptions_cancelled=_cancelled(batch, now, line, (line.owner, of), receipt, number),
        vouchers_restored=vouchers.restored(receipt, before, after),
        still_returnable=[
            {"line_id": each.line_id, "quantity": rest}
            for each in receipt.lines
            if (rest := each.quantity - after.get(each.line_id, 0))
        ],
        balance=balance_of(batch, line, now),
        warnings=refunds.late(running, receipt, instant(command.occurred_at)),
    )


def _cancelled(
    batch: Batch, now: int, line: Timeline, place: Place, receipt: Receipt, number: int
) -> list[CancellationAnswer]:
    """Tell what the return cancelled of what was bought with the purchase."""
    found = []
    for own in rewards.cancelled_by(batch, receipt, place, number) if receipt.bought else ():
        _, legs = entries_of(batch, line.owner, [own[1]])[-1]
        found.append(redeeming.cancellation_told(batch, now, line, own, legs, note_of(batch, *own)))
    return found
