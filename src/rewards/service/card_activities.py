"""What staff do with a gift card, one call each; and the proof, by code and PIN, that one has it.

What does not live here: issuing (`gift_cards`), purchases that load a card or
are paid with one, and what an activity books (`ledger.gift_cards`).
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from rewards.days import midnight, plus
from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.card_money import Lots, taken
from rewards.ledger.gift_cards import OF_VOUCHERS, Activity, Card, balance_at, held_minor, is_possible, state_at
from rewards.service import allowance, vouchers
from rewards.service.asked import Asked
from rewards.service.balances import day_of
from rewards.service.batch import Batch
from rewards.service.codes import code_hash, new_code
from rewards.service.commands import ActOnGiftCard, Outcome, ShowGiftCards
from rewards.service.gift_cards import (
    card_of,
    check_currency,
    check_load,
    check_room,
    happen,
    money_ends,
    open_lots,
    promised,
    told,
    with_code,
)
from rewards.service.journal import NoteBody, Timeline, pack
from rewards.service.known_cards import by_id, lapse, unknown
from rewards.service.pins import begin_anew, looked_up, opened
from rewards.service.running import Running
from rewards.store import statements

_json = msgspec.json.Encoder()
_WITH_AMOUNT = {"ACTIVATE", "LOAD", "REDEEM", "REFUND", "ADJUST_INCREMENT", "ADJUST_DECREMENT"}  # must say how much
_ALL_OR_PART = {"CASH_OUT", "TRANSFER_BALANCE"}
_OF_PAID = {"ACTIVATE", "LOAD", "CASH_OUT"}
_WITH_REASON = allowance.OF_CARDS
_BEGINS_ANEW = {"ACTIVATE", "REDEEM", "UNBLOCK"}
_WHILE_BLOCKED = {"REFUND", "ADJUST_INCREMENT", "ADJUST_DECREMENT", "CLEAR_BALANCE"}


def show(batch: Batch, asked: Asked, _print: bytes) -> Outcome:
    """Answer the card that a code and a PIN lead to, nothing for those of a quote; raise what `pins.opened` raises."""
    command = asked.of(ShowGiftCards)
    pairs = zip(command.cards, command.pointers, strict=True)
    lines = [opened(batch, asked, code, pin, pointer) for (code, pin), pointer in pairs]
    if command.codes:
        policy = batch.running.policy_on(day_of(command.at, batch.running.zone))
        looked_up(batch, asked, vouchers.of_cards(policy, command.codes))
    return Outcome(200, _json.encode(told(batch, lines[0], asked.now)) if len(lines) == 1 else b"")


def act(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Carry an activity out; raise what refuses it, with its figures."""
    command = asked.of(ActOnGiftCard)
    line = _line(batch, command.gift_card_id, "/gift_card_id")
    card = card_of(line)
    _check_form(batch, command, card)
    _check_state(command, card, asked.now)
    if command.activity == "NEW_CODE":
        return _new_code(batch, asked, command, line, print_)
    if command.activity == "TRANSFER_BALANCE":
        number = _transfer(batch, asked, command, line, print_)
    else:
        parts = _PARTS.get(command.activity, _no_parts)(batch.running, command, card, max(asked.now, card.clock))
        approved_by = _allowed(batch, asked, command, parts)
        activity = Activity(command.activity, at=asked.now, parts=parts, approved_by=approved_by)
        number = happen(batch, asked.now, line, activity, print_, at=asked.now, of=command)
        if command.activity in _BEGINS_ANEW:
            begin_anew(batch, line)
    _note(batch, line, number, command)
    return batch.answered(asked, (line.owner, number), 201, _json.encode(told(batch, line, asked.now)))


def _new_code(batch: Batch, asked: Asked, command: ActOnGiftCard, line: Timeline, print_: bytes) -> Outcome:
    """Have one more code lead to a card, for who was never told one; those that there are go on leading to it."""
    last_four = card_of(line).last_four
    code = new_code(last_four)
    hash_ = code_hash(batch.running.secret, code)
    activity = Activity("NEW_CODE", code_hash=hash_, at=asked.now)
    place = line.owner, happen(batch, asked.now, line, activity, print_, at=asked.now, of=command)
    batch.more[statements.ADD_CODE_ROUTE].append((hash_, line.owner, last_four))
    _note(batch, line, place[1], command)
    told_ = told(batch, line, asked.now)
    batch.answered(asked, place, 201, _json.encode(told_))
    return with_code(told_, code, place)


def _note(batch: Batch, line: Timeline, number: int, command: ActOnGiftCard) -> None:
    if command.reason:
        batch.more[statements.ADD_NOTE].append((line.owner, number, pack(NoteBody(command.reason))))


def _allowed(batch: Batch, asked: Asked, command: ActOnGiftCard, parts: Lots) -> str | None:
    """Return who approved an adjustment; raise what an actor can't do alone."""
    if command.activity not in allowance.OF_CARDS:
        return None
    who, minor = (command.actor, command.approved_by), sum(minor for _, minor in parts)
    allowance.check(batch, asked, *who, "", minor, "/amount_minor" if command.amount_minor else "/activity")
    allowance.count(batch, asked, *who, "", minor)
    return command.approved_by


def _line(batch: Batch, gift_card_id: str, pointer: str) -> Timeline:
    line = by_id(batch, gift_card_id)
    if line is None:
        raise unknown(pointer)
    return lapse(batch, line)


def _check_form(batch: Batch, command: ActOnGiftCard, card: Card) -> None:
    """Refuse what no card of this kind could do, whatever its state."""
    activity = command.activity
    if card.kind == "voucher" and activity not in OF_VOUCHERS:
        message = f"a voucher holds an offer and no money: {activity} is not for it"
        raise InvalidRequest("activity-not-supported", message, pointer="/activity")
    if card.kind == "promotional" and activity in _OF_PAID:
        message = f"the money on a promotional card was given, not sold: {activity} is not for it"
        raise InvalidRequest("activity-not-supported", message, pointer="/activity")
    check_currency(batch, command.currency)
    if activity in _WITH_AMOUNT and not command.amount_minor:
        raise InvalidRequest("amount-missing", f"{activity} needs `amount_minor`, above zero", pointer="/amount_minor")
    if activity not in _WITH_AMOUNT | _ALL_OR_PART and command.amount_minor is not None:
        raise InvalidRequest("amount-not-taken", f"{activity} takes no amount", pointer="/amount_minor")
    if bool(command.to) != (activity == "TRANSFER_BALANCE"):
        message = "TRANSFER_BALANCE, and it alone, names in `to` the card that gets the balance"
        raise InvalidRequest("transfer-where", message, pointer="/to")
    for key in ("reason", "actor"):
        if activity in _WITH_REASON and not getattr(command, key):
            raise InvalidRequest("reason-missing", f"{activity} needs a reason and an actor", pointer=f"/{key}")


def _check_state(command: ActOnGiftCard, card: Card, now: int) -> None:
    activity, balance = command.activity, balance_at(card, now)
    in_use = card.state in {"active", "blocked", "locked"}
    if not (is_possible(card, activity) or (activity in _WHILE_BLOCKED and in_use)):
        raise Conflict(
            "activity-not-possible",
            f"the gift card is {card.state}: {activity} is not possible",
            pointer="/activity",
            state=card.state,
        )
    if activity == "DEACTIVATE" and (balance or card.holds):
        message = f"{balance} are on the gift card: pay them out, move or clear them first"
        facts = {"balance_minor": balance}
        if card.holds:
            message = f"{balance} are on the gift card, and a hold of it is open: capture or void it first"
            facts["held_minor"] = held_minor(card)
        raise Conflict("balance-left", message, pointer="/activity", **facts)


# what is added or taken


def _no_parts(_running: Running, _command: ActOnGiftCard, _card: Card, _at: int) -> Lots:
    return ()


def _load(running: Running, command: ActOnGiftCard, card: Card, at: int) -> Lots:
    product, minor = promised(running, card), command.amount_minor or 0
    check_load(product, minor)
    check_room(product, balance_at(card, at) + held_minor(card), minor)
    return ((money_ends(running, product, at), minor),)


def _increase(running: Running, command: ActOnGiftCard, card: Card, at: int) -> Lots:
    product, minor = promised(running, card), command.amount_minor or 0
    check_room(product, balance_at(card, at) + held_minor(card), minor)
    return ((back_until(running, card, at), minor),)


def _refund(running: Running, command: ActOnGiftCard, card: Card, at: int) -> Lots:
    minor = command.amount_minor or 0
    if minor > card.drawn:
        message = f"{card.drawn} were redeemed by calls and not refunded, so {minor} are too many"
        raise Conflict("refund-exceeds", message, pointer="/amount_minor", refundable_minor=card.drawn)
    return ((back_until(running, card, at), minor),)


def back_until(running: Running, card: Card, at: int) -> int:
    """Return when money ends that comes onto a card at an instant and was not loaded then.

    That of a paid card ends as a load of the day; that of a promotional one with the card, but it lasts as long as
    points that are given back.
    """
    product = promised(running, card)
    if card.kind == "paid":
        return money_ends(running, product, at)
    return max(card.expires_at, lasts_at_least(running, at))


def lasts_at_least(running: Running, at: int) -> int:
    """Return the instant to which what is given back at an instant lasts at least."""
    day = day_of(at, running.zone)
    return midnight(plus(day, running.policy_on(day).returns.restored_points_last), running.zone)


def _all_or_part(_running: Running, command: ActOnGiftCard, card: Card, at: int) -> Lots:
    balance = balance_at(card, at)
    minor = balance if command.amount_minor is None else command.amount_minor
    if not minor:
        raise Conflict("balance-too-low", "there is nothing on the gift card", pointer="/activity", balance_minor=0)
    return spent(card, minor, at, "/amount_minor")


def spent(card: Card, minor: int, at: int, pointer: str) -> Lots:
    """Return the lots that a spending takes from; raise `Conflict` `balance-too-low` for more than there is."""
    balance, held = balance_at(card, at), held_minor(card)
    if minor > balance:
        message = f"{balance} are on the gift card, so {minor} are too many"
        facts = {"balance_minor": balance, "wanted_minor": minor, **({"held_minor": held} if held else {})}
        raise Conflict("balance-too-low", message, pointer=pointer, **facts)
    return taken(open_lots(card, max(card.clock, at)), minor)


_PARTS: dict[str, Callable[[Running, ActOnGiftCard, Card, int], Lots]] = {
    "ACTIVATE": _load,
    "LOAD": _load,
    "REDEEM": _all_or_part,
    "REFUND": _refund,
    "ADJUST_INCREMENT": _increase,
    "ADJUST_DECREMENT": _all_or_part,
    "CASH_OUT": _all_or_part,
    "CLEAR_BALANCE": _all_or_part,
}


def _transfer(batch: Batch, asked: Asked, command: ActOnGiftCard, line: Timeline, print_: bytes) -> int:
    """Move money to another card; each lot keeps its end. Return the number of the event on the card that gave."""
    other = _line(batch, command.to, "/to")
    card, to = card_of(line), card_of(other)
    at = max(asked.now, card.clock, to.clock)
    _check_target(batch, card, to, at, same=line is other)
    parts = _all_or_part(batch.running, command, card, at)
    check_room(
        promised(batch.running, to), balance_at(to, at) + held_minor(to), sum(minor for _, minor in parts), "/to"
    )
    gave = Activity("TRANSFER_OUT", of=(other.owner, other.events + 1), at=at, parts=parts)
    number = happen(batch, asked.now, line, gave, print_, at=asked.now, of=command)
    got = Activity("TRANSFER_IN", of=(line.owner, number), at=at, parts=parts)
    happen(batch, asked.now, other, got, print_, at=asked.now, of=command)
    return number


def _check_target(batch: Batch, card: Card, to: Card, at: int, *, same: bool) -> None:
    if same:
        raise InvalidRequest("transfer-where", "a card does not move its balance to itself", pointer="/to")
    if to.kind != card.kind:
        message = f"money of a {card.kind} card cannot go to a {to.kind} one"
        raise Conflict("transfer-not-possible", message, pointer="/to", kind=to.kind)
    if card.personal and batch.now_of(card.member) != batch.now_of(to.member):
        message = "what is on a card for one member stays with that member"
        raise Conflict("transfer-not-possible", message, pointer="/to", kind=to.kind)
    state = state_at(to, at)
    if to.state != "active":
        message = f"the card that would get the balance is {state}"
        raise Conflict("transfer-not-possible", message, pointer="/to", state=state)
