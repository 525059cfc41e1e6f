"""What a story that comes out otherwise says, for every kind of expectation."""

import pytest

from rewards.scenario.play import Failure
from tests.policies import program
from tests.scenarios.playing import HEAD, failure

POLICY = program("""points:
  points: {one: point, expires: {after: 12 months}}
earn:
  base: {every: 1.00, give: 1 point}
  hello: {when: {first_purchase: true}, give: 10 points}
  big: {when: {spend: {at_least: 20.00}}, give: 5 points}
returns: {}
""").encode()
BOUGHT = "{at: 2026-12-02 10:00, purchase: r1, member: ben, lines: [{sku: A, price: 10.00}]}"
BUY = BOUGHT[:-1] + ", expect: {%s}}"


def bought(expect: str) -> Failure | None:
    return failure(POLICY, BUY % expect)


def test_what_is_not_stated_is_not_compared() -> None:
    assert failure(POLICY, BOUGHT) is None
    assert failure(POLICY, "{at: 2026-12-02, balance: ana}") is None


@pytest.mark.parametrize(
    ("expect", "what", "expected", "actual"),
    [
        ("earned: {points: 21}", "earned: points", "21", "20"),
        ("earned: {points: 0}", "earned: points", "0", "20"),
        ("earned_by: {base: 9}", "earned_by: base", "9", "10"),
        ("earned_by: {big: 5}", "earned_by: big", "5", "0"),
        ("would_earn: {points: 20}", "would_earn: points", "20", "0"),
        ("due: 9.99", "due", "9.99", "10.00"),
        ("discount: 0.01", "discount", "0.01", "0.00"),
        ("lines: {1: {net: 9.00}}", "lines: 1: net", "9.00", "10.00"),
        ("lines: {2: {net: 9.00}}", "lines: 2: net", "9.00", "nothing"),
        ("gives: [big]", "gives: big", "gave something", "gave nothing"),
        ("not_gives: [hello]", "not_gives: hello", "gave nothing", "gave something"),
        ("balance: {points: 10}", "balance: points", "10", "20"),
        ("pending: {points: 1}", "pending: points", "1", "0"),
        ("debt: {points: 1}", "debt: points", "1", "0"),
        ("next_expiry: {points: 2027-12-01}", "next_expiry: points", "2027-12-01", "2027-12-02"),
        (
            "next_expiry: {points: {points: 19 points, at: 2027-12-02}}",
            "next_expiry: points",
            "19 on 2027-12-02",
            "20 on 2027-12-02",
        ),
        ("refused: true", "refused", "to be refused", "it was taken"),
        ("refused: unknown-member", "refused", "refused with `unknown-member`", "it was taken"),
        ("parked: true", "parked", "a figure of `return`", "this step is `purchase`"),
        ("codes_refused: {X: used}", "codes_refused: X", "used", "not refused"),
    ],
)
def test_a_wrong_expectation_fails_with_both_figures(expect: str, what: str, expected: str, actual: str) -> None:
    found = bought(expect)
    assert found is not None
    assert [(one.what, one.expected, one.actual) for one in found.mismatches] == [(what, expected, actual)]


def test_the_explanation_comes_with_the_failure() -> None:
    found = bought("earned: {points: 21}")
    assert found is not None
    assert found.step.number == 1
    assert found.step.says == "purchase r1"
    assert any(text.startswith("`base` gave 10 points: ") for text in found.explanation)
    assert any(text.startswith("`big` gave nothing: ") for text in found.explanation)


def test_why_is_looked_for_in_the_explanation() -> None:
    assert bought("why: 10 whole 1.00") is None
    found = bought("why: [10 whole 1.00, out of thin air]")
    assert found is not None
    assert [one.expected for one in found.mismatches] == ["`out of thin air` in the explanation"]


def test_an_unexpected_refusal_fails_and_says_why() -> None:
    found = failure(POLICY, "{at: 2026-12-02, purchase: r1, member: ben, currency: USD, lines: [{price: 1.00}]}")
    assert found is not None
    assert found.mismatches[0].actual.startswith("refused with `currency-mismatch`: ")


def test_another_refusal_than_the_expected_one_fails() -> None:
    found = failure(
        POLICY,
        "{at: 2026-12-02, purchase: r1, member: ben, currency: USD, lines: [{price: 1.00}], expect: {refused: due-changed}}",
    )
    assert found is not None
    assert found.mismatches[0].actual.startswith("`currency-mismatch`: ")


def test_a_member_who_is_refused_fails_the_story() -> None:
    found = failure(POLICY, "{at: 2026-12-02, balance: ana}", HEAD.replace("ben: {}", 'ben: {card: "2600000001230"}'))
    assert found is not None
    ((what, expected, actual),) = [(one.what, one.expected, one.actual) for one in found.mismatches]
    assert (what, expected) == ("members: ben", "to be enrolled")
    assert actual.startswith("refused with `")


def test_an_opening_balance_may_be_zero() -> None:
    head = HEAD.replace("points: 100", "points: 0")
    assert failure(POLICY, "{at: 2026-12-02, balance: ana, expect: {balance: {points: 0}}}", head) is None


def test_a_story_ends_at_its_first_failing_step() -> None:
    found = failure(POLICY, f"{BUY % 'earned: {points: 1}'}\n{(BUY % 'earned: {points: 2}').replace('r1', 'r2')}")
    assert found is not None
    assert found.step.number == 1


def test_a_wallet_is_asked_for_and_there_is_no_member() -> None:
    found = failure(POLICY, "{at: 2026-12-02, purchase: r1, lines: [{price: 1.00}], expect: {balance: {points: 0}}}")
    assert found is not None
    assert found.mismatches[0].actual == "this step has no member"


def test_returns_take_back_by_wallet_and_rule() -> None:
    assert (
        failure(
            POLICY,
            f"{BOUGHT}\n{{at: 2026-12-03, return: {{of: r1, all: true}}, expect: {{taken_back: {{points: 20}}}}}}",
        )
        is None
    )
    found = failure(
        POLICY,
        f"{BOUGHT}\n{{at: 2026-12-03, return: {{of: r1, all: true}}, expect: {{taken_back_by: {{base: 9}}, refund: {{cash: 1.00}}}}}}",
    )
    assert found is not None
    assert [(one.what, one.actual) for one in found.mismatches] == [
        ("taken_back_by: base", "10"),
        ("refund: cash", "10.00"),
    ]


def test_members_join_the_day_before_the_first_step_by_default() -> None:
    assert (
        failure(POLICY, "{at: 2026-12-02, adjust: {member: ben, give: 5 points}, expect: {balance: {points: 5}}}")
        is None
    )


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("{at: 2026-12-02, balance: ana, expect: {earned: {points: 0}}}", "earned"),
        ("{at: 2026-12-02, balance: ana, expect: {not_gives: [base]}}", "not_gives"),
        (BUY % "refund: {cash: 0.00}", "refund"),
        (BUY % "taken_back: {points: 0}", "taken_back"),
    ],
)
def test_a_figure_that_the_step_cannot_have_fails(step: str, what: str) -> None:
    found = failure(POLICY, step)
    assert found is not None
    assert [one.what for one in found.mismatches] == [what]
    assert found.mismatches[0].expected.startswith("a figure of")


def test_a_figure_of_a_refused_step_fails() -> None:
    found = failure(
        POLICY, BUY.replace("member: ben", "member: ben, currency: USD") % "refused: currency-mismatch, gives: [base]"
    )
    assert found is not None
    assert [(one.what, one.actual) for one in found.mismatches] == [("gives", "this step was refused")]
