"""Gift cards that hold money: each activity's figures, refusals, accounts; PINs; and that nothing secret is kept."""

from datetime import timedelta

import msgspec
import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, NotFound
from rewards.service.codes import new_code, normal
from rewards.service.commands import ActOnGiftCard, IssueGiftCard
from rewards.service.running import Tries
from tests.policies import program

from .conftest import DAY, Shop, opened

POLICY = program("""country: DE
points:
  beans: {one: bean}
earn:
  beans: {every: 1.00, give: 5 beans}
offers:
  tenth: {only_by: voucher, percent_off: 10%}
gift_cards:
  flyer: {kind: voucher, offer: tenth}
  cafe: {kind: paid, load: 5.00-250.00, max_balance: 300.00}
  fixed: {kind: paid, load: [10.00, 25.00], expires: {after: 30 days}}
  bonus: {kind: promotional, value: 5.00, expires: {after: 60 days}, to: member}
  sorry: {kind: promotional, expires: {after: 10 days}, max_balance: 20.00}
returns: {accept_within: 90 days, restored_points_last: 14 days}
""").encode()
ANA, BEN = "2600000001236", "2600000002042"


class Desk(Shop):
    """A shop that sells and gives gift cards."""

    def issue(self, product="cafe", amount=5000, card=None, key=None, **facts):
        member = MemberRef(card=card) if card else None
        return self.ask(IssueGiftCard(product=product, member=member, amount_minor=amount, **facts), key=key)

    def act(self, issued, activity, amount=None, *, key=None, **facts):
        command = ActOnGiftCard(gift_card_id=issued["gift_card_id"], activity=activity, amount_minor=amount, **facts)
        return self.ask(command, key=key)

    def adjust(self, issued, activity, amount=None):
        return self.act(issued, activity, amount, reason="counted again", actor="kim")

    def balance(self, issued, pin=""):
        return self.service.gift_card(issued["code"], pin).balance_minor

    def look(self, issued):
        return msgspec.to_builtins(self.service.gift_card(issued["code"]))

    def accounts(self):
        rows = self.books("SELECT account, sum(amount) FROM posting WHERE unit = 'EUR' GROUP BY account")
        return {account: amount for account, amount in rows if amount}


@pytest.fixture
def desk(tmp_path, clock):
    desk = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock, POLICY, Desk, (ANA, BEN))
    yield desk
    desk.close()


def refusal(call, *args, **facts):
    with pytest.raises((Conflict, InvalidRequest)) as error:
        call(*args, **facts)
    return error.value


def test_a_paid_card_through_its_life(desk):
    card = desk.issue(amount=5000)
    assert (card["kind"], card["state"], card["balance_minor"], card["currency"]) == ("paid", "active", 5000, "EUR")
    assert (card["expires_at"], card["expiries"], card["has_pin"]) == (None, [], False)
    assert desk.act(card, "LOAD", 2500)["balance_minor"] == 7500
    assert desk.act(card, "REDEEM", 3000)["balance_minor"] == 4500
    assert desk.act(card, "REFUND", 1000)["balance_minor"] == 5500
    assert desk.adjust(card, "ADJUST_INCREMENT", 100)["balance_minor"] == 5600
    assert desk.adjust(card, "ADJUST_DECREMENT", 600)["balance_minor"] == 5000
    assert desk.act(card, "CASH_OUT", 1000)["balance_minor"] == 4000
    assert desk.adjust(card, "CLEAR_BALANCE")["balance_minor"] == 0
    assert desk.act(card, "DEACTIVATE")["state"] == "deactivated"
    assert desk.accounts() == {
        "sold": -7500,
        "redeemed": 3000,
        "restored": -1000,
        "adjusted": 500,
        "cashed_out": 1000,
        "cleared": 4000,
    }


def test_a_card_that_waits_to_be_activated(desk):
    card = desk.issue(amount=None)
    assert (card["state"], card["balance_minor"]) == ("inactive", 0)
    assert refusal(desk.act, card, "LOAD", 1000).facts["state"] == "inactive"
    assert desk.act(card, "ACTIVATE", 1000) | {"state": "active", "balance_minor": 1000} == desk.look(card)
    assert refusal(desk.act, card, "ACTIVATE", 1000).code == "activity-not-possible"


def test_what_may_be_loaded(desk):
    assert refusal(desk.issue, amount=499).facts == {"least_minor": 500, "most_minor": 25000}
    assert refusal(desk.issue, amount=25001).code == "load-not-allowed"
    assert refusal(desk.issue, "fixed", 1001).facts == {"amounts_minor": [1000, 2500]}
    card = desk.issue(amount=25000)
    full = refusal(desk.act, card, "LOAD", 5001)
    assert (full.code, full.facts) == ("balance-too-high", {"max_balance_minor": 30000, "balance_minor": 25000})
    assert desk.act(card, "LOAD", 5000)["balance_minor"] == 30000
    assert refusal(desk.adjust, card, "ADJUST_INCREMENT", 1).code == "balance-too-high"


def test_promotional_money_has_the_value_of_the_policy_or_of_its_giver(desk):
    bonus = desk.issue("bonus", None, ANA)
    assert (bonus["balance_minor"], bonus["personal"], bonus["expires_at"]) == (500, True, "2027-01-31T00:00:00+01:00")
    assert bonus["expiries"] == [{"amount_minor": 500, "expires_at": "2027-01-31T00:00:00+01:00"}]
    assert refusal(desk.issue, "bonus", 600, ANA).facts == {"value_minor": 500}
    assert refusal(desk.issue, "sorry", None).code == "amount-missing"
    assert desk.issue("sorry", 700)["balance_minor"] == 700
    assert refusal(desk.issue, "bonus", None).code == "gift-card-needs-member"
    assert desk.accounts() == {"lot": 1200, "given": -1200}


def test_promotional_money_is_never_paid_out(desk):
    card = desk.issue("sorry", 700)
    for activity in ("LOAD", "ACTIVATE", "CASH_OUT"):
        assert refusal(desk.act, card, activity, 500).code == "activity-not-supported"
    assert refusal(desk.act, card, "TRANSFER_BALANCE", to=desk.issue()["gift_card_id"]).code == "transfer-not-possible"


def test_money_ends_with_its_load_soonest_first(desk, clock):
    card = desk.issue("fixed", 1000)
    clock.now += 10 * DAY
    desk.act(card, "LOAD", 2500)
    assert desk.act(card, "REDEEM", 300)["expiries"] == [
        {"amount_minor": 700, "expires_at": "2027-01-01T00:00:00+01:00"},
        {"amount_minor": 2500, "expires_at": "2027-01-11T00:00:00+01:00"},
    ]
    clock.now += 20 * DAY
    assert desk.balance(card) == 2500
    short = refusal(desk.act, card, "REDEEM", 2501)
    assert (short.code, short.facts) == ("balance-too-low", {"balance_minor": 2500, "wanted_minor": 2501})
    assert desk.act(card, "REDEEM", 2500)["balance_minor"] == 0
    assert desk.accounts() == {"sold": -3500, "redeemed": 2800, "expired": 700}


def test_an_expired_card_says_so(desk, clock):
    card = desk.issue("sorry", 700)
    clock.now += 10 * DAY
    assert desk.look(card) | {"state": "expired", "balance_minor": 0, "expiries": []} == desk.look(card)
    assert refusal(desk.act, card, "REDEEM", 1).facts["balance_minor"] == 0


def test_a_refund_by_hand_lasts_a_while(desk, clock):
    card = desk.issue("sorry", 700)
    desk.act(card, "REDEEM", 700)
    clock.now += 9 * DAY
    assert desk.act(card, "REFUND", 200)["expires_at"] == "2026-12-25T00:00:00+01:00"
    assert refusal(desk.act, card, "REFUND", 501).facts == {"refundable_minor": 500}


def test_blocked_cards_move_no_money_but_take_refunds(desk):
    card = desk.issue()
    desk.act(card, "REDEEM", 1000)
    desk.act(card, "BLOCK")
    for activity in ("LOAD", "REDEEM", "CASH_OUT"):
        assert refusal(desk.act, card, activity, 1000).facts == {"state": "blocked"}
    assert desk.act(card, "REFUND", 1000)["balance_minor"] == 5000
    assert refusal(desk.act, card, "DEACTIVATE").facts == {"balance_minor": 5000}
    desk.act(card, "UNBLOCK")
    assert desk.act(card, "CASH_OUT")["balance_minor"] == 0


def test_a_transfer_moves_all_or_a_part(desk):
    card, other = desk.issue(amount=10000), desk.issue(amount=25000)
    full = refusal(desk.act, card, "TRANSFER_BALANCE", to=other["gift_card_id"])
    assert (full.code, full.pointer) == ("balance-too-high", "/to")
    assert desk.act(card, "TRANSFER_BALANCE", 2000, to=other["gift_card_id"])["balance_minor"] == 8000
    assert desk.balance(other) == 27000
    assert refusal(desk.act, card, "TRANSFER_BALANCE", to=card["gift_card_id"]).code == "transfer-where"
    desk.act(other, "BLOCK")
    assert refusal(desk.act, card, "TRANSFER_BALANCE", to=other["gift_card_id"]).facts == {"state": "blocked"}
    assert desk.accounts() == {"sold": -35000, "lot": 35000}


def test_personal_money_stays_with_its_member(desk):
    mine, more, hers = desk.issue("bonus", None, ANA), desk.issue("bonus", None, ANA), desk.issue("bonus", None, BEN)
    assert refusal(desk.act, mine, "TRANSFER_BALANCE", to=hers["gift_card_id"]).code == "transfer-not-possible"
    assert desk.act(mine, "TRANSFER_BALANCE", to=more["gift_card_id"])["balance_minor"] == 0
    assert desk.balance(more) == 1000


@pytest.mark.parametrize(
    ("activity", "facts", "code"),
    [
        ("REDEEM", {}, "amount-missing"),
        ("REDEEM", {"amount": 0}, "amount-missing"),
        ("BLOCK", {"amount": 5}, "amount-not-taken"),
        ("ADJUST_INCREMENT", {"amount": 5, "reason": "so"}, "reason-missing"),
        ("CLEAR_BALANCE", {"actor": "kim"}, "reason-missing"),
        ("TRANSFER_BALANCE", {}, "transfer-where"),
        ("LOAD", {"amount": 500, "to": "gc_x"}, "transfer-where"),
        ("LOAD", {"amount": 500, "currency": "USD"}, "currency-mismatch"),
    ],
)
def test_activities_that_say_too_little_or_too_much(desk, activity, facts, code):
    assert refusal(desk.act, desk.issue(), activity, **facts).code == code


def test_what_vouchers_and_money_do_not_share(desk):
    voucher = desk.issue("flyer", None)
    assert refusal(desk.act, voucher, "REDEEM", 100).code == "activity-not-supported"
    assert refusal(desk.issue, "flyer", 100).pointer == "/amount_minor"
    assert refusal(desk.issue, "flyer", None, pin="4711").pointer == "/pin"
    assert refusal(desk.issue, currency="USD").code == "currency-mismatch"
    bought = desk.buy("r1", codes=(desk.issue()["code"],))
    assert [one["reason"] for one in bought["codes_refused"]] == ["not-a-voucher"]


def test_an_activity_is_carried_out_once(desk):
    card = desk.issue(key="i")
    first = desk.act(card, "LOAD", 1000, key="a")
    assert desk.act(card, "LOAD", 1000, key="a") == first
    again = desk.issue(key="i")
    assert again["code"] != card["code"]
    assert desk.balance(again) == desk.balance(card) == 6000


def test_a_member_sees_what_money_there_is(desk):
    bonus = desk.issue("bonus", None, ANA)
    desk.issue("flyer", None, ANA)
    balance = desk.service.balance(bonus["member_id"])
    assert [one.product for one in balance.vouchers] == ["flyer"]
    assert [(one.product, one.balance_minor) for one in balance.gift_cards] == [("bonus", 500)]
    desk.act(bonus, "REDEEM", 500)
    assert desk.service.balance(bonus["member_id"]).gift_cards == []


# PINs


def unknown(desk, card, pin):
    with pytest.raises(NotFound) as error:
        desk.service.gift_card(card["code"], pin)
    return error.value.code, error.value.message, error.value.pointer


def test_a_pin_is_asked_for_and_wrong_ones_tell_nothing(desk):
    card = desk.issue(pin="4711")
    assert card["has_pin"]
    nowhere = unknown(desk, {"code": new_code()}, "4711")
    assert unknown(desk, card, "") == unknown(desk, card, "4712") == unknown(desk, card, "no pin") == nowhere
    assert desk.balance(card, "4711") == 5000


def test_wrong_pins_lock_the_card_also_over_a_restart(desk, tmp_path, clock):
    card = desk.issue(pin="4711")
    for _ in range(3):
        unknown(desk, card, "0000")
    desk.service.close()
    desk.service = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock).service
    assert desk.balance(card, "4711") == 5000
    for _ in range(2):
        unknown(desk, card, "0000")
    assert unknown(desk, card, "4711")[0] == "unknown-gift-card"
    assert desk.act(card, "UNBLOCK")["state"] == "active"
    assert desk.balance(card, "4711") == 5000


def test_at_most_the_configured_number_of_guesses_is_looked_at(clock):
    desk = opened("sqlite://", clock, POLICY, Desk, tries=Tries(pins=2))
    card = desk.issue(pin="4711")
    for pin in range(4705, 4715):
        unknown(desk, card, str(pin))
    kinds = [name.split("\x1f")[0] for (name,) in desk.books("SELECT external_id FROM event ORDER BY number")]
    assert kinds == ["ISSUE", "LOCK"]
    desk.close()


def test_nothing_secret_is_kept(desk, tmp_path):
    card = desk.issue(pin="47110815", key="k")
    unknown(desk, card, "08154711")
    desk.act(card, "LOAD", 1000)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in ("47110815", "08154711", card["code"], normal(card["code"])):
        assert secret.encode() not in kept


def test_a_promotional_card_backdated(desk, clock):
    card = desk.issue("sorry", 700, occurred_at=clock.now - timedelta(days=12))
    assert (card["state"], card["balance_minor"]) == ("expired", 0)


def test_the_report_keeps_points_and_money_on_cards_apart(desk):
    desk.issue()
    desk.buy("r1", 1000)
    rows = {row.kind: row for row in desk.service.liability().rows if not row.closed}
    assert {kind: (row.unit, row.closing, row.difference) for kind, row in rows.items()} == {
        "points": ("beans", 50, 0),
        "paid": ("EUR", 5000, 0),
        "promotional": ("EUR", 0, 0),
    }
