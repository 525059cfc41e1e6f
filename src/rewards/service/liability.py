"""The liability report: what is outstanding by wallet, kind of gift card and month, and what moved it.

What does not live here: the roll-forward itself (`ledger.roll_forward`), and tables
for people (`cli.report`). Months are of recording, in the program's zone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from rewards.days import midnight, moment
from rewards.engine.program import Program
from rewards.errors import InvalidRequest
from rewards.ledger import shortfalls
from rewards.ledger.gift_cards import decode_card
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
_KINDS = ("paid", "promotional")


class LiabilityRow(msgspec.Struct, frozen=True):
    """A wallet, or a kind of gift card, in a month: what was there, what moved, what is there.

    opening + issued - spent - expired - taken_back + restored + settled + adjusted - cashed_out - cleared + transferred
    = closing. Points are whole; money on cards is in minor units. `closing` is what open lots hold less what members
    owe. `value_minor` is what the open lots are worth: points by the estimate of the policy of each lot's day, money by
    its face; `unvalued` are points whose policy made none. Of cards, `issued` is what was sold, loaded or given,
    `spent` what they paid, `taken_back` what was on cards that came back, `restored` what came back to cards.
    """

    month: str
    kind: str  # points, paid (money that was sold on gift cards), promotional (that was given)
    unit: str  # the wallet; of money the currency
    opening: int
    issued: int
    spent: int
    expired: int
    taken_back: int
    restored: int
    settled: int
    adjusted: int
    cashed_out: int
    cleared: int
    transferred: int  # between cards of a kind: 0 over all of them
    closing: int
    owed: int
    value_minor: int
    unvalued: int
    difference: int
    closed: bool  # the month is over: nothing of this row will change


class ShortfallRow(msgspec.Struct, frozen=True):
    """What tills that were offline took on trust, and was not so, in a month of recording; less what returns undid.

    `gift_card`: money that no card had. `points`: what points of nobody were to pay. Both were never outstanding: goods
    were given for them. `stored_value`: sold, and on no gift card, so that somebody may ask for it.
    """

    month: str
    kind: str  # gift_card, points, stored_value
    currency: str
    amount_minor: int


class LiabilityAnswer(msgspec.Struct, frozen=True):
    """The roll-forward, oldest month first, wallets in the policy's order, then gift cards by kind."""

    currency: str
    timezone: str
    rows: list[LiabilityRow]
    shortfalls: list[ShortfallRow]


class _Month(NamedTuple):
    """A month of the calendar."""

    number: int  # year * 12 + month - 1

    @property
    def text(self) -> str:
        """The month as ISO 8601 has it, `2027-03`."""
        return f"{self.number // 12:04}-{self.number % 12 + 1:02}"

    def starts(self, zone: ZoneInfo) -> int:
        """Return the instant of its first midnight."""
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
        sums.wallet(wallet)
    lacked: defaultdict[tuple[int, str, str], int] = defaultdict(int)
    for kind in _KINDS:
        if any(card.kind == kind for version in running.versions for card in version.policy.gift_cards.values()):
            sums.kind(kind)
    for owners in _pages(batch):
        legs = _legs(batch, owners, ends)
        for some, visits in _wallets(batch, legs, ends):
            sums.add(some, visits)
        for kind, money in _cards(batch, legs):
            sums.add_card(kind, money)
        for leg in (leg for some in legs.values() for leg in some if leg.account in shortfalls.KINDS):
            sign = -1 if leg.account == shortfalls.STORED_VALUE else 1
            lacked[leg.span, leg.account, leg.unit] += sign * leg.amount
    assert running.currency is not None
    shown = [("points", key, spans) for key, spans in sums.wallets.items()]
    shown += [(kind, running.currency, spans) for kind, spans in sorted(sums.cards.items())]
    rows = [
        _row(month, kind, unit, spans[i], closed=_Month(month.number + 1).starts(zone) <= now)
        for i, month in enumerate(months, 1)
        for kind, unit, spans in shown
    ]
    short = [
        ShortfallRow(months[span - 1].text, kind, currency, minor)
        for (span, kind, currency), minor in sorted(lacked.items())
        if span and minor
    ]
    return LiabilityAnswer(running.currency, zone.key, rows, short)


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


def _legs(batch: Batch, owners: Sequence[int], ends: Sequence[int]) -> dict[int, list[Leg]]:
    """Return each owner's sums."""
    legs: defaultdict[int, list[Leg]] = defaultdict(list)
    for row in batch.session.keyed(statements.legs_by_span(tuple(ends)), [(owner,) for owner in owners]):
        legs[row[0]].append(leg_of(row[1:]))
    return legs


def _wallets(
    batch: Batch, legs: Mapping[int, Sequence[Leg]], ends: Sequence[int]
) -> Iterator[tuple[list[Leg], list[list[int]]]]:
    """Yield each owner's sums of points, and the visits where ends of lots depend on them."""
    program, money = batch.running.ready(), batch.running.currency
    points = {
        owner: [leg for leg in some if leg.unit != money and leg.account not in shortfalls.ACCOUNTS]
        for owner, some in legs.items()
    }
    moving = [(owner,) for owner, some in points.items() if any(leg.unit in program.moving for leg in some)]
    events: defaultdict[int, list[tuple[Any, ...]]] = defaultdict(list)
    for row in batch.session.keyed(statements.EVENTS_OF_OWNER, moving):
        events[row[0]].append(row)
    for owner, some in points.items():
        yield some, _visits(program, events[owner], ends) if owner in events else []


def _cards(batch: Batch, legs: Mapping[int, Sequence[Leg]]) -> Iterator[tuple[str, Sequence[Leg]]]:
    """Yield the sums of each gift card that holds or held money, with its kind."""
    money = [(owner,) for owner, some in legs.items() if any(leg.unit == batch.running.currency for leg in some)]
    for owner, kind, *_, state in batch.session.keyed(statements.TIMELINES, money):
        if kind == "card":
            yield decode_card(state).kind, legs[owner]


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


def _row(month: _Month, kind: str, unit: str, span: Span, *, closed: bool) -> LiabilityRow:
    return LiabilityRow(
        month=month.text,
        kind=kind,
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
