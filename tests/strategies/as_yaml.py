"""Prints a compiled policy in the policy language, so that it can go through the loader."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import yaml

from rewards.days import Duration
from rewards.policy.activity_model import FOR_REFERRER, REFERRAL, EachTime
from rewards.policy.model import (
    ALL,
    Accepted,
    AmountIs,
    AmountOff,
    Anniversary,
    Birthday,
    Condition,
    EarningRule,
    Eligible,
    Fairness,
    FirstPurchase,
    FixedPrice,
    Flat,
    Free,
    GiftCard,
    HasAttribute,
    HasCode,
    InTier,
    Limit,
    Loads,
    Match,
    MemberFor,
    Not,
    NoVisitFor,
    NthVisit,
    Offer,
    Pays,
    PercentOff,
    Policy,
    Rate,
    Reward,
    RewardLimit,
    Schedule,
    Selection,
    Text,
    Tiers,
    UseLimit,
    Wallet,
)
from rewards.policy.terms import AloneLimit

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def policy_yaml(policy: Policy) -> str:
    """Return the text of a policy file; its version and its rules' meanings are not part of it."""
    return yaml.safe_dump(_Printer(policy).policy(), sort_keys=False, allow_unicode=True)


class _Printer:
    """Prints one policy; money needs the currency's decimals, points their wallet's words."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def policy(self) -> dict[str, object]:
        policy = self._policy
        attributes = {"members": policy.member_attributes, "lines": policy.line_attributes}
        return _given(
            policy="rewards/v1",
            program=policy.program,
            title=_text(policy.title),
            currency=policy.currency,
            timezone=policy.timezone,
            country=policy.country,
            effective=_date(policy.effective),
            attributes={
                kind: {name: sorted(one) if isinstance(one, frozenset) else one for name, one in declared.items()}
                for kind, declared in attributes.items()
                if declared
            },
            selections={
                one.on_name: self._match(one.on.any_of[0])
                for one in (*policy.rules.values(), *policy.offers.values())
                if one.on_name and one.on is not None
            },
            points={key: self._wallet(wallet) for key, wallet in policy.wallets.items()},
            eligible=self._eligible(policy.eligible),
            tiers=policy.tiers and self._tiers(policy.tiers),
            earn={
                key: self._rule(rule)
                for key, rule in policy.rules.items()
                if key not in policy.activities and key != FOR_REFERRER
            },
            activities={key: self._activity(policy.rules[key]) for key in policy.activities},
            offers={key: self._offer(offer) for key, offer in policy.offers.items()},
            rewards={key: self._reward(reward) for key, reward in policy.rewards.items()},
            gift_cards={key: self._gift_card(card) for key, card in policy.gift_cards.items()},
            choose={group: {"keep": "best"} for group in policy.groups}
            | {name: {"keep": "best", "of": group.of} for name, group in policy.offer_groups.items()},
            returns={
                "accept_within": _duration(policy.returns.accept_within),
                "spent_points": policy.returns.spent_points,
                "restored_points_last": _duration(policy.returns.restored_points_last),
            },
            adjustments={"limit": _one_or_all([self._alone(one) for one in policy.adjustments])}
            if policy.adjustments
            else {},
            fairness=policy.fairness and self._fairness(policy.fairness),
        )

    def _reward(self, reward: Reward) -> dict[str, object]:
        cost: object = self._points(reward.points, reward.wallet)
        if reward.step:
            cost = {"at_least": cost, "step": self._points(reward.step, reward.wallet)}
        minor, each = reward.value or (None, 0)
        per = self._policy.wallets[reward.wallet].one if each == 1 else self._points(each, reward.wallet)
        return _given(
            title=_text(reward.title),
            cost=cost,
            gives=_given(
                offer=reward.offer or None,
                item=reward.item or None,
                gift_card=reward.gift_card or None,
                value=None if minor is None else self._money(minor),
                per=per if minor is not None and (reward.step or each != reward.points) else None,
            ),
            when=self._conditions(reward.when),
            limit=_one_or_all([self._reward_limit(limit, reward.wallet) for limit in reward.limits]),
            automatic=reward.automatic and {"at": reward.automatic},
        )

    def _reward_limit(self, limit: RewardLimit, wallet: str) -> dict[str, object]:
        amount = self._points(limit.amount, wallet) if limit.what == "points" else limit.amount
        return {limit.what: amount, "per": limit.per}

    def _money(self, minor: int) -> str:
        return str(Decimal(minor).scaleb(-self._policy.decimals).quantize(Decimal(1).scaleb(-self._policy.decimals)))

    def _points(self, count: int, wallet: str) -> str:
        return f"{count} {self._policy.wallets[wallet].one if count == 1 else wallet}"

    def _alone(self, limit: AloneLimit) -> dict[str, object]:
        most = (
            {"points": self._points(limit.most, limit.wallet)} if limit.wallet else {"money": self._money(limit.most)}
        )
        return {**most, "per": limit.per}

    def _wallet(self, wallet: Wallet) -> dict[str, object]:
        expires = wallet.expires
        return _given(
            one=wallet.one,
            title=_text(wallet.title),
            round=wallet.round,
            pending=_duration(wallet.pending),
            expires=_given(after=_duration(expires.after), at=expires.at, since=expires.since)
            if expires
            else ("never" if wallet.pending else None),
            pays=wallet.pays and self._pays(wallet.pays, wallet.key),
            liability=wallet.liability
            and {
                "points": self._points(wallet.liability.points, wallet.key),
                "worth": self._money(wallet.liability.worth_minor),
            },
        )

    def _pays(self, pays: Pays, key: str) -> dict[str, object]:
        return _given(
            points=self._points(pays.points, key),
            buys=self._money(pays.buys_minor),
            minimum=self._points(pays.minimum, key),
            step=self._points(pays.step, key),
            at_most=_share(*pays.at_most),
        )

    def _eligible(self, eligible: Eligible) -> dict[str, object]:
        return _given(
            **{"except": eligible.excluding and self._selection(eligible.excluding)},
            amount="before_discounts" if eligible.before_discounts else "after_discounts",
            tax="included" if eligible.tax_included else "excluded",
            paid_by_points="counts" if eligible.points_count else "does_not_count",
        )

    def _tiers(self, tiers: Tiers) -> dict[str, object]:
        def least(amount: int) -> str:
            if tiers.by == "spend":
                return self._money(amount)
            return f"{amount} visits" if tiers.by == "visits" else self._points(amount, tiers.by)

        return _given(
            by=tiers.by,
            measure=_window_or(tiers.measure),
            levels={name: least(amount) for name, amount in tiers.levels},
            keep=None if tiers.keep is None else _window_or(tiers.keep),
            fall=tiers.fall,
        )

    def _selection(self, selection: Selection) -> object:
        if selection == ALL:
            return "all"
        found = [self._match(match) for match in selection.any_of]
        return found[0] if len(found) == 1 else found

    def _on(self, selection: Selection | None, name: str) -> object:
        """Write the first of the alternatives by its name, if it has one."""
        found = [self._match(match) for match in selection.any_of] if selection else []
        return _one_or_all([name, *found[1:]] if name else found)

    def _match(self, match: Match) -> dict[str, object]:
        low, high = match.price_at_least, match.price_at_most
        return _given(
            skus=match.skus and sorted(match.skus),
            categories=match.categories and sorted(match.categories),
            attributes={name: _one_or_all(sorted(values, key=str)) for name, values in match.attributes},
            price=_given(
                at_least=None if low is None else self._money(low), at_most=None if high is None else self._money(high)
            ),
            stored_value=match.stored_value and sorted(match.stored_value),
            **{"except": match.excluding and self._selection(match.excluding)},
        )

    def _rule(self, rule: EarningRule) -> dict[str, object]:
        return _given(
            title=_text(rule.title),
            on=None if rule.on == ALL else self._on(rule.on, rule.on_name),
            schedule=rule.schedule and _schedule(rule.schedule),
            when=self._conditions(rule.when),
            paid_with=rule.paid_with and sorted(rule.paid_with),
            **self._gives(rule),
            measure=rule.measure,
            remainder=rule.remainder
            if rule.remainder == "drop" or (rule.title and isinstance(rule.gives, Rate))
            else None,
            limit=_one_or_all([self._limit(limit, rule) for limit in rule.limits]),
            choose=rule.choose,
        )

    def _activity(self, rule: EarningRule) -> dict[str, object]:
        on, referrer = self._policy.activities[rule.id].on, None
        if rule.id == REFERRAL:
            rule, referrer = replace(rule, when=rule.when[2:]), self._policy.rules.get(FOR_REFERRER)
        return _given(
            title=_text(rule.title),
            when=self._conditions(rule.when),
            **self._gives(rule),
            for_referrer=referrer and self._gives(referrer)["give"],
            limit=_one_or_all([self._limit(limit, one) for one in [referrer or rule] for limit in one.limits]),
            on=None if on == "day" else on,
        )

    def _offer(self, offer: Offer) -> dict[str, object]:
        at_most = offer.at_most
        return _given(
            title=_text(offer.title),
            on=None if offer.on in (None, ALL) else self._on(offer.on, offer.on_name),
            schedule=offer.schedule and _schedule(offer.schedule),
            when=self._conditions(offer.when),
            stage=offer.stage,
            **self._off(offer),
            at_most=None if at_most is None else self._money(at_most),
            limit=_one_or_all([self._use(limit) for limit in offer.limits]),
            budget=_one_or_all([self._use(budget) for budget in offer.budgets]),
            only_by=offer.only_by,
            funded_by=offer.funded_by or None,
            choose=offer.choose,
        )

    def _gift_card(self, card: GiftCard) -> dict[str, object]:
        expires = card.expires
        return _given(
            kind=card.kind,
            offer=card.offer or None,
            load=card.load and self._load(card.load),
            value=None if card.value is None else self._money(card.value),
            max_balance=None if card.max_balance is None else self._money(card.max_balance),
            not_on=card.not_on and self._selection(card.not_on),
            vat=card.vat,
            expires=_given(after=_duration(expires.after), at=expires.at)
            if expires
            else ("never" if card.to == "member" else None),
            to=card.to,
        )

    def _load(self, load: Loads) -> object:
        if load.amounts:
            return [self._money(amount) for amount in load.amounts]
        return f"{self._money(load.least)}-{self._money(load.most)}"

    def _off(self, offer: Offer) -> dict[str, object]:
        match offer.gives:
            case PercentOff(numerator, denominator):
                return {"percent_off": _share(numerator, denominator)}
            case AmountOff(minor, per_unit):
                return {"amount_off": self._money(minor) + (" per unit" if per_unit else "")}
            case FixedPrice(minor):
                return {"fixed_price": self._money(minor)}
            case Free(units, of_every, pick, off):
                return {"free": _given(units=units, of_every=of_every, pick=pick, off=_share(*off))}

    def _use(self, limit: UseLimit) -> dict[str, object]:
        return {limit.what: self._money(limit.amount) if limit.what == "money" else limit.amount, "per": limit.per}

    def _gives(self, rule: EarningRule) -> dict[str, object]:
        gives = rule.gives
        if isinstance(gives, Flat | EachTime):
            return {"give": self._given(gives.give, rule)}
        if isinstance(gives, Rate):
            every = self._money(gives.every) if gives.what == "spend" else _count(gives.every, gives.what)
            return {"every": every, "give": self._given(gives.give, rule)}
        return {"times": str(float(Fraction(gives.numerator, gives.denominator))), "of": _one_or_all(list(gives.of))}

    def _given(self, count: int, rule: EarningRule) -> object:
        if rule.card is None:
            return self._points(count, rule.wallet)
        said = self._policy.gift_cards[rule.card.product].value is None and rule.card.value_minor
        return _given(gift_card=rule.card.product, value=self._money(rule.card.value_minor) if said else None)

    def _limit(self, limit: Limit, rule: EarningRule) -> dict[str, object]:
        """Write a limit as what it counts: in an odd number of cards their worth, of units so many units."""
        points, gives = limit.points, rule.gives
        if rule.card is not None and (points % 2 == 0 or not rule.card.value_minor):
            return {"times": points, "per": limit.per}
        if rule.card is not None:
            return {"money": self._money(points * rule.card.value_minor), "per": limit.per}
        if isinstance(gives, Rate) and gives.what == "units" and points % gives.give == 0:
            return {"units": points // gives.give * gives.every, "per": limit.per}
        return {"points": self._points(points, rule.wallet), "per": limit.per}

    def _fairness(self, fairness: Fairness) -> dict[str, object]:
        return _given(
            promise=list(fairness.promise),
            accept={name: self._accepted(name, one) for name, one in fairness.accept.items()},
        )

    def _accepted(self, name: str, one: Accepted) -> dict[str, object]:
        if one.names:
            return {"facts" if name == "reads_member_facts" else "rules": list(one.names), "because": one.because}
        most = self._points(one.points, one.wallet) if one.points else self._money(one.minor)
        return {"at_most": _share(*one.share) if one.share[0] else most, "because": one.because}

    def _conditions(self, conditions: tuple[Condition, ...]) -> dict[str, object]:
        found = dict(self._condition(c) for c in conditions if not isinstance(c, HasAttribute))
        wanted = {c.name: _one_or_all(sorted(c.values, key=str)) for c in conditions if isinstance(c, HasAttribute)}
        return {**found, "attribute": wanted} if wanted else found

    def _condition(self, condition: Condition) -> tuple[str, object]:
        match condition:
            case FirstPurchase(within):
                return "first_purchase", {"within": f"{_duration(within)} of joining"} if within else True
            case NthVisit(number, every):
                return "nth_visit", {"every": number} if every else number
            case NoVisitFor(duration):
                return "no_visit_for", _duration(duration)
            case MemberFor(at_least):
                return "member_for", {"at_least": _duration(at_least)}
            case HasCode(code):
                return "code", code
            case InTier(names):
                return "tier", sorted(names)
            case Birthday(within):
                return "birthday", {"within": _duration(within)}
            case Anniversary(within):
                return "anniversary", {"within": _duration(within)}
            case HasAttribute():
                raise AssertionError("several of them share one key")
            case Not(all_of):
                return "not", self._conditions(all_of)
            case AmountIs():
                return condition.what, self._amount(condition)

    def _amount(self, condition: AmountIs) -> dict[str, object]:
        def bound(amount: int | None) -> str | None:
            if amount is None:
                return None
            return self._money(amount) if condition.what == "spend" else _count(amount, condition.what)

        return _given(
            at_least=bound(condition.at_least),
            at_most=bound(condition.at_most),
            within=_duration(condition.within),
            on=condition.of and self._selection(condition.of),
        )


def _share(numerator: int, denominator: int) -> str:
    return f"{Decimal(100 * numerator) / denominator}%"


def _given(**parts: object) -> dict[str, object]:
    """Leave out what is not there."""
    return {key: part for key, part in parts.items() if part is not None and part not in ({}, [])}


def _one_or_all(found: list[object]) -> object:
    """Write a list of one as the one."""
    return found[0] if len(found) == 1 else found


def _text(text: Text) -> object:
    return text.get("") or dict(text)


def _date(day: int | None) -> date | None:
    return None if day is None else date.fromordinal(day)


def _duration(duration: Duration | None) -> str | None:
    if duration is None:
        return None
    return f"{duration.count} {duration.unit.removesuffix('s') if duration.count == 1 else duration.unit}"


def _window_or(value: str | Duration) -> str | None:
    return _duration(value) if isinstance(value, Duration) else value


def _count(count: int, what: str) -> str:
    return f"{count} {what.removesuffix('s') if count == 1 else what}"


def _schedule(schedule: Schedule) -> dict[str, object]:
    hours = schedule.hours and "-".join(f"{minute // 60:02}:{minute % 60:02}" for minute in schedule.hours)
    found = _given(
        until=_date(schedule.ends),
        days=schedule.days and [WEEKDAYS[day] for day in sorted(schedule.days)],
        dates=schedule.dates and [_date(day) for day in sorted(schedule.dates)],
        hours=hours,
        stores=schedule.stores and sorted(schedule.stores),
    )
    return {**_given(**{"from": _date(schedule.starts)}), **found}
