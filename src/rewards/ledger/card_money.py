"""The money on a gift card: lots by the instant at which they end, and the balanced entries of what moves it.

A card's money is spent soonest-ending first. What does not live here: which
activity may happen when (`gift_cards`), and who asks for it.

>>> lots = add(((100, 500),), ((200, 1000),))
>>> taken(lots, 700), left(lots, 99), left(lots, 100)
(((100, 500), (200, 200)), 1500, 1000)
"""

from __future__ import annotations

from collections.abc import Iterable

from rewards.ledger.entries import Entry, Posting

Lots = tuple[tuple[int, int], ...]  # (ends at, minor units above zero), each end once, soonest first

ACCOUNTS = {
    "LOAD": "sold",
    "REDEEM": "redeemed",
    "CAPTURE": "redeemed",
    "REFUND": "restored",
    "ADJUST_INCREMENT": "adjusted",
    "ADJUST_DECREMENT": "adjusted",
    "CLEAR_BALANCE": "cleared",
    "CASH_OUT": "cashed_out",
    "TRANSFER_OUT": "transferred",
    "TRANSFER_IN": "transferred",
    "VOID": "taken_back",
}  # where the money of an activity comes from, or goes to; a card's first money as its kind says


def account_of(activity: str, kind: str) -> str:
    """Return the account against which an activity on a card of a kind is booked.

    >>> account_of("ISSUE", "promotional"), account_of("REDEEM", "paid")
    ('given', 'redeemed')
    """
    if activity in {"ISSUE", "ACTIVATE"}:
        return "given" if kind == "promotional" else "sold"
    return ACCOUNTS[activity]


def total(lots: Iterable[tuple[int, int]]) -> int:
    """Return the sum, in minor units."""
    return sum(minor for _, minor in lots)


def left(lots: Lots, at: int) -> int:
    """Return what can be spent at an instant; a lot ends before the instant of its end."""
    return sum(minor for end, minor in lots if end > at)


def add(lots: Lots, parts: Lots) -> Lots:
    """Return the lots with more money in them; money that ends together is one lot."""
    sums = dict(lots)
    for end, minor in parts:
        sums[end] = sums.get(end, 0) + minor
    return tuple(sorted((end, minor) for end, minor in sums.items() if minor))


def without(lots: Lots, parts: Lots) -> Lots:
    """Return the lots less what was taken out of them; raises `AssertionError` for money that is not there."""
    sums = dict(lots)
    for end, minor in parts:
        sums[end] = sums.get(end, 0) - minor
        assert sums[end] >= 0
    return tuple(sorted((end, minor) for end, minor in sums.items() if minor))


def taken(lots: Lots, minor: int) -> Lots:
    """Return what a spending takes out of which lots, soonest ending first; raises `AssertionError` for too much."""
    parts = []
    for end, there in lots:
        part = min(there, minor)
        if part:
            parts.append((end, part))
        minor -= part
    assert not minor
    return tuple(parts)


def given_back(parts: Lots, before: int, minor: int, last: int) -> Lots:
    """Return where a refund goes of a spending that took `parts` and of which `before` was refunded earlier.

    The money that ends last comes back first, into the lots that it came from; none ends before `last`. So what
    came back depends on the sum alone, however many refunds there were.
    """
    latest_first = list(reversed(parts))
    back = without(_first(latest_first, before + minor), _first(latest_first, before))
    return add((), tuple((max(end, last), part) for end, part in back))


def _first(parts: Iterable[tuple[int, int]], minor: int) -> Lots:
    found = []
    for end, there in parts:
        found.append((end, min(there, minor)))
        minor -= min(there, minor)
    assert not minor
    return tuple(found)


def booked(
    before: Lots,
    after: Lots,
    *,
    currency: str,
    activity: str,
    contra: str,
    at: int,
    version: str,
    held: int = 0,
    moved: int | None = None,
) -> list[Entry]:
    """Book what an activity at an instant made of a card's lots: first what had ended by then, then the activity.

    `held` is what holds gained. `moved` went to `contra`; without it, all that lots and holds lost did. What none of
    it explains has ended. An activity that moves no money books none. Each entry's legs sum to zero by construction.
    """
    entries = []
    ended = tuple(lot for lot in before if lot[0] <= at)
    if ended:
        legs = [Posting("lot", currency, -minor, expires_at=end) for end, minor in ended]
        legs.append(Posting("expired", currency, total(ended)))
        entries.append(Entry(kind="expiry", occurred_at=at, policy_version=version, postings=legs))
    was, now = dict(lot for lot in before if lot[0] > at), dict(after)
    changes = [(end, now.get(end, 0) - was.get(end, 0)) for end in sorted({*was, *now})]
    legs = [Posting("lot", currency, minor, expires_at=end) for end, minor in changes if minor]
    if held:
        legs.append(Posting("held", currency, held))
    if legs:
        gone = -total(changes) - held
        paid = gone if moved is None and contra else moved or 0
        legs += [
            Posting(account, currency, minor) for account, minor in ((contra, paid), ("expired", gone - paid)) if minor
        ]
        entries.append(Entry(kind=activity.lower(), occurred_at=at, policy_version=version, postings=legs))
    return entries
