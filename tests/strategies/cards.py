"""Draws gift cards that rules give, and what a file says of its fairness; both name other parts of the policy."""

from __future__ import annotations

from dataclasses import replace

from rewards.policy.activity_model import FOR_REFERRER, EachTime
from rewards.policy.fairness import MEMBER_FACTS, PROMISES
from rewards.policy.model import Accepted, EarningRule, Fairness, Flat, GivenCard, Policy, Rate, Times
from tests.strategies.rules import with_rules
from tests.strategies.words import Draw, chance, pick, some

BECAUSE = "everybody can read the terms"


def with_given_cards(draw: Draw, policy: Policy) -> Policy:
    """Return the policy, some of whose rules and activities give cards in place of points."""
    cards = _cards(draw, policy)
    bases = {base for rule in policy.rules.values() if isinstance(rule.gives, Times) for base in rule.gives.of}
    able = [
        name
        for name, rule in policy.rules.items()
        if rule.choose is None and name not in bases and not isinstance(rule.gives, Times)
    ]
    if not cards or not able or chance(draw, 2):
        return policy
    chosen = some(draw, able, 3)
    return with_rules(
        policy, {**policy.rules, **{name: _giving(policy.rules[name], pick(draw, cards)) for name in chosen}}
    )


def _cards(draw: Draw, policy: Policy) -> list[GivenCard]:
    return [
        GivenCard(one.id, 0 if one.kind == "voucher" else one.value or pick(draw, (300, 1200)))
        for one in policy.gift_cards.values()
        if one.kind != "paid"
    ]


def _giving(rule: EarningRule, card: GivenCard) -> EarningRule:
    gives = rule.gives
    if isinstance(gives, Rate):
        gives = Rate(gives.what, gives.every, 1)
    else:
        gives = EachTime(gives.activity, 1) if isinstance(gives, EachTime) else Flat(1)
    return replace(rule, wallet="", card=card, gives=gives)


def with_fairness(draw: Draw, policy: Policy) -> Policy:
    """Return the policy with promises, and bounds with a reason."""
    if not chance(draw, 2):
        return policy
    wallet = pick(draw, sorted(policy.wallets))
    bounds = {
        "split_gain": Accepted(because=BECAUSE, points=5, wallet=wallet),
        "split_loss": Accepted(because=BECAUSE, points=1, wallet=wallet),
        "cliff": Accepted(because=BECAUSE, points=100, wallet=wallet),
        "dead_zone": Accepted(because=BECAUSE, minor=5000),
        "reward_rate": Accepted(because="merchandise in the best week", share=(3, 20)),
        "reads_member_facts": Accepted(because=BECAUSE, names=(*sorted(policy.member_attributes)[:1], *MEMBER_FACTS)),
        "can_lower": Accepted(because=BECAUSE, names=tuple(_named(policy))),
    }
    accept = some(draw, sorted(bounds), 3) if chance(draw, 2) else []
    promise = some(draw, PROMISES, 4) if not accept or chance(draw, 2) else []
    return replace(policy, fairness=Fairness(promise=tuple(promise), accept={name: bounds[name] for name in accept}))


def _named(policy: Policy) -> list[str]:
    return [name for name in policy.rules if name != FOR_REFERRER]


def with_fitting_cards(policy: Policy) -> Policy:
    """Return the policy whose rules give only cards that it has, and whose fairness names only rules that it has."""
    rules = {name: _fitting(rule, policy) for name, rule in policy.rules.items()}
    if rules != policy.rules:
        policy = with_rules(policy, rules)
    if policy.fairness is None or "can_lower" not in policy.fairness.accept:
        return policy
    named = Accepted(because=BECAUSE, names=tuple(_named(policy)))
    return replace(policy, fairness=replace(policy.fairness, accept={**policy.fairness.accept, "can_lower": named}))


def _fitting(rule: EarningRule, policy: Policy) -> EarningRule:
    if rule.card is None:
        return rule
    product = policy.gift_cards.get(rule.card.product)
    if product is None:
        return replace(rule, wallet=min(policy.wallets), card=None)
    value = 0 if product.kind == "voucher" else product.value or rule.card.value_minor
    return replace(rule, card=GivenCard(product.id, value))
