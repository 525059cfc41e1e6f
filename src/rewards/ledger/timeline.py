"""An owner's timeline: a change of facts goes in, entries and the new state come out.

The state is a cache of two parts. `Near` is the last day, the carry after it
and the purses: all that a purchase in order reads and writes. A `DayRow` stands
for each earlier day; late events and returns read them all and rewrite those
that change. Folding again stops at the first day whose carry comes out as it
was. There is no special code for returns, late receipts or orders of arrival.

What does not live here: the clock, numbers of entries, and the database.
"""

from __future__ import annotations

from collections.abc import Iterable

from rewards.days import moment
from rewards.engine.misses import Scene
from rewards.engine.program import Past, PastDay, Program
from rewards.engine.step import Compiled
from rewards.engine.tiers import Standing
from rewards.ledger.entries import Award, Entry, Posting, postings, sums_by_wallet
from rewards.ledger.holds import held_after
from rewards.ledger.lots import Purse, advance, spend, terms
from rewards.ledger.purses import add_to_lot, copied, extend, fold_until
from rewards.ledger.refold import Receipts, carry_before, fold_anew, judge, past_of, vector_of
from rewards.ledger.state import (
    Activity,
    Booking,
    Cancellation,
    Change,
    DayRow,
    Ending,
    Grant,
    Held,
    Holding,
    Near,
    Purchase,
    Redemption,
    Return,
    Settlement,
    Spending,
    Telling,
    Told,
    decode_day,
    decode_near,
    encode,
    member_on,
    of_reward,
    open_near,
    with_told,
)
from rewards.ledger.uses import uses_after
from rewards.policy.activity_model import YEARLY
from rewards.receipt import Receipt, held_left, points_left

__all__ = [
    "Activity",
    "Booking",
    "Cancellation",
    "Change",
    "DayRow",
    "Ending",
    "Grant",
    "Held",
    "Holding",
    "Near",
    "Purchase",
    "Redemption",
    "Return",
    "Settlement",
    "Spending",
    "Telling",
    "Told",
    "book",
    "decode_day",
    "decode_near",
    "encode",
    "fold_until",
    "member_on",
    "needs",
    "of_reward",
    "open_near",
    "passing",
    "scene",
    "standings",
]

_KINDS = {
    Purchase: "purchase",
    Return: "return",
    Spending: "spending",
    Grant: "adjustment",
    Telling: "change",
    Activity: "activity",
    Redemption: "redemption",
    Cancellation: "cancellation",
    Holding: "hold",
    Ending: "hold",
}
# tuples: a union would be made anew each time, and every purchase passes here
_NEVER_IN_ORDER = (Holding, Ending, Cancellation)
_TAKING = (Spending, Redemption)
_JUDGED = (Purchase, Return, Activity)


def needs(program: Program, near: Near, change: Change) -> str:
    """Return what `book` must be given besides the near state: "", "days", or "receipts" (then both).

    "days" are all earlier rows of the owner, "receipts" all receipts recorded
    before this change with their returned quantities.
    """
    last, day = near.last, change.day
    if isinstance(change, _NEVER_IN_ORDER):
        return "days"
    if last is None:
        return "days" if isinstance(change, Return) else ""  # all came back before: there are no days
    if isinstance(change, _TAKING):
        return "days" if change.at < near.clock else ""
    if isinstance(change, Telling):
        looks_back = program.needs_anywhere(last.day) == "receipts"
        return "" if day > last.day else "receipts" if looks_back else "days"
    late = day < last.day
    if not isinstance(change, Grant):
        if late:
            cut = program.needs_anywhere(last.day)
        else:
            cut = program.needs_past(last.carry if day == last.day else near.carry, day)
        if cut == "receipts":
            return cut
        if cut or isinstance(change, Return) or _is_gone(change) or _captures(change):
            return "days"
    spends = isinstance(change, Purchase) and bool(_paid(change.receipt))
    # WHY: before the clock the purses were booked beyond the change already
    late = late or (change.at < near.clock and (spends or day < moment(near.clock, program.zone).toordinal()))
    return "days" if late or _out_of_order(program, near, day, spends=spends) else ""


def _is_gone(change: Change) -> bool:
    return isinstance(change, Activity) and change.gone


def _captures(change: Change) -> bool:
    return isinstance(change, Purchase) and _spends(change.receipt) and bool(held_left(change.receipt, {}))


def _out_of_order(program: Program, near: Near, day: int, *, spends: bool) -> bool:
    """Return whether new points of the day could have been taken before points of other lots."""
    wallets = program.on(day).policy.wallets
    for key, purse in near.purses.items():
        if not purse.debt and not (purse.latest and (spends or purse.spent_at)):
            continue
        wallet = wallets.get(key)
        if wallet is None:
            continue
        available_at, expires_at = terms(wallet, program.zone, day, day)
        if expires_at < purse.latest and (spends or purse.debt or purse.spent_at >= available_at):
            return True
    return False


def book(
    program: Program,
    near: Near,
    change: Change,
    days: dict[int, DayRow] | None = None,
    receipts: Receipts = (),
) -> Booking:
    """Apply a change of facts; returns new objects, what was given stays as it was.

    Two entries at most: one for what time alone changed since the last event
    (lots that ended, debts that were paid), and one for the change itself.
    """
    clock = max(near.clock, change.at)
    if isinstance(change, Telling):
        near = with_told(near, change.told)
    purses = copied(near.purses)
    entries = passing(program, near, purses, clock)
    version = program.on(change.day)
    if days is None:
        result, legs, awards = _in_order(program, version, near, change, purses, clock)
    else:
        result, legs, awards = fold_anew(program, near, change, purses, days, receipts, clock)
    after = result.near
    after.clock = clock
    after.uses = uses_after(program, near.uses, change)
    if days is not None:  # holds are never in order
        after.holds = held_after(near.holds, change)
    if isinstance(change, Activity) and change.name in YEARLY:
        after.booked = {**near.booked, change.name: change.day}
    elif isinstance(change, Redemption) and change.automatic:
        after.booked = {**near.booked, of_reward(change.reward): change.day}
    result.entries = entries
    if awards or not isinstance(change, Telling):
        entries.append(Entry(_KINDS[type(change)], change.at, version.policy.version, legs, awards))
    return result


def passing(program: Program, near: Near, purses: dict[str, Purse], clock: int) -> list[Entry]:
    """Bring purses, a copy of the state's, to `clock`; book what time alone changed, as one entry of that instant."""
    legs: list[Posting] = []
    for key, purse in purses.items():
        if (purse.debt or clock >= purse.soonest) and advance(purse, clock):
            legs += postings(key, near.purses[key], purse)
    if not legs:
        return []
    version = program.on(moment(clock, program.zone).toordinal()).policy.version
    return [Entry(kind="expiry", occurred_at=clock, policy_version=version, postings=legs)]


def _in_order(
    program: Program, version: Compiled, near: Near, change: Change, purses: dict[str, Purse], clock: int
) -> tuple[Booking, list[Posting], list[Award]]:
    """Book a change on the last day or after it, from the near state alone."""
    last, day = near.last, change.day
    if isinstance(change, Telling):
        return Booking(near.moved(last, near.carry, purses), {}, []), [], []
    days: dict[int, DayRow | None] = {}
    if last is None or day > last.day:
        if last is not None:
            days[last.day] = last
        row = DayRow(day, near.carry if last is not None else program.start(day))
    else:
        row = last.copy()
    carry = near.carry if last is not None else row.carry
    awards: list[Award] = []
    if isinstance(change, Spending):
        row.spent.append((change.at, change.wallet, change.points))
        legs = _spend(purses, change)
    elif isinstance(change, Redemption):
        row.paid[change.key] = (change.at, {change.wallet: change.points})
        legs = _spend(purses, Spending(change.at, change.day, change.wallet, change.points))
    elif isinstance(change, Grant):
        row.granted[change.wallet] = row.granted.get(change.wallet, 0) + change.points
        legs = _gain(version, purses, day, {change.wallet: change.points}, "adjusted", clock)
    else:
        assert isinstance(change, _JUDGED)  # `needs` asks for the days of all others
        row.rows[change.key] = vector_of(version, change)
        legs = _pay(purses, row, change) if isinstance(change, Purchase) else []
        had = row.points
        carry, awards = judge(program, member_on(near, day), row, _no_past)
        if only := version.only_wallet:
            gained = {only: sum(row.points.values()) - (sum(had.values()) if had else 0)}
        else:
            gained = sums_by_wallet(awards)
        legs += _gain(version, purses, day, gained, "issued", clock)
        if program.moving and any(vector[0] > 0 for vector in row.rows.values()):
            for key in program.moving:
                if key in purses:
                    extend(program, key, purses[key], day)
    return Booking(near.moved(row, carry, purses), days, []), legs, awards


def _spends(receipt: Receipt) -> bool:
    return bool(receipt.tenders or receipt.discounts)


def _paid(receipt: Receipt) -> dict[str, int]:
    return points_left(receipt, {}, of_holds=False) if _spends(receipt) else {}


def _pay(purses: dict[str, Purse], row: DayRow, change: Purchase) -> list[Posting]:
    """Take the points that pay a purchase, before it gives any."""
    paid = _paid(change.receipt)
    legs: list[Posting] = []
    if paid:
        row.paid[change.key] = (change.at, paid)
    for key, points in paid.items():
        legs += _spend(purses, Spending(change.at, change.day, key, points))
    return legs


def _spend(purses: dict[str, Purse], change: Spending) -> list[Posting]:
    purse = purses.setdefault(change.wallet, Purse())
    before = Purse(purse.debt, open=purse.open)
    spend(purse, change.at, change.points)
    return postings(change.wallet, before, purse, spent=change.points, to=change.to)


def _gain(
    version: Compiled, purses: dict[str, Purse], day: int, gained: dict[str, int], contra: str, clock: int
) -> list[Posting]:
    """Add what the day gained to its lots; in order nothing is ever taken back."""
    legs = []
    for key in sorted(gained) if len(gained) > 1 else gained:
        points = gained[key]
        assert points >= 0
        if points and key:  # gift cards are no points
            legs += add_to_lot(version.policy, purses.setdefault(key, Purse()), key, day, points, clock)
            legs.append(Posting(contra, key, -points))
    return legs


def scene(
    program: Program,
    near: Near,
    change: Purchase | Activity,
    days: dict[int, DayRow] | None = None,
    receipts: Receipts = (),
) -> Scene:
    """Return the day of a change as conditions see it: before our discounts, earlier receipts included.

    What must be given is what `needs` says of the change.
    """
    day, last = change.day, near.last
    rows = {} if days is None else dict(days)
    if last is not None:
        rows[last.day] = last
    row = rows.get(day)
    past: Past = _no_past if days is None else past_of(program, rows, change, receipts)
    version, carry = program.ready(row.carry if row is not None else carry_before(program, near, rows, day), day, past)
    vectors = [*(row.rows.values() if row is not None else ()), vector_of(version, change)]
    return Scene(version, carry, [sum(column) for column in zip(*vectors, strict=True)], day, member_on(near, day))


def standings(
    program: Program, near: Near, day: int, days: dict[int, DayRow], receipts: Receipts
) -> tuple[Standing, Standing]:
    """Return how a member stands in the tiers of a day, at its start and after what happened on it.

    `days` are all earlier rows of the owner; `receipts` are asked for only if a version between must look back.
    """
    rows = dict(days)
    if near.last is not None:
        rows[near.last.day] = near.last
    past = past_of(program, rows, None, receipts)
    row = rows.get(day)
    carry = row.carry if row is not None else carry_before(program, near, rows, day)
    version, before = program.ready(carry, day, past)
    start = version.standing(before)
    if row is None:
        return start, start
    later = min((other for other in rows if other > day), default=None)
    return start, version.standing(rows[later].carry if later is not None else near.carry)


def _no_past() -> Iterable[PastDay]:
    raise AssertionError("this cut needs the past; `needs` says so beforehand")
