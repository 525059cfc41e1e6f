"""Which units of a purchase a return claims, and whether they can come back.

What does not live here: recording the return (`returns`), and what it pays back (`refunds`).
"""

from __future__ import annotations

from rewards.errors import Conflict, InvalidRequest, RewardsError
from rewards.receipt import Receipt, Returned
from rewards.service.commands import RecordReturn


def claimed(command: RecordReturn, receipt: Receipt, before: Returned) -> Returned:
    """Return the units that a return claims; raise what refuses it."""
    left = {line.line_id: line.quantity - before.get(line.line_id, 0) for line in receipt.lines}
    if command.all:
        units = {line: rest for line, rest in left.items() if rest}
        if not units:
            raise Conflict("return-exceeds", "nothing of this purchase is left to return", pointer="/all")
        return units
    for i, wanted in enumerate(command.lines):
        if wanted.line_id not in left:
            raise InvalidRequest(
                "unknown-line", f"the purchase has no line `{wanted.line_id}`", pointer=f"/lines/{i}/line_id"
            )
        if wanted.quantity > left[wanted.line_id]:
            raise Conflict(
                "return-exceeds",
                f"{left[wanted.line_id]} of line `{wanted.line_id}` are left to return, not {wanted.quantity}",
                pointer=f"/lines/{i}/quantity",
                returnable=left[wanted.line_id],
            )
    return {line.line_id: line.quantity for line in command.lines}


def fitting(command: RecordReturn, receipt: Receipt, before: Returned) -> Returned:
    """Return the same, or nothing where that would be refused."""
    try:
        return claimed(command, receipt, before)
    except RewardsError:
        return {}
