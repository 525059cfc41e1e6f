"""What a policy file may say about offers and about groups, as data.

What does not live here: what offers must make of it (`offers`), and what
selections, conditions and schedules may say (`shared_schema`).
"""

from __future__ import annotations

from rewards.days import WINDOWS
from rewards.policy import forms
from rewards.policy.forms import Form, choice
from rewards.policy.offer_forms import AMOUNT_OFF, SHARE
from rewards.policy.shared_schema import CONDITIONS, SCHEDULE, SELECTION, TITLE
from rewards.policy.structure import Either, Fields, Key, ListOf

GIVES = ("percent_off", "amount_off", "fixed_price", "free")
_UNITS = forms.counted("unit")


def _uses(what: str, per: Form, whose: str) -> Either:
    fields = Fields(
        what,
        (
            Key("times", forms.TIMES_LIMIT, "So many receipts on which the offer takes something off."),
            Key("units", _UNITS, "So many units that the offer serves."),
            Key("money", forms.MONEY_ABOVE_ZERO, "So much discount."),
            Key("per", per, f"The window that {whose} holds in.", required=True),
        ),
        exactly_one=("times", "units", "money"),
        elsewhere=(("points", "an offer takes money off and gives no points: write `times`, `units` or `money`"),),
    )
    return Either(f"{what} or a list of them", map=fields, list=ListOf(fields))


_FREE = Fields(
    "an offer of free units",
    (
        Key("units", _UNITS, "So many units, or so many of each `of_every`.", required=True, example="1"),
        Key("of_every", _UNITS, "Of every so many selected units; a part of them picks none.", default="all of them"),
        Key("pick", choice("cheapest", "dearest"), "Which of all selected units are picked.", default="cheapest"),
        Key("off", SHARE, "What comes off each picked unit.", default="100%"),
    ),
)
OFFER = Fields(
    "an offer",
    (
        Key("title", TITLE, "What customers read; may be a map by language."),
        Key("on", SELECTION, "The lines that the offer is on.", default="every eligible line"),
        Key("schedule", SCHEDULE, "When and where the offer is made.", example='{hours: "15:00-17:00"}'),
        Key(
            "when",
            CONDITIONS,
            "Conditions that must all hold; amounts are those of the receipt, before our discounts.",
            example="{spend: {at_least: 60.00}}",
        ),
        Key(
            "stage",
            choice("item", "basket"),
            "`basket` comes after all of `item`, and is off what those left.",
            default="item with `on` or for units, else basket",
        ),
        Key("percent_off", SHARE, "A share of what the lines cost; the shares of a stage are added."),
        Key("amount_off", AMOUNT_OFF, "Off once for all the selected lines of a receipt, or off each unit."),
        Key("fixed_price", forms.MONEY, "What each unit costs, if it costs more.", example="3.50"),
        Key("free", _FREE, "Units for nothing, or for less.", example="{units: 1, of_every: 3, pick: cheapest}"),
        Key("at_most", forms.MONEY_ABOVE_ZERO, "The most discount on a receipt.", default="none"),
        Key(
            "limit",
            _uses("a limit", choice(*WINDOWS), "the limit"),
            "The most for each member; also of one receipt.",
            default="none",
            example="{times: 1, per: month}",
        ),
        Key(
            "budget",
            _uses("a budget", choice(*WINDOWS[1:], "receipt"), "the budget"),
            "The most for all buyers together, guests too; who comes first is served first.",
            default="none",
            example="{money: 50000.00, per: month}",
        ),
        Key("only_by", choice("reward", "voucher"), "Never by itself: one of these gives it.", default="anyone"),
        Key("funded_by", forms.TEXT, "Who pays the discount, for the report.", default="the shop", example="Acme Ltd"),
        Key("choose", forms.GROUP_NAME, "The group whose offers compete.", default="none"),
    ),
    exactly_one=GIVES,
)
GROUP = Fields(
    "a group",
    (
        Key("keep", choice("best"), "The best member gives.", required=True),
        Key(
            "of",
            choice("line", "receipt"),
            "Offers only: the best one for each line, or one for the whole receipt.",
            default="receipt",
        ),
    ),
)
