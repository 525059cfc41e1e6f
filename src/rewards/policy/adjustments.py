"""Adjustments: what one member of staff may give or take alone; the shape of the section, and its records.

What does not live here: counting what was given and taken (`service.allowance`).
"""

from __future__ import annotations

from rewards.policy import forms
from rewards.policy.forms import choice
from rewards.policy.problems import Also, Report
from rewards.policy.shape import Got, Table
from rewards.policy.structure import Either, Fields, Key, ListOf
from rewards.policy.terms import AloneLimit

_ALONE = Fields(
    "a limit",
    (
        Key("points", forms.GIVE, "So many points of a wallet, given or taken.", example="500 beans"),
        Key("money", forms.MONEY_ABOVE_ZERO, "So much money on gift cards, added or taken.", example="50.00"),
        Key(
            "per",
            choice("adjustment", "day"),
            "Of each adjustment, or of all that one person makes on a day.",
            required=True,
        ),
    ),
    exactly_one=("points", "money"),
)
ADJUSTMENTS = Fields(
    "what holds for adjustments",
    (
        Key(
            "limit",
            Either("a limit or a list of them", map=_ALONE, list=ListOf(_ALONE)),
            "The most that one member of staff gives or takes alone; above it a second person approves.",
            required=True,
            example="[{points: 500 beans, per: day}, {money: 20.00, per: adjustment}]",
        ),
    ),
)


def compile_adjustments(table: Table, report: Report) -> tuple[AloneLimit, ...]:
    """Return the limits in their order; two that count the same are remarked on."""
    section = table.get("limit")
    limits = [(_limit(got.value), got) for got in (section.parts if section else ())]
    seen: dict[tuple[str, str], Got] = {}
    for limit, got in limits:
        first = seen.setdefault((limit.wallet, limit.per), got)
        if first is not got:
            also = Also(first.value.got["per"].span, "the other limit")
            message = f"two limits per {limit.per}: only the smaller one holds"
            report.add("two-limits", message, got.value.got["per"].span, "keep the smaller one", also)
    return tuple(limit for limit, _ in limits)


def _limit(table: Table) -> AloneLimit:
    points = table.value("points")
    if points is not None:
        return AloneLimit(points.wallet, points.points, table.value("per"))
    return AloneLimit("", table.value("money"), table.value("per"))
