"""Every broken policy file gets exactly the answer that is written beside it.

`broken/NAME.expected` pins code, severity, place, message, help and second
place of every problem. To accept new answers after reading them:
`REWARDS_ACCEPT=1 pytest tests/policy/test_broken_files.py`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from rewards.policy.codes import POLICY_CODES
from rewards.policy.compile import compile_policy
from rewards.policy.problems import Problem

HERE = Path(__file__).parent
FILES = sorted((HERE / "broken").glob("*.yaml"))
ELSEWHERE = {"file-too-large", "too-many-parts"}  # `test_hostile_files` makes these files: they are too large to keep


def as_text(problem: Problem) -> str:
    rows = [f"{problem.line}:{problem.column}+{problem.length} {problem.severity}[{problem.code}] {problem.message}"]
    if problem.help:
        rows.append(f"    help: {problem.help}")
    if problem.also:
        rows.append(f"    also: {problem.also.span.line}:{problem.also.span.column} {problem.also.message}")
    return "\n".join(rows)


def found_in(file: Path) -> list[Problem]:
    policy, problems = compile_policy(file.read_bytes(), file.name)
    assert (policy is None) == any(one.severity == "error" for one in problems)
    return problems


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_exactly_these_problems(file: Path) -> None:
    text = "\n".join(map(as_text, found_in(file))) + "\n"
    expected = file.with_suffix(".expected")
    if os.environ.get("REWARDS_ACCEPT"):
        expected.write_text(text)
    assert text == expected.read_text()


def test_enough_files() -> None:
    assert len(FILES) >= 70


def test_every_code_is_produced_by_a_file() -> None:
    produced = {problem.code for file in FILES for problem in found_in(file)}
    assert produced | ELSEWHERE == POLICY_CODES


def test_problems_come_by_place() -> None:
    for file in FILES:
        places = [(problem.line, problem.column) for problem in found_in(file)]
        assert places == sorted(places)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_name_that_is_suggested_mends_its_fault(file: Path) -> None:
    data = file.read_bytes()
    for problem in found_in(file):
        suggested = re.fullmatch(r"did you mean `(.+)`\?|write `([^`]+)`", problem.help)
        if not suggested or problem.code in ("missing-key", "unknown-language"):
            continue
        if problem.code in ("nothing-here", "base-measure", "group-limit", "limit-too-short"):
            continue  # what is added or moved is not at the place itself
        lines = data.decode().split("\n")
        line, start = lines[problem.line - 1], problem.column - 1
        word = suggested[1] or suggested[2]
        lines[problem.line - 1] = line[:start] + word + line[start + problem.length :]
        _, after = compile_policy("\n".join(lines).encode(), file.name)
        same = [
            one for one in after if (one.code, one.line, one.column) == (problem.code, problem.line, problem.column)
        ]
        assert not same, as_text(problem)
