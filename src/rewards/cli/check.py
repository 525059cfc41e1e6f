"""`rewards check`: the faults of policy and scenario files.

What does not live here: finding them (`rewards.policy`, `rewards.scenario`).
Imports neither the web framework nor the database.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rewards.cli.words import counted
from rewards.policy.codes import Severity
from rewards.policy.compile import compile_policy
from rewards.policy.problems import Problem, render_github, render_json, render_text
from rewards.policy.source import LARGEST

SCENARIOS = ".scenarios.yaml"
_SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


def run(files: Sequence[str], form: str, *, strict: bool) -> int:
    """Print the findings of all files; 1 if any of them is an error (with `strict`: or a warning)."""
    sources: dict[str, bytes] = {}
    problems = [problem for file in dict.fromkeys(files) for problem in check_file(file, sources)]
    print_findings(problems, sources, form)
    counts = Counter(problem.severity for problem in problems)
    if form == "text":
        sys.stderr.write(_summary(len(sources), counts) + "\n")
    return 1 if counts["error"] or (strict and counts["warning"]) else 0


def check_file(file: str, sources: dict[str, bytes]) -> list[Problem]:
    """Return the problems of one file, and keep its bytes (no more than a policy may have, and one) in `sources`."""
    with Path(file).open("rb") as stream:
        data = sources[file] = stream.read(LARGEST + 1)
    if not file.endswith(SCENARIOS):
        return compile_policy(data, file)[1]
    from rewards.scenario.files import check_stories  # noqa: PLC0415  policies alone check faster

    return check_stories(data, file)


def print_findings(problems: list[Problem], sources: dict[str, bytes], form: str) -> None:
    """Print problems in one of the forms; nothing for no problems, but `[]` as JSON."""
    text = (
        {"json": render_json, "github": render_github}[form](problems)
        if form != "text"
        else render_text(problems, sources)
    )
    if text:
        sys.stdout.write(text + "\n\n" if form == "text" else text + "\n")


def _summary(files: int, counts: Counter[Severity]) -> str:
    found = [counted(counts[kind], kind) for kind in _SEVERITIES if counts[kind]]
    return f"{counted(files, 'file')} checked: {', '.join(found) if found else 'nothing found'}"
