"""How an entry's reasons are told: each award with its sentence, its lot's terms, its lines; codes that did nothing.

What does not live here: the sentences themselves (`engine.explain`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from rewards.days import midnight
from rewards.engine import explain
from rewards.engine.lines import holds
from rewards.engine.misses import Miss, Scene, failure, near_misses
from rewards.engine.offer_conditions import barred, needs_member, reads_member
from rewards.engine.program import Program
from rewards.engine.step import Compiled
from rewards.ledger.entries import Award, Posting
from rewards.ledger.lots import NEVER, terms
from rewards.ledger.state import member_on
from rewards.ledger.timeline import Near
from rewards.policy.model import Condition, EarningRule, HasCode, Not, Offer, Policy
from rewards.receipt import Receipt
from rewards.service.answers import AwardAnswer, CodeRefused, LinePoints, NotApplied
from rewards.service.balances import day_text, text
from rewards.service.codes import masked

MOST_MISSES = 10


def told(
    program: Program,
    awards: Iterable[Award],
    postings: Iterable[Posting],
    receipt: Receipt | None = None,
    language: str = "",
) -> list[AwardAnswer]:
    """Return the awards of points as answers; those of the receipt's own day also say which lines brought them."""
    lots = {(leg.wallet, leg.day): leg for leg in postings if leg.account == "lot"}
    shares = _Shares(receipt) if receipt is not None else None
    return [
        _told(program, award, lots.get((award.wallet, award.day)), shares, language)
        for award in awards
        if award.wallet  # gift cards are told by `rule_cards`
    ]


def _told(program: Program, award: Award, lot: Posting | None, shares: _Shares | None, language: str) -> AwardAnswer:
    version, zone = program.on(award.day), program.zone
    policy = version.policy
    rule = policy.rules.get(award.rule)
    if lot is not None:
        available_at, expires_at = lot.available_at, lot.expires_at
    elif award.wallet in policy.wallets:
        available_at, expires_at = terms(policy.wallets[award.wallet], zone, award.day, award.day)
    else:
        available_at, expires_at = midnight(award.day, zone), NEVER
    return AwardAnswer(
        rule=award.rule,
        wallet=award.wallet,
        points=award.points,
        day=day_text(award.day),
        why=why(program, award),
        title=title(rule.title, language) if rule is not None else "",
        available_at=text(available_at, zone),
        expires_at=None if expires_at == NEVER else text(expires_at, zone),
        lines=shares.of(version, award) if shares is not None else [],
    )


def why(program: Program, award: Award) -> str:
    """Return the sentence that says why."""
    version = program.on(award.day)
    return explain.why(version.policy, award.rule, award.points, award.facts, version)


def title(words: dict[str, str], language: str = "") -> str:
    """Return a text in a language: as asked (`ka-GE`, then `ka`), else the author's plain one, else English, else any.

    >>> title({"en": "Beans", "ka": "მარცვლები"}, "ka-GE"), title({"en": "Beans", "ka": "მარცვლები"}, "fr")
    ('მარცვლები', 'Beans')
    """
    if not words:
        return ""
    own = words.get(language) or words.get(language.partition("-")[0])
    return own or words.get("") or words.get("en") or next(iter(words.values()), "")


class _Shares:
    """Lays awards on a receipt's lines by what each line added."""

    def __init__(self, receipt: Receipt) -> None:
        self._receipt = receipt
        self._vectors: list[list[int]] | None = None

    def of(self, version: Compiled, award: Award) -> list[LinePoints]:
        """Return an award's shares by line, which sum to it; none if it is of another day or of no purchase."""
        receipt = self._receipt
        rule = version.plan.rules[version.rule_ids.index(award.rule)]
        if award.day != receipt.day or not award.points or rule.is_activity:
            return []
        if len(receipt.lines) == 1:
            return [LinePoints(receipt.lines[0].line_id, award.points)]
        if self._vectors is None:
            self._vectors = version.reader.by_line(receipt, {})
        if rule.is_times:
            factors = [(term.column, factor) for term, factor in zip(rule.terms, rule.common()[0], strict=True)]
            weights = [sum([vector[column] * factor for column, factor in factors]) for vector in self._vectors]
        else:
            column = rule.terms[0].column
            weights = [vector[column] for vector in self._vectors]
        points = explain.line_shares(award.points, weights)
        return [LinePoints(line.line_id, share) for line, share in zip(receipt.lines, points, strict=True) if share]


def not_applied(program: Program, near: Near, receipt: Receipt) -> list[NotApplied]:
    """Return the rules one condition short on the receipt's day; only asked for the owner's last day."""
    row = near.last
    if row is None or row.day != receipt.day or row.carry[0] != program.index(row.day):
        return []
    version = program.on(row.day)
    misses = near_misses(
        version, row.carry, list(row.rows.values()), row.day, member_on(near, row.day), row.points, receipt.codes
    )
    return [_missed(miss) for miss in misses[:MOST_MISSES]]


def _missed(miss: Miss) -> NotApplied:
    return NotApplied(
        rule=miss.rule,
        condition=miss.condition,
        why=miss.why,
        short_minor=miss.short if miss.unit == "minor" else 0,
        short=0 if miss.unit == "minor" else miss.short,
    )


def not_given(scene: Scene, activity: str) -> list[NotApplied]:
    """Return why an activity gave nothing: the conditions that do not hold, else the limit that is used up."""
    version = scene.version
    rule = version.plan.rules[version.rule_ids.index(activity)]
    misses = [failure(scene, activity, gate) for gate in rule.gates]
    found = [_missed(miss) for miss in misses if miss is not None]
    return found or [NotApplied(activity, "limit", f"the limit of {explain.limits_of(rule)} is used up")]


def codes_refused(policy: Policy, receipt: Receipt, *, guest: bool) -> list[CodeRefused]:
    """Return the codes that did nothing, gift cards' first.

    Of several offers that read a code, the reason is that of the one that came nearest.
    Read from the receipt alone, so it is told alike ever after: what a limit or a
    condition on the member withheld, or another offer beat, `gave-nothing`.
    """
    refused = [CodeRefused(masked(one.last_four), one.reason, one.gift_card_id) for one in receipt.shown if one.reason]
    if not receipt.codes:
        return refused
    readers = reading(policy)
    for code in receipt.codes:
        reasons = {reason_of(policy, receipt, reader, guest=guest) for reader in readers.get(code, ())}
        reason = next((one for one in _NEAREST if one in reasons), "unknown-code")
        if reason != _TAKEN:
            refused.append(CodeRefused(code, reason))
    return refused


_TAKEN = ""
_NEAREST = (_TAKEN, "gave-nothing", "condition", "needs-member", "not-now")
_BARRED = {"schedule": "not-now", "condition": "condition"}
_Reader = EarningRule | Offer | None  # None: a code under `not` does what it should by being there
_known_readers: dict[str, dict[str, list[_Reader]]] = {}


def reason_of(policy: Policy, receipt: Receipt, reader: _Reader, *, guest: bool) -> str:
    """Return why a rule or offer that a code is for did nothing, or an empty text if it did something."""
    if reader is None:
        return _TAKEN
    if isinstance(reader, EarningRule):
        return _TAKEN if reader.schedule is None or holds(reader.schedule, receipt) else "not-now"
    if any(discount.offer == reader.id for discount in receipt.discounts):
        return _TAKEN
    if guest and needs_member(reader):
        return "needs-member"
    basket = replace(reader, when=tuple(one for one in reader.when if not reads_member(one)), only_by=None)
    why = barred(basket, receipt, policy.eligible, member=lambda _: True)
    return _BARRED[why.why] if why is not None else "gave-nothing"


def reading(policy: Policy) -> dict[str, list[_Reader]]:
    """Return the rules and offers that read each code."""
    if policy.version not in _known_readers:
        found: dict[str, list[_Reader]] = {}
        readers: list[EarningRule | Offer] = [*policy.rules.values(), *policy.offers.values()]
        for reader in readers:
            for code, negated in _codes(reader.when):
                found.setdefault(code, []).append(None if negated else reader)
        _known_readers[policy.version] = found
    return _known_readers[policy.version]


def _codes(conditions: Iterable[Condition], *, negated: bool = False) -> Iterator[tuple[str, bool]]:
    """Yield each code that is read, and whether under a `not`."""
    for condition in conditions:
        if isinstance(condition, HasCode):
            yield condition.code, negated
        elif isinstance(condition, Not):
            yield from _codes(condition.all_of, negated=not negated)


def earned(awards: Iterable[Award]) -> dict[str, int]:
    """Return the awards' sums by wallet, zeros left out."""
    sums: dict[str, int] = {}
    for award in awards:
        sums[award.wallet] = sums.get(award.wallet, 0) + award.points
    return {wallet: points for wallet, points in sums.items() if points and wallet}
