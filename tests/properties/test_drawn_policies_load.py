"""What the generators draw is what the loader reads: `check` accepts it, and every rule means the same."""

from __future__ import annotations

from dataclasses import fields

from hypothesis import given

from rewards.policy.compile import compile_policy
from rewards.policy.model import Policy
from rewards.policy.problems import PolicyRefused
from tests.strategies.as_yaml import policy_yaml
from tests.strategies.cases import Case, cases

_WRITTEN_ANEW = {
    "version",
    "rules",
    "eligible",
    "offers",
}  # the order of alternatives is free; meanings are compared instead


@given(case=cases())
def test_a_drawn_policy_loads_as_itself(case: Case) -> None:
    for _, policy in case.versions:
        loaded = _loaded(policy)
        for field in fields(Policy):
            if field.name not in _WRITTEN_ANEW:
                assert getattr(loaded, field.name) == getattr(policy, field.name)
        assert {key: rule.meaning for key, rule in loaded.rules.items()} == {
            key: rule.meaning for key, rule in policy.rules.items()
        }
        assert {key: offer.meaning for key, offer in loaded.offers.items()} == {
            key: offer.meaning for key, offer in policy.offers.items()
        }


def _loaded(policy: Policy) -> Policy:
    loaded, problems = compile_policy(policy_yaml(policy).encode())
    if loaded is None:
        raise PolicyRefused(problems)
    return loaded
