"""Tiers: what was read of `tiers` -> the model's record.

What does not live here: which level a member holds on a day (`engine.tiers`).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from rewards.policy.forms import Threshold
from rewards.policy.model import Tiers
from rewards.policy.problems import Also, Report
from rewards.policy.shape import Got, Table
from rewards.policy.wording import Hint, quoted

_UNITS = {"spend": "an amount such as `350.00`", "visits": "visits such as `10 visits`"}


@dataclass(frozen=True, slots=True)
class Levels:
    """The names of the levels that conditions may use; None where they could not be read."""

    names: tuple[str, ...] | None
    report: Report

    def known(self, got: Got) -> frozenset[str] | None:
        """Return the levels that a condition names, or None after a problem was reported."""
        if self.names is None:
            return None
        fine = True
        for one in got.value:
            if one.value not in self.names:
                message = f"there is no tier {quoted(one.value)}"
                otherwise = "declare it in `tiers: levels`"
                self.report.add(
                    "unknown-tier", message, one.span, Hint(one.value, self.names, otherwise, "the tiers are")
                )
                fine = False
        return frozenset(one.value for one in got.value) if fine else None


def level_names(got: Got | None, *, broken: bool) -> tuple[str, ...] | None:
    """Return the names of the levels, as written; None where some could not be read."""
    if got is None:
        return None if broken else ()
    levels = got.value.get("levels")
    return None if levels is None or levels.value.broken else tuple(levels.value.got)


def compile_tiers(got: Got | None, report: Report) -> Tiers | None:
    """Return the tiers, levels lowest first; contradictions are reported."""
    if got is None:
        return None
    table: Table = got.value
    by, measure = table.get("by"), table.get("measure")
    levels = table.value("levels", Table()).got
    amounts = {name: _amount(by, one, report) for name, one in levels.items()}
    if table.value("fall") == "one_level" and not table.has("keep"):
        message = "a member who falls one level falls the next one a day later, since no level is kept"
        report.add("fall-without-keep", message, table.got["fall"].key, "write `keep` too, or leave `fall` out")
    if by is None or measure is None or table.broken or None in amounts.values():
        return None
    ordered = sorted(((name, amount) for name, amount in amounts.items() if amount is not None), key=lambda one: one[1])
    _check_steps(ordered, levels, table.got["levels"], report)
    return Tiers(
        by=by.value,
        measure=measure.value,
        levels=tuple(ordered),
        keep=table.value("keep"),
        fall=table.value("fall", "to_what_was_earned"),
    )


def _amount(by: Got | None, got: Got, report: Report) -> int | None:
    threshold: Threshold = got.value
    if by is None or threshold.what in (by.value, ""):
        return threshold.amount
    wanted = _UNITS.get(by.value, f"points such as `500 {by.value}`")
    message = f"{quoted(got.text)} is not what `by: {by.value}` counts"
    report.add("level-unit", message, got.span, f"write {wanted}", Also(by.span, "what counts is said here"))
    return None


def _check_steps(ordered: list[tuple[str, int]], levels: dict[str, Got], section: Got, report: Report) -> None:
    """Refuse levels without one that everybody holds, and two that begin at one amount."""
    if ordered and ordered[0][1] > 0:
        message = (
            f"no level begins at zero; the lowest, {quoted(ordered[0][0])}, begins at {levels[ordered[0][0]].text}"
        )
        advice = "add one for everybody else, such as `member: 0`, or let the lowest begin at `0`"
        report.add("no-lowest-level", message, section.key, advice)
    for (low, amount), (high, same) in pairwise(ordered):
        if amount == same:
            message = f"{quoted(high)} begins where {quoted(low)} begins"
            also = Also(levels[low].key, "the other level is here")
            report.add("equal-levels", message, levels[high].span, "give each level an amount of its own", also)
