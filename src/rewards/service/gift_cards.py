"""Gift cards: issuing one with its code, looking one up by its code, and what staff do with one.

A code is told once, in the answer to whoever asked for the card, and never
kept. What does not live here: gift cards at the till (`vouchers`).
"""

from __future__ import annotations

import msgspec

from rewards.days import instant, midnight
from rewards.errors import Conflict, InvalidRequest, NotFound
from rewards.ledger.gift_cards import BY_CALL, Activity, Card, is_possible, state_at
from rewards.ledger.lots import NEVER, last_day
from rewards.policy.model import GiftCard
from rewards.service.answers import GiftCardAnswer, VoucherAnswer
from rewards.service.asked import Asked
from rewards.service.awards import title
from rewards.service.balances import day_of, text
from rewards.service.batch import Batch, Place
from rewards.service.codes import code_hash, is_code, new_code, normal, shown
from rewards.service.commands import ActOnGiftCard, IssueGiftCard, Outcome
from rewards.service.journal import Happened, NoteBody, Timeline, pack
from rewards.store import statements

_json = msgspec.json.Encoder()


def issue(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Issue a card; its code is in the outcome alone, and not in the answer that is kept."""
    command = asked.command
    assert isinstance(command, IssueGiftCard)
    at = instant(command.occurred_at) if command.occurred_at is not None else asked.now
    batch.running.ready()
    asked.check_instant(at)
    day = day_of(at, batch.running.zone)
    product = batch.running.policy_on(day).gift_cards.get(command.product)
    if product is None:
        message = f"the policy has no gift card `{command.product}`"
        raise InvalidRequest("unknown-product", message, pointer="/product")
    member = _member(batch, command, product)
    code = new_code()
    hash_ = code_hash(batch.running.secret, code)
    card = Card(
        product=product.id,
        offer=product.offer,
        policy_version=batch.running.policy_on(day).version,
        issued_at=at,
        expires_at=NEVER if product.expires is None else midnight(last_day(product.expires, day), batch.running.zone),
        last_four=code[-4:],
        member=member,
        personal=product.to == "member",
    )
    line = batch.open("card", None)
    activity = Activity("ISSUE", card, hash_, at=at)
    number = happen(batch, asked.now, line, activity, print_, at=at, of=command)
    batch.more[statements.ADD_CODE_ROUTE].append((hash_, line.owner, card.last_four))
    if member:
        batch.more[statements.ADD_HELD_CARD].append((member, line.owner))
    told_ = told(batch, line, asked.now)
    batch.answered(asked, (line.owner, number), 201, _json.encode(told_))
    return _with_code(told_, code, (line.owner, number))


def _member(batch: Batch, command: IssueGiftCard, product: GiftCard) -> int:
    """Return the owner to whom the card goes, 0 for none."""
    if command.member is None:
        if product.to == "member":
            message = f"a `{product.id}` is for one member: name whom it is for"
            raise InvalidRequest("gift-card-needs-member", message, pointer="/member")
        return 0
    line = batch.member(command.member)
    if line.state != "active":
        raise Conflict("member-blocked", f"the member is {line.state}", pointer="/member")
    return line.owner


def issued_again(batch: Batch, place: Place) -> Outcome:
    """Answer a request that issued a card before: as it was answered, with a new code for the same card.

    The first code was told and not kept. It still leads to the card, and so does the new one.
    """
    known = batch.answers.get(*place)
    assert known is not None
    told_ = msgspec.json.decode(known[1], type=GiftCardAnswer)
    code = new_code(told_.last_four)
    batch.more[statements.ADD_CODE_ROUTE].append((code_hash(batch.running.secret, code), place[0], told_.last_four))
    return msgspec.structs.replace(_with_code(told_, code, place), replayed=True)


def _with_code(told_: GiftCardAnswer, code: str, place: Place) -> Outcome:
    return Outcome(201, _json.encode(msgspec.structs.replace(told_, code=shown(code))), place=place)


def act(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Block, unblock or deactivate a card; raise `Conflict` `activity-not-possible` if its state does not allow it."""
    command = asked.command
    assert isinstance(command, ActOnGiftCard)
    owner = batch.running.ids.read_gift_card(command.gift_card_id)
    line = batch.line(owner) if owner is not None else None
    if line is None or line.card is None:
        raise _unknown("/gift_card_id")
    if command.activity not in BY_CALL:
        message = f"a voucher holds an offer and no money: {command.activity} is not for it"
        raise InvalidRequest("activity-not-supported", message, pointer="/activity")
    if not is_possible(line.card, command.activity):
        message = f"the gift card is {line.card.state}: {command.activity} is not possible"
        raise Conflict("activity-not-possible", message, pointer="/activity", state=line.card.state)
    number = happen(batch, asked.now, line, Activity(command.activity), print_, at=asked.now, of=command)
    if command.reason:
        batch.more[statements.ADD_NOTE].append((line.owner, number, pack(NoteBody(command.reason))))
    body = _json.encode(told(batch, line, asked.now))
    return batch.answered(asked, (line.owner, number), 201, body)


def happen(
    batch: Batch,
    now: int,
    line: Timeline,
    activity: Activity,
    print_: bytes,
    *,
    at: int,
    of: IssueGiftCard | ActOnGiftCard | None = None,
    about: tuple[str, str] = ("", ""),
) -> int:
    """Record what happened to a card; `about` is the store and number of a purchase or return. Return its number."""
    line.act(activity)
    return batch.record(
        line,
        Happened(
            kind="card",
            external_id=f"{activity.kind}\x1f{about[1] or line.events + 1}",  # callers' names hold no such character
            occurred_at=at,
            recorded_at=now,
            store_id=about[0],
            operator_id=of.actor if of is not None else "",
            fingerprint=print_,
            body=activity,
        ),
        None,
    )


def by_code(batch: Batch, text_: str) -> Timeline | None:
    """Return the card that a code leads to, or None; what cannot be a code is not looked up."""
    code = normal(text_)
    if not is_code(code):
        return None
    rows = batch.session.rows(statements.CODE, (code_hash(batch.running.secret, code),))
    return batch.line(rows[0][0]) if rows else None


def look_up(batch: Batch, code: str, now: int) -> GiftCardAnswer:
    """Return the card of a code; raise `NotFound` `unknown-gift-card`, whatever is wrong with the code."""
    line = by_code(batch, code)
    if line is None:
        raise _unknown("/code")
    return told(batch, line, now)


def _unknown(pointer: str) -> NotFound:
    return NotFound("unknown-gift-card", "there is no such gift card", pointer=pointer)


def told(batch: Batch, line: Timeline, now: int) -> GiftCardAnswer:
    """Return a card as callers see it."""
    card, running = line.card, batch.running
    assert card is not None
    return GiftCardAnswer(
        **msgspec.structs.asdict(_voucher(batch, line.owner, card)),
        kind="voucher",
        state=state_at(card, now),
        member_id=running.ids.member(card.member) if card.member else None,
        personal=card.personal,
        issued_at=text(card.issued_at, running.zone),
    )


def _voucher(batch: Batch, owner: int, card: Card, language: str = "") -> VoucherAnswer:
    running = batch.running
    offer = running.policy_on(day_of(card.issued_at, running.zone)).offers.get(card.offer)
    return VoucherAnswer(
        gift_card_id=running.ids.gift_card(owner),
        product=card.product,
        offer=card.offer,
        title=title(offer.title, language) if offer is not None else "",
        last_four=card.last_four,
        expires_at=None if card.expires_at == NEVER else text(card.expires_at, running.zone),
    )


def vouchers_of(batch: Batch, member: int, at: int, language: str = "") -> list[VoucherAnswer]:
    """Return the vouchers that a member has to hand at an instant, the soonest ending first."""
    if not batch.running.has_gift_cards:
        return []
    owners = [card for _, card in batch.session.keyed(statements.HELD_CARDS, [(member,)])]
    batch.foresee_lines(owners)
    cards = [(card.expires_at, owner, card) for owner in owners if (card := _card(batch, owner)) is not None]
    return [_voucher(batch, owner, card, language) for _, owner, card in sorted(cards) if _to_hand(card, at)]


def _card(batch: Batch, owner: int) -> Card | None:
    line = batch.line(owner)
    return line.card if line is not None else None


def _to_hand(card: Card, at: int) -> bool:
    if card.used is not None and card.used_at > at:
        card = msgspec.structs.replace(card, used=None)
    return card.issued_at <= at and state_at(card, at) == "active"
