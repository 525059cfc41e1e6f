"""The paragraphs of `codes` about sections with checks of their own: tiers, gift cards, rewards.

What does not live here: finding their problems (`tiers`, `gift_cards`, `rewards`).
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
    "group-of-cards": (
        "The best member of a group is the one that gives most. Points and gift cards can't be compared, nor can "
        "two offers that vouchers give."
    ),
    "limit-kind": (
        "A limit counts what the rule gives: `times` of anything, `points` of a rule that gives points, `units` of "
        "one that counts units, `money` of one that gives gift cards with money on them."
    ),
    "limit-below-one": "The limit is below what the rule gives at once, so the rule would never give anything.",
    "balance-below-load": (
        "A card can hold at most `max_balance`, and the least that it can be issued with is more. No card of this "
        "product could ever be issued."
    ),
    "unknown-gift-card": (
        "A reward or a rule names the gift card that it gives, by its id in `gift_cards`. There is none of that name."
    ),
    "gift-card-for-sale": (
        "Money on a card of `kind: paid` was sold: the shop owes it. What is given is money of another kind, which "
        "`kind: promotional` keeps apart, so that no report takes a gift for a sale."
    ),
    "gift-card-value": (
        "A promotional gift card is given with money on it. Either its product says how much, for everybody who gives "
        "it, or the one who gives it does."
    ),
}
REWARDS = {
    "open-cost": (
        "With `cost: {at_least, step}` a member chooses how many points to turn in. What comes of it must grow with "
        "them: `value` with `per` says how much each is worth. An offer, or a voucher, is the same for any number."
    ),
    "cost-not-in-steps": (
        "An open cost is a whole number of steps, and so is the least: otherwise the smallest amount that can be "
        "asked for would be another than the one that is written."
    ),
    "value-not-whole": (
        "A step of points has to be worth whole units of the currency's smallest coin. Otherwise what a member gets "
        "would depend on how the points are split into several rewards."
    ),
    "reward-limit": ("The limit is below what the reward costs once, so nobody could ever have it."),
    "reward-condition": (
        "A reward can be asked for outside a purchase: there is no receipt whose code, spend or units it could look "
        "at. Conditions on spend, units and visits look at the days of `within`."
    ),
    "automatic-offer": (
        "What comes by itself comes at the end of a period, without a purchase. An offer takes something off a "
        "purchase. A gift card, a voucher among them, or an item can come by itself."
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
