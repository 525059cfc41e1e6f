"""Merging two members who are one person: one entry on each timeline, and everything of the other leads here.

The other's purchases, returns and activities are recorded here once more, so
that what comes later about them finds them; adjustments stay where they were
made, only their points move. What does not live here: the fold of both
histories (`ledger.merging`), and where events count since (`places`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import msgspec

from rewards.basket import MemberRef
from rewards.errors import Conflict
from rewards.ledger import merging
from rewards.ledger.entries import Entry
from rewards.ledger.merging import Merge
from rewards.ledger.timeline import Booking
from rewards.policy.activity_model import YEARLY
from rewards.receipt import Receipt
from rewards.service import due, hold_ends, rule_cards
from rewards.service.answers import Change
from rewards.service.asked import Asked
from rewards.service.awards import why
from rewards.service.balance_answers import WalletBalance
from rewards.service.balances import day_of, day_text, text
from rewards.service.batch import Batch, Place
from rewards.service.commands import MergeMembers, Outcome
from rewards.service.journal import (
    Happened,
    MergeBody,
    MergedBody,
    NoteBody,
    Row,
    Timeline,
    pack,
    read_activity,
    read_merge,
    read_merged,
    read_receipt,
    recorded_first,
)
from rewards.service.merge_telling import moved
from rewards.service.places import ENDED, merge_name
from rewards.service.redeeming import name_of_cancellation
from rewards.service.sold_cards import with_codes
from rewards.service.telling import balance_of
from rewards.store import statements

ONCE = frozenset(("joined", *YEARLY))  # activities that come to a person once, or once a year
_json = msgspec.json.Encoder()


class MergeAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Two members who are one from now on: what came with the other, and what one history gives more or less."""

    member_id: str
    merged_id: str
    occurred_at: str
    moved: dict[str, int]  # points less debts by wallet, as they were on the other
    changes: list[Change] = []  # by rule and day: what both together were given, and one person is not, or more
    gift_cards_issued: list[dict[str, object]] = []  # by rules
    balance: dict[str, WalletBalance] = {}


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Merge another member into this one, or answer as the first time.

    Raises `Conflict` `member-merged` for a member who was merged into a third, `same-member` for one and the same,
    `member-blocked` for one who is blocked.
    """
    command = asked.of(MergeMembers)
    running = batch.running
    running.ready()
    line = _here(batch, command)
    other = batch.member(command.member)
    known = _known(batch, command, line, other)
    if known is not None:
        return batch.replay(asked, (line.owner, known), bytes)
    for one, pointer in ((line, "/member_id"), (other, "/member")):
        if one.state != "active":
            raise Conflict("member-blocked", f"the member is {one.state}: unblock it first", pointer=pointer)
        due.touch(batch, one, asked.now)
    _check_holds(batch, other)
    numbers, copies = _carried(batch.events_of(line), batch.events_of(other), line.events + 1)
    change, booking = _booked(batch, asked.now, line, other, numbers)
    body = MergeBody(other.owner, tuple(numbers), change.promises)
    place = (line.owner, batch.record(line, _happened(asked, merge_name(other.owner), body, print_), booking))
    for row, name in copies:
        _copy(batch, asked.now, line, other, row, name, numbers)
    ended = _happened(asked, ENDED, MergedBody(*place, booking.near.clock), print_)
    batch.record(other, ended, merging.leave(running.ready(), change, booking.near.clock))
    batch.by_id.put((line.owner, "merge", "", merge_name(other.owner)), (place[1], print_))
    _take_over(batch, line, other)
    if command.reason:
        batch.more[statements.ADD_NOTE].append((*place, pack(NoteBody(command.reason))))
    rule_cards.settle(batch)
    answer = _answer(batch, asked, line, other.owner, place, booking.entries[-1])
    return with_codes(batch.answered(asked, place, 200, _json.encode(answer)), batch.owing.codes)


def _here(batch: Batch, command: MergeMembers) -> Timeline:
    """Return the member who stays; one who was merged can't."""
    line = batch.member(MemberRef(id=command.member_id), "/member_id")
    if batch.running.ids.read_member(command.member_id) != line.owner:
        raise _merged(batch, line, "/member_id")
    return line


def _check_holds(batch: Batch, other: Timeline) -> None:
    """Raise `Conflict` `holds-open` while something of the other is set aside: who asked for it knows it by then."""
    hold_ends.lapse(batch, other)
    if other.near.holds:
        names = sorted(other.near.holds)
        message = f"points are held by `{names[0]}`: capture or void it first"
        raise Conflict("holds-open", message, pointer="/member", holds=names)


def _merged(batch: Batch, into: Timeline, pointer: str) -> Conflict:
    member_id = batch.running.ids.member(into.owner)
    message = f"the member was merged into `{member_id}`: name that one"
    return Conflict("member-merged", message, pointer=pointer, member_id=member_id)


def _known(batch: Batch, command: MergeMembers, line: Timeline, other: Timeline) -> int | None:
    """Return the number of the same merge made before; raise `Conflict` for what can't be merged any more."""
    named = batch.running.ids.read_member(command.member.id) if command.member.id else None
    if other is not line:
        if named not in {None, other.owner}:
            raise _merged(batch, other, "/member/id")
        return None
    known = batch.by_id.get(line.owner, "merge", "", merge_name(named)) if named else None
    if known is None:
        raise Conflict("same-member", "this is the same member already", pointer="/member")
    return known[0]


def _booked(batch: Batch, now: int, line: Timeline, other: Timeline, numbers: dict[int, int]) -> tuple[Merge, Booking]:
    """Work the merge out; where one history gives a lower level than either was promised, with that promise."""
    program = batch.running.ready()
    sides = [(one.near, batch.days_of(one), batch.history(one)) for one in (line, other)]
    (near, days, mine), (_, other_days, others) = sides
    day = day_of(now, batch.running.zone)
    change = Merge(line.owner, other.owner, other.near, other_days, numbers, now, day)
    booking = merging.merge(program, near, change, days, [*mine, *others])
    if promises := merging.lost(program, booking, day, [*mine, *others], sides):
        change = replace(change, promises=promises)
        booking = merging.merge(program, near, change, days, [*mine, *others])
    return change, booking


def _happened(asked: Asked, name: str, body: MergeBody | MergedBody, print_: bytes) -> Happened:
    command = asked.of(MergeMembers)
    return Happened(
        kind="merge",
        external_id=name,
        occurred_at=asked.now,
        recorded_at=asked.now,
        operator_id=command.actor,
        fingerprint=print_,
        body=body,
    )


def _carried(mine: Sequence[Row], others: Sequence[Row], number: int) -> tuple[dict[int, int], list[tuple[Row, str]]]:
    """Return the numbers here of the other's events, after that of the merge, and each event with its name here.

    Left out is what came to both and comes to a person once.
    """
    came = {row[3] for row in mine if row[2] == "activity" and read_activity(row[11]).name in ONCE}
    numbers: dict[int, int] = {}
    copies = []
    for row in others:
        name = row[3]
        if row[2] == "activity":
            done = read_activity(row[11])
            if name in came:
                continue
            if done.name not in ONCE and not done.friend:
                name = f"\x1f{number + len(numbers) + 1}"  # as an activity by call is named
        elif row[2] == "redemption":
            name = f"\x1f{number + len(numbers) + 1}"
        elif row[2] == "cancellation":
            name = name_of_cancellation(numbers[row[4]])
        elif row[2] != "purchase" and (row[2] != "return" or row[4] is None):
            continue
        numbers[row[1]] = number + len(numbers) + 1
        copies.append((row, name))
    return numbers, copies


def _copy(
    batch: Batch, now: int, line: Timeline, other: Timeline, row: Row, name: str, numbers: dict[int, int]
) -> None:
    """Record an event of the other here once more; a purchase says where it was recorded first."""
    _, number, kind, _, of, occurred_at, _, store, till, operator, print_, packed = row
    body: Receipt | msgspec.Raw = msgspec.Raw(packed)
    if kind == "purchase":
        receipt = read_receipt(packed)
        first_owner, first_number = recorded_first(other.owner, number, receipt)
        body = msgspec.structs.replace(receipt, first_owner=first_owner, first_number=first_number)
    happened = Happened(
        kind=kind,
        external_id=name,
        of_number=numbers[of] if of is not None else None,
        occurred_at=occurred_at,
        recorded_at=now,
        store_id=store,
        till_id=till,
        operator_id=operator,
        fingerprint=print_,
        body=body,
    )
    here = batch.record(line, happened, None)
    if kind == "return":
        batch.returns.get(line.owner, happened.of_number).append((here, packed))
    elif kind == "cancellation":
        batch.by_id.put((line.owner, kind, "", name), (here, print_))


def _take_over(batch: Batch, line: Timeline, other: Timeline) -> None:
    """Have cards, phones and e-mail addresses lead here, and keep what is personal of both; ours first."""
    batch.save_state(other, "merged")
    for kind, value in batch.contacts_of(other.owner):
        if kind != "external_id":  # another system's word for the other member: it is followed, as the other's id is
            batch.move_contact(kind, value, other.owner, line.owner)
    mine, others = batch.profile(line.owner), batch.profile(other.owner)
    metadata = {**_metadata(others[2]), **_metadata(mine[2])}
    one = (mine[0] or others[0], mine[1] or others[1], pack(metadata))
    if one != mine:
        batch.save_profile(line.owner, one)
    batch.drop_profile(other.owner)


_metadata = msgspec.msgpack.Decoder(dict[str, str]).decode


def _answer(batch: Batch, asked: Asked, line: Timeline, other: int, place: Place, entry: Entry) -> MergeAnswer:
    running = batch.running
    program = running.ready()
    return MergeAnswer(
        member_id=running.ids.member(line.owner),
        merged_id=running.ids.member(other),
        occurred_at=text(asked.now, running.zone),
        moved=moved(entry.postings),
        changes=[
            Change(award.wallet, award.points, why(program, award), rule=award.rule, day=day_text(award.day))
            for award in entry.awards
        ],
        gift_cards_issued=rule_cards.issued(batch, place, entry.awards),
        balance=balance_of(batch, line, asked.now),
    )


# verifying


def carried_here(events: Sequence[Row]) -> set[int]:
    """Return the numbers of a timeline's events that were recorded elsewhere first, and came by a merge."""
    merges = [row for row in events if row[2] == "merge" and row[3] != ENDED]
    return {row[1] + 1 + i for row in merges for i in range(len(read_merge(row[11]).numbers))}


def ended(events: Sequence[Row]) -> bool:
    """Return whether a timeline's last event is that its member was merged into another."""
    return bool(events) and events[-1][2:4] == ("merge", ENDED)


def faults(batch: Batch, line: Timeline, events: Sequence[Row]) -> Iterator[str]:
    """Yield the merges of which the other side knows nothing, and events that did not come as they were."""
    by_number = {row[1]: row for row in events}
    for row in events:
        if row[2] != "merge":
            continue
        if row[3] == ENDED:
            into = read_merged(row[11])
            other = batch.events.get(into.owner, into.number)
            if other is None or other[0] != "merge" or other[1] != merge_name(line.owner):
                yield f"event {row[1]}: the member that it went into does not know of it"
            continue
        body = read_merge(row[11])
        for i, number in enumerate(body.numbers, 1):
            first, here = batch.events.get(body.owner, number), by_number.get(row[1] + i)
            if first is None or here is None or (first[0], first[3], first[8]) != (here[2], here[5], here[10]):
                yield f"event {row[1] + i}: it is not what it was on the timeline of owner {body.owner}"
