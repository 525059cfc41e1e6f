"""Purchase histories (`history`), taken in through the same commands as the API's.

What does not live here: the form of the file, what is accepted (the service
decides), and the progress bar (`cli`).

**Order.** The service books the same facts whatever their order; which of two
returns that together exceed a purchase is taken would hang on it. So a return is
held against what the file's earlier returns left of the purchase, also with
`shuffle`: the same events are accepted, and the same balances result.

**Lines.** A returned row names a sku and a price, not a line; it is laid on the
purchase's lines of the same sku and price, in their order.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from rewards.basket import Basket, BasketLine, MemberRef
from rewards.errors import Conflict, RewardsError
from rewards.history import Event, EventLine, Part, Sold, Survey, events, line_ids, parts, survey
from rewards.service.commands import Command, Enrol, Outcome, RecordPurchase, RecordReturn, ReturnLine, ReturnOf
from rewards.service.service import Service

BATCH = 500  # commands handed to the writer at once
IN_FLIGHT = 4  # batches: enough that the writer never waits for the reader
KEPT_REFUSALS = 1000  # refusals told one by one; all are counted

Kind = Literal["member", "purchase", "return", "line"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event, or a return's part, that was not booked, and why."""

    kind: Kind
    name: str  # the event's id; of a line that could not be read, its number
    code: str
    message: str


@dataclass(slots=True)
class Imported:
    """What became of a file: commands by kind and outcome.

    Outcomes are `recorded`, `parked` (its purchase is not here), `money only`
    (a return that names no purchase), `already here`, and the codes of refusals.
    """

    events: int = 0
    outcomes: Counter[tuple[Kind, str]] = field(default_factory=Counter)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, kind: Kind, name: str, error: RewardsError) -> None:
        """Count a refusal, and keep it while there is room."""
        self.outcomes[kind, error.code] += 1
        if len(self.refusals) < KEPT_REFUSALS:
            self.refusals.append(Refusal(kind, name, error.code, error.message))


def run(
    service: Service,
    path: Path,
    *,
    zone: ZoneInfo,
    shuffle: int | None = None,
    progress: Callable[[int, int], None] = lambda _done, _all: None,
) -> Imported:
    """Import a history and return what became of it; a second run changes nothing.

    Members join on the day of their first event in `zone`, the program's.
    `shuffle` is the seed of another order of arrival. `progress` hears how many
    commands are answered, of how many. Raises `InvalidRequest` if the file
    cannot be read; a bad line is counted as refused and the rest goes on.
    """
    found = survey(path)
    result = Imported()
    pipe = _Pipe(service, result, progress, len(found.joined) + found.parts)
    for member, first in found.joined.items():
        pipe.send("member", member, Enrol(external_id=member, joined=first.astimezone(zone).date()))
    pipe.drain()
    read = _read(path, result)
    for part in read if shuffle is None else _shuffled(read, shuffle):
        command = _command(part, found)
        if isinstance(command, Conflict):
            result.refuse("return", part.name, command)
            pipe.skip()
        else:
            pipe.send(part.event.kind, part.name, command)
    pipe.drain()
    return result


def _read(path: Path, result: Imported) -> Iterator[Part]:
    """Yield what becomes a command each, in the file's order; a line that cannot be read is counted as refused."""
    for number, event in events(path):
        result.events += 1
        if isinstance(event, RewardsError):
            result.refuse("line", str(number), event)
        elif event.kind == "purchase":
            yield Part(event, event.purchase_id, event.lines)
        else:
            yield from parts(event)


def _shuffled(read: Iterable[Part], seed: int) -> list[Part]:
    """Return the parts in another order, the returns of each purchase among themselves as they were."""
    before = list(read)
    returns: dict[str, deque[Part]] = {}
    for part in before:
        if part.of is not None:
            returns.setdefault(part.of, deque()).append(part)
    after = random.Random(seed).sample(before, len(before))  # noqa: S311  an order to repeat, not a secret
    return [part if part.of is None else returns[part.of].popleft() for part in after]


def _command(part: Part, found: Survey) -> Command | Conflict:
    event = part.event
    if event.kind == "purchase":
        return RecordPurchase(_basket(event))
    bare = RecordReturn(return_id=part.name, store_id=event.store_id, occurred_at=event.occurred_at)
    if part.of is None:
        return bare
    sold = found.sold.get(part.of)
    of = ReturnOf(store_id=sold.store_id if sold else event.store_id, receipt_id=part.of)
    asked = _unknown(part.lines) if sold is None else _laid(part.lines, sold)
    if asked is None:
        return Conflict("return-exceeds", f"more comes back than is left of purchase `{part.of}`")
    lines = tuple(ReturnLine(line_id=name, quantity=quantity) for name, quantity in asked.items() if quantity)
    return msgspec.structs.replace(bare, of=of, lines=lines)


def _basket(event: Event) -> Basket:
    lines = event.lines
    return Basket(
        receipt_id=event.purchase_id,
        store_id=event.store_id,
        occurred_at=event.occurred_at,
        currency=event.currency,
        member=None if event.member_id is None else MemberRef(external_id=event.member_id),
        lines=tuple([_basket_line(line_id, line) for line_id, line in zip(line_ids(lines), lines, strict=True)]),
        discount_minor=event.order_discount_minor,
    )


def _basket_line(line_id: str, line: EventLine) -> BasketLine:
    """Translate a row; the finer category is a second one, the rest are attributes."""
    attributes: dict[str, bool | int | str] = {}
    if line.private_label is not None:
        attributes["private_label"] = line.private_label
    if line.measure_milli is not None:
        attributes["measure_milli"] = line.measure_milli
    return BasketLine(
        line_id=line_id,
        sku=line.sku,
        categories=(line.category,) if line.subcategory is None else (line.category, line.subcategory),
        quantity=line.quantity,
        unit_price_minor=line.unit_price_minor,
        discount_minor=line.discount_minor,
        attributes=attributes,
    )


def _unknown(rows: Iterable[EventLine]) -> Counter[str]:
    """Name the lines of a purchase that the file does not hold by their skus."""
    asked: Counter[str] = Counter()
    for row in rows:
        asked[row.sku] += row.quantity
    return asked


def _laid(rows: Iterable[EventLine], sold: Sold) -> Counter[str] | None:
    """Lay returned rows on the purchase's lines and take the units off; None, and nothing taken, if it has fewer."""
    left = {line.line_id: line.left for line in sold.lines}
    asked: Counter[str] = Counter()
    for row in rows:
        units = row.quantity
        for line in sold.lines:
            if line.sku == row.sku and line.price == row.unit_price_minor:
                taken = min(units, left[line.line_id])
                asked[line.line_id] += taken
                left[line.line_id] -= taken
                units -= taken
        if units:
            return None
    for line in sold.lines:
        line.left = left[line.line_id]
    return asked


@dataclass(frozen=True, slots=True)
class _Sent:
    kind: Kind
    name: str
    command: Command


class _Pipe:
    """Hands commands to the writer in batches and counts their outcomes, a few batches behind."""

    def __init__(self, service: Service, result: Imported, progress: Callable[[int, int], None], whole: int) -> None:
        self._service, self._result = service, result
        self._progress, self._whole, self._done = progress, whole, 0
        self._batch: list[_Sent] = []
        self._flying: deque[list[tuple[_Sent, Future[Outcome]]]] = deque()

    def send(self, kind: Kind, name: str, command: Command) -> None:
        """Take a command; hand the batch on when it is full."""
        self._batch.append(_Sent(kind, name, command))
        if len(self._batch) == BATCH:
            self._hand_on()

    def skip(self) -> None:
        """Count a command that will not come."""
        self._done += 1

    def drain(self) -> None:
        """Hand on what is left and wait for every answer."""
        self._hand_on()
        while self._flying:
            self._collect()

    def _hand_on(self) -> None:
        if not self._batch:
            return
        while len(self._flying) >= IN_FLIGHT:
            self._collect()
        futures = self._service.submit_all([sent.command for sent in self._batch], caller="import")
        self._flying.append(list(zip(self._batch, futures, strict=True)))
        self._batch = []

    def _collect(self) -> None:
        """Count the oldest batch."""
        batch = self._flying.popleft()
        for sent, future in batch:
            try:
                outcome = future.result()
            except RewardsError as error:
                if error.code == "member-exists":
                    self._result.outcomes[sent.kind, "already here"] += 1
                else:
                    self._result.refuse(sent.kind, sent.name, error)
            else:
                self._result.outcomes[sent.kind, _word(sent.command, outcome)] += 1
        self._done += len(batch)
        self._progress(self._done, self._whole)


def _word(command: Command, outcome: Outcome) -> str:
    if outcome.replayed:
        return "already here"
    if outcome.status == 202:  # noqa: PLR2004  accepted, as HTTP has it
        return "parked"
    return "money only" if isinstance(command, RecordReturn) and command.of is None else "recorded"
