"""Who was wrong too often about codes and PINs, and for how long; what a locked card is, and what a wrong PIN tells."""

from datetime import timedelta

import pytest

from rewards.basket import BasketTender
from rewards.errors import Conflict, NotFound, TryAgain
from rewards.service.codes import new_code, normal
from rewards.service.commands import ClaimPurchase, RecordPurchase, ShowGiftCards
from rewards.service.running import Tries

from .conftest import opened
from .test_card_money import ANA, POLICY, Desk, MemberRef

THIEF = "192.0.2.1"


class Till(Desk):
    """A desk that callers reach by name."""

    def look_up(self, code, pin="", who=THIEF):
        return self.ask(ShowGiftCards(((code, pin),)), who=who)

    def wrong(self, times, who=THIEF, pin="1111"):
        for _ in range(times):
            with pytest.raises(NotFound):
                self.look_up(new_code(), pin, who)

    def refused(self, call, *args, **facts):
        with pytest.raises(TryAgain) as error:
            call(*args, **facts)
        assert error.value.code == "too-many-guesses"
        return error.value.facts["retry_after_seconds"]

    def rows(self):
        return self.books("SELECT * FROM guess")


@pytest.fixture
def till(tmp_path, clock):
    tries = Tries(pins=3, guesses=10, seconds=600)
    till = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock, POLICY, Till, (ANA,), tries=tries)
    yield till
    till.close()


def test_a_caller_who_was_wrong_too_often_gets_one_more_after_its_share_of_the_time(till, clock):
    card = till.issue(pin="4711")
    till.wrong(10)
    assert till.refused(till.look_up, card["code"], "4711") == 60
    assert till.look_up(card["code"], "4711", who="192.0.2.2")["balance_minor"] == 5000
    assert till.look_up(card["code"], "4711", who="")["balance_minor"] == 5000  # this machine's own commands
    clock.now += timedelta(seconds=59)
    assert till.refused(till.look_up, card["code"], "4711") == 1
    clock.now += timedelta(seconds=1)
    assert till.look_up(card["code"], "4711")["balance_minor"] == 5000
    till.wrong(1)
    assert till.refused(till.look_up, card["code"], "4711") == 60
    clock.now += timedelta(seconds=600)
    till.wrong(10)
    assert till.refused(till.look_up, card["code"], "4711") == 60


def test_right_codes_and_slips_count_nothing(till):
    card = till.issue(pin="4711")
    for _ in range(30):
        till.look_up(card["code"], "4711")
        with pytest.raises(NotFound):
            till.look_up(card["code"][:-1], "4711")
        with pytest.raises(NotFound):
            till.look_up("Ω" * 17)
    assert till.rows() == []


def test_whoever_is_refused_goes_on_selling_and_gets_old_answers(till):
    card = till.issue(pin="4711")
    paid = till.basket(
        "r1", 500, tenders=[BasketTender(kind="gift_card", code=card["code"], pin="4711", amount_minor=500)]
    )
    first = till.service.do(RecordPurchase(paid), who=THIEF)
    till.wrong(10)
    assert till.service.do(RecordPurchase(paid), who=THIEF).body == first.body
    assert till.buy("r2", how={"who": THIEF})["totals"]["net_minor"] == 1000
    till.refused(till.buy, "r3", 500, tenders=paid.tenders, how={"who": THIEF})
    till.refused(till.buy, "r4", 500, codes=(new_code(),), how={"who": THIEF})
    assert till.buy("r5", 500, codes=("SUMMER",), how={"who": THIEF})["totals"]["net_minor"] == 500


def test_codes_of_receipts_and_claims_count(till):
    for i in range(5):
        till.buy(f"r{i}", codes=(new_code(),), how={"who": THIEF})
    bought = till.buy("guest", card=None)
    for i in range(5):
        claim = ClaimPurchase(purchase_id=bought["purchase_id"], member=MemberRef(card=ANA), claim_code=f"{i:08}")
        for _ in range(3 if i < 4 else 1):  # the same wrong code again tells nothing new
            with pytest.raises(NotFound):
                till.service.do(claim, who=THIEF)
    till.refused(till.service.do, claim, who=THIEF)
    assert (
        till.service.do(
            ClaimPurchase(
                purchase_id=bought["purchase_id"], member=MemberRef(card=ANA), claim_code=bought["claim"]["code"]
            )
        ).status
        == 200
    )


def test_rows_name_nobody_and_go(till, clock, tmp_path):
    code = new_code()
    for who in (THIEF, "192.0.2.2"):
        with pytest.raises(NotFound):
            till.look_up(code, "1111", who)
    assert len(till.rows()) == 3  # two callers, one code
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert not any(text.encode() in kept for text in (THIEF, code, normal(code)))
    clock.now += timedelta(seconds=600)
    till.wrong(1, who="192.0.2.3", pin="")
    assert len(till.rows()) == 1


def test_wrong_pins_from_everywhere_lock_a_card(till):
    card = till.issue(pin="4711")
    for i in range(3):
        with pytest.raises(NotFound):
            till.look_up(card["code"], "0000", who=f"192.0.2.{i}")
    with pytest.raises(NotFound):
        till.look_up(card["code"], "4711", who="")
    till.act(card, "UNBLOCK")
    assert till.balance(card, "4711") == 5000


@pytest.mark.parametrize("activity", ["BLOCK", "DEACTIVATE"])
def test_wrong_pins_bring_no_card_back_into_use(till, activity):
    card = till.issue(pin="4711")
    if activity == "DEACTIVATE":
        till.act(card, "CASH_OUT")
    till.act(card, activity)
    for _ in range(5):
        with pytest.raises(NotFound):
            till.look_up(card["code"], "0000", who="")
    with pytest.raises(NotFound):
        till.look_up(card["code"], "4711", who="")
    if activity == "BLOCK":
        assert till.act(card, "UNBLOCK")["state"] == "active"
        assert till.balance(card, "4711") == 5000
    else:
        with pytest.raises(Conflict, match="deactivated"):
            till.act(card, "UNBLOCK")


def test_a_payment_with_the_right_pin_begins_anew(till):
    card = till.issue(pin="4711")
    tender = BasketTender(kind="gift_card", code=card["code"], pin="4711", amount_minor=100)
    for i in range(5):
        for _ in range(2):
            with pytest.raises(NotFound):
                till.look_up(card["code"], "0000", who="")
        till.buy(f"r{i}", 100, tenders=[tender])
    assert till.balance(card, "4711") == 4500


def test_a_code_alone_tells_nothing_of_a_card_with_a_pin(till):
    card, open_ = till.issue(pin="4711"), till.issue()
    told = {one["code"]: one for one in till.buy(codes=(card["code"], open_["code"], new_code()))["codes_refused"]}
    assert told["****" + card["last_four"]]["reason"] == "unknown-code"
    assert "gift_card_id" not in told["****" + card["last_four"]]
    assert told["****" + open_["last_four"]]["reason"] == "not-a-voucher"
