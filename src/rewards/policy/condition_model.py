"""Records of the compiled policy: conditions on the member, the day and codes.

What does not live here: conditions on what is bought, and `Not` (`model`, which hands these on).
"""

from __future__ import annotations

from dataclasses import dataclass

from rewards.days import Duration


@dataclass(frozen=True, slots=True)
class FirstPurchase:
    """No visit on an earlier day; with `within`, on a day before joining + within (which ends at its start)."""

    within: Duration | None = None


@dataclass(frozen=True, slots=True)
class NthVisit:
    """Today is the member's `number`th visit ever, or a multiple of it."""

    number: int
    every: bool = False


@dataclass(frozen=True, slots=True)
class NoVisitFor:
    """There was a visit, and the last one before today is at least so long ago."""

    duration: Duration


@dataclass(frozen=True, slots=True)
class MemberFor:
    """The member joined at least so long ago."""

    at_least: Duration


@dataclass(frozen=True, slots=True)
class HasCode:
    """Selects the receipts that carry the code (upper case)."""

    code: str


@dataclass(frozen=True, slots=True)
class HasAttribute:
    """The member's attribute has one of the values on that day."""

    name: str
    values: frozenset[str | int | bool]


@dataclass(frozen=True, slots=True)
class Birthday:
    """The member's birthday is one of the days of the `within` that ends today; 29 February is 28 in common years."""

    within: Duration


@dataclass(frozen=True, slots=True)
class Anniversary:
    """So many whole years after joining is one of the days of the `within` that ends today."""

    within: Duration


@dataclass(frozen=True, slots=True)
class InTier:
    """The member holds one of the levels at the start of the day."""

    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Referred:
    """Another member brought this one."""
