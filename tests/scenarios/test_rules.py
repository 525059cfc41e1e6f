"""Every story of `rules/`, of the whole programs in `tests/programs` and of the starter is a test, played through the
service.
"""

from pathlib import Path

import pytest

from rewards.cli import schema
from rewards.policy.activity_model import FOR_REFERRER
from rewards.scenario.files import load_stories, read_file
from rewards.scenario.play import play
from rewards.scenario.story import Stories, Story

ROOT = Path(__file__).parents[2]
WHERE = ("rules", "tests/programs", "src/rewards/cli/starter")
FILES = sorted(file for folder in WHERE for file in (ROOT / folder).glob("*.scenarios.yaml"))


def told() -> list[tuple[Stories, Story]]:
    found = []
    for file in FILES:
        stories, problems = load_stories(read_file(file), str(file))
        assert stories is not None, problems
        found += [(stories, story) for story in stories.stories]
    return found


TOLD = told()


@pytest.mark.parametrize(
    ("stories", "story"),
    TOLD,
    ids=[f"{Path(one.file).name.removesuffix('.scenarios.yaml')}: {story.name}" for one, story in TOLD],
)
def test_story(stories: Stories, story: Story) -> None:
    result = play(stories, story)
    if result.failure:
        failure = result.failure
        pytest.fail(
            f"step {failure.step.number}, {failure.step.says}: {failure.mismatches} because {failure.explanation}"
        )


@pytest.mark.parametrize(
    "file",
    [file for file in FILES if file.parent.name != "starter"],
    ids=lambda file: f"{file.parent.name}/{file.name}",
)
def test_every_rule_gives_and_does_not_give(file: Path) -> None:
    stories, _ = load_stories(read_file(file), str(file))
    assert stories is not None
    gives, gives_not = set(), set()
    for story in stories.stories:
        for step in story.steps:
            by_rule = step.expect.get("earned_by", {})
            assert isinstance(by_rule, dict)
            gives |= {rule for rule, points in by_rule.items() if points > 0} | set(step.expect.get("gives", []))
            gives_not |= {rule for rule, points in by_rule.items() if points == 0} | set(
                step.expect.get("not_gives", [])
            )
    by_themselves = {name for name, one in stories.policy.activities.items() if not one.by_call}
    by_themselves.add(FOR_REFERRER)  # no step of theirs gives them
    assert set(stories.policy.rules) - gives - by_themselves == set()
    assert set(stories.policy.rules) - gives_not - by_themselves == set()


def test_the_schema_beside_the_rules_is_the_engine_s() -> None:
    """After a change of the vocabulary: `rewards schema > rules/policy.schema.json`."""
    assert (ROOT / "rules/policy.schema.json").read_text() == schema.text()
