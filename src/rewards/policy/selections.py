"""Selections: what was read of them -> `model.Selection`, names looked up.

What does not live here: which lines a selection selects (`engine`).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from rewards.policy.attributes import Declared
from rewards.policy.model import ALL, Match, Selection
from rewards.policy.problems import Report, Span
from rewards.policy.shape import Got, Table
from rewards.policy.wording import Hint, one_of, quoted

MOST_IN_ALL = 20_000  # parts of all lists of selections
MOST_MATCHES = 1_000  # of one selection, all names looked up
DEEPEST = 16  # `except` inside `except`

_DECLARE = "declare it in `selections`, or write the lines themselves, such as `{{categories: [{}]}}`"


@dataclass(frozen=True, slots=True)
class _Sized:
    """A selection with what it would be if every name were written out."""

    selection: Selection
    matches: int
    depth: int


@dataclass(slots=True)
class Selections:
    """The selections of one file; looks names up, each one compiled once."""

    named: dict[str, Got]
    broken: set[str]
    attributes: Declared  # of lines
    report: Report
    unknown: bool = False  # the section is broken: any name may be in it
    written_out: int = 0
    used: set[str] = field(default_factory=set)
    _done: dict[str, _Sized | None] = field(default_factory=dict)

    def compile_named(self) -> None:
        """Compile every named selection, those that others refer to first. Cycles are reported once."""
        for name in self.named:
            self._compile_chain(name)

    def resolve(self, got: Got | None) -> Selection | None:
        """Return the selection that is used at this place, or None after a problem was reported."""
        if got is None:
            return None
        self.used.update(reference.value for reference in _references(got))
        sized = self._any(got)
        return sized.selection if sized else None

    def _compile_chain(self, start: str) -> None:
        """Walk the references depth first, with a stack of our own: chains may be thousands long."""
        if start in self._done:
            return
        stack = [(start, self._names_in(start))]
        open_names = {start: self.named[start].key}
        while stack:
            name, following = stack[-1]
            reference = next(following, None)
            if reference is None:
                stack.pop()
                open_names.pop(name)
                if name not in self._done:
                    self._done[name] = self._any(self.named[name])
            elif reference.value in open_names:
                self._cycle(reference, [one for one, _ in stack])
            elif reference.value in self.named and reference.value not in self._done:
                self.used.add(reference.value)
                stack.append((reference.value, self._names_in(reference.value)))
                open_names[reference.value] = reference.span
            elif reference.value in self.named:
                self.used.add(reference.value)

    def _names_in(self, name: str) -> Iterator[Got]:
        return _references(self.named[name])

    def _cycle(self, reference: Got, chain: list[str]) -> None:
        if reference.value in self._done:
            return  # another circle through it was reported
        around = chain[chain.index(reference.value) :]
        for name in around:
            self._done[name] = None
        self.used.update(around)
        via = "itself" if len(around) == 1 else f"itself, through {one_of(around[1:], 'and')}"
        message = f"the selection {quoted(around[0])} refers to {via}"
        self.report.add("selection-cycle", message, reference.span, "write out what is meant in one of them")

    def _any(self, got: Got) -> _Sized | None:
        sized = [self._one(part) for part in got.parts]
        fine = [one for one in sized if one is not None]
        if len(fine) < len(sized):
            return None
        matches, depth = sum(one.matches for one in fine), max(one.depth for one in fine)
        if not self._small_enough(matches, depth, got.place):
            return None
        if len(fine) == 1:
            return fine[0]
        self.written_out += matches
        if not self._few_enough(got.place):
            return None
        return _Sized(Selection(tuple(match for one in fine for match in one.selection.any_of)), matches, depth)

    def _few_enough(self, span: Span) -> bool:
        """Bound what all selections of the file are together; said once."""
        if self.written_out <= MOST_IN_ALL:
            return True
        if self.written_out < sys.maxsize:
            message = f"with every name written out, the file's selections have more than {MOST_IN_ALL} parts"
            advice = "give a name to what is used often, and use the name alone; let the till send a category"
            self.report.add("selection-too-large", message, span, advice)
            self.written_out = sys.maxsize
        return False

    def _small_enough(self, matches: int, depth: int, span: Span) -> bool:
        if matches > MOST_MATCHES or depth > DEEPEST:
            what = f"{matches} parts" if matches > MOST_MATCHES else f"{depth} `except` inside each other"
            message = f"with every name written out, this selection has {what}"
            advice = (
                f"at most {MOST_MATCHES} parts and {DEEPEST} `except` inside each other; let the till send a category"
            )
            self.report.add("selection-too-large", message, span, advice)
            return False
        return True

    def _one(self, got: Got) -> _Sized | None:
        if isinstance(got.value, Table):
            return self._match(got.value)
        name = got.value
        if self.unknown and name != "all":
            return None
        if name == "all":
            return _Sized(ALL, 1, 0)
        if name in self._done or name in self.broken:
            return self._done.get(name)
        message = f"there is no selection {quoted(name)}"
        self.report.add(
            "unknown-selection",
            message,
            got.span,
            Hint(name, self.named, _DECLARE.format(name[:40]), "the selections are"),
        )
        self._done[name] = None  # one message for one name
        return None

    def _match(self, table: Table) -> _Sized | None:
        excluded = table.get("except")
        inner = self._any(excluded) if excluded else None
        attributes = self.attributes.wanted(table.value("attributes", Table()))
        prices = _prices(table, self.report)
        if table.broken or (excluded and not inner) or attributes is None or prices is None:
            return None
        match = Match(
            skus=_texts(table.get("skus")),
            categories=_texts(table.get("categories")),
            attributes=attributes,
            price_at_least=prices[0],
            price_at_most=prices[1],
            stored_value=_texts(table.get("stored_value")),
            excluding=inner.selection if inner else None,
        )
        return _Sized(Selection((match,)), 1 + (inner.matches if inner else 0), inner.depth + 1 if inner else 0)


def _references(got: Got) -> Iterator[Got]:
    """Yield the names inside, `all` left out; as deep as the file is."""
    if isinstance(got.value, list):
        for part in got.value:
            yield from _references(part)
    elif isinstance(got.value, Table):
        if excluded := got.value.get("except"):
            yield from _references(excluded)
    elif got.value != "all":
        yield got


def _texts(got: Got | None) -> frozenset[str] | None:
    return frozenset(one.value for one in got.value) if got else None


def _prices(table: Table, report: Report) -> tuple[int | None, int | None] | None:
    price = table.value("price", Table())
    least, most = price.get("at_least"), price.get("at_most")
    if least and most and least.value > most.value:
        bounds_crossed(least, most, report)
        return None
    return (least.value if least else None), (most.value if most else None)


def bounds_crossed(least: Got, most: Got, report: Report) -> None:
    """Report an `at_least` above its `at_most`."""
    message = f"`at_least: {least.text}` is more than `at_most: {most.text}`"
    report.add("bounds-crossed", message, least.span, "exchange the two, or delete one")
