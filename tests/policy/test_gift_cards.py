"""What gift cards are compiled into, and that the offers they give mean something else than open ones."""

from __future__ import annotations

from pathlib import Path

from rewards.days import Duration
from rewards.policy.compile import compile_policy, load_policy
from rewards.policy.model import Expiry, GiftCard, Loads, Match, Policy, Selection
from tests.policies import HEAD

HERE = Path(__file__).parent
OFFERS = "offers: {cup: {only_by: voucher, percent_off: 10%}}\n"


def policy(cards: str, offers: str = OFFERS) -> Policy:
    return load_policy(f"{HEAD}{offers}{cards}".encode())


def test_vouchers() -> None:
    cards = policy("""gift_cards:
  plain: {kind: voucher, offer: cup}
  never: {kind: voucher, offer: cup, expires: never, to: bearer}
  sorry: {kind: voucher, offer: cup, expires: {after: 30 days, at: end_of_month}, to: member}
""").gift_cards
    assert cards["plain"] == GiftCard(id="plain", kind="voucher", offer="cup")
    assert cards["never"] == GiftCard(id="never", kind="voucher", offer="cup")
    expires = Expiry(after=Duration(30, "days"), at="end_of_month")
    assert cards["sorry"] == GiftCard(id="sorry", kind="voucher", offer="cup", expires=expires, to="member")


def test_money() -> None:
    cards = policy("""gift_cards:
  cafe: {kind: paid, load: 5.00-250.00, max_balance: 500.00, vat: multi_purpose}
  fixed: {kind: paid, load: [25.00, 10.00], expires: {after: 36 months}}
  any: {kind: paid}
  bonus: {kind: promotional, value: 5.00, to: member, not_on: [fuel]}
selections: {fuel: {categories: [fuel]}}
""").gift_cards
    assert cards["cafe"] == GiftCard(
        id="cafe", kind="paid", load=Loads(500, 25000), max_balance=50000, vat="multi_purpose"
    )
    fixed = cards["fixed"].load
    assert fixed is not None
    assert [minor for minor in (500, 1000, 1001, 2500, 3000) if fixed.takes(minor)] == [1000, 2500]
    assert cards["any"] == GiftCard(id="any", kind="paid")
    fuel = Selection((Match(categories=frozenset({"fuel"})),))
    assert cards["bonus"] == GiftCard(id="bonus", kind="promotional", value=500, to="member", not_on=fuel)


def test_an_offer_by_voucher_means_something_else() -> None:
    cards = "gift_cards: {sorry: {kind: voucher, offer: cup}}\n"
    by_voucher, again = policy(cards), policy(cards, OFFERS.replace("cup:", "cup: ").replace("10%", "10.0%"))
    for_all = policy("", OFFERS.replace("only_by: voucher, ", ""))
    assert by_voucher.offers["cup"].only_by == "voucher"
    assert by_voucher.offers["cup"].meaning == again.offers["cup"].meaning != for_all.offers["cup"].meaning


def test_an_offer_by_voucher_beats_no_other() -> None:
    offers = """offers:
  tenth: {only_by: voucher, percent_off: 10%, choose: one}
  twentieth: {percent_off: 5%, choose: one}
  beaten: {only_by: voucher, percent_off: 5%, choose: one}
choose: {one: {keep: best}}
gift_cards: {a: {kind: voucher, offer: tenth}, b: {kind: voucher, offer: beaten}}
"""
    _, problems = compile_policy(f"{HEAD}{offers}".encode())
    assert [(one.code, one.message.split("`")[1]) for one in problems] == [("always-beaten", "beaten")]
