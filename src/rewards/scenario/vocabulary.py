"""What a scenario file may say, as data; read by the same reader as policies.

What does not live here: reading (`read`), and what a step does (`play`).
"""

from __future__ import annotations

from rewards.policy import forms, time_forms
from rewards.policy.structure import Either, Fields, Key, ListOf, Named, some_of
from rewards.scenario.values import (
    ANY_KEY,
    BIRTHDAY,
    COUNT,
    FILE,
    HELD,
    LINE_ID,
    NAME,
    PAID,
    SIGNED,
    TENDER,
    VERSION,
    WHEN,
    WORDS,
    YES_OR_NO,
)

HOLD_VERBS = ("hold", "capture", "void")
VERBS = (
    *("purchase", "quote", "return", "adjust", "activity", "redeem", "cancel", "issue", "card"),
    *HOLD_VERBS,
    *("balance", "publish"),
)
_PURCHASE_KEYS = ("member", "store", "currency", "lines", "codes", "vouchers", "rewards", "tenders", "quoted")
_DO = forms.choice("block", "unblock", "deactivate", "load", "clear", "cash_out", "transfer")
_STATES = forms.choice("inactive", "active", "used", "expired", "blocked", "locked", "deactivated")

_CONTACTS = (
    Key("card", NAME, "The number on the card.", example='"2600000001236"'),
    Key("phone", NAME, "A phone number.", example='"+4930901820"'),
    Key("email", NAME, "An e-mail address.", example="ana@example.org"),
)
_CONTACT = Fields("a member of a receipt", _CONTACTS, exactly_one=("card", "phone", "email"))
_MEMBER = Fields(
    "a member",
    (
        *_CONTACTS,
        Key("joined", time_forms.DATE, "The day of joining.", default="the day before the story's first step"),
        Key(
            "balances",
            Named("points", HELD, ANY_KEY),
            "Points held from the day of joining on.",
            example="{beans: 870}",
        ),
        Key("birthday", BIRTHDAY, "Month and day."),
        Key("referred_by", NAME, "The member above who brought this one.", example="ana"),
        Key(
            "attributes",
            Named("a value", WORDS, ANY_KEY),
            "What the policy declares in `attributes: members`.",
            example="{student: true}",
        ),
    ),
    unsupported=("tier",),
    may_be_empty=True,
)
_STORED_VALUE = Fields(
    "stored value",
    (
        Key("product", forms.IDENTIFIER, "The gift card product that the line sells.", required=True),
        Key("card", NAME, "The card's name in this story: a new one, or one that the line loads.", example="g1"),
    ),
)
_LINE = Fields(
    "a line",
    (
        Key("sku", NAME, "The article.", default="`item`", example="FLATWHITE"),
        Key("categories", ListOf(NAME), "The article's categories.", example="[coffee]"),
        Key(
            "attributes",
            Named("a value", WORDS, ANY_KEY),
            "Attributes that the policy declares for lines.",
            example="{organic: true}",
        ),
        Key("quantity", COUNT, "Units.", default="1"),
        Key("price", forms.MONEY, "The price of a unit."),
        Key("amount", forms.MONEY, "What the whole line costs."),
        Key("discount", forms.MONEY, "The till's own discount on the whole line.", default="0"),
        Key("tax", forms.MONEY, "The tax of the whole line.", default="0"),
        Key("tax_included", YES_OR_NO, "Whether the price holds the tax.", default="true"),
        Key("lowest", forms.MONEY, "What the law lets the line cost at least."),
        Key("stored_value", _STORED_VALUE, "What stored value the line sells.", example="{product: cafe-card}"),
    ),
    exactly_one=("price", "amount"),
)
_MONEY_BY_KIND = Named("an amount of money", forms.MONEY, TENDER)
_TENDER_MAP = Named("an amount", PAID, TENDER)
_RETURN = Fields(
    "a return",
    (
        Key("of", NAME, "The purchase that the goods come from.", required=True, example="r1"),
        Key("lines", Named("a number of units", COUNT, LINE_ID), "Units by line.", example="{1: 1}"),
        Key("all", forms.YES, "Everything that is left.", example="true"),
        Key("id", NAME, "The return's number; the same number again is the same request."),
    ),
    exactly_one=("lines", "all"),
)
_ADJUST = Fields(
    "an adjustment",
    (
        Key("member", NAME, "Whose points.", required=True, example="ana"),
        Key("give", forms.GIVE, "Points that staff give."),
        Key("take", forms.GIVE, "Points that staff take."),
        Key("reason", WORDS, "Why.", default="`adjustment`"),
        Key("approved_by", NAME, "A second person, where the policy's `adjustments` asks for one.", example="lee"),
        Key("id", NAME, "The adjustment's number; the same number again is the same request."),
    ),
    exactly_one=("give", "take"),
)
_ISSUE = Fields(
    "a gift card",
    (
        Key("card", NAME, "The card's name in this story.", required=True, example="c1"),
        Key("product", forms.IDENTIFIER, "Which of the policy's gift cards.", required=True, example="sorry"),
        Key("value", forms.MONEY_ABOVE_ZERO, "What is on it, unless the policy says.", example="25.00"),
        Key("member", NAME, "To whom; left out for whoever holds it.", example="ana"),
    ),
)
_ACTIVITY = Fields(
    "an activity",
    (
        Key("member", NAME, "Who did it.", required=True, example="ana"),
        Key("name", NAME, "Which of the policy's activities.", required=True, example="review"),
        Key("score", SIGNED, "A score that goes with it."),
        Key("id", NAME, "The request's key; the same one again is the same request."),
    ),
)
_REDEEM = Fields(
    "a redemption",
    (
        Key("member", NAME, "Whose points.", required=True, example="ana"),
        Key("reward", NAME, "Which of the policy's rewards.", required=True, example="mug"),
        Key("times", COUNT, "How many times.", default="1"),
        Key("points", forms.GIVE, "Of an open cost: how many.", example="150 points"),
        Key("card", NAME, "The name in this story of the gift card that it gives; of several the first.", example="v1"),
        Key("id", NAME, "Its name; the same name again is the same request.", example="m1"),
    ),
)
_HOLD = Fields(
    "a hold",
    (
        Key("id", NAME, "The hold's name; the same one again is the same request.", required=True, example="h1"),
        Key("member", NAME, "Whose points.", example="ana"),
        Key("points", forms.GIVE, "Points that are set aside."),
        Key("reward", NAME, "A reward, whose cost is set aside.", example="free-cup"),
        Key("times", COUNT, "How many of the reward.", default="1"),
        Key("card", NAME, "A gift card, by its name in this story.", example="g1"),
        Key("amount", forms.MONEY_ABOVE_ZERO, "Money of the card that is set aside."),
        Key("voucher", NAME, "A voucher, by its name in this story.", example="c1"),
        Key("seconds", COUNT, "How long it lasts at most.", default="900"),
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
_CAPTURE = Fields(
    "a capture",
    (
        Key("hold", NAME, "The hold's name.", required=True, example="h1"),
        Key("points", forms.GIVE, "Points that are taken.", default="all"),
        Key("amount", forms.MONEY_ABOVE_ZERO, "Money that is taken.", default="all"),
    ),
    excludes=(("points", "amount"),),
)
_VOID = Fields("a release", (Key("hold", NAME, "The hold's name.", required=True, example="h1"),))
_BY_WALLET = _BY_RULE = Named("a number of points", SIGNED, ANY_KEY)
_NAMES = ListOf(NAME)
_LINE_FIGURES = some_of(
    "what a line costs",
    (Key("net", forms.MONEY, "After all discounts."), Key("discount", forms.MONEY, "All discounts.")),
)
_NEXT_EXPIRY = Fields(
    "the next expiry",
    (
        Key("points", forms.GIVE, "How many end.", required=True),
        Key("at", WHEN, "The first moment at which they are gone.", required=True),
    ),
)
EXPECT = Fields(
    "what is expected",
    (
        Key("discount", forms.MONEY, "Our discounts on the receipt."),
        Key("due", forms.MONEY, "What is left to pay after points and gift cards."),
        Key("earned", _BY_WALLET, "Points that the purchase or activity gave, by wallet.", example="{beans: 30}"),
        Key("spent", _BY_WALLET, "Points that paid or bought a reward, by wallet.", example="{beans: 500}"),
        Key(
            "restored",
            _BY_WALLET,
            "Points that the return or the cancellation gave back, by wallet.",
            example="{beans: 133}",
        ),
        Key("earned_by", _BY_RULE, "Points that the purchase or activity gave, by rule.", example="{hello: 20}"),
        Key("would_earn", _BY_WALLET, "What a guest's purchase would have given, by wallet."),
        Key(
            "lines",
            Named("what a line costs", _LINE_FIGURES, LINE_ID),
            "Figures of lines, by number.",
            example="{1: {net: 3.80}}",
        ),
        Key("gives", _NAMES, "Rules and activities that gave something.", example="[hello]"),
        Key("not_gives", _NAMES, "Rules and activities that gave nothing.", example="[hello]"),
        Key("refund", _MONEY_BY_KIND, "What is paid back, by kind of tender.", example="{cash: 1.90}"),
        Key(
            "taken_back",
            _BY_WALLET,
            "Points that the return took, less those it gave, by wallet.",
            example="{beans: 20}",
        ),
        Key("taken_back_by", _BY_RULE, "The same by rule.", example="{hello: 20}"),
        Key("parked", forms.YES, "The return waits for its purchase."),
        Key(
            "codes_refused",
            Named("a reason", WORDS, ANY_KEY),
            "Codes that did nothing, and vouchers by their names, with the reason.",
        ),
        Key("issued", Named("a number", SIGNED, ANY_KEY), "Gift cards issued, by product.", example="{sorry: 1}"),
        Key("state", _STATES, "What a gift card is now."),
        Key("available", forms.MONEY, "What is on a gift card now."),
        Key("balance", _BY_WALLET, "Points that can be used now, by wallet.", example="{beans: 900}"),
        Key("pending", _BY_WALLET, "Points that become usable later, by wallet."),
        Key("debt", _BY_WALLET, "Points owed, by wallet."),
        Key(
            "held",
            Either("points by wallet or an amount of money", scalar=forms.MONEY, map=_BY_WALLET),
            "What open holds keep: points of a member by wallet, or money on a gift card.",
            example="{beans: 300}",
        ),
        Key("tier", NAME, "The level that the member holds on that day.", example="gold"),
        Key(
            "next_expiry",
            Named("a date", Either("a date or a map of points and date", scalar=WHEN, map=_NEXT_EXPIRY), ANY_KEY),
            "When the next points end, by wallet.",
            example="{beans: 2028-01-01}",
        ),
        Key("refused", WORDS, "`true`, or the code with which the step is refused.", example="return-exceeds"),
        Key(
            "why",
            Either("a text or a list of texts", scalar=WORDS, list=ListOf(WORDS)),
            "Texts that occur in the explanation.",
        ),
    ),
)
STEP = Fields(
    "a step",
    (
        Key("at", WHEN, "When it happened, in the program's time zone; a date alone is its midnight.", required=True),
        Key("arrives", WHEN, "When it reached us.", default="`at`"),
        Key("purchase", NAME, "A purchase; the name is its receipt number.", example="r1"),
        Key("quote", NAME, "What a purchase would get; nothing is recorded.", example="r1"),
        Key("return", _RETURN, "Goods come back.", example="{of: r1, all: true}"),
        Key("adjust", _ADJUST, "Staff give or take points.", example="{member: ana, give: 90 beans, reason: sorry}"),
        Key("issue", _ISSUE, "A gift card is issued.", example="{card: c1, product: sorry, member: ana}"),
        Key("card", NAME, "Read a gift card, after `do` if that is there.", example="c1"),
        Key("do", _DO, "What staff do with the gift card."),
        Key("amount", forms.MONEY_ABOVE_ZERO, "How much is loaded, paid out or moved.", default="all that is on it"),
        Key("to", NAME, "The gift card that gets what is moved.", example="g2"),
        Key("activity", _ACTIVITY, "Something besides buying.", example="{member: ana, name: review}"),
        Key("redeem", _REDEEM, "Points buy a reward outside a basket.", example="{member: ana, reward: mug, id: m1}"),
        Key("cancel", NAME, "A redemption is taken back, by its name.", example="m1"),
        Key("hold", _HOLD, "Something is set aside.", example="{id: h1, member: ana, points: 300 beans}"),
        Key("capture", _CAPTURE, "A hold is taken without a purchase.", example="{hold: h1, amount: 9.00}"),
        Key("void", _VOID, "A hold is released.", example="{hold: h1}"),
        Key("balance", NAME, "Read a member's balance.", example="ana"),
        Key("publish", FILE, "Publish another policy, in force from the midnight of `at`."),
        Key(
            "member",
            Either("a member's name", scalar=NAME, map=_CONTACT),
            "Who buys; left out for a guest.",
            example="ana",
        ),
        Key("store", NAME, "The store.", default="`shop`"),
        Key("currency", WORDS, "The currency.", default="the program's"),
        Key("lines", ListOf(_LINE), "The receipt's lines.", example="[{sku: CROISSANT, price: 2.90}]"),
        Key("codes", ListOf(WORDS), "Codes that the customer shows.", example="[AUTUMN300]"),
        Key(
            "rewards",
            ListOf(NAME, repeats=True),
            "Rewards that the customer asks for, each as often as it is named.",
            example="[free-cup]",
        ),
        Key("vouchers", _NAMES, "Vouchers that the customer shows, by name.", example="[c1]"),
        Key(
            "tenders",
            Either("a map of amounts by kind, or a list of such maps", map=_TENDER_MAP, list=ListOf(_TENDER_MAP)),
            "How it was paid: points as so many, or an amount with their `wallet`; also `{card: g1, amount: 5.00}` and "
            "`{hold: h1, amount: 5.00}`.",
            default="what is due, in cash",
            example="[{points: 500 beans}, {cash: 6.70}]",
        ),
        Key("quoted", NAME, "The quote that the purchase brings, by its name.", example="q1"),
        Key("expect", EXPECT, "What must come of it.", example="{earned: {beans: 30}}"),
    ),
    exactly_one=VERBS,
    excludes=tuple((verb, key) for verb in VERBS[2:] for key in _PURCHASE_KEYS),
    together=(("purchase", ("lines",)), ("quote", ("lines",)), ("do", ("card",)), ("amount", ("do",)), ("to", ("do",))),
)
COLUMNS = Key("columns", _NAMES, "Names that the steps use as `$name`.", required=True, example="[price, earned]")
_ROWS = Key(
    "rows",
    ListOf(Either("a row", list=ListOf(WORDS))),
    "Values, one row a story.",
    required=True,
    example="[[0.99, 0]]",
)
TABLE = Fields("a table", (COLUMNS, _ROWS))
STORY = Fields(
    "a story",
    (
        Key("table", TABLE, "Tells the story once for each row."),
        Key("steps", ListOf(STEP), "What happened, in order.", required=True),
    ),
)
FILE_SHAPE = Fields(
    "a scenario file",
    (
        Key("scenarios", VERSION, "The language's version; the first key of the file.", required=True),
        Key(
            "members",
            Named("a member", _MEMBER, ANY_KEY),
            "Members that every story knows.",
            example="{ana: {joined: 2026-01-10}}",
        ),
        Key(
            "stories",
            Named("a story", Either("a list of steps", list=ListOf(STEP), map=STORY), ANY_KEY),
            "The stories.",
            required=True,
        ),
    ),
)
