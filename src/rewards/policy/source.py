"""YAML text -> a tree of nodes that know their places.

Reads the parser's stream of events and builds the tree itself: limits hold
before anything is built, every scalar stays text, and nothing is recursive.
What does not live here: what the nodes may say (`schema`, `shape`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

from rewards.policy.problems import MOST, START, Also, Report, Span
from rewards.policy.syntax import explain_syntax
from rewards.policy.wording import quoted

LARGEST = 256 * 1024  # bytes of a file
DEEPEST = 32  # maps and lists inside each other
MOST_EVENTS = 20_000

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# Control characters, line breaks that editors do not agree on, and marks that reorder what a reader sees.
_REFUSED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]")
_BREAK = re.compile("\r\n|\r|\n")
_YAML_TAG = "tag:yaml.org,2002:"  # what `!!` stands for
_NO_SHARING = "write the value out; a policy file has no anchors, aliases or merge keys"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text, and whether it was quoted."""

    text: str
    quoted: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Entry:
    """A key of a map with its value."""

    key: Scalar
    value: Node


@dataclass(frozen=True, slots=True)
class Map:
    """A map, in the order of the file; its keys are unique."""

    span: Span
    entries: list[Entry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class List:
    """A list."""

    span: Span
    items: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Broken:
    """A value that was refused already; whoever reads it stays silent."""

    span: Span


Node = Scalar | Map | List | Broken


class _Stop(Exception):
    """The rest of the file is not read."""


def read_source(data: bytes, report: Report) -> Node | None:
    """Return the file's tree, or None if nothing can be read; faults go to `report`.

    Duplicate keys, anchors and tags are reported and reading goes on; broken
    text, broken YAML and limits end it.
    """
    text = _decoded(data, report)
    if text is None or not _characters_are_fine(text, report):
        return None
    builder = _Builder(report)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except _Stop:
        return None
    except yaml.MarkedYAMLError as error:
        explain_syntax(error, _BREAK.split(text), report)
        return None
    except yaml.YAMLError as error:
        report.add("yaml-syntax", f"this is not YAML: {error}", START)
        return None
    if builder.root is None:
        report.add("file-empty", "the file says nothing", START, "`rewards init` writes a first policy")
    return builder.root


def _decoded(data: bytes, report: Report) -> str | None:
    if len(data) > LARGEST:
        message = f"the file has {len(data)} bytes; a policy has at most {LARGEST}"
        report.add("file-too-large", message, START, "a long list belongs into the shop's catalogue, as a category")
        return None
    try:
        return data.decode().removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = _BREAK.split(data[: error.start].decode().removeprefix("\ufeff"))
        span = Span(len(before), len(before[-1]) + 1)
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        report.add("not-utf8", message, span, "save the file in the encoding UTF-8")
        return None


def _characters_are_fine(text: str, report: Report) -> bool:
    fine = True
    for number, line in enumerate(_BREAK.split(text), 1):
        if found := _REFUSED.search(line):
            message = f"the character U+{ord(found[0]):04X} is not allowed"
            report.add("control-character", message, Span(number, found.start() + 1), "delete it; it can't be seen")
            fine = False
        if "\t" in line:
            report.add("tab", "a tab is not allowed", Span(number, line.index("\t") + 1), "write spaces")
            fine = False
    return fine


@dataclass(slots=True)
class _Frame:
    """A map or list that is still open; `key` waits for its value, `places` finds duplicates."""

    node: Map | List
    key: Scalar | None = None
    skipping: bool = False  # the key was refused: its value is dropped
    refused: bool = False  # some key was
    places: dict[str, Span] = field(default_factory=dict)


@dataclass(slots=True)
class _Builder:
    """Takes the events one by one."""

    report: Report
    root: Node | None = None
    stack: list[_Frame] = field(default_factory=list)
    events: int = 0
    documents: int = 0

    def take(self, event: yaml.Event) -> None:
        """Build what one event says; raises `_Stop` at a limit."""
        self.events += 1
        if len(self.report.problems) > MOST:
            raise _Stop
        if self.events > MOST_EVENTS:
            message = f"the file has more than {MOST_EVENTS} keys and values"
            self._stop("too-many-parts", message, event, "a long list belongs into the shop's catalogue, as a category")
        if isinstance(event, yaml.ScalarEvent):
            self._value(Scalar(event.value, bool(event.style), _span(event)), event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            self._open(event)
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._close(self.stack.pop())
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(event)

    def _stop(self, code: str, message: str, event: yaml.Event, help: str) -> None:  # noqa: A002
        self.report.add(code, message, _span(event), help)
        raise _Stop

    def _document(self, event: yaml.DocumentStartEvent) -> None:
        self.documents += 1
        if self.documents > 1:
            self._stop("several-documents", "a second document starts here", event, "one file holds one policy")
        if event.version or event.tags:
            self.report.add("yaml-directive", "`%` directives are not allowed", _span(event), "delete the line")

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        if len(self.stack) >= DEEPEST:
            message = f"more than {DEEPEST} maps and lists inside each other"
            self._stop("too-deep", message, event, "no policy needs this; look for a bracket too many")
        span = _span(event)
        node = Map(span) if isinstance(event, yaml.MappingStartEvent) else List(span)
        self._check_node(event)
        self.stack.append(_Frame(node))

    def _close(self, frame: _Frame) -> None:
        nothing_left = isinstance(frame.node, Map) and not frame.node.entries and frame.refused
        self._place(Broken(frame.node.span) if nothing_left else frame.node)

    def _value(self, node: Scalar, event: yaml.ScalarEvent) -> None:
        self._check_node(event)
        if found := _REFUSED.search(event.value):
            message = f"the text holds the character U+{ord(found[0]):04X}"
            self.report.add("control-character", message, node.span, "delete it; it can't be seen")
            self._place(Broken(node.span))
            return
        self._place(node)

    def _alias(self, event: yaml.AliasEvent) -> None:
        if not (self.stack and self.stack[-1].skipping):  # else the key has said it
            self.report.add("yaml-alias", f"{quoted(f'*{event.anchor}')} repeats a value", _span(event), _NO_SHARING)
        self._place(Broken(_span(event)))

    def _check_node(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self.report.add("yaml-alias", f"{quoted(f'&{event.anchor}')} names a value", _span(event), _NO_SHARING)
        if event.tag is not None:
            message = f"the tag {quoted(event.tag.replace(_YAML_TAG, '!!'))} is not allowed"
            self.report.add(
                "yaml-tag", message, _span(event), "write the value without the tag; quote it to keep a text"
            )

    def _place(self, node: Node) -> None:
        """Put a finished node where it belongs: the root, a list, or a map's key or value."""
        if not self.stack:
            self.root = node
            return
        frame = self.stack[-1]
        if isinstance(frame.node, List):
            frame.node.items.append(node)
        elif frame.skipping:
            frame.skipping = False
        elif frame.key is None:
            self._key(frame, node)
        else:
            frame.node.entries.append(Entry(frame.key, node))
            frame.key = None

    def _key(self, frame: _Frame, node: Node) -> None:
        if not isinstance(node, Scalar):
            frame.skipping = frame.refused = True
            if not isinstance(node, Broken):
                self.report.add("key-not-text", "a key must be a word", node.span, "a map is written as `key: value`")
        elif node.text == "<<" and not node.quoted:
            frame.skipping = frame.refused = True
            self.report.add("yaml-alias", "`<<` merges another map", node.span, _NO_SHARING)
        elif node.text in frame.places:
            frame.skipping = frame.refused = True
            first = frame.places[node.text]
            also = Also(first, "first written here")
            self.report.add(
                "duplicate-key", f"{quoted(node.text)} is written twice", node.span, "keep one of them", also
            )
        else:
            frame.places[node.text] = node.span
            frame.key = node


def _span(event: yaml.Event) -> Span:
    start, end = event.start_mark, event.end_mark
    if start is None or end is None:
        return START
    length = end.column - start.column if end.line == start.line else 1
    return Span(start.line + 1, start.column + 1, max(1, length))
