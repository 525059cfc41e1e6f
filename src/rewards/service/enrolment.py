"""Enrolling members.

What does not live here: the forms of contacts (`contacts`).
"""

from __future__ import annotations

import msgspec

from rewards.errors import Conflict, InvalidRequest
from rewards.service.answers import MemberAnswer
from rewards.service.asked import Asked, fingerprint
from rewards.service.balances import day_of, day_text
from rewards.service.batch import Batch
from rewards.service.commands import Enrol, Outcome
from rewards.service.contacts import issue_card, normal
from rewards.service.journal import EnrolmentBody, Happened, Timeline, pack
from rewards.store import statements

_json = msgspec.json.Encoder()
KINDS = ("card", "phone", "email", "external_id")


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Enrol a member; raise `Conflict` `member-exists` if a contact is another member's."""
    enrol = asked.command
    assert isinstance(enrol, Enrol)
    today = day_of(asked.now, batch.running.zone)
    joined = enrol.joined.toordinal() if enrol.joined is not None else today
    if joined > today and not asked.trusted:
        raise InvalidRequest("time-out-of-range", "`joined` is a day to come", pointer="/joined")
    contacts = _contacts(batch, enrol)
    for kind, value in contacts.items():
        if batch.contacts.get(kind, value) is not None:
            raise Conflict("member-exists", f"a member with this {kind} is enrolled already", pointer=f"/{kind}")
    if enrol.card is None and not asked.silent:
        contacts = {"card": _free_card(batch), **contacts}
    line, place = _open(batch, asked, joined, contacts, print_)
    if enrol.name or enrol.language or enrol.metadata:
        profile = (line.owner, enrol.name, enrol.language, pack(enrol.metadata))
        batch.more[statements.ADD_PROFILE].append(profile)
    body = b"" if asked.silent else _json.encode(_answer(batch, line, enrol, contacts))
    return batch.answered(asked, place, 201, body)


def enrol_unseen(batch: Batch, asked: Asked, external_id: str, day: int) -> Timeline:
    """Enrol whom `import` names for the first time, on the day of the purchase."""
    enrol = Enrol(external_id=external_id)
    contacts = _contacts(batch, enrol)
    return _open(batch, asked, day, contacts, fingerprint(batch.running.secret, enrol))[0]


def _contacts(batch: Batch, enrol: Enrol) -> dict[str, str]:
    country = batch.country
    given = {kind: getattr(enrol, kind) for kind in KINDS}
    return {kind: normal(kind, value, country) for kind, value in given.items() if value is not None}


def _free_card(batch: Batch) -> str:
    while True:
        card = issue_card()
        if batch.contacts.get("card", card) is None:
            return card


def _open(
    batch: Batch, asked: Asked, joined: int, contacts: dict[str, str], print_: bytes
) -> tuple[Timeline, tuple[int, int]]:
    line = batch.open("member", joined)
    happened = Happened(
        kind="enrolment",
        external_id="",
        occurred_at=asked.now,
        recorded_at=asked.now,
        fingerprint=print_,
        body=EnrolmentBody(joined),
    )
    number = batch.record(line, happened, None)
    for kind, value in contacts.items():
        batch.contacts.put((kind, value), (line.owner,))
        batch.more[statements.ADD_CONTACT].append((kind, value, line.owner))
    return line, (line.owner, number)


def _answer(batch: Batch, line: Timeline, enrol: Enrol, contacts: dict[str, str]) -> MemberAnswer:
    assert line.joined_day is not None
    return MemberAnswer(
        member_id=batch.running.ids.member(line.owner),
        joined=day_text(line.joined_day),
        state=line.state,
        cards=[contacts["card"]] if "card" in contacts else [],
        phones=[contacts["phone"]] if "phone" in contacts else [],
        emails=[contacts["email"]] if "email" in contacts else [],
        external_id=contacts.get("external_id", ""),
        name=enrol.name,
        language=enrol.language,
    )
