"""Referrals: what a member gets for a friend who buys.

The friend's part is an earning rule of the first purchase. Whenever that rule begins to give, or gives
no longer, on whatever day and for whatever reason, the referrer's timeline is told in the same
transaction. What does not live here: who brought whom (`enrolment`), and what it gives
(`ledger.timeline`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rewards.days import midnight
from rewards.ledger.entries import Award
from rewards.ledger.timeline import Activity
from rewards.policy.activity_model import FOR_REFERRER, REFERRAL
from rewards.service.journal import ActivityBody, Happened, Timeline

if TYPE_CHECKING:
    from rewards.service.batch import Batch


def follow(batch: Batch, friend: Timeline, awards: Sequence[Award], now: int) -> None:
    """Tell the referrer's timeline what an event of the friend changed; `awards` are the event's."""
    referrer = batch.line(batch.now_of(friend.near.referrer))
    if referrer is None:
        return
    of_friend = [award for award in awards if award.rule == REFERRAL and award.points]
    for award in sorted(of_friend, key=lambda award: award.points):  # what is gone makes room for what has come
        was = award.facts[0]
        if was and not was + award.points:
            _tell(batch, referrer, friend, award.day, now, gone=True)
        elif not was and referrer.state == "active":
            _tell(batch, referrer, friend, award.day, now, gone=False)


def _tell(batch: Batch, referrer: Timeline, friend: Timeline, day: int, now: int, *, gone: bool) -> None:
    program = batch.running.ready()
    if FOR_REFERRER not in program.on(day).policy.rules:
        return
    at = midnight(day, program.zone)
    name = f"\x1f{REFERRAL} {friend.owner} {friend.events}{' gone' if gone else ''}"  # one event, one change a way
    known_as = friend.near.known_as or friend.owner
    happened = Happened(
        kind="activity",
        external_id=name,
        occurred_at=at,
        recorded_at=now,
        fingerprint=batch.running.print_of(name),
        body=ActivityBody(REFERRAL, friend=known_as, gone=gone),
    )
    batch.record(referrer, happened, batch.book(referrer, Activity(-known_as, REFERRAL, at, day, gone)))
