"""The one floor of a rule: whole points from a sum, in the wallet's rounding.

>>> whole(57, 1, 2, "half_up"), whole(57, 1, 2, "down"), whole(57, 1, 2, "up")
(29, 28, 29)
"""

from __future__ import annotations


def whole(amount: int, times: int, by: int, rounding: str) -> int:
    """Return `amount * times / by` as whole points; `half_up` rounds halves up."""
    product = amount * times
    if rounding == "down":
        return product // by
    if rounding == "up":
        return -(-product // by)
    return (2 * product + by) // (2 * by)
