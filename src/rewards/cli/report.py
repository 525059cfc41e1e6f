"""`rewards report liability`: the roll-forward as a table, as lines, as CSV or as JSON.

What does not live here: how it is worked out (`rewards.service.liability`).
"""

from __future__ import annotations

import csv
import sys

import msgspec

from rewards.cli.database import service
from rewards.cli.screen import table
from rewards.engine.explain import Money
from rewards.policy.compile import load_policy
from rewards.service.liability import LiabilityAnswer, LiabilityRow

_COLUMNS = tuple(name for name in LiabilityRow.__struct_fields__ if name != "kind")
_NUMBERS = tuple(range(2, len(_COLUMNS) - 1))


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
    """Print a table; the worth is in whole currency, as people write it."""
    names = [name if name != "value_minor" else f"value, {answer.currency}" for name in _COLUMNS]
    rows = []
    for row in answer.rows:
        cells = {name: str(getattr(row, name)) for name in _COLUMNS}
        cells |= {"value_minor": money.text(row.value_minor), "closed": "yes" if row.closed else "not yet"}
        rows.append(list(cells.values()))
    table("", [name.replace("_", " ") for name in names], rows, _NUMBERS)
