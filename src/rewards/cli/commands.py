"""Every command with its arguments, options and help, and the one place where errors become exit codes.

What does not live here: the work. A command names the module whose `run` does
it and takes the options as keywords; `run` returns the exit code.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

import rich_click as click
from click.exceptions import Exit

from rewards import __version__
from rewards.errors import RewardsError

CLEAN, FINDINGS, USAGE = 0, 1, 2
INTERRUPTED = 130
_SQLITE_EXAMPLE = "sqlite:///rewards.db"
_USAGE_CODES = frozenset({"database-url", "database-unsupported", "database-missing", "bad-setting"})

_Command = Callable[..., int]


def _work(module: str, **given: Any) -> int:
    """Import the module that does the work, and do it."""
    code: int = import_module(f"rewards.cli.{module}").run(**given)
    return code


def run(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; what a user can get wrong ends in a message, never in a traceback."""
    try:
        code: int | None = cli.main(args=arguments, prog_name="rewards", standalone_mode=False)
    except Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return _said("stopped", INTERRUPTED)
    except BrokenPipeError:
        return _nobody_reads()
    except RewardsError as error:
        return _said(error.message, USAGE if error.code in _USAGE_CODES else FINDINGS)
    except OSError as error:
        return _said(_of_system(error), FINDINGS)
    return code or CLEAN


def _said(message: str, code: int) -> int:
    sys.stderr.write(f"rewards: {message}\n")
    return code


def _nobody_reads() -> int:
    """Stand in for the output that was closed, so that Python's own flush at the end stays silent."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FINDINGS


def _of_system(error: OSError) -> str:
    name = f"`{error.filename}`: " if error.filename else ""
    return f"{name}{(error.strerror or str(error)).lower()}"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="rewards")
def cli() -> None:
    """A loyalty rewards engine that a shop runs itself.

    Try it: `rewards demo`. Start your own program: `rewards init my-shop`.
    """


def _database(command: _Command) -> _Command:
    return click.option(
        "--database",
        metavar="URL",
        help=f"Where the data is, such as `{_SQLITE_EXAMPLE}` (the default; or `REWARDS_DATABASE_URL`).",
    )(command)


def _format(*choices: str) -> Callable[[_Command], _Command]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(choices),
        default="text",
        show_default=True,
        help="How findings are written.",
    )


def _percent(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """Return `90%`, or `90`, as a number; None if the option is not there."""
    digits = text.removesuffix("%") if text is not None else "0"
    if not (digits.isascii() and digits.isdigit() and int(digits[:4]) <= 100):  # noqa: PLR2004  it is a percentage
        raise click.BadParameter(f"`{text}` is not a whole percentage from 0% to 100%")
    return int(digits) if text is not None else None


_EXISTING = click.Path(exists=True, dir_okay=False, readable=True)


@cli.command(short_help="Show the engine at work, with a day of a café.")
@click.option("--once", is_flag=True, help="End after the tables instead of staying up for your own requests.")
@click.option("--port", type=click.IntRange(0, 65535), help="Where to listen; 8000, or any free port if that is taken.")
def demo(**given: object) -> int:
    """Show the engine at work: a day of a café, posted to a server of its own.

    Starts a server on this machine with a temporary database, publishes the café's
    policy, enrols members and posts a day of receipts through the HTTP API. Then
    prints what everybody has, with the reasons, and lines to copy and paste. The
    server stays up until Ctrl-C.
    """
    return _work("demo", **given)


@cli.command(short_help="Run the HTTP API.")
@_database
@click.option("--policy", type=_EXISTING, help="Published if the database holds no policy yet.")
@click.option("--host", metavar="ADDRESS", help="An address of this machine; 127.0.0.1 (or `REWARDS_HOST`).")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 8000 (or `REWARDS_PORT`). 0 takes a free one.")
def serve(**given: object) -> int:
    """Run the HTTP API until Ctrl-C; its description is at `/schema`.

    How often codes and PINs of gift cards may be wrong: `REWARDS_PIN_TRIES` (5) of one
    card, which is locked then; `REWARDS_GUESSES` (60) of one caller, who gets as many
    again in `REWARDS_GUESS_SECONDS` (600).
    """
    return _work("serve", **given)


@cli.command(short_help="Write a first policy with its scenarios.")
@click.argument("directory", metavar="DIR", type=click.Path(file_okay=False))
def init(**given: object) -> int:
    """Write a first policy into DIR, with scenarios and settings for editors; overwrites nothing."""
    return _work("init", **given)


@cli.command(short_help="Find every fault of policy and scenario files.")
@click.argument("files", nargs=-1, required=True, type=_EXISTING)
@_format("text", "json", "github")
@click.option("--strict", is_flag=True, help="Warnings count as findings too.")
def check(**given: object) -> int:
    """Find every fault of policy and scenario FILES (`NAME.scenarios.yaml`), each with its place and what to do.

    Exit code 1 if there is an error; warnings and notes are shown and pass.
    """
    return _work("check", **given)


@cli.command(short_help="Play the stories beside policies.")
@click.argument("files", nargs=-1, required=True, type=_EXISTING)
@_format("text", "json", "github")
@click.option("--only", metavar="TEXT", help="Only stories whose name holds this text.")
@click.option("--coverage", is_flag=True, help="Also say what of the policy no story exercised.")
@click.option(
    "--threshold", callback=_percent, metavar="N%", help="With coverage; exit code 1 if a file's stories exercise less."
)
def test(**given: object) -> int:
    """Play the stories of scenario FILES; a policy file stands for the `NAME.scenarios.yaml` beside it.

    Coverage asks that each rule and offer gave something, that each condition and
    schedule held and failed where it mattered, and that each limit cut something.
    """
    return _work("stories", **given)


@cli.command(short_help="Print the JSON Schema of policy files.")
def schema() -> int:
    """Print the JSON Schema of policy files, for editors."""
    return _work("schema")


@cli.command(short_help="Explain a code, or a purchase.")
@click.argument("what", metavar="CODE|PURCHASE_ID")
@_database
def explain(**given: object) -> int:
    """Explain a code that `check` prints, or the reason of every point of a purchase."""
    return _work("explain", **given)


@cli.command(short_help="Publish a policy.")
@click.argument("file", type=_EXISTING)
@click.option(
    "--from",
    "from_day",
    metavar="DATE",
    help="The first day, such as `2027-01-01`; else the file's `effective`, else tomorrow.",
)
@_database
def publish(**given: object) -> int:
    """Publish a policy, in force from a midnight to come; the first one of a database is in force at once."""
    return _work("publish", **given)


@cli.command("import", short_help="Take in a history of purchases.")
@click.argument("file", type=_EXISTING)
@click.option(
    "--shuffle", type=int, metavar="SEED", help="Take the events in another order, to see that it makes no difference."
)
@click.option("--policy", type=_EXISTING, help="Published if the database holds no policy yet.")
@_database
def import_(**given: object) -> int:
    """Take in a history of purchases, FILE.jsonl or FILE.jsonl.gz; a second time changes nothing."""
    return _work("importing", **given)


@cli.command(short_help="Book what comes by itself.")
@click.option(
    "--until",
    metavar="WHEN",
    help="Up to this instant, such as `2027-03-01` (its midnight) or `2027-03-01T06:00`; else now.",
)
@_database
@_format("text", "json")
def due(**given: object) -> int:
    """Book what is due by itself for every member: birthdays, anniversaries. A second run books nothing.

    Without this command it is booked when the member is next seen, with the same
    result; run it once a day if members are told what they got.
    """
    return _work("due", **given)


@cli.command(short_help="Work every balance out anew and compare.")
@_database
@_format("text", "json")
def verify(**given: object) -> int:
    """Work every balance out anew from the events, and compare with what is stored."""
    return _work("upkeep", action="verify", **given)


@cli.command(short_help="Work every balance out anew and store it.")
@_database
def rebuild(**given: object) -> int:
    """Replace what is stored about balances by what the events give."""
    return _work("upkeep", action="rebuild", **given)


@cli.command(short_help="Write a member's statement.")
@click.argument("member", metavar="MEMBER")
@click.option("--language", metavar="TAG", help="`en`, `ka`, `hy`, `kk` or `ru`; else the member's own.")
@_database
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="Text, or JSON."
)
def statement(**given: object) -> int:
    """Write the statement of MEMBER, a `mem_…` id or a card's number, as a text that the member can read.

    What is there, what came and what went and why, what ends when; everything, newest first.
    """
    return _work("statement", **given)


@cli.group(short_help="Reports for finance.")
def report() -> None:
    """Reports for finance."""


@report.command(short_help="What is outstanding, by wallet, kind of gift card and month.")
@click.option("--from", "first", metavar="MONTH", help="The first month, such as `2027-01`; else the last twelve.")
@click.option("--until", "last", metavar="MONTH", help="The last month, included; else this one.")
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "csv")),
    default="text",
    show_default=True,
    help="A table (in a pipe a line a row, tabs between), JSON, or CSV.",
)
@_database
def liability(**given: object) -> int:
    """What is outstanding, by wallet, kind of gift card and month of recording: what came, what went, what is left.

    Months that are over never change. Exit code 1 if a month does not add up.
    """
    return _work("report", **given)
