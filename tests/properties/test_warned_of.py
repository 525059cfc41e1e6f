"""What `check` says never gives does not give, in any drawn story; and a limit that never holds anything back may go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from hypothesis import event, given

from rewards.policy.compile import compile_policy
from rewards.policy.model import Policy, Times
from rewards.policy.problems import Problem
from tests.engine_adapter import run_engine
from tests.strategies.as_yaml import policy_yaml
from tests.strategies.cases import Case, cases


def problems_of(policy: Policy) -> tuple[list[str], list[Problem]]:
    """Return the lines of the policy as a file, and what `check` finds in it."""
    text = policy_yaml(policy)
    return text.splitlines(), compile_policy(text.encode())[1]


def rule_at(lines: list[str], line: int, policy: Policy) -> str:
    """Return the rule or offer that a line of the file belongs to."""
    for text in reversed(lines[:line]):
        found = re.match(r'  "?([\w-]+)"?:', text)
        if found and found[1] in (*policy.rules, *policy.offers):
            return found[1]
    raise AssertionError(lines[line - 1])


@given(case=cases())
def test_what_never_gives_gives_nothing(case: Case) -> None:
    _, policy = case.versions[0]
    lines, problems = problems_of(policy)
    # a line with two categories is in selections that are taken to be apart, so multipliers are left out
    said = [one for one in problems if one.code == "never-gives" and "it multiplies" not in one.message]
    never = {rule_at(lines, one.line, policy) for one in said}
    if never:
        event("warned of")
    found = run_engine([case.versions[0]], case.story.joined, case.arrived)
    gave = {rule for points in found.earned().values() for rule in points}
    assert gave & never == set()


@given(case=cases())
def test_what_never_holds_back_may_go(case: Case) -> None:
    first, policy = case.versions[0]
    lines, problems = problems_of(policy)
    idle = {rule_at(lines, one.line, policy) for one in problems if one.code == "limit-cannot-bind"}
    idle = {name for name in idle if name in policy.rules and len(policy.rules[name].limits) == 1}
    if not idle:
        return
    event("warned of")
    rules = {name: replace(rule, limits=() if name in idle else rule.limits) for name, rule in policy.rules.items()}
    free = replace(policy, rules=rules, version=f"{policy.version}-free")
    with_limit, without = (run_engine([(first, one)], case.story.joined, case.arrived) for one in (policy, free))
    assert with_limit.earned() == without.earned()


@given(case=cases())
def test_what_another_rule_always_matches_may_go(case: Case) -> None:
    first, policy = case.versions[0]
    lines, problems = problems_of(policy)
    beaten = {rule_at(lines, one.line, policy) for one in problems if one.code == "always-beaten"} & policy.rules.keys()
    beaten -= {base for rule in policy.rules.values() if isinstance(rule.gives, Times) for base in rule.gives.of}
    if not beaten:
        return
    event("warned of")
    rules = {name: rule for name, rule in policy.rules.items() if name not in beaten}
    fewer = replace(policy, rules=rules, version=f"{policy.version}-fewer")
    outcomes = [run_engine([(first, one)], case.story.joined, case.arrived).earned() for one in (policy, fewer)]
    sums = [{day: by_wallet(policy, points) for day, points in outcome.items()} for outcome in outcomes]
    assert sums[0] == sums[1]


def by_wallet(policy: Policy, points: Mapping[str, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for rule, given_points in points.items():
        wallet = policy.rules[rule].wallet
        found[wallet] = found.get(wallet, 0) + given_points
    return found
