"""Problems found in a policy file, their order, and how they are shown.

What does not live here: what each code means (`codes`), and finding problems
(`source`, `shape`, `compile`). Lines and columns count from 1, in characters.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

from rewards.errors import RewardsError
from rewards.policy.codes import CODES, Severity
from rewards.policy.wording import PATIENCE, Hint

MOST = 100  # problems shown in one run; the rest is counted
WIDTH = 100  # characters of a source line that are shown
_BREAK = re.compile("\r\n|\r|\n")
_ANNOTATION = {"error": "error", "warning": "warning", "note": "notice"}


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one line of the file."""

    line: int
    column: int
    length: int = 1


START = Span(1, 1)


@dataclass(frozen=True, slots=True)
class Also:
    """The second place of a problem: the other party of a conflict."""

    span: Span
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault, or one oddity, of a policy file. The message quotes the author's words in backticks."""

    code: str
    message: str
    file: str
    line: int
    column: int
    length: int = 1
    help: str = ""
    also: Also | None = None

    @property
    def severity(self) -> Severity:
        """`error` refuses the policy; `warning` and `note` do not."""
        return CODES[self.code].severity


class PolicyRefused(RewardsError):
    """A policy file has errors; `problems` are all that was found, warnings included."""

    def __init__(self, problems: list[Problem]) -> None:
        """Take the message from the first error."""
        first = next((one for one in problems if one.severity == "error"), problems[0])
        message = f"the policy is refused: {first.message} (line {first.line}, column {first.column})"
        super().__init__("policy-refused", message, problems=[as_json(one) for one in problems])
        self.problems = problems


@dataclass(slots=True)
class Report:
    """Collects the problems of one file, in any order."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    _hints: dict[int, Hint] = field(default_factory=dict)  # by the problem's index

    def add(self, code: str, message: str, span: Span, help: str | Hint = "", also: Also | None = None) -> None:  # noqa: A002
        """Add a problem; `code` is one of `codes.CODES`."""
        if isinstance(help, Hint):
            self._hints[len(self.problems)] = help
        self.problems.append(
            Problem(
                code=code,
                message=message,
                file=self.file,
                line=span.line,
                column=span.column,
                length=span.length,
                help="" if isinstance(help, Hint) else help,
                also=also,
            )
        )

    @property
    def refused(self) -> bool:
        """Whether any problem is an error."""
        return any(problem.severity == "error" for problem in self.problems)

    def in_order(self) -> list[Problem]:
        """Return the problems by place; of too many the first, errors before others, and one that counts the rest."""
        problems = self.problems
        ordered = sorted(range(len(problems)), key=lambda i: _place(problems[i]))
        if len(ordered) <= MOST:
            return self._with_help(ordered)
        errors_first = sorted(ordered, key=lambda i: problems[i].severity != "error")
        kept = self._with_help(sorted(errors_first[:MOST], key=lambda i: _place(problems[i])))
        more = Report(self.file)
        last = Span(kept[-1].line, kept[-1].column)
        more.add("more-problems", f"{len(ordered) - MOST} more problems are not shown", last)
        return [*kept, *more.problems]

    def _with_help(self, indices: list[int]) -> list[Problem]:
        found, patience = [], PATIENCE
        for i in indices:
            problem, hint = self.problems[i], self._hints.get(i)
            if hint:
                problem = replace(problem, help=hint.text(patience))
                patience -= len(hint.names)
            found.append(problem)
        return found


def _place(problem: Problem) -> tuple[int, int, str, str]:
    return problem.line, problem.column, problem.code, problem.message


def as_json(problem: Problem) -> dict[str, object]:
    """Return the problem as members of a JSON document."""
    members: dict[str, object] = {"code": problem.code, "severity": problem.severity, "message": problem.message}
    members |= {"file": problem.file, "line": problem.line, "column": problem.column, "length": problem.length}
    if problem.help:
        members["help"] = problem.help
    if problem.also:
        members["also"] = {**asdict(problem.also.span), "message": problem.also.message}
    return members


def render_json(problems: Iterable[Problem]) -> str:
    """Return the problems as one JSON array, in the order given."""
    return json.dumps([as_json(problem) for problem in problems], indent=2, ensure_ascii=False)


def render_github(problems: Iterable[Problem]) -> str:
    """Return one workflow command a line, which GitHub shows beside the changed lines."""
    return "\n".join(map(_annotation, problems))


def _annotation(problem: Problem) -> str:
    text = f"{problem.message}; {problem.help}" if problem.help else problem.message
    place = f"line={problem.line},col={problem.column},endColumn={problem.column + problem.length}"
    file = _escaped(problem.file).replace(":", "%3A").replace(",", "%2C")
    return f"::{_ANNOTATION[problem.severity]} file={file},{place},title={problem.code}::{_escaped(text)}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def render_text(problems: Iterable[Problem], sources: Mapping[str, bytes]) -> str:
    """Return the problems as paragraphs for people, each with its source line and a caret.

    `sources` are the files' bytes by name; a file that is not there is shown
    without its lines.
    """
    lines = {name: _BREAK.split(data.decode(errors="replace").removeprefix("\ufeff")) for name, data in sources.items()}
    return "\n\n".join(_paragraph(problem, lines.get(problem.file, [])) for problem in problems)


def _paragraph(problem: Problem, lines: list[str]) -> str:
    span = Span(problem.line, problem.column, problem.length)
    margin = " " * len(str(max(span.line, problem.also.span.line if problem.also else 0)))
    rows = [f"{problem.severity}[{problem.code}]: {problem.message}"]
    rows.append(f"{margin}--> {problem.file}:{problem.line}:{problem.column}")
    rows += _excerpt(span, lines, margin, "^", "")
    if problem.also:
        rows += _excerpt(problem.also.span, lines, margin, "-", f" {problem.also.message}")
    if problem.help:
        rows.append(f"{margin} = help: {problem.help}")
    return "\n".join(rows)


def _excerpt(span: Span, lines: list[str], margin: str, caret: str, label: str) -> list[str]:
    if span.line > len(lines):
        return []
    line = lines[span.line - 1]
    first = max(0, span.column - 1 - WIDTH // 2) if len(line) > WIDTH else 0
    shown = line[first : first + WIDTH]
    at = span.column - 1 - first
    marked = shown[at : at + span.length]
    number = str(span.line).rjust(len(margin))
    carets = caret * max(1, _cells(marked))
    return [f"{margin} |", f"{number} | {_visible(shown)}", f"{margin} | {' ' * _cells(shown[:at])}{carets}{label}"]


def _visible(text: str) -> str:
    """Keep every character's place: what can't be printed becomes one dot."""
    return "".join(char if char.isprintable() else "·" for char in text)


def _cells(text: str) -> int:
    """Return how many terminal cells the text takes: wide characters two, marks that combine none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
