"""Attributes of lines and members: what a file declares, and the values it names.

What does not live here: whether a line or a member has them (`engine`), and
what callers send (`service`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rewards.policy.problems import Report
from rewards.policy.shape import Got, Table
from rewards.policy.wording import Hint, quoted

Value = str | int | bool
Kind = frozenset[str] | Literal["boolean", "text", "integer"]
Wanted = tuple[tuple[str, frozenset[Value]], ...]  # by name, in the order of names: any of the values


@dataclass(frozen=True, slots=True)
class Declared:
    """The attributes that lines, or members, are declared to have."""

    whose: Literal["lines", "members"]
    kinds: dict[str, Kind] | None  # None where the section is broken
    report: Report

    def wanted(self, table: Table) -> Wanted | None:
        """Return the values that a map of attributes asks for, or None after a problem was reported."""
        found, fine = [], True
        for name, got in sorted(table.got.items()):
            if self.kinds is None:
                continue
            if name not in self.kinds:
                self._unknown(name, got, self.kinds)
                fine = False
                continue
            values = [self._value(name, one) for one in got.parts]
            fine = fine and None not in values
            found.append((name, frozenset(value for value in values if value is not None)))
        return tuple(found) if fine else None

    def _unknown(self, name: str, got: Got, kinds: dict[str, Kind]) -> None:
        message = f"the attribute {quoted(name)} of {self.whose} is not declared"
        kind = "boolean" if got.value in ("true", "false") else "text"
        otherwise = f"declare it: `attributes: {{{self.whose}: {{{name}: {kind}}}}}`"
        self.report.add("unknown-attribute", message, got.key, Hint(name, kinds, otherwise))

    def _value(self, name: str, got: Got) -> Value | None:
        kind = (self.kinds or {})[name]
        if isinstance(kind, frozenset):
            if got.value in kind:
                return str(got.value)
            advice: str | Hint = Hint(got.value, sorted(kind), "write one of the choices declared", "the choices are")
        elif kind == "boolean":
            if got.value in ("true", "false"):
                return bool(got.value == "true")
            advice = "write `true` or `false`"
        elif kind == "integer":
            if re.fullmatch(r"-?[0-9]{1,15}", got.value):
                return int(got.value)
            advice = "write a whole number such as `5`"
        else:
            return str(got.value)
        word = "of the choices" if isinstance(kind, frozenset) else f"of the kind `{kind}`"
        message = f"{quoted(got.value)} is not {word} that `{name}` is declared with"
        self.report.add("attribute-value", message, got.span, advice)
        return None
