"""Every statement that the hot paths run, built from the tables and compiled to SQL once.

Inserts take tuples in the order of the table's columns. What does not live
here: connections, and SQL that only one database understands (`sqlite`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ClauseElement,
    ColumnElement,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from rewards.store import sqlite
from rewards.store.tables import METADATA

_T = METADATA.tables
_EVENT = (
    "owner_id number kind external_id of_number occurred_at recorded_at store_id till_id operator_id fingerprint body"
)
_ENTRY = "owner_id number event_number kind policy_version engine_version occurred_at recorded_at awards prev_hash hash"
_LEG = "owner_id entry_number leg account unit amount lot_day available_at expires_at"


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=sqlite.DIALECT))


def _add(table: str) -> str:
    return _sql(insert(_T[table]))


def _by(table: str, key: str, columns: str = "*") -> str:
    """Return the keyed select: `key` and `columns` are names with spaces between; `*` is the whole row."""
    source = _T[table]
    names = list(source.c.keys()) if columns == "*" else columns.split()
    return _sql(sqlite.keyed(source, _columns(source, key), *(source.c[name] for name in names)))


def _columns(table: Table, names: str) -> list[ColumnElement[Any]]:
    return [table.c[name] for name in names.split()]


def _timelines() -> str:
    near, owner = _T["near_state"], _T["owner"]
    columns = (owner.c.id, owner.c.kind, owner.c.state, owner.c.joined_day)
    state = (near.c.events, near.c.entries, near.c.head, near.c.state)
    beside = (owner, owner.c.id == near.c.owner_id)
    return _sql(sqlite.keyed(near, [near.c.owner_id], *columns, *state, beside=[beside]))


def _entries_page() -> str:
    """Newest first, below an entry number."""
    event, table = _T["event"], _T["entry"]
    where = (event.c.owner_id == bindparam("owner"), table.c.number < bindparam("below"))
    return _sql(
        select(*_columns(table, _ENTRY))
        .select_from(event.join(table, table.c.event_id == event.c.id))
        .where(*where)
        .order_by(event.c.number.desc(), table.c.number.desc())
        .limit(bindparam("most"))
        .offset(bindparam("skip"))
    )


def _next(table: str) -> str:
    return _sql(select(func.coalesce(func.max(_T[table].c.id) + literal_column("1"), literal_column("1"))))


def _through(lead: str, key: str, *path: str, columns: str) -> str:
    """Return the keyed select of the rows of the last table, each found by the id of the one before."""
    source = _T[lead]
    beside = [
        (_T[name], _T[name].c[f"{before}_id"] == _T[before].c.id)
        for before, name in zip((lead, *path), path, strict=False)
    ]
    return _sql(sqlite.keyed(source, _columns(source, key), *_columns(_T[path[-1]], columns), beside=beside))


def _owner_page() -> str:
    table = _T["owner"]
    return _sql(
        select(table.c.id)
        .where(table.c.id > bindparam("above"))
        .order_by(table.c.id)
        .limit(bindparam("most"))
        .offset(bindparam("skip"))
    )


def _save_near() -> str:
    near = _T["near_state"]
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("events", "entries", "head", "state")}
    return _sql(update(near).values(values).where(near.c.owner_id == bindparam("owner")))


def _save_day() -> str:
    day = _T["day_state"]
    where = (day.c.owner_id == bindparam("owner"), day.c.day == bindparam("of"))
    return _sql(update(day).values(state=bindparam("new_state")).where(*where))


def _drop(table: str, key: str) -> str:
    source = _T[table]
    return _sql(delete(source).where(*(source.c[name] == bindparam(f"k_{name}") for name in key.split())))


def _drop_guesses() -> str:
    """Delete one row, and those that count no longer at an instant."""
    guess = _T["guess"]
    return _sql(delete(guess).where(or_(guess.c.key == bindparam("k_key"), guess.c.free_at <= bindparam("now"))))


def _route_return() -> str:
    """Say where a parked return went: owner, number, then its store, its id."""
    route = _T["receipt_route"]
    where = (
        route.c.store_id == bindparam("store"),
        route.c.receipt_id == bindparam("receipt"),
        route.c.kind == bindparam("of_kind"),
    )
    return _sql(update(route).values(owner_id=bindparam("owner"), number=bindparam("event")).where(*where))


def _code() -> str:
    """Return whom a code leads to; one at a time, because a hash is no text that could stand in a list of keys."""
    route = _T["code_route"]
    return _sql(select(route.c.owner_id, route.c.last_four).where(route.c.code_hash == bindparam("hash")))


def _nearest_code() -> str:
    """Return the first route from a hash on: where the hash leads nowhere another code's, found in the same time."""
    route = _T["code_route"]
    found = select(route.c.code_hash, route.c.owner_id).where(route.c.code_hash >= bindparam("hash"))
    return _sql(found.order_by(route.c.code_hash).limit(literal_column("1")).offset(literal_column("0")))


@lru_cache(8)
def legs_by_span(ends: Sequence[int]) -> str:
    """Return the keyed statement that sums an owner's postings by account, lot and span of recording.

    A span is known by its number: 0 is everything before the first of `ends`, 1 goes from there to the next one;
    what was recorded after the last is left out. Rows: owner, account, unit, day, available, expires, span, sum.
    """
    event, entry, leg = _T["event"], _T["entry"], _T["posting"]
    whole: list[ColumnElement[Any]] = [literal_column(str(int(end))) for end in ends]
    span = case(*((entry.c.recorded_at < end, literal_column(str(i))) for i, end in enumerate(whole)))
    lot = (leg.c.account, leg.c.unit, leg.c.lot_day, leg.c.available_at, leg.c.expires_at)
    total = func.sum(leg.c.amount)
    beside = [(entry, entry.c.event_id == event.c.id), (leg, leg.c.entry_id == entry.c.id)]
    rows = sqlite.keyed(event, [event.c.owner_id], leg.c.owner_id, *lot, span, total, beside=beside)
    return _sql(
        rows.where(entry.c.recorded_at < whole[-1])
        .group_by(leg.c.owner_id, *lot, span)
        .having(total != literal_column("0"))
    )


# writes, in the order in which a batch runs them

ADD_OWNER = _add("owner")
ADD_PROFILE = _add("profile")
DROP_PROFILE = _drop("profile", "owner_id")
DROP_CONTACT = _drop("contact_route", "kind value")
ADD_CONTACT = _add("contact_route")
ADD_REPLACED_CARD = _add("replaced_card")
SAVE_OWNER = _sql(
    update(_T["owner"]).values(state=bindparam("new_state")).where(_T["owner"].c.id == bindparam("owner"))
)
ADD_EVENT = _add("event")
ADD_NOTE = _add("note")
ADD_ENTRY = _add("entry")
ADD_POSTING = _add("posting")
ADD_NEAR = _add("near_state")
SAVE_NEAR = _save_near()
DROP_DAY = _drop("day_state", "owner_id day")
DROP_DAYS = _drop("day_state", "owner_id")
SAVE_DAY = _save_day()
ADD_DAY = _add("day_state")
ADD_RECEIPT_ROUTE = _add("receipt_route")
ROUTE_RETURN = _route_return()
ADD_PARKED = _add("parked_return")
DROP_PARKED = _drop("parked_return", "store_id receipt_id return_store_id return_id")
ADD_KEY_ROUTE = _add("key_route")
ADD_ANSWER = _add("answer")
ADD_CODE_ROUTE = _add("code_route")
ADD_HELD_CARD = _add("held_card")
DROP_STAFF_DAY = _drop("staff_day", "owner_id day unit")
ADD_STAFF_DAY = _add("staff_day")
DROP_GUESSES = _drop_guesses()
ADD_GUESS = _add("guess")
ADD_GIVEN_CARD = _add("given_card")
ADD_VERSION = _add("policy_version")
ADD_PROGRAM = _add("program")
SAVE_PROGRAM = _sql(
    update(_T["program"]).values(currency=bindparam("new_currency"), timezone=bindparam("new_timezone"))
)

# reads by many keys

TIMELINES = _timelines()
DAYS = _by("day_state", "owner_id")
EVENTS = _by("event", "owner_id number", _EVENT)
EVENTS_OF = _by("event", "owner_id of_number", "owner_id of_number number body")
EVENTS_BY_ID = _by(
    "event", "owner_id kind store_id external_id", "owner_id kind store_id external_id number fingerprint"
)
EVENTS_OF_OWNER = _by("event", "owner_id", _EVENT)
NOTES = _by("note", "owner_id number")
ENTRIES_OF_EVENT = _through("event", "owner_id number", "entry", columns=_ENTRY)
ENTRIES_OF_OWNER = _through("event", "owner_id", "entry", columns=_ENTRY)
POSTINGS_OF_EVENT = _through("event", "owner_id number", "entry", "posting", columns=_LEG)
POSTINGS_OF_OWNER = _through("event", "owner_id", "entry", "posting", columns=_LEG)
ANSWERS = _through("event", "owner_id number", "answer", columns="owner_id number status body")
PROFILES = _by("profile", "owner_id")
CONTACTS = _by("contact_route", "kind value")
CONTACTS_OF_OWNER = _by("contact_route", "owner_id")
REPLACED_CARDS = _by("replaced_card", "value")
REPLACED_CARDS_OF_OWNER = _by("replaced_card", "owner_id", "owner_id value")
RECEIPT_ROUTES = _by("receipt_route", "store_id receipt_id kind")
KEY_ROUTES = _by("key_route", "caller key")
HELD_CARDS = _by("held_card", "owner_id")
STAFF_DAYS = _by("staff_day", "owner_id day unit")
GUESSES = _by("guess", "key")
GIVEN_CARDS = _by("given_card", "owner_id number")
GIVEN_CARDS_OF_OWNER = _by("given_card", "owner_id")
PARKED = _by("parked_return", "store_id receipt_id")

# other reads

ANY_PARKED = "SELECT 1 FROM parked_return LIMIT 1"
NEXT_OWNER = _next("owner")
NEXT_EVENT = _next("event")
NEXT_ENTRY = _next("entry")
OWNER_PAGE = _owner_page()
ENTRIES_PAGE = _entries_page()
PROGRAM = _sql(select(_T["program"]))
LAST_VERSION = _sql(select(func.max(_T["policy_version"].c.number)))
CODE = _code()
NEAREST_CODE = _nearest_code()
VERSIONS = _sql(select(_T["policy_version"]).order_by(_T["policy_version"].c.number))
