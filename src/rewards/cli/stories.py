"""`rewards test`: the stories beside policies, played.

What does not live here: reading and playing (`rewards.scenario`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from rewards.cli import covering
from rewards.cli.check import print_findings
from rewards.cli.screen import progress
from rewards.cli.words import counted
from rewards.policy.problems import Problem
from rewards.scenario.coverage import Coverage
from rewards.scenario.files import load_stories, read_file
from rewards.scenario.gate import judge_file, scenarios_of
from rewards.scenario.play import Failure, Result, play
from rewards.scenario.story import Stories


@dataclass(slots=True)
class _Run:
    """What came of all files."""

    problems: list[Problem] = field(default_factory=list)
    sources: dict[str, bytes] = field(default_factory=dict)
    results: list[tuple[str, Result]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    covered: list[Coverage] | None = None  # None: nobody asked

    @property
    def files(self) -> set[str]:
        """The files of which a story was played."""
        return {file for file, _ in self.results}

    @property
    def clean(self) -> bool:
        """Whether there was something to play, and all of it was as expected."""
        failed = any(result.failure for _, result in self.results)
        return bool(self.results) and not (failed or any(one.severity == "error" for one in self.problems))


def run(
    files: Sequence[str], form: str, only: str | None, *, coverage: bool = False, threshold: int | None = None
) -> int:
    """Play the stories of all files and print what failed; 1 if a story failed, or none was played.

    With `coverage` (or a `threshold`, in percent, that each file must reach) also what they exercised.
    """
    done = _Run()
    loaded = list(_loaded(files, done))
    if coverage or threshold is not None:
        done.covered = [Coverage(one) for one in loaded]
    watching = dict(zip_longest([one.file for one in loaded], done.covered or ()))
    told = [(one, story) for one in loaded for story in one.stories if not only or only in story.name]
    with progress("playing") as bar:
        for number, (one, story) in enumerate(told, 1):
            covered = watching[one.file]
            done.results.append((one.file, play(one, story, covered.watch(story) if covered else None)))
            bar(number, len(told))
    _PRINT[form](done)
    enough = all(one.percent >= (threshold or 0) for one in done.covered or ())
    if not enough:
        sys.stderr.write(f"rewards: the stories exercise less than {threshold}% of a policy\n")
    return 0 if done.clean and enough else 1


def sound(file: str) -> tuple[bytes, str]:
    """Return a policy that may be published, and what was played.

    Prints every fault of the policy and of the stories beside it, and raises `InvalidRequest` if there are any.
    """
    data, scenarios, verdict = judge_file(file)
    beside = scenarios_of(file)
    if not verdict.passed:
        print_findings(verdict.policy + verdict.scenarios, {file: data, beside: scenarios or b""}, "text")
        for result in verdict.failed:
            assert result.failure is not None
            sys.stdout.write(_told(beside, result, result.failure) + "\n\n")
        verdict.demand()
    if scenarios is None:
        return data, f"no stories played: there is no `{beside}`"
    return data, f"{counted(len(verdict.results), 'story', 'stories')} of `{beside}`: all as expected"


def _loaded(files: Sequence[str], done: _Run) -> Iterator[Stories]:
    for file in dict.fromkeys(map(scenarios_of, files)):
        try:
            data = read_file(Path(file))
        except FileNotFoundError:
            done.missing.append(file)
            continue
        done.sources[file] = data
        stories, problems = load_stories(data, file)
        done.problems += problems
        if stories:
            yield stories


def _print_text(done: _Run) -> None:
    print_findings(done.problems, done.sources, "text")
    for file in done.missing:
        sys.stdout.write(f"{file}: there is no such file; stories lie beside their policy\n")
    for file, result in done.results:
        if result.failure:
            sys.stdout.write(_told(file, result, result.failure) + "\n\n")
    failed = sum(1 for _, result in done.results if result.failure)
    played = f"{counted(len(done.results), 'story', 'stories')} of {counted(len(done.files), 'file')}"
    sys.stdout.write(
        f"{played}: {f'{failed} failed' if failed else 'all as expected'}\n"
        if done.results
        else "no story was played\n"
    )
    if done.covered is not None:
        covering.print_text(done.covered)


def _told(file: str, result: Result, failure: Failure) -> str:
    step = failure.step
    lines = [f"failed: {result.story.name}", f"  --> {file}:{step.line}: step {step.number}, {step.says}"]
    width = max(len(one.what) for one in failure.mismatches)
    lines += [f"  {one.what:{width}}  expected {one.expected}, got {one.actual}" for one in failure.mismatches]
    lines += [f"  because {text}" for text in failure.explanation]
    return "\n".join(lines)


def _print_json(done: _Run) -> None:
    results = [_as_json(file, result) for file, result in done.results]
    problems = [{"file": one.file, "line": one.line, "code": one.code, "message": one.message} for one in done.problems]
    members: dict[str, object] = {"problems": problems, "missing": done.missing, "stories": results}
    if done.covered is not None:
        members["coverage"] = [covering.as_json(one) for one in done.covered]
    sys.stdout.write(json.dumps(members, indent=2, ensure_ascii=False) + "\n")


def _as_json(file: str, result: Result) -> dict[str, object]:
    members: dict[str, object] = {"file": file, "story": result.story.name, "passed": result.failure is None}
    if result.failure:
        step = result.failure.step
        members |= {"step": step.number, "line": step.line, "says": step.says}
        members["mismatches"] = [
            {"what": one.what, "expected": one.expected, "actual": one.actual} for one in result.failure.mismatches
        ]
        members["explanation"] = result.failure.explanation
    return members


def _print_github(done: _Run) -> None:
    print_findings(done.problems, done.sources, "github")
    for file, result in done.results:
        if result.failure:
            first = result.failure.mismatches[0]
            text = f"{result.story.name}: {first.what}: expected {first.expected}, got {first.actual}"
            sys.stdout.write(f"::error file={file},line={result.failure.step.line}::{text.replace('%', '%25')}\n")
    covering.print_github(done.covered or ())


_PRINT = {"text": _print_text, "json": _print_json, "github": _print_github}
