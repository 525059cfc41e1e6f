"""Vouchers: issued with a code that is kept nowhere, used once by what really gave something, given back."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import msgspec
import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, KeyReused, NotFound, RewardsError
from rewards.service import audit
from rewards.service.batch import Batch
from rewards.service.codes import DIGITS, is_code, new_code, normal, shown
from rewards.service.commands import ActOnGiftCard, IssueGiftCard, Publish, RecordPurchase
from tests.policies import program

from .conftest import DAY, Shop, line, offers, opened

POLICY = program("""country: DE
points:
  beans: {one: bean}
earn:
  beans: {every: 1.00, give: 5 beans}
offers:
  cup: {on: {categories: [tea]}, only_by: voucher, free: {units: 1, pick: dearest}}
  tenth: {only_by: voucher, percent_off: 10%, stage: basket, choose: big}
  fifth: {when: {code: FIFTH}, percent_off: 20%, stage: basket, choose: big}
  morning: {only_by: voucher, schedule: {hours: "06:00-10:00"}, amount_off: 1.00}
  big-basket: {only_by: voucher, when: {spend: {at_least: 50.00}}, amount_off: 5.00}
gift_cards:
  sorry: {kind: voucher, offer: cup, expires: {after: 30 days}, to: member}
  flyer: {kind: voucher, offer: tenth}
  early: {kind: voucher, offer: morning, expires: {at: end_of_month}}
  large: {kind: voucher, offer: big-basket, expires: {after: 1 month, at: end_of_year}}
choose:
  big: {keep: best, of: receipt}
returns: {accept_within: 90 days}
""").encode()
ANA, BEN = "2600000001236", "2600000002042"


class Desk(Shop):
    """A shop that issues vouchers."""

    def issue(self, product="flyer", card=None, key=None, **facts):
        member = MemberRef(card=card) if card else None
        command = IssueGiftCard(product=product, member=member, **facts)
        return self.ask(command, key=key)

    def act(self, issued, activity, **facts):
        return self.ask(ActOnGiftCard(gift_card_id=issued["gift_card_id"], activity=activity, **facts))

    def tea(self, receipt, *codes, card=ANA, amount=400, **facts):
        lines = facts.pop("lines", None) or (line("1", "TEA", amount=amount, categories=("tea",)),)
        return self.buy(receipt, card=card, lines=lines, codes=codes, **facts)

    def state(self, issued):
        return self.service.gift_card(issued["code"]).state


@pytest.fixture
def desk(tmp_path, clock):
    desk = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock, POLICY, Desk, (ANA, BEN))
    yield desk
    desk.close()


def refused(answer):
    return [one["reason"] for one in answer["codes_refused"]]


def test_a_voucher_is_issued_with_the_terms_of_its_day(desk):
    issued = desk.issue("sorry", ANA, actor="kim")
    assert is_code(normal(issued["code"]))
    assert issued["code"].endswith(issued["last_four"])
    assert {key: issued[key] for key in ("product", "offer", "kind", "state", "personal", "expires_at")} == {
        "product": "sorry",
        "offer": "cup",
        "kind": "voucher",
        "state": "active",
        "personal": True,
        "expires_at": "2027-01-01T00:00:00+01:00",
    }
    assert desk.issue("early")["expires_at"] == "2027-01-01T00:00:00+01:00"
    assert desk.issue("large")["expires_at"] == "2028-01-01T00:00:00+01:00"
    assert desk.issue("flyer")["expires_at"] is None


def test_a_voucher_gives_its_offer_once(desk):
    code = desk.issue()["code"]
    answer = desk.buy("r1", 1000, codes=(code,))
    assert offers(answer) == {"tenth": 100}
    assert answer["discounts"][0]["why"] == "10% off 10.00 of the basket, by a voucher"
    assert answer["codes_refused"] == []
    again = desk.buy("r2", 1000, codes=(code,))
    assert (offers(again), refused(again)) == ({}, ["used"])
    assert again["codes_refused"][0]["code"] == f"****{code[-4:]}"
    assert again["codes_refused"][0]["gift_card_id"] == answer["discounts"][0]["gift_card_id"]


def test_without_its_voucher_the_offer_does_nothing(desk):
    answer = desk.tea("r1")
    assert (offers(answer), answer["not_applied"]) == ({}, [])


@pytest.mark.parametrize("write", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code} "])
def test_a_code_is_read_as_people_type_it(desk, write):
    assert offers(desk.buy("r1", 1000, codes=(write(desk.issue()["code"]),))) == {"tenth": 100}


def test_letters_that_look_like_digits_are_read_as_digits():
    code = next(code for code in iter(new_code, None) if "0" in code and "1" in code)
    assert normal(shown(code).replace("0", "o").replace("1", "l")) == code


def test_every_wrong_symbol_is_found():
    for code in (new_code() for _ in range(20)):
        wrong = (code[:i] + symbol + code[i + 1 :] for i in range(17) for symbol in DIGITS if symbol != code[i])
        assert not any(map(is_code, wrong))


def test_it_is_used_up_only_by_what_it_gave(desk):
    issued = desk.issue("sorry", ANA)
    nothing = desk.buy("r1", 1000, codes=(issued["code"],))
    assert (offers(nothing), refused(nothing), desk.state(issued)) == ({}, ["gave-nothing"], "active")
    assert offers(desk.tea("r2", issued["code"])) == {"cup": 400}
    assert desk.state(issued) == "used"


def test_a_better_offer_of_its_group_leaves_it_unused(desk):
    issued = desk.issue()
    answer = desk.buy("r1", 1000, codes=(issued["code"], "fifth"))
    assert (offers(answer), refused(answer), desk.state(issued)) == ({"fifth": 200}, ["gave-nothing"], "active")


@pytest.mark.parametrize(("product", "reason"), [("early", "not-now"), ("large", "condition")])
def test_conditions_of_its_offer_hold(desk, product, reason):
    issued = desk.issue(product)
    assert refused(desk.buy("r1", 1000, codes=(issued["code"],))) == [reason]
    assert desk.state(issued) == "active"


def test_a_personal_voucher_is_its_members_alone(desk):
    code = desk.issue("sorry", ANA)["code"]
    assert refused(desk.tea("r1", code, card=BEN)) == ["other-member"]
    assert refused(desk.tea("r2", code, card=None)) == ["needs-member"]
    assert offers(desk.tea("r3", code, card=ANA)) == {"cup": 400}


def test_a_guest_uses_a_bearers(desk):
    issued = desk.issue("flyer", ANA)
    assert offers(desk.buy("r1", 1000, card=None, codes=(issued["code"],))) == {"tenth": 100}
    desk.ask(desk.give_back(of="r1"))
    assert desk.state(issued) == "active"


def test_it_ends_at_the_tills_clock(desk, clock):
    code = desk.issue("sorry", ANA)["code"]
    start = clock.now
    clock.now = start + 30 * DAY
    assert refused(desk.tea("late", code)) == ["expired"]
    assert offers(desk.tea("in-time", code, at=start + 29 * DAY)) == {"cup": 400}


def test_two_vouchers_of_one_offer_are_used_one_by_one(desk, clock):
    later = desk.issue("sorry", ANA)
    clock.now += DAY
    clock.now -= DAY
    sooner = desk.issue("sorry", ANA, occurred_at=clock.now - 10 * DAY)
    answer = desk.tea("r1", later["code"], sooner["code"], lines=(line("1", "TEA", 400, 2, categories=("tea",)),))
    assert (offers(answer), refused(answer)) == ({"cup": 400}, ["one-per-receipt"])
    assert (desk.state(later), desk.state(sooner)) == ("active", "used")


def test_vouchers_of_several_offers_add(desk):
    answer = desk.tea("r1", desk.issue("sorry", ANA)["code"], desk.issue()["code"], amount=1000, lines=None)
    assert offers(answer) == {"cup": 1000}
    lines = (line("1", "TEA", 400, categories=("tea",)), line("2", "CAKE", 1000))
    answer = desk.tea("r2", desk.issue("sorry", ANA)["code"], desk.issue()["code"], lines=lines)
    assert offers(answer) == {"cup": 400, "tenth": 100}


def test_a_full_return_gives_it_back_and_a_part_does_not(desk):
    issued = desk.issue("sorry", ANA)
    before = desk.service.balance(desk.service.member(MemberRef(card=ANA)).member_id)
    cups = (line("1", "TEA", 400, 2, categories=("tea",)),)
    desk.tea("r1", issued["code"], lines=cups)
    part = desk.ask(desk.give_back("b1", of="r1", lines={"1": 1}))
    assert ("vouchers_restored" in part, desk.state(issued)) == (False, "used")
    rest = desk.ask(desk.give_back("b2", of="r1"))
    assert rest["vouchers_restored"] == [
        {"gift_card_id": issued["gift_card_id"], "last_four": issued["last_four"], "offer": "cup"}
    ]
    assert desk.service.balance(before.member_id).vouchers == before.vouchers != []
    assert offers(desk.tea("r2", issued["code"])) == {"cup": 400}


def test_a_return_of_an_earlier_purchase_gives_nothing_back(desk):
    issued = desk.issue("sorry", ANA)
    desk.tea("r1", issued["code"])
    desk.ask(desk.give_back("b1", of="r1"))
    desk.tea("r2", issued["code"])
    assert refused(desk.tea("r3", issued["code"])) == ["used"]
    assert desk.state(issued) == "used"


def test_a_parked_return_of_everything_gives_it_back(desk):
    issued = desk.issue("sorry", ANA)
    desk.service.do(desk.give_back("b1", of="r1"))
    desk.tea("r1", issued["code"])
    assert desk.state(issued) == "active"


def test_blocked_and_deactivated(desk):
    issued = desk.issue()
    assert desk.act(issued, "BLOCK", reason="lost", actor="kim")["state"] == "blocked"
    assert refused(desk.buy("r1", 1000, codes=(issued["code"],))) == ["blocked"]
    with pytest.raises(Conflict) as refusal:
        desk.act(issued, "BLOCK")
    assert (refusal.value.code, refusal.value.facts) == ("activity-not-possible", {"state": "blocked"})
    assert desk.act(issued, "UNBLOCK")["state"] == "active"
    assert desk.act(issued, "DEACTIVATE")["state"] == "deactivated"
    assert refused(desk.buy("r2", 1000, codes=(issued["code"],))) == ["deactivated"]
    with pytest.raises(Conflict):
        desk.act(issued, "UNBLOCK")


def test_what_was_used_and_blocked_comes_back_blocked(desk):
    issued = desk.issue()
    desk.buy("r1", 1000, codes=(issued["code"],))
    desk.act(issued, "BLOCK")
    desk.ask(desk.give_back(of="r1"))
    assert desk.state(issued) == "blocked"


def test_money_is_not_for_a_voucher(desk):
    issued = desk.issue()
    with pytest.raises(InvalidRequest) as refusal:
        desk.act(issued, "LOAD")
    assert refusal.value.code == "activity-not-supported"


def test_what_is_refused_when_issuing(desk):
    for facts, code in [
        ({"product": "none"}, "unknown-product"),
        ({"product": "sorry"}, "gift-card-needs-member"),
        ({"product": "sorry", "card": "2600000009997"}, "unknown-member"),
        ({"product": "flyer", "occurred_at": desk.clock.now + DAY}, "time-out-of-range"),
    ]:
        with pytest.raises(RewardsError) as refusal:
            desk.issue(**facts)
        assert refusal.value.code == code


def test_an_unknown_code_is_told_and_the_purchase_stands(desk):
    answer = desk.buy("r1", 1000, codes=(shown(new_code()), "nothing"))
    assert refused(answer) == ["unknown-code", "unknown-code"]
    assert answer["totals"]["due_minor"] == 1000
    for code in (new_code(), "nothing", desk.issue()["code"][:-1] + "?"):
        with pytest.raises(NotFound) as refusal:
            desk.service.gift_card(code)
        assert (refusal.value.code, str(refusal.value)) == ("unknown-gift-card", "there is no such gift card")


def test_sent_again_it_is_the_same_purchase(desk):
    code = desk.issue()["code"]
    basket = desk.basket("r1", 1000, codes=(code,))
    first = desk.service.do(RecordPurchase(basket))
    assert desk.service.do(RecordPurchase(basket)).body == first.body
    told = desk.service.purchase(store_id="S1", receipt_id="r1")
    assert [one.gift_card_id for one in told.discounts] == [json.loads(first.body)["discounts"][0]["gift_card_id"]]
    moved = msgspec.structs.replace(basket, till_id="", codes=(code.lower(),))  # the same, typed otherwise
    assert desk.service.do(RecordPurchase(moved)).body == first.body
    with pytest.raises(Conflict) as refusal:
        desk.buy("r1", 1000)
    assert refusal.value.facts["differs"] == ["/codes"]


def test_issuing_again_shows_a_new_code_of_the_same_voucher(desk):
    first = desk.issue(key="k1")
    again = desk.issue(key="k1")
    assert {**again, "code": ""} == {**first, "code": ""}
    assert again["code"] != first["code"]
    with pytest.raises(KeyReused):
        desk.issue("sorry", ANA, key="k1")
    assert offers(desk.buy("r1", 1000, codes=(again["code"], first["code"]))) == {"tenth": 100}
    assert refused(desk.buy("r2", 1000, codes=(first["code"],))) == ["used"]


def test_a_quote_with_a_voucher_is_kept(desk, clock):
    issued = desk.issue("sorry", ANA)
    clock.now += 30 * DAY - timedelta(hours=12, minutes=10)  # ten minutes before it ends
    basket = desk.basket("r1", codes=(issued["code"],), lines=(line("1", "TEA", 400, categories=("tea",)),))
    quote = desk.service.quote(basket)
    assert issued["code"] not in quote.quote
    assert desk.state(issued) == "active"
    clock.now += timedelta(minutes=20)
    late = msgspec.structs.replace(basket, occurred_at=clock.now)
    assert refused(desk.ask(RecordPurchase(msgspec.structs.replace(late, receipt_id="x")))) == ["expired"]
    answer = desk.ask(RecordPurchase(msgspec.structs.replace(late, quote=quote.quote)))
    assert (answer["totals"]["due_minor"], refused(answer)) == (quote.totals.due_minor, [])
    assert desk.state(issued) == "used"


@pytest.mark.parametrize("how", ["used", "blocked"])
def test_a_quote_whose_voucher_is_gone_is_refused(desk, how):
    issued = desk.issue()
    basket = desk.basket("r1", 1000, codes=(issued["code"],))
    quote = desk.service.quote(basket).quote
    if how == "used":
        desk.buy("r2", 1000, codes=(issued["code"],))
    else:
        desk.act(issued, "BLOCK")
    with pytest.raises(Conflict) as refusal:
        desk.ask(RecordPurchase(msgspec.structs.replace(basket, quote=quote)))
    assert (refusal.value.code, how in str(refusal.value)) == ("offer-gone", True)


def test_a_member_has_vouchers_to_hand(desk, clock):
    member = desk.service.member(MemberRef(card=ANA)).member_id
    for_all, mine = desk.issue("flyer", ANA), desk.issue("sorry", ANA)
    desk.issue("sorry", BEN)
    listed = desk.service.balance(member).vouchers
    assert [(one.gift_card_id, one.last_four) for one in listed] == [
        (one["gift_card_id"], one["last_four"]) for one in (mine, for_all)
    ]
    desk.tea("r1", mine["code"])
    assert [one.product for one in desk.service.balance(member).vouchers] == ["flyer"]
    desk.ask(desk.give_back(of="r1"))
    clock.now += 40 * DAY
    assert [one.product for one in desk.service.balance(member).vouchers] == ["flyer"]


def test_an_import_looks_no_voucher_up_and_keeps_no_code(desk):
    issued = desk.issue()
    basket = desk.basket("r1", 1000, codes=(issued["code"], "SPRING"), member=MemberRef(external_id="old"))
    desk.service.do(RecordPurchase(basket), caller="import")
    assert desk.state(issued) == "active"
    told = desk.service.purchase(store_id="S1", receipt_id="r1")
    assert [one.code for one in told.codes_refused] == [f"****{issued['last_four']}", "SPRING"]


def test_two_tills_with_one_code(desk):
    issued = desk.issue()
    baskets = [desk.basket(f"r{i}", 1000, codes=(issued["code"],), card=(ANA, BEN, None)[i % 3]) for i in range(40)]
    with ThreadPoolExecutor(20) as tills:
        answers = list(tills.map(lambda basket: desk.ask(RecordPurchase(basket)), baskets))
    assert sum(offers(answer).get("tenth", 0) for answer in answers) == 100
    assert [reason for answer in answers for reason in refused(answer)] == ["used"] * 39


def test_two_processes_with_one_code(desk, tmp_path, clock):
    other = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock, POLICY, Desk)
    codes = [desk.issue()["code"] for _ in range(20)]

    def go(i):
        return [offers((desk, other)[i].buy(f"{i}-{j}", 1000, codes=(code,))) for j, code in enumerate(codes)]

    with ThreadPoolExecutor(2) as tills:
        first, second = tills.map(go, range(2))
    other.service.close()
    assert [len(one) + len(two) for one, two in zip(first, second, strict=True)] == [1] * 20


def test_a_later_version_keeps_what_was_promised_of_its_end(desk, clock):
    issued = desk.issue("sorry", ANA)
    desk.service.do(Publish(POLICY.replace(b"after: 30 days", b"after: 1 day"), from_day=(clock.now + DAY).date()))
    clock.now += 20 * DAY
    assert offers(desk.tea("r1", issued["code"])) == {"cup": 400}
    assert desk.issue("sorry", ANA)["expires_at"] == "2026-12-23T00:00:00+01:00"


@pytest.mark.parametrize("rest", [b"", b"offers: {every: {percent_off: 50%, stage: basket}}\n"])
def test_a_later_version_without_the_offer_keeps_the_promise(desk, clock, rest):
    issued, large = desk.issue("sorry", ANA), desk.issue("large")
    text = POLICY[: POLICY.index(b"offers:")] + rest + POLICY[POLICY.index(b"returns:") :]
    desk.service.do(Publish(text, from_day=(clock.now + DAY).date()))
    clock.now += 2 * DAY
    basket = desk.basket("r1", lines=(line("1", "TEA", 400, categories=("tea",)),), codes=(issued["code"],))
    quote = desk.service.quote(basket)
    assert [(one.offer, one.why) for one in quote.discounts] == [("cup", "as the voucher promised")]
    answer = desk.ask(RecordPurchase(msgspec.structs.replace(basket, quote=quote.quote)))
    assert (offers(answer), desk.state(issued)) == ({"cup": 400}, "used")
    assert refused(desk.buy("r2", 4999, codes=(large["code"],))) == ["condition"]
    assert offers(desk.buy("r3", 6000, codes=(large["code"],)))["big-basket"] == 500


def test_an_offer_that_all_have_now_leaves_the_voucher_unused(desk, clock):
    issued = desk.issue("sorry", ANA)
    text = POLICY.replace(b"cup: {on: {categories: [tea]}, only_by: voucher,", b"cup: {on: {categories: [tea]},")
    cards = text.index(b"gift_cards:")
    text = text[:cards] + text[text.index(b"choose:\n") :]
    desk.service.do(Publish(text, from_day=(clock.now + DAY).date()))
    clock.now += 2 * DAY
    answer = desk.tea("r1", issued["code"])
    assert (offers(answer), refused(answer), desk.state(issued)) == ({"cup": 400}, ["not-now"], "active")


def test_a_promise_on_what_nobody_counts_any_more_is_told(desk, clock):
    offer = b"  cup: {when: {visits: {at_least: 1, within: 30 days}, not: {tier: [gold]}}, on: {categories: [tea]},"
    tiers = b"tiers: {by: visits, measure: year, levels: {white: 0 visits, gold: 9 visits}}\nearn:"
    policy = POLICY.replace(b"  cup: {on: {categories: [tea]},", offer).replace(b"earn:", tiers)
    desk.service.do(Publish(policy, from_day=(clock.now + DAY).date()))
    clock.now += DAY
    first, second = desk.issue("sorry", ANA), desk.issue("sorry", ANA)
    assert offers(desk.tea("r1", first["code"])) == {"cup": 400}
    text = POLICY[: POLICY.index(b"offers:")] + POLICY[POLICY.index(b"returns:") :]
    desk.service.do(Publish(text, from_day=(clock.now + DAY).date()))
    clock.now += DAY
    assert refused(desk.tea("r2", second["code"])) == ["not-now"]
    assert desk.state(second) == "active"


def test_no_code_is_kept_anywhere(desk, tmp_path, caplog):
    plain = []
    for i in range(20):
        issued = [desk.issue("flyer", key=f"k{i}"), desk.issue("flyer", key=f"k{i}")]
        plain += [one["code"] for one in issued]
        wrong = issued[0]["code"].replace(issued[0]["code"][0], "?", 1)
        basket = desk.basket(f"r{i}", 1000, codes=(issued[i % 2]["code"], wrong, new_code()))
        plain += basket.codes
        quote = desk.service.quote(basket).quote
        desk.service.do(RecordPurchase(msgspec.structs.replace(basket, quote=quote)), key=f"p{i}")
        desk.buy(f"again-{i}", codes=basket.codes)
        desk.service.gift_card(issued[0]["code"])
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir()) + caplog.text.encode()
    assert len(list(tmp_path.iterdir())) == 3  # database, WAL and its index
    bodies = {code.encode() for code in plain} | {normal(code).encode() for code in plain}
    assert [code for code in bodies if code in kept] == []
    assert plain[0][-4:].encode() in kept


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        ("DELETE FROM code_route", "does not lead to it"),
        ("DELETE FROM held_card", "not known to have it"),
        ("DELETE FROM event WHERE external_id LIKE 'REDEEM%'", "was not used up by it"),
        ("UPDATE near_state SET state = (SELECT state FROM near_state WHERE owner_id = 4) WHERE owner_id = 3", "state"),
    ],
)
def test_verify_finds_what_is_wrong(desk, sql, fault):
    first = desk.issue("flyer", ANA)
    desk.issue("flyer", ANA)
    desk.buy("r1", 1000, codes=(first["code"],))
    assert desk.service.verify() == []
    with pytest.raises(TakenBack) as taken, desk.service._store.transaction() as session:
        damage(session, sql, desk.service._running)
    assert any(fault in finding for finding in taken.value.args[0]), taken.value.args


class TakenBack(Exception):
    """Rolls a transaction back, with what was found in it."""


def damage(session, sql, running):
    session.write(sql, [()])
    raise TakenBack(audit.verify(Batch(session, running)))
