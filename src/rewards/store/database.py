"""An open database: where it is, its write connection, its read connections.

What does not live here: what is written and in which order (`service`), when
(`writer`), and the words of one database (`sqlite`).
"""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import RLock
from typing import Any

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rewards.errors import InvalidRequest, TryAgain
from rewards.store import migrate, sqlite

Row = tuple[Any, ...]
Doubled = sqlite3.IntegrityError  # a unique key or a CHECK said no


class Session:
    """One connection's work: reads, and writes inside a transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Return all rows of a statement."""
        return self._connection.execute(sql, values).fetchall()

    def keyed(self, sql: str, keys: Sequence[Sequence[object]]) -> list[Row]:
        """Return the rows that belong to any of the keys, by one statement; order follows the keys."""
        if not keys:
            return []
        return [row for row in self._connection.execute(sql, sqlite.bound(keys)).fetchall() if row[0] is not None]

    def write(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement once for each of the rows."""
        self._connection.executemany(sql, rows)


class Store:
    """One open database. Open it with `Store.open`; close it after the writer."""

    def __init__(self, path: str) -> None:
        """Open the database, creating or upgrading its schema."""
        self.path = path
        self._closed = False
        self._idle: deque[sqlite3.Connection] = deque()
        self._lock = RLock()  # in memory there is one connection, and reads wait for the writer
        self.in_memory = path == ":memory:"
        try:
            self._writing = sqlite.connect(path)
        except sqlite3.Error as error:
            raise InvalidRequest("database-unusable", f"`{path}` cannot be opened: {error}") from error
        try:
            migrate.upgrade(self._writing, path)
        except BaseException:
            self._writing.close()
            raise

    @classmethod
    def open(cls, url: str = "sqlite://") -> Store:
        """Open `sqlite:///FILE` (`sqlite://` is in memory); raise `InvalidRequest` for what is no such database."""
        try:
            where = make_url(url)
        except ArgumentError as error:
            raise InvalidRequest(
                "database-url", f"`{url}` is not a database URL; a file is `sqlite:///{url}`"
            ) from error
        if where.get_backend_name() != "sqlite":
            raise InvalidRequest(
                "database-unsupported", f"`{where.get_backend_name()}` is not supported; use `sqlite:///FILE`"
            )
        return cls(where.database or ":memory:")

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Write in one transaction: committed when the block ends, rolled back when it raises.

        Raises `TryAgain` when the database is busy, full or gone; nothing is written then.
        """
        with self._lock:
            if self._closed:
                raise _closed()
            try:
                self._writing.execute(sqlite.BEGIN)
                yield Session(self._writing)
                self._writing.execute("COMMIT")
            except BaseException as error:
                if self._writing.in_transaction:
                    self._writing.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise _unavailable(error) from error
                raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Read one state of the database: what was committed when the block began. Raises `TryAgain` if it is gone."""
        if self._closed:
            raise _closed()
        if self.in_memory:
            with self._lock:
                yield Session(self._writing)
            return
        try:
            connection = self._take()
            try:
                connection.execute("BEGIN")
                yield Session(connection)
            finally:
                self._give_back(connection)
        except sqlite3.OperationalError as error:
            raise _unavailable(error) from error

    def _give_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("COMMIT")
        if self._closed:
            connection.close()
        else:
            self._idle.append(connection)

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            return sqlite.connect(self.path)

    def close(self) -> None:
        """Close every connection. Idempotent."""
        if self._closed:
            return
        self._closed = True
        with suppress(IndexError):
            while True:
                self._idle.pop().close()
        self._writing.close()


def _closed() -> TryAgain:
    return TryAgain("closing", "the service is closing; send the request again")


def _unavailable(error: sqlite3.Error) -> TryAgain:
    return TryAgain("database-unavailable", f"the database cannot be used now ({error}); send the request again")
