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

_COLUMNS = LiabilityRow.__struct_fields__
_MAY_BE_EMPTY = (*MOVES, "owed", "unvalued")
_AMOUNTS = ("opening", *MOVES, "closing", "difference")


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
            f"rewards: {row.month}, {_what(row)}: {row.difference:+} is not explained; run `rewards verify`\n"
        )
    return 1 if wrong else 0


def _what(row: LiabilityRow) -> str:
    return row.unit if row.kind == "points" else f"{row.kind} gift cards"


def _write_csv(answer: LiabilityAnswer) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(LiabilityRow.__struct_fields__)
    for row in answer.rows:
        writer.writerow(
            [str(value).lower() if value is True or value is False else value for value in msgspec.structs.astuple(row)]
        )


def _show(answer: LiabilityAnswer, money: Money) -> None:
    """Print a table, money as people write it; on a terminal without the columns in which nothing is."""
    empty = {name for name in _MAY_BE_EMPTY if not any(getattr(row, name) for row in answer.rows)}
    shown = [name for name in _COLUMNS if name not in empty or not console().is_terminal]
    rows = []
    for row in answer.rows:
        cells = {name: _cell(row, name, money) for name in shown}
        cells |= {"value_minor": money.text(row.value_minor), "closed": "yes" if row.closed else "not yet"}
        rows.append(list(cells.values()))
    names = [f"value, {answer.currency}" if name == "value_minor" else name.replace("_", " ") for name in shown]
    table("", names, rows, range(3, len(shown) - 1))
    if answer.shortfalls:
        sys.stdout.write("\n")
        short = [[row.month, row.kind, row.currency, money.text(row.amount_minor)] for row in answer.shortfalls]
        table("taken on trust by tills that were offline", ["month", "shortfall", "unit", "amount"], short, (3,))


def _cell(row: LiabilityRow, name: str, money: Money) -> str:
    value = getattr(row, name)
    return money.text(value) if name in _AMOUNTS and row.kind != "points" else str(value)
