"""What a policy file may say about gift cards, as data.

What does not live here: what gift cards must agree on with offers (`gift_cards`).
"""

from __future__ import annotations

from rewards.policy import forms, time_forms
from rewards.policy.forms import choice
from rewards.policy.shared_schema import ENDS, SELECTION
from rewards.policy.structure import Either, Fields, Key, ListOf, some_of

_EXPIRES = Either(
    "a map with `after` or `at`, or `never`",
    scalar=choice("never"),
    map=some_of(
        "an expiry",
        (
            Key(
                "after", time_forms.DURATION, "So many days or months after the day of issue, at the start of that day."
            ),
            Key("at", choice(*ENDS), "At the end of the period of that day."),
        ),
    ),
)
_LOAD = Either("a range or a list of amounts", scalar=forms.MONEY_RANGE, list=ListOf(forms.MONEY_ABOVE_ZERO))
GIFT_CARD = Fields(
    "a gift card",
    (
        Key(
            "kind",
            choice("voucher", "paid", "promotional"),
            "What it holds: an offer, once (`voucher`), money that was sold (`paid`) or given (`promotional`).",
            required=True,
        ),
        Key("offer", forms.OFFER_NAME, "Voucher: the offer that it gives; one with `only_by: voucher`."),
        Key(
            "load",
            _LOAD,
            "Paid: what one load may be, ends included, or the amounts that there are.",
            default="any amount",
        ),
        Key(
            "value",
            forms.MONEY_ABOVE_ZERO,
            "Promotional: what is on it.",
            default="whoever gives it says how much",
            example="5.00",
        ),
        Key("max_balance", forms.MONEY_ABOVE_ZERO, "Paid, promotional: the most that can be on it at once."),
        Key(
            "expires",
            _EXPIRES,
            "When it ends; the money of each load of a paid card from the day of that load.",
            default="never",
            example="{after: 60 days}",
        ),
        Key("to", choice("bearer", "member"), "Whether anyone can use it, or only its member.", default="bearer"),
        Key(
            "not_on",
            SELECTION,
            "Paid, promotional: lines that it does not pay.",
            default="it pays everything",
            example="{categories: [fuel]}",
        ),
        Key(
            "vat",
            choice("single_purpose", "multi_purpose"),
            "Paid, promotional: when the tax is due, for the accountant; it changes nothing here.",
        ),
    ),
)
