"""Coverage: what stories exercise, and what they don't, goal by goal; all of `rules/` is exercised in full."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewards.policy.compile import load_policy
from rewards.scenario.coverage import Coverage
from rewards.scenario.files import load_stories, read_file
from rewards.scenario.play import play
from rewards.scenario.read import read_stories
from tests.policies import program

ROOT = Path(__file__).parents[2]
FILES = sorted(
    file
    for folder in ("rules", "tests/programs", "src/rewards/cli/starter")
    for file in (ROOT / folder).glob("*.scenarios.yaml")
)
POLICY = program("""points:
  beans: {one: bean}
earn:
  beans:
    every: 1.00
    give: 1 bean
    limit: [{points: 20 beans, per: day}, {points: 30 beans, per: month}]
  regular: {on: {categories: [tea]}, when: {visits: {at_least: 2, within: 30 days}, not: {code: STAFF}}, give: 5 beans}
  big: {when: {spend: {at_least: 15.00}}, schedule: {days: [mon, tue]}, give: 3 beans, measure: receipt}
offers:
  spring:
    when: {code: SPRING, spend: {at_least: 10.00}}
    percent_off: 10%
    stage: basket
    at_most: 2.00
    limit: {times: 1, per: month}
returns: {accept_within: 90 days}
""")
NOT_TOLD = {  # what no story of a program should be made to show
    "green-grocer.scenarios.yaml": {"first-delivery: `budget` cuts"},  # after 5,000 first deliveries in a month
}


def covered(*steps: str, policy: str = POLICY) -> Coverage:
    """Return what one story exercises; a step is `day [code …] amount [guest]`."""
    text = "scenarios: rewards/v1\nmembers: {ana: {}}\nstories:\n  one:\n"
    for number, step in enumerate(steps):
        day, *codes, amount = step.split()
        who = "" if "guest" in codes else "member: ana, "
        codes = [code for code in codes if code != "guest"]
        text += f"    - {{at: 2026-12-{day} 09:00, purchase: r{number}, {who}codes: [{', '.join(codes)}], "
        text += f"lines: [{{sku: TEA, categories: [tea], price: {amount}}}]}}\n".replace("codes: [], ", "")
    stories, problems = read_stories(
        text.replace("codes: [], ", "").encode(),
        "p.scenarios.yaml",
        load_policy(policy.encode()),
        policy.encode(),
        read,
    )
    assert stories is not None, problems
    coverage = Coverage(stories)
    for story in stories.stories:
        assert play(stories, story, coverage.watch(story)).failure is None
    return coverage


def read(name: str) -> bytes:
    raise FileNotFoundError(name)


def reached(coverage: Coverage) -> set[str]:
    return {f"{goal.name}: {goal.text()}" for goal, story in coverage.reached.items() if story is not None}


def test_the_goals_and_their_places() -> None:
    coverage = covered("07 1.00")
    assert [f"{span.line}:{span.column} {goal.name}: {goal.text()}" for goal, span in coverage.places.items()] == [
        "10:3 beans: gives",
        "13:13 beans: `limit: 1` cuts",
        "13:43 beans: `limit: 2` cuts",
        "14:3 regular: gives",
        "14:45 regular: `when: visits` holds",
        "14:45 regular: `when: visits` fails",
        "14:91 regular: `when: not: code` holds",
        "14:91 regular: `when: not: code` fails",
        "15:3 big: gives",
        "15:16 big: `when: spend` holds",
        "15:16 big: `when: spend` fails",
        "15:43 big: `schedule` holds",
        "15:43 big: `schedule` fails",
        "17:3 spring: gives",
        "18:12 spring: `when: code` holds",
        "18:12 spring: `when: code` fails",
        "18:26 spring: `when: spend` holds",
        "18:26 spring: `when: spend` fails",
        "21:5 spring: `at_most` cuts",
        "22:5 spring: `limit` cuts",
    ]


def test_one_small_receipt() -> None:
    assert reached(covered("07 1.00")) == {
        "beans: gives",
        "regular: `when: visits` fails",
        "regular: `when: not: code` fails",
        "big: `when: spend` fails",
        "big: `schedule` holds",
        "spring: `when: code` fails",
        "spring: `when: spend` fails",
    }


def test_a_guest_shows_nothing_of_members() -> None:
    assert reached(covered("07 guest 1.00")) == {"spring: `when: code` fails", "spring: `when: spend` fails"}


def test_a_limit_that_is_reached_and_cuts_nothing_is_not_exercised() -> None:
    limits = {f"beans: `limit: {number}` cuts" for number in (1, 2)}
    assert reached(covered("07 20.00")) & limits == set()
    assert reached(covered("07 21.00")) & limits == {"beans: `limit: 1` cuts"}
    assert reached(covered("07 20.00", "08 10.00")) & limits == set()
    assert reached(covered("07 20.00", "08 11.00")) & limits == {"beans: `limit: 2` cuts"}


def test_conditions_both_ways() -> None:
    found = reached(covered("07 1.00", "08 STAFF 15.00", "09 16.00"))
    assert {one for one in found if one.startswith(("regular", "big"))} == {
        "regular: gives",
        "regular: `when: visits` holds",
        "regular: `when: visits` fails",
        "regular: `when: not: code` holds",
        "regular: `when: not: code` fails",
        "big: gives",
        "big: `when: spend` holds",
        "big: `when: spend` fails",
        "big: `schedule` holds",
        "big: `schedule` fails",
    }


def test_a_threshold_by_receipt_is_read_by_receipt() -> None:
    assert "big: `when: spend` holds" not in reached(covered("07 8.00", "07 8.00"))


def test_bounds_of_offers() -> None:
    cuts = {"spring: `at_most` cuts", "spring: `limit` cuts"}
    assert reached(covered("07 SPRING 20.00")) & cuts == set()
    assert reached(covered("07 SPRING 20.10")) & cuts == {"spring: `at_most` cuts"}
    assert reached(covered("07 SPRING 20.00", "08 20.00")) & cuts == set()
    assert reached(covered("07 SPRING 20.00", "08 SPRING 20.00")) & cuts == {"spring: `limit` cuts"}
    assert reached(covered("07 guest SPRING 20.00")) & cuts == set()


def test_the_figure_is_rounded_down() -> None:
    steps = ("07 1.00", "08 STAFF 15.00", "09 31.00", "10 SPRING 30.00", "11 SPRING 30.00")
    assert covered(*steps).percent == 100
    assert covered(*steps[:4]).percent == 95
    nothing = POLICY.partition("earn:")[0].replace("points:\n  beans: {one: bean}\n", "")
    assert covered("07 1.00", policy=nothing).percent == 100


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_the_programs_in_rules_are_exercised_in_full(file: Path) -> None:
    """`corner-cafe-2027.yaml` has no stories of its own: those of `corner-cafe` publish it."""
    stories, _ = load_stories(read_file(file), str(file))
    assert stories is not None
    coverage = Coverage(stories)
    for story in stories.stories:
        play(stories, story, coverage.watch(story))
    assert {f"{goal.name}: {goal.text()}" for goal in coverage.missing} == NOT_TOLD.get(file.name, set())
