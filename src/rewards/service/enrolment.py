"""Enrolling members.

What does not live here: the forms of contacts (`contacts`), and what members tell about
themselves (`member_facts`).
"""

from __future__ import annotations

import msgspec

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, RewardsError
from rewards.ledger.timeline import Near, Told, open_near
from rewards.service import due
from rewards.service.asked import Asked, fingerprint
from rewards.service.balances import day_of
from rewards.service.batch import Batch
from rewards.service.commands import AttributeValue, Enrol, Outcome
from rewards.service.contacts import issue_card, normal
from rewards.service.journal import EnrolmentBody, Happened, Timeline, pack
from rewards.service.member_facts import answer, born, check_attributes

_json = msgspec.json.Encoder()
NOTHING_TOLD = Told(0)
KINDS = ("card", "phone", "email", "external_id")


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Enrol a member; raise `Conflict` `member-exists` if a contact is another member's."""
    enrol = asked.of(Enrol)
    today = day_of(asked.now, batch.running.zone)
    joined = enrol.joined.toordinal() if enrol.joined is not None else today
    if joined > today and not asked.trusted:
        raise InvalidRequest("time-out-of-range", "`joined` is a day to come", pointer="/joined")
    referrer = _referrer(batch, enrol.referred_by)
    contacts = _contacts(batch, enrol)
    for kind, value in contacts.items():
        check_free(batch, kind, value, f"/{kind}")
    if enrol.card is None and not asked.silent:
        contacts = {"card": free_card(batch), **contacts}
    told = Told(0, *_facts(batch, enrol, today))
    near = open_near(joined, [told] if told != NOTHING_TOLD else [], today, referrer)
    line, place = _open(batch, asked, near, contacts, print_)
    due.joined(batch, line, asked.now)
    if enrol.name or enrol.language or enrol.metadata:
        batch.save_profile(line.owner, (enrol.name, enrol.language, pack(enrol.metadata)), new=True)
    body = b"" if asked.silent else _json.encode(answer(batch, line))
    return batch.answered(asked, place, 201, body)


def enrol_unseen(batch: Batch, asked: Asked, external_id: str, day: int) -> Timeline:
    """Enrol whom `import` names for the first time, on the day of the purchase."""
    enrol = Enrol(external_id=external_id)
    contacts = _contacts(batch, enrol)
    near = open_near(day, since=day_of(asked.now, batch.running.zone))
    return _open(batch, asked, near, contacts, fingerprint(batch.running.secret, enrol))[0]


def _referrer(batch: Batch, ref: MemberRef | None) -> int:
    """Return the owner who brought a member, 0 for nobody; errors point into `referred_by`."""
    try:
        return batch.member(ref).owner if ref is not None else 0
    except RewardsError as error:
        error.pointer = "/referred_by" + error.pointer.removeprefix("/member")
        raise


def check_free(batch: Batch, kind: str, value: str, pointer: str) -> None:
    """Raise `Conflict` `member-exists` for a contact that some member has, `card-replaced` for a card that one lost."""
    if batch.contacts.get(kind, value) is not None:
        raise Conflict("member-exists", f"a member with this {kind} is enrolled already", pointer=pointer)
    if kind == "card":
        batch.check_card(value, pointer)


def _contacts(batch: Batch, enrol: Enrol) -> dict[str, str]:
    country = batch.country
    given = {kind: getattr(enrol, kind) for kind in KINDS}
    return {kind: normal(kind, value, country) for kind, value in given.items() if value is not None}


def _facts(batch: Batch, enrol: Enrol, today: int) -> tuple[int, dict[str, AttributeValue]]:
    kinds = batch.running.policy_on(today).member_attributes if enrol.attributes else {}
    attributes = check_attributes(kinds, dict(enrol.attributes))
    return born(enrol.birthday) if enrol.birthday else 0, attributes


def free_card(batch: Batch) -> str:
    """Return a new card number that nobody has or had."""
    while True:
        card = issue_card()
        if batch.contacts.get("card", card) is None and batch.replaced.get(card) is None:
            return card


def _open(
    batch: Batch, asked: Asked, near: Near, contacts: dict[str, str], print_: bytes
) -> tuple[Timeline, tuple[int, int]]:
    line = batch.open("member", near.joined)
    line.near = near
    told = near.told[0] if near.told else NOTHING_TOLD
    happened = Happened(
        kind="enrolment",
        external_id="",
        occurred_at=asked.now,
        recorded_at=asked.now,
        fingerprint=print_,
        body=EnrolmentBody(near.joined, told.born, told.attributes, near.referrer),
    )
    number = batch.record(line, happened, None)
    for kind, value in contacts.items():
        batch.add_contact(kind, value, line.owner)
    return line, (line.owner, number)
