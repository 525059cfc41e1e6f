"""What a YAML parser says about broken text, in words that help to mend it.

What does not live here: reading YAML (`source`). A message of the parser that
is not known here is passed on as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rewards.policy.problems import START, Also, Report, Span
from rewards.policy.wording import quoted

if TYPE_CHECKING:
    import yaml

# the parser's words -> ours, what to do, whether the place is where the parser began
_SAID: dict[str, tuple[str, str, bool]] = {
    "could not find expected ':'": ("this line is not `key: value`", "write a `:` and a blank after the key", True),
    "mapping values are not allowed in this context": (
        "a `: ` is not allowed here",
        "quote a text that holds `: `, and start each key on a line of its own with the right indentation",
        False,
    ),
    "did not find expected key": (
        "this does not line up with the keys above",
        "indent it as the keys that it belongs to",
        False,
    ),
    "closed twice": ("nothing is open that this closes", "delete the bracket", False),
    "did not find expected '-' indicator": (
        "this does not line up with the list above",
        "start each item of the list with `- `, all with the same indentation",
        False,
    ),
    "did not find expected ',' or '}'": ("the `{` is not closed", "write `}` at its end, and `,` between keys", True),
    "did not find expected ',' or ']'": ("the `[` is not closed", "write `]` at its end, and `,` between items", True),
    "found unexpected end of stream": ("the quote is not closed", "write the quote at the end of the text, too", True),
    "found unknown escape character": (
        "this escape is not known",
        "write `\\\\` for a backslash, or use single quotes",
        False,
    ),
    "block sequence entries are not allowed in this context": (
        "a list can't start here",
        "start the list on the next line, or write it in brackets, as `[a, b]`",
        False,
    ),
    "did not find expected alphabetic or numeric character": (
        "a text can't start with `*` or `&`",
        "quote the text",
        True,
    ),
    "did not find expected <document start>": (
        "this stands outside of the policy",
        "indent it as the keys that it belongs to",
        False,
    ),
    "did not find expected node content": ("a value is missing here", "write the value, or delete the comma", False),
}

_KEY = re.compile(r"( *)([A-Za-z0-9_-]+):(?: |$)")


def explain_syntax(error: yaml.MarkedYAMLError, lines: list[str], report: Report) -> None:
    """Report what the parser said, at the place that must be mended. `lines` are the file's."""
    problem = (error.problem or "").strip()
    if problem == "did not find expected key" and _closes(error, lines):
        problem = "closed twice"
    here = _span(error.problem_mark, lines)
    began = _span(error.context_mark, lines) if error.context_mark else here
    if problem == "found character that cannot start any token":
        char = lines[here.line - 1][here.column - 1 : here.column]
        report.add("yaml-syntax", f"a text can't start with {quoted(char)}", here, "quote the text")
        return
    message, advice, at_start = _SAID.get(problem, (f"this is not YAML: {problem}", "", False))
    if problem == "did not find expected key":
        advice = _indented(lines, here) or advice
    if at_start and began.line == here.line and "{" not in message and "[" not in message:
        report.add("yaml-syntax", message, began, advice)
        return
    place, other = (began, here) if at_start else (here, began)
    words = "the parser gave up here" if at_start else "this began here"
    report.add("yaml-syntax", message, place, advice, Also(other, words) if other != place else None)


def _indented(lines: list[str], here: Span) -> str:
    """Name the keys above that a line may have been meant to stand beside: one further in, one further out."""
    deeper: tuple[int, str] | None = None
    for line in reversed(lines[: here.line - 1]):
        if not (found := _KEY.match(line)):
            continue
        blanks, key = len(found[1]), found[2]
        if blanks >= here.column:
            if deeper is None or blanks <= deeper[0]:
                deeper = blanks, key
        elif deeper is not None and blanks < here.column - 1:
            further = f"with {deeper[0]} blanks it stands beside {quoted(deeper[1])}"
            return f"{further}, with {blanks or 'none'} beside {quoted(key)}"
        else:
            return ""
    return ""


def _closes(error: yaml.MarkedYAMLError, lines: list[str]) -> bool:
    mark = error.problem_mark
    return mark is not None and mark.line < len(lines) and lines[mark.line][mark.column : mark.column + 1] in ("}", "]")


def _span(mark: yaml.Mark | None, lines: list[str]) -> Span:
    """Return the mark's place; past the last line it is the end of the last one that says something."""
    if mark is None:
        return START
    line = mark.line
    if line < len(lines) and lines[line].strip():
        return Span(line + 1, mark.column + 1)
    while line > 0 and (line >= len(lines) or not lines[line].strip()):
        line -= 1
    return Span(line + 1, len(lines[line].rstrip()) + 1)
