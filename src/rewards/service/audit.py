"""Verify and rebuild: every timeline folded anew from its events.

The states are a cache; the events and entries are the truth, and each entry
carries the hash of the one before. What does not live here: the fold itself
(`ledger.timeline`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import msgspec

from rewards.ledger.gift_cards import encode_card
from rewards.ledger.lots import Purse
from rewards.ledger.timeline import DayRow, Near, decode_day, encode, fold_until, open_near
from rewards.receipt import Returned
from rewards.service import allowance, card_audit, claims, hold_audit, lacking, merging, rule_cards
from rewards.service.batch import Batch
from rewards.service.budgets import Tally
from rewards.service.folding import Whole, folded
from rewards.service.journal import (
    Row,
    Timeline,
    entry_hash,
    read_receipt,
    read_return,
    read_state,
    read_use,
    recorded_first,
    total,
)
from rewards.service.running import Running
from rewards.store import statements

_PAGE = 500
_FIRST = -(2**63)  # budgets have owners below zero


def verify(batch: Batch) -> list[str]:
    """Return what is wrong, one sentence for each fault, by owner; nothing is written."""
    found, tally, alone = [], Tally(batch.running), allowance.Counted(batch)
    for whole in _owners(batch):
        for row in whole.events:
            alone.take(row)
        found += [f"{tally.name(whole.line.owner)}: {fault}" for fault in _faults(batch, whole, tally)]
    return [*found, *tally.faults(), *alone.faults()]


def rebuild(batch: Batch) -> int:
    """Replace every state by the one that the events give; return how many owners there are."""
    count, alone = 0, allowance.Counted(batch)
    for whole in _owners(batch):
        for row in whole.events:
            alone.take(row)
        near, days = folded(batch, whole)
        card = card_audit.fold(whole.events) if whole.line.kind == "card" else None
        near_state = encode(near) if card is None else encode_card(card)
        head = whole.entries[-1][10] if whole.entries else b""
        owner = whole.line.owner
        state = (len(whole.events), len(whole.entries), head, near_state, owner)
        batch.session.write(statements.SAVE_NEAR, [state])
        batch.session.write(statements.DROP_DAYS, [(owner,)])
        batch.session.write(statements.ADD_DAY, [(owner, day, encode(row)) for day, row in days.items()])
        count += 1
    alone.replace()
    return count


def _owners(batch: Batch) -> Iterator[Whole]:
    above = _FIRST
    while page := [owner for (owner,) in batch.session.rows(statements.OWNER_PAGE, (above, _PAGE, 0))]:
        above = page[-1]
        keys = [(owner,) for owner in page]
        read = batch.session.keyed
        wholes = {row[0]: Whole(Timeline.read(row)) for row in read(statements.TIMELINES, keys)}
        for owner in page:
            if owner not in wholes:
                near = open_near(0)
                wholes[owner] = Whole(
                    Timeline(owner, "member" if owner > 0 else "budget", "active", None, -1, -1, b"", near)
                )
        for row in read(statements.EVENTS_OF_OWNER, keys):
            wholes[row[0]].events.append(row)
        for row in read(statements.ENTRIES_OF_OWNER, keys):
            wholes[row[0]].entries.append(row)
        for row in read(statements.POSTINGS_OF_OWNER, keys):
            wholes[row[0]].postings.append(row)
        for owner, day, state in read(statements.DAYS, keys):
            wholes[owner].days[day] = decode_day(state)
        for whole in wholes.values():
            whole.events.sort(key=lambda row: int(row[1]))
            whole.entries.sort(key=lambda row: int(row[1]))
        yield from wholes.values()


def _faults(batch: Batch, whole: Whole, tally: Tally) -> Iterator[str]:
    yield from _numbers(whole)
    yield from _chain(whole)
    yield from _sums(whole)
    yield from _routes(batch, whole)
    try:
        yield from _cards(batch, whole)
        yield from _is_in_state(whole)
        yield from claims.faults(batch, whole.line, whole.events)
        yield from hold_audit.faults(batch, whole.line, whole.events)
        yield from merging.faults(batch, whole.line, whole.events)
        if whole.line.kind != "budget":
            yield from lacking.faults(whole.events, whole.entries, whole.postings, merging.carried_here(whole.events))
        near, days = folded(batch, whole)
        _count(whole, tally)
    except Exception as error:  # noqa: BLE001  whatever a damaged event brings about is a finding
        yield f"its events cannot be folded: {error!r}"
        return
    yield from _states(batch.running, whole, near, days)


def _numbers(whole: Whole) -> Iterator[str]:
    line = whole.line
    for word, rows, count in (("events", whole.events, line.events), ("entries", whole.entries, line.entries)):
        found = [row[1] for row in rows]
        if found != list(range(1, len(found) + 1)):
            yield f"its {word} have gaps in their numbers"
        if len(found) != count:
            yield f"it has {len(found)} {word}, its state counts {count}"


def _chain(whole: Whole) -> Iterator[str]:
    legs: defaultdict[int, list[Row]] = defaultdict(list)
    for row in sorted(whole.postings, key=lambda row: row[:3]):
        legs[row[1]].append(row)
    head = b""
    for row in whole.entries:
        if row[9] != head or entry_hash(row[:10], legs.pop(row[1], [])) != row[10]:
            yield f"entry {row[1]} breaks the chain of hashes"
        head = row[10]
    if legs:
        yield f"{len(legs)} entries are missing that have postings"
    if head != whole.line.head:
        yield "its state's last hash is another than its last entry's"


def _sums(whole: Whole) -> Iterator[str]:
    sums: defaultdict[tuple[int, str], int] = defaultdict(int)
    for _, number, _, _, unit, amount, *_ in whole.postings:
        sums[number, unit] += amount
    for (number, unit), left in sums.items():
        if left:
            yield f"entry {number} does not balance: {left} {unit} are left"


def _routes(batch: Batch, whole: Whole) -> Iterator[str]:
    came = merging.carried_here(whole.events)
    named = [row for row in whole.events if row[2] == "purchase" or (row[2] == "return" and row[1] not in came)]
    batch.receipts.foresee([(row[7], row[3], row[2]) for row in named])
    for row in named:
        route = batch.receipts.get(row[7], row[3], row[2])
        if route is None or route[:2] != _place(whole, row):
            yield f"event {row[1]}: its number `{row[3]}` of store `{row[7]}` does not lead to it"


def _place(whole: Whole, row: Row) -> tuple[int, int]:
    """Return where an event happened; what a budget has is seen from the buyer's timeline."""
    if row[2] == "purchase" and whole.line.kind == "member":
        try:
            return recorded_first(row[0], row[1], read_receipt(row[11]))
        except msgspec.MsgspecError:  # told as a damaged event too
            return row[0], row[1]
    if whole.line.kind != "budget":
        return row[0], row[1]
    try:
        use = read_use(row[11])
    except msgspec.MsgspecError:  # told as a damaged event too
        return 0, 0
    return use.owner, use.number


def _is_in_state(whole: Whole) -> Iterator[str]:
    """Yield a member's state that no event brought about."""
    if whole.line.kind == "member" and whole.line.events > 0:
        states = [state for row in whole.events if row[2] == "change" and (state := read_state(row[11]))]
        states += ["merged"] if merging.ended(whole.events) else []
        if whole.line.state != [*_BEGINNING, *states][-1]:
            yield f"it is {whole.line.state}, and its events say {[*_BEGINNING, *states][-1]}"


_BEGINNING = ("active",)


def _count(whole: Whole, tally: Tally) -> None:
    """Count what a budget says was drawn, or what a buyer's receipts drew."""
    if whole.line.kind == "budget":
        tally.of_budget(whole.line.owner, whole.line.near.drawn)
        return
    if not tally.running.budgets or whole.line.state == "merged":
        return
    back: defaultdict[int, list[Returned]] = defaultdict(list)
    for row in whole.events:
        if row[2] == "return" and row[4] is not None:
            back[row[4]].append(read_return(row[11]))
    claimed = whole.line.kind == "guest" and claims.is_claimed(whole.events)
    for row in whole.events:
        if row[2] == "purchase" and not claimed:
            tally.of_receipt(read_receipt(row[11]), total(back[row[1]]))


def _cards(batch: Batch, whole: Whole) -> Iterator[str]:
    """Yield what is wrong with a gift card, or with the vouchers of purchases."""
    if whole.line.kind == "card":
        yield from card_audit.faults(batch, whole.line, whole.events, whole.postings)
        return
    if whole.line.kind == "member" and batch.running.has_gift_cards:
        yield from card_audit.ungiven(batch, whole.line, whole.events)
        yield from rule_cards.faults(batch, whole.line, whole.entries)
    sold = whole.events if batch.running.has_gift_cards and whole.line.kind != "budget" else ()
    for row in sold:
        if row[2] == "purchase":
            yield from card_audit.unredeemed(batch, row[:2], row)


def _states(running: Running, whole: Whole, near: Near, days: dict[int, DayRow]) -> Iterator[str]:
    stored = whole.line.near
    if stored != near:
        yield "its state is not what its events give"
    if whole.days != days:
        yield "its days are not what its events give"
    granted = sum(row[5] for row in whole.postings if row[3] == "granted")
    if granted != sum(minor for _, _, minor in near.drawn.values()):
        yield "its postings do not add up to what was drawn"
    if running.program is None or not whole.entries or whole.line.kind == "card":
        return
    rows = dict(days)
    if near.last is not None:
        rows[near.last.day] = near.last
    facts = fold_until(running.program, rows, near.clock)
    if _open(facts) != _open(near.purses):
        yield "its lots and debts are not what its days give"
    if _booked(whole.postings) != _open(near.purses):
        yield "its postings do not add up to its lots and debts"
    if sum(row[5] for row in whole.postings if row[3] == "held") != sum(hold.points for hold in near.holds.values()):
        yield "its postings do not add up to what is held"


def _open(purses: dict[str, Purse]) -> dict[tuple[str, int], int]:
    """Return points by wallet and lot's day, debts under day 0."""
    found = {(key, lot[0]): lot[3] for key, purse in purses.items() for lot in purse.open if lot[3]}
    found.update({(key, 0): -purse.debt for key, purse in purses.items() if purse.debt})
    return found


def _booked(postings: Sequence[Row]) -> dict[tuple[str, int], int]:
    sums: defaultdict[tuple[str, int], int] = defaultdict(int)
    for _, _, _, account, unit, amount, day, _, _ in postings:
        if account == "lot":
            sums[unit, day or 0] += amount
        elif account == "debt":
            sums[unit, 0] += amount
    return {key: amount for key, amount in sums.items() if amount}
