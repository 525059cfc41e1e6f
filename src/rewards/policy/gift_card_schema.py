"""What a policy file may say about gift cards, as data.

What does not live here: what gift cards must agree on with offers (`gift_cards`).
"""

from __future__ import annotations

from rewards.policy import forms, time_forms
from rewards.policy.forms import choice
from rewards.policy.shared_schema import ENDS
from rewards.policy.structure import Either, Fields, Key

_EXPIRES = Either(
    "a map with `after` or `at`, or `never`",
    scalar=choice("never"),
    map=Fields(
        "an expiry",
        (
            Key(
                "after", time_forms.DURATION, "So many days or months after the day of issue, at the start of that day."
            ),
            Key("at", choice(*ENDS), "At the end of the period of that day."),
        ),
        at_least_one=("after", "at"),
    ),
)
GIFT_CARD = Fields(
    "a gift card",
    (
        Key(
            "kind",
            choice("voucher", later=("paid", "promotional")),
            "What it gives: a `voucher` gives an offer, once.",
            required=True,
        ),
        Key("offer", forms.OFFER_NAME, "Voucher: the offer that it gives; one with `only_by: voucher`."),
        Key("expires", _EXPIRES, "When it ends.", default="never", example="{after: 60 days}"),
        Key("to", choice("bearer", "member"), "Whether anyone can use it, or only its member.", default="bearer"),
    ),
    unsupported=("load", "value", "max_balance", "not_on", "vat"),
)
