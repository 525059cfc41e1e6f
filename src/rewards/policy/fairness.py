"""What a policy file may say about its fairness: promises, and bounds that its owner accepts with a reason.

They are read, checked and kept with the policy. What does not live here: proving
a promise; no command does so yet, and a note of `check` says it.
"""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from typing import Final

from rewards.policy import forms, offer_forms
from rewards.policy.forms import Form, Given, choice
from rewards.policy.model import Accepted, Fairness
from rewards.policy.problems import Report
from rewards.policy.shape import Got, Table
from rewards.policy.structure import Fields, Key, ListOf, some_of
from rewards.policy.wording import Hint, quoted

PROMISES: Final = (
    "never_less_today",
    "never_less_ever_after",
    "split_proof",
    "no_split_loss",
    "order_free",
    "same_facts_same_reward",
    "higher_tier_never_worse",
    "more_visits_never_worse",
    "refund_neutral",
    "no_loops",
    "never_worse_than_before",
)
MEMBER_FACTS: Final = ("birthday", "joined")  # beside the attributes that a file declares
_FACT = Form("a fact about members", ("student", "birthday"), forms.TEXT.read, r"\S")
_BECAUSE = Key(
    "because", forms.TEXT, "Why that is fair all the same.", required=True, example="the coupon starts at 40.00"
)


def _bound(what: str, form: Form) -> Fields:
    return Fields(f"a bound of {what}", (Key("at_most", form, "The most that is accepted.", required=True), _BECAUSE))


_ACCEPT = some_of(
    "what is accepted",
    (
        Key("split_gain", _bound("points", forms.GIVE), "What one purchase paid on two receipts may gain."),
        Key("split_loss", _bound("points", forms.GIVE), "What one purchase paid on two receipts may lose."),
        Key("cliff", _bound("points", forms.GIVE), "What the last cent before a threshold may be worth."),
        Key("dead_zone", _bound("money", forms.MONEY_ABOVE_ZERO), "How much may be spent without earning more."),
        Key("reward_rate", _bound("spend", offer_forms.SHARE), "What comes back of spend at most."),
        Key(
            "reads_member_facts",
            Fields(
                "facts about members that are read",
                (Key("facts", ListOf(_FACT), "Attributes of members, `birthday`, `joined`.", required=True), _BECAUSE),
            ),
            "Rules may give to some members and not to others.",
            example="{facts: [student], because: publicly offered student terms}",
        ),
        Key(
            "can_lower",
            Fields(
                "rules about absence",
                (Key("rules", ListOf(forms.RULE_NAME), "Rules or activities.", required=True), _BECAUSE),
            ),
            "A receipt that arrives late may take back what these rules gave.",
            example="{rules: [come-back], because: it looks at what did not happen}",
        ),
    ),
)
FAIRNESS = some_of(
    "what is promised and accepted",
    (
        Key("promise", ListOf(choice(*PROMISES)), "Properties that the policy shall have.", example="[split_proof]"),
        Key("accept", _ACCEPT, "Bounds up to which it may fall short of fairness, each with its reason."),
    ),
)


def compile_fairness(
    section: Got | None, facts: Collection[str] | None, rules: Collection[str], *, tiers: bool, report: Report
) -> Fairness | None:
    """Return the section, None if there is none; names of nothing are reported.

    `facts` are the attributes of members, None where their section is broken; `rules` the rules and activities, those
    that are broken too.
    """
    if section is None:
        return None
    table: Table = section.value
    message = "`fairness` is kept with the policy, and no command of this version checks it"
    advice = "nothing to mend: do not take these promises for proved"
    report.add("fairness-not-checked", message, section.key, advice)
    promised: list[Got] = table.value("promise", [])
    for one in promised:
        if one.value == "higher_tier_never_worse" and not tiers:
            report.add("no-effect", "there are no tiers, so this says nothing", one.span, "leave it out")
    accept: Table = table.value("accept", Table())
    for got in accept.got.values():
        _check_names(got.value, facts, rules, report)
    accepted = {name: _accepted(got.value) for name, got in accept.got.items() if not got.value.broken}
    return Fairness(promise=tuple(one.value for one in promised), accept=accepted)


def _check_names(table: Table, facts: Collection[str] | None, rules: Collection[str], report: Report) -> None:
    for one in table.value("facts", ()):
        if facts is not None and one.value not in (*facts, *MEMBER_FACTS):
            message = f"members have no attribute {quoted(one.value)}"
            advice = f"declare it in `attributes`: `{{members: {{{one.value[:40]}: text}}}}`"
            hint = Hint(one.value, sorted((*facts, *MEMBER_FACTS)), advice, "the facts are")
            report.add("unknown-attribute", message, one.span, hint)
    for one in table.value("rules", ()):
        if one.value not in rules:
            hint = Hint(one.value, rules, "name a rule of `earn`, or an activity", "the rules are")
            report.add("unknown-rule", f"there is no rule {quoted(one.value)}", one.span, hint)


def _accepted(table: Table) -> Accepted:
    most = table.value("at_most")
    share = most if isinstance(most, Fraction) else Fraction(0)
    return Accepted(
        because=table.value("because"),
        points=most.points if isinstance(most, Given) else 0,
        wallet=most.wallet if isinstance(most, Given) else "",
        minor=most if isinstance(most, int) else 0,
        share=(share.numerator, share.denominator),
        names=tuple(one.value for one in (*table.value("facts", ()), *table.value("rules", ()))),
    )
