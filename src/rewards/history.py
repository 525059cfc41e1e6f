"""The form of purchase histories: JSON Lines, plain or packed with gzip, one purchase or return a line.

`docs/import.md` shows the form. A file is read as a stream, never held; what must
be known of the whole before its first event (who first came when, which
purchases come back) is a survey of its own. What does not live here: commands
(`importer`).

The form has no line ids: a line is called by its sku, a repeated one `sku#2`, `sku#3`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from rewards.basket import Currency, Id, Instant, Minor, Quantity
from rewards.errors import InvalidRequest, RewardsError

_T = TypeVar("_T")


class EventLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One row of an event; `original_purchase_id` only on returns that undo several purchases."""

    sku: Id
    category: Id
    quantity: Quantity
    unit_price_minor: Minor
    discount_minor: Minor = 0
    subcategory: Id | None = None
    private_label: bool | None = None
    measure_milli: int | None = None
    original_purchase_id: Id | None = None


class Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One line of the file."""

    purchase_id: Id
    member_id: Id | None
    store_id: Id
    occurred_at: Instant
    currency: Currency
    kind: Literal["purchase", "return"]
    lines: Annotated[tuple[EventLine, ...], Meta(min_length=1)]
    order_discount_minor: Minor = 0
    original_purchase_id: Id | None = None


class _Glance(msgspec.Struct, frozen=True):
    """What the survey reads of every line; the rows stay undecoded."""

    purchase_id: str
    kind: str
    occurred_at: Instant
    member_id: str | None = None


@dataclass(slots=True)
class SoldLine:
    """A line of a purchase that comes back, with the units not yet laid on returns."""

    line_id: str
    sku: str
    price: int
    left: int


@dataclass(slots=True)
class Sold:
    """A purchase that a return of the same file names."""

    store_id: str
    lines: list[SoldLine]


@dataclass(slots=True)
class Survey:
    """What must be known of the whole file before its first command."""

    parts: int = 0
    joined: dict[str, datetime] = field(default_factory=dict)  # the first event of each member
    sold: dict[str, Sold | None] = field(default_factory=dict)  # None: named by a return, but not in the file


@dataclass(frozen=True, slots=True)
class Part:
    """A purchase, or what a return takes back from one purchase: what becomes one command."""

    event: Event
    name: str
    lines: tuple[EventLine, ...]
    of: str | None = None


def survey(path: Path) -> Survey:
    """Read the file once for its members and the purchases that come back, and again for those purchases' lines."""
    found = Survey()
    glance, whole = msgspec.json.Decoder(_Glance), msgspec.json.Decoder(Event)
    for _, raw in _lines(path):
        seen = _decoded(glance, raw)
        if isinstance(seen, RewardsError):
            continue
        count = 1
        if seen.kind == "return" and not isinstance(event := _decoded(whole, raw), RewardsError):
            undone = parts(event)
            found.sold.update((part.of, None) for part in undone if part.of is not None)
            count = len(undone)
        found.parts += count
        if seen.member_id is not None:
            first = found.joined.get(seen.member_id)
            found.joined[seen.member_id] = seen.occurred_at if first is None else min(first, seen.occurred_at)
    if found.sold:
        _note_sold(path, found, glance, whole)
    return found


def _note_sold(
    path: Path, found: Survey, glance: msgspec.json.Decoder[_Glance], whole: msgspec.json.Decoder[Event]
) -> None:
    """Keep the lines of the purchases that a return names."""
    for _, raw in _lines(path):
        seen = _decoded(glance, raw)
        if isinstance(seen, RewardsError) or seen.kind != "purchase" or seen.purchase_id not in found.sold:
            continue
        if found.sold[seen.purchase_id] is None and not isinstance(event := _decoded(whole, raw), RewardsError):
            found.sold[seen.purchase_id] = Sold(
                event.store_id,
                [
                    SoldLine(line_id, line.sku, line.unit_price_minor, line.quantity)
                    for line_id, line in zip(line_ids(event.lines), event.lines, strict=True)
                ],
            )


def events(path: Path) -> Iterator[tuple[int, Event | RewardsError]]:
    """Yield the numbered events of a file in its order; of a line that cannot be read, what is wrong with it.

    Raises `InvalidRequest` if the file itself cannot be read.
    """
    decoder = msgspec.json.Decoder(Event)
    for number, raw in _lines(path):
        event = _decoded(decoder, raw)
        yield number, event


def parts(event: Event) -> list[Part]:
    """Cut a return into one for each purchase that it undoes; what names none comes as one of its own."""
    by_purchase: dict[str | None, list[EventLine]] = {}
    for line in event.lines:
        by_purchase.setdefault(line.original_purchase_id or event.original_purchase_id, []).append(line)
    if len(by_purchase) == 1:
        return [Part(event, event.purchase_id, event.lines, of) for of in by_purchase]
    return [
        Part(event, f"{event.purchase_id}/{i}", tuple(lines), of)
        for i, (of, lines) in enumerate(by_purchase.items(), start=1)
    ]


def line_ids(lines: Iterable[EventLine]) -> list[str]:
    """Call each line by its sku, a repeated one with its number."""
    seen: dict[str, int] = {}
    ids = []
    for line in lines:
        number = seen.get(line.sku, 0) + 1
        seen[line.sku] = number
        ids.append(line.sku if number == 1 else f"{line.sku}#{number}")
    return ids


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the numbered lines of a file, packed (known by its first two bytes) or not; blank ones are left out."""
    try:
        with path.open("rb") as plain:
            packed = plain.read(2) == b"\x1f\x8b"
            plain.seek(0)
            file: IO[bytes] | gzip.GzipFile = gzip.GzipFile(fileobj=plain) if packed else plain
            for number, raw in enumerate(file, start=1):
                if not raw.isspace():
                    yield number, raw
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidRequest("file-unreadable", f"`{path}` cannot be read: {error}") from error


def _decoded(decoder: msgspec.json.Decoder[_T], raw: bytes) -> _T | RewardsError:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        return InvalidRequest("line-invalid", f"not an event of the form: {error}")
