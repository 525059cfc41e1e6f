"""The command line, `rewards`.

`commands` declares every command and option; each command's work is in a
module of its own, imported when the command runs, so that `check` starts
without the web framework and the database. What does not live here: anything
that the API could not do as well.
"""

from __future__ import annotations


def main() -> None:
    """Run the command line and end the process: 0 clean, 1 findings, 2 wrong usage."""
    from rewards.cli.commands import run  # noqa: PLC0415  the entry point itself imports nothing

    raise SystemExit(run())
