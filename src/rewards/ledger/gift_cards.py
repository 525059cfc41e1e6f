"""A gift card's state, a cache of its timeline, and what each activity makes of it.

A voucher gives an offer once: a purchase uses it, a full return of that
purchase gives it back. A paid or promotional card holds money, in lots by when
it ends. What does not live here: codes, and whether an offer takes anything
off. Instants are microseconds since 1970, UTC.

>>> card = Card("sorry", "cup", "sha256:7be1", issued_at=0, expires_at=100, last_four="9QWX")
>>> used = after(card, Activity("REDEEM", of=(7, 2), at=50))
>>> state_at(used, 50), state_at(after(used, Activity("REFUND", of=(7, 2))), 100)
('used', 'expired')
>>> cafe = after(None, Activity("ISSUE", msgspec.structs.replace(card, kind="paid"), parts=((100, 500),)))
>>> after(cafe, Activity("REDEEM", parts=((100, 200),))).lots
((100, 300),)
"""

from __future__ import annotations

import msgspec

from rewards.ledger.card_money import Lots, account_of, add, booked, left, taken, total, without
from rewards.ledger.entries import Entry

_FORMAT = b"\x01"


class Hold(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What is held of a card: some of its money, or a voucher as a whole."""

    id: str
    at: int
    until: int  # exclusive
    parts: Lots = ()  # by when it would have ended


class Card(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A gift card: its terms as they were promised when it was issued, and what became of it."""

    product: str
    offer: str
    policy_version: str  # of the day of issue
    issued_at: int
    expires_at: int  # exclusive; `lots.NEVER` if it does not end; money of a paid card ends by its lots
    last_four: str
    member: int = 0  # the owner to whom it was issued, 0 for none
    personal: bool = False  # only its member may use it
    state: str = "active"  # inactive, active, blocked, locked, deactivated
    used: tuple[int, int] | None = None  # owner and event number of the purchase
    used_at: int = 0
    kind: str = "voucher"  # voucher, paid, promotional
    currency: str = ""  # of its money
    lots: Lots = ()
    clock: int = 0  # the instant up to which the ends of lots are booked
    drawn: int = 0  # minor units redeemed outside purchases, less what of them was refunded
    pin: bytes = b""  # the PIN's keyed hash; empty: it has none
    misses: int = 0  # wrong PINs since the last right one
    holds: tuple[Hold, ...] = ()  # that are open, oldest first


class Activity(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What happened to a gift card, as its event holds it."""

    kind: str  # as staff ask for it, or ISSUE, TRANSFER_OUT, TRANSFER_IN, VOID, WRONG_PIN, LOCK, one of `OF_HOLDS`
    card: Card | None = None  # as it was issued
    code_hash: bytes = b""  # of the code that it was issued with, or got since
    of: tuple[int, int] | None = None  # owner and event number of the purchase, or of the other card of a transfer
    at: int = 0
    parts: Lots = ()  # money that it added, took or held, soonest ending first
    hold: str = ""  # its id
    until: int = 0  # of a HOLD
    approved_by: str | None = None  # of an adjustment; empty: the actor alone; None: nobody was asked for
    kept_minor: int = 0  # of a VOID: what a return kept off its refund for what was spent of the card


_FROM = {
    "ACTIVATE": ("inactive",),
    "BLOCK": ("active", "locked"),
    "UNBLOCK": ("blocked", "locked"),
    "DEACTIVATE": ("inactive", "active", "blocked", "locked"),
}
_TO = {
    "ACTIVATE": "active",
    "BLOCK": "blocked",
    "UNBLOCK": "active",
    "DEACTIVATE": "deactivated",
    "LOCK": "locked",
}
ADDS = ("ISSUE", "ACTIVATE", "LOAD", "REFUND", "ADJUST_INCREMENT", "TRANSFER_IN")
TAKES = ("REDEEM", "ADJUST_DECREMENT", "CASH_OUT", "CLEAR_BALANCE", "TRANSFER_OUT", "VOID")
OF_HOLDS = ("HOLD", "CAPTURE", "RELEASE", "LAPSE")  # LAPSE: it ended by itself
OF_VOUCHERS = ("BLOCK", "UNBLOCK", "DEACTIVATE", "NEW_CODE")  # activities that staff ask for


def state_at(card: Card, at: int) -> str:
    """Return what a card is at an instant: deactivated, used, inactive, blocked, locked, held, expired or active.

    The first reason counts. A card of money has expired when it had an end, and nothing on it lasts longer; it is
    never held as a whole.
    """
    if card.state == "deactivated":
        return card.state
    if card.used is not None:
        return "used"
    if card.state != "active":
        return card.state
    if card.holds:
        return "held" if card.kind == "voucher" else "active"
    return "expired" if card.expires_at <= at and not left(card.lots, at) else "active"


def is_possible(card: Card, kind: str) -> bool:
    """Return whether a card's state allows what staff ask for; money may be moved on whatever is in use."""
    return card.state in _FROM.get(kind, ("active",))


def balance_at(card: Card, at: int) -> int:
    """Return what can be spent at an instant, or at a card's last event if that is later; in minor units."""
    return left(card.lots, max(card.clock, at))


def held_minor(card: Card) -> int:
    """Return what open holds keep, in minor units."""
    return sum(total(hold.parts) for hold in card.holds)


def hold_of(card: Card, name: str) -> Hold | None:
    """Return an open hold of a card."""
    return next((hold for hold in card.holds if hold.id == name), None)


def lapsed(card: Card, at: int) -> Card:
    """Return a card as it is once the holds that end by an instant have ended by themselves."""
    for hold in card.holds:
        if hold.until <= at:
            card = after(card, Activity("LAPSE", at=hold.until, hold=hold.id))
    return card


def after(card: Card | None, activity: Activity) -> Card:
    """Return the card after an activity; raises `AssertionError` for one that could not be."""
    if card is None:
        assert activity.kind == "ISSUE"
        assert activity.card is not None
        return _moved(activity.card, activity) if activity.card.kind != "voucher" else activity.card
    assert activity.kind != "ISSUE"
    if activity.kind in _TO:
        assert activity.kind == "LOCK" or is_possible(card, activity.kind)
        misses = card.misses + 1 if activity.kind == "LOCK" else 0
        card = msgspec.structs.replace(card, state=_TO[activity.kind], misses=misses)
    elif activity.kind == "WRONG_PIN":
        card = msgspec.structs.replace(card, misses=card.misses + 1)
    return _used(card, activity) if card.kind == "voucher" else _moved(card, activity)


def _used(card: Card, activity: Activity) -> Card:
    """Return a voucher after it was used, given back, or held."""
    if activity.kind in OF_HOLDS:
        card = _with_holds(card, activity)
        if activity.kind == "CAPTURE":  # without a purchase it is used up by nothing that could be returned
            return msgspec.structs.replace(card, used=activity.of or (0, 0), used_at=activity.at)
        return card
    if activity.kind == "REDEEM":
        assert card.state == "active"
        assert card.used is None
        return msgspec.structs.replace(card, used=activity.of, used_at=activity.at)
    if activity.kind == "REFUND":
        assert card.used == activity.of
        return msgspec.structs.replace(card, used=None, used_at=0)
    assert activity.kind in {*OF_VOUCHERS, "WRONG_PIN", "LOCK", "VOID"}
    return card


def _moved(card: Card, activity: Activity) -> Card:
    """Return a card of money after time passed and an activity moved some."""
    clock = max(card.clock, activity.at)
    lots = tuple(lot for lot in card.lots if lot[0] > clock)
    drawn = card.drawn
    assert all(minor > 0 for _, minor in activity.parts)
    if activity.kind in OF_HOLDS:
        lots = _after_hold(card, lots, activity, clock)
        card = _with_holds(card, activity)
    elif activity.kind in TAKES:
        assert activity.parts == taken(lots, total(activity.parts))
        lots = without(lots, activity.parts)
    elif activity.kind in ADDS:
        assert all(end > clock for end, _ in activity.parts)
        lots = add(lots, activity.parts)
    else:
        assert not activity.parts
    if activity.of is None and activity.kind in {"REDEEM", "REFUND"}:
        drawn += total(activity.parts) if activity.kind == "REDEEM" else -total(activity.parts)
        assert drawn >= 0
    misses = 0 if activity.kind == "REDEEM" else card.misses
    return msgspec.structs.replace(card, lots=lots, clock=clock, drawn=drawn, misses=misses)


def _with_holds(card: Card, activity: Activity) -> Card:
    if activity.kind == "HOLD":
        hold = Hold(activity.hold, activity.at, activity.until, activity.parts)
        return msgspec.structs.replace(card, holds=(*card.holds, hold))
    assert hold_of(card, activity.hold) is not None
    return msgspec.structs.replace(card, holds=tuple(hold for hold in card.holds if hold.id != activity.hold))


def _after_hold(card: Card, lots: Lots, activity: Activity, clock: int) -> Lots:
    """Return the lots once money was held, or a hold ended: what was not taken goes back to lots that still last."""
    if activity.kind == "HOLD":
        assert activity.parts == taken(lots, total(activity.parts))
        return without(lots, activity.parts)
    hold = hold_of(card, activity.hold)
    assert hold is not None
    assert activity.parts == taken(hold.parts, total(activity.parts))
    return add(lots, tuple(lot for lot in without(hold.parts, activity.parts) if lot[0] > clock))


def entries_of(before: Card | None, card: Card, activity: Activity) -> list[Entry]:
    """Return what an activity books on a card: nothing for a voucher, or where no money moved."""
    if card.kind == "voucher":
        return []
    held = held_minor(card) - (held_minor(before) if before is not None else 0)
    return booked(
        before.lots if before is not None else (),
        card.lots,
        currency=card.currency,
        activity=activity.kind,
        contra=account_of(activity.kind, card.kind) if activity.parts and activity.kind != "HOLD" else "",
        moved=total(activity.parts) if activity.kind == "CAPTURE" else None,
        held=held,
        at=card.clock,
        version=card.policy_version,
    )


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
