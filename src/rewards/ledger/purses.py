"""An owner's purses: as rows of days give them, and as one more day changes them.

What does not live here: what a day earned (`refold`), and the fold itself (`lots`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rewards.days import midnight, plus
from rewards.engine.program import Program
from rewards.engine.step import Compiled
from rewards.ledger.entries import Posting
from rewards.ledger.lots import NEVER, Lot, Purse, advance, fold, last_visit_of, terms
from rewards.ledger.state import DayRow, Near
from rewards.policy.model import Expiry, Policy


def copied(purses: dict[str, Purse]) -> dict[str, Purse]:
    """Return purses that can be changed without touching these."""
    return {key: Purse(p.debt, p.latest, p.spent_at, p.open.copy(), p.soonest) for key, p in purses.items()}


def add_to_lot(policy: Policy, purse: Purse, key: str, day: int, points: int, clock: int) -> list[Posting]:
    """Add new points to the lot of the last day, which no other lot stands behind; debt is paid first.

    Returns the legs without the contra account's. Points that have ended by `clock` go to `expired`.
    """
    available_at, expires_at = terms(policy.wallets[key], policy.zone, day, day)
    purse.latest = max(purse.latest, expires_at)
    paid = min(points, purse.debt) if purse.debt and available_at <= clock else 0
    left = points - paid
    legs = []
    if left and expires_at > clock:
        legs.append(Posting("lot", key, left, day, available_at, expires_at))
        lots = purse.open
        if not purse.soonest or expires_at < purse.soonest:
            purse.soonest = expires_at
        at = len(lots) - 1
        while at >= 0 and lots[at][0] > day:
            at -= 1
        if at >= 0 and lots[at][0] == day:
            lots[at] = [day, available_at, expires_at, lots[at][3] + left]
        else:
            lots.append([day, available_at, expires_at, left])
    if paid:
        purse.debt -= paid
        legs.append(Posting("debt", key, paid))
    if left and expires_at <= clock:
        legs.append(Posting("expired", key, left))
    return legs


def extend(program: Program, key: str, purse: Purse, day: int) -> None:
    """Move the ends of lots that count from the last visit, where they have not come yet."""
    now = midnight(day, program.zone)
    ends: dict[int, int] = {}  # by version: the end that a visit on `day` sets, 0 if none
    for i, lot in enumerate(purse.open):
        if lot[0] < 0:
            continue
        number = program.index(lot[0])
        end = ends.get(number)
        if end is None:
            wallet = program.versions[number].policy.wallets.get(key)
            moves = wallet is not None and wallet.expires is not None and wallet.expires.since == "last_visit"
            end = ends[number] = terms(wallet, program.zone, day, day)[1] if moves and wallet is not None else 0
        if end and lot[2] > now:
            purse.open[i] = [lot[0], lot[1], end, lot[3]]
            purse.latest = max(purse.latest, end)
            purse.soonest = 0


def all_purses(program: Program, rows: dict[int, DayRow], until: int) -> dict[str, Purse]:
    """Lay every spending over every lot of the owner, from the first on."""
    lots, spendings = ledger_facts(program, rows, until)
    return {key: fold(lots.get(key, ()), spendings.get(key, ()), until) for key in {*lots, *spendings}}


def ledger_facts(
    program: Program, rows: dict[int, DayRow], at: int = NEVER, *, lapse: bool = False
) -> tuple[dict[str, list[Lot]], dict[str, list[tuple[int, int]]]]:
    """Return lots and spendings by wallet, as the rows give them; holds as they were at an instant.

    An open hold is a spending for as long as no event ended it; with `lapse`, until it ends by itself.
    """
    lots: dict[str, list[Lot]] = {}
    spendings: dict[str, list[tuple[int, int]]] = {}
    visits: list[int] = []
    if program.moving:
        visits = sorted(day for day, row in rows.items() if sum(vector[0] for vector in row.rows.values()) > 0)
    for day in sorted(rows):
        row, version = rows[day], program.on(day)
        for key, points in _given(version, row).items():
            if points and key:  # gift cards are no points
                wallet = version.policy.wallets[key]
                visit = _visit_for(wallet.expires, day, visits) if visits else day
                available_at, expires_at = terms(wallet, program.zone, day, visit)
                lots.setdefault(key, []).append(Lot(day, available_at, expires_at, points))
        if row.spent or row.paid or row.holds:
            for when, key, points in _spent(row, at, lapse=lapse):
                spendings.setdefault(key, []).append((when, points))
    for day in sorted(rows):
        for key, points in rows[day].credited.items():
            lots.setdefault(key, []).append(credit(program, day, points))
    return lots, spendings


def _given(version: Compiled, row: DayRow) -> dict[str, int]:
    """Return what the rules and staff gave on a day, by wallet; cards that rules gave stand under no name."""
    if version.only_wallet:
        points = {version.only_wallet: sum(row.points.values())}
    else:
        points = {}
        for index, given in row.points.items():
            wallet = version.wallets[index]
            points[wallet] = points.get(wallet, 0) + given
    for wallet, given in row.granted.items():
        points[wallet] = points.get(wallet, 0) + given
    return points


def _spent(row: DayRow, at: int, *, lapse: bool) -> Iterator[tuple[int, str, int]]:
    """Yield the instant, wallet and points of each spending of a day, holds as they are at an instant."""
    yield from row.spent
    for when, paid in row.paid.values():
        for key, points in paid.items():
            yield when, key, points
    for hold in row.holds.values():
        if points := hold.laid(at, lapse=lapse):
            yield hold.at, hold.wallet, points


def credit(program: Program, day: int, points: int) -> Lot:
    """Return the lot of what settlements of a day gave: it lasts as long as points given back do."""
    ends = plus(day, program.on(day).policy.returns.restored_points_last)
    return Lot(-day, midnight(day, program.zone), midnight(ends, program.zone), points)


def _visit_for(expires: Expiry | None, day: int, visits: list[int]) -> int:
    if expires is None or expires.since != "last_visit":
        return day
    return last_visit_of(expires, day, visits)


def fold_until(program: Program, rows: dict[int, DayRow], at: int, *, lapse: bool = False) -> dict[str, Purse]:
    """Return the purses at any instant, from all rows of the owner; lots of later days are not there yet.

    With `lapse`, holds that are open now end by themselves on the way to the instant.
    """
    zone = program.zone
    lots, spendings = ledger_facts(program, rows, at, lapse=lapse)
    return {
        key: fold([lot for lot in lots.get(key, ()) if midnight(abs(lot.day), zone) <= at], spendings.get(key, ()), at)
        for key in {*lots, *spendings}
    }


class Standing(NamedTuple):
    """What one wallet holds at an instant, in whole points."""

    available: int
    pending: int
    debt: int
    expiries: list[tuple[int, int]]  # (expires_at, points), soonest first; what does not end is left out
    arrivals: list[tuple[int, int]]  # (available_at, points), soonest first


def standing(purse: Purse, at: int) -> Standing:
    """Return what a purse that was brought to `at` holds."""
    ready = sum(lot[3] for lot in purse.open if lot[1] <= at)
    ends: dict[int, int] = {}
    starts: dict[int, int] = {}
    for _, available_at, expires_at, points in purse.open:
        if expires_at != NEVER:
            ends[expires_at] = ends.get(expires_at, 0) + points
        if available_at > at:
            starts[available_at] = starts.get(available_at, 0) + points
    return Standing(ready, sum(starts.values()), purse.debt, sorted(ends.items()), sorted(starts.items()))


def standings(program: Program, near: Near, at: int, days: dict[int, DayRow] | None = None) -> dict[str, Standing]:
    """Return what every wallet holds at an instant.

    From the near state alone if `at` is not before its clock; before it, `days`
    must be all earlier rows of the owner.
    """
    if at >= near.clock:
        purses = copied(near.purses)
        for purse in purses.values():
            advance(purse, at)
    else:
        assert days is not None, "an instant before the clock needs all days"
        rows = dict(days)
        if near.last is not None:
            rows[near.last.day] = near.last
        purses = fold_until(program, rows, at)
    return {key: standing(purse, at) for key, purse in purses.items()}
