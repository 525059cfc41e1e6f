"""Worked examples of offers, each with the figures a person would write down."""

from __future__ import annotations

from datetime import date

import pytest

from rewards.days import Window, period
from rewards.engine.offers import Claim, OfferBook, Outcome, discounted
from rewards.engine.till import left_of_budget
from rewards.policy.model import (
    AmountOff,
    Eligible,
    FixedPrice,
    Free,
    Match,
    Offer,
    OfferGroup,
    PercentOff,
    Selection,
    UseLimit,
)
from rewards.receipt import Line

CAKE = Selection((Match(categories=frozenset(["cake"])),))
FISH = Selection((Match(categories=frozenset(["fish"])),))
SALMON = Selection((Match(skus=frozenset(["SALMON"])),))
CARD = Selection((Match(stored_value=frozenset(["card"])),))


def line(price: int, *, sku: str = "X", quantity: int = 1, category: str = "cake", **more: object) -> Line:
    amount = price * quantity
    return Line(
        line_id=f"{sku}-{price}-{quantity}",
        sku=sku,
        categories=(category,),
        quantity=quantity,
        gross_minor=amount,
        net_minor=amount,
        **more,  # type: ignore[arg-type]
    )


def offer(name: str, gives: PercentOff | AmountOff | FixedPrice | Free, **more: object) -> Offer:
    return Offer(id=name, gives=gives, meaning=name, **more)  # type: ignore[arg-type]


def best(lines: list[Line], *offers: Offer, groups: dict[str, OfferGroup] | None = None, **claim: int) -> Outcome:
    book = OfferBook({one.id: one for one in offers}, groups or {}, Eligible())
    return book.best(lines, [Claim(offer=one, **claim) for one in offers])


def amounts(outcome: Outcome) -> dict[str, int]:
    return {one.offer.id: one.amount_minor for one in outcome.applied}


def test_percentages_are_rounded_once_over_all_lines() -> None:
    lines = [line(25, sku=sku) for sku in "ABC"]
    outcome = best(lines, offer("tenth", PercentOff(1, 10)))
    assert outcome.discount_minor == 8
    assert sorted(outcome.lines_minor) == [2, 3, 3]


def test_two_percentages_are_rounded_together() -> None:
    outcome = best([line(25, sku=sku) for sku in "ABC"], offer("a", PercentOff(1, 10)), offer("b", PercentOff(1, 10)))
    assert amounts(outcome) == {"a": 8, "b": 7}
    assert outcome.lines_minor == (5, 5, 5)


def test_happy_hour() -> None:
    lines = [line(800, quantity=3), line(380, category="coffee")]
    outcome = best(lines, offer("happy-hour", PercentOff(1, 5), on=CAKE))
    assert outcome.lines_minor == (480, 0)
    assert [(one.net_minor, one.offers_minor) for one in discounted(lines, outcome)] == [(1920, 480), (380, 0)]


@pytest.mark.parametrize(("units", "off"), [(2, 0), (3, 100), (5, 100), (6, 200), (7, 200)])
def test_three_for_two(units: int, off: int) -> None:
    assert best([line(100, quantity=units)], offer("3-for-2", Free(1, 3))).discount_minor == off


def test_three_for_two_takes_the_cheapest_of_all() -> None:
    lines = [line(300, sku="A"), line(100, sku="B"), line(200, sku="C"), line(400, sku="D", quantity=3)]
    outcome = best(lines, offer("3-for-2", Free(1, 3)))
    assert outcome.lines_minor == (0, 100, 200, 0)
    assert outcome.applied[0].units == 2


def test_second_at_half_price() -> None:
    outcome = best([line(399, sku="A"), line(501, sku="B")], offer("second-half", Free(1, 2, off=(1, 2))))
    assert outcome.lines_minor == (200, 0)


def test_dearest_free_up_to_an_amount() -> None:
    drink = offer("drink", Free(1, pick="dearest"), at_most=600, only_by="reward")
    assert best([line(380), line(700)], drink).lines_minor == (0, 600)
    assert best([line(380), line(700)], drink, times=2).discount_minor == 380 + 700


def test_a_million_units() -> None:
    outcome = best([line(100, quantity=1_000_000)], offer("3-for-2", Free(1, 3)))
    assert outcome.discount_minor == 33_333_300


def test_fixed_price_and_its_limit_of_units() -> None:
    salmon = offer("salmon", FixedPrice(350), limits=(UseLimit("units", 6, "receipt"),))
    assert best([line(450, quantity=4), line(450, quantity=4)], salmon).discount_minor == 600
    assert best([line(450, quantity=4)], salmon, units_left=1).discount_minor == 100
    assert best([line(300)], salmon).not_taken[0].why == "gives_nothing"


def test_an_amount_comes_off_once_or_off_each_unit() -> None:
    lines = [line(1000, quantity=2), line(500, quantity=2)]
    once, each = offer("once", AmountOff(500)), offer("each", AmountOff(500, per_unit=True))
    assert best(lines, once).lines_minor == (333, 167)
    assert best(lines, each).lines_minor == (1000, 1000)


def test_an_amount_is_lost_only_where_nothing_is_left() -> None:
    lines = [line(500, sku="A"), line(500, sku="B", category="tea")]
    outcome = best(lines, offer("free", Free(1), on=CAKE), offer("five", AmountOff(400)))
    assert outcome.lines_minor == (500, 400)


def test_basket_comes_after_item() -> None:
    lines = [line(1000), line(1000, category="tea")]
    outcome = best(lines, offer("half", PercentOff(1, 2), on=CAKE), offer("tenth", PercentOff(1, 10), stage="basket"))
    assert amounts(outcome) == {"half": 500, "tenth": 150}


def test_never_below_the_lowest_price() -> None:
    lines = [line(1000, sku="BOOK", lowest_minor=1000), line(1000, sku="PEN")]
    outcome = best(lines, offer("tenth", PercentOff(1, 10)), offer("five", AmountOff(500), stage="basket"))
    assert outcome.lines_minor == (0, 600)
    book_only = best(lines[:1], offer("tenth", PercentOff(1, 10)))
    assert (book_only.discount_minor, book_only.not_taken[0].why) == (0, "no_room")


def test_stored_value_only_by_name() -> None:
    lines = [line(2500, stored_value="card"), line(1000)]
    assert best(lines, offer("tenth", PercentOff(1, 10))).lines_minor == (0, 100)
    assert best(lines, offer("card", PercentOff(1, 10), on=CARD)).lines_minor == (250, 0)


def test_group_of_receipt_names_what_was_not_taken() -> None:
    groups = {"event": OfferGroup("event")}
    small = offer("vip", PercentOff(3, 20), stage="basket", choose="event")
    large = offer("rouge", PercentOff(1, 5), stage="basket", choose="event")
    outcome = best([line(1000)], small, large, groups=groups)
    assert amounts(outcome) == {"rouge": 200}
    (beaten,) = outcome.not_taken
    assert (beaten.offer.id, beaten.why, beaten.by, beaten.instead_minor) == ("vip", "beaten", ("rouge",), 150)


def test_group_of_line_gives_each_line_its_best() -> None:
    groups = {"salmon": OfferGroup("salmon", "line")}
    price = offer("price", FixedPrice(350), on=SALMON, choose="salmon")
    three = offer("three", Free(1, 3), on=FISH, choose="salmon")
    lines = [line(450, sku="SALMON", category="fish"), line(300, sku="COD", quantity=2, category="fish")]
    assert best(lines, price, three, groups=groups).lines_minor == (100, 300)
    alone = best(lines[:1], price, three, groups=groups)
    assert (alone.not_taken[0].offer.id, alone.not_taken[0].why, alone.not_taken[0].by) == (
        "three",
        "beaten",
        ("price",),
    )


def test_two_free_offers_share_no_unit() -> None:
    lines = [line(300, quantity=2)]
    both = offer("a", Free(1)), offer("b", Free(1, pick="dearest"))
    assert best(lines, *both).discount_minor == 600
    assert best([line(300)], *both).discount_minor == 300


def test_what_limits_leave() -> None:
    tenth = offer("tenth", PercentOff(1, 10))
    assert best([line(1000)], tenth, money_left=60).discount_minor == 60
    assert best([line(1000)], tenth, money_left=0).not_taken[0].why == "gives_nothing"
    assert best([], tenth).not_taken[0].why == "nothing_selected"


@pytest.mark.parametrize("per", ["day", "week", "month", "quarter", "year", "ever"])
def test_what_a_budget_has_left_is_of_the_days_own_window(per: Window) -> None:
    first = date(2026, 1, 1).toordinal()
    drawn = dict.fromkeys(range(first, first + 3 * 366), (1, 2, 30))
    for day in range(first, first + 3 * 366, 17):
        days = sum(period(other, per) == period(day, per) for other in drawn)
        for what, each in (("times", 1), ("units", 2), ("money", 30)):
            assert left_of_budget(UseLimit(what, 100_000, per), drawn, day) == 100_000 - each * days
            assert left_of_budget(UseLimit(what, 1, per), drawn, day) == 0
