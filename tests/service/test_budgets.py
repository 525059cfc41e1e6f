"""Budgets: first come, first served over all buyers; never overrun, given back by a full return, counted in their own right."""

import random
from datetime import date

import msgspec
import pytest

from rewards.basket import MemberRef
from rewards.errors import Conflict
from rewards.service.commands import Publish, RecordPurchase
from rewards.service.ids import budget_owner

from .conftest import DAY, POLICY, counts, line, offers, opened

OFFERS = """offers:
  pens: {{on: {{skus: [PEN]}}, amount_off: 0.50 per unit, budget: {{units: {units}, per: month}}}}
  cakes: {{on: {{categories: [cake]}}, percent_off: 20%, budget: {{money: {money}, per: ever}}}}
  first: {{when: {{spend: {{at_least: 10.00}}, code: FIRST}}, amount_off: 2.00, stage: basket, budget: [{{times: 2, per: week}}, {{times: 3, per: month}}]}}
  both: {{when: {{code: BOTH}}, amount_off: 1.00, stage: basket, limit: {{times: 1, per: ever}}, budget: {{times: 2, per: ever}}}}
"""
ANA, BEN, EVA = "2600000001236", "2600000002042", "2600000009997"


def policy(units=5, money="10.00", offers=OFFERS):
    return POLICY.replace(b"returns:", offers.format(units=units, money=money).encode() + b"returns:")


@pytest.fixture
def till(clock):
    shop = opened("sqlite://", clock, policy())
    for card in (ANA, BEN, EVA):
        shop.enrol(card)
    yield shop
    assert shop.service.verify() == []
    before = drawn(shop)
    shop.service.rebuild()
    assert drawn(shop) == before
    shop.service.close()


def drawn(till):
    """What each budget's stored state says, by offer: [times, units, minor units]."""
    with till.service._reading() as batch:
        sums = {name: batch.budget(owner).near.drawn for name, owner in batch.running.budgets.items()}
    return {name: [sum(column) for column in zip(*days.values(), strict=True)] for name, days in sums.items() if days}


def first(till, receipt, card=None, **facts):
    return offers(till.buy(receipt, 1000, card=card, codes=("FIRST",), **facts)).get("first", 0)


def pens(till, receipt, units, card=None, **facts):
    return offers(till.buy(receipt, card=card, lines=(line("1", "PEN", amount=100, quantity=units),), **facts))


def cake(till, receipt, amount, card=None, **facts):
    return offers(till.buy(receipt, card=card, lines=(line("1", amount=amount, categories=("cake",)),), **facts))


def withheld(answer):
    return {one["rule"]: (one["condition"], one["why"]) for one in answer["not_applied"]}


def test_who_comes_first_is_served_first(till, clock):
    assert [first(till, "r1", ANA), first(till, "r2"), first(till, "r3", BEN)] == [200, 200, 0]
    clock.now += 7 * DAY
    assert [first(till, "r4", EVA), first(till, "r5", ANA)] == [200, 0]  # a week of its own, but the month is used up
    clock.now += 30 * DAY
    assert first(till, "r6") == 200


def test_why_not_is_told_and_no_figure_of_the_shops(till, clock):
    first(till, "r1")
    first(till, "r2")
    answer = till.buy("r3", 1000, codes=("FIRST",))
    assert withheld(answer)["first"] == ("budget", "the budget is used up per week")
    assert answer["codes_refused"] == [{"code": "FIRST", "reason": "gave-nothing"}]
    clock.now += 7 * DAY
    first(till, "r4")
    assert withheld(till.buy("r5", 1000, codes=("FIRST",)))["first"] == ("budget", "the budget is used up per month")
    cake(till, "r6", 5000)
    assert withheld(till.buy("r7", lines=(line("1", categories=("cake",)),)))["cakes"][1] == "the budget is used up"


def test_the_last_of_a_budget_cuts_the_discount(till):
    assert cake(till, "r1", 4500, ANA) == {"cakes": 900}
    answer = till.buy("r2", lines=(line("1", amount=1000, categories=("cake",)),), card=None)
    assert offers(answer) == {"cakes": 100}
    assert answer["discounts"][0]["why"] == "20% off 10.00 of the basket; that was all that was left"
    assert cake(till, "r3", 1000, BEN) == {}


def test_units_are_counted_over_buyers(till):
    assert [pens(till, "r1", 2, ANA), pens(till, "r2", 2)] == [{"pens": 100}] * 2
    assert [pens(till, "r3", 4, BEN), pens(till, "r4", 1, EVA)] == [{"pens": 50}, {}]
    assert drawn(till)["pens"] == [3, 5, 250]


def test_a_limit_beside_a_budget_needs_a_member(till):
    def both(receipt, card):
        return till.buy(receipt, 500, card=card, codes=("BOTH",))

    assert withheld(both("r1", None))["both"] == ("member", "needs a member")
    assert [offers(both("r2", ANA)), offers(both("r3", ANA))] == [{"both": 100}, {}]
    assert [offers(both("r4", BEN)), offers(both("r5", EVA))] == [{"both": 100}, {}]


@pytest.mark.parametrize("card", [ANA, None])
def test_a_full_return_gives_back_and_a_partial_one_does_not(till, card):
    lines = (line("1", amount=1000, quantity=2),)
    assert first(till, "r1", card, lines=lines) == first(till, "r2") == 200
    till.ask(till.give_back("b1", of="r1", lines={"1": 1}))
    assert first(till, "r3", BEN) == 0
    till.ask(till.give_back("b2", of="r1"))
    assert drawn(till)["first"] == [1, 1, 200]
    assert till.service.purchase(store_id="S1", receipt_id="r3").discounts == []  # nobody is granted later
    assert [first(till, "r4", EVA), first(till, "r5", EVA)] == [200, 0]


def test_money_given_back_serves_the_next(till):
    assert cake(till, "r1", 4000) == {"cakes": 800}
    assert cake(till, "r2", 4000) == {"cakes": 200}
    till.ask(till.give_back("b1", of="r1"))
    assert cake(till, "r3", 5000, ANA) == {"cakes": 800}


def test_a_receipt_that_arrives_late_draws_on_its_own_days_window(till, clock):
    clock.now += 9 * DAY
    assert [first(till, "r1"), first(till, "r2")] == [200, 200]
    assert first(till, "late", ANA, at=clock.now - 8 * DAY) == 200
    assert first(till, "later", ANA, at=clock.now - 8 * DAY) == 0  # three in that month
    assert first(till, "november", ANA, at=clock.now - 12 * DAY) == 200


def test_the_order_of_arrival_decides_not_the_till_clock(till, clock):
    first(till, "r0")
    assert first(till, "afternoon", ANA) == 200
    assert first(till, "morning", BEN, at=clock.now - DAY / 8) == 0
    assert drawn(till)["first"] == [2, 2, 400]


def test_sent_again_it_is_the_same_answer_and_drawn_once(till):
    basket = till.basket("r1", 1000, card=None, codes=("FIRST",))
    known = till.service.do(RecordPurchase(basket))
    for _ in range(3):
        again = till.service.do(RecordPurchase(basket), key="k")
        assert (again.body, again.replayed) == (known.body, True)
    command = till.give_back("b1", of="r1")
    known = till.service.do(command)
    assert till.service.do(command).body == known.body
    assert drawn(till) == {}
    assert [first(till, f"n{i}") for i in range(3)] == [200, 200, 0]


def test_returns_that_came_before_their_purchase(till):
    for name in ("b1", "b2"):
        till.ask(till.give_back(name, of="r1"))
    assert first(till, "r1", ANA) == 200
    assert drawn(till) == {}  # the second of them takes nothing, and gives nothing back
    assert [first(till, f"n{i}") for i in range(3)] == [200, 200, 0]
    assert till.service.verify() == []


def test_a_refused_purchase_draws_nothing(till):
    for name in ("r1", "r2", "r3"):
        with pytest.raises(Conflict):
            first(till, name, tenders=(("cash", 1),))
    assert drawn(till) == {}


def test_a_quote_takes_nothing_and_is_refused_when_the_budget_is_gone(till):
    basket = till.basket("q", 1000, card=None, codes=("FIRST",))
    quote = till.service.quote(basket)
    assert till.service.quote(basket).totals.due_minor == quote.totals.due_minor == 800
    assert drawn(till) == {}
    assert [first(till, "r1", ANA), first(till, "r2", BEN)] == [200, 200]
    brought = msgspec.structs.replace(basket, quote=quote.quote)
    with pytest.raises(Conflict) as refusal:
        till.service.do(RecordPurchase(brought))
    assert (refusal.value.code, refusal.value.facts["offer"]) == ("offer-gone", "first")
    till.ask(till.give_back("b1", of="r1"))
    assert till.ask(RecordPurchase(brought))["totals"]["due_minor"] == 800
    assert first(till, "r3") == 0


def test_a_quote_of_more_than_is_left_is_refused(till):
    basket = till.basket("q", card=None, lines=(line("1", amount=4000, categories=("cake",)),))
    quote = till.service.quote(basket)
    cake(till, "r1", 2000)
    brought = msgspec.structs.replace(basket, quote=quote.quote)
    with pytest.raises(Conflict) as refusal:
        till.service.do(RecordPurchase(brought))
    assert refusal.value.code == "offer-gone"
    assert cake(till, "r2", 4000) == {"cakes": 600}


def test_a_later_version_goes_on_from_what_was_drawn(till, clock):
    assert pens(till, "r1", 4) == {"pens": 200}
    assert cake(till, "r2", 2000) == {"cakes": 400}
    tomorrow = date(2026, 12, 3)
    till.service.do(Publish(policy(units=6, money="3.00"), from_day=tomorrow))
    assert pens(till, "r3", 3) == {"pens": 50}  # today is judged by today's version
    clock.now += DAY
    assert pens(till, "r4", 3) == {"pens": 50}
    assert cake(till, "r5", 2000) == {}
    assert cake(till, "late", 9000, at=clock.now - DAY) == {"cakes": 600}


def test_a_budget_that_comes_later_counts_from_then_on(till, clock):
    till.service.do(
        Publish(
            policy(offers="offers:\n  pens: {{on: {{skus: [PEN]}}, amount_off: 0.50 per unit}}\n"),
            from_day=date(2026, 12, 3),
        )
    )
    clock.now += DAY
    assert pens(till, "r1", 40) == {"pens": 2000}
    till.service.do(Publish(policy(), from_day=date(2026, 12, 4)))
    clock.now += DAY
    assert pens(till, "r2", 4) == {"pens": 200}
    till.ask(till.give_back("b1", of="r1"))  # it drew on no budget, and gives none back
    assert drawn(till) == {"pens": [1, 4, 200]}
    assert pens(till, "r3", 40) == {"pens": 50}


def test_members_and_guests_are_numbered_as_before(till):
    first(till, "r1")
    first(till, "r2", ANA)
    owners = dict(till.books("SELECT id, kind FROM owner"))
    assert owners == {1: "member", 2: "member", 3: "member", 4: "guest", budget_owner("first"): "budget"}
    member = till.service.member(MemberRef(card=ANA)).member_id
    assert len(till.service.statement(member).entries) == 1


def test_imported_receipts_draw_nothing(till):
    till.service.do(RecordPurchase(till.basket("r1", 1000, card=None, codes=("FIRST",))), caller="import")
    assert drawn(till) == {}


def test_many_in_one_batch_see_each_other(till):
    before = counts(till.service)
    baskets = [till.basket(f"r{i}", 1000, card=(ANA, BEN, None)[i % 3], codes=("FIRST",)) for i in range(40)]
    futures = till.service.submit_all([RecordPurchase(basket) for basket in baskets])
    dues = [msgspec.json.decode(future.result().body)["totals"]["due_minor"] for future in futures]
    assert dues == [800, 800] + [1000] * 38
    assert counts(till.service)["event"] == before["event"] + 42


@pytest.fixture
def lived_in(till):
    luck = random.Random(7)
    for i in range(30):
        first(till, f"f{i}", luck.choice([ANA, BEN, None]))
        pens(till, f"p{i}", luck.randint(1, 3), luck.choice([EVA, None]))
        if luck.random() < 0.4:
            till.ask(till.give_back(f"b{i}", of=f"{luck.choice('fp')}{i}"))
        till.clock.now += DAY
    assert till.service.verify() == []
    return till


PENS = budget_owner("pens")
NAME = f"owner {PENS} (the budget of `pens`)"


def damage(till, sql):
    keep = f"CREATE TABLE keep AS SELECT * FROM {sql.split()[2 if sql.startswith('DELETE') else 1]}"
    till.damage(keep, sql.format(pens=PENS))


def mend(till, sql):
    table = sql.split()[2 if sql.startswith("DELETE") else 1]
    till.damage(f"DELETE FROM {table}", f"INSERT INTO {table} SELECT * FROM keep")


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM event WHERE owner_id = {pens} AND number = 2",
        "DELETE FROM event WHERE owner_id = {pens} AND number = (SELECT max(number) FROM event WHERE owner_id = {pens})",
        "UPDATE event SET body = x'c1' WHERE owner_id = {pens} AND number = 1",
        "UPDATE event SET external_id = 'x' WHERE owner_id = {pens} AND number = 1",
        "DELETE FROM entry WHERE owner_id = {pens} AND number = 1",
        "UPDATE entry SET recorded_at = recorded_at + 1 WHERE owner_id = {pens} AND number = 1",
        "UPDATE posting SET amount = amount * 2 WHERE owner_id = {pens} AND entry_number = 1",
        "DELETE FROM posting WHERE owner_id = {pens} AND entry_number = 1",
        "DELETE FROM near_state WHERE owner_id = {pens}",
    ],
)
def test_damage_to_a_budget_is_found(lived_in, sql):
    damage(lived_in, sql)
    assert any(finding.startswith(f"{NAME}:") for finding in lived_in.service.verify())
    mend(lived_in, sql)


def test_a_state_that_lies_is_found_and_mended(lived_in):
    before = drawn(lived_in)
    other = budget_owner("first")
    state = f"SELECT state FROM near_state WHERE owner_id = {other}"
    lived_in.damage(f"UPDATE near_state SET state = ({state}) WHERE owner_id = {PENS}")
    findings = lived_in.service.verify()
    assert f"{NAME}: its state is not what its events give" in findings
    assert any(f"{NAME}: it counts " in finding for finding in findings)
    lived_in.service.rebuild()
    assert drawn(lived_in) == before


def test_a_whole_budget_that_is_gone_is_missed_by_the_receipts(lived_in):
    """Every trace of it is deleted, so that its own timeline is in order: only the receipts know."""
    tables = {"event": "owner_id", "entry": "owner_id", "posting": "owner_id", "near_state": "owner_id", "owner": "id"}
    with lived_in.service._store.transaction() as session:
        for table, key in tables.items():
            session.rows(f"CREATE TABLE keep_{table} AS SELECT * FROM {table} WHERE {key} = {PENS}")
            session.rows(f"DELETE FROM {table} WHERE {key} = {PENS}")
    findings = lived_in.service.verify()
    assert findings
    assert all(f"{NAME}: it counts -" in finding for finding in findings)
    with lived_in.service._store.transaction() as session:
        for table in tables:
            session.rows(f"INSERT INTO {table} SELECT * FROM keep_{table}")
