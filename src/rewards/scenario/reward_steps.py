"""Steps of a story about rewards outside a basket: `redeem` and `cancel`.

What does not live here: all other steps (`steps`).
"""

from __future__ import annotations

from datetime import datetime

from rewards.basket import MemberRef
from rewards.policy.shape import Got, Table
from rewards.scenario.names import Known
from rewards.scenario.story import Action, Spend, TakeBack
from rewards.service.commands import Redeem


def of_rewards(known: Known, got: Got, at: datetime, number: int) -> tuple[Action | None, str | None]:
    """Return what a step asks for, and whose points it is about; None after a fault was reported.

    `number` is the step's, from which a redemption without a name gets one.
    """
    if isinstance(got.value, Table):
        return _redeem(known, got.value, at, number)
    if got.value in known.redemptions:
        return TakeBack(got.value), known.redemptions[got.value]
    known.miss("redemption", got.value, got.span, list(known.redemptions))
    return None, None


def _redeem(known: Known, table: Table, at: datetime, number: int) -> tuple[Action | None, str | None]:
    member, points = table.got["member"], table.get("points")
    if member.value not in known.members:
        known.miss("member", member.value, member.span, list(known.members))
        return None, None
    command = Redeem(
        member=MemberRef(external_id=member.value),
        reward=table.value("reward"),
        times=table.value("times", 1),
        points=points.value.points if points is not None else None,
        occurred_at=at,
    )
    return Spend(command, redemption_in(table, number), table.value("card", "")), member.value


def redemption_in(table: Table, number: int) -> str:
    """Return the name of a redemption, which is the story's or made of the step's number."""
    name: str = table.value("id", f"redemption-{number}")
    return name
