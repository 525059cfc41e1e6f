"""Facts of a till that was offline: recorded whatever we would have decided, counted, and told where they are odd."""

from datetime import timedelta

import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest
from rewards.service.commands import (
    IssueGiftCard,
    OfflinePurchase,
    OfflineReturn,
    RecordPurchase,
    RecordReturn,
    ReturnLine,
    ReturnOf,
)
from tests.policies import program

from .conftest import Shop, line, opened, warned

ANA = "2600000001236"
POLICY = program("""points:
  beans: {one: bean}
earn:
  beans: {every: 1.00, give: 5 beans}
offers:
  cup: {on: {categories: [tea]}, amount_off: 1.00, limit: {times: 1, per: ever}, budget: {times: 2, per: ever}}
  tenth: {only_by: voucher, percent_off: 10%, stage: basket}
gift_cards:
  flyer: {kind: voucher, offer: tenth}
returns: {accept_within: 90 days}
""").encode()


class Till(Shop):
    """A till that comes back."""

    def offline(self, receipt, amount=400, *, how=None, **facts):
        return self.ask(OfflinePurchase(self.basket(receipt, amount, **facts)), **(how or {}))

    def cup(self, receipt, **facts):
        return self.offline(receipt, lines=(tea(discount_minor=100, offer="cup"),), **facts)


def tea(**facts):
    return line("1", "TEA", 400, categories=("tea",), **facts)


@pytest.fixture
def till(tmp_path, clock):
    till = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock, POLICY, Till, (ANA,))
    yield till
    till.close()


def test_nothing_is_taken_off_that_the_till_did_not(till):
    answer = till.offline("r1", lines=(tea(),))
    assert (answer["totals"]["net_minor"], answer["discounts"], warned(answer)) == (400, [], [])
    assert answer["totals"]["earned"] == {"beans": 20}


def test_what_the_till_gave_counts_against_limit_and_budget(till):
    answer = till.cup("r1")
    assert (answer["discounts"][0]["offer"], answer["discounts"][0]["amount_minor"]) == ("cup", 100)
    assert (answer["totals"]["discount_minor"], answer["totals"]["net_minor"], warned(answer)) == (100, 300, [])
    assert till.buy("r2", lines=(tea(),))["discounts"] == []
    assert till.buy("r3", card=None, lines=(tea(),))["discounts"] == []  # a guest has no limit to be counted on
    assert warned(till.cup("r4")) == [("limit-overrun", "/lines/0/offer")]
    assert warned(till.cup("r5")) == [("limit-overrun", "/lines/0/offer"), ("budget-overrun", "/lines/0/offer")]


def test_a_return_gives_limit_and_budget_back(till):
    till.cup("r1")
    till.cup("r2")
    for name in ("r1", "r2"):
        till.ask(till.give_back(f"b-{name}", of=name))
    assert till.buy("r3", lines=(tea(),))["discounts"][0]["offer"] == "cup"


def test_an_offer_that_nobody_knows_is_the_tills_own_discount(till):
    answer = till.offline("r1", lines=(tea(discount_minor=100, offer="gone"),))
    assert (answer["discounts"], answer["totals"]["net_minor"]) == ([], 300)
    assert warned(answer) == [("unknown-offer", "/lines/0/offer")]


def test_a_voucher_that_was_shown_is_used_up(till):
    code = till.ask(IssueGiftCard(product="flyer"))["code"]
    lines = (tea(discount_minor=40, offer="tenth"),)
    answer = till.offline("r1", lines=lines, codes=(code,))
    assert (answer["discounts"][0]["offer"], answer["codes_refused"]) == ("tenth", [])
    assert till.service.gift_card(code).state == "used"
    again = till.offline("r2", lines=lines, codes=(code,))
    assert [one["reason"] for one in again["codes_refused"]] == ["used"]


@pytest.mark.parametrize(("card", "code"), [("2600000009997", "unknown-member"), ("2600000009990", "card-check-digit")])
def test_whom_nobody_knows_is_a_guest(till, card, code):
    answer = till.offline("r1", card=card)
    assert (answer["member_id"], warned(answer)) == (None, [(code, "/member")])
    assert answer["claim"]["code"]


def test_tenders_that_do_not_pay_the_sum_are_left_out(till):
    answer = till.offline("r1", 400, tenders=(("cash", 300),))
    assert (answer["totals"]["payable_minor"], warned(answer)) == (400, [("tenders-disagree", "/tenders")])
    assert till.ask(till.give_back(of="r1"))["refund_due_minor"] == 400


def test_a_quote_is_not_asked(till):
    answer = till.offline("r1", quote="none of ours")
    assert warned(answer) == [("quote-ignored", "/quote")]


def test_more_than_is_left_comes_back_as_a_fact_that_takes_nothing(till):
    till.offline("r1", 400)
    facts = {
        "store_id": "S1",
        "occurred_at": till.clock.now,
        "of": ReturnOf(store_id="S1", receipt_id="r1"),
        "lines": (ReturnLine(line_id="1", quantity=2),),
    }
    with pytest.raises(Conflict):
        till.ask(RecordReturn(return_id="b1", **facts))
    told = till.ask(OfflineReturn(return_id="b1", **facts))
    assert (told.get("refund_due_minor", 0), warned(told)) == (
        0,
        [("return-exceeds", "/lines/0/quantity")],
    )
    assert till.ask(till.give_back("b2", of="r1"))["refund_due_minor"] == 400


def test_sent_by_either_way_it_is_recorded_once(till):
    basket = till.basket("r1", 400)
    live = till.service.do(RecordPurchase(basket), key="k")
    for key in ("k", "other"):
        again = till.service.do(OfflinePurchase(basket), key=key)
        assert (again.replayed, again.body) == (True, live.body)
    first = till.service.do(OfflinePurchase(till.basket("r2", 400)), key="l")
    assert till.service.do(RecordPurchase(till.basket("r2", 400))).body == first.body
    till.enrol("2600000002042")
    assert till.service.do(till.give_back(of="r1"), key="m").status == 201
    command = till.give_back(of="r1")
    fields = {name: getattr(command, name) for name in command.__struct_fields__}
    assert till.service.do(OfflineReturn(**fields), key="m").replayed


def test_a_guest_of_then_is_the_same_guest_when_it_is_sent_again(till):
    first = till.offline("r1", card="2600000009997", how={"key": "k"})
    till.enrol("2600000009997")
    assert till.offline("r1", card="2600000009997", how={"key": "k"}) == first
    assert till.offline("r1", card="2600000009997") == first
    assert (
        till.service.balance(till.service.member(MemberRef(card="2600000009997")).member_id).wallets["beans"].available
        == 0
    )


def test_offers_are_given_by_the_till_only_where_it_was_offline(till):
    with pytest.raises(InvalidRequest) as error:
        till.buy("r1", lines=(tea(discount_minor=100, offer="cup"),))
    assert (error.value.code, error.value.pointer) == ("offer-given-online", "/lines/0/offer")


def test_the_order_of_arrival_does_not_matter(till, clock):
    clock.now += timedelta(days=3)
    late = clock.now - timedelta(days=2)
    till.enrol("2600000002042")
    for card, receipts in ((ANA, ("a1", "a2", "a3")), ("2600000002042", ("b3", "b1", "b2"))):
        for name in receipts:
            day = int(name[1])
            till.offline(name, 130 * day, card=card, at=late + timedelta(hours=day))
    one, other = (
        till.service.balance(till.service.member(MemberRef(card=c)).member_id) for c in (ANA, "2600000002042")
    )
    assert one.wallets == other.wallets
