"""The names and figures that policies and receipts share, and draws that all strategies need.

Few words on purpose: a receipt has to meet what a rule asks for, and to miss it by one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from rewards.days import Duration

T = TypeVar("T")


class Draw:
    """Choices read off a block of bytes, in regions of their own; what lies beyond the end is 0.

    WHY: Hypothesis draws one block for a case, not a thousand small numbers: that
    is ten times as fast, and it keeps it from spending most of its examples on
    copies of one another. It still shrinks: zeros are the simplest of everything.
    """

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._at = 0

    def below(self, count: int) -> int:
        """The next choice of so many, at most 256."""
        byte = self._block[self._at] if self._at < len(self._block) else 0
        self._at += 1
        return byte % count

    def region(self, start: int, size: int) -> Draw:
        """Choices of their own: what is drawn elsewhere does not move them."""
        return Draw(self._block[start : start + size])


def blocks(size: int) -> st.SearchStrategy[Draw]:
    return st.binary(min_size=size, max_size=size).map(Draw)


CATEGORIES = ("coffee", "cake", "book", "deposit")
SKUS = ("A", "B", "C", "D")
STORES = ("north", "south")
KINDS = ("cash", "card", "points", "gift_card")
ACTIVITIES = ("review", "birthday", "referral")
CODES = ("SPRING", "VIP")
PRODUCTS = ("cafe-card", "bonus-card")
WALLETS = {"points": "point", "stamps": "stamp"}
LINE_ATTRIBUTES: dict[str, tuple[str | int | bool, ...]] = {
    "organic": (True, False),
    "size": ("small", "large"),
    "brand": ("acme", "best"),
    "vintage": (2019, 2020),
}
LINE_ATTRIBUTE_TYPES = {
    "organic": "boolean",
    "size": frozenset({"small", "large"}),
    "brand": "text",
    "vintage": "integer",
}
MEMBER_ATTRIBUTE_TYPES = {"student": "boolean", "town": "text", "shoe": "integer", "level": frozenset({"old", "new"})}

ROUNDINGS: tuple[Literal["down", "half_up", "up"], ...] = ("down", "half_up", "up")
THRESHOLDS = (50, 100, 200, 300, 500, 1000)  # minor units
NEAR = tuple(sorted({1, 33, *(t + d for t in THRESHOLDS for d in (-1, 0, 1))}))
PRICES = (50, 100, 150, 200)
DAYS = (1, 2, 3, 7, 14, 30)
GAPS = (0, 0, 1, 1, 1, 2, 3, 6, 7, 8, 14, 29, 30, 31, 60)
MINUTES = (0, 1, 30, 90, 150, 359, 360, 600, 899, 900, 1019, 1020, 1319, 1320, 1439)
HOURS = ((900, 1020), (360, 900), (1320, 360), (1020, 150))  # the last two go past midnight
ANCHORS = tuple(  # clock changes, a midnight that does not exist, ends of months and years
    (ZoneInfo(zone), date.fromisoformat(day).toordinal())
    for zone, day in (
        ("Europe/Berlin", "2024-03-31"),
        ("Europe/Berlin", "2024-10-27"),
        ("Africa/Cairo", "2024-04-26"),
        ("America/St_Johns", "2010-11-07"),
        ("Asia/Tbilisi", "2023-12-31"),
        ("UTC", "2024-02-29"),
        ("Pacific/Auckland", "2024-06-30"),
    )
)


def pick(draw: Draw, among: Sequence[T]) -> T:
    """Draw one; shrinks to the first."""
    return among[draw.below(len(among))]


def chance(draw: Draw, one_in: int) -> bool:
    """Draw True once in so many; shrinks to False."""
    return draw.below(one_in) == one_in - 1


def whole(draw: Draw, least: int, most: int) -> int:
    """Draw a whole number, ends included; shrinks to the least."""
    return least + draw.below(most - least + 1)


def some(draw: Draw, among: Sequence[T], most: int = 2) -> list[T]:
    """Draw one or more different ones, in their own order."""
    left = list(among)
    count = whole(draw, 1, min(most, len(left)))
    taken = [left.pop(draw.below(len(left))) for _ in range(count)]
    return [one for one in among if one in taken]


def duration(draw: Draw, *, longest_days: int = 30) -> Duration:
    if chance(draw, 4):
        return Duration(pick(draw, (1, 2, 12)), "months")
    return Duration(pick(draw, [d for d in DAYS if d <= longest_days]), "days")
