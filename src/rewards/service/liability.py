"""The liability report: what is outstanding by wallet and month, and what moved it.

What does not live here: the roll-forward itself (`ledger.roll_forward`), money on gift cards, and
tables for people (`cli.report`). Months are of recording, in the program's zone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from rewards.days import midnight, moment
from rewards.engine.program import Program
from rewards.errors import InvalidRequest
from rewards.ledger.roll_forward import Leg, RollForward, Span, leg_of
from rewards.receipt import Receipt, Returned
from rewards.service.balances import names
from rewards.service.batch import Batch
from rewards.service.journal import read_receipt, read_return, total
from rewards.store import statements

MOST_MONTHS = 120
_PAGE = 500
_FIRST = -(2**63)
_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_MONTHS_SHOWN = 12
_JANUARY_OF_1 = 12


class LiabilityRow(msgspec.Struct, frozen=True):
    """A wallet in a month: opening + issued - spent - expired - taken_back + restored + settled + adjusted = closing.

    Points are whole. `closing` is what open lots hold less what members owe. `value_minor` is what the open lots are
    worth by the estimate of the policy of each lot's day; `unvalued` are points whose policy made none.
    """

    month: str
    kind: str  # points
    unit: str  # the wallet
    opening: int
    issued: int
    spent: int
    expired: int
    taken_back: int
    restored: int
    settled: int
    adjusted: int
    closing: int
    owed: int
    value_minor: int
    unvalued: int
    difference: int
    closed: bool  # the month is over: nothing of this row will change


class LiabilityAnswer(msgspec.Struct, frozen=True):
    """The roll-forward, oldest month first, and wallets in the policy's order."""

    currency: str
    timezone: str
    rows: list[LiabilityRow]


class _Month(NamedTuple):
    number: int  # year * 12 + month - 1

    @property
    def text(self) -> str:
        return f"{self.number // 12:04}-{self.number % 12 + 1:02}"

    def starts(self, zone: ZoneInfo) -> int:
        return midnight(date(self.number // 12, self.number % 12 + 1, 1).toordinal(), zone)


def report(batch: Batch, first: str | None, last: str | None, now: int) -> LiabilityAnswer:
    """Return the rows of the months asked for; without them the last twelve, this one included.

    Raise `InvalidRequest` for what is no month, for a month to come, and for more than ten years.
    """
    running = batch.running
    program, zone = running.ready(), running.zone
    months = _months(first, last, now, zone)
    ends = [month.starts(zone) for month in months]
    ends.append(min(now + 1, _Month(months[-1].number + 1).starts(zone)))
    sums = RollForward(program, ends)
    for wallet in names(program, now, ()):
        sums.spans(wallet)
    for owners in _pages(batch):
        for legs, visits in _owners(batch, owners, ends):
            sums.add(legs, visits)
    rows = [
        _row(month, unit, spans[i], closed=_Month(month.number + 1).starts(zone) <= now)
        for i, month in enumerate(months, 1)
        for unit, spans in sums.units.items()
    ]
    assert running.currency is not None
    return LiabilityAnswer(running.currency, zone.key, rows)


def _months(first: str | None, last: str | None, now: int, zone: ZoneInfo) -> list[_Month]:
    today = moment(now, zone)
    present = today.year * 12 + today.month - 1
    until = _number(last, "until") if last is not None else present
    since = _number(first, "from") if first is not None else max(_JANUARY_OF_1, until - _MONTHS_SHOWN + 1)
    if until > present:
        raise InvalidRequest(
            "month-out-of-range", f"`{last}` is still to come; the last month is this one", pointer="/until"
        )
    if not 0 <= until - since < MOST_MONTHS:
        message = f"from {_Month(since).text} until {_Month(until).text} is not 1 to {MOST_MONTHS} months"
        raise InvalidRequest("month-out-of-range", message, pointer="/from")
    return [_Month(number) for number in range(since, until + 1)]


def _number(text: str, name: str) -> int:
    found = _MONTH.fullmatch(text)
    if found is None:
        message = f"`{text[:20]}` is no month: write one such as `2027-03`"
        raise InvalidRequest("bad-parameter", message, pointer=f"/{name}")
    if not int(found[1]):
        raise InvalidRequest("month-out-of-range", f"`{text}`: there is no year 0", pointer=f"/{name}")
    return int(found[1]) * 12 + int(found[2]) - 1


def _pages(batch: Batch) -> Iterator[list[int]]:
    above = _FIRST
    while owners := [row[0] for row in batch.session.rows(statements.OWNER_PAGE, (above, _PAGE, 0))]:
        yield owners
        above = owners[-1]


def _owners(batch: Batch, owners: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[list[Leg], list[list[int]]]]:
    """Yield each owner's sums, and the visits where ends of lots depend on them."""
    program = batch.running.ready()
    keys = [(owner,) for owner in owners]
    legs: defaultdict[int, list[Leg]] = defaultdict(list)
    for row in batch.session.keyed(statements.legs_by_span(tuple(ends)), keys):
        leg = leg_of(row[1:])
        if leg.unit != batch.running.currency:  # money on gift cards is no wallet
            legs[row[0]].append(leg)
    moving = [(owner,) for owner, some in legs.items() if any(leg.unit in program.moving for leg in some)]
    events: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in batch.session.keyed(statements.EVENTS_OF_OWNER, moving):
        events[row[0]].append(row)
    for owner, some in legs.items():
        yield some, _visits(program, events[owner], ends) if owner in events else []


def _visits(program: Program, events: Sequence[tuple[Any, ...]], ends: Sequence[int]) -> list[list[int]]:
    """Return the days with a visit as they were known at each of the ends."""
    waiting = sorted((row for row in events if row[2] in {"purchase", "return"}), key=lambda row: (row[6], row[1]))
    receipts: dict[int, Receipt] = {}
    back: defaultdict[int, list[Returned]] = defaultdict(list)
    spend: dict[int, dict[int, int]] = {}  # by day and purchase
    known, at = [], 0
    for end in ends:
        while at < len(waiting) and waiting[at][6] < end:
            row = waiting[at]
            at += 1
            number = row[1] if row[2] == "purchase" else row[4]
            if row[2] == "purchase":
                receipts[number] = read_receipt(row[11])
            else:
                back[number].append(read_return(row[11]))
            receipt = receipts[number]
            vector = program.on(receipt.day).reader.vector(receipt, total(back[number]))
            spend.setdefault(receipt.day, {})[number] = vector[0]
        known.append(sorted(day for day, amounts in spend.items() if sum(amounts.values()) > 0))
    return known


def _row(month: _Month, unit: str, span: Span, *, closed: bool) -> LiabilityRow:
    return LiabilityRow(
        month=month.text,
        kind="points",
        unit=unit,
        opening=span.opening,
        **span.moved,
        closing=span.closing,
        owed=span.owed,
        value_minor=span.worth_minor,
        unvalued=span.unvalued,
        difference=span.difference,
        closed=closed,
    )
