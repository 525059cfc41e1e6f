"""Reads a tree of nodes by the schema: values of the right type, or problems at their places.

What does not live here: the vocabulary (`schema`), how single values are
written (`forms`), and whether names exist or rules make sense (`compile`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from itertools import combinations
from typing import Any

from rewards.policy.forms import Facts, Form, Wrong, check_id, did_you_mean, IDENTIFIER
from rewards.policy.problems import Also, Report, Span, one_of, quoted
from rewards.policy.schema import Either, Fields, Key, ListOf, Named, Shape, resolved
from rewards.policy.source import Broken, Entry, List, Map, Node, Scalar

_NOTHING = ("", "~", "null", "Null", "NULL")
_KINDS = {Scalar: "a single value", Map: "a map", List: "a list"}


@dataclass(slots=True)
class Got:
    """A value that was read, and where it stands. `key` is the place of its key in a map."""

    value: Any
    span: Span
    key: Span
    text: str = ""  # of a single value, as written

    @property
    def place(self) -> Span:
        """The value itself if it is on one line, else its key."""
        return self.span if self.text else self.key


@dataclass(slots=True)
class Table:
    """A map that was read: what is fine, and the keys of what is not."""

    got: dict[str, Got] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def get(self, name: str) -> Got | None:
        """Return the value, or None if the key is absent or its value broken."""
        return self.got.get(name)

    def value(self, name: str, default: Any = None) -> Any:
        """Return the value alone, or the default."""
        found = self.got.get(name)
        return default if found is None else found.value

    def has(self, name: str) -> bool:
        """Tell whether the author wrote the key, be it broken."""
        return name in self.got or name in self.broken


@dataclass(slots=True)
class Reader:
    """Reads nodes; everything that is wrong goes to `report`, and what is broken is read as None."""

    facts: Facts
    report: Report

    def read(self, shape: Shape, node: Node, key: Span | None = None) -> Got | None:
        """Return the node's value, or None after a problem was reported (now, or by the source)."""
        key = key or node.span
        shape = resolved(shape)
        if isinstance(node, Broken):
            return None
        if isinstance(node, Scalar) and not node.quoted and node.text in _NOTHING:
            self._nothing(shape, node, key)
            return None
        if isinstance(shape, Either):
            return self._either(shape, node, key)
        if isinstance(shape, Form) and isinstance(node, Scalar):
            return self._scalar(shape, node, key)
        if isinstance(shape, ListOf) and isinstance(node, List):
            return self._list(shape, node, key)
        if isinstance(shape, Fields) and isinstance(node, Map):
            return self.fields(shape, node, key)
        if isinstance(shape, Named) and isinstance(node, Map):
            return self._named(shape, node, key)
        self._wrong_kind(shape, node)
        return None

    def _either(self, shape: Either, node: Node, key: Span) -> Got | None:
        inner: Shape | None = shape.scalar
        if isinstance(node, Map):
            inner = shape.map
        elif isinstance(node, List):
            inner = shape.list
        if inner is None:
            self._wrong_kind(shape, node)
            return None
        return self.read(inner, node, key)

    def _nothing(self, shape: Shape, node: Scalar, key: Span) -> None:
        if isinstance(shape, Fields) and shape.may_be_empty:
            advice = "write `{}` to keep the defaults"
        else:
            advice = f"write {_expected(shape)}, or leave the key out"
        word = f"; quote {quoted(node.text)} if you mean the word" if node.text else ""
        self.report.add("nothing-here", "a value is missing here", node.span if node.text else key, advice + word)

    def _wrong_kind(self, shape: Shape, node: Node) -> None:
        found = _KINDS[type(node)]
        advice = "write `key: value`, one key a line" if isinstance(shape, (Fields, Named)) else ""
        if isinstance(shape, ListOf) and isinstance(node, Scalar):
            advice = f"write `[{node.text}]`" if "`" not in node.text and len(node.text) < 40 else "put it in brackets"  # noqa: PLR2004
        elif isinstance(shape, Form):
            advice = f"such as `{shape.examples[0]}`"
        self.report.add("wrong-kind", f"expected {_expected(shape)}, found {found}", node.span, advice)

    def _scalar(self, form: Form, node: Scalar, key: Span) -> Got | None:
        try:
            return Got(form.read(node.text, self.facts), node.span, key, node.text)
        except Wrong as wrong:
            self.report.add(wrong.code, wrong.message, node.span, wrong.help)
            return None

    def _list(self, shape: ListOf, node: List, key: Span) -> Got | None:
        if not node.items:
            self.report.add("empty", "the list is empty", node.span, "write at least one item, or leave the key out")
            return None
        items = [self.read(shape.of, item) for item in node.items]
        self._repeated(node.items)
        return None if None in items else Got(items, node.span, key)

    def _repeated(self, items: list[Node]) -> None:
        seen: dict[str, Span] = {}
        for item in items:
            if isinstance(item, Scalar) and item.text in seen:
                also = Also(seen[item.text], "first written here")
                self.report.add("repeated-item", f"{quoted(item.text)} is in the list twice", item.span, "delete one", also)
            elif isinstance(item, Scalar):
                seen[item.text] = item.span

    def _named(self, shape: Named, node: Map, key: Span) -> Got | None:
        if not node.entries:
            self.report.add("empty", "the map is empty", node.span, f"write {shape.what}, or leave the key out")
            return None
        table = Table()
        for entry in node.entries:
            name = self._id(shape.ids, entry.key)
            got = self.read(shape.of, entry.value, entry.key.span)
            if got is None or not name:
                table.broken.add(entry.key.text)
            else:
                table.got[entry.key.text] = got
        return Got(table, node.span, key)

    def _id(self, ids: Form, key: Scalar) -> bool:
        try:
            if ids is IDENTIFIER:
                check_id(key.text)
            elif not re.fullmatch(ids.pattern or "", key.text):
                raise Wrong("bad-id", f"{quoted(key.text)} is not {ids.name}", f"write one such as `{ids.examples[0]}`")
        except Wrong as wrong:
            self.report.add(wrong.code, wrong.message, key.span, wrong.help)
            return False
        return True

    def fields(self, shape: Fields, node: Map, key: Span) -> Got | None:
        """Read a map with fixed keys; None if it is empty, or a key is missing or contradicts another."""
        if not node.entries and not shape.may_be_empty and not _required(shape):
            self.report.add("empty", "the map is empty", node.span, f"write at least one key: {_listed(shape)}")
            return None
        if not shape.keys:
            self._unsupported_map(shape, node)
            return None
        table, complete = self.table(shape, node, key)
        return Got(table, node.span, key) if complete else None

    def table(self, shape: Fields, node: Map, key: Span) -> tuple[Table, bool]:
        """Read the keys of a map; tell whether all that must be there is there."""
        known = {one.name: one for one in shape.keys}
        table, meant = Table(), dict[str, Span]()
        for entry in node.entries:
            name = entry.key.text
            if name not in known:
                name = self._unknown(shape, node, entry, meant)
            if name:
                meant[name] = entry.key.span
                self._field(known[name], entry, table)
        return table, self._complete(shape, key, meant)

    def _field(self, key: Key, entry: Entry, table: Table) -> None:
        got = self.read(key.shape, entry.value, entry.key.span)
        if got is None:
            table.broken.add(key.name)
        else:
            table.got[key.name] = got

    def _unsupported_map(self, shape: Fields, node: Map) -> None:
        """Report a map of which this version knows no key, once."""
        first = node.entries[0].key
        if first.text in shape.unsupported:
            self._unsupported(first)
        else:
            self.report.add("wrong-kind", f"expected {shape.what}, found a map", node.span, "such as `5 points`")

    def _unsupported(self, key: Scalar) -> None:
        message = f"`{key.text}` is not supported by this version of the engine"
        self.report.add("unsupported", message, key.span, "delete it, or wait for a later version")

    def _unknown(self, shape: Fields, node: Map, entry: Entry, meant: dict[str, Span]) -> str:
        """Report a key that is not there; return the key that the author surely meant, or an empty text."""
        name = entry.key.text
        if name in shape.unsupported:
            self._unsupported(entry.key)
            return ""
        taken = {other.key.text for other in node.entries} | set(meant)
        guess = self._guess(shape, entry, taken)
        advice = f"did you mean `{guess}`?" if guess else f"the keys here are {_listed(shape)}"
        self.report.add("unknown-key", f"unknown key {quoted(name)} in {shape.what}", entry.key.span, advice)
        return guess

    def _guess(self, shape: Fields, entry: Entry, taken: Iterable[str]) -> str:
        """Return a key that is close, free and fits the value; so the suggestion mends the fault."""
        free = {one.name: one for one in shape.keys if one.name not in taken}
        for name in get_close_matches(entry.key.text.lower().replace("-", "_"), free, 3, 0.7):
            if _kind_fits(free[name].shape, entry.value):
                return name
        return ""

    def _complete(self, shape: Fields, key: Span, meant: dict[str, Span]) -> bool:
        """Report what contradicts or is missing; tell whether the map can be used."""
        missing = [(name, "") for name in _required(shape) if name not in meant]
        contradicts = self._contradicts(shape, meant)
        if not contradicts:
            needed = [(need, name) for name, needs in shape.together if name in meant for need in needs]
            missing += [(need, name) for need, name in needed if need not in meant]
        for name, because in missing:
            self._missing(shape, name, because, meant.get(because, key))
        lacks = self._lacks(shape, key, meant, {name for name, _ in missing})
        return not missing and not contradicts and not lacks

    def _missing(self, shape: Fields, name: str, because: str, span: Span) -> None:
        form = next(one for one in shape.keys if one.name == name)
        message = f"`{because}` needs `{name}`" if because else f"{shape.what} needs `{name}`"
        self.report.add("missing-key", message, span, f"add `{name}`: {_lower(form.help)}{_sample(form)}")

    def _contradicts(self, shape: Fields, meant: dict[str, Span]) -> bool:
        pairs = [*combinations(shape.exactly_one, 2), *shape.excludes]
        both = next((pair for pair in pairs if pair[0] in meant and pair[1] in meant), None)
        if both is None:
            return False
        first, second = sorted(both, key=meant.__getitem__)
        also = Also(meant[first], f"`{first}` is here")
        message = f"`{second}` and `{first}` exclude each other"
        self.report.add("contradicting-keys", message, meant[second], "keep one of them", also)
        return True

    def _lacks(self, shape: Fields, key: Span, meant: dict[str, Span], missing: set[str]) -> bool:
        wanted = shape.exactly_one or shape.at_least_one
        if not wanted or any(name in meant or name in missing for name in wanted):
            return False
        if not meant and shape.at_least_one:
            return True  # each unknown key was reported
        self.report.add("missing-key", f"{shape.what} needs {one_of(wanted)}", key, f"add one of them: {_samples(shape, wanted)}")
        return True


def _required(shape: Fields) -> list[str]:
    return [one.name for one in shape.keys if one.required]


def _kind_fits(shape: Shape, node: Node) -> bool:
    shape = resolved(shape)
    if isinstance(shape, Either):
        inner = {Scalar: shape.scalar, Map: shape.map, List: shape.list}.get(type(node))
        return inner is not None
    return isinstance(node, {Form: Scalar, ListOf: List}.get(type(shape), Map))


def _expected(shape: Shape) -> str:
    shape = resolved(shape)
    if isinstance(shape, Form):
        return shape.name
    if isinstance(shape, Either):
        return shape.what
    if isinstance(shape, ListOf):
        return "a list"
    return f"a map ({shape.what})" if isinstance(shape, Fields) else "a map"


def _listed(shape: Fields) -> str:
    return one_of((one.name for one in shape.keys), "and")


def _lower(text: str) -> str:
    """Return a sentence as part of another one."""
    text = text.rstrip(".")
    return text if text[:2].isupper() else text[0].lower() + text[1:]


def _sample(key: Key) -> str:
    shape = resolved(key.shape)
    example = key.example
    if not example and isinstance(shape, Form):
        example = shape.examples[0]
    return f", such as `{key.name}: {example}`" if example else ""


def _samples(shape: Fields, names: Iterable[str]) -> str:
    keys = {one.name: one for one in shape.keys}
    found = (_sample(keys[name]).removeprefix(", such as ") for name in names)
    return next((one for one in found if one), one_of(names))
