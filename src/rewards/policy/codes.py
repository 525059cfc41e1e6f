"""Every code that a policy file can be answered with, and the paragraph that `rewards explain CODE` prints.

What does not live here: finding problems and showing them. Codes are stable:
scripts and habits hang on them; a paragraph may be improved at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rewards.policy.file_codes import TEXT
from rewards.policy.section_codes import GIFT_CARDS, REWARDS, TIERS

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Code:
    """How bad it is, and why it is so."""

    severity: Severity
    text: str


_SHAPE = {  # what the vocabulary says
    "unknown-language": (
        "The first key of a policy names the language's version: `policy: rewards/v1`. This engine reads no other; "
        "nothing else in the file was looked at."
    ),
    "policy-not-first": (
        "`policy: rewards/v1` is the first key of the file, so that a reader, and every later engine, knows how to "
        "read the rest."
    ),
    "unknown-key": (
        "The key is not known at this place. If it is close to one that fits, that one is suggested; else all keys of "
        "this place are listed. `rewards schema` writes a JSON Schema, with which editors complete keys."
    ),
    "missing-key": (
        "A key that is required here is missing, or one that another key needs: `every` needs `give`, `times` needs "
        "`of`, and a policy that earns anything needs `points`, `eligible` and `returns`, because nobody should have "
        "to guess what counts."
    ),
    "contradicting-keys": (
        "Two keys exclude each other: a rule either gives points of its own (`give`, with `every` for a rate) or "
        "multiplies what other rules give (`times` with `of`); an offer takes off a share, a sum, down to a price, or "
        "makes units free; a limit counts one thing."
    ),
    "wrong-kind": (
        "The value is of another kind than this key takes: a single value, a list in brackets or with `- `, or a map "
        "with keys of its own. A list is needed even for one item: `[coffee]`."
    ),
    "nothing-here": (
        "The key has no value, or the YAML word for none (`null`, `~`). Write the value, or leave the key out. A text "
        "that is one of these words is quoted."
    ),
    "no-colon": (
        "Between braces, `,` ends a value and starts the next key. Here it is followed by words without a `:`; most "
        'often they belong to a text with a comma in it. Quote the whole text: `{en: "Tea, coffee and more"}`.'
    ),
    "empty": "A map or list with nothing in it. Leaving the key out says the same, and says it clearly.",
    "unsupported": (
        "The word belongs to the policy language, but this version of the engine can't do it yet. It is refused "
        "rather than skipped: a policy never does less than it says."
    ),
    "bad-id": (
        "Ids of programs, wallets, rules, offers, selections and groups are small letters and digits with single "
        "hyphens between, a letter first, at most 60 characters. A few words that the language uses itself, such as "
        "`all`, are taken. Names of attributes may have capitals and `_`, languages are tags such as `en` or `pt-BR`."
    ),
    "bad-text": "The text is empty, too long, or not the single word that is needed here.",
    "bad-choice": "The value is one of a few words, and this is none of them. They are the same in every language.",
    "bad-money": (
        "Amounts are written as digits with a point before the decimals, without the currency's sign and without "
        "separators: `1250.00`. The currency is named once, in the head."
    ),
    "too-many-decimals": (
        "The amount has more decimals than the currency has: two for EUR, none for JPY, three for KWD. It would have "
        "to be rounded, and nothing is rounded in silence."
    ),
    "bad-share": (
        "A share is a number with the sign `%`, `20%` or `10.5%`, with at most four decimals. Without the sign, `0.2` "
        "could be a fifth or a five-hundredth."
    ),
    "bad-count": (
        "A count is a whole number with its unit: `1 unit`, `10 units`, `3 visits`. In conditions the unit may be "
        "left out."
    ),
    "bad-number": "A whole number is needed here, in digits, without separators.",
    "bad-points": (
        "Points are written with the wallet that they belong to: `5 beans`, or `1 bean` by the wallet's `one`. With "
        "several wallets a bare number would be a guess."
    ),
    "bad-factor": (
        "A factor is a number such as `2` or `1.25`; it is kept exactly. It is what is given in all: `times: 2` "
        "doubles."
    ),
    "bad-duration": (
        "Durations are days or months of the calendar, `30 days` or `12 months`, in the program's time zone. Weeks "
        "and years are written as days and months. A time after joining says so: `30 days of joining`."
    ),
    "bad-date": (
        "Dates are year, month and day: `2026-12-01`. Other orders are read differently in different countries."
    ),
    "bad-hours": (
        'Hours are a start and an end in 24 hours: `"15:00-17:00"`. The start counts, the end does not. '
        '`"22:00-02:00"` goes past midnight and belongs to the day on which it starts.'
    ),
    "out-of-range": (
        "The number has the right form but is too small or too large here: rates and thresholds are above zero, "
        "factors above one, shares at most 100%."
    ),
    "repeated-item": "The list has the same item twice. It counts once; perhaps another item was meant.",
}
_NAMES = {  # names that must exist
    "unknown-currency": (
        "The currency is none that is legal tender today. Codes are those of ISO 4217, in capitals: `EUR`, `USD`, "
        "`GEL`."
    ),
    "unknown-timezone": (
        "The time zone decides when a day starts. Names are those of the IANA data, area and city: `Europe/Berlin`, "
        "or `UTC`."
    ),
    "unknown-country": (
        "The country decides how local phone numbers are read. Codes are those of ISO 3166, two capitals: `DE`, `GB`."
    ),
    "unknown-selection": (
        "A selection is used by name, but `selections` does not declare it. `all` is every eligible line."
    ),
    "unknown-wallet": "Points are given by the wallet's key or its word for one, and `points` declares no such wallet.",
    "unknown-rule": (
        "`of` names a rule that `earn` does not have. Only rules that give by spend or units can be multiplied."
    ),
    "unknown-group": "`choose` in a rule or an offer names a group, and the section `choose` does not declare it.",
    "unknown-attribute": (
        "A selection asks for an attribute that `attributes: lines` does not declare, or a condition for one that "
        "`attributes: members` does not. Declaring it lets mistakes be found where attributes are sent."
    ),
    "attribute-value": (
        "The attribute is declared with another kind of value, or as one of other choices; so no line or member could "
        "ever have this one."
    ),
    "ambiguous-unit": (
        "A wallet's key or its `one` is used in another wallet, or is a word of the language such as `visits`. `give: "
        "5 stars` must mean one thing."
    ),
    "selection-cycle": "A selection refers to itself, perhaps through others; so what it selects can't be worked out.",
    "selection-too-large": (
        "With every name written out, the selection has more than 1,000 parts, or more than 16 `except` inside each "
        "other. Every line of every receipt would be compared with all of them; let the till send a category."
    ),
}
_RULES = {  # what rules must make of it
    "bad-base": (
        "`times` adds to what other rules give on the same lines, and must know how much that is for each line. So it "
        "multiplies rules that give by spend or units; not flat amounts, not visits, and not other multipliers. "
        "Multipliers of one base add up: 2 and 1.5 give 2.5."
    ),
    "bases-of-two-wallets": (
        "One rule gives points of one wallet. A multiplier of rules of two wallets would have to give both; write one "
        "for each."
    ),
    "base-measure": (
        "The base has a condition on amounts over its own measure, and the multiplier measures another window. "
        "Whether the base gives at all would differ between the two."
    ),
    "multiplier-remainder": (
        "`remainder: drop` floors each receipt. A multiplier is rounded once in its window, over the sum of all its "
        "bases, so there is nothing of a receipt to drop."
    ),
    "stored-value-visits": (
        "A visit is a day with eligible spend, and selling a gift card is none. A rule on such sales that ends with a "
        "number of visits would give in the morning, and a coffee in the afternoon would take it back."
    ),
    "activity-condition": (
        "What an activity gives is decided by the day on which it happened: how long the member has been one, and "
        "what was bought up to then. It is no receipt: it carries no code, and `spend`, `units` and `visits` need "
        "`within` to say over which days."
    ),
    "activity-visits": (
        "A visit later on the day of an activity would end this condition, and take back what the activity gave."
    ),
    "activity-on": (
        "`birthday` and `anniversary` come every year on their day, or on the first of its month. Other activities "
        "happen when they happen."
    ),
    "activity-referrer": (
        "`referral` has two who may get something: the friend who buys for the first time, by `give`, and the member "
        "who brought the friend, by `for_referrer`. Other activities have one."
    ),
    "activity-named-as-rule": (
        "A statement names the rule or the activity that gave the points, so the two need different names."
    ),
    "limit-too-short": (
        "A limit cuts what a rule gives in whole measure windows; a limit per day can't cut a rule that measures the "
        "month, since what the day gave is only known with the month."
    ),
    "limit-does-not-nest": (
        "A limit holds whole measure windows. A week may lie in two months, quarters or years, so weekly points can't "
        "be counted to one of them."
    ),
    "limit-of-multiplier": (
        "`limit: {times: 3}` means three times what the rule gives at once. A multiplier gives as much as its bases "
        "do; limit its points."
    ),
    "wrong-wallet": (
        "The points named here are of another wallet than the rule gives, or than the wallet in which they stand."
    ),
    "pays-fraction": (
        "A step of points would pay a fraction of the currency's smallest unit, and no receipt could be paid exactly. "
        "Points pay in steps, so a step has to be worth a whole number of these units."
    ),
    "pays-minimum": (
        "Points are taken in whole steps, so the least that a receipt takes is a whole number of steps too."
    ),
    "group-wallets": (
        "The best member of a group is the one that gives most, and points of two wallets can't be compared."
    ),
    "group-measures": (
        "The best member of a group is chosen once in each measure window, so all members have the same one."
    ),
    "group-limit": (
        "In a group each member's limit holds in the measure window in which the best one is chosen. A longer limit "
        "would make today's choice depend on which member won before."
    ),
    "group-mixed": (
        "A group is either of earning rules or of offers: points that come later and money off now can't be compared."
    ),
    "group-of-rules": (
        "Offers compete for each line or for the whole receipt. Earning rules compete in each measure window, so a "
        "group of them has no `of`."
    ),
    "group-stage": (
        "In a group `of: line` each line gets the best offer for it. An offer of the stage `basket` is off what all "
        "lines together still cost; it can only compete for the whole receipt."
    ),
    "choose-too-wide": (
        "The customer gets the best combination, found by trying all of them: each member of a group of the receipt, "
        "and in a group `of: line` each order in which its `free` offers may take units. These numbers are multiplied "
        "over the groups, and at most 256 are tried. Offers that add up anyway need no group."
    ),
    "stage-of-units": (
        "`fixed_price`, `free` and amounts `per unit` look at single units, which the stage `item` has. The stage "
        "`basket` sees only what lines still cost after it; a share or a sum can be off that, even on chosen lines."
    ),
    "limit-of-units": (
        "A sum that comes off once, or a share of the whole basket, serves no single units that could be counted. "
        "Limit how often it is given, or how much money."
    ),
    "free-of-fewer": (
        "`units` of every `of_every` are picked, so the first can't be the larger. Three for the price of two: "
        "`{units: 1, of_every: 3}`."
    ),
    "free-overlap": (
        "A unit that one `free` offer picks or counts can't serve another one, so which of them is better must be a "
        "choice: put them into one group. No group is needed where other articles, categories, prices, attributes, "
        "stores, days or hours keep them apart, or an `except` in one that holds all of the other."
    ),
    "at-most-amount": (
        "An earning rule that stops above an amount would take points back when the customer buys more. To give less "
        "to large baskets, use a `limit`."
    ),
    "amount-in-not": (
        "An amount inside `not` is a condition that ends when the customer buys more: what was earned would be taken "
        "back."
    ),
    "at-most-visits": (
        "A bound on visits from above counts the lines that the rule earns on, or the whole basket. Counting other "
        "lines would let one more article in a basket take points back."
    ),
    "not-in-not": "A `not` inside a `not` says what is said without both; leave both out.",
    "mixed-not": (
        "`code` selects receipts; the other conditions hold for a day. `not` of both at once would be neither."
    ),
    "bounds-crossed": "The lower bound is above the upper one, so nothing could ever lie between.",
    "visits-do-not-fit": (
        "A visit is a day with eligible spend, so a day holds one, a week at most seven. The number asked for is "
        "never reached in the window that is measured. A stamp card measures `ever`, or a year; an offer looks at one "
        "receipt unless `within` says how far back."
    ),
    "visits-by-receipt": (
        "A visit is a day, and may have several receipts. `measure: receipt` and `remainder: drop` look at each "
        "receipt on its own, so a rate by visits can have neither. To give something for each receipt, leave `every` "
        "out."
    ),
    "expires-too-soon": (
        "Points would be over before anyone could use them: on some day of the year the expiry is not after the "
        "pending time. Months differ in length, so one month is not always longer than 30 days."
    ),
}
_WARNINGS = {  # legal, and hardly meant
    "measure-receipt": (
        "A rule that measures each receipt alone gives something else when a purchase is paid on two receipts: "
        "thresholds are missed, or won twice. Measured by the day, the same goods earn the same."
    ),
    "first-purchase-amount": (
        "The first purchase happens once. Who buys less than the amount that day can never fulfil the rule, and often "
        "asks why. A threshold with a limit of once ever gives it to the first purchase that is large enough."
    ),
    "except-two-keys": (
        "Keys of one map must all hold, also in `except`: `except: {categories: [fuel], skus: [A]}` leaves out only "
        "the article A of the category fuel. To leave out either, write a list of two maps."
    ),
    "limit-cannot-bind": (
        "By what it counts, or by its shorter limits, the rule or offer never gives more than this limit allows. The "
        "limit has no effect; perhaps another window was meant. A use of an offer is a receipt on which it takes "
        "something off."
    ),
    "two-limits": "Two limits count the same in the same window. Both hold, so the larger one has no effect.",
    "budget-of-receipt": (
        "A budget is what all buyers may use together, first come, first served. A receipt has one buyer, so a budget "
        "of a receipt is a limit, and `limit` says so."
    ),
    "schedule-never-holds": (
        "The parts of a schedule must all hold, and these never do together: the first day is after the last, or a "
        "date is not on the days named."
    ),
    "never-gives": (
        "The rule or offer can't give anything: `eligible` leaves out every line that it selects, two of its "
        "conditions never hold together, it multiplies rules whose lines or times are others, or it counts only what "
        "points paid while that does not count. Two categories are taken to be apart; a till that sends both with "
        "one line may ignore the warning."
    ),
    "same-twice": (
        "Two rules, or two offers outside of a group, say the same with another name, so whatever fulfils one fulfils "
        "the other, and both give. Most often one is a copy that was never changed."
    ),
    "no-effect": "The key is allowed here, but what else the file says leaves it without effect.",
    "always-beaten": (
        "Another member of the group is on the same lines, holds whenever this one does, and gives (or takes off) as "
        "much or more. So this one never makes a difference."
    ),
    "price-not-kept": (
        "`at_most` bounds the discount of a receipt. With many units the discount down to the fixed price is above it, "
        "and the units cost more than the price that was promised. A limit of units keeps the price for those it "
        "serves."
    ),
    "unused": (
        "A selection, wallet or group is declared, and no rule, activity or offer uses it; or no voucher gives an "
        "offer that applies only by one. Often one names another by mistake."
    ),
}
_NOTES = {
    "about-absence": (
        "The rule looks at what did not happen: no earlier visit, no visit for a while, not the fifth yet. When a "
        "till was offline and its receipt arrives late, it did happen, and what the rule gave is taken back by an "
        "entry with that reason. Staff can grant it again."
    ),
    "fairness-not-checked": (
        "`fairness` says what the owner promises and accepts. It is read in full: names, figures and reasons must be "
        "right. Whether the rules keep these promises is not worked out by this version, so a file that says "
        "`split_proof` is not shown to be."
    ),
    "more-problems": "At most 100 problems are shown in one run, errors before others. Mend these, and run again.",
}

_ERRORS = (TEXT, _SHAPE, _NAMES, _RULES, TIERS, GIFT_CARDS, REWARDS)
CODES: dict[str, Code] = {
    **{code: Code("error", text) for part in _ERRORS for code, text in part.items()},
    **{code: Code("warning", text) for code, text in _WARNINGS.items()},
    **{code: Code("note", text) for code, text in _NOTES.items()},
    "repeated-item": Code("warning", _SHAPE["repeated-item"]),
}
POLICY_CODES = frozenset(CODES)  # those of policy files; story files add their own to `CODES`


def explain(code: str) -> str | None:
    """Return the paragraph about a code, or None if there is no such code."""
    found = CODES.get(code)
    return f"{found.severity}[{code}]\n\n{found.text}" if found else None
