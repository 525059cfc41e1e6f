"""What an owner has at an instant, per wallet.

What does not live here: how lots and spendings make a purse (`ledger.lots`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from zoneinfo import ZoneInfo

from rewards.days import moment
from rewards.engine.program import Program
from rewards.ledger.lots import NEVER, Purse, advance
from rewards.ledger.timeline import DayRow, Held, Near, fold_until
from rewards.service.balance_answers import Arriving, Expiring, WalletBalance, WalletDetail


def purses(program: Program, near: Near, at: int, days: dict[int, DayRow] | None = None) -> dict[str, Purse]:
    """Return the purses at an instant; one before the state's clock needs all earlier days.

    Points that are held now are held at every instant to come.
    """
    if at < near.clock:
        return fold_until(program, _rows(near, days), at)
    found = {}
    for key, p in near.purses.items():
        purse = found[key] = p if not p.debt and at < p.soonest else Purse(p.debt, p.latest, p.spent_at, p.open)
        if purse is not p:  # time may have changed something
            advance(purse, at)
    return found


def _rows(near: Near, days: dict[int, DayRow] | None) -> dict[int, DayRow]:
    rows = dict(days or {})
    if near.last is not None:
        rows[near.last.day] = near.last
    return rows


def needs_days(near: Near, at: int) -> bool:
    """Return whether what is there at an instant can't be told from the near state alone."""
    return at < near.clock or any(hold.until <= at for hold in near.holds.values())


def seen(
    program: Program, near: Near, at: int, days: dict[int, DayRow] | None
) -> tuple[dict[str, Purse], dict[str, int]]:
    """Return the purses and what is held by wallet, at any instant; holds end by themselves on the way to it.

    `days` are all earlier days where `needs_days` says so.
    """
    if not needs_days(near, at):
        return purses(program, near, at), _held(near.holds.values())
    rows = _rows(near, days)
    return fold_until(program, rows, at, lapse=True), _held(
        [h for row in rows.values() for h in row.holds.values()], at
    )


def _held(holds: Iterable[Held], at: int | None = None) -> dict[str, int]:
    """Return the points that are held, by wallet: at an instant, or all of holds that are open."""
    found: dict[str, int] = {}
    for hold in holds:
        if points := hold.points if at is None else hold.held(at):
            found[hold.wallet] = found.get(hold.wallet, 0) + points
    return found


def wallets(program: Program, near: Near, at: int) -> dict[str, WalletBalance]:
    """Return the balances at an instant, or at the last event if that is later; every wallet of that day is named."""
    at = max(at, near.clock)
    found, held = purses(program, near, at), _held(near.holds.values())
    return {key: _balance(found.get(key), at, held.get(key, 0)) for key in names(program, at, found)}


def names(program: Program, at: int, found: Iterable[str]) -> list[str]:
    """Return the wallets of the policy at an instant, then those it no longer has."""
    only = program.versions[0] if len(program.versions) == 1 else None
    known = (only or program.on(day_of(at, program.zone))).policy.wallets
    return [*known, *(key for key in found if key not in known)]


def _balance(purse: Purse | None, at: int, held: int) -> WalletBalance:
    if purse is None:
        return WalletBalance(held=held)
    available = pending = 0
    for _, available_at, _, points in purse.open:
        if available_at <= at:
            available += points
        else:
            pending += points
    return WalletBalance(available, pending, held, purse.debt)


def detail(purse: Purse | None, at: int, zone: ZoneInfo, held: int = 0) -> WalletDetail:
    """Return a wallet's balance with every coming expiry and availability, soonest first."""
    if purse is None:
        return WalletDetail(held=held)
    ends: dict[int, int] = {}
    arrivals: dict[int, int] = {}
    for _, available_at, expires_at, points in purse.open:
        if expires_at != NEVER:
            ends[expires_at] = ends.get(expires_at, 0) + points
        if available_at > at:
            arrivals[available_at] = arrivals.get(available_at, 0) + points
    plain = _balance(purse, at, held)
    return WalletDetail(
        plain.available,
        plain.pending,
        plain.held,
        plain.debt,
        [Expiring(points, text(end, zone)) for end, points in sorted(ends.items())],
        [Arriving(points, text(start, zone)) for start, points in sorted(arrivals.items())],
    )


def day_of(at: int, zone: ZoneInfo) -> int:
    """Return the local date of an instant."""
    return moment(at, zone).toordinal()


@lru_cache(8192)  # midnights come again and again
def text(at: int, zone: ZoneInfo) -> str:
    """Return an instant as RFC 3339 text in the program's time zone."""
    return moment(at, zone).isoformat()


@lru_cache(1024)
def day_text(day: int) -> str:
    """Return a day as ISO 8601 text."""
    return date.fromordinal(day).isoformat()
