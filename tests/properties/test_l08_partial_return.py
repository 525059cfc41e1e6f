"""L8: a partial return = the receipt without those units, the rest keeping the nets and shares recorded at the till,
and the uses of its offers, as long as any unit is left.
"""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from rewards.money import left_of, webster
from rewards.receipt import Line, Receipt, Tender
from tests.engine_adapter import RUNS, Run, everything
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, Return


def _untaxed(receipt: Receipt) -> Receipt:
    """Tax that is left is floored from the whole line's, which no receipt of the rest can say."""
    return msgspec.structs.replace(
        receipt, lines=tuple(msgspec.structs.replace(line, tax_minor=0) for line in receipt.lines)
    )


def _rest(receipt: Receipt, returned: dict[str, int]) -> Receipt:
    lines = tuple(_rest_of(line, returned.get(line.line_id, 0)) for line in receipt.lines)
    kept = tuple(line for line in lines if line.quantity)
    amounts = [sum(line.tenders_minor[i] for line in kept) for i in range(len(receipt.tenders))]
    tenders = tuple(
        Tender(old.kind, amount, old.wallet, old.points * amount // old.amount_minor if old.points else 0)
        for old, amount in zip(receipt.tenders, amounts, strict=True)
    )
    discounts = receipt.discounts if kept else ()
    return msgspec.structs.replace(receipt, lines=kept, tenders=tenders, discounts=discounts)


def _rest_of(line: Line, back: int) -> Line:
    net = line.net_left_minor(back)
    paid_for = left_of(line.quantity - line.free_units, line.quantity, back)
    return msgspec.structs.replace(
        line,
        quantity=line.quantity - back,
        gross_minor=left_of(line.gross_minor, line.quantity, back),
        offers_minor=left_of(line.offers_minor, line.quantity, back),
        net_minor=net,
        free_units=line.quantity - back - paid_for,
        tenders_minor=tuple(webster(net, line.tenders_minor)) if line.tenders_minor else (),
    )


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases())
def test_the_rest_counts_as_it_was_recorded(run: Run, case: Case) -> None:
    events: list[Event] = [Purchase(_untaxed(e.receipt)) if isinstance(e, Purchase) else e for e in case.arrived]
    returned: dict[str, dict[str, int]] = {}
    for event in events:
        if isinstance(event, Return):
            sums = returned.setdefault(event.receipt_id, {})
            for line, units in event.units.items():
                sums[line] = sums.get(line, 0) + units
    rest = [
        Purchase(_rest(event.receipt, returned.get(event.receipt.receipt_id, {})))
        if isinstance(event, Purchase)
        else event
        for event in events
        if not isinstance(event, Return)
    ]

    after = run(case.versions, case.story.joined, events)
    never = run(case.versions, case.story.joined, rest)

    assert everything(after, case.instants) == everything(never, case.instants)
