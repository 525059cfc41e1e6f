"""What `rewards test --coverage` prints: a row for each rule and offer, and what was never exercised.

What does not live here: what counts (`rewards.scenario.coverage`).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rewards.cli.screen import table
from rewards.scenario.coverage import Coverage, Goal
from rewards.scenario.read import policy_of


def print_text(files: Sequence[Coverage]) -> None:
    """Print a table of all files, then each goal that no story reached, with its place in the policy."""
    table("", ("policy", "part", "exercised", "never"), [row for one in files for row in _rows(one)])
    for one in files:
        for goal in one.missing:
            span = one.places[goal]
            place = f"{policy_of(one.stories.file)}:{span.line}:{span.column}"
            sys.stdout.write(f"{place}: {_said(goal)}\n")
        count = f"{len(one.reached) - len(one.missing)} of {len(one.reached)}"
        sys.stdout.write(f"{policy_of(one.stories.file)}: {count} exercised, {one.percent}%\n")


def _said(goal: Goal) -> str:
    return f"`{goal.name}`: no story in which {goal.text() if goal.what else 'it ' + goal.way}"


def _rows(one: Coverage) -> list[tuple[str, str, str, str]]:
    parts = dict.fromkeys((goal.section, goal.name) for goal in one.reached)
    rows = []
    for section, name in parts:
        goals = [goal for goal in one.reached if (goal.section, goal.name) == (section, name)]
        never = [goal.text() for goal in goals if one.reached[goal] is None]
        exercised = f"{len(goals) - len(never)} of {len(goals)}"
        rows.append((policy_of(one.stories.file), f"{section}: {name}", exercised, ", ".join(never) or "-"))
    return rows


def as_json(one: Coverage) -> dict[str, object]:
    """Return a file's coverage: every goal with its place and the first story that reached it, or null."""
    goals = [
        {
            "section": goal.section,
            "name": goal.name,
            "what": list(goal.what),
            "way": goal.way,
            "line": one.places[goal].line,
            "column": one.places[goal].column,
            "story": story,
        }
        for goal, story in one.reached.items()
    ]
    return {"file": policy_of(one.stories.file), "percent": one.percent, "goals": goals}


def print_github(files: Sequence[Coverage]) -> None:
    """Print a warning for each goal that no story reached, beside its line of the policy."""
    for one in files:
        for goal in one.missing:
            place = f"file={policy_of(one.stories.file)},line={one.places[goal].line}"
            sys.stdout.write(f"::warning {place}::{_said(goal)}\n")
