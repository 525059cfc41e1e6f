"""What members tell about themselves: their birthday and the attributes that the policy declares.

What does not live here: enrolling (`enrolment`), and what conditions make of
the facts (`engine.member`). They count from the start of the day on which they
are recorded; the ones of the enrolment count for every day before, too.
"""

from __future__ import annotations

import re
from datetime import date

import msgspec
from msgspec import UnsetType

from rewards.basket import MemberRef
from rewards.errors import InvalidRequest
from rewards.ledger.timeline import Telling, Told
from rewards.policy.attributes import Kind
from rewards.policy.wording import one_of
from rewards.service import due
from rewards.service.answers import MemberAnswer
from rewards.service.asked import Asked
from rewards.service.balances import day_of, day_text
from rewards.service.batch import Batch
from rewards.service.commands import AttributeValue, ChangeMember, Outcome
from rewards.service.journal import ChangeBody, Happened, Timeline

_json = msgspec.json.Encoder()
_BIRTHDAY = re.compile(r"(?:\d{4}-)?(\d{2})-(\d{2})")
_A_LEAP_YEAR = 2024


def born(text: str) -> int:
    """Return month * 100 + day of a birthday; raise `InvalidRequest` if there is no such day. The year is not kept.

    >>> born("1990-02-28"), born("12-31")
    (228, 1231)
    """
    found = _BIRTHDAY.fullmatch(text)
    try:
        if found is not None:
            day = date(_A_LEAP_YEAR, int(found[1]), int(found[2]))
            return day.month * 100 + day.day
    except ValueError:
        pass
    message = f"`{text[:20]}` is no birthday: write month and day, such as `03-27`"
    raise InvalidRequest("birthday-invalid", message, pointer="/birthday")


def birthday_text(born_on: int) -> str:
    """Return a birthday as people write it, `03-27`; nothing where it is not known."""
    return f"{born_on // 100:02}-{born_on % 100:02}" if born_on else ""


def check_attributes(kinds: dict[str, Kind], given: dict[str, AttributeValue | None]) -> dict[str, AttributeValue]:
    """Return the values that are there, None left out; raise `InvalidRequest` for what the policy does not declare."""
    for name, value in given.items():
        if name not in kinds:
            known = f"the policy declares {one_of(kinds, 'and')}" if kinds else "the policy declares none"
            message = f"members have no attribute `{name}`: {known}"
            raise InvalidRequest("unknown-attribute", message, pointer=f"/attributes/{_escaped(name)}")
        if value is not None and not _fits(kinds[name], value):
            message = f"`{name}` is {_wanted(kinds[name])}"
            raise InvalidRequest("attribute-value", message, pointer=f"/attributes/{_escaped(name)}")
    return {name: value for name, value in given.items() if value is not None}


def _fits(kind: Kind, value: AttributeValue) -> bool:
    if isinstance(kind, frozenset):
        return value in kind
    return type(value) is {"boolean": bool, "integer": int, "text": str}[kind]


def _wanted(kind: Kind) -> str:
    if isinstance(kind, frozenset):
        return one_of(sorted(kind))
    return {"boolean": "`true` or `false`", "integer": "a whole number", "text": "a text"}[kind]


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Change what is known of a member; what is the same already changes nothing."""
    change = asked.of(ChangeMember)
    batch.running.ready()
    line = batch.member(MemberRef(id=change.member_id), "/member_id")
    due.touch(batch, line, asked.now)
    day = day_of(asked.now, batch.running.zone)
    told = _told(batch, line, change, day)
    profile = batch.profile(line.owner)
    name = profile[0] if isinstance(change.name, UnsetType) else change.name
    language = profile[1] if isinstance(change.language, UnsetType) else change.language
    state = line.state if isinstance(change.state, UnsetType) else change.state
    if told is None and (name, language) == profile[:2] and state == line.state:
        return Outcome(200, _json.encode(answer(batch, line)))
    if (name, language) != profile[:2]:
        batch.save_profile(line.owner, (name, language, profile[2]))
    happened = Happened(
        kind="change",
        external_id=f"\x1f{line.events + 1}",  # callers' names hold no control characters
        occurred_at=asked.now,
        recorded_at=asked.now,
        fingerprint=print_,
        body=ChangeBody(told, state if state != line.state else ""),
    )
    if state != line.state:
        batch.save_state(line, state)
    booking = batch.book(line, Telling(asked.now, told)) if told is not None else None
    place = (line.owner, batch.record(line, happened, booking))
    return batch.answered(asked, place, 200, _json.encode(answer(batch, line)))


def _told(batch: Batch, line: Timeline, change: ChangeMember, day: int) -> Told | None:
    """Return the facts from a day on, or None if they are what they were."""
    was = line.near.told[-1] if line.near.told else Told(0)
    born_on = was.born
    if not isinstance(change.birthday, UnsetType):
        born_on = born(change.birthday) if change.birthday else 0
    attributes = was.attributes
    if not isinstance(change.attributes, UnsetType):
        kinds = batch.running.policy_on(day).member_attributes
        given = check_attributes(kinds, change.attributes)
        attributes = {name: value for name, value in was.attributes.items() if name not in change.attributes} | given
    if (born_on, attributes) == (was.born, was.attributes):
        return None
    return Told(max(day, was.from_day), born_on, attributes)


def answer(batch: Batch, line: Timeline) -> MemberAnswer:
    """Return a member with contacts, profile and facts, as of now."""
    by_kind: dict[str, list[str]] = {}
    for owner in (line.owner, *line.near.merged):  # of those merged it is another system's word that stays theirs
        for kind, value in batch.contacts_of(owner):
            by_kind.setdefault(kind, []).append(value)
    name, language, _ = batch.profile(line.owner)
    told = line.near.told[-1] if line.near.told else Told(0)
    return MemberAnswer(
        member_id=batch.running.ids.member(line.owner),
        joined=day_text(line.near.joined),
        state=line.state,
        cards=by_kind.get("card", []),
        replaced_cards=batch.replaced_cards_of(line),
        phones=by_kind.get("phone", []),
        emails=by_kind.get("email", []),
        external_id=next(iter(by_kind.get("external_id", [])), ""),
        name=name,
        language=language,
        birthday=birthday_text(told.born),
        attributes=told.attributes,
        merged_ids=[batch.running.ids.member(owner) for owner in line.near.merged],
    )
