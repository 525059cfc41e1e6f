"""Rows that a batch looks up, each once: read ahead or when asked for, with what the batch will write.

What does not live here: which rows they are (`batch`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic, TypeVar

from rewards.store.database import Session

Key = tuple[Any, ...]
V = TypeVar("V")


class Table(Generic[V]):
    """Rows by key, one or none for each; `V` is what follows the key's columns."""

    def __init__(self, session: Session, sql: str, width: int) -> None:
        """Take a keyed statement whose first `width` columns are the key."""
        self._session = session
        self._sql = sql
        self._width = width
        self._known: dict[Key, Any] = {}

    def foresee(self, keys: Iterable[Key]) -> None:
        """Read many keys at once."""
        missing = list({key: None for key in keys if key not in self._known})
        self._known.update(dict.fromkeys(missing))
        width = self._width
        for row in self._session.keyed(self._sql, missing):
            self._known[row[:width]] = row[width:]

    def get(self, *key: Any) -> V | None:
        """Return the rest of the row, or None if there is none."""
        if key not in self._known:
            self.foresee([key])
        found: V | None = self._known[key]
        return found

    def put(self, key: Key, rest: V | None) -> None:
        """Have a row seen that will be written, or none that will be deleted."""
        self._known[key] = rest


class Lists(Generic[V]):
    """Rows by key, any number for each."""

    def __init__(self, session: Session, sql: str, width: int) -> None:
        """Take a keyed statement whose first `width` columns are the key."""
        self._session = session
        self._sql = sql
        self._width = width
        self._known: dict[Key, list[Any]] = {}

    def foresee(self, keys: Iterable[Key]) -> None:
        """Read many keys at once."""
        missing = list({key: None for key in keys if key not in self._known})
        for key in missing:
            self._known[key] = []
        width = self._width
        for row in self._session.keyed(self._sql, missing):
            self._known[row[:width]].append(row[width:])

    def none(self, keys: Iterable[Key]) -> None:
        """Have it known that there are no rows of these keys."""
        for key in keys:
            self._known.setdefault(key, [])

    def get(self, *key: Any) -> list[V]:
        """Return the rest of the rows; the caller may add what will be written, and take away what will be deleted."""
        if key not in self._known:
            self.foresee([key])
        return self._known[key]
