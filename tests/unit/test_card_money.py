"""Lots of a card's money: what is taken, given back in any number of parts, and booked, to the cent."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rewards.ledger.card_money import add, booked, given_back, taken, total, without

lots_of = st.dictionaries(st.integers(1, 50), st.integers(1, 1000), min_size=1, max_size=5).map(
    lambda found: tuple(sorted(found.items()))
)


@given(lots_of, st.data())
def test_what_is_taken_comes_back_in_any_parts(lots, data):
    parts = taken(lots, data.draw(st.integers(0, total(lots))))
    left = without(lots, parts)
    back, before = left, 0
    while before < total(parts):
        minor = data.draw(st.integers(1, total(parts) - before))
        back = add(back, given_back(parts, before, minor, last=0))
        before += minor
    assert back == lots


@given(lots_of, st.integers(0, 60), st.data())
def test_refunds_last_at_least_so_long_and_sum_exactly(lots, last, data):
    first = data.draw(st.integers(0, total(lots)))
    pieces = given_back(lots, 0, first, last), given_back(lots, first, total(lots) - first, last)
    assert [total(piece) for piece in pieces] == [first, total(lots) - first]
    assert all(end >= last for piece in pieces for end, _ in piece)


@given(lots_of, lots_of, st.integers(0, 60))
def test_every_entry_sums_to_zero(before, change, at):
    after = add(tuple(lot for lot in before if lot[0] > at), change)
    entries = booked(before, after, currency="EUR", activity="LOAD", contra="sold", at=at, version="v")
    assert all(sum(leg.points for leg in entry.postings) == 0 for entry in entries)
    legs = [leg for entry in entries for leg in entry.postings if leg.account == "lot"]
    assert add(before, tuple((leg.expires_at, leg.points) for leg in legs)) == after
