"""The reference and the engine behind one interface, so that every law is asked of both.

A *run* takes versions, the day a member joined and events in their order of
arrival. `Outcome` then answers what each day earned, which lots there are,
what stands in each wallet at an instant, and which uses of offers count.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from rewards.days import moment
from rewards.engine import reference, reference_lots
from rewards.engine.program import Program
from rewards.engine.reference import Facts, History, Points, Versions
from rewards.engine.till import Buyer, Decision, decide
from rewards.ledger import timeline
from rewards.ledger.entries import Entry
from rewards.ledger.lots import NEVER, Lot, Purse
from rewards.ledger.purses import ledger_facts
from rewards.receipt import Receipt
from tests.strategies.histories import (
    Activity,
    Event,
    Grant,
    Purchase,
    Return,
    Spending,
    Telling,
    facts_of,
    was_referred,
)

Figures = tuple[int, int, int, tuple[tuple[int, int, int | None], ...]]  # available, pending, debt, lots
Uses = dict[str, list[tuple[str, int, int, int]]]  # by offer: (receipt, day, units, minor units)


class Outcome(Protocol):
    def earned(self) -> Points: ...

    def lots(self) -> dict[str, list[reference_lots.Lot]]: ...

    def balance(self, at: int) -> dict[str, Figures]: ...

    def uses(self) -> Uses: ...


def everything(outcome: Outcome, instants: Sequence[int]) -> tuple[object, ...]:
    """What there is to compare of an outcome: points by rule and day, lots, uses, and balances at the instants."""
    balances = [outcome.balance(at) for at in instants]
    return outcome.earned(), outcome.lots(), outcome.uses(), balances


Run = Callable[[Versions, int | None, Sequence[Event]], Outcome]


@dataclass
class ReferenceOutcome:
    versions: Versions
    facts: Facts

    def __post_init__(self) -> None:
        self._lots = reference_lots.lots(self.versions, self.facts)

    def earned(self) -> Points:
        return reference.earned(self.versions, self.facts)

    def lots(self) -> dict[str, list[reference_lots.Lot]]:
        return self._lots

    def full_balance(self, at: int) -> dict[str, reference_lots.Balance]:
        return reference_lots.balance_of(self.versions, self.facts, self._lots, at)

    def balance(self, at: int) -> dict[str, Figures]:
        return _without_nothing(
            {wallet: (b.available, b.pending, b.debt, tuple(b.lots)) for wallet, b in self.full_balance(at).items()}
        )

    def uses(self) -> Uses:
        """Count, of offers with a limit beyond the receipt, what purchases recorded, unless all of one came back."""
        history, found = History(self.versions, self.facts), Uses()
        for receipt, returned in self.facts.purchases:
            kept = any(line.quantity > returned.get(line.line_id, 0) for line in receipt.lines)
            for one in receipt.discounts if kept else ():
                offer = history.policy(receipt.day).offers.get(one.offer)
                if offer is not None and {limit.per for limit in offer.limits} - {"receipt"}:
                    use = (receipt.receipt_id, receipt.day, one.units, one.amount_minor)
                    found.setdefault(one.offer, []).append(use)
        return {name: sorted(known) for name, known in found.items()}


def run_reference(versions: Versions, joined: int | None, events: Sequence[Event]) -> ReferenceOutcome:
    return ReferenceOutcome(versions, facts_of(joined, events))


@dataclass
class EngineOutcome:
    """An owner's timeline in memory: the near state, the rows, the receipts and every entry so far."""

    program: Program
    near: timeline.Near
    rows: dict[int, timeline.DayRow] = field(default_factory=dict)
    receipts: dict[str, tuple[int, Receipt, dict[str, int]]] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    taken: int = 0

    def take(self, event: Event) -> None:
        """Book an event as the service does: give the timeline what it says it needs, no more; keep what it answers."""
        self.taken += 1
        self.book(self._change(event))

    def book(self, change: timeline.Change) -> None:
        """Book a change of facts."""
        need = timeline.needs(self.program, self.near, change)
        near = timeline.decode_near(timeline.encode(self.near))
        booking = timeline.book(self.program, near, change, *self._needed(need))
        self.near = booking.near
        for day, row in booking.days.items():
            if row is None:
                self.rows.pop(day, None)
            else:
                self.rows[day] = row
        self.entries += booking.entries
        match change:
            case timeline.Purchase(key, receipt):
                self.receipts[receipt.receipt_id] = (key, receipt, {})
            case timeline.Return(key, receipt, returned, _):
                self.receipts[receipt.receipt_id] = (key, receipt, dict(returned))

    def _needed(self, need: str) -> tuple[dict[int, timeline.DayRow] | None, list[tuple[Receipt, dict[str, int]]]]:
        days = {day: timeline.decode_day(timeline.encode(row)) for day, row in self.rows.items()} if need else None
        kept = self.receipts.values() if need == "receipts" else ()
        return days, [(receipt, dict(back)) for _, receipt, back in kept]

    def decided(self, receipt: Receipt) -> Decision:
        """Decide a receipt's offers as the till does, as things stand here; nothing is booked."""
        version = self.program.on(receipt.day)
        if version.offers is None or not self.near.joined:
            return decide(version, receipt, None)
        change = timeline.Purchase(len(self.receipts) + 1, receipt)
        needed = self._needed(timeline.needs(self.program, self.near, change))
        return decide(version, receipt, Buyer(timeline.scene(self.program, self.near, change, *needed), self.near.uses))

    def _change(self, event: Event) -> timeline.Change:
        match event:
            case Purchase(receipt):
                return timeline.Purchase(self.taken, receipt)
            case Return(at, receipt_id, units):
                key, receipt, back = self.receipts[receipt_id]
                total = {line: back.get(line, 0) + units.get(line, 0) for line in {**back, **units}}
                return timeline.Return(key, receipt, total, at)
            case Spending(at, wallet, points):
                return timeline.Spending(at, moment(at, self.program.zone).toordinal(), wallet, points)
            case Grant(at, day, wallet, points):
                return timeline.Grant(at, day, wallet, points)
            case Telling(at, from_day, born, attributes):
                return timeline.Telling(at, timeline.Told(from_day, born, attributes))
            case Activity(at, day, name):
                return timeline.Activity(self.taken, name, at, day)

    def all_rows(self) -> dict[int, timeline.DayRow]:
        last = self.near.last
        return {**self.rows, **({last.day: last} if last else {})}

    def earned(self) -> Points:
        found = {}
        for day, row in self.all_rows().items():
            names = self.program.on(day).rule_ids
            if row.points:
                found[day] = {names[index]: points for index, points in row.points.items()}
        return found

    def awarded(self) -> Points:
        """Return the same as `earned`, summed from what entries say they awarded."""
        found: Points = {}
        for entry in self.entries:
            for award in entry.awards:
                day = found.setdefault(award.day, {})
                day[award.rule] = day.get(award.rule, 0) + award.points
        return {day: kept for day, points in found.items() if (kept := {rule: n for rule, n in points.items() if n})}

    def lots(self) -> dict[str, list[reference_lots.Lot]]:
        held, _ = ledger_facts(self.program, self.all_rows())
        return {wallet: [_lot(lot) for lot in found] for wallet, found in held.items() if found}

    def balance(self, at: int) -> dict[str, Figures]:
        return figures(timeline.fold_until(self.program, self.all_rows(), at), at)

    def uses(self) -> Uses:
        names = {key: name for name, (key, _, _) in self.receipts.items()}
        return {
            offer: sorted((names[key], day, units, minor) for key, day, units, minor in known)
            for offer, known in self.near.uses.items()
        }


def _lot(lot: Lot) -> reference_lots.Lot:
    return reference_lots.Lot(lot.day, lot.points, lot.available_at, _end(lot.expires_at))


def _end(at: int) -> int | None:
    return None if at >= NEVER else at


def figures(purses: dict[str, Purse], at: int) -> dict[str, Figures]:
    """Return purses, which stand at the instant `at`, as figures."""
    found = {}
    for wallet, purse in purses.items():
        ready = sum(lot[3] for lot in purse.open if lot[1] <= at)
        left = tuple(sorted((lot[0], lot[3], _end(lot[2])) for lot in purse.open))
        found[wallet] = (ready, sum(lot[3] for lot in purse.open) - ready, purse.debt, left)
    return _without_nothing(found)


def _without_nothing(found: dict[str, Figures]) -> dict[str, Figures]:
    return {wallet: figures for wallet, figures in found.items() if figures != (0, 0, 0, ())}


def run_engine(versions: Versions, joined: int | None, events: Sequence[Event]) -> EngineOutcome:
    return run_engine_with(versions, versions, joined, events, 0)


def run_engine_with(
    before: Versions, after: Versions, joined: int | None, events: Sequence[Event], published: int
) -> EngineOutcome:
    """Run with the versions of `before` for so many events, then with those of `after`."""
    outcome = EngineOutcome(Program(before), timeline.open_near(joined or 0, referrer=int(was_referred(joined))))
    for number, event in enumerate(events):
        if number == published:
            outcome.program = Program(after)
        outcome.take(event)
    outcome.program = Program(after)
    return outcome


RUNS: dict[str, Run] = {"reference": run_reference, "engine": run_engine}
