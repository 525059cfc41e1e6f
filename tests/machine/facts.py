"""What a clerk writes down: what was decided at a till, what is on each gift card, and which points went.

Nothing is worked out here: see `notebook`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from tests.machine.program import FOREVER, NEVER


@dataclass(eq=False)
class Card:
    """A gift card's page."""

    id: str
    code: str
    product: str
    ends: datetime
    state: str = "active"
    money: Counter[datetime] = field(default_factory=Counter)  # by when it ends
    blocked_at: datetime = NEVER
    drawn: int = 0  # redeemed without a receipt
    used_by: str = ""  # the receipt, of a voucher
    holds: list[Spending] = field(default_factory=list)  # that are open
    who: str | None = None  # to whom a rule or a reward gave it
    day: date | None = None  # for which a rule gave it, unless it was taken back
    spent: int = 0  # and did not come back
    kept: tuple[int, int] = (0, 1)  # how much a return that took it back kept off, of how much that was spent


@dataclass(eq=False)
class Spending:
    """Points that went, or a hold: points, money of a card or a voucher set aside, and what was taken of them."""

    who: str | None
    wallet: str
    at: datetime
    taken: int = 0  # points or money
    receipt: Receipt | None = None  # that takes it
    mug: bool = False  # whether it bought one
    card: Card | None = None  # that it bought or holds
    name: str = ""  # of a hold, and so all that follows
    until: datetime = NEVER
    held: int = 0  # points
    reward: bool = False  # whether they are what a cup costs
    parts: Counter[datetime] = field(default_factory=Counter)  # money, by when it ends
    state: str = "open"


class Lot(NamedTuple):
    """Points on equal terms."""

    ends: datetime
    earned: bool  # not given back
    ready: datetime
    begins: datetime
    points: int


@dataclass
class Given:
    """Points by staff; or that were given back, and last a while."""

    who: str
    wallet: str
    lot: Lot


@dataclass
class Tender:
    kind: str  # points, gift_card, or money
    minor: int
    points: int = 0
    card: Card | None = None
    out_of: Spending | None = None  # a hold, or the points that it is
    lacks: int = 0  # that a till took on trust and was not there
    taken: Counter[datetime] = field(default_factory=Counter)  # from the card, and not given back


@dataclass
class Line:
    units: int
    net: int  # what it cost, all discounts off
    paid: tuple[int, ...]  # by each tender
    free: int = 0  # units that cost nothing
    stamps: int = 0  # that a reward cost
    out_of: Spending | None = None  # these are
    sold: Card | None = None  # the gift card that it sold or loaded
    new: bool = False  # whether it was a new one
    back: int = 0  # units that came back


@dataclass(eq=False)
class Receipt:
    name: str
    who: str | None
    at: datetime
    lines: dict[str, Line]  # by kind
    tenders: list[Tender]
    coupon: bool = False
    cakes: int = 0  # units that the offer served
    slip: Card | None = None
    claimable: datetime = FOREVER  # until when, if it is a guest's
