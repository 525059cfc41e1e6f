"""What a step may say about holds.

What does not live here: all other words of scenario files (`vocabulary`).
"""

from __future__ import annotations

from rewards.policy import forms
from rewards.policy.forms import Form
from rewards.policy.structure import Fields, Key

HOLD_VERBS = ("hold", "capture", "void")


def hold_keys(name: Form, count: Form) -> tuple[Key, ...]:
    """Return the keys of the verbs, made of the forms of a name and of a number."""
    hold = Fields(
        "a hold",
        (
            Key("id", name, "The hold's name; the same one again is the same request.", required=True, example="h1"),
            Key("member", name, "Whose points.", example="ana"),
            Key("points", forms.GIVE, "Points that are set aside."),
            Key("reward", name, "A reward, whose cost is set aside.", example="free-cup"),
            Key("times", count, "How many of the reward.", default="1"),
            Key("card", name, "A gift card, by its name in this story.", example="g1"),
            Key("amount", forms.MONEY_ABOVE_ZERO, "Money of the card that is set aside."),
            Key("voucher", name, "A voucher, by its name in this story.", example="c1"),
            Key("seconds", count, "How long it lasts at most.", default="900"),
        ),
        exactly_one=("points", "reward", "card", "voucher"),
        together=(
            ("points", ("member",)),
            ("reward", ("member",)),
            ("times", ("reward",)),
            ("card", ("amount",)),
            ("amount", ("card",)),
        ),
    )
    capture = Fields(
        "a capture",
        (
            Key("hold", name, "The hold's name.", required=True, example="h1"),
            Key("points", forms.GIVE, "Points that are taken.", default="all"),
            Key("amount", forms.MONEY_ABOVE_ZERO, "Money that is taken.", default="all"),
        ),
        excludes=(("points", "amount"),),
    )
    void = Fields("a release", (Key("hold", name, "The hold's name.", required=True, example="h1"),))
    return (
        Key("hold", hold, "Something is set aside.", example="{id: h1, member: ana, points: 300 beans}"),
        Key("capture", capture, "A hold is taken without a purchase.", example="{hold: h1, amount: 9.00}"),
        Key("void", void, "A hold is released.", example="{hold: h1}"),
    )
