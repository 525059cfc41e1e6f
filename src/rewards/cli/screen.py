"""What people see: tables on a terminal, plain lines in a pipe, progress bars on long work.

What does not live here: what is said.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table


def console() -> Console:
    """Return standard output."""
    return Console(highlight=False, soft_wrap=True)


def say(text: str = "", style: str = "") -> None:
    """Print a line as it is: brackets are brackets."""
    console().print(escape(text), style=style or None)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] = ()) -> None:
    """Print a table; in a pipe, a line a row with tabs between. `numbers` are the columns set to the right."""
    screen = console()
    if not screen.is_terminal:
        sys.stdout.write("".join("\t".join(row) + "\n" for row in [columns, *rows]))
        return
    drawn = Table(title=escape(title) or None, title_justify="left", header_style="bold")
    for index, name in enumerate(columns):
        drawn.add_column(name, justify="right" if index in numbers else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*map(escape, row))
    Console(highlight=False).print(drawn)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal while the block works; call what it yields with how much is done, of how much."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
