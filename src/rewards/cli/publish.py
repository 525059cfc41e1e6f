"""`rewards publish`: a new version of the policy.

What does not live here: what must pass first (`rewards.scenario.gate`), and
when a version may begin (`rewards.service`).
"""

from __future__ import annotations

import sys
from datetime import date

import msgspec

from rewards.cli.database import service
from rewards.cli.stories import sound
from rewards.errors import InvalidRequest
from rewards.service.answers import VersionAnswer
from rewards.service.commands import Publish


def run(file: str, from_day: str | None, database: str | None) -> int:
    """Publish the file; print its faults, or those of the stories beside it, instead if there are any."""
    day = _day(from_day) if from_day else None
    data, played = sound(file)
    with service(database) as opened:
        outcome = opened.do(Publish(data, day, file))
    version = msgspec.json.decode(outcome.body, type=VersionAnswer)
    state = "in force now" if version.in_force else f"in force from {version.effective}"
    again = ", as it was already" if outcome.replayed else ""
    sys.stdout.write(f"{played}\n")
    sys.stdout.write(f"published {file} as {version.policy_version[:19]}…, {state}{again}\n")
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(
            "bad-setting", f"`--from {text}` is not a date; write year, month and day: `2027-01-01`"
        ) from None
