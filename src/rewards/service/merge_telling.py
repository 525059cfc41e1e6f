"""How a merge is told on the statements of both members.

What does not live here: what one history gives more or less, which awards tell (`telling`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rewards.ledger.entries import Posting
from rewards.ledger.merging import MOVED
from rewards.service.answers import Change
from rewards.service.batch import Batch
from rewards.service.journal import read_merge, read_merged
from rewards.service.places import ENDED
from rewards.service.tongue import Tongue, marked


def merge_told(
    batch: Batch, event: tuple[Any, ...], legs: Sequence[Posting], note: str, tongue: Tongue | None
) -> tuple[dict[str, str], list[Change]]:
    """Tell of a merge which other member it was, and what came from there or went there."""
    came = event[1] != ENDED
    other = read_merge(event[9]).owner if came else read_merged(event[9]).owner
    words = marked("came with another card of yours") if came else marked("went to another card of yours")
    said = words if tongue is None else tongue.say(words)
    facts = {"member_id": batch.running.ids.member(other), "reason": note, "actor": event[7]}
    return facts, [Change(wallet, points, said) for wallet, points in moved(legs).items() if points]


def moved(legs: Sequence[Posting]) -> dict[str, int]:
    """Return by wallet the points less debts that came by an entry of a merge, or below zero went."""
    found: dict[str, int] = {}
    for leg in legs:
        if leg.account == MOVED:
            found[leg.wallet] = found.get(leg.wallet, 0) - leg.points
    return found
