"""An owner's timeline: a change of facts goes in, entries and the new state come out.

The state is a cache of two parts. `Near` is the last day, the carry after it
and the purses: all that a purchase in order reads and writes. A `DayRow` stands
for each earlier day; late events and returns read them all and rewrite those
that change. Folding again stops at the first day whose carry comes out as it
was. There is no special code for returns, late receipts or orders of arrival.

What does not live here: the clock, numbers of entries, and the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from rewards.days import midnight, moment, periods
from rewards.engine.explain import facts
from rewards.engine.program import Past, PastDay, Program
from rewards.engine.step import Compiled
from rewards.ledger.entries import Award, Entry, Posting, postings
from rewards.ledger.lots import Lot, Purse, advance, fold, last_visit_of, spend, terms
from rewards.policy.model import Expiry, Wallet
from rewards.receipt import Receipt, Returned

_FORMAT = b"\x01"


class DayRow(msgspec.Struct, array_like=True):
    """What is known of one day of an owner."""

    day: int
    carry: list[Any]  # before the day
    rows: dict[int, list[int]] = {}  # by purchase: the receipt's vector
    points: dict[int, int] = {}  # by index of the rule in the day's version; zeros left out
    granted: dict[str, int] = {}  # by wallet: points that staff gave
    spent: list[tuple[int, str, int]] = []  # (instant, wallet, points)

    def copy(self) -> DayRow:
        """Return a row that can be changed without touching this one."""
        return DayRow(self.day, self.carry, dict(self.rows), self.points, dict(self.granted), list(self.spent))

    def empty(self) -> bool:
        """Return whether nothing is left of the day."""
        return not (self.rows or self.granted or self.spent)


class Near(msgspec.Struct, array_like=True):
    """The part of the state that every event reads and writes."""

    joined: int  # day; 0 for an owner who is no member
    clock: int = 0  # the instant up to which the purses are booked
    last: DayRow | None = None
    carry: list[Any] = []  # after the last day; empty before the first
    purses: dict[str, Purse] = {}


@dataclass(frozen=True, slots=True)
class Purchase:
    """A receipt was recorded; `key` numbers it within its owner."""

    key: int
    receipt: Receipt

    @property
    def at(self) -> int:
        """Return the instant of the event."""
        return self.receipt.occurred_at

    @property
    def day(self) -> int:
        """Return the day whose facts change."""
        return self.receipt.day


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of a recorded receipt came back; `returned` is the total so far, this return included."""

    key: int
    receipt: Receipt
    returned: Returned
    at: int

    @property
    def day(self) -> int:
        """Return the day whose facts change: the purchase's."""
        return self.receipt.day


@dataclass(frozen=True, slots=True)
class Spending:
    """Points went; `to` is the account that they went to."""

    at: int
    day: int
    wallet: str
    points: int
    to: str = "spent"


@dataclass(frozen=True, slots=True)
class Grant:
    """Staff gave points; they join the lot of the day."""

    at: int
    day: int
    wallet: str
    points: int


Change = Purchase | Return | Spending | Grant
_KINDS = {Purchase: "purchase", Return: "return", Spending: "spending", Grant: "adjustment"}
_CONTRA = {Purchase: "issued", Return: "taken_back", Spending: "issued", Grant: "adjusted"}


@dataclass(slots=True)
class Booking:
    """The outcome of a change: the new state, the rows to write (None: delete), and what is booked, in order."""

    near: Near
    days: dict[int, DayRow | None]
    entries: list[Entry]


_decoder = msgspec.msgpack.Decoder(Near)
_day_decoder = msgspec.msgpack.Decoder(DayRow)
_encoder = msgspec.msgpack.Encoder()


def encode(state: Near | DayRow) -> bytes:
    """Return the state as bytes, led by the number of their format."""
    return _FORMAT + _encoder.encode(state)


def decode_near(data: bytes) -> Near:
    """Read what `encode` wrote."""
    return _decoder.decode(memoryview(data)[1:])


def decode_day(data: bytes) -> DayRow:
    """Read what `encode` wrote."""
    return _day_decoder.decode(memoryview(data)[1:])


def open_near(joined: int) -> Near:
    """Return the state of an owner of whom nothing is known; `joined` is a day, 0 for no member."""
    return Near(joined)


Receipts = Sequence[tuple[Receipt, Returned]]


def needs(program: Program, near: Near, change: Change) -> str:
    """Return what `book` must be given besides the near state: "", "days", or "receipts" (then both).

    "days" are all earlier rows of the owner, "receipts" all receipts recorded
    before this change with their returned quantities.
    """
    last = near.last
    if last is None:
        return ""
    if isinstance(change, Spending):
        return "days" if change.at < near.clock else ""
    late = change.day < last.day
    if not isinstance(change, Grant):
        if late:
            cut = program.needs_anywhere(last.day)
        else:
            cut = program.needs_past(last.carry if change.day == last.day else near.carry, change.day)
        if cut == "receipts":
            return cut
        if cut or isinstance(change, Return):
            return "days"
    if late or _behind_clock(program, near, change) or _out_of_order(program, near, change):
        return "days"
    return ""


def _behind_clock(program: Program, near: Near, change: Purchase | Return | Grant) -> bool:
    """Return whether the purses were already booked beyond the day of the change."""
    return change.at < near.clock and change.day < moment(near.clock, program.zone).toordinal()


def _out_of_order(program: Program, near: Near, change: Change) -> bool:
    """Return whether new points of the day could have been taken before points of other lots."""
    wallets = program.on(change.day).policy.wallets
    for key, purse in near.purses.items():
        wallet = wallets.get(key)
        if wallet is None or (not purse.debt and not purse.latest):
            continue
        available_at, expires_at = terms(wallet, program.zone, change.day, change.day)
        safe = expires_at >= purse.latest or (not purse.debt and purse.spent_at < available_at)
        if not safe:
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
    version = program.on(change.day).policy.version
    purses = _copied(near.purses)
    entries = _passing(program, near, purses, clock)
    if days is None:
        before = _copied(purses) if entries else near.purses
        result, legs, awards = _in_order(program, near, change, purses, before, clock)
    else:
        result, legs, awards = _anew(program, near, change, purses, days, receipts, clock)
    result.near.clock = clock
    entries.append(
        Entry(
            kind=_KINDS[type(change)], occurred_at=change.at, policy_version=version, postings=legs, awards=awards
        )
    )
    result.entries = entries
    return result


def _copied(purses: dict[str, Purse]) -> dict[str, Purse]:
    return {key: Purse(p.debt, p.latest, p.spent_at, [lot.copy() for lot in p.open]) for key, p in purses.items()}


def _passing(program: Program, near: Near, purses: dict[str, Purse], clock: int) -> list[Entry]:
    """Book what time alone changed, as one entry dated by its last instant."""
    legs: list[Posting] = []
    for key, purse in purses.items():
        if advance(purse, clock):
            legs += postings(key, near.purses[key], purse)
    if not legs:
        return []
    version = program.on(moment(clock, program.zone).toordinal()).policy.version
    return [Entry(kind="expiry", occurred_at=clock, policy_version=version, postings=legs)]


# in order: the last day, or a new one after it


def _in_order(
    program: Program,
    near: Near,
    change: Change,
    purses: dict[str, Purse],
    before: dict[str, Purse],
    clock: int,
) -> tuple[Booking, list[Posting], list[Award]]:
    last = near.last
    days: dict[int, DayRow | None] = {}
    if last is None or change.day > last.day:
        if last is not None:
            days[last.day] = last
        row = DayRow(change.day, near.carry or program.start(change.day))
    else:
        row = last.copy()
    carry = near.carry or row.carry
    awards: list[Award] = []
    spent: dict[str, int] = {}
    gained: dict[str, int] = {}
    if isinstance(change, Spending):
        row.spent.append((change.at, change.wallet, change.points))
        spend(purses.setdefault(change.wallet, Purse()), change.at, change.points)
        spent[change.wallet] = change.points
    elif isinstance(change, Grant):
        row.granted[change.wallet] = row.granted.get(change.wallet, 0) + change.points
        gained[change.wallet] = change.points
    else:
        assert isinstance(change, Purchase)
        row.rows[change.key] = program.on(change.day).reader.vector(change.receipt, {})
        carry, awards = _judge(program, near.joined, row, _no_past)
        for award in awards:
            gained[award.wallet] = gained.get(award.wallet, 0) + award.points
    _add_to_lots(program, row, purses, gained, clock)
    legs = []
    for key in sorted({*gained, *spent}):
        legs += postings(
            key,
            before.get(key, Purse()),
            purses[key],
            gross=gained.get(key, 0),
            contra=_CONTRA[type(change)],
            spent=spent.get(key, 0),
            to=change.to if isinstance(change, Spending) else "spent",
        )
    return Booking(Near(near.joined, 0, row, carry, purses), days, []), legs, awards


def _no_past() -> Iterable[PastDay]:
    raise AssertionError("this cut needs the past; `needs` says so beforehand")


def _add_to_lots(program: Program, row: DayRow, purses: dict[str, Purse], gained: dict[str, int], clock: int) -> None:
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
        if wallet is not None and wallet.expires is not None and wallet.expires.since == "last_visit":
            if lot[2] > midnight(day, program.zone):
                lot[2] = terms(wallet, program.zone, lot[0], day)[1]
                purse.latest = max(purse.latest, lot[2])


def _judge(program: Program, joined: int, row: DayRow, past: Past) -> tuple[list[Any], list[Award]]:
    """Step over a row; set its points and return the carry after it with what changed for each rule."""
    version, carry = program.ready(row.carry, row.day, past)
    if not row.rows:
        changes = [(index, -points) for index, points in row.points.items()]
        row.points = {}
        return row.carry, [_award(version, index, row, carry, change, -change) for index, change in changes]
    vectors = list(row.rows.values())
    after, points = version.step(carry, periods(row.day), row.day, vectors, joined)
    was = row.points
    row.points = {index: given for index, given in enumerate(points) if given}
    changed = [index for index, given in enumerate(points) if given != was.get(index, 0)] if was else row.points
    return after, [
        _award(version, index, row, carry, points[index] - was.get(index, 0), was.get(index, 0)) for index in changed
    ]


def _award(version: Compiled, index: int, row: DayRow, carry: list[Any], change: int, was: int) -> Award:
    return Award(
        version.rule_ids[index],
        version.wallets[index],
        row.day,
        change,
        facts(version, index, carry, list(row.rows.values()), row.day, was),
    )


# anew: fold from the touched day on, lay all spendings over all lots again


@dataclass(slots=True)
class _Fold:
    """Rows by day while they are folded again, and which of them changed."""

    rows: dict[int, DayRow]
    changed: set[int] = field(default_factory=set)
    awards: list[Award] = field(default_factory=list)


def _anew(
    program: Program,
    near: Near,
    change: Change,
    purses: dict[str, Purse],
    days: dict[int, DayRow],
    receipts: Receipts,
    clock: int,
) -> tuple[Booking, list[Posting], list[Award]]:
    rows = dict(days)
    if near.last is not None:
        rows[near.last.day] = near.last
    work = _Fold(rows)
    spent = _apply(program, near, change, work)
    carry = near.carry
    if isinstance(change, Purchase | Return):
        carry = _refold(program, near, change, work, receipts)
    after = _all_purses(program, work.rows, clock)
    legs = []
    gained: dict[str, int] = {}
    for award in work.awards:
        gained[award.wallet] = gained.get(award.wallet, 0) + award.points
    if isinstance(change, Grant):
        gained[change.wallet] = change.points
    for key in sorted({*purses, *after}):
        legs += postings(
            key,
            purses.get(key, Purse()),
            after.setdefault(key, Purse()),
            gross=gained.get(key, 0),
            contra=_CONTRA[type(change)],
            spent=spent if isinstance(change, Spending) and key == change.wallet else 0,
            to=change.to if isinstance(change, Spending) else "spent",
        )
    return _settle(near, work, carry, after, days), legs, work.awards


def _apply(program: Program, near: Near, change: Change, work: _Fold) -> int:
    """Change the facts of the day; return the points that were spent by it."""
    row = work.rows[change.day].copy() if change.day in work.rows else DayRow(change.day, _before(program, near, work, change.day))
    work.rows[change.day] = row
    work.changed.add(change.day)
    match change:
        case Spending():
            row.spent.append((change.at, change.wallet, change.points))
            return change.points
        case Grant():
            row.granted[change.wallet] = row.granted.get(change.wallet, 0) + change.points
        case Purchase():
            row.rows[change.key] = program.on(change.day).reader.vector(change.receipt, {})
        case Return():
            vector = program.on(change.day).reader.vector(change.receipt, change.returned)
            if any(vector) or not _all_back(change.receipt, change.returned):
                row.rows[change.key] = vector
            else:
                row.rows.pop(change.key, None)
    return 0


def _all_back(receipt: Receipt, returned: Returned) -> bool:
    return all(returned.get(line.line_id, 0) == line.quantity for line in receipt.lines)


def _before(program: Program, near: Near, work: _Fold, day: int) -> list[Any]:
    """Return the carry before a day that had no row: what the next row began with."""
    later = [other for other in work.rows if other > day]
    if later:
        first = work.rows[min(later)].carry
        return first if len(later) < len(work.rows) else program.start(day)
    return near.carry or program.start(day)


def _refold(program: Program, near: Near, change: Change, work: _Fold, receipts: Receipts) -> list[Any]:
    """Fold from the touched day until a carry comes out as it was; return the carry after the last day."""
    past = _past(program, work, change, receipts)
    carry: list[Any] | None = None
    for day in sorted(each for each in work.rows if each >= change.day):
        row = work.rows[day]
        if carry is not None:
            if row.carry == carry:
                return near.carry
            row = work.rows[day] = row.copy()
            row.carry = carry
            work.changed.add(day)
        carry, awards = _judge(program, near.joined, row, past)
        work.awards += awards
        if row.empty():
            del work.rows[day]
    assert carry is not None
    return carry


def _past(program: Program, work: _Fold, change: Change, receipts: Receipts) -> Past:
    """Return earlier days as a cut may need them, as they are now."""

    def known() -> Iterable[PastDay]:
        by_day: dict[int, list[tuple[Receipt, Returned]]] = {}
        for receipt, returned in _with(receipts, change):
            by_day.setdefault(receipt.day, []).append((receipt, returned))
        for day in sorted({*by_day, *work.rows}):
            row = work.rows.get(day)
            names = program.on(day).rule_ids
            points = {names[index]: given for index, given in row.points.items()} if row is not None else {}
            yield PastDay(day, points, by_day.get(day, []))

    return known


def _with(receipts: Receipts, change: Change) -> Receipts:
    """Return the receipts with the change applied."""
    if isinstance(change, Purchase):
        return [*receipts, (change.receipt, {})]
    if isinstance(change, Return):
        mine = (change.receipt.store_id, change.receipt.receipt_id)
        return [
            (receipt, change.returned if (receipt.store_id, receipt.receipt_id) == mine else returned)
            for receipt, returned in receipts
        ]
    return receipts


def _all_purses(program: Program, rows: dict[int, DayRow], until: int) -> dict[str, Purse]:
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


def _settle(
    near: Near, work: _Fold, carry: list[Any], purses: dict[str, Purse], known: dict[int, DayRow]
) -> Booking:
    """Put the last row into the near state again, and say which other rows to write or delete."""
    last_day = max(work.rows, default=0)
    touched = set(work.changed)
    if near.last is not None and near.last.day != last_day:
        touched.add(near.last.day)
    days: dict[int, DayRow | None] = {day: work.rows.get(day) for day in touched if day != last_day}
    if last_day in known:
        days[last_day] = None
    return Booking(Near(near.joined, 0, work.rows.get(last_day), carry, purses), days, [])


def fold_until(program: Program, rows: dict[int, DayRow], at: int) -> dict[str, Purse]:
    """Return the purses at any instant, from all rows of the owner; lots of later days are not there yet."""
    today = moment(at, program.zone).toordinal()
    lots, spendings = ledger_facts(program, rows)
    return {
        key: fold([lot for lot in lots.get(key, ()) if lot.day <= today], spendings.get(key, ()), at)
        for key in {*lots, *spendings}
    }


