"""The day of a café that `rewards demo` posts: its members, receipts and returns.

What does not live here: posting it (`demo`). All of it is made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

ZONE = "Europe/Berlin"
STORE = "mitte"

Bought = tuple[str, str, int, int]  # article, category, units, price of a unit
Request = tuple[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Person:
    """A member: days since joining, and what the paper card held."""

    days: int
    brings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sale:
    """A receipt; `member` None is a guest."""

    receipt: str
    at: str
    member: str | None
    lines: tuple[Bought, ...]

    def request(self, day: date, ids: dict[str, str]) -> Request:
        """Return path and body."""
        member = ids[self.member] if self.member else None
        return "/v1/purchases", basket(f"{day}-{self.receipt}", _at(day, self.at), member, self.lines)


@dataclass(frozen=True, slots=True)
class Back:
    """Units of a receipt's line that come back."""

    receipt: str
    at: str
    line: str
    units: int

    def request(self, day: date, _: dict[str, str]) -> Request:
        """Return path and body."""
        of = {"store_id": STORE, "receipt_id": f"{day}-{self.receipt}"}
        lines = [{"line_id": self.line, "quantity": self.units}]
        body = {
            "return_id": f"{day}-back-{self.receipt}",
            "store_id": STORE,
            "occurred_at": _at(day, self.at).isoformat(),
        }
        return "/v1/returns", {**body, "of": of, "lines": lines, "reason": "not as ordered"}


def _at(day: date, at: str) -> datetime:
    return datetime.combine(day, time.fromisoformat(at), ZoneInfo(ZONE))


def opening(day: date) -> datetime:
    """Return the moment at which the café opens."""
    return _at(day, "07:00")


def basket(receipt_id: str, at: datetime, member: str | None, lines: Sequence[Bought]) -> dict[str, Any]:
    """Return a purchase's body, paid in cash."""
    return {
        "receipt_id": receipt_id,
        "store_id": STORE,
        "till_id": "1",
        "occurred_at": at.replace(microsecond=0).isoformat(),
        "currency": "EUR",
        "member": {"id": member} if member else None,
        "lines": [
            {"line_id": str(n), "sku": sku, "categories": [category], "quantity": units, "unit_price_minor": price}
            for n, (sku, category, units, price) in enumerate(lines, 1)
        ],
        "tenders": [{"kind": "cash", "amount_minor": sum(units * price for _, _, units, price in lines)}],
    }


MEMBERS = {
    "Ana": Person(320, {"stamps": 9, "beans": 870}),
    "Ben": Person(2),
    "Cleo": Person(40),
    "Dan": Person(5),
}
DAY: tuple[Sale | Back, ...] = (
    Sale("1", "07:40", "Ana", (("FLATWHITE", "coffee", 2, 380), ("CROISSANT", "bakery", 1, 290))),
    Sale("2", "08:05", "Ben", (("TEA", "tea", 1, 260), ("ROLL", "bakery", 1, 120))),
    Sale(
        "2", "08:05", "Ben", (("TEA", "tea", 1, 260), ("ROLL", "bakery", 1, 120))
    ),  # the till was not sure, and asks again
    Sale("3", "09:30", None, (("ESPRESSO", "coffee", 1, 240),)),
    Sale(
        "4",
        "10:15",
        "Cleo",
        (("BREAKFAST", "food", 1, 980), ("CAPPUCCINO", "coffee", 1, 360), ("CUP", "deposit", 1, 150)),
    ),
    Sale("5", "12:30", "Dan", (("SOUP", "food", 1, 690), ("CIGARETTES", "tobacco", 1, 820))),
    Sale("6", "13:10", "Ben", (("SANDWICH", "food", 2, 540),)),
    Sale("7", "15:20", "Cleo", (("CHEESECAKE", "cake", 2, 420), ("CAPPUCCINO", "coffee", 1, 360))),
    Sale("8", "16:40", "Ana", (("LEMONADE", "cold-drinks", 1, 320), ("CHEESECAKE", "cake", 1, 420))),
    Back("6", "17:15", "1", 1),
    Sale("9", "17:50", "Dan", (("ESPRESSO", "coffee", 1, 240),)),
)
