"""Stories written by hand: a purchase, a rule and a program in one line each, with days counted from a Monday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from rewards.days import Duration, midnight
from rewards.policy.model import (
    EarningRule,
    Eligible,
    Expiry,
    Flat,
    Policy,
    Rate,
    Wallet,
)
from rewards.receipt import Line
from tests.engine_adapter import RUNS, Outcome
from tests.strategies.histories import Purchase, Return, at_local_time
from tests.strategies.policies import policy_of

UTC = ZoneInfo("UTC")
DAY_0 = date(2027, 3, 1).toordinal()  # a Monday
BOTH = pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)


def rule(name: str, gives: Rate | Flat, **parts: object) -> EarningRule:
    return replace(EarningRule(id=name, wallet="points", gives=gives, meaning=""), **parts)  # type: ignore[arg-type]


def program(
    *rules: EarningRule,
    expires: Expiry | None = None,
    pending: Duration | None = None,
    zone: ZoneInfo = UTC,
    eligible: Eligible | None = None,
) -> Policy:
    wallet = Wallet(key="points", one="point", expires=expires, pending=pending)
    return policy_of(
        {one.id: one for one in rules}, kept={"points": wallet}, zone=zone, eligible=eligible or Eligible()
    )


def bought(
    day: int, minor: int, name: str = "", *, minute: int = 600, zone: ZoneInfo = UTC, lines: Sequence[Line] = ()
) -> Purchase:
    """A purchase of one line of so much, on the day of that number."""
    one = Line(line_id="1", sku="A", gross_minor=minor, net_minor=minor)
    return Purchase(
        at_local_time(
            DAY_0 + day, minute, zone,
            store_id="north", receipt_id=name or f"r{day}.{minute}", currency="EUR", lines=tuple(lines) or (one,),
        )
    )  # fmt: skip


def returned(purchase: Purchase, day: int, units: dict[str, int] | None = None) -> Return:
    return Return(
        at(day), purchase.receipt.receipt_id, units or {line.line_id: line.quantity for line in purchase.receipt.lines}
    )


def at(day: int, minute: int = 720) -> int:
    return midnight(DAY_0 + day, UTC) + minute * 60_000_000


def per_euro(give: int = 1, **parts: object) -> EarningRule:
    return rule("shop", Rate("spend", 100, give), **parts)


def available(outcome: Outcome, day: int) -> int:
    return outcome.balance(at(day)).get("points", (0, 0, 0, ()))[0]


def debt(outcome: Outcome, day: int) -> int:
    return outcome.balance(at(day)).get("points", (0, 0, 0, ()))[2]


def by_day(outcome: Outcome) -> dict[int, int]:
    sums = {day - DAY_0: sum(points.values()) for day, points in outcome.earned().items()}
    return {day: points for day, points in sums.items() if points}


def total(outcome: Outcome) -> int:
    return sum(by_day(outcome).values())


def versions(*policies: tuple[int, Policy]) -> list[tuple[int, Policy]]:
    return [(DAY_0 + day, replace(policy, version=f"sha256:{number}")) for number, (day, policy) in enumerate(policies)]
