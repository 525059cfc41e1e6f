"""The paragraphs of `codes` about sections with checks of their own: tiers, gift cards.

What does not live here: finding their problems (`tiers`, `gift_cards`).
"""

from __future__ import annotations

GIFT_CARDS = {
    "unknown-offer": (
        "A voucher or a reward names the offer that it gives, by its id in `offers`. There is none of that name."
    ),
    "offer-for-everyone": (
        "The offer applies to every receipt on which its conditions hold, so nobody needs a voucher or points for it. "
        "With `only_by: voucher` it applies to those receipts alone whose customer shows one, with `only_by: reward` "
        "to those whose customer asks for a reward that gives it."
    ),
    "balance-below-load": (
        "A card can hold at most `max_balance`, and the least that it can be issued with is more. No card of this "
        "product could ever be issued."
    ),
}
TIERS = {
    "unknown-tier": "A condition names a tier, and `tiers: levels` does not have it.",
    "level-unit": (
        "Levels begin at amounts of what `by` counts: money for `spend`, visits for `visits`, points for a wallet. A "
        "number of something else can't be compared with it."
    ),
    "no-lowest-level": (
        "Everybody holds some level from the first day on: the one that begins at zero. Without it there would be "
        "members of whom no condition on tiers could speak."
    ),
    "equal-levels": (
        "Two levels begin at one amount, so nothing says which of them a member reaches first, and the lower one is "
        "never held."
    ),
    "fall-without-keep": (
        "`fall: one_level` lets a member down by one level at a time, and each is held for as long as `keep` says. "
        "Without `keep` that is no time at all: the next level would be lost on the next day."
    ),
}
