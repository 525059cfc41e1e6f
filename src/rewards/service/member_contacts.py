"""Contacts of a member: several cards, phones and e-mail addresses, added and taken away.

A card that is taken away is lost: it leads to nobody, and nobody gets it again. The
journal says that contacts changed, and by whom, but not which: they are personal.
What does not live here: the forms of contacts (`contacts`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import msgspec

from rewards.basket import MemberRef
from rewards.errors import InvalidRequest, NotFound
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.commands import ChangeContacts, Contact, Outcome
from rewards.service.contacts import normal
from rewards.service.enrolment import check_free, free_card
from rewards.service.journal import ChangeBody, Happened, Timeline
from rewards.service.member_facts import answer

MOST = 20  # of a kind
_json = msgspec.json.Encoder()


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Take contacts away, then add others; what is so already changes nothing.

    Raises `Conflict` `member-exists` for another member's contact and `card-replaced` for a lost card, `NotFound`
    `unknown-contact` for one that the member does not have; then nothing is changed.
    """
    change = asked.of(ChangeContacts)
    batch.running.ready()
    line = batch.member(MemberRef(id=change.member_id), "/member_id")
    gone = list(_removed(batch, line, change.remove))
    new = list(_added(batch, line, change.add, gone))
    _check_count(batch, line, gone, new)
    for kind, value in gone:
        batch.drop_contact(kind, value, line.owner)
    for kind, value in new:
        batch.add_contact(kind, value, line.owner)
    if change.issue_card:
        batch.add_contact("card", free_card(batch), line.owner)
    if not (gone or new or change.issue_card):
        return Outcome(200, _json.encode(answer(batch, line)))
    happened = Happened(
        kind="change",
        external_id=f"\x1f{line.events + 1}",  # callers' names hold no control characters
        occurred_at=asked.now,
        recorded_at=asked.now,
        operator_id=change.actor,
        fingerprint=print_,
        body=ChangeBody(),
    )
    place = (line.owner, batch.record(line, happened, None))
    return batch.answered(asked, place, 200, _json.encode(answer(batch, line)))


def _named(batch: Batch, contact: Contact, pointer: str) -> tuple[str, str]:
    given = [(key, value) for key in contact.__struct_fields__ if (value := getattr(contact, key)) is not None]
    if len(given) != 1:
        raise InvalidRequest("contact-ambiguous", "give exactly one of `card`, `phone`, `email`", pointer=pointer)
    ((kind, value),) = given
    try:
        return kind, normal(kind, value, batch.country)
    except InvalidRequest as error:
        error.pointer = pointer + error.pointer
        raise


def _removed(batch: Batch, line: Timeline, contacts: Sequence[Contact]) -> Iterator[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    for i, contact in enumerate(contacts):
        kind, value = _named(batch, contact, f"/remove/{i}")
        lost = batch.replaced.get(value) if kind == "card" else None
        if (kind, value) in seen or (lost is not None and lost[0] in {line.owner, *line.near.merged}):
            continue
        if batch.contacts.get(kind, value) != (line.owner,):
            message = f"the member does not have this {kind}"
            raise NotFound("unknown-contact", message, pointer=f"/remove/{i}/{kind}")
        seen.add((kind, value))
        yield kind, value


def _added(
    batch: Batch, line: Timeline, contacts: Sequence[Contact], gone: Sequence[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    for i, contact in enumerate(contacts):
        kind, value = _named(batch, contact, f"/add/{i}")
        if (kind, value) in gone:
            raise InvalidRequest("contact-ambiguous", "it is both added and taken away", pointer=f"/add/{i}/{kind}")
        if (kind, value) in seen or batch.contacts.get(kind, value) == (line.owner,):
            continue
        check_free(batch, kind, value, f"/add/{i}/{kind}")
        seen.add((kind, value))
        yield kind, value


def _check_count(batch: Batch, line: Timeline, gone: Sequence[tuple[str, str]], new: Sequence[tuple[str, str]]) -> None:
    kept = [kind for kind, value in batch.contacts_of(line.owner) if (kind, value) not in gone]
    for kind, count in Counter([*kept, *(kind for kind, _ in new)]).items():
        if count > MOST:
            raise InvalidRequest("too-many-contacts", f"a member has at most {MOST} of a kind: {kind}", pointer="/add")
