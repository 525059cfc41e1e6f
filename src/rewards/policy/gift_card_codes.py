"""The paragraphs about gift cards for `codes`, which is as long as a file may be.

What does not live here: finding problems of gift cards (`gift_cards`).
"""

from __future__ import annotations

GIFT_CARDS = {
    "unknown-offer": (
        "A voucher names the offer that it gives, by the offer's id in `offers`. There is none of that name."
    ),
    "offer-for-everyone": (
        "The offer applies to every receipt on which its conditions hold, so nobody needs a voucher for it. With "
        "`only_by: voucher` it applies to those receipts alone whose customer shows one."
    ),
}
