"""What a policy file may say, as data: the one source of the loader, the JSON Schema and the reference.

What does not live here: reading a file by it (`shape`), what needs two places
of a file to decide (`compile`), and the parts with modules of their own
(`shared_schema`, `offer_schema`).
"""

from __future__ import annotations

from rewards.days import WINDOWS
from rewards.policy import forms, offer_forms, time_forms
from rewards.policy.adjustments import ADJUSTMENTS
from rewards.policy.fairness import FAIRNESS
from rewards.policy.forms import choice
from rewards.policy.gift_card_schema import GIFT_CARD
from rewards.policy.offer_schema import GROUP, OFFER
from rewards.policy.reward_schema import REWARD
from rewards.policy.shared_schema import ATTRIBUTE_NAME, CONDITIONS, ENDS, SCHEDULE, SELECTION, TITLE
from rewards.policy.structure import Either, Fields, Key, ListOf, Named, some_of

_KIND = Either("a kind of value", scalar=choice("boolean", "text", "integer"), list=ListOf(forms.VALUE))
_ATTRIBUTES = Named("an attribute", _KIND, ATTRIBUTE_NAME)
_ENDS = ("end_of_month", "end_of_quarter", "end_of_year")


def _limit(per: Key, *others: Key) -> Either:
    limit = Fields(
        "a limit",
        (
            Key("times", forms.TIMES_LIMIT, "So many times what is given at once."),
            Key("points", forms.LIMIT_POINTS, "So many points."),
            Key("money", forms.MONEY_ABOVE_ZERO, "Gift cards worth so much together."),
            *others,
            per,
        ),
        exactly_one=("times", "points", "money", *(key.name for key in others)),
    )
    return Either("a limit or a list of limits", map=limit, list=ListOf(limit))


_LIMITED = _limit(
    Key("per", choice(*WINDOWS), "The window that the limit holds in; not shorter than `measure`.", required=True),
    Key("units", forms.counted("unit"), "What so many units give; of a rule that counts units."),
)
_LIMITED_ACTIVITY = _limit(Key("per", choice(*WINDOWS[1:]), "The window that the limit holds in.", required=True))
_GIFT_CARD = Fields(
    "a gift card",
    (
        Key(
            "gift_card", forms.CARD_NAME, "The product of `gift_cards`: a promotional one, or a voucher.", required=True
        ),
        Key("value", forms.MONEY_ABOVE_ZERO, "What is on it, unless the product says.", example="5.00"),
    ),
)
_GIVE = Either("points of a wallet or a gift card", scalar=forms.GIVE, map=_GIFT_CARD)
_RULE = Fields(
    "an earning rule",
    (
        Key("title", TITLE, "What customers read; may be a map by language."),
        Key("on", SELECTION, "The lines that earn.", default="all"),
        Key("schedule", SCHEDULE, "When and where a receipt counts.", example="{days: [sat, sun]}"),
        Key("when", CONDITIONS, "Conditions that must all hold.", example="{spend: {at_least: 40.00}}"),
        Key(
            "paid_with",
            ListOf(forms.KIND),
            "Counts the part of each line that these tenders paid.",
            default="any tender",
            example="[gift_card]",
        ),
        Key("every", forms.EVERY, "For every so much spend, units or visits of the measure."),
        Key("give", _GIVE, "Points, or a card as `{gift_card: bonus-card}`; without `every`, once a measure."),
        Key("times", forms.FACTOR, "The factor in all on what the rules in `of` give: adds `times` less one."),
        Key(
            "of",
            Either("a rule or a list of rules", scalar=forms.RULE_NAME, list=ListOf(forms.RULE_NAME)),
            "The rules that `times` multiplies.",
        ),
        Key("measure", choice(*WINDOWS), "The window that is measured, and rounded once.", default="day"),
        Key(
            "remainder",
            choice("carry", "drop"),
            "`carry` keeps what is left within the measure; `drop` rounds each receipt.",
            default="carry",
        ),
        Key("limit", _LIMITED, "The most that the rule gives.", default="none", example="{times: 1, per: month}"),
        Key("choose", forms.GROUP_NAME, "The group whose best member alone gives.", default="none"),
    ),
    exactly_one=("give", "times"),
    excludes=(("every", "times"), ("give", "of")),
    together=(("every", ("give",)), ("times", ("of",)), ("of", ("times",))),
)
_ACTIVITY = Fields(
    "an activity",
    (
        Key("title", TITLE, "What customers read; may be a map by language."),
        Key(
            "give",
            _GIVE,
            "What each time gives: points, or `{gift_card: birthday}`.",
            required=True,
            example="10 beans",
        ),
        Key("for_referrer", _GIVE, "Of `referral`: what the member gets who brought the friend.", example="20 beans"),
        Key(
            "when", CONDITIONS, "Conditions that must all hold on that day.", example="{member_for: {at_least: 7 days}}"
        ),
        Key("limit", _LIMITED_ACTIVITY, "The most that it gives.", default="none", example="{times: 5, per: month}"),
        Key(
            "on",
            choice("first_day_of_month"),
            "Of `birthday` and `anniversary`: on the first of that month.",
            default="the day itself",
        ),
    ),
)
_EXPIRES = Either(
    "a map with `after` or `at`, or `never`",
    scalar=choice("never"),
    map=Fields(
        "an expiry",
        (
            Key("after", time_forms.DURATION, "So many days or months later, at the start of that day."),
            Key(
                "at",
                choice(*ENDS),
                "At the end of the period of the day earned, or of the day into which `after` falls.",
            ),
            Key("since", choice("earned", "available", "last_visit"), "What `after` counts from.", default="earned"),
        ),
        at_least_one=("after", "at"),
    ),
)
_LIABILITY = Fields(
    "an estimate",
    (
        Key("points", forms.GIVE, "The points that are valued.", required=True),
        Key("worth", forms.MONEY_ABOVE_ZERO, "What these points are worth.", required=True),
    ),
)
_PAYS = Fields(
    "how points pay",
    (
        Key("points", forms.GIVE, "So many points …", required=True),
        Key("buys", forms.MONEY_ABOVE_ZERO, "… pay so much.", required=True),
        Key("minimum", forms.GIVE, "The least that a receipt takes; a whole number of steps.", default="one step"),
        Key(
            "step",
            forms.GIVE,
            "Points are taken in whole steps, each of which pays a whole number of the currency's smallest units.",
            default="`points`",
        ),
        Key("at_most", offer_forms.SHARE, "The share of a receipt's net that points pay at most.", default="100%"),
    ),
)
_WALLET = Fields(
    "a wallet",
    (
        Key("one", forms.WORD, "The word for a single point; the wallet's key is the plural.", required=True),
        Key("title", TITLE, "What customers read; may be a map by language."),
        Key(
            "round",
            choice("down", "half_up", "up"),
            "How points are rounded, once per rule and measure.",
            default="down",
        ),
        Key(
            "pending",
            time_forms.DURATION,
            "Points can be used so long after the start of the day earned.",
            default="none",
        ),
        Key("expires", _EXPIRES, "When points end.", default="never", example="{after: 12 months, at: end_of_month}"),
        Key(
            "pays",
            _PAYS,
            "How these points pay for goods at the till, but no gift cards, before the purchase earns its own.",
            default="not at all",
            example="{points: 100 beans, buys: 1.00, minimum: 100 beans, step: 1 bean, at_most: 50%}",
        ),
        Key(
            "liability",
            _LIABILITY,
            "Finance's estimate, frozen on each lot.",
            default="none",
            example="{points: 100 beans, worth: 0.85}",
        ),
    ),
)
_ELIGIBLE = Fields(
    "what counts",
    (
        Key(
            "except",
            SELECTION,
            "Lines that never earn nor count.",
            default="nothing",
            example="{categories: [deposit]}",
        ),
        Key(
            "amount",
            choice("before_discounts", "after_discounts"),
            "Our own discounts; the till's are always off.",
            required=True,
        ),
        Key("tax", choice("included", "excluded"), "Whether the tax counts as spend.", required=True),
        Key(
            "paid_by_points",
            choice("counts", "does_not_count"),
            "The part that points and promotional money pay.",
            required=True,
        ),
    ),
)
_TIERS = Fields(
    "the tiers",
    (
        Key(
            "by",
            forms.QUALIFIES,
            "What qualifies: eligible spend, visits, or a wallet (points earned in it; spending them changes nothing).",
            required=True,
        ),
        Key(
            "measure",
            time_forms.TIER_MEASURE,
            "The window or the time that is measured; the level of a day is decided by the day before.",
            required=True,
        ),
        Key(
            "levels",
            Named("where a level begins", forms.THRESHOLD),
            "Levels by name, each with the least that it takes; the lowest begins at zero.",
            required=True,
            example="{insider: 0.00, vip: 350.00}",
        ),
        Key(
            "keep",
            time_forms.KEEP,
            "How long a level that was reached is kept at least, from the year of the day before.",
            default="none",
        ),
        Key(
            "fall",
            choice("to_what_was_earned", "one_level"),
            "Where a member falls who no longer qualifies; `one_level` at a time needs `keep`.",
            default="to_what_was_earned",
        ),
    ),
)
_RETURNS = Fields(
    "what holds for returns",
    (
        Key("accept_within", time_forms.DURATION, "How long the shop takes goods back.", default="90 days"),
        Key(
            "spent_points",
            choice("debt", "deduct_from_refund"),
            "What happens to points that were spent before they were taken back.",
            default="debt",
        ),
        Key(
            "restored_points_last", time_forms.DURATION, "How long points given back last at least.", default="14 days"
        ),
    ),
    may_be_empty=True,
)
POLICY = Fields(
    "a policy",
    (
        Key("policy", forms.LANGUAGE, "The language's version; the first key of the file.", required=True),
        Key("program", forms.IDENTIFIER, "The program's id.", required=True),
        Key("title", TITLE, "What customers read; may be a map by language.", required=True),
        Key("currency", forms.CURRENCY, "ISO 4217; its decimals decide how amounts are written.", required=True),
        Key("timezone", forms.ZONE, "IANA name; days start at its midnights.", required=True),
        Key("country", forms.COUNTRY, "ISO 3166; how local phone numbers are read.", default="none"),
        Key("effective", time_forms.DATE, "The first day of this version.", default="the next midnight"),
        Key(
            "attributes",
            some_of(
                "a map of attributes",
                (
                    Key("members", _ATTRIBUTES, "What a member may have.", example="{student: boolean}"),
                    Key("lines", _ATTRIBUTES, "What a line may have.", example="{organic: boolean}"),
                ),
            ),
            "What members and lines may have beside the usual; a name used anywhere is declared here.",
        ),
        Key(
            "selections",
            Named("a selection", SELECTION),
            "Sets of lines by name.",
            example="{hot-drinks: {categories: [coffee, tea]}}",
        ),
        Key(
            "points",
            Named("a wallet", _WALLET),
            "The kinds of points; each is a wallet of its own.",
            example="{stars: {one: star}}",
        ),
        Key(
            "eligible",
            _ELIGIBLE,
            "What money counts, for every rule.",
            example="{amount: after_discounts, tax: included, paid_by_points: does_not_count}",
        ),
        Key(
            "tiers",
            _TIERS,
            "Levels that members reach; conditions use them by name.",
            example="{by: spend, measure: year, levels: {insider: 0.00, vip: 350.00}}",
        ),
        Key(
            "earn",
            Named("an earning rule", _RULE),
            "What a purchase earns; the order means nothing.",
            example="{base: {every: 1.00, give: 1 star}}",
        ),
        Key(
            "activities",
            Named("an activity", _ACTIVITY),
            "What members get points for besides buying. `joined`, `birthday` and `anniversary` come by themselves, "
            "`referral` with a friend's first purchase, all others by call.",
            example="{review: {give: 10 beans, limit: {times: 5, per: month}}}",
        ),
        Key(
            "offers",
            Named("an offer", OFFER),
            "What changes the price now; the order means nothing.",
            example="{happy-hour: {on: {categories: [cake]}, percent_off: 20%}}",
        ),
        Key(
            "choose",
            Named("a group", GROUP),
            "Groups of earning rules, or of offers, of which the best one gives.",
            example="{boost: {keep: best}}",
        ),
        Key(
            "rewards",
            Named("a reward", REWARD),
            "What points buy, when the member asks for it: in a basket or outside one, or by itself.",
            example="{free-coffee: {cost: 9 stamps, gives: {offer: free-hot-drink}}}",
        ),
        Key(
            "gift_cards",
            Named("a gift card", GIFT_CARD),
            "What can be issued with a code of its own.",
            example="{sorry: {kind: voucher, offer: free-cup}}",
        ),
        Key(
            "returns",
            _RETURNS,
            "What the shop promises about goods that come back.",
            example="{accept_within: 90 days}",
        ),
        Key(
            "adjustments",
            ADJUSTMENTS,
            "What staff may give or take by hand, and from where on a second person is needed.",
            default="no limit",
            example="{limit: {points: 500 beans, per: day}}",
        ),
        Key(
            "fairness",
            FAIRNESS,
            "What the owner promises about the rules, and accepts with a reason; no command checks it yet.",
            example="{promise: [never_less_today, split_proof]}",
        ),
    ),
    together=(
        ("rewards", ("points",)),
        ("earn", ("points", "eligible", "returns")),
        ("activities", ("points", "eligible", "returns")),
        ("tiers", ("eligible",)),
    ),
)
