"""A budget: what all buyers together drew on an offer, by day, as an owner of its own keeps it.

A use is a fact: it is booked when a purchase is recorded, and given back by the
return of all that was bought. Nothing is ever decided again, so nobody is granted
later what was refused. What does not live here: how much a budget leaves
(`engine.till`), and the uses that a member's limits count (`uses`).
"""

from __future__ import annotations

import msgspec

from rewards.ledger.entries import Entry, Posting
from rewards.ledger.state import Booking, Near
from rewards.policy.model import Policy

Drawn = dict[int, list[int]]


class Use(msgspec.Struct, frozen=True, array_like=True):
    """What one receipt drew, or gave back; the place is that of the purchase or the return on the buyer's timeline."""

    owner: int
    number: int
    day: int  # of the receipt
    units: int
    amount_minor: int


def drawn_after(drawn: Drawn, use: Use, *, back: bool = False) -> Drawn:
    """Return the sums with one use more, or `back` one less; what was given stays as it was.

    >>> drawn_after({}, Use(1, 2, 700_000, 3, 250))
    {700000: [1, 3, 250]}
    >>> drawn_after({700_000: [1, 3, 250]}, Use(1, 3, 700_000, 3, 250), back=True)
    {}
    """
    sign = -1 if back else 1
    sums = [
        was + sign * more
        for was, more in zip(drawn.get(use.day, (0, 0, 0)), (1, use.units, use.amount_minor), strict=True)
    ]
    after = {**drawn, use.day: sums}
    if not any(sums):
        del after[use.day]
    return after


def book_use(near: Near, use: Use, *, at: int, policy: Policy, back: bool = False) -> Booking:
    """Book a use, or `back` its return: the discount moves between the budget and what was granted of it."""
    amount = -use.amount_minor if back else use.amount_minor
    legs = [Posting("granted", policy.currency, amount), Posting("budget", policy.currency, -amount)]
    kind = "return" if back else "purchase"
    entry = Entry(kind=kind, occurred_at=at, policy_version=policy.version, postings=legs)
    after = Near(near.joined, drawn=drawn_after(near.drawn, use, back=back))
    return Booking(after, {}, [entry])
