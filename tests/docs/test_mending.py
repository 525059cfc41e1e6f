"""Five policies with a slip: `rewards check` says what the page says, and what the page mends is clean."""

from __future__ import annotations

import re

import pytest

from rewards.policy.compile import compile_policy
from rewards.policy.problems import render_text
from tests.docs.reference import DOCS

PAGE = (DOCS / "mending-a-policy.md").read_text()
SECTIONS = re.findall(r"^## (.+)\n((?:(?!^## )[\s\S])*)", PAGE, re.MULTILINE)


def parts(text: str) -> tuple[str, str, str, str]:
    """Return a section's file name, the policy, what is said about it, and the policy mended."""
    blocks = re.findall(r"```(yaml|text)\n([\s\S]*?)```", text)
    assert [kind for kind, _ in blocks] == ["yaml", "text", "yaml"]
    before, said, after = (block for _, block in blocks)
    command, _, message = said.partition("\n")
    assert command.startswith("$ rewards check ")
    return command.rpartition(" ")[2], before, message, after


def test_there_are_five_short_ones() -> None:
    assert len(SECTIONS) == 5
    assert all(18 <= len(parts(text)[1].splitlines()) <= 22 for _, text in SECTIONS)


@pytest.mark.parametrize("text", [text for _, text in SECTIONS], ids=[title for title, _ in SECTIONS])
def test_the_slip_is_told_and_its_mending_is_clean(text: str) -> None:
    file, before, message, after = parts(text)
    problems = compile_policy(before.encode(), file)[1]
    assert len(problems) == 1  # one slip, one message
    assert render_text(problems, {file: before.encode()}) + "\n" == message
    assert compile_policy(after.encode(), file)[1] == []
    changed = [(old, new) for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]
    assert len(changed) == 1
    (line,) = {problem.line for problem in problems}
    assert before.splitlines()[line - 1] == changed[0][0]


def test_files_are_named_as_their_programs() -> None:
    for _, text in SECTIONS:
        file, before, _, _ = parts(text)
        assert f"program: {file.removesuffix('.yaml')}\n" in before
