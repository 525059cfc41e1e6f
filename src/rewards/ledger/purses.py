"""An owner's purses: as rows of days give them, and as one more day changes them.

What does not live here: what a day earned (`refold`), and the fold itself (`lots`).
"""

from __future__ import annotations

from typing import NamedTuple

from rewards.days import midnight, moment
from rewards.engine.program import Program
from rewards.ledger.lots import NEVER, Lot, Purse, advance, fold, last_visit_of, terms
from rewards.ledger.state import DayRow, Near
from rewards.policy.model import Expiry, Wallet


def copied(purses: dict[str, Purse]) -> dict[str, Purse]:
    """Return purses that can be changed without touching these."""
    return {key: Purse(p.debt, p.latest, p.spent_at, [lot.copy() for lot in p.open]) for key, p in purses.items()}


def add_to_lots(program: Program, row: DayRow, purses: dict[str, Purse], gained: dict[str, int], clock: int) -> None:
    """Add a day's new points to its lot, which no other lot can stand behind; a visit moves lots that last from it."""
    zone = program.zone
    wallets = program.on(row.day).policy.wallets
    for key, points in gained.items():
        assert points >= 0, "in order nothing is ever taken back"
        purse = purses.setdefault(key, Purse())
        if not points:
            continue
        available_at, expires_at = terms(wallets[key], zone, row.day, row.day)
        purse.latest = max(purse.latest, expires_at)
        paid = min(points, purse.debt) if available_at <= clock else 0
        purse.debt -= paid
        if points > paid and expires_at > clock:
            lot = next((lot for lot in purse.open if lot[0] == row.day), None)
            if lot is None:
                purse.open.append([row.day, available_at, expires_at, points - paid])
            else:
                lot[3] += points - paid
    if sum(vector[0] for vector in row.rows.values()) > 0:
        for key, purse in purses.items():
            _extend(program, key, purse, row.day)


def _extend(program: Program, key: str, purse: Purse, day: int) -> None:
    """Move the ends of lots that count from the last visit, where they have not come yet."""
    for lot in purse.open:
        wallet = program.on(lot[0]).policy.wallets.get(key)
        moves = wallet is not None and wallet.expires is not None and wallet.expires.since == "last_visit"
        if moves and wallet is not None and lot[2] > midnight(day, program.zone):
            lot[2] = terms(wallet, program.zone, lot[0], day)[1]
            purse.latest = max(purse.latest, lot[2])


def all_purses(program: Program, rows: dict[int, DayRow], until: int) -> dict[str, Purse]:
    """Lay every spending over every lot of the owner, from the first on."""
    lots, spendings = ledger_facts(program, rows)
    return {key: fold(lots.get(key, ()), spendings.get(key, ()), until) for key in {*lots, *spendings}}


def ledger_facts(
    program: Program, rows: dict[int, DayRow]
) -> tuple[dict[str, list[Lot]], dict[str, list[tuple[int, int]]]]:
    """Return lots and spendings by wallet, as the rows give them."""
    gross: dict[str, list[tuple[int, Wallet, int]]] = {}
    spendings: dict[str, list[tuple[int, int]]] = {}
    visits = sorted(day for day, row in rows.items() if sum(vector[0] for vector in row.rows.values()) > 0)
    for day in sorted(rows):
        row, version = rows[day], program.on(day)
        day_points = dict(row.granted)
        for index, points in row.points.items():
            wallet = version.wallets[index]
            day_points[wallet] = day_points.get(wallet, 0) + points
        for key, points in day_points.items():
            if points:
                gross.setdefault(key, []).append((day, version.policy.wallets[key], points))
        for at, key, points in row.spent:
            spendings.setdefault(key, []).append((at, points))
    lots = {
        key: [
            Lot(day, *terms(wallet, program.zone, day, _visit_for(wallet.expires, day, visits)), points)
            for day, wallet, points in days
        ]
        for key, days in gross.items()
    }
    return lots, spendings


def _visit_for(expires: Expiry | None, day: int, visits: list[int]) -> int:
    if expires is None or expires.since != "last_visit":
        return day
    return last_visit_of(expires, day, visits)


def fold_until(program: Program, rows: dict[int, DayRow], at: int) -> dict[str, Purse]:
    """Return the purses at any instant, from all rows of the owner; lots of later days are not there yet."""
    today = moment(at, program.zone).toordinal()
    lots, spendings = ledger_facts(program, rows)
    return {
        key: fold([lot for lot in lots.get(key, ()) if lot.day <= today], spendings.get(key, ()), at)
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
