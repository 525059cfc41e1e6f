"""A scenario file's bytes -> stories, or every problem of the file with its place.

What does not live here: the vocabulary (`vocabulary`), single steps (`steps`),
and reading files (whoever calls hands the bytes over).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from rewards.policy.attributes import Declared
from rewards.policy.compile import compile_policy
from rewards.policy.forms import Facts
from rewards.policy.model import Policy
from rewards.policy.problems import Also, Problem, Report, Span
from rewards.policy.shape import Reader, Table
from rewards.policy.source import Broken, Entry, List, Map, Node, Scalar, read_source
from rewards.policy.structure import Either, Fields, Named
from rewards.policy.wording import Hint, one_of, quoted
from rewards.scenario import codes as _codes  # noqa: F401  the codes of scenario files
from rewards.scenario.hold_steps import holds_in
from rewards.scenario.names import Known
from rewards.scenario.reward_steps import redemption_in
from rewards.scenario.steps import STORE, StepReader, sold_in
from rewards.scenario.story import Member, Step, Stories, Story
from rewards.scenario.values import ANY_KEY
from rewards.scenario.vocabulary import COLUMNS, FILE_SHAPE, STEP

Beside = Callable[[str], bytes]  # a file of the scenario file's folder; raises OSError
SUFFIX = ".scenarios.yaml"
MOST_ROWS = 200
_FEWER = f"a table has at most {MOST_ROWS} rows; keep those at the limits"
_VARIABLE = re.compile(r"\$([A-Za-z_][A-Za-z0-9_-]*)")
_HEAD = Fields(FILE_SHAPE.what, FILE_SHAPE.keys[:2])


def policy_of(file: str) -> str:
    """Return the name of the policy file that a scenario file tests."""
    return file.removesuffix(SUFFIX) + ".yaml"


def read_stories(
    data: bytes, file: str, policy: Policy, source: bytes, beside: Beside
) -> tuple[Stories | None, list[Problem]]:
    """Return the stories, or None and the problems; `source` are the bytes that `policy` was compiled from."""
    report = _OnceReport(file)
    root = read_source(data, report)
    if root is None:
        return None, report.in_order()
    stories = _FileReader(report, file, policy, source, beside).read(root)
    return (None if report.refused else stories), report.in_order()


@dataclass(slots=True)
class _OnceReport(Report):
    """A report in which a fault stands once, however many rows of a table find it."""

    _seen: set[tuple[str, str, Span]] = field(default_factory=set)

    def add(self, code: str, message: str, span: Span, help: str | Hint = "", also: Also | None = None) -> None:  # noqa: A002
        """Add a problem, unless it was found before."""
        if (code, message, span) not in self._seen:
            self._seen.add((code, message, span))
            Report.add(self, code, message, span, help, also)


class _FileReader:
    """Reads one file."""

    def __init__(self, report: Report, file: str, policy: Policy, source: bytes, beside: Beside) -> None:
        self.report, self.file, self.policy, self.source, self.beside = report, file, policy, source, beside
        units = {word: wallet.key for wallet in policy.wallets.values() for word in (wallet.one, wallet.key)}
        self.reader = Reader(Facts(policy.decimals, policy.currency, units), report)
        self.members: dict[str, Member] = {}

    def read(self, root: Node) -> Stories | None:
        """Return all stories, or None if the file has no head."""
        if not isinstance(root, Map):
            self.reader.read(FILE_SHAPE, root)
            return None
        told = next((entry for entry in root.entries if entry.key.text == "stories"), None)
        rest = Map(root.span, [entry for entry in root.entries if entry is not told])
        head, _ = self.reader.table(_HEAD, rest, root.span)
        self._version(head)
        self.members = self._members(head)
        stories = self._stories(root, told)
        return Stories(file=self.file, policy=self.policy, source=self.source, members=self.members, stories=stories)

    def _version(self, head: Table) -> None:
        got = head.get("scenarios")
        if got and got.value != "rewards/v1":
            self.report.add(
                "unknown-version",
                f"{quoted(got.value)} is not a version of the language",
                got.span,
                "write `rewards/v1`",
            )

    def _members(self, head: Table) -> dict[str, Member]:
        table: Table = head.value("members") or Table()
        found: dict[str, Member] = {}
        for name, got in table.got.items():
            found[name] = self._member(name, got.value)
            by = got.value.get("referred_by")
            if by and (by.value == name or by.value not in found):
                self._known([]).miss("member above", by.value, by.span, [one for one in found if one != name])
        return found

    def _member(self, name: str, table: Table) -> Member:
        balances: Table = table.value("balances") or Table()
        for wallet, got in balances.got.items():
            if wallet not in self.policy.wallets:
                self._known([]).miss("wallet", wallet, got.key, list(self.policy.wallets))
        return Member(
            name=name,
            contacts={key: table.value(key) for key in ("card", "phone", "email") if table.has(key)},
            joined=table.value("joined"),
            balances={wallet: got.value for wallet, got in balances.got.items()},
            birthday=table.value("birthday"),
            referred_by=table.value("referred_by", ""),
            attributes=self._attributes(table.value("attributes") or Table()),
        )

    def _attributes(self, table: Table) -> dict[str, str | int | bool]:
        declared = Declared("members", dict(self.policy.member_attributes), self.report)
        return {name: next(iter(values)) for name, values in declared.wanted(table) or ()}

    def _stories(self, root: Map, told: Entry | None) -> list[Story]:
        if told is None or not isinstance(told.value, Map) or not told.value.entries:
            whole = Fields(FILE_SHAPE.what, FILE_SHAPE.keys[2:])
            self.reader.fields(whole, Map(root.span, [told] if told else []), root.span)
            return []
        return [story for entry in told.value.entries for story in self._story(entry)]

    def _story(self, entry: Entry) -> list[Story]:
        name, node = entry.key, entry.value
        if isinstance(node, List):
            return self._told(name.text, name, node)
        if not isinstance(node, Map):
            self.reader.read(Either("a list of steps", list=None, map=Named("a step", STEP, ANY_KEY)), node, name.span)
            return []
        parts = {one.key.text: one.value for one in node.entries}
        wrong = next((one.key for one in node.entries if one.key.text not in ("table", "steps")), None)
        if wrong or "steps" not in parts:
            message = f"unknown key {quoted(wrong.text)} in a story" if wrong else "a story needs `steps`"
            self.report.add(
                "unknown-key" if wrong else "missing-key",
                message,
                (wrong or name).span,
                "a story is a list of steps, or `table` and `steps`",
            )
            return []
        if "table" not in parts:
            return self._told(name.text, name, parts["steps"])
        rows = self._rows(parts["table"], name.span)
        return [story for row in rows for story in self._told(f"{name.text} {_label(row)}", name, parts["steps"], row)]

    def _rows(self, node: Node, key: Span) -> list[dict[str, Node]]:
        """Return a table's rows as maps from column to value."""
        if not isinstance(node, Map):
            self.reader.read(Fields("a table", (COLUMNS,)), node, key)
            return []
        rows = next((one for one in node.entries if one.key.text == "rows"), None)
        rest = Map(node.span, [one for one in node.entries if one is not rows])
        table, _ = self.reader.table(Fields("a table", (COLUMNS,)), rest, key)
        names = [got.value for got in table.value("columns", [])]
        if rows is None or not isinstance(rows.value, List) or not rows.value.items:
            place = rows.key.span if rows else key
            self.report.add("missing-key", "a table needs `rows`", place, "add `rows: [[0.99, 0]]`")
            return []
        if len(rows.value.items) > MOST_ROWS:
            self.report.add("too-many-rows", f"the table has {len(rows.value.items)} rows", rows.key.span, _FEWER)
            return []
        fitting = [row.items for row in rows.value.items if isinstance(row, List) and self._fits(row, names)]
        self._report_no_rows(rows.value.items)
        return [dict(zip(names, items, strict=True)) for items in fitting]

    def _report_no_rows(self, items: list[Node]) -> None:
        for item in items:
            if not isinstance(item, (List, Broken)):
                self.report.add("wrong-kind", "a row is a list", item.span, "write it in brackets, such as `[0.99, 0]`")

    def _fits(self, row: List, names: list[str]) -> bool:
        if names and len(row.items) != len(names):
            message = f"the row has {len(row.items)} values for {len(names)} columns"
            self.report.add("row-length", message, row.span, f"the columns are {one_of(names, 'and')}")
        return len(row.items) == len(names)

    def _told(self, name: str, key: Scalar, node: Node, row: dict[str, Node] | None = None) -> list[Story]:
        """Return the story, once, with the row's values in its steps."""
        if row is not None:
            node = self._with(node, row)
        if not isinstance(node, List) or not node.items:
            self.report.add(
                "empty", "a story has no steps", key.span, "write a list of steps, each with `at` and a verb"
            )
            return []
        read = [got for item in node.items if (got := self.reader.read(STEP, item)) is not None]
        tables = [got.value for got in read]
        reader = StepReader(self._known(tables))
        steps = [step for got in read if (step := reader.step(got)) is not None]
        self._in_order(steps)
        return [Story(name=name, line=key.span.line, steps=steps)]

    def _known(self, tables: Sequence[Table]) -> Known:
        """Return what names may stand for in the steps of one story."""
        published = self._published(tables)
        policies = [self.policy, *(policy for _, policy in published.values())]
        return Known(
            policy=self.policy,
            members=self.members,
            rules={rule for policy in policies for rule in (*policy.rules, *policy.offers, *policy.rewards)},
            wallets={wallet for policy in policies for wallet in policy.wallets},
            products={product for policy in policies for product in policy.gift_cards},
            cards=_cards(tables),
            purchases=_purchases(tables),
            redemptions=_redemptions(tables),
            holds=holds_in(tables),
            beside={name: data for name, (data, _) in published.items()},
            report=self.report,
        )

    def _published(self, tables: Iterable[Table]) -> dict[str, tuple[bytes, Policy]]:
        """Return the policies that steps publish, by file name; those with faults are reported and left out."""
        found: dict[str, tuple[bytes, Policy]] = {}
        for got in [got for table in tables if (got := table.get("publish")) and got.value not in found]:
            try:
                data = self.beside(got.value)
            except OSError as error:
                reason = error.strerror or "unreadable"
                self.report.add(
                    "file-missing",
                    f"{quoted(got.value)} can't be read: {reason}",
                    got.span,
                    "name a policy beside this file",
                )
                continue
            policy, problems = compile_policy(data, got.value)
            if policy is None:
                first = next(one for one in problems if one.severity == "error")
                self.report.add(
                    "file-refused",
                    f"{quoted(got.value)} has faults: {first.message}",
                    got.span,
                    f"`rewards check {got.value}` lists them",
                )
                continue
            found[got.value] = (data, policy)
        return found

    def _in_order(self, steps: list[Step]) -> None:
        latest = 0
        for step in steps:
            reads = step.says.startswith(("balance ", "publish "))
            if step.arrives < latest and not reads:
                message = "this step arrives before the one above it"
                self.report.add(
                    "out-of-order",
                    message,
                    Span(step.line, 1),
                    "put it in its place, or write when it arrives, `arrives: 2026-12-05 07:00`",
                )
            latest = max(latest, step.arrives) if not step.says.startswith("publish ") else latest

    def _with(self, node: Node, row: dict[str, Node]) -> Node:
        """Return the node with the row's values in place of `$name`; the places stay those of the steps."""
        if isinstance(node, Map):
            return Map(node.span, [Entry(entry.key, self._with(entry.value, row)) for entry in node.entries])
        if isinstance(node, List):
            return List(node.span, [self._with(item, row) for item in node.items])
        if isinstance(node, Broken) or "$" not in node.text:
            return node
        return self._filled(node, row)

    def _filled(self, node: Scalar, row: dict[str, Node]) -> Node:
        names = _VARIABLE.findall(node.text)
        for name in names:
            if name not in row:
                self.report.add(
                    "unknown-name",
                    f"there is no column {quoted(name)}",
                    node.span,
                    f"the columns are {one_of(row, 'and')}",
                )
                return Broken(node.span)
        if node.text == f"${names[0]}" if names else False:
            return row[names[0]]
        texts = {name: value.text for name, value in row.items() if isinstance(value, Scalar)}
        return Scalar(_VARIABLE.sub(lambda found: texts.get(found[1], found[0]), node.text), node.quoted, node.span)


def _cards(tables: Sequence[Table]) -> set[str]:
    """Return the names of gift cards that the steps issue or sell."""
    issued = {got.value.value("card") for table in tables if (got := table.get("issue"))}
    issued |= {got.value.value("card") for table in tables if (got := table.get("redeem")) and got.value.has("card")}
    return issued | {name for table in tables for name in sold_in(table).values()}


def _purchases(tables: Iterable[Table]) -> dict[str, tuple[str, str | None]]:
    """Return store and member of every purchase of a story, by receipt number; the first of a name counts."""
    found: dict[str, tuple[str, str | None]] = {}
    for table in tables:
        if name := table.value("purchase"):
            member = table.value("member")
            found.setdefault(name, (table.value("store", STORE), member if isinstance(member, str) else None))
    return found


def _redemptions(tables: Sequence[Table]) -> dict[str, str]:
    """Return the member of every redemption of a story, by its name."""
    pairs = ((number, got.value) for number, table in enumerate(tables, 1) if (got := table.get("redeem")))
    return {redemption_in(one, number): one.value("member", "") for number, one in pairs}


def _label(row: dict[str, Node]) -> str:
    return f"[{', '.join(_text(node) for node in row.values())}]"


def _text(node: Node) -> str:
    if isinstance(node, Scalar):
        return node.text
    return f"[{', '.join(map(_text, node.items))}]" if isinstance(node, List) else "…"
