"""Rings drawn purchases up: the engine decides each as it arrives, and its discounts are facts ever after.

What tills have taken off before stays; what was drawn as ours is decided anew, and
the receipt is paid by the same tenders.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from rewards.basket import paid, payable
from rewards.engine.program import Program
from rewards.engine.reference import Versions
from rewards.ledger import timeline
from rewards.money import webster
from rewards.receipt import Receipt, Tender
from tests.engine_adapter import EngineOutcome
from tests.strategies.histories import Event, Purchase


def rung_up(versions: Versions, joined: int | None, arrived: Sequence[Event]) -> list[Event]:
    """Return the events, each purchase as it was decided in this order of arrival."""
    outcome = EngineOutcome(Program(versions), timeline.open_near(joined or 0))
    found: list[Event] = []
    for event in arrived:
        found.append(Purchase(at_the_till(outcome, event.receipt)) if isinstance(event, Purchase) else event)
        outcome.take(found[-1])
    return found


def at_the_till(outcome: EngineOutcome, receipt: Receipt) -> Receipt:
    """Return the receipt as the till would record it, as things stand."""
    return settled(outcome.decided(undecided(receipt)).receipt, receipt)


def undecided(receipt: Receipt) -> Receipt:
    """Return the receipt without discounts of ours and without tenders."""
    lines = tuple(
        msgspec.structs.replace(line, offers_minor=0, net_minor=line.net_minor + line.offers_minor, tenders_minor=())
        for line in receipt.lines
    )
    return msgspec.structs.replace(receipt, lines=lines, tenders=(), discounts=())


def settled(receipt: Receipt, before: Receipt) -> Receipt:
    """Return the receipt paid by the tenders that `before` had, in about the same parts."""
    due = sum(map(payable, receipt.lines))
    weights = [tender.amount_minor for tender in before.tenders]
    amounts = webster(due, weights if any(weights) else [1 for _ in weights]) if weights else []
    tenders = tuple(Tender(old.kind, amount) for old, amount in zip(before.tenders, amounts, strict=True))
    return paid(msgspec.structs.replace(receipt, tenders=tenders))
