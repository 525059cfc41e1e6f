"""What offers and their groups are compiled into, and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from rewards.days import Duration
from rewards.policy.compile import compile_policy, load_policy
from rewards.policy.model import (
    AmountIs,
    AmountOff,
    FirstPurchase,
    FixedPrice,
    Free,
    HasCode,
    Match,
    Not,
    OfferGroup,
    PercentOff,
    Policy,
    Schedule,
    Selection,
    UseLimit,
)
from tests.policies import program

HERE = Path(__file__).parent
FISH = Selection((Match(categories=frozenset({"fish"})),))


@pytest.fixture(scope="module")
def grocer() -> Policy:
    return load_policy((HERE / "good" / "grocer.yaml").read_bytes())


def test_what_offers_give(grocer: Policy) -> None:
    offers = grocer.offers
    assert offers["happy-hour"].gives == PercentOff(1, 5)
    assert offers["event"].gives == PercentOff(21, 200)
    assert offers["event-grocery"].gives == PercentOff(333333, 1_000_000)
    assert offers["first-delivery"].gives == AmountOff(1000)
    assert offers["bread"].gives == AmountOff(5, per_unit=True)
    assert offers["member-price-salmon"].gives == FixedPrice(350)
    assert offers["any-3-for-2-fish"].gives == Free(1, 3, "cheapest", (1, 1))
    assert offers["second-drink"].gives == Free(1, 2, "dearest", (1, 2))
    assert offers["small-cup"].gives == Free(1)


def test_lines_and_stages(grocer: Policy) -> None:
    offers = grocer.offers
    assert (offers["any-3-for-2-fish"].on, offers["any-3-for-2-fish"].on_name) == (FISH, "fish")
    assert (offers["small-basket"].on, offers["small-basket"].on_name, offers["event"].on) == (None, "", None)
    stages = {name: offer.stage for name, offer in offers.items()}
    assert {name for name, stage in stages.items() if stage == "basket"} == {
        "first-delivery",
        "few",
        "event",
        "event-grocery",
    }


def test_units_are_items_also_without_a_selection() -> None:
    text = (HERE / "good" / "offers-alone.yaml").read_text()
    for gives in ("free: {units: 1}", "fixed_price: 2.00", "amount_off: 0.10 per unit"):
        policy = load_policy(text.replace("percent_off: 10%", gives).encode())
        assert (policy.offers["tenth"].stage, policy.offers["tenth"].on) == ("item", None)


def test_conditions_and_schedules(grocer: Policy) -> None:
    offers = grocer.offers
    assert offers["first-delivery"].when == (FirstPurchase(), AmountIs(what="spend", at_least=6000))
    assert offers["few"].when == (
        Not((AmountIs(what="units", at_least=10),)),
        AmountIs(what="visits", at_least=3, within=Duration(12, "months")),
    )
    assert offers["small-basket"].when == (
        Not((HasCode("STAFF"), AmountIs(what="spend", at_least=100, of=FISH))),
        AmountIs(what="spend", at_most=500),
    )
    assert offers["happy-hour"].schedule == Schedule(days=frozenset(range(5)), hours=(15 * 60, 17 * 60))


def test_limits_and_who_pays(grocer: Policy) -> None:
    offers = grocer.offers
    assert offers["bread"].limits == (UseLimit("units", 3, "receipt"), UseLimit("units", 30, "month"))
    assert offers["event-grocery"].limits == (UseLimit("times", 1, "ever"),)
    assert offers["first-delivery"].limits == (UseLimit("money", 5_000, "month"),)
    assert offers["first-delivery"].budgets == (UseLimit("money", 5_000_000, "month"),)
    assert {name for name, offer in offers.items() if offer.budgets} == {"first-delivery"}
    assert (offers["small-cup"].at_most, offers["bread"].at_most) == (200, None)
    assert (offers["happy-hour"].funded_by, offers["bread"].funded_by) == ("Acme Ltd", "")
    assert {offer.only_by for offer in offers.values()} == {None}


def test_groups_are_of_rules_or_of_offers(grocer: Policy) -> None:
    assert grocer.groups == ("points",)
    assert grocer.offer_groups == {"salmon": OfferGroup("salmon", "line"), "event": OfferGroup("event", "receipt")}
    assert grocer.offers["event"].choose == "event"


def test_a_policy_may_have_offers_alone() -> None:
    policy = load_policy((HERE / "good" / "offers-alone.yaml").read_bytes())
    assert (list(policy.offers), policy.rules, policy.wallets) == (["tenth"], {}, {})


@pytest.mark.parametrize(("members", "refused"), [(256, False), (257, True)])
def test_as_many_combinations_as_the_engine_tries(members: int, *, refused: bool) -> None:
    text = (HERE / "good" / "offers-alone.yaml").read_text()
    text += "".join(f"  o{n}: {{percent_off: 5%, when: {{code: A{n}}}, choose: g}}\n" for n in range(members))
    _, problems = compile_policy((text + "choose: {g: {keep: best}}\n").encode())
    assert [problem.code for problem in problems] == (["choose-too-wide"] if refused else [])


def test_a_budget_of_a_receipt_is_a_limit() -> None:
    text = (HERE / "good" / "offers-alone.yaml").read_text()
    budget = "percent_off: 10%, budget: [{money: 5.00, per: receipt}, {times: 7, per: day}]"
    offer = load_policy(text.replace("percent_off: 10%", budget).encode()).offers["tenth"]
    assert offer.limits == (UseLimit("money", 500, "receipt"),)
    assert offer.budgets == (UseLimit("times", 7, "day"),)


HEAD = program("selections: {drinks: {categories: [tea, coffee]}, food: {categories: [bread]}, both: [drinks, food]}\n")
OFFERS = {
    "tenth": "{on: drinks, percent_off: 10%, when: {spend: {at_least: 5.00}, code: A}, choose: g}",
    "second": "{on: both, free: {units: 1, of_every: 2}, limit: [{times: 1, per: day}, {units: 4, per: month}]}",
    "sum": "{amount_off: 5.00, limit: {money: 100.00, per: day}, budget: {times: 90, per: week}, schedule: {days: [sat, sun]}}",
}


def meanings(offers: dict[str, str], of: str = "line") -> dict[str, str]:
    text = HEAD + "offers:\n" + "".join(f"  {name}: {offer}\n" for name, offer in offers.items())
    policy = load_policy(f"{text}choose: {{g: {{keep: best, of: {of}}}}}\n".encode())
    return {name: offer.meaning for name, offer in policy.offers.items()}


BEFORE = meanings(OFFERS)


@pytest.mark.parametrize(
    ("name", "offer"),
    [
        ("tenth", "{choose: g, when: {code: a, spend: {at_least: 5, on: drinks}}, percent_off: 10.0%, on: drinks}"),
        ("tenth", "{title: Tea, funded_by: Acme, stage: item, " + OFFERS["tenth"][1:]),
        ("second", OFFERS["second"].replace("both", "[{categories: [bread]}, {categories: [coffee, tea]}]")),
        ("second", OFFERS["second"].replace("of_every: 2", "of_every: 2 units, pick: cheapest, off: 100%")),
        (
            "sum",
            "{amount_off: 5, schedule: {days: [sun, sat]}, limit: [{per: day, money: 100}], budget: [{per: week, times: 90}]}",
        ),
    ],
)
def test_the_same_said_otherwise_means_the_same(name: str, offer: str) -> None:
    assert meanings({**OFFERS, name: offer}) == BEFORE


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("tenth", "10%", "10.1%"),
        ("tenth", "drinks", "food"),
        ("tenth", "5.00", "5.01"),
        ("tenth", "code: A", "code: B"),
        ("tenth", ", choose: g", ""),
        ("second", "of_every: 2", "of_every: 3"),
        ("second", "units: 1,", "units: 1, pick: dearest,"),
        ("second", "units: 1,", "units: 1, off: 50%,"),
        ("second", "month", "year"),
        ("sum", "amount_off", "stage: item, amount_off"),
        ("sum", "per: day", "per: week"),
        ("sum", "sun", "fri"),
        ("sum", "5.00,", "5.00 per unit,"),
        ("sum", "times: 90", "times: 91"),
        ("sum", "budget: {times: 90, per: week}, ", ""),
    ],
)
def test_another_effect_is_another_meaning(name: str, before: str, after: str) -> None:
    assert before in OFFERS[name]
    group = {"other": "{on: drinks, percent_off: 3%, choose: g}"}  # so that the group is always used
    first = meanings({**OFFERS, **group})
    changed = meanings({**OFFERS, **group, name: OFFERS[name].replace(before, after)})
    assert {one for one in changed if changed[one] != first[one]} == {name}


def test_what_a_group_competes_for_is_an_effect() -> None:
    receipt = meanings(OFFERS, "receipt")
    assert {name for name in OFFERS if receipt[name] != BEFORE[name]} == {"tenth"}
