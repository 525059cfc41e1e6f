"""Draws tiers, conditions on members, and what members tell about themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from rewards.days import Duration, Window
from rewards.policy.model import (
    Anniversary,
    Birthday,
    Condition,
    EarningRule,
    HasAttribute,
    InTier,
    Not,
    Policy,
    Tiers,
)
from tests.strategies.words import Draw, chance, pick, some, whole

LEVELS = ("basic", "silver", "gold")
ATTRIBUTES: dict[str, tuple[str | int | bool, ...]] = {
    "student": (True, False),
    "town": ("north", "south"),
    "shoe": (38, 39),
    "level": ("old", "new"),
}
MEASURES: tuple[Window | Duration, ...] = (
    "month",
    "year",
    Duration(30, "days"),
    Duration(1, "months"),
    "week",
    "quarter",
    "ever",
    Duration(12, "months"),
    Duration(3, "days"),
)
KEEPS: tuple[Literal["until_end_of_year", "until_end_of_next_year"] | Duration | None, ...] = (
    None,
    Duration(7, "days"),
    "until_end_of_year",
    "until_end_of_next_year",
    Duration(2, "months"),
    Duration(30, "days"),
)
KINDS = ("attribute", "birthday", "anniversary", "tier")


def tiers(draw: Draw) -> Tiers:
    """Draw tiers whose levels lie near what a few receipts come to."""
    by = pick(draw, ("spend", "visits", "points", "stamps"))
    steps = (100, 200, 300, 500, 800) if by == "spend" else (1, 2, 3, 4, 5)
    first = whole(draw, 0, 3)
    low, high = steps[first], steps[first + whole(draw, 1, 4 - first)]
    names = LEVELS if not chance(draw, 8) else tuple(reversed(LEVELS))
    keep = pick(draw, KEEPS)
    return Tiers(
        by=by,
        measure=pick(draw, MEASURES),
        levels=((names[0], 0), (names[1], low), (names[2], high)),
        keep=keep,
        fall="one_level" if keep is not None and chance(draw, 2) else "to_what_was_earned",
    )


def condition(draw: Draw, kind: str) -> Condition:
    """Draw a condition on the member; `within` is long, as a story is short."""
    match kind:
        case "attribute":
            name = pick(draw, sorted(ATTRIBUTES))
            return HasAttribute(name, frozenset(some(draw, ATTRIBUTES[name])))
        case "tier":
            return InTier(frozenset(some(draw, LEVELS)))
    within = pick(draw, (Duration(7, "days"), Duration(1, "days"), Duration(2, "months"), Duration(300, "days")))
    return (Birthday if kind == "birthday" else Anniversary)(within)


def with_tiers(draw: Draw, policy: Policy) -> Policy:
    """Draw the policy's tiers."""
    return replace(policy, tiers=tiers(draw))


def without_tiers(rules: dict[str, EarningRule]) -> dict[str, EarningRule]:
    """Take the conditions on tiers out of rules."""
    return {key: replace(rule, when=no_tiers(rule.when)) for key, rule in rules.items()}


def no_tiers(conditions: tuple[Condition, ...]) -> tuple[Condition, ...]:
    """Leave out the conditions on tiers."""
    found = [Not(no_tiers(one.all_of)) if isinstance(one, Not) else one for one in conditions]
    return tuple(one for one in found if not isinstance(one, InTier) and one != Not(()))


def told(draw: Draw, first_day: int) -> list[tuple[int, int, dict[str, str | int | bool]]]:
    """Draw what is known from the beginning, and perhaps what changes later: (from day, born, attributes)."""
    days = [0, *(first_day + gap for gap in sorted(some(draw, (0, 1, 2, 7, 30), 2)))]
    return [(day, _born(draw), _attributes(draw)) for day in days[: whole(draw, 0, 3)]]


def _born(draw: Draw) -> int:
    return pick(draw, (0, 331, 229, 1027, 1231, 101, 401, 228))


def _attributes(draw: Draw) -> dict[str, str | int | bool]:
    return {name: pick(draw, values) for name, values in ATTRIBUTES.items() if not chance(draw, 3)}
