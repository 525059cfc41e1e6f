"""Stories about rewards outside a basket: what `redeem` and `cancel` do, and what can be expected of them."""

import pytest

from tests.policies import program
from tests.scenarios.playing import failure

POLICY = program("""points:
  points: {one: point, expires: {after: 12 months}}
earn:
  base: {every: 1.00, give: 1 point}
offers:
  free-cup: {on: {categories: [coffee]}, only_by: reward, free: {units: 1}}
rewards:
  cup: {cost: 90 points, gives: {offer: free-cup}}
  mug: {cost: 30 points, gives: {item: mug}}
  card: {cost: {at_least: 20 points, step: 10 points}, gives: {gift_card: thanks, value: 0.05, per: point}}
  monthly: {cost: 40 points, gives: {gift_card: two}, automatic: {at: end_of_month}}
gift_cards:
  thanks: {kind: promotional, to: member}
  two: {kind: promotional, value: 2.00, to: member}
returns: {}
""").encode()
GOOD = """\
{at: 2026-12-02, redeem: {member: ana, reward: cup, times: 2}, expect: {refused: not-enough-points, balance: {points: 100}}}
{at: 2026-12-02, redeem: {member: ana, reward: mug, id: m1}, expect: {spent: {points: 30}, gives: [mug], balance: {points: 70}}}
{at: 2026-12-02, redeem: {member: ana, reward: mug, id: m1}, expect: {balance: {points: 70}}}
{at: 2026-12-02, redeem: {member: ana, reward: card, points: 40 points, card: v1}, expect: {issued: {thanks: 1}, balance: {points: 30}}}
{at: 2026-12-02, card: v1, expect: {available: 2.00}}
{at: 2026-12-03 10:00, purchase: r1, member: ana, lines: [{price: 5.00}], rewards: [mug], tenders: [{card: v1, amount: 2.00}, {cash: 3.00}], expect: {spent: {points: 30}, gives: [mug], due: 3.00, balance: {points: 3}}}
{at: 2026-12-04, cancel: m1, expect: {restored: {points: 30}, balance: {points: 33}}}
{at: 2026-12-04, return: {of: r1, all: true}, expect: {restored: {points: 30}, balance: {points: 60}}}
{at: 2027-01-01, balance: ana, expect: {balance: {points: 20}}}
"""


def test_a_story_of_rewards() -> None:
    assert failure(POLICY, GOOD) is None


@pytest.mark.parametrize(
    ("step", "what"),
    [
        ("redeem: {member: ana, reward: mug}, expect: {spent: {points: 31}}", "spent: points"),
        ("redeem: {member: ana, reward: mug}, expect: {not_gives: [mug]}", "not_gives: mug"),
        ("redeem: {member: ana, reward: card, points: 20 points}, expect: {issued: {thanks: 2}}", "issued: thanks"),
        ("redeem: {member: ana, reward: mug, times: 4}", "the step"),
        ("redeem: {member: ana, reward: mug}, expect: {restored: {points: 30}}", "restored"),
    ],
)
def test_what_came_out_otherwise_is_told(step: str, what: str) -> None:
    failed = failure(POLICY, f"{{at: 2026-12-02, {step}}}")
    assert failed is not None
    assert [one.what for one in failed.mismatches] == [what]


def test_a_redemption_that_is_not_there_is_not_cancelled() -> None:
    with pytest.raises(AssertionError, match="there is no redemption `m2`"):
        failure(POLICY, "{at: 2026-12-02, cancel: m2}")
