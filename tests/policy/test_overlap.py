"""When two offers may meet on a unit, as far as the file tells."""

from __future__ import annotations

import pytest

from rewards.policy.compile import compile_policy
from tests.policies import program

HEAD = program("""attributes: {lines: {size: [small, large]}}
offers:
""")


def meet(one: str, other: str) -> bool:
    text = HEAD + f"  one: {{{one}, free: {{units: 1}}}}\n  other: {{{other}, free: {{units: 1}}}}\n"
    _, problems = compile_policy(text.encode())
    assert {problem.code for problem in problems} <= {"free-overlap", "except-two-keys"}, problems
    return any(problem.code == "free-overlap" for problem in problems)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("skus: [A, B]", "skus: [C]"),
        ("categories: [tea]", "categories: [bread, cake]"),
        ("skus: [A], categories: [tea]", "skus: [A], categories: [bread]"),
        ("price: {at_most: 1.99}", "price: {at_least: 2.00}"),
        ("attributes: {size: small}", "attributes: {size: [large]}"),
        ("stored_value: [card]", "categories: [tea]"),
        ("stored_value: [card]", "stored_value: [other-card]"),
        ("categories: [tea], except: {skus: [A, B]}", "skus: [A], price: {at_least: 1.00}"),
        ("except: {categories: [tea, cake]}", "categories: [tea]"),
        ("except: [{skus: [A]}, {price: {at_least: 5.00, at_most: 9.00}}]", "price: {at_least: 6.00, at_most: 7.00}"),
        ("except: {attributes: {size: [small]}}", "attributes: {size: small}"),
    ],
)
def test_lines_that_are_kept_apart(one: str, other: str) -> None:
    assert not meet(f"on: {{{one}}}", f"on: {{{other}}}")
    assert not meet(f"on: {{{other}}}", f"on: {{{one}}}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("skus: [A, B]", "skus: [B, C]"),
        ("skus: [A]", "categories: [tea]"),
        ("price: {at_most: 2.00}", "price: {at_least: 2.00}"),
        ("attributes: {size: small}", "categories: [tea]"),
        ("stored_value: [card]", "stored_value: [card]"),
        ("except: {skus: [A]}", "skus: [A, B]"),
        ("except: {skus: [A], categories: [tea]}", "skus: [A]"),
        ("except: {categories: [tea], except: {skus: [A]}}", "categories: [tea]"),
        ("except: {price: {at_least: 5.00}}", "price: {at_least: 4.00}"),
        ("except: {price: {at_most: 5.00}}", "skus: [A]"),
        ("except: {stored_value: [card]}", "categories: [tea]"),
    ],
)
def test_lines_that_may_be_in_both(one: str, other: str) -> None:
    assert meet(f"on: {{{one}}}", f"on: {{{other}}}")
    assert meet(f"on: {{{other}}}", f"on: {{{one}}}")


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("days: [mon]", "days: [tue, wed]", False),
        ("days: [mon, tue]", "days: [tue, wed]", True),
        ("dates: [2027-01-04]", "dates: [2027-01-05]", False),
        ("until: 2027-01-04", "from: 2027-01-05", False),
        ("until: 2027-01-05", "from: 2027-01-05", True),
        ("from: 2027-01-01", "from: 2028-01-05", True),
        ("stores: [north]", "stores: [south]", False),
        ("stores: [north]", "days: [mon]", True),
        ("hours: 08:00-12:00", "hours: 12:00-14:00", False),
        ("hours: 08:00-12:01", "hours: 12:00-14:00", True),
        ("hours: 22:00-02:00", "hours: 02:00-22:00", False),
        ("hours: 22:00-02:00", "hours: 01:00-03:00", True),
        ("days: [mon], hours: 22:00-02:00", "days: [tue]", True),  # Tuesday at 01:00 is Monday's for the first
        ("days: [mon], hours: 22:00-02:00", "days: [tue], hours: 22:00-02:00", False),
        ("days: [mon], hours: 22:00-21:00", "days: [tue], hours: 20:00-02:00", True),
    ],
)
def test_schedules(one: str, other: str, *, expected: bool) -> None:
    assert meet(f"schedule: {{{one}}}", f"schedule: {{{other}}}") is expected
    assert meet(f"schedule: {{{other}}}", f"schedule: {{{one}}}") is expected
