"""`rewards publish`: a new version of the policy.

What does not live here: when a version may begin (`rewards.service`).
"""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import msgspec

from rewards.cli.database import service
from rewards.errors import InvalidRequest
from rewards.policy.compile import compile_policy
from rewards.policy.problems import render_text
from rewards.service.answers import VersionAnswer
from rewards.service.commands import Publish


def run(file: str, from_day: str | None, database: str | None) -> int:
    """Publish the file; print its problems instead if it has errors."""
    day = _day(from_day) if from_day else None
    data = Path(file).read_bytes()
    policy, problems = compile_policy(data, file)
    if policy is None:
        sys.stdout.write(render_text([one for one in problems if one.severity == "error"], {file: data}) + "\n")
        return 1
    with service(database) as opened:
        outcome = opened.do(Publish(data, day, file))
    version = msgspec.json.decode(outcome.body, type=VersionAnswer)
    state = "in force now" if version.in_force else f"in force from {version.effective}"
    again = ", as it was already" if outcome.replayed else ""
    sys.stdout.write(f"published {file} as {version.policy_version[:19]}…, {state}{again}\n")
    return 0


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(
            "bad-setting", f"`--from {text}` is not a date; write year, month and day: `2027-01-01`"
        ) from None
