"""A policy file's bytes -> `model.Policy`, or every problem of the file.

What does not live here: reading YAML (`source`), the vocabulary (`schema`,
`shape`), and the checks of single sections (`head`, `selections`, `rules`,
`offers`, `gift_cards`, `wallets`, and the oddities of each). Pure: the same bytes give the same answer.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Literal
from zoneinfo import ZoneInfo

from rewards.policy.activities import built_activities, check_names, draft_activities
from rewards.policy.activity_model import FOR_REFERRER
from rewards.policy.adjustments import compile_adjustments
from rewards.policy.attributes import Declared, Kind
from rewards.policy.conditions import OfMembers
from rewards.policy.fairness import compile_fairness
from rewards.policy.forms import Facts
from rewards.policy.futile import remark_on_futile
from rewards.policy.gift_cards import compile_gift_cards
from rewards.policy.given_cards import GivenCards
from rewards.policy.groups import Groups
from rewards.policy.head import check_country, check_currency, check_units, draft_facts, open_zone, speaks_our_language
from rewards.policy.meaning import Meanings
from rewards.policy.model import EarningRule, Eligible, Fairness, GiftCard, OfferGroup, Policy, Returns, Wallet
from rewards.policy.oddities import (
    remark_on_absence,
    remark_on_except,
    remark_on_rule,
    remark_on_unused,
    remark_on_wallet,
)
from rewards.policy.offer_oddities import remark_on_beaten, remark_on_offer
from rewards.policy.offers import OfferChecks, OfferDraft, built_offers, draft_offer, remark_on_ungiven
from rewards.policy.problems import PolicyRefused, Problem, Report
from rewards.policy.rewards import Around, compile_rewards
from rewards.policy.rules import CrossChecks, Draft, draft_rule
from rewards.policy.schema import POLICY
from rewards.policy.selections import Selections
from rewards.policy.shape import Got, Reader, Table
from rewards.policy.source import Map, read_source
from rewards.policy.tiers import Levels, compile_tiers, level_names
from rewards.policy.wallets import compile_wallet, text_of

_NO_ERRORS = "a policy without errors has all its parts"


def compile_policy(data: bytes, file: str = "policy.yaml") -> tuple[Policy | None, list[Problem]]:
    """Return the policy and everything that was found, by place; no policy if any of it is an error.

    `file` is the name that problems are shown with. Never raises for any bytes.
    """
    report = Report(file)
    root = read_source(data, report)
    policy = None
    if root is not None and speaks_our_language(root, report) and isinstance(root, Map):
        facts = draft_facts(root)
        table, _ = Reader(facts, report).table(POLICY, root, root.span)
        policy = _Compiler(data, facts, table, report).compile()
    return policy, report.in_order()


def load_policy(data: bytes) -> Policy:
    """Return the policy of a file that was accepted before; raises `PolicyRefused` if it is not one."""
    policy, problems = compile_policy(data)
    if policy is None:
        raise PolicyRefused(problems)
    return policy


@dataclass(slots=True)
class _Compiler:
    """One file on its way from tables to a policy."""

    data: bytes
    facts: Facts
    root: Table
    report: Report

    def compile(self) -> Policy | None:
        """Check every section, then build the policy if nothing was refused."""
        zone = self._head()
        selections = self._selections()
        eligible = self._eligible(selections)
        wallets = self._wallets()
        groups = self._groups()
        members = self._members()
        given = GivenCards(self._section("gift_cards"), "gift_cards" not in self.root.broken, self.report)
        drafts = self._rules(selections, members, groups, given)
        offers = self._offers(selections, members, groups)
        gift_cards = self._gift_cards(selections, offers)
        around = Around(self._section("offers"), offers, self._section("gift_cards"), gift_cards, selections, members)
        rewards = compile_rewards(self._section("rewards"), around, self.report)
        activities = draft_activities(self._section("activities"), selections, members, groups, given, self.report)
        check_names(activities, drafts, self.report)
        drafts |= activities
        tiers = compile_tiers(self.root.get("tiers"), self.report)
        fairness = self._fairness(drafts, members)
        self._remarks(drafts, offers, eligible)
        if self.report.refused:
            return None
        self._remarks_on_all(selections, groups, drafts, offers)
        of_cards, of_rewards = {one.offer for one in gift_cards.values()}, {one.offer for one in rewards.values()}
        remark_on_ungiven("voucher", of_cards, "`gift_cards`: `{kind: voucher, offer: …}`", offers, self.report)
        remark_on_ungiven("reward", of_rewards, "`rewards`: `{cost: …, gives: {offer: …}}`", offers, self.report)
        if zone is None:
            return None
        policy = self._policy(zone, wallets, eligible)
        built = replace(
            policy,
            tiers=tiers,
            rules=self._built(drafts, wallets),
            activities=built_activities(activities),
            offers=built_offers(offers, groups),
            gift_cards=gift_cards,
            rewards=rewards,
            fairness=fairness,
            groups=tuple(name for name in groups.named if name not in groups.of_offers),
            offer_groups={name: OfferGroup(name, groups.of(name)) for name in groups.named if name in groups.of_offers},
        )
        remark_on_futile(built, drafts, offers, self._section("eligible").get("except"), self.report)
        return built

    def _head(self) -> ZoneInfo | None:
        if currency := self.root.get("currency"):
            check_currency(currency, self.report)
        if country := self.root.get("country"):
            check_country(country, self.report)
        zone = self.root.get("timezone")
        return open_zone(zone, self.report) if zone else None

    def _section(self, name: str) -> Table:
        table = self.root.value(name, Table())
        return table if isinstance(table, Table) else Table()

    def _attributes(self, whose: Literal["lines", "members"]) -> Declared:
        broken = "attributes" in self.root.broken or whose in self._section("attributes").broken
        return Declared(whose, None if broken else self._kinds(whose), self.report)

    def _kinds(self, whose: str) -> dict[str, Kind]:
        declared = self._section("attributes").value(whose, Table())
        return {name: _kind(got.value) for name, got in declared.got.items()}

    def _members(self) -> OfMembers:
        names = level_names(self.root.get("tiers"), broken="tiers" in self.root.broken)
        return OfMembers(self._attributes("members"), Levels(names, self.report))

    def _selections(self) -> Selections:
        named = self._section("selections")
        attributes = self._attributes("lines")
        selections = Selections(
            named.got, named.broken, attributes, self.report, unknown="selections" in self.root.broken
        )
        selections.compile_named()
        return selections

    def _eligible(self, selections: Selections) -> Eligible:
        table = self._section("eligible")
        return Eligible(
            excluding=selections.resolve(table.get("except")),
            before_discounts=table.value("amount") == "before_discounts",
            tax_included=table.value("tax") != "excluded",
            points_count=table.value("paid_by_points") == "counts",
        )

    def _wallets(self) -> dict[str, Wallet]:
        points = self._section("points")
        check_units(points, self.report)
        wallets = {key: compile_wallet(key, got, self.report) for key, got in points.got.items()}
        for key, got in points.got.items():
            remark_on_wallet(wallets[key], got, self.report)
        return wallets

    def _groups(self) -> Groups:
        choose = self._section("choose")
        return Groups(choose.got, None if "choose" in self.root.broken else choose.broken, self.report)

    def _rules(self, selections: Selections, members: OfMembers, groups: Groups, cards: GivenCards) -> dict[str, Draft]:
        earn = self._section("earn").got
        drafts = {name: draft_rule(name, got, selections, members, cards, self.report) for name, got in earn.items()}
        CrossChecks(drafts, self._section("earn").broken, groups, self.report).run()
        return drafts

    def _offers(self, selections: Selections, members: OfMembers, groups: Groups) -> dict[str, OfferDraft]:
        offers = self._section("offers").got
        drafts = {name: draft_offer(name, got, selections, members, self.report) for name, got in offers.items()}
        OfferChecks(drafts, groups, self.report).run()
        return drafts

    def _gift_cards(self, selections: Selections, offers: dict[str, OfferDraft]) -> dict[str, GiftCard]:
        cards = self._section("gift_cards")
        return compile_gift_cards(cards, self._section("offers"), offers, selections, self.report)

    def _fairness(self, drafts: dict[str, Draft], members: OfMembers) -> Fairness | None:
        rules = {*drafts, *self._section("earn").broken, *self._section("activities").broken} - {FOR_REFERRER}
        facts, tiers = members.attributes.kinds, self.root.has("tiers")
        return compile_fairness(self.root.get("fairness"), facts, rules, tiers=tiers, report=self.report)

    def _remarks(self, drafts: dict[str, Draft], offers: dict[str, OfferDraft], eligible: Eligible) -> None:
        remark_on_except(self.root, self.report)
        for draft in drafts.values():
            remark_on_rule(draft, points_count=eligible.points_count, report=self.report)
        for offer in offers.values():
            remark_on_offer(offer, self.report)

    def _remarks_on_all(
        self, selections: Selections, groups: Groups, drafts: dict[str, Draft], offers: dict[str, OfferDraft]
    ) -> None:
        """Remark on what only a file without errors shows: what is broken may be what uses the rest."""
        for draft in drafts.values():
            remark_on_absence(draft, self.report)
        remark_on_beaten(offers, groups, self.report)
        remark_on_unused("selection", selections.named, selections.used, self.report)
        remark_on_unused(
            "wallet", self._section("points").got, {one.wallet for one in drafts.values() if one.wallet}, self.report
        )
        remark_on_unused("group", groups.named, {*groups.of_rules, *groups.of_offers}, self.report)

    def _built(self, drafts: dict[str, Draft], wallets: dict[str, Wallet]) -> dict[str, EarningRule]:
        rules = {name: _built_rule(draft) for name, draft in drafts.items()}
        meanings = Meanings(wallets, rules)
        return {name: replace(rule, meaning=meanings.of(rule)) for name, rule in rules.items()}

    def _policy(self, zone: ZoneInfo, wallets: dict[str, Wallet], eligible: Eligible) -> Policy:
        """Return the policy with what is not an entry of a section: rules and offers come after."""
        if self.facts.decimals is None:
            raise AssertionError(_NO_ERRORS)
        root, returns = self.root, self._section("returns")
        defaults = Returns()
        return Policy(
            version=f"sha256:{hashlib.sha256(self.data).hexdigest()}",
            program=root.value("program"),
            title=text_of(root.get("title")),
            currency=root.value("currency"),
            decimals=self.facts.decimals,
            timezone=root.value("timezone"),
            zone=zone,
            country=root.value("country"),
            effective=root.value("effective"),
            line_attributes=self._kinds("lines"),
            member_attributes=self._kinds("members"),
            wallets=wallets,
            eligible=eligible,
            rules={},
            returns=Returns(
                accept_within=returns.value("accept_within", defaults.accept_within),
                spent_points=returns.value("spent_points", defaults.spent_points),
                restored_points_last=returns.value("restored_points_last", defaults.restored_points_last),
            ),
            adjustments=compile_adjustments(self._section("adjustments"), self.report),
        )


def _kind(declared: Any) -> Any:
    """Return an attribute's kind: a word of the language, or the set of its choices."""
    return frozenset(one.value for one in declared) if isinstance(declared, list) else declared


def _built_rule(draft: Draft) -> EarningRule:
    table = draft.table
    if draft.wallet is None or draft.gives is None or draft.on is None or draft.measure is None:
        raise AssertionError(_NO_ERRORS)
    paid_with: Got | None = table.get("paid_with")
    return EarningRule(
        id=draft.id,
        title=text_of(table.get("title")),
        wallet=draft.wallet,
        card=draft.card,
        gives=draft.gives,
        on=draft.on,
        on_name=draft.on_name,
        schedule=draft.schedule,
        paid_with=frozenset(one.value for one in paid_with.value) if paid_with else None,
        when=draft.when,
        measure=draft.measure,
        remainder=table.value("remainder", "carry"),
        limits=tuple(limit for limit, _ in draft.limits),
        choose=table.value("choose"),
        meaning="",
    )
