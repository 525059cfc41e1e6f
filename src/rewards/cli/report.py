"""`rewards report liability`: the roll-forward as a table, as lines, as CSV or as JSON.

What does not live here: how it is worked out (`rewards.service.liability`).
"""

from __future__ import annotations

import csv
import sys

import msgspec

from rewards.cli.database import service
from rewards.cli.screen import console, table
from rewards.engine.explain import Money
from rewards.ledger.roll_forward import MOVES
from rewards.policy.compile import load_policy
from rewards.service.liability import LiabilityAnswer, LiabilityRow

_COLUMNS = tuple(name for name in LiabilityRow.__struct_fields__ if name != "kind")
_MAY_BE_EMPTY = (*MOVES, "owed", "unvalued")


def run(database: str | None, first: str | None, last: str | None, form: str) -> int:
    """Print the report; 1 if the movements of a month do not explain its closing."""
    with service(database, existing=True) as opened:
        answer = opened.liability(first, last)
        money = Money(load_policy(opened.policy()[0]).decimals)
    if form == "json":
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n")
    elif form == "csv":
        _write_csv(answer)
    else:
        _show(answer, money)
    wrong = [row for row in answer.rows if row.difference]
    for row in wrong:
        sys.stderr.write(
            f"rewards: {row.month}, {row.unit}: {row.difference:+} is not explained; run `rewards verify`\n"
        )
    return 1 if wrong else 0


def _write_csv(answer: LiabilityAnswer) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(LiabilityRow.__struct_fields__)
    for row in answer.rows:
        writer.writerow(
            [str(value).lower() if value is True or value is False else value for value in msgspec.structs.astuple(row)]
        )


def _show(answer: LiabilityAnswer, money: Money) -> None:
    """Print a table, the worth as people write it; on a terminal without the columns in which nothing is."""
    empty = {name for name in _MAY_BE_EMPTY if not any(getattr(row, name) for row in answer.rows)}
    shown = [name for name in _COLUMNS if name not in empty or not console().is_terminal]
    rows = []
    for row in answer.rows:
        cells = {name: str(getattr(row, name)) for name in shown}
        cells |= {"value_minor": money.text(row.value_minor), "closed": "yes" if row.closed else "not yet"}
        rows.append(list(cells.values()))
    names = [f"value, {answer.currency}" if name == "value_minor" else name.replace("_", " ") for name in shown]
    table("", names, rows, range(2, len(shown) - 1))
