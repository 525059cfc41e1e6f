"""What other engines' own test suites expect, played here: one test a case.

`table.yaml` has a row for each case: whose number holds, where the story is,
what it waits for. A case that could be run and still waits fails. With
REWARDS_PEER_CASES, or with `shared/peer-cases` beside the repository, the rows
are compared with the cases themselves.
"""

from __future__ import annotations

import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from rewards.policy.compile import compile_policy
from rewards.scenario.files import load_stories, read_file
from rewards.scenario.play import play
from rewards.scenario.story import Stories, Story

HERE = Path(__file__).parent
POLICIES = HERE / "policies"
PEER_CASES = Path(os.environ.get("REWARDS_PEER_CASES", HERE.parents[2] / "shared/peer-cases"))
CASES: dict[str, dict[str, Any]] = yaml.safe_load((HERE / "table.yaml").read_text())["cases"]
PLAYED = [case for case, row in CASES.items() if "story" in row and "waits_for" not in row]
REFUSED = [case for case, row in CASES.items() if "refused" in row]
WAITING = [case for case, row in CASES.items() if "waits_for" in row]
ASIDE = [case for case, row in CASES.items() if "aside" in row]
SECTIONS: set[str] = set()  # of a policy, each a word of `waits_for`


@cache
def loaded(name: str) -> tuple[Stories | None, list[str]]:
    """The stories beside a policy, or the codes of what is wrong with the two files."""
    policy, file = POLICIES / f"{name}.yaml", POLICIES / f"{name}.scenarios.yaml"
    compiled, problems = compile_policy(read_file(policy), str(policy))
    stories = None
    if compiled is not None:
        stories, problems = load_stories(read_file(file), str(file))
    return stories, [problem.code for problem in problems if problem.severity == "error"]


@cache
def written(name: str) -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.load((POLICIES / f"{name}.yaml").read_text(), Loader=yaml.BaseLoader)
    return parsed


def case_of(story: str) -> str:
    """`sylius-codes-01.used-up [1, 2]` is a row of a second story of `sylius-codes-01`."""
    return story.split(" ", maxsplit=1)[0].split(".", maxsplit=1)[0]


def told(name: str) -> set[str]:
    return {case_of(story) for story in written(f"{name}.scenarios")["stories"]}


def stories_of(case: str) -> list[tuple[Stories, Story]]:
    stories, problems = loaded(CASES[case]["story"])
    assert stories is not None, problems
    return [(stories, story) for story in stories.stories if case_of(story.name) == case]


@pytest.mark.parametrize("case", PLAYED)
def test_case(case: str) -> None:
    found = stories_of(case)
    assert found
    for stories, story in found:
        failure = play(stories, story).failure
        if failure:
            pytest.fail(
                f"{story.name}: step {failure.step.number}, {failure.step.says}: {failure.mismatches} "
                f"because {failure.explanation}"
            )


@pytest.mark.parametrize("case", REFUSED)
def test_refused_policy(case: str) -> None:
    row = CASES[case]
    policy, problems = compile_policy(read_file(POLICIES / f"{row['refused']}.yaml"), row["refused"])
    assert policy is None
    assert {problem.code for problem in problems if problem.severity == "error"} == {row["code"]}


@pytest.mark.parametrize("case", WAITING)
def test_waiting_case_can_not_be_run_yet(case: str) -> None:
    name = CASES[case]["story"]
    stories, codes = loaded(name)
    assert stories is None, f"`{case}` can be run now: take `waits_for` out of its row in table.yaml"
    assert "unsupported" in codes, codes
    assert case in told(name)


@pytest.mark.parametrize("case", WAITING)
def test_waiting_case_says_what_it_waits_for(case: str) -> None:
    policy, waits = written(CASES[case]["story"]), {*CASES[case]["waits_for"]}
    needs = {section.replace("_", "-") for section in SECTIONS & policy.keys()}
    offers = policy.get("offers", {}).values()
    needs |= {"budgets" for offer in offers if "budget" in offer}
    needs |= {"attributes" for offer in offers if "attribute" in offer.get("when", {})}
    assert waits - {"holds"} == needs


def test_every_row_says_one_thing() -> None:
    for case, row in CASES.items():
        assert len({"story", "refused", "aside"} & row.keys()) == 1, case
        assert ("because" in row) == (row.get("number") == "ours"), case
        assert row.keys() <= {"story", "refused", "code", "aside", "number", "waits_for", "because", "note"}, case
        assert "aside" in row or row["number"] in ("peer", "ours"), case


def test_every_story_and_policy_belongs_to_a_row() -> None:
    stories = {file.name.removesuffix(".scenarios.yaml") for file in POLICIES.glob("*.scenarios.yaml")}
    assert stories == {row["story"] for row in CASES.values() if "story" in row}
    assert {case for name in stories for case in told(name)} == {*PLAYED, *WAITING}
    assert all(CASES[case]["story"] == name for name in stories for case in told(name))
    policies = {file.stem for file in POLICIES.glob("*.yaml") if not file.name.endswith(".scenarios.yaml")}
    published = {Path(step).stem for name in stories for step in publishes(name)}
    assert policies == stories | published | {CASES[case]["refused"] for case in REFUSED}


def publishes(name: str) -> list[str]:
    stories = written(f"{name}.scenarios")["stories"].values()
    steps = [step for story in stories for step in (story["steps"] if isinstance(story, dict) else story)]
    return [step["publish"] for step in steps if "publish" in step]


def test_all_cases_are_here() -> None:
    assert len(CASES) == 137
    if PEER_CASES.is_dir():
        files = sorted(PEER_CASES.glob("*.yaml"))
        assert [one["id"] for file in files for one in yaml.safe_load(file.read_text())["scenarios"]] == list(CASES)


def test_how_many_of_each_class(capsys: pytest.CaptureFixture[str]) -> None:
    classes = Counter(
        "set aside" if "aside" in row else f"{'waiting' if 'waits_for' in row else 'run'}, {row['number']} number"
        for row in CASES.values()
    )
    waits = Counter(feature for case in WAITING for feature in CASES[case]["waits_for"])
    with capsys.disabled():
        counts = " · ".join(f"{name}: {count}" for name, count in [*sorted(classes.items()), *waits.most_common()])
        os.write(1, f"\npeers: {counts}\n".encode())
    assert len(ASIDE) <= 10
    assert sum(count for name, count in classes.items() if name.endswith("peer number")) >= 100
