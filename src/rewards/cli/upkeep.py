"""`rewards verify` and `rewards rebuild`: what is stored beside what the events give.

What does not live here: the comparison (`rewards.service.audit`).
"""

from __future__ import annotations

import json
import sys

from rewards.cli.database import service
from rewards.cli.screen import console


def run(action: str, database: str | None, form: str = "text") -> int:
    """Verify or rebuild; findings of `verify` are a line each, and then the exit code is 1."""
    with service(database, existing=True) as opened, console().status(f"{action} …"):
        if action == "rebuild":
            owners = opened.rebuild()
            findings = []
        else:
            findings = opened.verify()
    if action == "rebuild":
        sys.stdout.write(f"rebuilt {owners} timelines\n")
    elif form == "json":
        sys.stdout.write(json.dumps(findings, indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write("".join(f"{finding}\n" for finding in findings) or "every balance is what the events give\n")
    return 1 if findings else 0
