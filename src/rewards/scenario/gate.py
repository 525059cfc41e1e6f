"""What a policy must pass before it is published: no error of `check`, and every story as expected.

What does not live here: publishing (`rewards.service.publishing`), and showing
what was found (`rewards.cli`, `rewards.api`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rewards.errors import InvalidRequest
from rewards.policy.compile import compile_policy
from rewards.policy.problems import Problem, as_json
from rewards.scenario.files import read_file
from rewards.scenario.play import Result, play_all
from rewards.scenario.read import SUFFIX, Beside, read_stories


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found; a policy passes if no list holds anything but stories that came out as expected."""

    policy: list[Problem]  # errors
    scenarios: list[Problem]  # errors
    results: list[Result]

    @property
    def failed(self) -> list[Result]:
        """The stories that came out otherwise than expected."""
        return [result for result in self.results if result.failure]

    @property
    def passed(self) -> bool:
        """Whether the policy may be published."""
        return not (self.policy or self.scenarios or self.failed)

    def demand(self) -> None:
        """Raise `InvalidRequest` `policy-invalid` or `scenarios-failed`, with every finding in `problems`."""
        if self.policy:
            found = [as_json(one) for one in self.policy]
            raise InvalidRequest("policy-invalid", _said("policy has", found), pointer="/policy", problems=found)
        if not self.passed:
            found = [as_json(one) for one in self.scenarios] + [_as_json(result) for result in self.failed]
            raise InvalidRequest("scenarios-failed", _said("stories have", found), pointer="/scenarios", problems=found)


def judge(policy: bytes, file: str, scenarios: bytes | None, beside: Beside) -> Verdict:
    """Check a policy and play its stories; `scenarios` are the bytes of the scenario file, None without one.

    `beside` reads the policies that steps publish, and raises `OSError` for a name that is not there.
    """
    compiled, problems = compile_policy(policy, file)
    if compiled is None:
        return Verdict(_errors(problems), [], [])
    if scenarios is None:
        return Verdict([], [], [])
    stories, problems = read_stories(scenarios, scenarios_of(file), compiled, policy, beside)
    return Verdict([], _errors(problems), list(play_all(stories)) if stories else [])


def judge_file(file: str) -> tuple[bytes, bytes | None, Verdict]:
    """Judge a policy with the stories beside it; return both files' bytes too. Raises `OSError`."""
    policy = read_file(Path(file))
    try:
        scenarios = read_file(Path(scenarios_of(file)))
    except FileNotFoundError:
        scenarios = None
    return policy, scenarios, judge(policy, file, scenarios, lambda name: read_file(Path(file).parent / name))


def scenarios_of(file: str) -> str:
    """Return the name of the scenario file beside a policy: `NAME.scenarios.yaml` beside `NAME.yaml`."""
    return file if file.endswith(SUFFIX) else f"{file.removesuffix('.yaml')}{SUFFIX}"


def _errors(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def _said(what: str, found: list[dict[str, object]]) -> str:
    count = f"{len(found)} fault{'' if len(found) == 1 else 's'}"
    return f"the {what} {count}; nothing was published, and what is in force stays"


def _as_json(result: Result) -> dict[str, object]:
    assert result.failure is not None
    step = result.failure.step
    wrong = "; ".join(f"{one.what}: expected {one.expected}, got {one.actual}" for one in result.failure.mismatches)
    message = f"story `{result.story.name}`, step {step.number}, {step.says}: {wrong}"
    return {"code": "story-failed", "message": message, "line": step.line, "column": 1}
