"""L10: the offers applied are the best legal combination (against a brute-force oracle).

And what holds of every basket with them: shares sum exactly per offer and per line, within
rooms and caps; presentation does not matter (L2); a bigger percentage, another offer
never hurts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rewards.engine import offer_search
from rewards.engine.offer_rows import Claim
from rewards.policy.model import PercentOff
from rewards.receipt import Line
from tests.offer_oracle import Oracle, money_bounds
from tests.strategies.offers import GROUPS, OfferCase, offer_cases


def oracle(case: OfferCase) -> int:
    return Oracle(case.lines, case.claims, GROUPS).best()


@given(case=offer_cases(most=6))
def test_few_offers(case: OfferCase) -> None:
    assert case.best().discount_minor == oracle(case)


@given(case=offer_cases(most=12))
def test_up_to_twelve_offers(case: OfferCase) -> None:
    assert case.best().discount_minor == oracle(case)


@given(case=offer_cases(least=6, most=12, rivals=True))
def test_rivals_in_three_groups(case: OfferCase) -> None:
    """Many combinations, of which only the promising are tried."""
    assert case.best().discount_minor == oracle(case)


@given(case=offer_cases(least=4, most=9, rivals=True, narrow=True))
def test_what_is_not_tried_changes_no_answer(case: OfferCase) -> None:
    """Not the winner, nor what another would have given instead: as if all were tried."""
    answers = []
    for few in (offer_search.MOST, 1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(offer_search, "FEW", few)
            answers.append(case.best())
    assert answers[0] == answers[1]


@given(case=offer_cases())
def test_shares_sum_within_rooms_and_caps(case: OfferCase) -> None:
    outcome = case.best()
    by_id = {claim.offer.id: claim for claim in case.claims}

    assert sum(one.amount_minor for one in outcome.applied) == outcome.discount_minor == sum(outcome.lines_minor)
    for one in outcome.applied:
        assert one.amount_minor == sum(one.lines_minor) > 0
        assert min(one.lines_minor) >= 0
        assert one.amount_minor <= min([one.amount_minor, *money_bounds(by_id[one.offer.id])])
    for i, line in enumerate(case.lines):
        assert sum(one.lines_minor[i] for one in outcome.applied) == outcome.lines_minor[i]
        assert line.net_minor - outcome.lines_minor[i] >= min(line.net_minor, line.lowest_minor or 0)
    assert {one.offer.id for one in outcome.applied}.isdisjoint(one.offer.id for one in outcome.not_taken)
    assert len(outcome.applied) + len(outcome.not_taken) == len(case.claims)


@given(case=offer_cases(narrow=True))
def test_basket_offers_of_some_lines_share_exactly_too(case: OfferCase) -> None:
    test_shares_sum_within_rooms_and_caps.hypothesis.inner_test(case)  # type: ignore[attr-defined]


@given(case=offer_cases(narrow=True), random=st.randoms(use_true_random=False))
def test_basket_offers_of_some_lines_in_any_order(case: OfferCase, random) -> None:
    test_order_of_lines_and_offers.hypothesis.inner_test(case, random)  # type: ignore[attr-defined]


@given(case=offer_cases())
def test_groups_are_kept(case: OfferCase) -> None:
    for name, group in GROUPS.items():
        shares = [one.lines_minor for one in case.best().applied if one.offer.choose == name]
        if group.of == "receipt":
            assert len(shares) <= 1
        else:
            kinds = [Oracle.key(line) for line in case.lines]
            for kind in set(kinds):
                served = [any(s for s, k in zip(share, kinds, strict=True) if k == kind) for share in shares]
                assert sum(served) <= 1


@given(case=offer_cases())
def test_stored_value_only_by_name(case: OfferCase) -> None:
    outcome = case.best()
    for one in outcome.applied:
        names_it = one.offer.on is not None and one.offer.on.any_of[0].stored_value is not None
        for line, share in zip(case.lines, one.lines_minor, strict=True):
            assert not share or (line.stored_value is not None) == names_it


def content(line: Line) -> tuple[object, ...]:
    return (*Oracle.key(line), line.quantity)


@given(case=offer_cases(), random=st.randoms(use_true_random=False))
def test_order_of_lines_and_offers(case: OfferCase, random) -> None:
    other = OfferCase(random.sample(case.lines, len(case.lines)), random.sample(case.claims, len(case.claims)))
    first, second = case.best(), other.best()

    assert first.discount_minor == second.discount_minor
    assert Counter(zip(map(content, case.lines), first.lines_minor, strict=True)) == Counter(
        zip(map(content, other.lines), second.lines_minor, strict=True)
    )
    assert [(one.offer.id, one.amount_minor, one.units) for one in first.applied] == [
        (one.offer.id, one.amount_minor, one.units) for one in second.applied
    ]


@given(case=offer_cases(), random=st.randoms(use_true_random=False))
def test_renamed_ids(case: OfferCase, random) -> None:
    names = random.sample(range(100, 200), len(case.claims))
    renamed = [
        replace(claim, offer=replace(claim.offer, id=f"x{name}"))
        for claim, name in zip(case.claims, names, strict=True)
    ]
    assert OfferCase(case.lines, renamed).best().discount_minor == case.best().discount_minor


@given(case=offer_cases(evenly=True))
def test_lines_split_into_units(case: OfferCase) -> None:
    assume(all(line.net_minor % line.quantity == 0 for line in case.lines))
    split = [
        msgspec.structs.replace(
            line,
            line_id=f"{line.line_id}.{n}",
            quantity=1,
            gross_minor=line.gross_minor // line.quantity,
            discount_minor=line.discount_minor // line.quantity,
            net_minor=line.net_minor // line.quantity,
            lowest_minor=None if line.lowest_minor is None else line.lowest_minor // line.quantity,
        )
        for line in case.lines
        for n in range(line.quantity)
    ]
    first, second = case.best(), OfferCase(split, case.claims).best()
    assert first.discount_minor == second.discount_minor
    assert [(one.offer.id, one.amount_minor) for one in first.applied] == [
        (one.offer.id, one.amount_minor) for one in second.applied
    ]


@given(case=offer_cases(), data=st.data())
def test_bigger_percentage_never_hurts(case: OfferCase, data: st.DataObject) -> None:
    percents = [i for i, claim in enumerate(case.claims) if isinstance(claim.offer.gives, PercentOff)]
    assume(percents)
    at = data.draw(st.sampled_from(percents))
    claim = case.claims[at]
    share = claim.offer.gives
    assert isinstance(share, PercentOff)
    step = data.draw(st.integers(1, 1000))
    bigger = PercentOff(min(share.numerator * 1000 + step * share.denominator, share.denominator * 1000), 1000)
    bigger = PercentOff(bigger.numerator, share.denominator * 1000)
    others = [*case.claims]
    others[at] = replace(claim, offer=replace(claim.offer, gives=bigger))
    rows = len(case.lines) if any(map(_cut, case.claims)) else 0  # a cut offer is laid on rows anew
    assert OfferCase(case.lines, others).best().discount_minor >= case.best().discount_minor - rows


def _cut(claim: Claim) -> bool:
    """Whether something bounds what the offer may take off."""
    money = any(limit.what == "money" for limit in claim.offer.limits)
    return money or claim.offer.at_most is not None or claim.money_left is not None


@given(case=offer_cases(), data=st.data())
def test_another_offer_never_hurts(case: OfferCase, data: st.DataObject) -> None:
    without = [*case.claims]
    without.pop(data.draw(st.integers(0, len(without) - 1)))
    assert OfferCase(case.lines, without).best().discount_minor <= case.best().discount_minor
