"""Rewards outside a basket: what points buy by call, how it is taken back, and what refuses it."""

from datetime import timedelta

import pytest

from rewards.basket import MemberRef
from rewards.errors import NotFound
from rewards.service.commands import CancelRedemption, ChangeMember, Redeem
from tests.policies import program

from .conftest import DAY, opened
from .test_card_money import ANA, Desk, refusal

POLICY = program("""points:
  beans: {one: bean, expires: {after: 12 months}}
earn:
  beans: {every: 1.00, give: 10 beans}
offers:
  free-cup: {on: {categories: [coffee]}, only_by: reward, free: {units: 1}}
  tenth: {only_by: voucher, percent_off: 10%}
rewards:
  cup: {cost: 90 beans, gives: {offer: free-cup}}
  mug: {title: A mug, cost: 100 beans, gives: {item: mug}, limit: {times: 2, per: month}}
  card: {cost: 100 beans, gives: {gift_card: thanks, value: 1.50}}
  any: {cost: {at_least: 100 beans, step: 50 beans}, gives: {gift_card: thanks, value: 0.01, per: point}}
  ten: {cost: 50 beans, gives: {gift_card: tenth}}
  old-hand: {cost: 10 beans, gives: {item: pin}, when: {visits: {at_least: 2, within: 12 months}}}
gift_cards:
  thanks: {kind: promotional, expires: {after: 60 days}, max_balance: 5.00, to: member}
  tenth: {kind: voucher, offer: tenth, expires: {after: 60 days}}
returns: {accept_within: 90 days, restored_points_last: 14 days}
""").encode()


class Counter(Desk):
    """A desk at which points buy rewards."""

    member_id = ""

    def redeem(self, reward="mug", *, key=None, card=ANA, **facts):
        return self.ask(Redeem(member=MemberRef(card=card), reward=reward, **facts), key=key)

    def cancel(self, redemption, **how):
        command = CancelRedemption(
            member_id=redemption["member_id"],
            redemption_id=redemption["redemption_id"],
            reason="a slip",
            actor="kim",
        )
        return self.ask(command, **how)

    def beans(self, which="available"):
        return getattr(self.service.balance(self.member_id).wallets["beans"], which)


@pytest.fixture
def counter(tmp_path, clock):
    counter = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock, POLICY, Counter)
    counter.member_id = counter.enrol(ANA)["member_id"]
    counter.buy("r0", 5000)
    yield counter
    counter.close()


def test_points_buy_an_item(counter):
    answer = counter.redeem("mug", times=2)
    assert {key: answer[key] for key in ("reward", "title", "times", "wallet", "points", "item")} == {
        "reward": "mug",
        "title": "A mug",
        "times": 2,
        "wallet": "beans",
        "points": 200,
        "item": "mug",
    }
    (lot,) = answer["lots"]
    assert lot == {"lot": "beans:2026-12-02", "points": 200, "expires_at": "2027-12-02T00:00:00+01:00"}
    assert answer["balance"]["beans"]["available"] == counter.beans() == 300


def test_points_buy_a_gift_card_whose_code_is_told_once(counter):
    first, again = (counter.redeem("card", times=2, key="k") for _ in range(2))
    cards = first["gift_cards_issued"]
    assert [(one["product"], one["amount_minor"]) for one in cards] == [("thanks", 150)] * 2
    assert [one.pop("code") for one in cards] != [one.pop("code") for one in again["gift_cards_issued"]]
    assert first == again
    assert counter.beans() == 300
    assert counter.accounts() == {"lot": 300, "given": -300}
    assert [card.balance_minor for card in counter.service.balance(counter.member_id).gift_cards] == [150, 150]


def test_any_number_of_points_becomes_a_voucher_of_that_value(counter):
    answer = counter.redeem("any", points=350)
    assert answer["gift_cards_issued"][0]["amount_minor"] == answer["value_minor"] == 350
    assert counter.beans() == 150


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"reward": "nothing"}, "unknown-reward"),
        ({"reward": "cup"}, "reward-needs-basket"),
        ({"reward": "mug", "times": 3}, "reward-limit"),
        ({"reward": "mug", "points": 100}, "reward-points"),
        ({"reward": "any"}, "reward-points"),
        ({"reward": "any", "points": 120}, "reward-points"),
        ({"reward": "any", "points": 50}, "reward-points"),
        ({"reward": "any", "points": 100, "times": 2}, "reward-points"),
        ({"reward": "any", "points": 550}, "not-enough-points"),
        ({"reward": "card", "times": 6}, "not-enough-points"),
        ({"reward": "old-hand"}, "reward-not-now"),
    ],
)
def test_what_is_refused_takes_nothing(counter, asked, code):
    assert refusal(counter.redeem, **asked).code == code
    assert counter.beans() == 500


def test_a_card_that_would_hold_too_much_is_refused(counter):
    counter.buy("r1", 5000)
    assert refusal(counter.redeem, "any", points=550).code == "balance-too-high"


def test_a_limit_counts_in_its_window_and_a_cancelled_reward_is_none(counter):
    counter.redeem("mug")
    second = counter.redeem("mug")
    assert refusal(counter.redeem, "mug").facts["reward"] == "mug"
    counter.cancel(second)
    counter.redeem("mug")
    counter.clock.now += 30 * DAY
    assert counter.redeem("mug")["points"] == 100


def test_a_condition_is_looked_at_on_the_day(counter):
    counter.clock.now += DAY
    counter.buy("r1", 100)
    assert counter.redeem("old-hand")["item"] == "pin"


def test_points_go_back_into_their_own_lots(counter):
    counter.clock.now += 100 * DAY
    counter.buy("r1", 1000)
    redemption = counter.redeem("card", times=5)
    answer = counter.cancel(redemption)
    assert (answer["restored"], answer.get("kept", 0)) == (500, 0)
    assert answer["lots"] == redemption["lots"]
    assert (answer["state"], answer["reason"], answer["actor"]) == ("cancelled", "a slip", "kim")
    assert [one["voided_minor"] for one in answer["gift_cards_voided"]] == [150] * 5
    assert (counter.beans(), counter.accounts()) == (600, {"given": -750, "taken_back": 750})
    assert counter.cancel(redemption) == answer
    assert counter.beans() == 600


def test_points_that_have_ended_meanwhile_last_a_little_longer(counter):
    redemption = counter.redeem("mug")
    counter.clock.now += 366 * DAY
    answer = counter.cancel(redemption)
    assert answer["lots"][-1]["lot"].endswith(":restored")
    assert counter.beans() == 100
    counter.clock.now += 14 * DAY
    assert counter.beans() == 0


def test_what_was_spent_of_a_card_keeps_its_points(counter):
    redemption = counter.redeem("card", times=2)
    counter.act(redemption["gift_cards_issued"][0], "REDEEM", 50)
    answer = counter.cancel(redemption)
    assert (answer["restored"], answer["kept"]) == (166, 34)  # 2.50 of 3.00 are left: 166 of 200 beans
    assert [(one["voided_minor"], one["spent_minor"]) for one in answer["gift_cards_voided"]] == [(100, 50), (150, 0)]
    assert counter.beans() == 466


def test_what_was_used_up_is_not_taken_back(counter):
    redemption = counter.redeem("card")
    counter.act(redemption["gift_cards_issued"][0], "REDEEM", 150)
    assert refusal(counter.cancel, redemption).code == "reward-used"
    voucher = counter.redeem("ten")
    counter.buy("r1", 1000, codes=(voucher["gift_cards_issued"][0]["code"],))
    assert refusal(counter.cancel, voucher).code == "reward-used"


def test_a_voucher_that_was_not_used_is_no_good_any_more(counter):
    voucher = counter.redeem("ten")
    assert counter.cancel(voucher)["restored"] == 50
    refused = counter.buy("r1", 1000, codes=(voucher["gift_cards_issued"][0]["code"],))["codes_refused"]
    assert [one["reason"] for one in refused] == ["deactivated"]


def test_only_the_members_own_redemptions_are_taken_back(counter):
    redemption = counter.redeem("mug")
    other = counter.enrol("2600000002042")["member_id"]
    for wrong in ({"member_id": other}, {"redemption_id": "red_nothing"}):
        with pytest.raises(NotFound):
            counter.cancel({**redemption, **wrong})


def test_a_late_redemption_takes_nothing_that_was_spent_since(counter):
    then = counter.clock.now
    counter.clock.now += DAY
    counter.redeem("any", points=450)
    assert refusal(counter.redeem, "card", occurred_at=then + timedelta(hours=1)).code == "not-enough-points"
    assert counter.redeem("ten", occurred_at=then + timedelta(hours=1))["points"] == 50
    assert (counter.beans(), counter.beans("debt")) == (0, 0)


def test_a_blocked_member_has_none(counter):
    redemption = counter.redeem("mug")
    counter.service.do(ChangeMember(member_id=counter.member_id, state="blocked"))
    assert refusal(counter.redeem).code == "member-blocked"
    assert counter.cancel(redemption)["restored"] == 100  # staff put right what was wrong


def test_the_report_knows_what_was_spent_and_given_back(counter):
    counter.cancel(counter.redeem("mug"))
    counter.redeem("any", points=150)
    row = next(row for row in reversed(counter.service.liability().rows) if row.unit == "beans")
    assert (row.issued, row.spent, row.restored, row.closing, row.difference) == (500, 250, 100, 350, 0)


def test_a_statement_says_which_reward(counter):
    counter.cancel(counter.redeem("mug"))
    back, gone = counter.service.statement(counter.member_id).entries[:2]
    assert (gone.kind, gone.reward, gone.points) == ("redemption", "mug", {"beans": -100})
    assert [(one.title, one.points, one.why) for one in gone.changes] == [("A mug", -100, "paid for a reward")]
    assert (back.kind, back.redemption_id, back.reason, back.actor) == (
        "cancellation",
        gone.redemption_id,
        "a slip",
        "kim",
    )
