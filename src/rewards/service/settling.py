"""What a return settles for ever: points that last longer, and points gone for which money is kept.

What does not live here: how credits are booked (`ledger`), and the refund itself (`returns`).
"""

from __future__ import annotations

import msgspec

from rewards.ledger.lots import Purse
from rewards.ledger.settling import settlements
from rewards.ledger.timeline import Return, Settlement
from rewards.service.balances import day_of, purses
from rewards.service.batch import Batch
from rewards.service.journal import Timeline


def settled(batch: Batch, line: Timeline, change: Return, due_minor: int) -> Return:
    """Return the change with what is settled; `due_minor` is the money of its refund, none of it below zero.

    A point that is gone is worth what it buys at the till, else finance's estimate; the sum is floored. What the money
    does not cover, or what is worth nothing, stays a debt.
    """
    program = batch.running.ready()
    policy = batch.running.policy_on(change.receipt.day)
    found: dict[str, Settlement] = {}
    if any(tender.points for tender in change.receipt.tenders):
        found = {one.wallet: one for one in settlements(program, line.near, change, batch.days_of(line))}
    day = day_of(change.at, program.zone)
    if policy.returns.spent_points == "deduct_from_refund" and due_minor:
        clock = max(line.near.clock, change.at)
        before = purses(program, line.near, clock)
        after = batch.book(line, change.settling(tuple(found.values()), day)).near.purses
        for key in sorted(after):
            gone = after[key].debt - before.get(key, Purse()).debt
            value = policy.wallets[key].value if key in policy.wallets else None
            if gone > 0 and value is not None:
                points, minor = _covered(gone, value, due_minor)
                due_minor -= minor
                one = found.get(key, Settlement(key))
                found[key] = msgspec.structs.replace(one, deducted=points, deducted_minor=minor)
    rest = tuple(one for one in found.values() if one.moved or one.revived or one.deducted)
    return change.settling(rest, day) if rest else change


def _covered(points: int, value: tuple[int, int], due_minor: int) -> tuple[int, int]:
    """Return the points that the money due covers, and what they cost of it.

    >>> _covered(500, (500, 1000), 2000), _covered(500, (500, 1000), 300), _covered(1, (500, 1000), 0)
    ((500, 1000), (150, 300), (0, 0))
    """
    many, minor = value
    points = min(points, due_minor * many // minor)
    return points, points * minor // many
