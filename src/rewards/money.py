"""Whole numbers of minor units, and the only places where a share is rounded.

What does not live here: currencies' names and signs for people (babel formats
them where text is made), and any float.

Three ways to cut a whole into parts, each exact in its sum:

>>> left_of(100, 3, 1)                       # 1.00 for 3 units, one returned
66
>>> largest_remainder(10, [1, 1, 1])         # ties go to the first
[4, 3, 3]
>>> webster(640, [400, 800, 720])            # lay 6.40 on three tenders
[133, 267, 240]
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence

LARGEST = 2**53 - 1  # what every JSON reader holds exactly


def left_of(amount: int, quantity: int, returned: int) -> int:
    """Return what is left of `amount` when `returned` of `quantity` units went back.

    Depends on the total returned alone, so the number and the order of the
    returns do not matter: each refund is the difference of two such values.
    """
    return amount * (quantity - returned) // quantity


def largest_remainder(total: int, weights: Sequence[int]) -> list[int]:
    """Share `total` over `weights` exactly; what floors leave goes to the largest remainders.

    Ties go to the earlier weight: callers order by content, never by position
    or id. All weights zero: the first takes everything (nothing if there is none).
    """
    whole = sum(weights)
    if whole == 0:
        return [total, *[0] * (len(weights) - 1)] if weights else []
    shares = [total * weight // whole for weight in weights]
    missing = total - sum(shares)
    if missing:
        rests = [total * weight % whole for weight in weights]
        order = sorted(range(len(rests)), key=rests.__getitem__, reverse=True)  # of equal rests the earlier stays first
        for i in order[:missing]:
            shares[i] += 1
    return shares


def webster(total: int, shares: Sequence[int]) -> list[int]:
    """Lay `total` on `shares` by Webster's divisor method (Sainte-Laguë), ties to the earlier share.

    The next unit goes to the largest `share / (2 * given + 1)`. Unlike largest
    remainders it is house-monotone: as `total` falls, no part ever grows, so no
    refund of a tender is negative. `total == sum(shares)` gives `shares` back.
    """
    whole = sum(shares)
    if total == whole:
        return list(shares)
    # WHY: quotas floored lie below Webster's parts by less than the number of shares;
    # starting a little under them makes the loop short without changing the result.
    given = [max(0, total * share // whole - len(shares)) for share in shares]
    heap = [_Claim(share, given[i], i) for i, share in enumerate(shares) if share]
    heapq.heapify(heap)
    for _ in range(total - sum(given)):
        claim = heap[0]
        given[claim.index] += 1
        heapq.heapreplace(heap, _Claim(claim.share, given[claim.index], claim.index))
    return given


class _Claim:
    """One share's claim to the next unit; the strongest claim sorts first."""

    __slots__ = ("divisor", "index", "share")

    def __init__(self, share: int, given: int, index: int) -> None:
        self.share = share
        self.divisor = 2 * given + 1
        self.index = index

    def __lt__(self, other: _Claim) -> bool:
        mine, theirs = self.share * other.divisor, other.share * self.divisor
        return mine > theirs or (mine == theirs and self.index < other.index)
