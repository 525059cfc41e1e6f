"""The generators draw every key of the schema, every word of each choice, and every kind of value that a key takes.

A key that a policy file may say and that no law has seen is a promise nobody checked; a key
that is added to the schema fails here until the strategies draw it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings

from rewards.policy.forms import Form
from rewards.policy.schema import POLICY
from rewards.policy.shared_schema import DEFINITIONS
from rewards.policy.structure import Either, Fields, ListOf, Named, Ref, Shape
from tests.strategies import catalogue, rules, till, words
from tests.strategies.as_yaml import policy_yaml
from tests.strategies.cases import cases

EXAMPLES = 400
EXCEPT = {
    "policy.earn.*.limit.times": "read as so many points; limits of points are drawn",
    "policy.earn.*.limit[].times": "as above",
    "policy.activities.*.limit.times": "as above",
    "policy.activities.*.limit[].times": "as above",
    "policy.offers.*.budget.per=receipt": "read as a limit; those are drawn",
    "policy.offers.*.budget[].per=receipt": "as above",
}


def places(shape: Shape, path: str) -> Iterator[str]:
    """Name everything that may stand at a place; what holds itself is named once, by its own name."""
    match shape:
        case Form():
            yield from (f"{path}={option}" for option in shape.options)
        case Fields():
            for key in shape.keys:
                yield f"{path}.{key.name}"
                yield from places(key.shape, f"{path}.{key.name}")
        case Named():
            yield from places(shape.of, f"{path}.*")
        case ListOf():
            yield from places(shape.of, f"{path}[]")
        case Either():
            for kind in ("scalar", "list", "map"):
                inner = getattr(shape, kind)
                if inner is not None and (not isinstance(inner, Fields) or inner.keys):
                    yield f"{path}:{kind}"
                    yield from places(inner, path)


def all_places() -> set[str]:
    return {place for name, shape in (("policy", POLICY), *DEFINITIONS.items()) for place in places(shape, name)} - set(
        EXCEPT
    )


def said(shape: Shape, value: object, path: str) -> Iterator[str]:
    """Name everything that a file says at a place."""
    match shape:
        case Ref():
            yield from said(DEFINITIONS[shape.name], value, shape.name)
        case Form():
            yield from (f"{path}={option}" for option in shape.options if option == value)
        case Fields():
            assert isinstance(value, dict)
            shapes = {key.name: key.shape for key in shape.keys}
            for key, inner in value.items():
                yield f"{path}.{key}"
                yield from said(shapes[key], inner, f"{path}.{key}")
        case Named():
            assert isinstance(value, dict)
            for inner in value.values():
                yield from said(shape.of, inner, f"{path}.*")
        case ListOf():
            assert isinstance(value, list)
            for inner in value:
                yield from said(shape.of, inner, f"{path}[]")
        case Either():
            kind = "map" if isinstance(value, dict) else "list" if isinstance(value, list) else "scalar"
            yield f"{path}:{kind}"
            yield from said(getattr(shape, kind), value, path)


def said_by_drawn_policies(count: int) -> set[str]:
    found: set[str] = set()

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(most_receipts=1))
    def collect(case: object) -> None:
        for _, policy in case.versions:  # type: ignore[attr-defined]
            data = yaml.load(policy_yaml(policy), Loader=yaml.BaseLoader)
            found.update(said(POLICY, data, "policy"))

    collect()
    return found


def test_every_key_and_every_choice_is_drawn() -> None:
    missing = all_places() - said_by_drawn_policies(EXAMPLES)

    assert not missing, f"{len(missing)} places of the schema are never drawn: {sorted(missing)}"


def test_a_draw_that_is_gone_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "ROUNDINGS", ("down",))
    monkeypatch.setattr(words, "CODES", ("SPRING",))
    gates = ((rules, "GATES"), (rules, "CONDITIONS"), (till, "CONDITIONS"), (catalogue, "CONDITIONS"))
    for module, name in gates:
        monkeypatch.setattr(module, name, tuple(kind for kind in getattr(module, name) if kind != "anniversary"))

    assert all_places() - said_by_drawn_policies(EXAMPLES) == {
        "policy.points.*.round=half_up",
        "policy.points.*.round=up",
        "conditions.anniversary",
        "conditions.anniversary.within",
    }
