"""Holds: points, money on a gift card, what a reward costs, or a voucher, set aside for a while.

The caller names a hold; the same name with the same content is the same hold.
What is held can be taken by nothing else, until the hold is captured, voided, or
has run out. What does not live here: how it ends (`hold_ends`), purchases that
capture it (`hold_tenders`), and which points are held (`ledger`).
"""

from __future__ import annotations

import msgspec

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, RewardsError
from rewards.ledger.gift_cards import Activity, state_at
from rewards.ledger.timeline import Holding
from rewards.service import due
from rewards.service.asked import Asked
from rewards.service.awards import reading
from rewards.service.balances import day_of
from rewards.service.batch import Batch, Place
from rewards.service.card_activities import spent
from rewards.service.card_tenders import WHY_NOT
from rewards.service.codes import is_code, normal
from rewards.service.commands import CaptureHold, OpenHold, Outcome, VoidHold
from rewards.service.gift_cards import card_of, check_currency, happen
from rewards.service.hold_answers import HoldAnswer, told
from rewards.service.hold_ends import Ended, Found, check_open, end, ended, found, refused, too_small
from rewards.service.journal import Happened, HoldBody, NoteBody, pack
from rewards.service.named import active, named
from rewards.service.pins import opened
from rewards.service.tenders import points_for, spendable_at
from rewards.store import statements

SECOND = 1_000_000
_json = msgspec.json.Encoder()
_TAKES = {
    "points": {"member", "wallet", "points", "amount_minor"},
    "gift_card": {"code", "pin", "amount_minor"},
    "reward": {"member", "reward", "times"},
    "code": {"code", "pin"},
}
_NEEDS = {
    "points": ("member", "wallet"),
    "gift_card": ("code", "amount_minor"),
    "reward": ("member", "reward"),
    "code": ("code",),
}


# beginning


def begin(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Begin a hold, or answer as the first time; raise what is not there to be held, with the figures."""
    command = asked.of(OpenHold)
    batch.running.ready()
    route = batch.receipts.get("", command.hold_id, "hold")
    if route is not None:
        return _again(batch, asked, command, print_)
    _check_form(batch, command)
    until = asked.now + command.expires_in_seconds * SECOND
    of_card = command.kind in {"gift_card", "code"}
    place = (_of_card if of_card else _of_member)(batch, asked, command, until, print_)
    batch.route("", command.hold_id, "hold", place, print_)
    hold = found(batch, command.hold_id, "/hold_id")
    return batch.answered(asked, place, 201, _json.encode(told(batch, hold)))


def _check_form(batch: Batch, command: OpenHold) -> None:
    """Refuse what does not belong to a hold of this kind."""
    check_currency(batch, command.currency)
    for key in ("member", "wallet", "points", "amount_minor", "code", "pin", "reward", "times"):
        if getattr(command, key) not in {None, ""} and key not in _TAKES[command.kind]:
            message = f"a hold of kind `{command.kind}` takes no `{key}`"
            raise InvalidRequest("hold-ambiguous", message, pointer=f"/{key}")
    for key in _NEEDS[command.kind]:
        if getattr(command, key) in {None, ""}:
            message = f"a hold of kind `{command.kind}` needs `{key}`"
            raise InvalidRequest("hold-ambiguous", message, pointer=f"/{key}")
    if command.kind == "points" and (command.points is None) == (command.amount_minor is None):
        raise InvalidRequest("hold-ambiguous", "give exactly one of `points` and `amount_minor`", pointer="/points")


def _of_member(batch: Batch, asked: Asked, command: OpenHold, until: int, print_: bytes) -> Place:
    assert command.member is not None
    line, day = batch.member(command.member), day_of(asked.now, batch.running.zone)
    active(line, "/member")
    due.touch(batch, line, asked.now)
    body = _body(batch, command, day, until)
    pointer = "/reward" if command.reward else "/points" if command.points is not None else "/amount_minor"
    there = spendable_at(batch, line, asked.now, day, body.wallet, body.points)
    if there < body.points:
        what = f"{there} {body.wallet} are there, not {body.points}"
        raise Conflict("not-enough-points", what, pointer=pointer, available=there, wanted=body.points)
    change = Holding(command.hold_id, asked.now, day, body.wallet, body.points, until)
    happened = Happened(
        kind="hold",
        external_id=command.hold_id,
        occurred_at=asked.now,
        recorded_at=asked.now,
        store_id=command.store_id,
        till_id=command.till_id,
        operator_id=command.operator_id,
        fingerprint=print_,
        body=body,
    )
    return line.owner, batch.record(line, happened, batch.book(line, change))


def _body(batch: Batch, command: OpenHold, day: int, until: int) -> HoldBody:
    """Return how many points of which wallet are asked for."""
    policy = batch.running.policy_on(day)
    if command.kind == "reward":
        reward = named(policy.rewards, "reward", command.reward, "/reward")
        if not reward.offer:
            message = f"`{reward.id}` takes nothing off a basket: hold the points that it costs"
            raise InvalidRequest("reward-not-held", message, pointer="/reward")
        times = command.times or 1
        points = reward.points * times
        return HoldBody(command.hold_id, "reward", reward.wallet, points, until, 0, reward.id, times)
    wallet = named(policy.wallets, "wallet", command.wallet, "/wallet")
    minor = command.amount_minor or 0
    held = command.points or points_for(wallet.pays, command.wallet, minor, "/amount_minor")
    return HoldBody(command.hold_id, "points", command.wallet, held, until, minor)


def _of_card(batch: Batch, asked: Asked, command: OpenHold, until: int, print_: bytes) -> Place:
    if command.kind == "code" and not is_code(normal(command.code)):
        _check_word(batch, asked, command.code)
    line = opened(batch, asked, command.code, command.pin, "/code")
    card, wants_voucher = card_of(line), command.kind == "code"
    at = max(asked.now, card.clock)
    if (card.kind == "voucher") != wants_voucher:
        state = "voucher" if card.kind == "voucher" else "not-a-voucher"
    else:
        state = state_at(card, at)
    if state != "active":
        raise Conflict("gift-card-not-usable", WHY_NOT[state], pointer="/code", state=state, last_four=card.last_four)
    parts = () if wants_voucher else spent(card, command.amount_minor or 0, at, "/amount_minor")
    activity = Activity("HOLD", at=at, parts=parts, hold=command.hold_id, until=until)
    about = (command.store_id, command.hold_id)
    return line.owner, happen(batch, asked.now, line, activity, print_, at=asked.now, about=about)


def _check_word(batch: Batch, asked: Asked, code: str) -> None:
    """Refuse a word that everybody may use: there is nothing to be held."""
    if code.strip().upper() in reading(batch.running.policy_on(day_of(asked.now, batch.running.zone))):
        message = "this code is a word that everybody may use; only a voucher's code can be held"
        raise InvalidRequest("code-not-held", message, pointer="/code")


def _again(batch: Batch, asked: Asked, command: OpenHold, print_: bytes) -> Outcome:
    """Answer a name that is taken: as the first time if the content is the same, else what differs."""
    hold = found(batch, command.hold_id, "/hold_id")
    place = (hold.line.owner, hold.number)
    if batch.receipts.get("", command.hold_id, "hold") != (*place, print_):
        pointers = list(_differing(batch, command, hold))
        if pointers:
            raise Conflict(
                "hold-conflict",
                f"the hold `{command.hold_id}` was made with other content",
                pointer=pointers[0],
                differs=pointers,
            )
    return batch.replay(asked, place, lambda: _json.encode(told(batch, hold)))


def _differing(batch: Batch, command: OpenHold, hold: Found) -> list[str]:
    event, body = batch.event(hold.line.owner, hold.number), hold.body
    sent: dict[str, object] = {"/kind": command.kind, "/store_id": command.store_id}
    kept: dict[str, object] = {"/kind": hold.kind, "/store_id": event[5]}
    if command.kind == hold.kind and command.member is not None:
        sent["/member"], kept["/member"] = _named(batch, command.member), hold.line.owner
    card = hold.line.card
    if command.kind == hold.kind and card is not None:  # a code is no secret by its last symbols, nor is it looked up
        sent["/code"], kept["/code"] = normal(command.code)[-4:], card.last_four
    sent["/expires_in_seconds"] = command.expires_in_seconds
    kept["/expires_in_seconds"] = (hold.until - event[4]) // SECOND
    if body is None:
        sent["/amount_minor"], kept["/amount_minor"] = command.amount_minor or 0, hold.minor
    else:
        sent |= {"/till_id": command.till_id, "/operator_id": command.operator_id}
        kept |= {"/till_id": event[6], "/operator_id": event[7]}
        sent |= {"/reward": command.reward, "/amount_minor": command.amount_minor or 0}
        kept |= {"/reward": body.reward, "/amount_minor": body.amount_minor}
        if body.kind == "reward":
            sent["/times"], kept["/times"] = command.times or 1, body.times
        else:
            sent["/wallet"], kept["/wallet"] = command.wallet, body.wallet
        if command.points is not None:
            sent["/points"], kept["/points"] = command.points, body.points
    return [pointer for pointer, value in sent.items() if kept[pointer] != value] or ["/hold_id"]


def _named(batch: Batch, ref: MemberRef) -> int:
    try:
        return batch.member(ref).owner
    except RewardsError:
        return 0


# ending


def capture(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Take what is held, or a part, and release the rest; captured again, the first outcome is answered."""
    command = asked.of(CaptureHold)
    hold = found(batch, command.hold_id, "")
    before = ended(batch, hold)
    if before is not None and before.state == "captured":
        return _captured_again(batch, asked, command, hold, before)
    check_open(batch, hold, "")
    _check_usable(hold)
    taken = _wanted(batch, asked, command, hold)
    number = end(batch, hold, "captured", print_, taken=taken)
    return _answered(batch, asked, command, hold, number)


def void(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Release what is held; voided again, the first outcome is answered."""
    command = asked.of(VoidHold)
    hold = found(batch, command.hold_id, "")
    before = ended(batch, hold)
    if before is not None and before.state == "voided":
        return _replayed(batch, asked, hold, before)
    check_open(batch, hold, "")
    return _answered(batch, asked, command, hold, end(batch, hold, "voided", print_))


def _answered(batch: Batch, asked: Asked, command: CaptureHold | VoidHold, hold: Found, number: int) -> Outcome:
    place = (hold.line.owner, number)
    if command.reason:
        batch.more[statements.ADD_NOTE].append((*place, pack(NoteBody(command.reason))))
    return batch.answered(asked, place, 200, _json.encode(told(batch, hold)))


def _replayed(batch: Batch, asked: Asked, hold: Found, before: Ended) -> Outcome:
    """Answer as the first time; of what a purchase captured, tell what stays as it is: not what is there now."""

    def lasting() -> bytes:
        """Tell the hold without the balance, which moves on."""
        return _json.encode(msgspec.structs.replace(told(batch, hold), balance={}, card=None))

    outcome = batch.replay(asked, (hold.line.owner, before.number), lasting)
    return msgspec.structs.replace(outcome, status=200)


def _captured_again(batch: Batch, asked: Asked, command: CaptureHold, hold: Found, before: Ended) -> Outcome:
    wants = command.points is not None or command.amount_minor is not None
    if wants and _wanted(batch, asked, command, hold, limit=False) != before.taken:
        raise refused(hold, before, "")
    return _replayed(batch, asked, hold, before)


def _check_usable(hold: Found) -> None:
    """Raise `Conflict` for a member or a card that was blocked since."""
    card = hold.line.card
    if card is None:
        active(hold.line, "")
    elif card.state != "active":
        raise Conflict("gift-card-not-usable", WHY_NOT[card.state], state=card.state, last_four=card.last_four)


def _wanted(batch: Batch, asked: Asked, command: CaptureHold, hold: Found, *, limit: bool = True) -> int:
    """Return the points or the minor units that a capture takes; all, if it does not say."""
    points, minor, whole = command.points, command.amount_minor, hold.kind in {"reward", "code"}
    if points is not None and (minor is not None or hold.kind != "points"):
        raise InvalidRequest("hold-ambiguous", _HOW[hold.kind], pointer="/points")
    if minor is not None and whole:
        raise InvalidRequest("hold-ambiguous", _HOW[hold.kind], pointer="/amount_minor")
    wanted = hold.held
    if points is not None:
        wanted = points
    elif minor is not None:
        wanted = minor
        if hold.body is not None:
            policy = batch.running.policy_on(day_of(asked.now, batch.running.zone))
            wallet = policy.wallets.get(hold.body.wallet)
            wanted = points_for(wallet.pays if wallet is not None else None, hold.body.wallet, minor, "/amount_minor")
    if limit and wanted > hold.held:
        raise too_small(hold, wanted, "/points" if points is not None else "/amount_minor")
    return wanted


_HOW = {
    "points": "give `points` or `amount_minor`, or neither to take all",
    "gift_card": "give `amount_minor`, or nothing to take all",
    "reward": "a reward is taken as a whole: give no amount",
    "code": "a voucher is used as a whole: give no amount",
}


# reading


def read(batch: Batch, name: str) -> HoldAnswer:
    """Return a hold as it is now; raise `NotFound` `unknown-hold`."""
    batch.running.ready()
    return told(batch, found(batch, name, ""))
