"""What an answer says of something that was recorded all the same.

What does not live here: what is odd about it (`offline` and the modules beside it).
"""

from __future__ import annotations

from rewards.errors import RewardsError

Warnings = list[dict[str, object]]


def warning(code: str, detail: str, pointer: str, **facts: object) -> dict[str, object]:
    """Return a warning: its stable code, what it says, and where in the event."""
    return {"code": code, "detail": detail, "pointer": pointer, **facts}


def of_refusal(refusal: RewardsError, instead: str, **facts: object) -> dict[str, object]:
    """Return the warning of what would have been refused, and say what was done instead."""
    return warning(refusal.code, f"{refusal.message}: {instead}", refusal.pointer, **{**refusal.facts, **facts})
