"""`rewards import`: a history of purchases, through the same code as the API.

What does not live here: the form of the file and what becomes of each event
(`rewards.importer`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from time import monotonic

from rewards import importer
from rewards.cli.database import publish_first, service
from rewards.cli.screen import progress, table
from rewards.policy.compile import load_policy

_SHOWN = 20  # refusals told one by one
_FINE = frozenset({"recorded", "parked", "money only", "already here"})


def run(file: str, shuffle: int | None, policy: str | None, database: str | None) -> int:
    """Import the file, then print what became of its events; 1 if there were any and none was taken."""
    with service(database, existing=policy is None, start="--policy FILE") as opened:
        note = publish_first(opened, policy)
        zone = load_policy(opened.policy()[0]).zone
        started = monotonic()
        with progress(f"importing {Path(file).name}") as bar:
            result = importer.run(opened, Path(file), zone=zone, shuffle=shuffle, progress=bar)
    if note:
        sys.stderr.write(f"rewards: {note}\n")
    _report(result, max(0.001, monotonic() - started))
    return 0 if any(outcome in _FINE for _, outcome in result.outcomes) or not result.events else 1


def _report(result: importer.Imported, seconds: float) -> None:
    rows = [[kind, outcome, str(count)] for (kind, outcome), count in sorted(result.outcomes.items())]
    table("imported", ("kind", "outcome", "count"), rows, numbers=(2,))
    refused = sum(count for (_, outcome), count in result.outcomes.items() if outcome not in _FINE)
    for refusal in result.refusals[:_SHOWN]:
        sys.stdout.write(f"{refusal.kind} {refusal.name} refused, {refusal.code}: {refusal.message}\n")
    if refused > _SHOWN:
        sys.stdout.write(f"… and {refused - _SHOWN} more were refused\n")
    sys.stdout.write(f"{result.events} events in {seconds:.1f} s, {result.events / seconds:.0f} a second\n")
