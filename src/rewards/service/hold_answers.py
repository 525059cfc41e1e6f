"""What is answered about a hold, and how it is told.

What does not live here: what becomes of one (`holds`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from rewards.ledger.gift_cards import Card, balance_at, held_minor
from rewards.service.balance_answers import WalletBalance
from rewards.service.balances import text
from rewards.service.batch import Batch
from rewards.service.hold_ends import Ended, Found, ended
from rewards.service.telling import balance_of, entries_of
from rewards.service.tenders import lots


class CardMoney(msgspec.Struct, frozen=True):
    """The money on a card: what can be spent, and what open holds keep."""

    available_minor: int
    held_minor: int


class HoldAnswer(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A hold. Of points and rewards `points` are held, of gift cards `amount_minor`; of a code the voucher itself."""

    hold_id: str
    state: str  # open, captured, voided, expired
    kind: str  # points, gift_card, reward, code
    member_id: str = ""
    wallet: str = ""
    points: int = 0
    lots: list[dict[str, object]] = []  # {lot, points, expires_at}: which points are held
    reward: str = ""
    times: int = 0
    gift_card_id: str = ""
    last_four: str = ""
    amount_minor: int = 0
    held_at: str
    expires_at: str  # of itself
    captured: int | msgspec.UnsetType = msgspec.UNSET  # points
    released: int | msgspec.UnsetType = msgspec.UNSET
    captured_minor: int | msgspec.UnsetType = msgspec.UNSET
    released_minor: int | msgspec.UnsetType = msgspec.UNSET
    purchase_id: str = ""  # that captured it
    card: CardMoney | None = None
    balance: dict[str, WalletBalance] = {}  # of the wallet


def told(batch: Batch, hold: Found) -> HoldAnswer:
    """Tell a hold as it is now."""
    running, end = batch.running, ended(batch, hold)
    about: dict[str, Any] = {
        "hold_id": hold.id,
        "state": end.state if end is not None else "open",
        "kind": hold.kind,
        "held_at": text(hold.at, running.zone),
        "expires_at": text(hold.until, running.zone),
        **(_result(hold, end) if end is not None else {}),
    }
    if end is not None and end.purchase is not None:
        about["purchase_id"] = running.ids.purchase(*end.purchase)
    card = hold.line.card
    if card is not None:
        return HoldAnswer(**about, **_on_card(batch, hold, card))
    body = hold.body
    assert body is not None
    legs = [leg for _, some in entries_of(batch, hold.line.owner, [hold.number]) for leg in some]
    return HoldAnswer(
        **about,
        member_id=running.ids.member(hold.line.owner),
        wallet=body.wallet,
        points=body.points,
        amount_minor=body.amount_minor,
        lots=lots(running, legs, body.wallet, ("held",), sign=-1),
        reward=body.reward,
        times=body.times,
        balance={key: one for key, one in balance_of(batch, hold.line, batch.now).items() if key == body.wallet},
    )


def _on_card(batch: Batch, hold: Found, card: Card) -> dict[str, Any]:
    about: dict[str, Any] = {
        "gift_card_id": batch.running.ids.gift_card(hold.line.owner),
        "last_four": card.last_four,
    }
    if hold.minor:
        money = CardMoney(balance_at(card, batch.now), held_minor(card))
        about |= {"amount_minor": hold.minor, "card": money}
    return about


def _result(hold: Found, end: Ended) -> dict[str, int]:
    if not hold.held:
        return {}
    unit = "_minor" if hold.minor else ""
    released = {f"released{unit}": hold.held - end.taken}
    return released if end.state != "captured" else {f"captured{unit}": end.taken, **released}
