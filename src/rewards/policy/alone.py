"""The record of a limit of what staff do alone.

What does not live here: reading it (`adjustments`), and counting (`service.allowance`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class AloneLimit:
    """The most that one member of staff gives or takes without a second person."""

    wallet: str  # empty: money on gift cards, in minor units
    most: int
    per: Literal["adjustment", "day"]
