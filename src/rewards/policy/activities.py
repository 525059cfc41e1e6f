"""Activities: what was read of them -> drafts of rules, and what an activity can't ask for.

What does not live here: earning rules (`rules`), of which an activity is one that
counts itself, and when the yearly ones come (`service.due`).
"""

from __future__ import annotations

from dataclasses import replace

from rewards.policy.activity_model import FOR_REFERRER, REFERRAL, YEARLY, Activity, EachTime
from rewards.policy.conditions import OfMembers, OfRule, check_without_receipt, compile_conditions
from rewards.policy.given_cards import GivenCards, number_of
from rewards.policy.groups import Groups
from rewards.policy.model import ALL, FirstPurchase, Flat, Referred
from rewards.policy.problems import Also, Report
from rewards.policy.rules import CrossChecks, Draft, ends_with_a_visit
from rewards.policy.selections import Selections
from rewards.policy.shape import Got, Table
from rewards.policy.wording import quoted


def draft_activities(
    section: Table, selections: Selections, members: OfMembers, groups: Groups, cards: GivenCards, report: Report
) -> dict[str, Draft]:
    """Read the section; what needs the earning rules comes later."""
    drafts: dict[str, Draft] = {}
    for name, got in section.got.items():
        drafts[name] = _draft(name, got, OfRule(ALL, "day", selections, report, members), cards)
        if name == REFERRAL and got.value.has("for_referrer"):
            drafts[FOR_REFERRER] = _of_referrer(got, cards)
    checks = CrossChecks(drafts, section.broken, groups, report)
    for name, draft in drafts.items():
        if name != REFERRAL or FOR_REFERRER not in drafts:  # a friend's first purchase comes once anyway
            checks.limits(draft)
    return drafts


def _draft(name: str, got: Got, of_rule: OfRule, cards: GivenCards) -> Draft:
    table: Table = got.value
    when = table.get("when")
    bought = name == REFERRAL  # the friend's part is a rule of a purchase
    report = of_rule.report
    conditions = compile_conditions(when.value, of_rule if bought else replace(of_rule, measure=None)) if when else ()
    draft = _rule(name, got, table.get("give"), cards)
    draft.when = (FirstPurchase(), Referred(), *conditions) if bought else conditions
    if bought and isinstance(draft.gives, EachTime):
        draft.gives = Flat(draft.gives.give)
    if (on := table.get("on")) and name not in YEARLY:
        message = f"`on` is for `birthday` and `anniversary`, not for {quoted(name)}"
        report.add("activity-on", message, on.key, "leave `on` out")
    if (on := table.get("for_referrer")) and not bought:
        message = f"`for_referrer` is for `referral`, not for {quoted(name)}"
        report.add("activity-referrer", message, on.key, "leave `for_referrer` out")
    if when and not bought:
        _check_conditions(draft, when, report)
    return draft


def _rule(name: str, got: Got, give: Got | None, cards: GivenCards) -> Draft:
    given = number_of(give)
    return Draft(
        id=name,
        table=got.value,
        key=got.key,
        on=ALL,
        on_name="",
        when=(),
        schedule=None,
        measure="day",
        gives=EachTime(name, given[0]) if given else None,
        wallet=given[1] if given else None,
        card=cards.read(give),
    )


def _of_referrer(got: Got, cards: GivenCards) -> Draft:
    draft = _rule(FOR_REFERRER, got, got.value.get("for_referrer"), cards)
    if isinstance(draft.gives, EachTime):
        draft.gives = EachTime(REFERRAL, draft.gives.give)
    return draft


def _check_conditions(draft: Draft, when: Got, report: Report) -> None:
    no_code, no_purchase = "an activity is no receipt, so it carries no code", "nothing is bought with an activity"
    check_without_receipt(when, "activity-condition", no_code, no_purchase, report)
    if any(map(ends_with_a_visit, draft.when)):
        message = "a visit later on the day could take back what the activity gave"
        report.add("activity-visits", message, when.key, "leave out `not` and `at_most` of visits")


def check_names(activities: dict[str, Draft], rules: dict[str, Draft], report: Report) -> None:
    """Report activities that are named like an earning rule."""
    for name, draft in activities.items():
        if name in rules:
            message = f"an activity and an earning rule are both named {quoted(name)}"
            also = Also(rules[name].key, "the rule is here")
            report.add("activity-named-as-rule", message, draft.key, "rename the rule", also)


def built_activities(drafts: dict[str, Draft]) -> dict[str, Activity]:
    """Return the activities of drafts without faults."""
    return {
        name: Activity(name, draft.table.value("on", "day")) for name, draft in drafts.items() if name != FOR_REFERRER
    }
