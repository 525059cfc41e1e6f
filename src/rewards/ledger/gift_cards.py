"""A gift card's state, a cache of its timeline, and what each activity makes of it.

A voucher gives an offer once: a purchase uses it, a full return of that
purchase gives it back. What does not live here: codes, and whether an offer
takes anything off. Instants are microseconds since 1970, UTC.

>>> card = Card("sorry", "cup", "sha256:7be1", issued_at=0, expires_at=100, last_four="9QWX")
>>> used = after(card, Activity("REDEEM", of=(7, 2), at=50))
>>> state_at(used, 50), state_at(after(used, Activity("REFUND", of=(7, 2))), 100)
('used', 'expired')
"""

from __future__ import annotations

import msgspec

_FORMAT = b"\x01"


class Card(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A gift card: its terms as they were promised when it was issued, and what became of it."""

    product: str
    offer: str
    policy_version: str  # of the day of issue
    issued_at: int
    expires_at: int  # exclusive; `lots.NEVER` if it does not end
    last_four: str
    member: int = 0  # the owner to whom it was issued, 0 for none
    personal: bool = False  # only its member may use it
    state: str = "active"  # active, blocked, deactivated
    used: tuple[int, int] | None = None  # owner and event number of the purchase
    used_at: int = 0


class Activity(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What happened to a gift card, as its event holds it."""

    kind: str  # ISSUE, REDEEM, REFUND, BLOCK, UNBLOCK, DEACTIVATE
    card: Card | None = None  # as it was issued
    code_hash: bytes = b""  # of the code that it was issued with
    of: tuple[int, int] | None = None  # owner and event number of the purchase
    at: int = 0


_FROM = {"BLOCK": ("active",), "UNBLOCK": ("blocked",), "DEACTIVATE": ("active", "blocked")}
_TO = {"BLOCK": "blocked", "UNBLOCK": "active", "DEACTIVATE": "deactivated"}
BY_CALL = tuple(_FROM)  # activities that staff ask for


def state_at(card: Card, at: int) -> str:
    """Return what a card is at an instant: active, used, expired, blocked or deactivated; the first reason counts."""
    if card.state == "deactivated":
        return card.state
    if card.used is not None:
        return "used"
    return card.state if card.state == "blocked" else "expired" if card.expires_at <= at else "active"


def is_possible(card: Card, kind: str) -> bool:
    """Return whether staff can do this now."""
    return card.state in _FROM[kind]


def after(card: Card | None, activity: Activity) -> Card:
    """Return the card after an activity; raises `AssertionError` for one that could not be."""
    if card is None:
        assert activity.kind == "ISSUE"
        assert activity.card is not None
        return activity.card
    if activity.kind == "REDEEM":
        assert card.state == "active"
        assert card.used is None
        return msgspec.structs.replace(card, used=activity.of, used_at=activity.at)
    if activity.kind == "REFUND":
        assert card.used == activity.of
        return msgspec.structs.replace(card, used=None, used_at=0)
    assert is_possible(card, activity.kind)
    return msgspec.structs.replace(card, state=_TO[activity.kind])


_card = msgspec.msgpack.Decoder(Card)
_activity = msgspec.msgpack.Decoder(Activity)
_pack = msgspec.msgpack.Encoder().encode


def encode_card(card: Card) -> bytes:
    """Return the state as bytes, led by the number of their format."""
    return _FORMAT + _pack(card)


def decode_card(data: bytes) -> Card:
    """Read what `encode_card` wrote."""
    return _card.decode(memoryview(data)[1:])


def read_activity(body: bytes) -> Activity:
    """Return what a gift card's event holds."""
    return _activity.decode(body)
