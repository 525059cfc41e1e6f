"""L14: whole numbers only; rounding is named, once per rule and measure window; shares sum exactly."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rewards.basket import payable
from rewards.days import WINDOWS, period
from rewards.money import largest_remainder, left_of, webster
from rewards.policy.model import EarningRule, Rate, Wallet
from tests.engine_adapter import RUNS, Run
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Purchase, Return
from tests.strategies.policies import policy_of
from tests.strategies.words import ROUNDINGS, pick, whole


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_whole_numbers_only(run: Run, case: Case) -> None:
    outcome = run(case.versions, case.story.joined, case.arrived)

    assert all(type(points) is int for day in outcome.earned().values() for points in day.values())
    assert all(type(lot.points) is int for lots in outcome.lots().values() for lot in lots)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_one_rounding_for_each_window(run: Run, case: Case) -> None:
    """What the days of a window earn is `give` for each `every` of the whole spend, rounded once."""
    how, measure = pick(case.more, ROUNDINGS), pick(case.more, WINDOWS)
    rate = Rate("spend", pick(case.more, (30, 100, 150, 300)), whole(case.more, 1, 7))
    plain = EarningRule(id="shop", wallet="points", gives=rate, measure=measure, meaning="")
    policy = policy_of({"shop": plain}, kept={"points": Wallet(key="points", one="point", round=how)})
    purchases = [event for event in case.story.events if isinstance(event, Purchase | Return)]
    earned = run([(1, policy)], case.story.joined, purchases).earned()

    spend: Counter[object] = Counter()
    for receipt, returned in case.facts.purchases:
        key = receipt.receipt_id if measure == "receipt" else period(receipt.day, measure)
        for line in receipt.lines:
            if line.stored_value is None:
                net = line.net_left_minor(returned.get(line.line_id, 0))
                points = [i for i, tender in enumerate(receipt.tenders) if tender.kind == "points"]
                spend[key] += net - sum(webster(net, line.tenders_minor)[i] for i in points)
    expected = sum(rate.give * _rounded(Fraction(amount, rate.every), how) for amount in spend.values())
    assert sum(points for day in earned.values() for points in day.values()) == expected


def _rounded(exact: Fraction, how: str) -> int:
    return {"down": floor(exact), "up": ceil(exact), "half_up": floor(exact + Fraction(1, 2))}[how]


@given(case=cases())
def test_shares_of_discounts_sum_exactly(case: Case) -> None:
    """To the discount, to the line, to what is paid; and no line is sold below what the law says."""
    for receipt in (event.receipt for event in case.arrived if isinstance(event, Purchase)):
        if not any(policy.offers for _, policy in case.versions):
            continue
        for one in receipt.discounts:
            assert one.amount_minor == sum(one.lines_minor) > 0
            assert min(one.lines_minor) >= 0
        for i, line in enumerate(receipt.lines):
            before = line.gross_minor - line.discount_minor
            assert line.offers_minor == sum(one.lines_minor[i] for one in receipt.discounts)
            assert line.net_minor == before - line.offers_minor >= min(before, line.lowest_minor or 0)
            assert sum(line.tenders_minor) == (payable(line) if receipt.tenders else 0)
        for i, tender in enumerate(receipt.tenders):
            assert tender.amount_minor == sum(line.tenders_minor[i] for line in receipt.lines)


_AMOUNTS = st.lists(st.integers(0, 2000), min_size=1, max_size=6)


@given(total=st.integers(0, 5000), weights=_AMOUNTS)
def test_largest_remainder_sums_exactly(total: int, weights: list[int]) -> None:
    shares = largest_remainder(total, weights)

    assert sum(shares) == total
    if sum(weights):
        exact = [Fraction(total * weight, sum(weights)) for weight in weights]
        assert all(floor(one) <= share <= ceil(one) for one, share in zip(exact, shares, strict=True))


@given(shares=_AMOUNTS.filter(any), data=st.data())
def test_no_part_grows_as_the_whole_shrinks(shares: list[int], data: st.DataObject) -> None:
    total = data.draw(st.integers(1, sum(shares)))
    parts, fewer = webster(total, shares), webster(total - 1, shares)

    assert sum(parts) == total
    assert sum(fewer) == total - 1
    assert all(less <= more for less, more in zip(fewer, parts, strict=True))
    assert webster(sum(shares), shares) == shares


@given(shares=st.lists(st.integers(0, 40), min_size=1, max_size=4).filter(any), data=st.data())
def test_webster_gives_the_next_cent_to_the_strongest_claim(shares: list[int], data: st.DataObject) -> None:
    """The definition, cent by cent: the next goes to the largest share / (2 * given + 1), ties to the earlier."""
    total = data.draw(st.integers(0, sum(shares)))
    given_out = [0] * len(shares)
    for _ in range(total):
        claims = [Fraction(share, 2 * out + 1) for share, out in zip(shares, given_out, strict=True)]
        given_out[claims.index(max(claims))] += 1

    assert webster(total, shares) == given_out


@given(amount=st.integers(0, 5000), quantity=st.integers(1, 7), cuts=st.lists(st.integers(0, 7), max_size=4))
def test_refunds_sum_to_the_whole(amount: int, quantity: int, cuts: list[int]) -> None:
    steps = [0, *sorted(min(cut, quantity) for cut in cuts), quantity]
    left = [left_of(amount, quantity, returned) for returned in steps]

    assert left == sorted(left, reverse=True)
    assert (left[0], left[-1]) == (amount, 0)
