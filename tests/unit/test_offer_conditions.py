"""Which offers are legal for a basket, and why the others are not."""

from __future__ import annotations

import pytest

from rewards.engine.offer_conditions import Barred, barred
from rewards.policy.model import (
    ALL,
    AmountIs,
    Condition,
    Eligible,
    FirstPurchase,
    HasCode,
    Match,
    Not,
    Offer,
    PercentOff,
    Schedule,
    Selection,
    UseLimit,
)
from rewards.receipt import Line, Receipt

CAKE = Selection((Match(categories=frozenset(["cake"])),))
RECEIPT = Receipt(
    store_id="s1",
    receipt_id="1",
    occurred_at=0,
    day=739_000,
    minute=900,
    currency="EUR",
    codes=("SPRING",),
    lines=(
        Line(
            line_id="1",
            sku="A",
            categories=("cake",),
            quantity=2,
            gross_minor=1200,
            discount_minor=200,
            net_minor=1000,
            tax_minor=200,
        ),
        Line(line_id="2", sku="B", categories=("tea",), gross_minor=500, net_minor=500),
        Line(line_id="3", sku="C", gross_minor=5000, net_minor=5000, stored_value="card"),
    ),
)


def offer(*when: Condition, **more: object) -> Offer:
    return Offer(id="x", gives=PercentOff(1, 10), when=when, meaning="", **more)  # type: ignore[arg-type]


def test_schedule_and_store() -> None:
    assert barred(offer(schedule=Schedule(hours=(900, 960), stores=frozenset(["s1"]))), RECEIPT, Eligible()) is None
    assert barred(offer(schedule=Schedule(stores=frozenset(["s2"]))), RECEIPT, Eligible()) == Barred("schedule")


def test_codes() -> None:
    assert barred(offer(HasCode("SPRING")), RECEIPT, Eligible()) is None
    condition = Not((HasCode("SPRING"),))
    assert barred(offer(condition), RECEIPT, Eligible()) == Barred("condition", condition)


@pytest.mark.parametrize(
    ("condition", "on", "eligible", "short"),
    [
        (AmountIs(what="spend", at_least=1500), None, Eligible(), None),
        (AmountIs(what="spend", at_least=1501), None, Eligible(), 1),
        (AmountIs(what="spend", at_least=1001), CAKE, Eligible(), 1),
        (AmountIs(what="spend", at_least=1500, of=ALL), CAKE, Eligible(), None),
        (AmountIs(what="spend", at_least=1500), None, Eligible(tax_included=False), 166),
        (AmountIs(what="spend", at_least=600), None, Eligible(excluding=CAKE), 100),
        (AmountIs(what="units", at_least=4), None, Eligible(), 1),
    ],
)
def test_amounts(condition: AmountIs, on: Selection | None, eligible: Eligible, short: int | None) -> None:
    reason = barred(offer(condition, on=on), RECEIPT, eligible)
    assert reason == (None if short is None else Barred("condition", condition, short))


@pytest.mark.parametrize("condition", [FirstPurchase(), Not((FirstPurchase(),)), AmountIs(what="visits", at_least=2)])
def test_guests_get_nothing_that_reads_a_member(condition: Condition) -> None:
    assert barred(offer(condition), RECEIPT, Eligible()) == Barred("needs_member")
    no = barred(offer(condition), RECEIPT, Eligible(), member=lambda _: isinstance(condition, Not))
    assert no == Barred("condition", condition)
    assert barred(offer(condition), RECEIPT, Eligible(), member=lambda _: not isinstance(condition, Not)) is None


def test_limits_longer_than_the_receipt_need_a_member() -> None:
    limited = offer(limits=(UseLimit("times", 1, "month"),))
    assert barred(limited, RECEIPT, Eligible()) == Barred("needs_member")
    assert barred(limited, RECEIPT, Eligible(), member=lambda _: True) is None
    assert barred(offer(limits=(UseLimit("units", 1, "receipt"),)), RECEIPT, Eligible()) is None


def test_only_by() -> None:
    assert barred(offer(only_by="voucher"), RECEIPT, Eligible()) == Barred("only_by_voucher")
    assert barred(offer(only_by="reward"), RECEIPT, Eligible(), granted=True) is None
