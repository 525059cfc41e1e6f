"""The fold that lays spendings over lots: monotone in every lot, deaf to the order of its inputs, adding up;
and the ledger's own fold equals the reference's, from the start and from a purse in between.
"""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from rewards.engine.reference_lots import Lot
from rewards.engine.reference_lots import fold as reference_fold
from rewards.ledger import lots as ledger
from rewards.ledger.lots import NEVER


@st.composite
def _ledgers(draw: st.DrawFn) -> tuple[list[Lot], list[tuple[int, int]]]:
    """Few instants, so that much happens at the same one; lots in an order of their own."""
    lots = []
    for day in range(draw(st.integers(1, 5))):
        available = day + draw(st.integers(0, 4))
        ends = draw(st.one_of(st.none(), st.integers(day + 1, 14)))
        lots.append(Lot(day, draw(st.integers(1, 6)), available, ends))
    return lots, draw(st.lists(st.tuples(st.integers(0, 12), st.integers(1, 8)), max_size=4))


LEDGERS = _ledgers()
INSTANTS = range(16)


@given(drawn=LEDGERS)
def test_adds_up(drawn: tuple[list[Lot], list[tuple[int, int]]]) -> None:
    lots, spendings = drawn
    for at in INSTANTS:
        held = reference_fold(lots, spendings, at)
        assert sum(lot.points for lot in lots) == held.spent + held.expired + held.available + held.pending
        assert held.spent + held.debt == sum(points for when, points in spendings if when <= at)
        assert min(held[:3]) >= 0
        assert not (held.available and held.debt)


@given(drawn=LEDGERS, random=st.randoms(use_true_random=False))
def test_order_of_inputs_does_not_matter(drawn: tuple[list[Lot], list[tuple[int, int]]], random: Random) -> None:
    lots, spendings = drawn
    other_lots, other_spendings = random.sample(lots, len(lots)), random.sample(spendings, len(spendings))
    for at in INSTANTS:
        assert reference_fold(other_lots, other_spendings, at) == reference_fold(lots, spendings, at)
        assert _ledger_fold(other_lots, other_spendings, at) == _ledger_fold(lots, spendings, at)


@given(drawn=LEDGERS, which=st.integers(0, 4), more=st.integers(1, 5))
def test_monotone_in_every_lot(drawn: tuple[list[Lot], list[tuple[int, int]]], which: int, more: int) -> None:
    lots, spendings = drawn
    richer = list(lots)
    lot = richer[which % len(lots)]
    richer[which % len(lots)] = lot._replace(points=lot.points + more)
    for at in INSTANTS:
        was, now = reference_fold(lots, spendings, at), reference_fold(richer, spendings, at)
        assert now.available >= was.available
        assert now.debt <= was.debt


@given(drawn=LEDGERS)
def test_the_ledger_folds_as_the_reference_does(drawn: tuple[list[Lot], list[tuple[int, int]]]) -> None:
    lots, spendings = drawn
    for at in INSTANTS:
        held = reference_fold(lots, spendings, at)
        assert _ledger_fold(lots, spendings, at) == (held.debt, held.lots)


@given(drawn=LEDGERS, half=st.integers(0, 12))
def test_from_a_purse_in_between(drawn: tuple[list[Lot], list[tuple[int, int]]], half: int) -> None:
    """Folding on from what stood at an instant is folding from the start."""
    lots, spendings = drawn
    first = ledger.fold([_ledger_lot(lot) for lot in lots], spendings, half)
    rest = [(at, points) for at, points in spendings if at > half]
    for at in range(half, 16):
        then = ledger.fold([ledger.Lot(*lot) for lot in first.open], rest, at, first.debt)
        assert (then.debt, _open(then)) == _ledger_fold(lots, spendings, at)


@given(drawn=LEDGERS)
def test_step_by_step(drawn: tuple[list[Lot], list[tuple[int, int]]]) -> None:
    """Advancing a purse and spending from it, one instant after the other, is the fold."""
    lots, spendings = drawn
    purse = ledger.fold([_ledger_lot(lot) for lot in lots], (), -1)
    for at in INSTANTS:
        ledger.advance(purse, at)
        for when, points in spendings:
            if when == at:
                ledger.spend(purse, at, points)
        assert (purse.debt, _open(purse)) == _ledger_fold(lots, spendings, at)


def _ledger_lot(lot: Lot) -> ledger.Lot:
    return ledger.Lot(lot.day, lot.available_at, NEVER if lot.expires_at is None else lot.expires_at, lot.points)


def _ledger_fold(lots: list[Lot], spendings: list[tuple[int, int]], at: int) -> object:
    purse = ledger.fold([_ledger_lot(lot) for lot in lots], spendings, at)
    return purse.debt, _open(purse)


def _open(purse: ledger.Purse) -> list[tuple[int, int, int | None]]:
    return sorted((lot[0], lot[3], None if lot[2] >= NEVER else lot[2]) for lot in purse.open)
