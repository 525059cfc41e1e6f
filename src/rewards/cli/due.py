"""`rewards due`: what comes by itself, booked for every member.

What does not live here: what is due (`rewards.service.due`).
"""

from __future__ import annotations

import json
import sys
from datetime import datetime
from zoneinfo import ZoneInfo

from rewards.cli.database import service
from rewards.cli.screen import progress
from rewards.days import instant
from rewards.errors import InvalidRequest
from rewards.policy.compile import load_policy


def run(database: str | None, until: str | None, form: str) -> int:
    """Book, then print how many of each activity came."""
    with service(database, existing=True) as opened:
        at = None if until is None else _instant(until, load_policy(opened.policy()[0]).zone)
        with progress("booking what is due") as bar:
            counts = opened.due(at, bar)
    if form == "json":
        sys.stdout.write(json.dumps(counts, indent=2) + "\n")
    else:
        sys.stdout.write("".join(f"{name}: {count}\n" for name, count in counts.items()) or "nothing is due\n")
    return 0


def _instant(text: str, zone: ZoneInfo) -> int:
    """Return a local date (its midnight) or moment, or an instant with an offset, in microseconds."""
    try:
        moment = datetime.fromisoformat(text)
        return instant(moment if moment.tzinfo else moment.replace(tzinfo=zone))
    except (ValueError, OverflowError):
        message = f"`{text[:40]}` is not a date or an instant: write one such as `2027-03-01` or `2027-03-01T06:00`"
        raise InvalidRequest("bad-setting", message) from None
