"""The parts of the vocabulary that several sections use: selections, conditions, schedules, texts.

What does not live here: the sections themselves (`schema`, `offer_schema`).
"""

from __future__ import annotations

from rewards.policy import forms, time_forms
from rewards.policy.forms import Form, choice
from rewards.policy.structure import Either, Fields, Key, ListOf, Named, Ref, Shape, some_of

SELECTION, MATCH, CONDITIONS = Ref("selection"), Ref("match"), Ref("conditions")
_LABEL = Form("a text", ("Corner Cafe Club", "{en: Stars, de: Sterne}"), forms.TEXT.read, r"\S", forms.TEXT.json_types)
_LANGUAGE_TAG = Form("a language", ("en",), forms.TEXT.read, r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
TITLE = Either("a text", scalar=_LABEL, map=Named("a text", forms.TEXT, _LANGUAGE_TAG))
ENDS = ("end_of_month", "end_of_quarter", "end_of_year")
_TEXTS = ListOf(forms.TEXT)
_VALUES = Either("a value or a list of values", scalar=forms.VALUE, list=ListOf(forms.VALUE))
ATTRIBUTE_NAME = Form("a name", ("organic",), forms.TEXT.read, r"^[A-Za-z][A-Za-z0-9_-]{0,59}$")

_PRICE = some_of(
    "a price",
    (
        Key("at_least", forms.MONEY, "The unit's price must be at least this much."),
        Key("at_most", forms.MONEY, "The unit's price must be at most this much."),
    ),
)
_MATCH_FIELDS = some_of(
    "a selection",
    (
        Key("skus", _TEXTS, "Lines of one of these articles.", example="[SALMON-240]"),
        Key("categories", _TEXTS, "Lines of at least one of these categories.", example="[coffee, tea]"),
        Key(
            "attributes",
            Named("a value", _VALUES, ATTRIBUTE_NAME),
            "Lines whose attributes have these values; each name is declared in `attributes: lines`.",
            example="{organic: true}",
        ),
        Key("price", _PRICE, "Lines whose price of a unit lies in these bounds, both ends included."),
        Key(
            "stored_value",
            ListOf(forms.IDENTIFIER),
            "Lines that sell one of these gift card products; nothing else selects them.",
            example="[cafe-card]",
        ),
        Key("except", SELECTION, "What this selection leaves out.", example="{categories: [deposit]}"),
    ),
)
_SELECTION_EITHER = Either(
    "a selection: a name, a map or a list of these",
    scalar=forms.SELECTION_NAME,
    list=ListOf(Either("a selection", scalar=forms.SELECTION_NAME, map=MATCH)),
    map=MATCH,
)


def _amount(what: str, form: Form, help: str) -> Key:  # noqa: A002
    bounds = Fields(
        f"a condition on {what}",
        (
            Key("at_least", form, f"At least so much {what}; above zero."),
            Key("at_most", form, f"At most so much {what}."),
            Key(
                "within",
                time_forms.DURATION,
                "Over the days up to and with today.",
                default="the rule's `measure`, or an offer's receipt",
            ),
            Key("on", SELECTION, "The lines counted; `all` is the whole basket.", default="the entry's own `on`"),
        ),
        at_least_one=("at_least", "at_most"),
    )
    return Key(what, bounds, help, example=f"{{at_least: {form.examples[0]}}}")


def _within(what: str) -> Fields:
    key = Key(
        "within",
        time_forms.DURATION,
        "Of the days up to and with today; `1 day` is the day itself.",
        required=True,
        example="7 days",
    )
    return Fields(f"a condition on {what}", (key,))


_FIRST = Fields(
    "a condition on the first purchase",
    (Key("within", time_forms.JOINING, "Only so long after joining.", required=True),),
)
_NTH_EVERY = Fields("a condition on visits", (Key("every", forms.NTH, "Every so many visits.", required=True),))
_CONDITIONS_FIELDS = some_of(
    "a map of conditions",
    (
        Key(
            "first_purchase",
            Either("`true` or `{within: 30 days of joining}`", scalar=forms.YES, map=_FIRST),
            "There was no visit on an earlier day.",
        ),
        Key(
            "nth_visit",
            Either("the number of a visit or `{every: 5}`", scalar=forms.NTH, map=_NTH_EVERY),
            "Today is this visit of the member, or every so many; a visit is a day with eligible spend.",
        ),
        Key("no_visit_for", time_forms.DURATION, "There was a visit, and the last one is at least so long ago."),
        Key(
            "member_for",
            Fields(
                "a condition", (Key("at_least", time_forms.DURATION, "Joined at least so long ago.", required=True),)
            ),
            "How long the member has been one.",
            example="{at_least: 7 days}",
        ),
        _amount(
            "spend", forms.MONEY_ABOVE_ZERO, "Eligible spend over the measure (offers: the receipt), or over `within`."
        ),
        _amount(
            "units", forms.counted("unit"), "Units bought over the measure (offers: the receipt), or over `within`."
        ),
        _amount("visits", forms.counted("visit"), "Visits over the rule's measure, or over `within`."),
        Key(
            "tier",
            ListOf(forms.TIER_NAME),
            "Members who hold one of these levels at the start of the day.",
            example="[vip, rouge]",
        ),
        Key(
            "attribute",
            Named("a value", _VALUES, ATTRIBUTE_NAME),
            "Members whose attributes have these values; each name is declared in `attributes: members`.",
            example="{student: true}",
        ),
        Key(
            "birthday",
            _within("a birthday"),
            "The member's birthday is one of these days; 29 February is 28 in common years.",
            example="{within: 7 days}",
        ),
        Key(
            "anniversary",
            _within("an anniversary"),
            "So many whole years after joining is one of these days.",
            example="{within: 7 days}",
        ),
        Key("code", forms.CODE, "Only receipts that carry this code; compared without case."),
        Key("not", CONDITIONS, "Holds unless all of these conditions hold.", example="{code: STAFF}"),
    ),
)
DEFINITIONS: dict[str, Fields | Either] = {
    "selection": _SELECTION_EITHER,
    "match": _MATCH_FIELDS,
    "conditions": _CONDITIONS_FIELDS,
}

SCHEDULE = some_of(
    "a schedule",
    (
        Key("from", time_forms.DATE, "The first day."),
        Key("until", time_forms.DATE, "The last day; it counts."),
        Key(
            "days",
            ListOf(choice("mon", "tue", "wed", "thu", "fri", "sat", "sun")),
            "Days of the week.",
            example="[sat, sun]",
        ),
        Key("dates", ListOf(time_forms.DATE), "Single days.", example="[2026-12-09]"),
        Key(
            "hours",
            time_forms.HOURS,
            "The start counts, the end does not; hours past midnight belong to the day they start.",
        ),
        Key("stores", _TEXTS, "Only receipts of these stores.", example="[berlin-1]"),
    ),
)


def resolved(shape: Shape) -> Form | Fields | Named | ListOf | Either:
    """Return the shape itself, looked up if it is a reference."""
    return DEFINITIONS[shape.name] if isinstance(shape, Ref) else shape
