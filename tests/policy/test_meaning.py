"""The meaning of a rule: what gives the same points has the same meaning, and nothing else has."""

from __future__ import annotations

import pytest

from rewards.policy.compile import compile_policy
from tests.policies import program

HEAD = program("returns: {}\n")
POINTS = "points: {points: {one: point}, stars: {one: star}}\n"
SELECTIONS = "selections: {drinks: {categories: [tea, coffee]}, food: {categories: [bread]}, both: [drinks, food]}\n"
RULES = {
    "base": "{on: drinks, every: 1.00, give: 1 point, when: {spend: {at_least: 5.00}, code: A}}",
    "double": "{times: 2, of: base, schedule: {days: [sat, sun], hours: 08:00-12:00}}",
    "all": "{on: both, give: 5 points, limit: [{times: 2, per: day}, {points: 50, per: month}]}",
    "gone": "{when: {not: {visits: {at_least: 2, within: 30 days}}}, give: 5 stars, paid_with: [cash, card]}",
}


def meanings(rules: dict[str, str], selections: str = SELECTIONS, points: str = POINTS) -> dict[str, str]:
    text = HEAD + points + selections + "earn:\n" + "".join(f"  r-{name}: {rule}\n" for name, rule in rules.items())
    policy, problems = compile_policy(text.replace("of: base", "of: r-base").encode())
    assert policy is not None, problems
    return {name.removeprefix("r-"): rule.meaning for name, rule in policy.rules.items()}


BEFORE = meanings(RULES)


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("base", "{when: {code: a, spend: {at_least: 5.00}}, give: 1 point, every: 1.00, on: drinks}"),
        (
            "base",
            "{title: Tea, on: drinks, every: 1, give: 1 points, when: {spend: {at_least: 5, on: drinks}, code: A}}",
        ),
        (
            "base",
            "{on: [{categories: [coffee, tea]}], every: 1.00, give: 1 point, when: {spend: {at_least: 5.00}, code: A}}",
        ),
        (
            "base",
            "{on: drinks, every: 1.00, give: 1 point, when: {spend: {at_least: 5.00}, code: A}, measure: day, remainder: carry}",
        ),
        ("double", "{times: 2.0, of: [r-base], schedule: {hours: 08:00-12:00, days: [sun, sat]}}"),
        ("all", "{on: [food, drinks], give: 5 points, limit: [{points: 50, per: month}, {points: 10, per: day}]}"),
        (
            "gone",
            "{paid_with: [card, cash], give: 5 stars, when: {not: {visits: {at_least: 2, within: 30 days, on: all}}}}",
        ),
    ],
)
def test_the_same_said_otherwise_means_the_same(name: str, rule: str) -> None:
    assert meanings({**RULES, name: rule}) == BEFORE


def test_order_and_names_of_selections_mean_nothing() -> None:
    assert meanings(dict(reversed(RULES.items()))) == BEFORE
    renamed = {name: rule.replace("drinks", "beverages") for name, rule in RULES.items()}
    assert meanings(renamed, SELECTIONS.replace("drinks", "beverages")) == BEFORE


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("base", RULES["base"].replace("1.00", "2.00")),
        ("base", RULES["base"].replace("1 point", "1 star")),
        ("base", RULES["base"].replace("drinks", "food")),
        ("base", RULES["base"].replace("5.00", "6.00")),
        ("base", RULES["base"].replace("code: A", "code: B")),
        ("double", RULES["double"].replace("2", "2.5", 1)),
        ("double", RULES["double"].replace("08:00-12:00", "12:00-08:00")),
        ("double", RULES["double"].replace("sun", "fri")),
        ("all", RULES["all"].replace("month", "year")),
        ("all", RULES["all"].replace("5 points", "6 points")),
        ("gone", RULES["gone"].replace("30 days", "31 days")),
        ("gone", RULES["gone"].replace("card", "points")),
    ],
)
def test_another_effect_is_another_meaning(name: str, rule: str) -> None:
    changed = {**RULES, name: rule}
    after = meanings(changed)
    different = {one for one in RULES if after[one] != BEFORE[one]}
    assert different == ({"base", "double"} if name == "base" else {name})


def test_rounding_of_the_wallet_is_an_effect_and_limits_of_a_base_are_not() -> None:
    rounded = meanings(RULES, points=POINTS.replace("{one: star}", "{one: star, round: up}"))
    assert {one for one in RULES if rounded[one] != BEFORE[one]} == {"gone"}
    limited = meanings({**RULES, "base": RULES["base"][:-1] + ", limit: {points: 9, per: day}}"})
    assert {one for one in RULES if limited[one] != BEFORE[one]} == {"base"}
