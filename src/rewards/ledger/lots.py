"""Lots and the fold that lays spendings over them; integers and instants only.

Which lot a spending took is a function of the facts: when facts change, the
spendings are laid anew and an entry books the difference. What does not live
here: where lots come from (`timeline`) and what an entry looks like (`entries`).

>>> fold([Lot(1, 0, 30, 100), Lot(2, 0, 20, 100)], [(10, 100)], 25)  # the sooner ending lot pays
Purse(debt=0, latest=30, spent_at=10, open=[[1, 0, 30, 100]], soonest=0)
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from rewards.days import Duration, end_of, midnight, plus
from rewards.policy.model import Expiry, Wallet

NEVER = 2**62  # the `expires_at` of a lot that does not end


class Lot(NamedTuple):
    """A day's points on equal terms."""

    day: int  # of a lot of credits: the day's number below zero
    available_at: int
    expires_at: int  # exclusive; NEVER if it does not end
    points: int


class Purse(msgspec.Struct, array_like=True, gc=False):
    """One wallet of an owner at an instant: what is open, and what is owed.

    `open` holds [day, available_at, expires_at, points left], pending lots
    included. Debt and points that are available exclude each other.
    """

    debt: int = 0
    latest: int = 0  # the latest end that any lot of this wallet ever had
    spent_at: int = 0  # the instant of the latest spending
    open: list[list[int]] = []  # its lots are replaced, never changed in place
    soonest: int = 0  # nothing ends before this instant


def terms(wallet: Wallet, zone: ZoneInfo, day: int, last_visit: int) -> tuple[int, int]:
    """Return (available_at, expires_at) of the lot of a day; `last_visit` matters to `since: last_visit` alone."""
    return _terms(wallet.pending, wallet.expires, zone, day, last_visit)


@lru_cache(65536)
def _terms(
    pending: Duration | None, expires: Expiry | None, zone: ZoneInfo, day: int, last_visit: int
) -> tuple[int, int]:
    ready = plus(day, pending) if pending else day
    available_at = midnight(ready, zone)
    if expires is None:
        return available_at, NEVER
    start = last_visit if expires.since == "last_visit" else ready if expires.since == "available" else day
    return available_at, midnight(last_day(expires, start), zone)


def last_day(expires: Expiry, start: int) -> int:
    """Return the first day on which points that count from `start` are gone."""
    end = plus(start, expires.after) if expires.after else start
    return end_of(end, expires.at) if expires.at else end


def last_visit_of(expires: Expiry, day: int, visits: Iterable[int]) -> int:
    """Follow the visits from a lot's day on, while each comes before the end that the one before it set."""
    base = day
    for visit in visits:
        if visit > base:
            if visit >= last_day(expires, base):
                break
            base = visit
    return base


_EXPIRY, _AVAILABLE, _SPENDING = 0, 1, 2


def fold(
    lots: Iterable[Lot],
    spendings: Sequence[tuple[int, int]],
    until: int,
    debt: int = 0,
    ended: dict[int, int] | None = None,
) -> Purse:
    """Lay spendings over lots in time order, up to and with the instant `until`.

    At one instant: lots end, then lots become available (and pay debt; of
    several the soonest ending first, then the oldest), then points are spent (from the
    soonest ending lot, then the oldest). What no lot covers is debt. `debt` is owed from before.
    What was left of lots when they ended is put into `ended`, by day.
    """
    if not spendings and not debt and ended is None:
        return _untouched(lots, until)
    steps: list[tuple[int, int, int, int, list[int]]] = []
    latest = spent_at = 0
    for lot in lots:
        latest = max(latest, lot.expires_at)
        if lot.points:
            steps.append((lot.available_at, _AVAILABLE, lot.expires_at, lot.day, list(lot)))
    for at, points in spendings:
        if at <= until:
            spent_at = max(spent_at, at)
            steps.append((at, _SPENDING, 0, 0, [points]))
    steps.sort(key=lambda step: step[:4])
    heap: list[tuple[int, int, list[int]]] = []  # (end, day, lot), all available
    pending = []
    for at, kind, end, day, payload in steps:
        if at > until:
            if end > until:
                pending.append(payload)
            continue
        _drop_ended(heap, at, ended)
        if kind == _AVAILABLE:
            paid = min(debt, payload[3]) if end > at else 0
            debt -= paid
            payload[3] -= paid
            if payload[3] and end > at:
                heapq.heappush(heap, (end, day, payload))
        else:
            debt += _take(heap, payload[0])
    _drop_ended(heap, until, ended)
    left = [entry[2] for entry in heap] + pending
    left.sort()
    return Purse(debt, latest, spent_at, left)


def _untouched(lots: Iterable[Lot], until: int) -> Purse:
    """Return the purse of lots that nothing was ever taken from."""
    latest, left = 0, []
    for lot in lots:
        latest = max(latest, lot[2])
        if lot[3] and lot[2] > until:
            left.append(list(lot))
    left.sort()
    return Purse(0, latest, 0, left)


def _drop_ended(heap: list[tuple[int, int, list[int]]], at: int, ended: dict[int, int] | None) -> None:
    while heap and heap[0][0] <= at:
        lot = heapq.heappop(heap)[2]
        if ended is not None:
            ended[lot[0]] = lot[3]


def _take(heap: list[tuple[int, int, list[int]]], points: int) -> int:
    """Take points from the heap's lots in their order; return what they do not cover."""
    while points and heap:
        lot = heap[0][2]
        taken = min(points, lot[3])
        lot[3] -= taken
        points -= taken
        if not lot[3]:
            heapq.heappop(heap)
    return points


def advance(purse: Purse, until: int) -> bool:
    """Bring a purse to an instant: lots end, pending lots pay debt. Return whether anything changed."""
    if not purse.open:
        return False
    if purse.debt:
        after = fold([Lot(*lot) for lot in purse.open], (), until, purse.debt)
        changed = after.debt != purse.debt or after.open != purse.open
        purse.debt, purse.open = after.debt, after.open
        return changed
    if until < purse.soonest:
        return False
    left = [lot for lot in purse.open if lot[2] > until]
    changed = len(left) != len(purse.open)
    purse.open = left
    purse.soonest = min((lot[2] for lot in left), default=0)
    return changed


def spend(purse: Purse, at: int, points: int) -> None:
    """Take points at an instant that is not before anything recorded; the rest becomes debt."""
    purse.open = [lot.copy() for lot in purse.open]
    heap = [(lot[2], lot[0], lot) for lot in purse.open if lot[1] <= at]
    heapq.heapify(heap)
    purse.debt += _take(heap, points)
    purse.open = [lot for lot in purse.open if lot[3]]
    purse.spent_at = max(purse.spent_at, at)


def available(purse: Purse, at: int) -> int:
    """Return the points that can be spent at an instant to which the purse was advanced."""
    return sum(lot[3] for lot in purse.open if lot[1] <= at)
