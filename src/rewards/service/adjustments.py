"""Points given or taken by staff, with a reason and an actor.

What does not live here: the points' lots (`ledger.timeline`).
"""

from __future__ import annotations

import msgspec

from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.timeline import Grant, Spending
from rewards.service import allowance, due
from rewards.service.asked import Asked
from rewards.service.balance_answers import WalletBalance
from rewards.service.balances import day_of, text
from rewards.service.batch import Batch, Place
from rewards.service.commands import Adjust, Outcome
from rewards.service.journal import AdjustmentBody, Happened, NoteBody, Timeline, pack
from rewards.service.named import named
from rewards.service.telling import balance_of
from rewards.store import statements

_json = msgspec.json.Encoder()


class AdjustmentAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Points given (above zero) or taken by staff."""

    adjustment_id: str = ""
    member_id: str
    wallet: str
    points: int
    reason: str
    actor: str
    approved_by: str = ""
    occurred_at: str
    balance: dict[str, WalletBalance] = {}


def record(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Give or take points, or answer as the first time; raise `Conflict` `not-enough-points` for what is not there."""
    adjust = asked.of(Adjust)
    batch.running.ready()
    line = batch.member(adjust.member)
    if (known := _known(batch, line, adjust.adjustment_id, print_)) is not None:
        return _again(batch, asked, adjust, known, print_)
    due.touch(batch, line, asked.now)
    at = asked.when(adjust.occurred_at)
    day = day_of(at, batch.running.zone)
    named(batch.running.policy_on(day).wallets, "wallet", adjust.wallet, "/wallet")
    if not adjust.points:
        raise InvalidRequest("points-zero", "`points` is above zero to give, below to take", pointer="/points")
    counted = "" if adjust.may_owe else adjust.wallet  # an opening balance is no adjustment of anybody's
    if counted:
        allowance.check(batch, asked, adjust.actor, adjust.approved_by, counted, abs(adjust.points), "/points")
    if adjust.points < 0:
        if not adjust.may_owe:
            _check_enough(batch, asked, adjust, line)
        change = Spending(at, day, adjust.wallet, -adjust.points, "adjusted")
        booking = batch.book(line, change)
    else:
        booking = batch.book(line, Grant(at, day, adjust.wallet, adjust.points))
    name = adjust.adjustment_id or f"\x1f{line.events + 1}"  # callers' names hold no control characters
    happened = Happened(
        kind="adjustment",
        external_id=name,
        occurred_at=at,
        recorded_at=asked.now,
        operator_id=adjust.actor,
        fingerprint=print_,
        body=AdjustmentBody(adjust.wallet, adjust.points, adjust.approved_by if counted else None),
    )
    place = (line.owner, batch.record(line, happened, booking))
    if adjust.adjustment_id:
        batch.by_id.put((line.owner, "adjustment", "", name), (place[1], print_))
    if counted:
        allowance.count(batch, asked, adjust.actor, adjust.approved_by, counted, abs(adjust.points))
    batch.more[statements.ADD_NOTE].append((*place, pack(NoteBody(adjust.reason))))
    return batch.answered(asked, place, 201, _json.encode(_answer(batch, asked, adjust, line, at)))


def _check_enough(batch: Batch, asked: Asked, adjust: Adjust, line: Timeline) -> None:
    balance = balance_of(batch, line, asked.now).get(adjust.wallet)
    available = balance.available if balance is not None else 0
    if available < -adjust.points:
        raise Conflict(
            "not-enough-points",
            f"{available} {adjust.wallet} are there, not {-adjust.points}",
            pointer="/points",
            available=available,
            wanted=-adjust.points,
        )


def _known(batch: Batch, line: Timeline, name: str, print_: bytes) -> tuple[Place, bytes] | None:
    """Return where the member's adjustment of this name was recorded, with its content's mark; of several the same."""
    owners = [line.owner, *line.near.merged] if name else []
    keys = [(owner, "adjustment", "", name) for owner in owners]
    batch.by_id.foresee(keys)
    found = [((key[0], known[0]), known[1]) for key in keys if (known := batch.by_id.get(*key)) is not None]
    return next((one for one in found if one[1] == print_), found[0] if found else None)


def _again(batch: Batch, asked: Asked, adjust: Adjust, known: tuple[Place, bytes], print_: bytes) -> Outcome:
    place, first = known
    if first != print_:
        raise Conflict(
            "adjustment-conflict",
            f"adjustment `{adjust.adjustment_id}` was recorded with other content",
            pointer="/adjustment_id",
        )
    at, line = batch.event(*place)[3], batch.member(adjust.member)
    return batch.replay(asked, place, lambda: _json.encode(_answer(batch, asked, adjust, line, at)))


def _answer(batch: Batch, asked: Asked, adjust: Adjust, line: Timeline, at: int) -> AdjustmentAnswer:
    return AdjustmentAnswer(
        adjustment_id=adjust.adjustment_id,
        member_id=batch.running.ids.member(line.owner),
        wallet=adjust.wallet,
        points=adjust.points,
        reason=adjust.reason,
        actor=adjust.actor,
        approved_by=adjust.approved_by,
        occurred_at=text(at, batch.running.zone),
        balance=balance_of(batch, line, asked.now),
    )
