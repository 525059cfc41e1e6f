"""Records whose repr leaves out gift cards' codes and PINs, so that none stands in a log, a traceback or a debugger.

What does not live here: what is kept of a code (`service.codes`).
"""

from __future__ import annotations

from typing import Any

import msgspec

_SECRET = frozenset({"code", "codes", "pin", "claim_code", "cards", "body"})


class Unsaid(msgspec.Struct, frozen=True):
    """A record with secrets: each field of a secret's name is shown as `...` unless it is empty.

    >>> class Shown(Unsaid, frozen=True):
    ...     code: str
    ...     pin: str = ""
    >>> Shown("7ZZZ-0000-0000-00004")
    Shown(code=..., pin='')
    """

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Return the fields as they may be seen."""
        fields = [(name, getattr(self, name)) for name in self.__struct_fields__]
        return [(name, ... if value and name in _SECRET else value) for name, value in fields]

    def __repr__(self) -> str:
        """Return the record without its secrets."""
        fields = (f"{name}={'...' if value is ... else repr(value)}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({', '.join(fields)})"
