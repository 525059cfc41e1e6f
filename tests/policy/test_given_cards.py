"""What rules that give gift cards are compiled into, their limits, and the section `fairness`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rewards.policy.activity_model import FOR_REFERRER, EachTime
from rewards.policy.compile import compile_policy, load_policy
from rewards.policy.fairness import PROMISES
from rewards.policy.model import Accepted, Flat, GivenCard, Limit, Policy, Rate
from tests.policies import program

HEAD = program("""attributes: {members: {student: boolean}}
points: {beans: {one: bean}}
offers: {tenth: {only_by: voucher, percent_off: 10%}}
gift_cards:
  cafe: {kind: paid}
  bonus: {kind: promotional, value: 5.00}
  sorry: {kind: promotional}
  flyer: {kind: voucher, offer: tenth}
returns: {accept_within: 90 days}
""")


def policy(*rules: str, more: str = "") -> Policy:
    listed = "".join(f"  {rule}\n" for rule in rules)
    return load_policy(f"{HEAD}earn:\n  beans: {{every: 1.00, give: 5 beans}}\n{listed}{more}".encode())


@pytest.mark.parametrize(
    ("rule", "card", "gives"),
    [
        ("x: {every: 50.00, give: {gift_card: bonus}}", GivenCard("bonus", 500), Rate("spend", 5000, 1)),
        ("x: {give: {gift_card: sorry, value: 2.50}}", GivenCard("sorry", 250), Flat(1)),
        (
            "x: {every: 10 visits, measure: year, give: {gift_card: flyer}}",
            GivenCard("flyer", 0),
            Rate("visits", 10, 1),
        ),
    ],
)
def test_a_card_counts_as_one_of_no_wallet(rule: str, card: GivenCard, gives: object) -> None:
    found = policy(rule).rules["x"]
    assert (found.card, found.gives, found.wallet) == (card, gives, "")


def test_activities_give_cards_to_both_sides_of_a_referral() -> None:
    more = "activities:\n  referral: {give: 5 beans, for_referrer: {gift_card: bonus}, limit: {times: 3, per: year}}\n"
    rules = policy(more=more).rules
    assert (rules["referral"].wallet, rules["referral"].card) == ("beans", None)
    assert (rules[FOR_REFERRER].card, rules[FOR_REFERRER].gives) == (GivenCard("bonus", 500), EachTime("referral", 1))
    assert rules[FOR_REFERRER].limits == (Limit(3, "year"),)


@pytest.mark.parametrize(
    ("rule", "points"),
    [
        ("x: {every: 50.00, give: {gift_card: bonus}, limit: {times: 2, per: month}}", 2),
        ("x: {every: 50.00, give: {gift_card: bonus}, limit: {money: 14.99, per: month}}", 2),
        ("x: {every: 50.00, give: {gift_card: sorry, value: 0.50}, limit: {money: 14.99, per: month}}", 29),
        ("x: {every: 2 units, give: 3 beans, limit: {units: 9, per: month}}", 12),
        ("x: {every: 2 units, give: 3 beans, limit: {units: 2 units, per: month}}", 3),
    ],
)
def test_limits_in_times_money_and_units(rule: str, points: int) -> None:
    assert policy(rule).rules["x"].limits == (Limit(points, "month"),)


def test_another_product_or_value_means_something_else() -> None:
    rules = [
        "x: {every: 50.00, give: {gift_card: bonus}}",
        "x: {every: 50.00, give: {gift_card: sorry, value: 5.00}}",
        "x: {every: 50.00, give: {gift_card: sorry, value: 6.00}}",
        "x: {every: 50.00, give: 1 bean}",
    ]
    assert len({policy(rule).rules["x"].meaning for rule in rules}) == len(rules)
    plain = policy("x: {every: 50.00, give: 1 bean}").rules["x"]
    assert replace(plain, card=None) == plain


def test_fairness_is_kept_with_the_policy_and_said_to_be_unproved() -> None:
    more = """fairness:
  promise: [split_proof, never_less_today]
  accept:
    cliff: {at_most: 100 beans, because: one coupon}
    dead_zone: {at_most: 50.00, because: a whole card}
    reward_rate: {at_most: 12.5%, because: a gift}
    reads_member_facts: {facts: [student, birthday], because: terms for all}
    can_lower: {rules: [beans], because: none can}
"""
    found, problems = compile_policy(f"{HEAD}earn:\n  beans: {{every: 1.00, give: 5 beans}}\n{more}".encode())
    assert found is not None
    assert found.fairness is not None
    assert found.fairness.promise == ("split_proof", "never_less_today")
    assert found.fairness.accept == {
        "cliff": Accepted(because="one coupon", points=100, wallet="beans"),
        "dead_zone": Accepted(because="a whole card", minor=5000),
        "reward_rate": Accepted(because="a gift", share=(1, 8)),
        "reads_member_facts": Accepted(because="terms for all", names=("student", "birthday")),
        "can_lower": Accepted(because="none can", names=("beans",)),
    }
    assert [(problem.code, problem.severity) for problem in problems] == [("fairness-not-checked", "note")]


def test_every_promise_may_be_made() -> None:
    tiers = "tiers: {by: visits, measure: year, levels: {low: 0, high: 5 visits}}\n"
    kept = policy(more=f"{tiers}fairness: {{promise: [{', '.join(PROMISES)}]}}\n").fairness
    assert kept is not None
    assert kept.promise == PROMISES
    assert policy().fairness is None
