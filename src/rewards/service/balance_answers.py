"""What the service answers of a balance: points by wallet, what comes and ends, and the tier.

Instants are RFC 3339 text in the program's time zone. What does not live here:
the rest of what is answered (`answers`).
"""

from __future__ import annotations

import msgspec


class WalletBalance(msgspec.Struct, frozen=True):
    """Points of one wallet at an instant."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0


class Expiring(msgspec.Struct, frozen=True):
    """Points that end together."""

    points: int
    expires_at: str


class Arriving(msgspec.Struct, frozen=True):
    """Points that become available together."""

    points: int
    available_at: str


class WalletDetail(WalletBalance, frozen=True):
    """A wallet's balance with every coming expiry and availability, soonest first."""

    expiries: list[Expiring] = []
    arrivals: list[Arriving] = []


class NextTier(msgspec.Struct, frozen=True):
    """The way to the next level: what is still missing of what the policy's tiers count."""

    name: str
    by: str  # spend (minor units), visits, or a wallet's points
    short: int


class TierAnswer(msgspec.Struct, frozen=True):
    """The level that is held on the day, and until when without another visit; `next` is None at the top."""

    name: str
    held_until: str | None  # the last day; None where it has no end
    next: NextTier | None
