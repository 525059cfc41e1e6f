"""Gift cards: issuing one with its code, and telling what it is.

A code is told once, in the answer to whoever asked for the card, and never
kept. What does not live here: finding a card (`known_cards`), gift cards at the till
(`vouchers`), PINs (`pins`), and what staff do with a card (`card_activities`).
"""

from __future__ import annotations

from typing import TypeVar

import msgspec

from rewards.days import midnight
from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.card_money import Lots, total
from rewards.ledger.gift_cards import Activity, Card, held_minor, lapsed, state_at
from rewards.ledger.lots import NEVER, last_day
from rewards.policy.model import GiftCard
from rewards.service.answers import Ending, GiftCardAnswer, MoneyCard, VoucherAnswer
from rewards.service.asked import Asked
from rewards.service.awards import title
from rewards.service.balances import day_of, text
from rewards.service.batch import Batch, Place
from rewards.service.codes import code_hash, new_code, pin_hash, shown
from rewards.service.commands import ActOnGiftCard, IssueGiftCard, Outcome
from rewards.service.journal import Happened, Timeline
from rewards.service.named import active, named
from rewards.service.running import Running
from rewards.store import statements

_json = msgspec.json.Encoder()
T = TypeVar("T", VoucherAnswer, MoneyCard)


def issue(batch: Batch, asked: Asked, print_: bytes) -> Outcome:
    """Issue a card; its code is in the outcome alone, and not in the answer that is kept."""
    command = asked.of(IssueGiftCard)
    batch.running.ready()
    at = asked.when(command.occurred_at)
    product = _product(batch, command, day_of(at, batch.running.zone))
    minor = _first_amount(command, product)
    member = _member(batch, command, product)
    code, line = new_code(), batch.open("card", None)
    batch.number(line)
    card = new_card(batch.running, product, code, at, member)
    if minor is None:
        card = msgspec.structs.replace(card, state="inactive")
    if command.pin is not None:
        card = msgspec.structs.replace(card, pin=pin_hash(batch.running.secret, line.owner, command.pin))
    number = hand_out(batch, asked.now, line, card, code, minor or 0, print_, of=command)
    told_ = told(batch, line, asked.now)
    batch.answered(asked, (line.owner, number), 201, _json.encode(told_))
    return with_code(told_, code, (line.owner, number))


def _product(batch: Batch, command: IssueGiftCard, day: int) -> GiftCard:
    """Return the product as the policy of a day has it; raise what it does not agree with in the request."""
    products = batch.running.policy_on(day).gift_cards
    product = named(products, "gift card", command.product, "/product", "unknown-product")
    check_currency(batch, command.currency)
    for key in ("amount_minor", "pin"):
        if product.kind == "voucher" and getattr(command, key) is not None:
            message = f"a `{product.id}` is a voucher: it holds an offer and no money"
            raise InvalidRequest("voucher-without-money", message, pointer=f"/{key}")
    return product


def check_currency(batch: Batch, currency: str | None) -> None:
    """Raise `InvalidRequest` `currency-mismatch` for an amount in another currency than the program's."""
    if currency is not None and currency != batch.running.currency:
        message = f"the program's currency is {batch.running.currency}, not {currency}"
        raise InvalidRequest("currency-mismatch", message, pointer="/currency")


def _first_amount(command: IssueGiftCard, product: GiftCard) -> int | None:
    """Return what is on a card when it is issued, in minor units; None for one that waits to be activated."""
    if product.kind == "voucher":
        return 0
    minor = command.amount_minor
    if product.kind == "promotional" and product.value is not None:
        if minor not in {None, product.value}:
            message = f"a `{product.id}` is worth {product.value}"
            raise InvalidRequest("load-not-allowed", message, pointer="/amount_minor", value_minor=product.value)
        return product.value
    if minor is None:
        if product.kind == "promotional":
            message = f"the policy does not say what a `{product.id}` is worth: send `amount_minor`"
            raise InvalidRequest("amount-missing", message, pointer="/amount_minor")
        return None
    check_load(product, minor)
    check_room(product, 0, minor)
    return minor


def check_load(product: GiftCard, minor: int, pointer: str = "/amount_minor") -> None:
    """Raise `InvalidRequest` `load-not-allowed` unless a card of the product may be loaded with so much at once."""
    if not minor:
        raise InvalidRequest("load-not-allowed", "a load is above zero", pointer=pointer)
    loads = product.load
    if loads is not None and not loads.takes(minor):
        facts: dict[str, object] = {"least_minor": loads.least, "most_minor": loads.most}
        message = f"a `{product.id}` is loaded with {loads.least} to {loads.most}, not {minor}"
        if loads.amounts:
            facts = {"amounts_minor": list(loads.amounts)}
            message = f"a `{product.id}` is loaded with one of {', '.join(map(str, loads.amounts))}, not {minor}"
        raise InvalidRequest("load-not-allowed", message, pointer=pointer, **facts)


def check_room(product: GiftCard, balance: int, minor: int, pointer: str = "/amount_minor") -> None:
    """Raise `Conflict` `balance-too-high` if more would be on a card than its product allows."""
    most = product.max_balance
    if most is not None and balance + minor > most:
        raise Conflict(
            "balance-too-high",
            f"at most {most} can be on a `{product.id}`; {balance} are, so {minor} more are too many",
            pointer=pointer,
            max_balance_minor=most,
            balance_minor=balance,
        )


def new_card(running: Running, product: GiftCard, code: str, at: int, member: int) -> Card:
    """Return a card on the terms of the day of an instant, with nothing on it yet."""
    day = day_of(at, running.zone)
    of_money = product.kind != "voucher"
    return Card(
        product=product.id,
        offer=product.offer,
        policy_version=running.policy_on(day).version,
        issued_at=at,
        expires_at=NEVER
        if product.kind == "paid"
        else money_ends(running, product, at),  # paid money ends load by load
        last_four=code[-4:],
        member=member,
        personal=product.to == "member",
        kind=product.kind,
        currency=running.currency or "" if of_money else "",
        clock=at if of_money else 0,
    )


def open_lots(card: Card, at: int) -> Lots:
    """Return the lots of a card that have not ended at an instant."""
    return tuple(lot for lot in card.lots if lot[0] > at)


def money_ends(running: Running, product: GiftCard, at: int) -> int:
    """Return the instant at which what is loaded at an instant ends, or a card that is issued then."""
    if product.expires is None:
        return NEVER
    return midnight(last_day(product.expires, day_of(at, running.zone)), running.zone)


def promised(running: Running, card: Card) -> GiftCard:
    """Return a card's product as it was on the day of issue: its terms stay as they were promised."""
    policy = next(one.policy for one in running.versions if one.policy.version == card.policy_version)
    return policy.gift_cards[card.product]


def hand_out(
    batch: Batch,
    now: int,
    line: Timeline,
    card: Card,
    code: str,
    minor: int,
    print_: bytes,
    *,
    of: IssueGiftCard | None = None,
    place: Place | None = None,
    about: tuple[str, str] = ("", ""),
) -> int:
    """Record that a card was issued with so much on it, at a purchase if there is one; return the event's number."""
    parts: Lots = ()
    if minor:
        ends = money_ends(batch.running, promised(batch.running, card), card.issued_at)
        parts = ((ends, minor),)
    hash_ = code_hash(batch.running.secret, code)
    activity = Activity("ISSUE", card, hash_, of=place, at=card.issued_at, parts=parts)
    number = happen(batch, now, line, activity, print_, at=card.issued_at, of=of, about=about)
    batch.more[statements.ADD_CODE_ROUTE].append((hash_, line.owner, card.last_four))
    if card.member:
        batch.more[statements.ADD_HELD_CARD].append((card.member, line.owner))
    return number


def _member(batch: Batch, command: IssueGiftCard, product: GiftCard) -> int:
    """Return the owner to whom the card goes, 0 for none."""
    if command.member is None:
        if product.to == "member":
            message = f"a `{product.id}` is for one member: name whom it is for"
            raise InvalidRequest("gift-card-needs-member", message, pointer="/member")
        return 0
    line = active(batch.member(command.member), "/member")
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
    return msgspec.structs.replace(with_code(told_, code, place), replayed=True)


def with_code(told_: GiftCardAnswer, code: str, place: Place) -> Outcome:
    """Return the answer with a code, which the stored one does not have."""
    return Outcome(201, _json.encode(msgspec.structs.replace(told_, code=shown(code))), place=place)


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
    ends: str = "",
) -> int:
    """Record what happened to a card; return its number.

    `about` is the store and number of a purchase, a return or a hold; `ends` is the hold that it ends, which is once.
    """
    name = event_name("END", ends) if ends else event_name(activity.kind, about[1] or str(line.events + 1))
    entries = line.act(activity)
    number = batch.record(
        line,
        Happened(
            kind="card",
            external_id=name,
            occurred_at=at,
            recorded_at=now,
            store_id=about[0],
            operator_id=of.actor if of is not None else "",
            fingerprint=print_,
            body=activity,
        ),
        None,
        entries,
    )
    batch.by_id.put((line.owner, "card", about[0], name), (number, print_))
    return number


def event_name(kind: str, of: str) -> str:
    """Return an event's own number in its card's timeline; callers' names hold no such character."""
    return f"{kind}\x1f{of}"


def card_of(line: Timeline) -> Card:
    """Return the card whose timeline this is."""
    assert line.card is not None
    return line.card


def told(batch: Batch, line: Timeline, now: int) -> GiftCardAnswer:
    """Return a card as callers see it."""
    running = batch.running
    card = lapsed(card_of(line), now)
    answer = GiftCardAnswer(
        **msgspec.structs.asdict(_voucher(batch, line.owner, card)),
        kind=card.kind,
        state=state_at(card, max(now, card.clock)),
        member_id=running.ids.member(batch.now_of(card.member)) if card.member else None,
        personal=card.personal,
        issued_at=text(card.issued_at, running.zone),
    )
    return answer if card.kind == "voucher" else _with_money(batch, answer, card, max(now, card.clock))


def _with_money(batch: Batch, answer: GiftCardAnswer, card: Card, at: int) -> GiftCardAnswer:
    zone = batch.running.zone
    open_ = open_lots(card, at)
    first = min((end for end, _ in open_), default=card.expires_at)
    return msgspec.structs.replace(
        answer,
        expires_at=None if first == NEVER else text(first, zone),
        currency=card.currency,
        balance_minor=total(open_),
        expiries=[Ending(minor, text(end, zone)) for end, minor in open_ if end != NEVER],
        has_pin=bool(card.pin),
        held_minor=held_minor(card),
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


def held_by(batch: Batch, member: int, at: int, language: str = "") -> tuple[list[VoucherAnswer], list[MoneyCard]]:
    """Return the vouchers and cards with money that a member has at an instant, the soonest ending first."""
    if not batch.running.has_gift_cards:
        return [], []
    line = batch.line(member)
    members = [member, *(line.near.merged if line is not None else ())]
    owners = [card for _, card in batch.session.keyed(statements.HELD_CARDS, [(one,) for one in members])]
    batch.foresee_lines(owners)
    due = {card for owner, card in batch.more[statements.ADD_HELD_CARD] if owner == member}  # the next event books them
    owners += due
    cards = [(card.expires_at, owner, card) for owner in owners if (card := _card(batch, owner)) is not None]
    ready = [(owner, card) for _, owner, card in sorted(cards) if _to_hand(card, at)]
    vouchers = [
        _named(_voucher(batch, owner, card, language), booked=owner not in due)
        for owner, card in ready
        if card.kind == "voucher"
    ]
    money = [
        _named(_money(batch, owner, card, at), booked=owner not in due)
        for owner, card in ready
        if card.kind != "voucher"
    ]
    return vouchers, [one for one in money if one.balance_minor or one.held_minor]


def _named(told_: T, *, booked: bool) -> T:
    """Return what is told of a card; one that has come by itself and is not booked yet has no id."""
    return told_ if booked else msgspec.structs.replace(told_, gift_card_id="", last_four="")


def _money(batch: Batch, owner: int, card: Card, at: int) -> MoneyCard:
    """Return a card of money; before its last event, as it was after that."""
    line = batch.line(owner)
    assert line is not None
    told_ = told(batch, line, at)
    balance, held = told_.balance_minor, told_.held_minor
    assert isinstance(balance, int)
    assert isinstance(held, int)
    return MoneyCard(
        told_.gift_card_id, card.product, card.kind, card.last_four, card.currency, balance, told_.expires_at, held
    )


def _card(batch: Batch, owner: int) -> Card | None:
    line = batch.line(owner)
    return line.card if line is not None else None


def _to_hand(card: Card, at: int) -> bool:
    card = lapsed(card, at)
    if card.used is not None and card.used_at > at:
        card = msgspec.structs.replace(card, used=None)
    return card.issued_at <= at and state_at(card, at) == "active"
