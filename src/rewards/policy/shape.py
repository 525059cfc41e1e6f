"""Reads a tree of nodes by the schema: values of the right type, or problems at their places.

What does not live here: the vocabulary (`schema`), how single values are
written (`forms`), and whether names exist or rules make sense (`compile`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from rewards.policy.forms import YES, Facts, Form, Wrong, check_name
from rewards.policy.problems import MOST, Also, Report, Span
from rewards.policy.shared_schema import resolved
from rewards.policy.source import Broken, Entry, List, Map, Node, Scalar
from rewards.policy.structure import Either, Fields, Key, ListOf, Named, Shape
from rewards.policy.wording import SHORT, Hint, closest, one_of, quoted

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
    def parts(self) -> list[Got]:
        """The items of a list, or the one value that stands for a list of it."""
        return self.value if isinstance(self.value, list) else [self]

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


_WRITE = re.compile("write `([^`]+)`")


@dataclass(slots=True)
class Reader:
    """Reads nodes; everything that is wrong goes to `report`, and what is broken is read as None."""

    facts: Facts
    report: Report
    guesses: int = 0

    def read(self, shape: Shape, node: Node, key: Span | None = None, example: str = "") -> Got | None:
        """Return the node's value, or None after a problem was reported (now, or by the source)."""
        key = key or node.span
        shape = resolved(shape)
        if isinstance(node, Broken):
            return None
        if _is_nothing(node) and isinstance(node, Scalar):
            self._nothing(shape, node, key)
            return None
        inner = _inner(shape, node) if isinstance(shape, Either) else shape
        if inner is None or not _is_kind(inner, node):
            self._wrong_kind(shape, node, example)
            return None
        return self.read(inner, node, key, example) if inner is not shape else self._plain(shape, node, key)

    def _plain(self, shape: Shape, node: Node, key: Span) -> Got | None:
        if isinstance(shape, Form) and isinstance(node, Scalar):
            return self._scalar(shape, node, key)
        if isinstance(shape, ListOf) and isinstance(node, List):
            return self._list(shape, node, key)
        if isinstance(shape, Named) and isinstance(node, Map):
            return self._named(shape, node, key)
        return self.fields(shape, node, key) if isinstance(shape, Fields) and isinstance(node, Map) else None

    def _nothing(self, shape: Shape, node: Scalar, key: Span) -> None:
        if isinstance(shape, Fields) and shape.may_be_empty:
            advice = "write `{}` to keep the defaults"
        else:
            advice = f"write {_expected(shape)}, or leave the key out"
        is_text = isinstance(shape, Form) and "boolean" in shape.json_types
        word = f"; quote {quoted(node.text)} if you mean the word" if node.text and is_text else ""
        self.report.add("nothing-here", "a value is missing here", node.span if node.text else key, advice + word)

    def _wrong_kind(self, shape: Shape, node: Node, example: str) -> None:
        found = _KINDS[type(node)]
        advice = f"such as `{example or example_of(shape)}`"
        if isinstance(shape, ListOf) and isinstance(node, Scalar):
            advice = f"write `[{node.text}]`" if "`" not in node.text and len(node.text) < 40 else "put it in brackets"  # noqa: PLR2004
        self.report.add("wrong-kind", f"expected {_expected(shape)}, found {found}", node.span, advice)

    def _scalar(self, form: Form, node: Scalar, key: Span) -> Got | None:
        try:
            return Got(form.read(node.text, self.facts), node.span, key, node.text)
        except Wrong as wrong:
            self.report.add(wrong.code, wrong.message, node.span, self._checked(form, wrong.help))
            return None

    def _checked(self, form: Form, advice: str | Hint) -> str | Hint:
        """Return advice that helps: a value that it says to write is read first, and left out if it is refused too."""
        suggested = _WRITE.fullmatch(advice) if isinstance(advice, str) else None
        if suggested is None:
            return advice
        try:
            form.read(suggested[1], self.facts)
        except Wrong:
            return f"such as `{example_of(form)}`"
        return advice

    def _list(self, shape: ListOf, node: List, key: Span) -> Got | None:
        if not node.items:
            self.report.add("empty", "the list is empty", node.span, "write at least one item, or leave the key out")
            return None
        items = [self.read(shape.of, item) for item in node.items]
        if not shape.repeats:
            self._repeated(node.items)
        return None if None in items else Got(items, node.span, key)

    def _repeated(self, items: list[Node]) -> None:
        seen: dict[str, Span] = {}
        for item in items:
            if isinstance(item, Scalar) and item.text in seen:
                also = Also(seen[item.text], "first written here")
                self.report.add(
                    "repeated-item", f"{quoted(item.text)} is in the list twice", item.span, "delete one", also
                )
            elif isinstance(item, Scalar):
                seen[item.text] = item.span

    def _named(self, shape: Named, node: Map, key: Span) -> Got | None:
        if not node.entries:
            self.report.add("empty", "the map is empty", node.span, f"write {shape.what}, or leave the key out")
            return None
        table = Table()
        for entry in self._with_values(node):
            name = self._id(shape.ids, entry.key)
            got = self.read(shape.of, entry.value, entry.key.span)
            if got is None or not name:
                table.broken.add(entry.key.text)
            else:
                table.got[entry.key.text] = got
        return Got(table, node.span, key)

    def _with_values(self, node: Map) -> Iterator[Entry]:
        """Yield the entries; a word between commas, without a `:`, is reported instead."""
        before = ""
        for entry in node.entries:
            value, key = entry.value.span, entry.key.span
            if value.line == key.line and value.column == key.column + key.length and _is_nothing(entry.value):
                message = f"{quoted(entry.key.text)} has no `:` and no value"
                self.report.add("no-colon", message, key, _without_comma(before, entry.key.text))
            else:
                yield entry
            before = entry.value.text if isinstance(entry.value, Scalar) else ""

    def _id(self, ids: Form, key: Scalar) -> bool:
        try:
            check_name(key.text, ids)
        except Wrong as wrong:
            self.report.add(wrong.code, wrong.message, key.span, wrong.help)
            return False
        return True

    def fields(self, shape: Fields, node: Map, key: Span) -> Got | None:
        """Read a map with fixed keys; None if it is empty, or a key is missing or contradicts another."""
        if not node.entries and not shape.may_be_empty and not _required(shape):
            self.report.add(
                "empty",
                "the map is empty",
                node.span,
                f"write at least one key: {one_of(one.name for one in shape.keys)}",
            )
            return None
        if not shape.keys:
            self._unsupported_map(shape, node)
            return None
        table, complete = self.table(shape, node, key)
        return Got(table, node.span, key) if complete else None

    def table(self, shape: Fields, node: Map, key: Span) -> tuple[Table, bool]:
        """Read the keys of a map; tell whether all that must be there is there."""
        known = {one.name: one for one in shape.keys}
        written = {entry.key.text for entry in node.entries}
        free = [one for one in shape.keys if one.name not in written]
        table, meant = Table(), dict[str, Span]()
        for entry in self._with_values(node):
            name = entry.key.text
            if name not in known:
                name = self._unknown(shape, entry, [one for one in free if one.name not in meant])
            if name:
                meant[name] = entry.key.span
                self._field(known[name], entry, table)
        return table, self._complete(shape, key, meant, strangers=len(meant) < len(node.entries))

    def _field(self, key: Key, entry: Entry, table: Table) -> None:
        got = self.read(key.shape, entry.value, entry.key.span, key.example)
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

    def _unknown(self, shape: Fields, entry: Entry, free: list[Key]) -> str:
        """Report a key that is not there; return the key that the author surely meant, or an empty text."""
        name = entry.key.text
        if name in shape.unsupported:
            self._unsupported(entry.key)
            return ""
        advice = dict(shape.elsewhere).get(name, "")
        guess = "" if advice else self._guess(entry, free)
        advice = advice or (f"did you mean `{guess}`?" if guess else f"the keys here are {_listed(shape)}")
        self.report.add("unknown-key", f"unknown key {quoted(name)} in {shape.what}", entry.key.span, advice)
        return guess

    def _guess(self, entry: Entry, free: list[Key]) -> str:
        """Return a key that is close, free and takes such a value; so the suggestion mends the fault."""
        self.guesses += 1
        if self.guesses > MOST or len(entry.key.text) > SHORT:
            return ""
        fits = [key.name for key in free if _is_kind(key.shape, entry.value)]
        return closest(entry.key.text.lower().replace("-", "_"), fits, percent=70)

    def _complete(self, shape: Fields, key: Span, meant: dict[str, Span], *, strangers: bool) -> bool:
        """Report what contradicts or is missing; tell whether the map can be used."""
        missing = [(name, "") for name in _required(shape) if name not in meant]
        contradicts = self._contradicts(shape, meant)
        if not contradicts:
            needed = [(need, name) for name, needs in shape.together if name in meant for need in needs]
            missing += [(need, name) for need, name in needed if need not in meant]
        for name, because in missing:
            self._missing(shape, name, because, meant.get(because, key))
        lacks = self._lacks(shape, key, meant, {name for name, _ in missing}, only_faults=strangers)
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

    def _lacks(self, shape: Fields, key: Span, meant: dict[str, Span], missing: set[str], *, only_faults: bool) -> bool:
        wanted = shape.exactly_one or shape.at_least_one
        if not wanted or any(name in meant or name in missing for name in wanted):
            return False
        if only_faults:
            return True  # each unknown or unsupported key was reported
        self.report.add(
            "missing-key", f"{shape.what} needs {one_of(wanted)}", key, f"add one of them: {_samples(shape, wanted)}"
        )
        return True


def _without_comma(before: str, word: str) -> str:
    """Advise on a comma that parts `before` and a word without a value: of an amount, of a list, or of a text."""
    if re.fullmatch("[0-9]{1,12}", before) and re.fullmatch("[0-9]{1,3}", word):
        return f"write `{before}.{word}`: a comma starts another key here"
    return "write `key: value`; a list stands in brackets, `[a, b]`, and a text with a comma in quotes"


def _is_nothing(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.quoted and node.text in _NOTHING


def _required(shape: Fields) -> list[str]:
    return [one.name for one in shape.keys if one.required]


def _inner(shape: Either, node: Node) -> Shape | None:
    """Return the part that takes nodes of this kind."""
    if isinstance(node, Map):
        return resolved(shape.map) if shape.map else None
    return shape.list if isinstance(node, List) else shape.scalar


def _is_kind(shape: Shape, node: Node) -> bool:
    shape = resolved(shape)
    if isinstance(shape, Either):
        return _inner(shape, node) is not None
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
    return f", such as `{key.name}: {key.example or example_of(key.shape)}`"


def example_of(shape: Shape) -> str:
    """Return a value of the shape as YAML on one line; the shortest that is complete."""
    shape = resolved(shape)
    if isinstance(shape, Form):
        return shape.examples[0]
    if isinstance(shape, ListOf):
        return f"[{example_of(shape.of)}]"
    if isinstance(shape, Named):
        return f"{{{shape.ids.examples[0]}: {example_of(shape.of)}}}"
    if isinstance(shape, Either):
        return example_of(shape.scalar or shape.map or shape.list or YES)
    names = {*_required(shape), *shape.exactly_one[:1], *shape.at_least_one[:1]}
    keys = [key for key in shape.keys if key.name in names]
    return f"{{{', '.join(f'{key.name}: {key.example or example_of(key.shape)}' for key in keys)}}}"


def _samples(shape: Fields, names: Iterable[str]) -> str:
    keys = {one.name: one for one in shape.keys}
    found = (_sample(keys[name]).removeprefix(", such as ") for name in names)
    return next((one for one in found if one), one_of(names))
