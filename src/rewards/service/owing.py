"""Gift cards that a batch owes to members: what its events changed of those that rules give, and codes to tell.

What does not live here: issuing and voiding them (`rule_cards`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from rewards.ledger.entries import Award, Entry
from rewards.service.journal import Happened, Timeline


class Owed(NamedTuple):
    """What an event of a member, by its number, changed of cards: awards of no wallet."""

    line: Timeline
    number: int
    happened: Happened
    awards: list[Award]


@dataclass(slots=True)
class Owing:
    """What is still to be issued or voided, in the order of events."""

    gives_cards: bool  # whether a rule of the program does
    events: list[Owed] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)  # of cards that were issued, by id; kept nowhere
    kept_minor: int = 0  # what the return in hand keeps off its refund for what was spent of cards

    def note(self, line: Timeline, happened: Happened, entries: Iterable[Entry]) -> None:
        """Take note of an event that is about to be recorded as the timeline's next."""
        if self.gives_cards:
            awards = [award for entry in entries for award in entry.awards if not award.wallet and award.facts]
            if awards:
                self.events.append(Owed(line, line.events + 1, happened, awards))
