"""Rewards in a basket that take nothing off it: redemptions of their own, made and taken back with the purchase."""

from datetime import UTC, datetime, timedelta

from rewards.basket import AskedReward
from rewards.service.commands import Publish, RecordPurchase

from .conftest import DAY, line
from .test_card_money import refusal
from .test_redemptions import POLICY, counter

__all__ = ["counter"]


def wants(*names, **facts):
    return {"rewards": tuple(AskedReward(reward=name, **facts) for name in names)}


def test_a_purchase_gives_an_item_and_a_card(counter):
    answer = counter.buy("r1", 1000, **wants("mug", "card"))
    assert answer["totals"]["spent"] == {"beans": 200}
    assert [(one["reward"], one.get("item"), one["points"]) for one in answer["redemptions"]] == [
        ("mug", "mug", 100),
        ("card", None, 100),
    ]
    (card,) = answer["gift_cards_issued"]
    assert (card["giver"], card["amount_minor"]) == ("card", 150)
    assert counter.balance(card) == 150
    assert answer["balance"]["beans"]["available"] == counter.beans() == 400
    again = counter.buy("r1", 1000, **wants("mug", "card"))
    assert again["gift_cards_issued"][0].pop("code") != card.pop("code")
    assert again | {"gift_cards_issued": []} == answer | {"gift_cards_issued": []}
    told = counter.service.purchase(answer["purchase_id"])
    assert [one.redemption_id for one in told.redemptions] == [one["redemption_id"] for one in answer["redemptions"]]


def test_a_quote_says_what_it_would_be_and_books_nothing(counter):
    basket = counter.basket("r1", 1000, **wants("mug", "card"))
    quote = counter.service.quote(basket)
    assert [one.reward for one in quote.redemptions] == ["mug", "card"]
    assert (quote.balance["beans"].available, quote.gift_cards_issued) == (400, [])
    assert counter.beans() == 500
    promised = counter.ask(RecordPurchase(counter.basket("r1", 1000, quote=quote.quote, **wants("mug", "card"))))
    assert promised["totals"]["spent"] == {"beans": 200}


def test_points_that_rewards_take_pay_nothing_else(counter):
    assert refusal(counter.buy, "r1", **wants("card", times=6)).facts == {"available": 500, "wanted": 600}
    assert refusal(counter.buy, "r1", **wants("mug", "mug", "mug")).code == "reward-limit"
    assert refusal(counter.buy, "r1", **wants("any")).code == "reward-not-in-basket"
    assert refusal(counter.buy, "r1", card=None, **wants("mug")).code == "reward-needs-member"
    assert counter.beans() == 500


def test_the_return_of_everything_takes_the_rewards_back(counter):
    first = counter.buy("r1", 1000, **wants("mug", "card"))
    answer = counter.ask(counter.give_back())
    assert [(one["reward"], one["restored"]) for one in answer["redemptions_cancelled"]] == [
        ("mug", 100),
        ("card", 100),
    ]
    (voided,) = answer["redemptions_cancelled"][1]["gift_cards_voided"]
    assert (voided["gift_card_id"], voided["voided_minor"]) == (
        first["gift_cards_issued"][0]["gift_card_id"],
        150,
    )
    assert (counter.beans(), counter.accounts()) == (500, {"given": -150, "taken_back": 150})
    assert counter.ask(counter.give_back()) == answer
    assert counter.redeem("mug", times=2)["points"] == 200  # the limit counts it no longer


def test_the_return_of_a_part_takes_no_reward_back(counter):
    counter.buy("r1", lines=(line("1"), line("2")), **wants("mug"))
    assert "redemptions_cancelled" not in counter.ask(counter.give_back(lines={"1": 1}))
    assert "redemptions_cancelled" in counter.ask(counter.give_back("b2"))


def test_what_was_spent_of_a_card_keeps_its_points_when_all_comes_back(counter):
    first = counter.buy("r1", 1000, **wants("card", times=2))
    counter.act(first["gift_cards_issued"][0], "REDEEM", 150)
    (cancelled,) = counter.ask(counter.give_back())["redemptions_cancelled"]
    assert (cancelled["restored"], cancelled["kept"]) == (100, 100)
    used = counter.buy("r2", 1000, **wants("ten"))
    counter.buy("r3", 1000, codes=(used["gift_cards_issued"][0]["code"],))
    assert "redemptions_cancelled" not in counter.ask(counter.give_back("b2", of="r2"))


def test_a_return_that_waited_for_its_purchase_takes_the_rewards_back_too(counter):
    counter.ask(counter.give_back())
    counter.buy("r1", 1000, **wants("mug"))
    assert counter.beans() == 500


def test_a_reward_that_was_cancelled_before_is_not_again(counter):
    (one,) = counter.buy("r1", 1000, **wants("mug"))["redemptions"]
    counter.cancel({"member_id": counter.member_id, **one})
    assert "redemptions_cancelled" not in counter.ask(counter.give_back())
    assert counter.beans() == 500


def test_a_late_purchase_takes_nothing_that_was_spent_since(counter):
    then = counter.clock.now
    counter.clock.now += DAY
    counter.redeem("any", points=450)
    assert refusal(counter.buy, "r1", 1000, at=then, **wants("mug")).code == "not-enough-points"
    assert counter.buy("r1", 1000, at=then, **wants("ten"))["totals"]["spent"] == {"beans": 50}
    assert counter.beans("debt") == 0


def test_what_is_within_reach_and_what_is_next(counter):
    def told(name):
        (one,) = [one for one in counter.service.balance(counter.member_id).rewards if one.reward == name]
        return one.times, one.short, one.not_now or one.most

    assert told("mug") == (2, 0, 0)
    assert told("old-hand") == (0, 0, "1 short of 2 visits")
    assert told("any") == (1, 0, 500)
    counter.redeem("any", points=450)
    assert told("mug") == (0, 50, 0)
    order = [one.reward for one in counter.service.balance(counter.member_id).rewards]
    assert order == ["ten", "cup", "any", "card", "mug", "old-hand"]
    counter.clock.now += DAY
    counter.buy("r1", 5000)
    counter.redeem("mug", times=2)
    assert told("mug") == (0, 0, "the limit is used up")
    basket = counter.basket("q")
    assert [one.reward for one in counter.service.quote(basket).rewards][-1] == "mug"


def test_a_limit_holds_for_what_quotes_promised_too(counter):
    quotes = [counter.service.quote(counter.basket(f"r{i}", 1000, **wants("mug", times=2))).quote for i in (1, 2)]
    counter.buy("r1", 1000, quote=quotes[0], **wants("mug", times=2))
    gone = refusal(counter.buy, "r2", 1000, quote=quotes[1], **wants("mug", times=2))
    assert (gone.code, gone.pointer, gone.facts) == ("offer-gone", "/quote", {"reward": "mug"})


def test_a_reward_that_the_policy_lost_since_the_quote_is_gone(counter):
    counter.clock.now = datetime(2026, 12, 2, 22, 50, tzinfo=UTC)
    late = counter.basket("r1", 1000, **wants("mug"))
    quote = counter.service.quote(late).quote
    counter.service.do(Publish(POLICY.replace(b"  mug:", b"  jug:")))
    counter.clock.now += timedelta(minutes=20)
    assert refusal(counter.buy, "r1", 1000, quote=quote, **wants("mug")).code == "offer-gone"
