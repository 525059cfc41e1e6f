"""What only SQLite knows: its connection, its transaction, its way to read many keys at once.

No other module of the package says anything that another database would not
understand.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, Table, and_, bindparam, column, func, literal_column, select
from sqlalchemy.dialects import sqlite

DIALECT = sqlite.dialect(paramstyle="qmark")
_SETTINGS = (
    "PRAGMA busy_timeout = 10000",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",  # an answered command survives a power cut
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16384",  # no more: a COMMIT looks through all of it whenever a page was split
    "PRAGMA wal_autocheckpoint = 4000",
)
BEGIN = "BEGIN IMMEDIATE"  # a deferred one fails at its first write when another process wrote since
_json = msgspec.json.Encoder()


def connect(path: str) -> sqlite3.Connection:
    """Open a connection in autocommit mode; the caller says BEGIN and COMMIT."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for setting in _SETTINGS:
        connection.execute(setting)
    return connection


def keyed(
    table: Table, key: Sequence[Any], *columns: Any, beside: Sequence[tuple[Table, ColumnElement[bool]]] = ()
) -> Select[Any]:
    """Select the rows of `table` whose key columns equal one of many keys, given as one bound value (`bound`).

    The outer joins make SQLite walk the keys and search the tables, in this order, whatever it knows
    about them; a key without a row gives a row of NULLs.
    """
    keys = func.json_each(bindparam("keys")).table_valued(column("value"), name="keys")
    at = [func.json_extract(keys.c.value, literal_column(f"'$[{i}]'")) for i in range(len(key))]
    joined = keys.outerjoin(table, and_(*(one == value for one, value in zip(key, at, strict=True))))
    for found, on in beside:
        joined = joined.outerjoin(found, on)
    return select(*columns).select_from(joined)


def bound(keys: Sequence[Sequence[object]]) -> tuple[str]:
    """Return what to bind for a `keyed` statement."""
    return (_json.encode(keys).decode(),)
