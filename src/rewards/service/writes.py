"""What the writer's planner does: exactly once, in order, one transaction for all.

Three nets, each of which holds alone: the idempotency key (here), the natural
id (each command's own module), and the journal's unique key (the schema). What
does not live here: threads and transactions (`store.writer`).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import msgspec

from rewards.errors import Conflict, KeyReused, RewardsError
from rewards.service import (
    activities,
    adjustments,
    card_activities,
    claims,
    due,
    enrolment,
    gift_cards,
    holds,
    member_contacts,
    member_facts,
    merging,
    publishing,
    purchases,
    redemptions,
    returns,
    rule_cards,
    sold_cards,
)
from rewards.service.asked import Asked, fingerprint
from rewards.service.batch import Batch
from rewards.service.commands import (
    ActOnGiftCard,
    Adjust,
    BookDue,
    CancelRedemption,
    CaptureHold,
    ChangeContacts,
    ChangeMember,
    ClaimPurchase,
    Command,
    Enrol,
    IssueGiftCard,
    MergeMembers,
    OfflinePurchase,
    OfflineReturn,
    OpenHold,
    Outcome,
    PreparedPurchase,
    Publish,
    RecordActivity,
    RecordPurchase,
    RecordReturn,
    Redeem,
    ShowGiftCards,
    VoidHold,
)
from rewards.service.foresight import foresee
from rewards.service.journal import pack
from rewards.service.running import Running, current
from rewards.store import statements
from rewards.store.database import Doubled, Session

_HANDLERS: dict[type[Command], Callable[[Batch, Asked, bytes], Outcome]] = {
    RecordPurchase: purchases.record,
    PreparedPurchase: purchases.record,
    OfflinePurchase: purchases.record,
    ClaimPurchase: claims.record,
    RecordReturn: returns.record,
    OfflineReturn: returns.record,
    Enrol: enrolment.record,
    ChangeMember: member_facts.record,
    ChangeContacts: member_contacts.record,
    MergeMembers: merging.record,
    Adjust: adjustments.record,
    IssueGiftCard: gift_cards.issue,
    ActOnGiftCard: card_activities.act,
    ShowGiftCards: card_activities.show,
    RecordActivity: activities.record,
    Redeem: redemptions.record,
    CancelRedemption: redemptions.cancel,
    OpenHold: holds.begin,
    CaptureHold: holds.capture,
    VoidHold: holds.void,
    BookDue: due.record,
}


class Refusal(msgspec.Struct, frozen=True, array_like=True):
    """A refusal, or an answer about no timeline, as it is stored under its key."""

    status: int  # 0 for a refusal
    body: bytes
    code: str = ""
    message: str = ""
    pointer: str = ""
    facts: dict[str, object] = {}


_stored = msgspec.msgpack.Decoder(Refusal)


class Planner:
    """Carries commands out, batch by batch; `running` is the program as last committed."""

    def __init__(self, running: Running) -> None:
        """Begin with the program as it is."""
        self.running = running
        self._next = running

    def plan(self, transaction: Session, commands: Sequence[Asked]) -> list[Outcome | RewardsError]:
        """Carry commands out in order; a version that is published counts from the next command on."""
        with _no_collector():
            return self._plan(transaction, commands)

    def _plan(self, transaction: Session, commands: Sequence[Asked]) -> list[Outcome | RewardsError]:
        self._next = current(transaction, self.running)
        results: list[Outcome | RewardsError] = []
        start = 0
        for i, asked in enumerate(commands):
            if isinstance(asked.command, Publish):
                results += self._together(transaction, commands[start:i])
                results.append(self._publish(transaction, asked))
                start = i + 1
        try:
            return results + self._together(transaction, commands[start:])
        except Doubled as error:
            if len(commands) > 1:
                raise
            raise Conflict("recorded-already", "the journal has this event already", pointer="") from error

    def committed(self) -> None:
        """Go on from what was written."""
        self.running = self._next

    def _together(self, session: Session, commands: Sequence[Asked]) -> list[Outcome | RewardsError]:
        if not commands:
            return []
        batch = Batch(session, self._next)
        foresee(batch, commands)
        results = [_one(batch, asked) for asked in commands]
        rule_cards.settle(batch)  # of what came by itself
        batch.flush()
        return results

    def _publish(self, session: Session, asked: Asked) -> Outcome | RewardsError:
        batch = Batch(session, self._next)
        try:
            print_ = fingerprint(self._next.secret, asked.command)
            known = _by_key(batch, asked, print_)
            if known is not None:
                return known
            outcome, self._next = publishing.publish(session, self._next, asked)
        except RewardsError as error:
            return error
        _keep_key(batch, asked, print_, outcome)
        batch.flush()
        return outcome


@contextmanager
def _no_collector() -> Iterator[None]:
    """Keep the garbage collector off states that live no longer than their batch; it takes a third of the time else."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def _one(batch: Batch, asked: Asked) -> Outcome | RewardsError:
    batch.now = asked.now
    try:
        print_ = fingerprint(batch.running.secret, asked.command)
        if asked.key is not None and (known := _by_key(batch, asked, print_)) is not None:
            return known
        outcome = _HANDLERS[type(asked.command)](batch, asked, print_)
    except Conflict as refusal:
        if asked.key is not None and refusal.code != "no-policy" and batch.keys.get(asked.caller, asked.key) is None:
            _keep_refusal(batch, asked, print_, refusal)
        return refusal
    except RewardsError as error:
        return error
    if asked.key is not None:
        _keep_key(batch, asked, print_, outcome)
    return outcome


def _by_key(batch: Batch, asked: Asked, print_: bytes) -> Outcome | RewardsError | None:
    """Return what was answered under the key, or None; a key with other content is refused."""
    if asked.key is None:
        return None
    route = batch.keys.get(asked.caller, asked.key)
    if route is None:
        return None
    owner, number, known, _, answered = route
    if known != print_:
        raise KeyReused("key-reused", "this Idempotency-Key was used before, with other content")
    if answered is not None:
        stored = _stored.decode(answered)
        if stored.status:
            return Outcome(stored.status, stored.body, replayed=True)
        return Conflict(stored.code, stored.message, pointer=stored.pointer, **stored.facts)
    assert owner is not None
    assert number is not None
    if isinstance(asked.command, IssueGiftCard) or getattr(asked.command, "activity", "") == "NEW_CODE":
        return gift_cards.issued_again(batch, (owner, number))
    outcome = batch.replay(asked, (owner, number), lambda: _unanswered(batch, asked))
    return sold_cards.with_new_codes(batch, outcome)


def _unanswered(batch: Batch, asked: Asked) -> bytes:
    """Answer a key whose event was recorded without an answer: by carrying the command out, which finds it."""
    outcome = _HANDLERS[type(asked.command)](batch, asked, fingerprint(batch.running.secret, asked.command))
    return outcome.body


def _keep_key(batch: Batch, asked: Asked, print_: bytes, outcome: Outcome) -> None:
    if outcome.place is not None:
        _route(batch, asked, (*outcome.place, print_, asked.now, None))
    else:
        _route(batch, asked, (None, None, print_, asked.now, pack(Refusal(outcome.status, outcome.body))))


def _keep_refusal(batch: Batch, asked: Asked, print_: bytes, refusal: Conflict) -> None:
    """A refusal for what was recorded before is the answer under its key, ever after; the natural id stays free."""
    stored = Refusal(0, b"", refusal.code, refusal.message, refusal.pointer, refusal.facts)
    _route(batch, asked, (None, None, print_, asked.now, pack(stored)))


def _route(batch: Batch, asked: Asked, rest: tuple[int | None, int | None, bytes, int, bytes | None]) -> None:
    if asked.key is None:
        return
    batch.keys.put((asked.caller, asked.key), rest)
    batch.more[statements.ADD_KEY_ROUTE].append((asked.caller, asked.key, *rest))
