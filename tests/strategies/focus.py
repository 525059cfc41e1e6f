"""One feature at a time: cases that have little but it, and the same policy without it.

A feature *matters* in a case if the policy without it gives something else, and
*gives* if a rule that has it gives points. Both have to happen (`test_coverage`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from hypothesis import strategies as st

from rewards.days import WINDOWS, Window
from rewards.policy.activity_model import Activity, EachTime
from rewards.policy.model import (
    ALL,
    AmountIs,
    Condition,
    EarningRule,
    Eligible,
    Flat,
    HasCode,
    InTier,
    Limit,
    Not,
    Policy,
    Rate,
    Schedule,
    Tiers,
    Times,
)
from tests.strategies import members, words
from tests.strategies import rules as r
from tests.strategies.cases import MORE, STORY, Case, case_of
from tests.strategies.histories import story
from tests.strategies.policies import GROUP, POLICY, SIZE, TIERS, amended, eligible, expiry, policy_of, wallet
from tests.strategies.words import Draw, chance, duration, pick, some, whole

RuleMaker = Callable[[Draw, int, EarningRule], EarningRule]
Since = Literal["earned", "available", "last_visit"]
PolicyMaker = Callable[[Draw, int, Policy], Policy]


@dataclass(frozen=True)
class Feature:
    """How a feature is put into a policy of one plain rule, and taken out of any policy."""

    put: PolicyMaker
    strip: Callable[[Policy], Policy]


def _on_rule(put: RuleMaker, strip: Callable[[EarningRule], EarningRule]) -> Feature:
    def put_into(draw: Draw, anchor: int, policy: Policy) -> Policy:
        rules = {key: put(draw, anchor, rule) for key, rule in policy.rules.items()}
        return r.with_rules(policy, rules)

    return Feature(put_into, lambda policy: _stripped(policy, strip))


def _stripped(policy: Policy, strip: Callable[[EarningRule], EarningRule]) -> Policy:
    return r.with_rules(policy, {key: strip(rule) for key, rule in policy.rules.items()})


def _condition(kind: str) -> Feature:
    def put(draw: Draw, _: int, rule: EarningRule) -> EarningRule:
        return replace(rule, when=(r.condition(draw, kind, rule.measure),))

    return _on_rule(put, lambda rule: replace(rule, when=tuple(c for c in rule.when if kind_of(c) != kind)))


def kind_of(condition: Condition) -> str:
    """The name of a condition as the draws know it."""
    names = {
        "FirstPurchase": "first_purchase",
        "NthVisit": "nth_visit",
        "NoVisitFor": "no_visit_for",
        "MemberFor": "member_for",
        "Referred": "referred",
        "HasAttribute": "attribute",
        "Birthday": "birthday",
        "Anniversary": "anniversary",
        "InTier": "tier",
    }
    match condition:
        case AmountIs(what=what, within=within):
            return what if within is None or what == "visits" else f"{what}_within"
        case HasCode():
            return "code"
        case Not():
            return "not"
    return names[type(condition).__name__]


def _scheduled(key: str) -> Feature:
    def put(draw: Draw, anchor: int, rule: EarningRule) -> EarningRule:
        return replace(rule, schedule=r.schedule(draw, anchor, key))

    def strip(rule: EarningRule) -> EarningRule:
        return replace(rule, schedule=replace(rule.schedule or Schedule(), **{key: None}))

    return _on_rule(put, strip)


def _limited(draw: Draw, _: int, rule: EarningRule) -> EarningRule:
    pers = some(draw, r.NESTS[rule.measure])
    return replace(rule, limits=tuple(Limit(pick(draw, (5, 1, 3, 10)), per) for per in pers))


def _dropping(draw: Draw, _: int, rule: EarningRule) -> EarningRule:
    measure: Window = pick(draw, WINDOWS[1:])
    gives = pick(draw, (Rate("spend", 150, 1), Rate("units", 2, 1), Rate("spend", 300, 2)))
    return replace(rule, measure=measure, limits=(), gives=gives, remainder="drop")


def _multiplied(draw: Draw, anchor: int, policy: Policy) -> Policy:
    rules = dict(policy.rules)
    if chance(draw, 2):
        rules["second"] = r.rule(draw, "second", anchor, wallet="points", measure=rules["main"].measure)
    rate = pick(draw, (Rate("spend", 30, 2), Rate("units", 1, 3), Rate("spend", 100, 5), Rate("units", 2, 1)))
    kind = pick(draw, r.CONDITIONS)
    rules["main"] = replace(
        rules["main"], gives=rate, when=(r.condition(draw, kind, rules["main"].measure),) if chance(draw, 2) else ()
    )
    more = r.multiplier(draw, "more", anchor, rules)
    return r.with_rules(policy, {**rules, **({"more": more} if more else {})})


def _without_multipliers(policy: Policy) -> Policy:
    kept = {key: rule for key, rule in policy.rules.items() if not isinstance(rule.gives, Times)}
    return replace(policy, rules=kept)


def _chosen(draw: Draw, anchor: int, policy: Policy) -> Policy:
    measure: Window = pick(draw, ("day", "week", "month", "receipt", "ever"))
    names = some(draw, ("main", "other", "third"), 3)
    plain = chance(draw, 2)
    rules = {
        name: r.rule(draw, name, anchor, wallet="points", measure=measure, choose=GROUP, plain=plain) for name in names
    }
    return replace(r.with_rules(policy, rules), groups=(GROUP,))


def _with_activity(draw: Draw, policy: Policy) -> Policy:
    rules = {**policy.rules, "review": r.activity(draw, "review")}
    return r.with_rules(replace(policy, activities={"review": Activity("review")}), rules)


def _without_activities(policy: Policy) -> Policy:
    kept = {key: rule for key, rule in policy.rules.items() if not isinstance(rule.gives, EachTime)}
    return replace(policy, rules=kept, activities={})


def _on_wallet(put: PolicyMaker, **plain: object) -> Feature:
    def strip(policy: Policy) -> Policy:
        return r.with_wallets(policy, {key: replace(one, **plain) for key, one in policy.wallets.items()})  # type: ignore[arg-type]

    return Feature(put, strip)


def _rounded(draw: Draw, _: int, policy: Policy) -> Policy:
    how = pick(draw, words.ROUNDINGS[1:])
    return r.with_wallets(policy, {key: replace(one, round=how) for key, one in policy.wallets.items()})


def _pending(draw: Draw, _: int, policy: Policy) -> Policy:
    return r.with_wallets(policy, {key: replace(one, pending=duration(draw)) for key, one in policy.wallets.items()})


def _expiring(since: Since | None = None) -> Feature:
    def put(draw: Draw, _: int, policy: Policy) -> Policy:
        found = {}
        for key in policy.wallets:
            drawn = wallet(draw, key)
            ends = expiry(draw, drawn.pending)
            found[key] = replace(drawn, round="down", expires=replace(ends, since=since or ends.since))
        return r.with_wallets(policy, found)

    def strip(policy: Policy) -> Policy:
        found = {}
        for key, one in policy.wallets.items():
            was = one.expires
            plain = replace(was, since="earned") if was and since else None
            found[key] = replace(one, expires=plain)
        return r.with_wallets(policy, found)

    return Feature(put, strip)


def _counting(**drawn: object) -> Feature:
    """A key of `eligible` away from its default."""
    plain = {key: getattr(Eligible(), key) for key in drawn}

    def put(draw: Draw, _: int, policy: Policy) -> Policy:
        values = {key: r.selection(draw) if key == "excluding" else value for key, value in drawn.items()}
        return replace(policy, eligible=replace(eligible(draw), **values))  # type: ignore[arg-type]

    return Feature(put, lambda policy: replace(policy, eligible=replace(policy.eligible, **plain)))


FEATURES: dict[str, Feature] = {
    **{kind: _condition(kind) for kind in r.CONDITIONS},
    **{f"schedule_{key}": _scheduled(key) for key in ("hours", "starts", "ends", "days", "dates", "stores")},
    "on": _on_rule(lambda draw, _, rule: replace(rule, on=r.selection(draw)), lambda rule: replace(rule, on=ALL)),
    "stored_value": _on_rule(
        lambda draw, _, rule: replace(rule, on=r.selection(draw, depth=0, stored=True)),
        lambda rule: replace(rule, on=ALL) if any(m.stored_value for m in rule.on.any_of) else rule,
    ),
    "paid_with": _on_rule(
        lambda draw, _, rule: replace(rule, paid_with=frozenset(some(draw, words.KINDS))),
        lambda rule: replace(rule, paid_with=None),
    ),
    "limits": _on_rule(_limited, lambda rule: replace(rule, limits=())),
    "remainder": _on_rule(_dropping, lambda rule: replace(rule, remainder="carry")),
    "flat": _on_rule(
        lambda draw, _, rule: replace(rule, gives=Flat(whole(draw, 1, 9)), remainder="carry"),
        lambda rule: replace(rule, gives=Rate("visits", 1, 1)) if isinstance(rule.gives, Flat) else rule,
    ),
    "times": Feature(_multiplied, _without_multipliers),
    "choose": Feature(_chosen, lambda policy: _stripped(policy, lambda rule: replace(rule, choose=None))),
    "activities": Feature(lambda draw, _, policy: _with_activity(draw, policy), _without_activities),
    "round": _on_wallet(_rounded, round="down"),
    "pending": _on_wallet(_pending, pending=None),
    "expires": _expiring(),
    "expires_since_last_visit": _expiring(since="last_visit"),
    "expires_since_available": _expiring(since="available"),
    "excluding": _counting(excluding=True),
    "before_discounts": _counting(before_discounts=True),
    "tax_excluded": _counting(tax_included=False),
    "points_count": _counting(points_count=True),
}
FOCUSES = (*FEATURES, "versions")


@st.composite
def focused(draw: st.DrawFn, name: str, *, most_receipts: int = 6) -> Case:
    """Draw a case about one feature."""
    block = draw(words.blocks(1 + POLICY + STORY + MORE + 60))
    zone, anchor = pick(block, words.ANCHORS)
    own = block.region(1, POLICY)
    plain = r.rule(own, "main", anchor, wallet="points", plain=True)
    levels = members.tiers(own.region(TIERS, SIZE))
    policy = policy_of({"main": plain}, zone=zone, tiers=levels)
    versions = [(anchor - 400, policy)]
    if name in FEATURES:
        versions = [(anchor - 400, FEATURES[name].put(own, anchor, policy))]
    else:
        limited = replace(plain, limits=r.limits(own, plain.measure))
        versions = [(anchor - 400, policy_of({"main": limited}, zone=zone, tiers=levels))]
        for number in (2, 3):
            cut = versions[-1][0] + (401 if number == 2 else whole(own, 1, 3))
            versions.append((cut, amended(own, versions[-1][1], anchor, number)))
    told = story(block.region(1 + POLICY, STORY), zone, anchor, most_receipts=most_receipts)
    return case_of(versions, told, zone, anchor, block.region(1 + POLICY + STORY, MORE + 60))


YEARS = (0, 1, 2, 5, 20, 28, 30, 31, 60, 90, 150, 200, 255)


@st.composite
def climbing(draw: st.DrawFn) -> Case:
    """Draw tiers over years: some eight purchases whose sums lie near the levels, one to three versions of the tiers."""
    block = draw(words.blocks(1 + POLICY + STORY + MORE + 60))
    zone, anchor = pick(block, words.ANCHORS)
    own = block.region(1, POLICY)
    base = EarningRule(id="base", wallet="points", gives=Rate("spend", pick(own, (100, 50)), 1), meaning="")
    rules = {"base": base}
    for name in members.LEVELS[whole(own, 0, 1) :]:
        rules[name] = replace(
            base,
            id=name,
            wallet=pick(own, ("points", "stamps")),
            gives=Flat(1),
            when=(InTier(frozenset({name})),),
        )
    versions = []
    for number in range(whole(own, 1, 3)):
        levels = members.tiers(own.region(TIERS + number * SIZE, SIZE))
        if versions and chance(own, 2):
            levels = replace(levels, by=_tiers_of(versions[-1][1]).by, measure=_tiers_of(versions[-1][1]).measure)
        version = policy_of(rules, zone=zone, tiers=levels, version=f"sha256:{number}")
        cut = max(versions[-1][0] + 1, anchor + pick(own, (1, 30, 200, 360))) if versions else anchor - 400
        versions.append((cut, version))
    told = story(block.region(1 + POLICY, STORY), zone, anchor, most_receipts=9, busy=False, gaps=YEARS)
    return case_of(versions, told, zone, anchor, block.region(1 + POLICY + STORY, MORE + 60))


def _tiers_of(policy: Policy) -> Tiers:
    assert policy.tiers is not None
    return policy.tiers
