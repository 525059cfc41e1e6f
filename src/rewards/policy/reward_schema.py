"""What a policy file may say about rewards, as data.

What does not live here: what rewards must agree on with offers and gift cards (`rewards`).
"""

from __future__ import annotations

from rewards.days import WINDOWS
from rewards.policy import forms
from rewards.policy.forms import choice
from rewards.policy.shared_schema import CONDITIONS, ENDS, TITLE
from rewards.policy.structure import Either, Fields, Key, ListOf

_COST = Either(
    "points of a wallet, or a map with `at_least` and `step`",
    scalar=forms.GIVE,
    map=Fields(
        "an open cost",
        (
            Key("at_least", forms.GIVE, "The least that it takes; a whole number of steps.", required=True),
            Key("step", forms.GIVE, "Any whole number of these is taken.", required=True),
        ),
    ),
)
_GIVES = Fields(
    "what a reward gives",
    (
        Key("offer", forms.OFFER_NAME, "An offer with `only_by: reward`."),
        Key("item", forms.IDENTIFIER, "Something that the shop hands out, by a name of its own.", example="mug"),
        Key("gift_card", forms.CARD_NAME, "A gift card of `kind: promotional` or `voucher`, issued to the member."),
        Key("value", forms.MONEY_ABOVE_ZERO, "What is on the gift card, or what the item is worth.", example="5.00"),
        Key("per", forms.PER_POINT, "The value is for each so many points of the cost.", default="the whole cost"),
    ),
    exactly_one=("offer", "item", "gift_card"),
    excludes=(("offer", "value"),),
    together=(("per", ("value",)),),
)
_LIMIT = Fields(
    "a limit",
    (
        Key("times", forms.TIMES_LIMIT, "So many times."),
        Key("points", forms.LIMIT_POINTS, "So many points."),
        Key("per", choice(*WINDOWS[1:]), "The window that the limit holds in.", required=True),
    ),
    unsupported=("units", "money"),
    exactly_one=("times", "points"),
)
REWARD = Fields(
    "a reward",
    (
        Key("title", TITLE, "What customers read; may be a map by language."),
        Key(
            "cost",
            _COST,
            "The points that it takes each time, or any number of steps.",
            required=True,
            example="9 stamps",
        ),
        Key("gives", _GIVES, "What the points buy.", required=True, example="{offer: free-hot-drink}"),
        Key(
            "when",
            CONDITIONS,
            "Conditions that must all hold on the day on which it is asked for.",
            example="{member_for: {at_least: 7 days}}",
        ),
        Key(
            "limit",
            Either("a limit or a list of limits", map=_LIMIT, list=ListOf(_LIMIT)),
            "The most that a member can have of it.",
            default="none",
            example="{times: 2, per: year}",
        ),
        Key(
            "automatic",
            Fields(
                "when it comes by itself",
                (
                    Key(
                        "at",
                        choice(*ENDS),
                        "At the last moment of each such period, for as many points as there are.",
                        required=True,
                    ),
                ),
            ),
            "Comes by itself; asking for it is still possible.",
            default="only when it is asked for",
            example="{at: end_of_quarter}",
        ),
    ),
)
