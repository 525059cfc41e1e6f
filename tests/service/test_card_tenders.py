"""Gift cards that pay: several of them and cash on one receipt, refused with figures, given back to the cent."""

import itertools

import pytest

from rewards.basket import BasketTender, MemberRef, StoredValue
from rewards.errors import NotFound
from rewards.service.codes import new_code
from rewards.service.commands import Adjust, RecordPurchase
from tests.policies import program

from .conftest import DAY, card, cash, line, opened
from .test_card_money import ANA, BEN, Desk, refusal

POLICY = program("""country: DE
points:
  beans: {one: bean, pays: {points: 100 beans, buys: 1.00, minimum: 100 beans, step: 1 bean, at_most: 50%}}
selections:
  fuel: {categories: [fuel]}
earn:
  beans: {every: 1.00, give: 5 beans}
gift_cards:
  cafe: {kind: paid, load: 5.00-250.00}
  bonus: {kind: promotional, value: 5.00, expires: {after: 60 days}, to: member}
  short: {kind: promotional, expires: {after: 3 days}, not_on: fuel}
returns: {accept_within: 90 days, restored_points_last: 14 days}
""").encode()


@pytest.fixture
def desk(tmp_path, clock):
    desk = opened(f"sqlite:///{tmp_path / 'shop.db'}", clock, POLICY, Desk, (ANA, BEN))
    yield desk
    desk.close()


def pays(desk, receipt, *tenders, amount=2000, lines=None, quoted=False, **facts):
    basket = desk.basket(receipt, amount, lines=lines, **facts)
    basket = type(basket)(**{key: getattr(basket, key) for key in basket.__struct_fields__} | {"tenders": tenders})
    return desk.service.quote(basket) if quoted else desk.ask(RecordPurchase(basket))


def test_two_cards_and_cash_pay_to_the_cent(desk):
    one, two = desk.issue(amount=700, pin="4711"), desk.issue(amount=5000)
    answer = pays(desk, "r1", card(one, 700, "4711"), card(two, 801), cash(499))
    assert answer["totals"]["due_minor"] == 499
    assert answer["totals"]["earned"] == {"beans": 100}
    assert [{**tender, "gift_card_id": ""} for tender in answer["tenders"]] == [
        {
            "kind": "gift_card",
            "gift_card_id": "",
            "last_four": one["last_four"],
            "amount_minor": 700,
            "balance_minor": 0,
        },
        {
            "kind": "gift_card",
            "gift_card_id": "",
            "last_four": two["last_four"],
            "amount_minor": 801,
            "balance_minor": 4199,
        },
        {"kind": "cash", "amount_minor": 499, "gift_card_id": ""},
    ]
    assert (desk.balance(one, "4711"), desk.balance(two)) == (0, 4199)
    assert desk.accounts() == {"sold": -5700, "redeemed": 1501, "lot": 4199}


def test_money_that_was_given_counts_as_points_do(desk):
    bonus = desk.issue("bonus", None, ANA)
    answer = pays(desk, "r1", card(bonus, 500), cash(1500))
    assert answer["lines"][0]["paid_by_promotional_minor"] == 500
    assert (answer["totals"]["earned"], answer["totals"]["due_minor"]) == ({"beans": 75}, 1500)


def test_refusals_tell_the_figures_and_take_nothing(desk, clock):
    paid, bonus = desk.issue(amount=1000), desk.issue("bonus", None, BEN)
    short = refusal(pays, desk, "r1", card(paid, 1001), cash(999))
    assert (short.code, short.pointer) == ("balance-too-low", "/tenders/0")
    assert short.facts == {"balance_minor": 1000, "wanted_minor": 1001}
    assert refusal(pays, desk, "r1", cash(1500), card(bonus, 500)).facts["state"] == "other-member"
    assert refusal(pays, desk, "r1", card(paid, 500), card(paid, 500), cash(1000)).code == "gift-card-twice"
    assert refusal(pays, desk, "r1", card(paid, 500), cash(1)).code == "due-changed"
    assert refusal(pays, desk, "r1", BasketTender(kind="gift_card", amount_minor=5)).code == "code-missing"
    assert refusal(pays, desk, "r1", BasketTender(kind="cash", code="x", amount_minor=5)).code == "tender-ambiguous"
    assert refusal(pays, desk, "r1", BasketTender(kind="promotional", amount_minor=5)).code == "tender-ambiguous"
    desk.act(paid, "BLOCK")
    assert refusal(pays, desk, "r1", card(paid, 500), cash(1500)).facts["state"] == "blocked"
    given = desk.issue("short", 2000)
    clock.now += 3 * DAY
    assert refusal(pays, desk, "r1", card(given, 500), cash(1500)).facts["state"] == "expired"
    with pytest.raises(NotFound):
        pays(desk, "r1", card({"code": new_code()}, 500), cash(1500))
    assert desk.balance(paid) == 1000


def test_a_wrong_pin_counts_in_a_quote_and_in_a_purchase(desk):
    paid = desk.issue(amount=1000, pin="4711")
    for _ in range(2):
        for quoted in (True, False):
            with pytest.raises(NotFound):
                pays(desk, "r1", card(paid, 1000, "0000"), cash(1000), quoted=quoted)
    assert pays(desk, "q", card(paid, 1000, "4711"), quoted=True).totals.due_minor == 1000
    with pytest.raises(NotFound):
        pays(desk, "r1", card(paid, 1000, "0000"), cash(1000))
    with pytest.raises(NotFound):
        pays(desk, "r1", card(paid, 1000, "4711"), cash(1000))


def test_not_on_and_no_stored_value_by_given_money(desk):
    given = desk.issue("short", 5000)
    lines = (
        line("1", "E5", amount=1200, categories=("fuel",)),
        line("2", "CAKE", amount=800),
        line("3", "CARD", amount=1000, stored_value=StoredValue(product="cafe")),
    )
    most = refusal(pays, desk, "r1", cash(2000), card(given, 1000), lines=lines)
    assert (most.code, most.pointer, most.facts) == ("tender-not-on-these", "/tenders/1", {"at_most_minor": 800})
    answer = pays(desk, "r1", cash(2200), card(given, 800), lines=lines)
    assert [one["paid_by_promotional_minor"] for one in answer["lines"]] == [0, 800, 0]
    paid = desk.issue(amount=1000)
    assert pays(desk, "r2", card(paid, 1000), lines=lines[2:])["gift_cards_issued"]


def test_sent_again_takes_nothing_more(desk):
    paid = desk.issue(amount=2500)
    first = pays(desk, "r1", card(paid, 2000))
    assert pays(desk, "r1", card(paid, 2000)) == first
    assert desk.balance(paid) == 500
    assert pays(desk, "r1", card({"code": paid["code"].lower()}, 2000)) == first
    other = refusal(pays, desk, "r1", card(desk.issue(), 2000))
    assert (other.code, other.pointer) == ("receipt-conflict", "/tenders")
    bonus = desk.issue("bonus", None, ANA)
    again = pays(desk, "r2", card(bonus, 500), cash(1500))
    assert pays(desk, "r2", card({"code": bonus["code"].replace("-", " ")}, 500), cash(1500)) == again


@pytest.mark.parametrize("order", list(itertools.permutations(["1", "1", "2"])))
def test_every_order_of_returns_ends_where_it_began(desk, order):
    one, two, bonus = desk.issue(amount=700), desk.issue(amount=5000), desk.issue("bonus", None, ANA)
    lines = (line("1", amount=333, quantity=2), line("2", amount=1499))
    tenders = (card(one, 333), card(bonus, 499), card(two, 1001), cash(332))
    pays(desk, "r1", *tenders, lines=lines)
    sums = [0, 0, 0, 0]
    for number, name in enumerate(order):
        answer = desk.ask(desk.give_back(f"b{number}", lines={name: 1}))
        for each in answer["refund"]:
            assert each["amount_minor"] > 0
            sums[each["tender"]] += each["amount_minor"]
    assert sums == [333, 499, 1001, 332]
    assert [desk.balance(each) for each in (one, two, bonus)] == [700, 5000, 500]
    moved = {"redeemed": 1833, "restored": -1833}
    assert desk.accounts() == {"lot": 6200, "sold": -5700, "given": -500, **moved}


def test_refunds_go_back_to_blocked_and_expired_cards(desk, clock):
    paid, given = desk.issue(amount=1000), desk.issue("short", 1000)
    pays(desk, "r1", card(paid, 1000), card(given, 1000))
    desk.act(paid, "BLOCK")
    clock.now += 5 * DAY
    answer = desk.ask(desk.give_back())
    assert [(each["amount_minor"], each["balance_minor"]) for each in answer["refund"]] == [(1000, 1000), (1000, 1000)]
    assert "refund_due_minor" not in answer
    assert desk.look(paid)["state"] == "blocked"
    assert desk.look(given)["expiries"] == [{"amount_minor": 1000, "expires_at": "2026-12-21T00:00:00+01:00"}]


@pytest.mark.parametrize(("spent", "back"), [(0, 3000), (1000, 2000), (3000, 0)])
def test_a_card_that_paid_for_a_card_gets_no_more_than_is_left_of_it(desk, spent, back):
    one = desk.issue(amount=3000)
    sold = line("1", "CARD", amount=4000, stored_value=StoredValue(product="cafe"))
    other = pays(desk, "r1", cash(1000), card(one, 3000), lines=(sold,))["gift_cards_issued"][0]
    pays(desk, "r2", card(other, 1000 + spent), amount=1000 + spent)
    answer = desk.ask(desk.give_back(of="r1"))
    assert (answer["gift_cards_voided"][0]["spent_minor"], desk.balance(one)) == (1000 + spent, back)
    assert {each["tender"]: each["amount_minor"] for each in answer.get("refund", [])} == ({1: back} if back else {})
    assert "refund_due_minor" not in answer


def test_what_a_deactivated_card_can_not_take_is_paid_out_or_forfeited(desk):
    paid, given = desk.issue(amount=1000), desk.issue("short", 1000)
    pays(desk, "r1", card(paid, 1000), card(given, 1000))
    desk.act(paid, "DEACTIVATE")
    desk.act(given, "DEACTIVATE")
    answer = desk.ask(desk.give_back())
    assert [(each.get("paid_out"), each.get("forfeited")) for each in answer["refund"]] == [(True, None), (None, True)]
    assert answer["refund_due_minor"] == 1000


def test_no_code_and_no_pin_is_kept(desk, tmp_path):
    paid = desk.issue(amount=1000, pin="47110815")
    pays(desk, "r1", card(paid, 1000, "47110815"), cash(1000), quoted=False)
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    for secret in ("47110815", paid["code"], paid["code"].replace("-", "")):
        assert secret.encode() not in kept


def test_points_cards_and_cash_on_one_receipt(desk):
    member = desk.buy("first", 20000, tenders=(("cash", 20000),))["member_id"]
    paid = desk.issue(amount=1000)
    points = BasketTender(kind="points", wallet="beans", amount_minor=500)
    answer = pays(desk, "r1", points, card(paid, 1000), cash(500))
    assert (answer["totals"]["spent"], answer["totals"]["due_minor"]) == ({"beans": 500}, 500)
    desk.ask(desk.give_back(of="r1"))
    assert (desk.balance(paid), desk.beans(member).available) == (1000, 1000)


@pytest.mark.parametrize(
    ("sql", "finding"),
    [
        ("DELETE FROM event WHERE external_id LIKE 'REDEEM%'", "was not used up by it"),
        ("DELETE FROM event WHERE external_id LIKE 'LOAD%'", "was not loaded by it"),
        ("DELETE FROM event WHERE external_id LIKE 'TRANSFER_IN%'", "the other card of this transfer"),
        ("UPDATE posting SET amount = amount * 2 WHERE unit = 'EUR'", "do not add up to what is on it"),
        ("UPDATE posting SET expires_at = 5 WHERE account = 'lot' AND unit = 'EUR'", "breaks the chain of hashes"),
    ],
)
def test_damage_is_found(clock, sql, finding):
    desk = opened("sqlite://", clock, POLICY, Desk, (ANA,))
    paid, other = desk.issue(amount=3000), desk.issue(amount=1000)
    sold = line("1", "CARD", amount=500, stored_value=StoredValue(product="cafe", code=other["code"]))
    pays(desk, "r1", card(paid, 500), lines=(sold,))
    desk.act(paid, "TRANSFER_BALANCE", 1000, to=other["gift_card_id"])
    assert desk.service.verify() == []
    desk.damage(sql)
    assert any(finding in one for one in desk.service.verify())
    desk.service.close()


def test_points_pay_no_stored_value(desk):
    """They would come back whole, after the card was spent. Half of 20.00 is 1,000 beans, whatever card is sold too."""
    ana = MemberRef(card=ANA)
    desk.ask(Adjust(member=ana, wallet="beans", points=5000, reason="a gift", actor="kim"), key="a gift")
    beans = BasketTender(kind="points", wallet="beans", points=1000)
    most = BasketTender(kind="points", wallet="beans", up_to=True)
    goods, sold = line("1", "CAKE", 2000), line("2", "CARD", 5000, stored_value=StoredValue(product="cafe"))
    assert refusal(pays, desk, "r1", beans, cash(4000), lines=(sold,)).code == "points-above-share"
    quote = pays(desk, "r1", most, lines=(goods, sold), quoted=True)
    assert quote.tenders[0]["points"] == 1000
    answer = pays(desk, "r1", beans, cash(6000), lines=(goods, sold))
    assert [one["paid_by_points_minor"] for one in answer["lines"]] == [1000, 0]
    desk.act(answer["gift_cards_issued"][0], "REDEEM", 4000)
    back = desk.ask(desk.give_back(of="r1"))
    assert [one["amount_minor"] for one in back["refund"]] == [1000, 2000]
