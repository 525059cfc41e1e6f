"""Steps about holds: a map that was read -> the command that it sends.

What does not live here: all other steps (`steps`), and which keys they have (`vocabulary`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rewards.basket import BasketTender, MemberRef
from rewards.policy.shape import Got, Table
from rewards.scenario.story import Action, Hold
from rewards.service.commands import CaptureHold, OpenHold, VoidHold

if TYPE_CHECKING:
    from rewards.scenario.names import Known

Read = tuple[Action | None, str | None]  # with the member whose balance is looked at


def holds_in(tables: Iterable[Table]) -> dict[str, str | None]:
    """Return the holds of a story by name, each with its member."""
    found = [got.value for table in tables if (got := table.get("hold"))]
    return {hold.value("id"): hold.value("member") for hold in found}


def hold_step(known: Known, verb: str, table: Table) -> Read:
    """Return what a step about a hold sends, or None after a fault was reported."""
    if verb == "hold":
        return _begun(known, table)
    name = table.got["hold"]
    if not _is_known(known, name):
        return None, None
    owner, points = known.holds[name.value], table.value("points")
    if verb == "void":
        return VoidHold(hold_id=name.value), owner
    taken = CaptureHold(
        hold_id=name.value, points=points.points if points else None, amount_minor=table.value("amount")
    )
    return taken, owner


def _begun(known: Known, table: Table) -> Read:
    name, points = table.value("id"), table.value("points")
    kinds = {"points": "points", "reward": "reward", "card": "gift_card", "voucher": "code"}
    kind = next(kind for key, kind in kinds.items() if table.has(key))
    for key, what, names in (("member", "member", set(known.members)), ("card", "gift card", known.cards)):
        got = table.get(key if key != "card" or table.has("card") else "voucher")
        if got is not None and got.value not in names:
            known.miss(what, got.value, got.span, names)
            return None, None
    owner = table.value("member")
    command = OpenHold(
        hold_id=name,
        kind=kind,  # type: ignore[arg-type]
        member=MemberRef(external_id=owner) if owner else None,
        wallet=points.wallet if points else "",
        points=points.points if points else None,
        amount_minor=table.value("amount"),
        reward=table.value("reward", ""),
        times=table.value("times"),
        expires_in_seconds=table.value("seconds", 900),
    )
    return Hold(command, table.value("card", table.value("voucher", ""))), owner


def by_hold(known: Known, got: Got, beside: Table) -> BasketTender | None:
    """Return a tender out of a hold; one of a reward or a voucher pays no amount."""
    if not _is_known(known, got):
        return None
    amount = beside.value("amount")
    return BasketTender(kind="hold", hold_id=got.value, amount_minor=amount if isinstance(amount, int) else None)


def _is_known(known: Known, got: Got) -> bool:
    if got.value in known.holds:
        return True
    known.miss("hold", got.value, got.span, set(known.holds))
    return False
