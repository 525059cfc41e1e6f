"""Scenario files on disk, with the policies that they name.

What does not live here: reading their text (`read`) and playing (`play`).
"""

from __future__ import annotations

from pathlib import Path

from rewards.policy.compile import compile_policy
from rewards.policy.problems import Problem, Report, Span
from rewards.policy.source import LARGEST
from rewards.scenario import codes as _codes  # noqa: F401  the codes of scenario files
from rewards.scenario.read import policy_of, read_stories
from rewards.scenario.story import Stories


def read_file(path: Path) -> bytes:
    """Return a file's bytes, no more than a policy may have, and one; raises `OSError`."""
    with path.open("rb") as stream:
        return stream.read(LARGEST + 1)


def load_stories(data: bytes, file: str) -> tuple[Stories | None, list[Problem]]:
    """Return the stories of a scenario file and the problems found; none if its policy is missing or has errors."""
    name = policy_of(file)
    try:
        source = read_file(Path(name))
    except OSError:
        report = Report(file)
        advice = "stories lie beside their policy, `NAME.scenarios.yaml` beside `NAME.yaml`"
        report.add("file-missing", f"there is no policy `{name}`", Span(1, 1), advice)
        return None, report.problems
    policy, problems = compile_policy(source, name)
    if policy is None:
        report = Report(file)
        first = next(one for one in problems if one.severity == "error")
        report.add(
            "file-refused", f"`{name}` has errors: {first.message}", Span(1, 1), f"`rewards check {name}` lists them"
        )
        return None, report.problems
    return read_stories(data, file, policy, source, lambda beside: read_file(Path(file).parent / beside))


def check_stories(data: bytes, file: str) -> list[Problem]:
    """Return the problems of a scenario file."""
    return load_stories(data, file)[1]
