"""The rows that a batch adds to timelines, kept in the order in which they came.

What does not live here: what they hold and how they are read (`journal`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rewards.engine.program import ENGINE_VERSION
from rewards.ledger.entries import Entry
from rewards.ledger.lots import NEVER
from rewards.service.journal import Happened, Row, Timeline, entry_hash, pack
from rewards.store import statements
from rewards.store.database import Session


@dataclass(slots=True)
class Rows:
    """Rows that a batch will add."""

    events: list[Row] = field(default_factory=list)
    answers: list[Row] = field(default_factory=list)
    entries: list[Row] = field(default_factory=list)
    postings: list[Row] = field(default_factory=list)

    def record(self, line: Timeline, happened: Happened, entries: Sequence[Entry]) -> int:
        """Add an event and its entries to the end of a timeline; return the event's number."""
        line.events += 1
        line.touched = True
        self.events.append(
            (
                line.owner,
                line.events,
                happened.kind,
                happened.external_id,
                happened.of_number,
                happened.occurred_at,
                happened.recorded_at,
                happened.store_id,
                happened.till_id,
                happened.operator_id,
                happened.fingerprint,
                pack(happened.body),
            )
        )
        for entry in entries:
            self._book(line, entry, happened.recorded_at)
        return line.events

    def _book(self, line: Timeline, entry: Entry, now: int) -> None:
        line.entries += 1
        number, owner = line.entries, line.owner
        legs = [
            (
                owner,
                number,
                at,
                leg.account,
                leg.wallet,
                leg.points,
                leg.day or None,
                leg.available_at or None,
                None if leg.expires_at == NEVER else leg.expires_at,
            )
            for at, leg in enumerate(entry.postings)
        ]
        row = (
            owner,
            number,
            line.events,
            entry.kind,
            entry.policy_version,
            str(ENGINE_VERSION),
            entry.occurred_at,
            now,
            pack(entry.awards),
            line.head,
        )
        line.head = entry_hash(row, legs)
        self.entries.append((*row, line.head))
        self.postings += legs

    def write(self, session: Session) -> None:
        """Write everything; answers and postings go under the ids of their events and entries."""
        if not (self.events or self.answers):
            return
        first = session.rows(statements.NEXT_EVENT)[0][0]
        ids = {row[:2]: id_ for id_, row in enumerate(self.events, first)}
        session.write(statements.ADD_EVENT, [(id_, *row) for id_, row in enumerate(self.events, first)])
        session.write(statements.ADD_ANSWER, [(ids[row[:2]], *row) for row in self.answers])
        first = session.rows(statements.NEXT_ENTRY)[0][0]
        events = [ids[row[0], row[2]] for row in self.entries]
        entries = enumerate(zip(events, self.entries, strict=True), first)
        session.write(statements.ADD_ENTRY, [(id_, event, *row) for id_, (event, row) in entries])
        ids = {row[:2]: id_ for id_, row in enumerate(self.entries, first)}
        session.write(statements.ADD_POSTING, [(ids[row[:2]], *row) for row in self.postings])
