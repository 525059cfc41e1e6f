"""F3 and F4: for a policy without `measure: receipt` and `remainder: drop`, a receipt split in two of the same day
gives exactly what it gave whole: nothing is won by splitting, and nothing is lost.
"""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given

from rewards.receipt import Receipt, Tender
from tests.engine_adapter import RUNS, Run
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, Return
from tests.strategies.words import chance


def _split(case: Case) -> list[Event]:
    """The same with each receipt's lines dealt over two receipts."""
    homes: dict[tuple[str, str], str] = {}
    events: list[Event] = []
    for event in case.story.events:
        if isinstance(event, Purchase):
            sides = [chance(case.more, 2) for _ in event.receipt.lines]
            for side in (True, False):
                part = _part(event.receipt, sides, side=side)
                events.append(Purchase(part))
                homes |= {(event.receipt.receipt_id, line.line_id): part.receipt_id for line in part.lines}
        elif isinstance(event, Return):
            for line, units in event.units.items():
                events.append(Return(event.at, homes[event.receipt_id, line], {line: units}))
        else:
            events.append(event)
    return events


def _part(receipt: Receipt, sides: list[bool], *, side: bool) -> Receipt:
    lines = tuple(line for line, on in zip(receipt.lines, sides, strict=True) if on is side)
    amounts = [sum(line.tenders_minor[i] for line in lines) for i in range(len(receipt.tenders))]
    tenders = tuple(Tender(old.kind, amount) for old, amount in zip(receipt.tenders, amounts, strict=True))
    return msgspec.structs.replace(receipt, receipt_id=f"{receipt.receipt_id}-{side}", lines=lines, tenders=tenders)


def _unpaid(event: Event) -> Event:
    """Points that pay are of the whole receipt; here their amounts alone are split."""
    if not isinstance(event, Purchase):
        return event
    tenders = tuple(Tender(one.kind, one.amount_minor) for one in event.receipt.tenders)
    return Purchase(msgspec.structs.replace(event.receipt, tenders=tenders))


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@given(case=cases(measures=("day", "week", "month", "quarter", "year", "ever"), drop=False))
def test_splitting_receipts_changes_nothing(run: Run, case: Case) -> None:
    together = run(case.versions, case.story.joined, [_unpaid(event) for event in case.story.events])
    apart = run(case.versions, case.story.joined, _split(case))

    assert together.earned() == apart.earned()
    assert together.lots() == apart.lots()
    assert [together.balance(at) for at in case.instants] == [apart.balance(at) for at in case.instants]
