"""Draws what happened: purchases, returns, spendings, grants, and the order in which they arrive."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec

from rewards.days import instant, midnight, moment
from rewards.engine.reference import Facts
from rewards.receipt import Line, Receipt, Tender
from tests.strategies import members, words
from tests.strategies.words import Draw, chance, pick, some, whole

MINUTE = 60_000_000


@dataclass(frozen=True)
class Purchase:
    receipt: Receipt

    @property
    def at(self) -> int:
        return self.receipt.occurred_at


@dataclass(frozen=True)
class Return:
    at: int
    receipt_id: str
    units: dict[str, int]


@dataclass(frozen=True)
class Spending:
    at: int
    wallet: str
    points: int


@dataclass(frozen=True)
class Grant:
    at: int
    day: int
    wallet: str
    points: int


@dataclass(frozen=True)
class Telling:
    at: int
    from_day: int
    born: int
    attributes: dict[str, str | int | bool]


@dataclass(frozen=True)
class Activity:
    at: int
    day: int
    name: str


Event = Purchase | Return | Spending | Grant | Telling | Activity


@dataclass(frozen=True)
class Story:
    """One member's events, in the order of their own time."""

    joined: int | None
    events: list[Event] = field(default_factory=list)

    @property
    def facts(self) -> Facts:
        return facts_of(self.joined, self.events)


def was_referred(joined: int | None) -> bool:
    """Whether another member brought this one: every other day's."""
    return joined is not None and joined % 2 == 0


def facts_of(joined: int | None, events: Sequence[Event]) -> Facts:
    """Return the facts that a set of events amounts to."""
    facts = Facts(joined=joined, referred=was_referred(joined))
    for event in events:
        match event:
            case Purchase(receipt):
                facts.purchases.append((receipt, _returned(events, receipt.receipt_id)))
            case Spending(at, wallet, points):
                facts.spendings.append((at, wallet, points))
            case Grant(_, day, wallet, points):
                facts.grants.append((day, wallet, points))
            case Telling(_, from_day, born, attributes):
                facts.told.append((from_day, born, attributes))
            case Activity(_, day, name):
                facts.activities.append((day, name))
    facts.told.sort(key=lambda one: one[0])
    if facts.told and facts.told[0][0]:
        facts.told.insert(0, (0, 0, {}))
    return facts


def _returned(events: Sequence[Event], receipt_id: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for event in events:
        if isinstance(event, Return) and event.receipt_id == receipt_id:
            for line, units in event.units.items():
                found[line] = found.get(line, 0) + units
    return found


def line(draw: Draw, number: int, tenders: int) -> Line:
    quantity = pick(draw, (1, 1, 2, 3, 6))
    gross = pick(draw, words.PRICES) * quantity if chance(draw, 2) else pick(draw, words.NEAR)
    discount = min(gross, pick(draw, (0, 0, 0, 1, 25, 1000)))
    offers = min(gross - discount, pick(draw, (0, 0, 0, 20, 100)))
    net = gross - discount - offers
    return Line(
        line_id=str(number),
        sku=pick(draw, words.SKUS),
        categories=tuple(pick(draw, CATEGORY_SETS)),
        quantity=quantity,
        gross_minor=gross,
        discount_minor=discount,
        offers_minor=offers,
        net_minor=net,
        tax_minor=pick(draw, (0, gross // 6, gross // 3)),
        tax_included=not chance(draw, 3),
        stored_value=pick(draw, words.PRODUCTS) if chance(draw, 10) else None,
        attributes={}
        if chance(draw, 3)
        else {name: pick(draw, values) for name, values in words.LINE_ATTRIBUTES.items()},
        tenders_minor=tuple(_parts(draw, net, tenders)),
        lowest_minor=pick(draw, (None, None, None, net, net // 2)),
    )


CATEGORY_SETS = (("coffee",), ("cake",), ("coffee", "cake"), ("book",), ("deposit",), ())


def _parts(draw: Draw, whole_minor: int, count: int) -> list[int]:
    """Cut a whole into so many parts."""
    cuts = sorted(pick(draw, (0, 1, 49, 100, whole_minor // 2, whole_minor)) for _ in range(count - 1))
    cuts = [min(cut, whole_minor) for cut in cuts]
    return [b - a for a, b in pairwise([0, *cuts, whole_minor])] if count else []


def receipt(draw: Draw, receipt_id: str, day: int, zone: ZoneInfo) -> Receipt:
    """Draw a receipt of about that local time; its day is read off the instant, as the till's clock has it."""
    kinds = some(draw, words.KINDS, 3) if chance(draw, 2) else []
    bought = [line(draw, n + 1, len(kinds)) for n in range(pick(draw, (1, 1, 2, 2, 3, 5)))]
    if len(bought) > 1 and chance(draw, 3):  # the same goods once more, on a line of their own
        bought[-1] = msgspec.structs.replace(bought[0], line_id=bought[-1].line_id)
    sums = [sum(one.tenders_minor[i] for one in bought) for i in range(len(kinds))]
    return at_local_time(
        day,
        pick(draw, words.MINUTES),
        zone,
        store_id=pick(draw, words.STORES),
        receipt_id=receipt_id,
        currency="EUR",
        lines=tuple(bought),
        tenders=tuple(tender(draw, kind, amount) for kind, amount in zip(kinds, sums, strict=True)),
        codes=tuple(some(draw, words.CODES)) if chance(draw, 2) else (),
    )


def tender(draw: Draw, kind: str, amount: int) -> Tender:
    """Draw how many points a tender of points costs; some are of another system, and cost none."""
    if kind != "points" or not amount or chance(draw, 5):
        return Tender(kind, amount)
    return Tender(kind, amount, pick(draw, sorted(words.WALLETS)), pick(draw, (5, 1, 2, 3, 7, 20, 60)))


def at_local_time(day: int, minute: int, zone: ZoneInfo, **parts: object) -> Receipt:
    """Return a receipt of a local time; where clocks skip it, of the time they then show."""
    at = instant(datetime.combine(date.fromordinal(day), time(minute // 60, minute % 60), zone))
    local = moment(at, zone)
    return Receipt(occurred_at=at, day=local.toordinal(), minute=local.hour * 60 + local.minute, **parts)  # type: ignore[arg-type]


def story(
    draw: Draw,
    zone: ZoneInfo,
    anchor: int,
    *,
    most_receipts: int = 7,
    busy: bool = True,
    gaps: Sequence[int] = words.GAPS,
) -> Story:
    """Draw a member's story around a day: days in clusters, some at the gaps that durations ask for.

    `busy` adds spendings and grants.
    """
    head = draw.region(0, 64)
    joined, day = pick(head, (0, 1, 7, 30, 400)), anchor - pick(head, (0, 0, 1, 2, 7, 30))
    member = not chance(head, 10)
    events: list[Event] = []
    for number in range(min(most_receipts, pick(head, (1, 3, 4, 5, 6, 2, 9, 12)))):
        own = draw.region(64 + number * RECEIPT, RECEIPT)
        day += pick(own, gaps) if number else 0
        bought = receipt(own, f"r{number + 1}", day, zone)
        events.append(Purchase(bought))
        events.extend(_returns(own, bought))
    first = min(event.receipt.day for event in events if isinstance(event, Purchase))
    if busy:
        events.extend(_ledger_events(head, events, zone))
    if member:
        events.extend(_tellings(draw.region(64 + MOST * RECEIPT, ABOUT), first, zone))
    return Story(first - joined if member else None, in_order(events))


MOST = 12  # receipts
RECEIPT, ABOUT = 144, 40  # bytes of choices


def in_order(events: Sequence[Event]) -> list[Event]:
    """Return events by their own time; a return after its purchase."""
    return sorted(events, key=lambda event: (event.at, isinstance(event, Return)))


def _returns(draw: Draw, bought: Receipt) -> list[Return]:
    """Draw none to three returns, at once or much later, never of more than was bought."""
    left = {one.line_id: one.quantity for one in bought.lines}
    found = []
    for _ in range(pick(draw, (0, 0, 0, 0, 1, 1, 2, 3))):
        units = {key: whole(draw, 0, most) for key, most in left.items() if most}
        units = {key: count for key, count in units.items() if count}
        left = {key: most - units.get(key, 0) for key, most in left.items()}
        if units:
            later = pick(draw, (0, 1, 20, 45, 200))
            found.append(Return(bought.occurred_at + later * 1440 * MINUTE, bought.receipt_id, units))
    return found


def _tellings(draw: Draw, first: int, zone: ZoneInfo) -> list[Telling]:
    """Draw what the member tells: at enrolment, and later for the days from then on."""
    found = members.told(draw, first)
    return [Telling(midnight(max(day, first), zone), day, born, attributes) for day, born, attributes in found]


def full_return(bought: Receipt, at: int) -> Return:
    """Return everything of a receipt at an instant."""
    return Return(at, bought.receipt_id, {one.line_id: one.quantity for one in bought.lines})


def _ledger_events(draw: Draw, events: Sequence[Event], zone: ZoneInfo) -> list[Event]:
    def at() -> int:
        near = pick(draw, events).at
        if chance(draw, 2):
            return near
        return midnight(moment(near, zone).toordinal() + pick(draw, (0, 1, 7, 14, 30, 31)), zone)

    found: list[Event] = [
        Spending(at(), pick(draw, sorted(words.WALLETS)), pick(draw, (1, 2, 5, 7, 20, 60)))
        for _ in range(whole(draw, 0, 3))
    ]
    if chance(draw, 3):
        when = at()
        found.append(
            Grant(when, moment(when, zone).toordinal(), pick(draw, sorted(words.WALLETS)), pick(draw, (1, 5, 20)))
        )
    for _ in range(pick(draw, (0, 0, 1, 2, 3))):
        when = at()
        found.append(Activity(when, moment(when, zone).toordinal(), pick(draw, words.ACTIVITIES)))
    return found


def arrival(draw: Draw, events: Sequence[Event]) -> list[Event]:
    """Draw another order of the same events; a return still comes after its purchase."""
    left = list(events)
    arrived: list[Event] = []
    while left:
        here = {event.receipt.receipt_id for event in arrived if isinstance(event, Purchase)}
        free = [event for event in left if not isinstance(event, Return) or event.receipt_id in here]
        arrived.append(pick(draw, free))
        left.remove(arrived[-1])
    return arrived


def instants(told: Story, zone: ZoneInfo) -> list[int]:
    """Instants that tell balances apart: each event, midnights of the days around it, and much later."""
    days = {moment(event.at, zone).toordinal() for event in told.events}
    around = {midnight(day + n, zone) for day in days for n in (0, 1, 7, 14, 30, 31, 40, 60)}
    far = {midnight(max(days) + n, zone) for n in (90, 366, 800)}
    return sorted({event.at for event in told.events} | around | far)
