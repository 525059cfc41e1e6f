"""L17: stored value makes no stored value. Selling, loading or moving it earns, discounts and reaches nothing unless a
rule names it with `stored_value`.

Every story is told twice: as it was, and with gift cards sold on each receipt, on receipts of their own, and brought
back. The drawn rules name some products, and never this one; so both times the same is earned, spent, owed, used and held,
every window, visit, tier and limit stands where it stood, and the till takes the same off the same goods.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings

from rewards.days import moment
from rewards.engine.program import Program
from rewards.engine.till import Decision
from rewards.ledger import timeline
from rewards.receipt import Line, Receipt, Tender
from tests import campaign
from tests.engine_adapter import RUNS, EngineOutcome, Run, everything
from tests.strategies.cases import Case, cases
from tests.strategies.histories import Event, Purchase, Return, at_local_time, receipt
from tests.strategies.rung_up import undecided
from tests.strategies.words import CODES, PRODUCTS, Draw, pick

SOLD = "card-of-no-rule"
assert SOLD not in PRODUCTS
EXAMPLES = settings(max_examples=campaign.size(default=30, ci=200, long=20_000))


def card(name: str, minor: int, tenders: int) -> Line:
    """A line that sells a gift card, paid by the last of so many tenders."""
    shares = (*(0 for _ in range(tenders - 1)), minor) if tenders else ()
    return Line(
        line_id=name,
        sku="A",
        categories=("coffee", "cake"),
        gross_minor=minor,
        net_minor=minor,
        stored_value=SOLD,
        tenders_minor=shares,
    )


def with_card(draw: Draw, bought: Receipt) -> Receipt:
    """The receipt with a card sold on it, for which it was paid apart."""
    minor = pick(draw, (2500, 1, 100, 99_999))
    tenders = (*bought.tenders, Tender("cash", minor)) if bought.tenders else ()
    lines = (
        msgspec.structs.replace(line, tenders_minor=(*line.tenders_minor, 0) if tenders else ())
        for line in bought.lines
    )
    discounts = (msgspec.structs.replace(one, lines_minor=(*one.lines_minor, 0)) for one in bought.discounts)
    return msgspec.structs.replace(
        bought,
        lines=(*lines, card("sold", minor, len(tenders))),
        tenders=tenders,
        discounts=tuple(discounts),
    )


def alone(draw: Draw, bought: Receipt, zone: ZoneInfo) -> Receipt:
    """A receipt of about that day that sells cards and nothing else."""
    day = max(date.min.toordinal() + 400, bought.day + pick(draw, (0, 1, -1, 7, -30, 90)))
    lines = tuple(card(str(number), pick(draw, (5000, 1, 100)), 1) for number in range(pick(draw, (1, 2))))
    return at_local_time(
        day,
        bought.minute,
        zone,
        store_id=bought.store_id,
        receipt_id=f"{bought.receipt_id}-alone",
        currency="EUR",
        lines=lines,
        tenders=(Tender(pick(draw, ("cash", "gift_card")), sum(line.gross_minor for line in lines)),),
        codes=tuple(CODES),
    )


def selling(case: Case, events: Sequence[Event]) -> Iterator[Event]:
    """The events with gift cards sold beside them, some of which come back: with goods, as uses count for receipts."""
    back = set[str]()
    for event in events:
        if isinstance(event, Return) and event.receipt_id not in back:
            back.add(event.receipt_id)
            yield replace(event, units={**event.units, "sold": 1})
            continue
        if not isinstance(event, Purchase):
            yield event
            continue
        yield Purchase(with_card(case.more, event.receipt))
        more = alone(case.more, event.receipt, case.zone)
        yield Purchase(more)
        if pick(case.more, (True, False)):
            yield Return(more.occurred_at, more.receipt_id, {line.line_id: 1 for line in more.lines})


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@EXAMPLES
@given(case=cases())
def test_selling_stored_value_earns_and_reaches_nothing(run: Run, case: Case) -> None:
    plain = run(case.versions, case.story.joined, case.arrived)
    sold = run(case.versions, case.story.joined, list(selling(case, case.arrived)))

    assert everything(sold, case.instants) == everything(plain, case.instants)


@EXAMPLES
@given(case=cases())
def test_selling_stored_value_takes_nothing_off(case: Case) -> None:
    last = max(moment(event.at, case.zone).toordinal() for event in case.story.events)
    basket = undecided(receipt(case.more, "next", last + pick(case.more, (1, 0, 7)), case.zone))
    beside = msgspec.structs.replace(basket, lines=(*basket.lines, card("sold", 2500, 0)))

    plain = _decided(case, case.arrived, basket)
    sold = _decided(case, list(selling(case, case.arrived)), beside)

    assert sold.receipt.lines[:-1] == plain.receipt.lines
    assert (sold.receipt.lines[-1].offers_minor, sold.receipt.lines[-1].net_minor) == (0, 2500)
    assert [(one.offer, one.amount_minor) for one in sold.receipt.discounts] == [
        (one.offer, one.amount_minor) for one in plain.receipt.discounts
    ]
    assert [(one.offer.id, one.why, one.short) for one in sold.withheld] == [
        (one.offer.id, one.why, one.short) for one in plain.withheld
    ]


def _decided(case: Case, events: Sequence[Event], basket: Receipt) -> Decision:
    outcome = EngineOutcome(Program(case.versions), timeline.open_near(case.story.joined or 0))
    for event in events:
        outcome.take(event)
    return outcome.decided(basket)
