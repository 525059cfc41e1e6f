"""Activities by call: a review, a survey, a newsletter, and whatever else a policy names.

What does not live here: those that come by themselves (`due`), and what one gives
(`ledger.timeline`).
"""

from __future__ import annotations

import msgspec

from rewards.engine.misses import Scene
from rewards.errors import InvalidRequest
from rewards.ledger.entries import Entry
from rewards.ledger.timeline import Activity
from rewards.policy.model import Policy
from rewards.policy.wording import one_of
from rewards.service import due, rule_cards
from rewards.service.answers import ActivityAnswer
from rewards.service.asked import Asked
from rewards.service.awards import earned, not_given, told
from rewards.service.balances import day_of, day_text, text
from rewards.service.batch import Batch
from rewards.service.commands import Outcome, RecordActivity
from rewards.service.journal import ActivityBody, Happened, NoteBody, Timeline, pack
from rewards.service.named import active
from rewards.service.sold_cards import with_codes
from rewards.service.telling import balance_of
from rewards.store import statements

_json = msgspec.json.Encoder()


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Record an activity; raise `InvalidRequest` `unknown-activity` for a name that the policy of that day lacks."""
    command = asked.of(RecordActivity)
    running = batch.running
    running.ready()
    line = active(batch.member(command.member), "/member")
    at = asked.when(command.occurred_at)
    day = day_of(at, running.zone)
    _check_name(running.policy_on(day), command.name)
    due.touch(batch, line, asked.now)
    change = Activity(line.events + 1, command.name, at, day)
    scene = batch.scene(line, change)
    booking = batch.book(line, change)
    happened = Happened(
        kind="activity",
        external_id=f"\x1f{change.key}",  # callers' names hold no control characters
        occurred_at=at,
        recorded_at=asked.now,
        fingerprint=print_,
        body=ActivityBody(command.name, command.score),
    )
    place = (line.owner, batch.record(line, happened, booking))
    if command.metadata:
        batch.more[statements.ADD_NOTE].append((*place, pack(NoteBody(metadata=command.metadata))))
    rule_cards.settle(batch)
    answer = _answer(batch, asked, line, change, booking.entries[-1], scene)
    cards = rule_cards.issued(batch, place, booking.entries[-1].awards, batch.language(line))
    answer = msgspec.structs.replace(answer, gift_cards_issued=cards)
    return with_codes(batch.answered(asked, place, 201, _json.encode(answer)), batch.owing.codes)


def _check_name(policy: Policy, name: str) -> None:
    activity = policy.activities.get(name)
    by_call = [one.name for one in policy.activities.values() if one.by_call]
    if activity is None:
        there = f"it has {one_of(by_call, 'and')}" if by_call else "it has none that come by call"
        raise InvalidRequest("unknown-activity", f"the policy has no activity `{name}`; {there}", pointer="/name")
    if not activity.by_call:
        raise InvalidRequest("activity-by-itself", f"`{name}` comes by itself on its day", pointer="/name")


def _answer(batch: Batch, asked: Asked, line: Timeline, change: Activity, entry: Entry, scene: Scene) -> ActivityAnswer:
    program = batch.running.ready()
    return ActivityAnswer(
        member_id=batch.running.ids.member(line.owner),
        name=change.name,
        occurred_at=text(change.at, program.zone),
        day=day_text(change.day),
        policy_version=entry.policy_version,
        earned=earned(entry.awards),
        awards=told(program, entry.awards, entry.postings, language=batch.language(line)),
        not_given=[] if any(award.points > 0 for award in entry.awards) else not_given(scene, change.name),
        balance=balance_of(batch, line, asked.now),
    )
