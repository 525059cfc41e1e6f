"""What a till that was offline took on trust, and which was not so: booked beside its purchase, undone by returns.

Money that no gift card had and points that were nobody's stand on the account
`shortfall`, against what they were to be; stored value that went on no card
stands on `unplaced`. Points that a member did not have are a debt, and no
shortfall. Minor units. What does not live here: why it was not so (`service.offline`).
"""

from __future__ import annotations

from collections.abc import Mapping

from rewards.ledger.entries import Posting
from rewards.money import left_of
from rewards.receipt import Receipt, Returned

POINTS, GIFT_CARD, STORED_VALUE = "points", "gift_card", "stored_value"
KINDS = (GIFT_CARD, POINTS, STORED_VALUE)  # accounts, and what the report calls them
ACCOUNTS = frozenset((*KINDS, "shortfall", "unplaced"))


def of_tenders(receipt: Receipt, returned: Returned) -> list[int]:
    """Return what is lacking of each tender once some units came back: what was there pays first for what is left.

    So a card gets back what the receipt without those units would not have taken from it, and no more than it gave.
    """
    found = [0] * len(receipt.tenders)
    for i, tender in enumerate(receipt.tenders):
        if tender.shortfall_minor:
            kept = sum(line.tenders_left_minor(returned.get(line.line_id, 0))[i] for line in receipt.lines)
            found[i] = max(0, kept - (tender.amount_minor - tender.shortfall_minor))
    return found


def left(receipt: Receipt, returned: Returned) -> dict[str, int]:
    """Return by kind what is lacking of a receipt once some units came back; zeros are left out."""
    found: dict[str, int] = {}
    for tender, minor in zip(receipt.tenders, of_tenders(receipt, returned), strict=True):
        kind = POINTS if tender.kind == POINTS else GIFT_CARD
        found[kind] = found.get(kind, 0) + minor
    if receipt.unplaced:
        sold = (line for line in receipt.lines if line.line_id in receipt.unplaced)
        found[STORED_VALUE] = sum(
            left_of(line.gross_minor, line.quantity, returned.get(line.line_id, 0)) for line in sold
        )
    return {kind: minor for kind, minor in found.items() if minor}


def legs(currency: str, before: Mapping[str, int], after: Mapping[str, int]) -> list[Posting]:
    """Return the postings of a change of what is lacking; they sum to zero.

    >>> [(leg.account, leg.points) for leg in legs("EUR", {}, {"gift_card": 120})]
    [('shortfall', -120), ('gift_card', 120)]
    """
    found = []
    for kind in KINDS:
        change = after.get(kind, 0) - before.get(kind, 0)
        if change:
            account, sign = ("unplaced", -1) if kind == STORED_VALUE else ("shortfall", 1)
            found += [Posting(account, currency, -sign * change), Posting(kind, currency, sign * change)]
    return found
