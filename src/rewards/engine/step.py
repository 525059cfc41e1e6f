"""The step: what one day earned, generated as Python from the policy's plan.

`step(carry, periods, day, rows, member) -> (carry', points of each rule)`. The
carry is a list: number of the policy version, last visit day (0: none), visits
so far, then one entry for each slot of the plan. `rows` are the vectors of the
day's receipts; `member` is what is known of the member on that day.
`tell(carry, periods, day, vector, points, award) -> (points by rule, zeros left out, awards)` says the awards of
a day that had none before; `award` makes one of rule, wallet, day, points and `explain.facts`.

Generated code has no branch that the policy does not need, which makes it about
ten times as fast as interpreting the rules; `reference` is the same definition
in obvious form, and a law says that both agree. Everything that reaches the
generated text is a number of ours or a name made here, never text of a policy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from rewards.days import WINDOWS, Duration, plus
from rewards.engine.lines import Reader, has_value
from rewards.engine.member import Member, last_birthday, last_yearly
from rewards.engine.offers import OfferBook
from rewards.engine.plan import (
    LONG,
    Contest,
    Plan,
    Progress,
    Recent,
    RulePlan,
    Slot,
    Standing,
    Used,
    Visits,
    contests,
    plan_policy,
)
from rewards.engine.tiers import NOTHING, Ladder
from rewards.engine.tiers import Standing as TierStanding
from rewards.engine.writing import HEAD, Writer
from rewards.policy.model import Policy

__all__ = ["EMPTY", "HEAD", "Carry", "Compiled", "Row", "Step", "compile_step", "first_day"]

Carry = list[object]
Row = list[int]
Step = Callable[[Carry, tuple[int, ...], int, Sequence[Row], Member], tuple[Carry, list[int]]]
Tell = Callable[[Carry, tuple[int, ...], int, Row, list[int], Callable[..., Any]], tuple[dict[int, int], list[Any]]]


class Sums(NamedTuple):
    """Where the sums of one rule stand."""

    columns: tuple[int, ...]  # of the day's vector
    visits: bool  # count the day, not the sum
    entry: int  # of the carry: the progress in a window that outlasts the day; 0 if there is none
    window: int  # index of the window in `periods`


@dataclass(slots=True)
class Compiled:
    """A policy version, ready to judge days."""

    policy: Policy
    plan: Plan
    reader: Reader
    step: Step
    tell: Tell
    source: str  # of the generated functions, for whoever debugs them
    rule_ids: list[str]
    wallets: list[str]  # of each rule
    only_wallet: str  # if all rules give one wallet, else empty
    offers: OfferBook | None  # None: the policy has none
    offers_by_itself: bool  # some offer needs nobody who asks for it
    sums: list[Sums]  # of each rule: where `explain` finds what was counted
    ladder: Ladder | None  # None: the policy has no tiers
    gives_cards: bool  # some rule gives gift cards

    def horizon(self, slot: Recent, day: int) -> int:
        """Return the first day that a `Recent` slot must still know on `day`."""
        return min(first_day(day, within) for within in self.plan.horizons[slot])

    def standing(self, carry: Sequence[Any]) -> TierStanding:
        """Return how the member stands in the tiers; the policy must have some."""
        at = next(i for i, slot in enumerate(self.plan.slots) if isinstance(slot, Standing))
        found: TierStanding = carry[HEAD + at]
        return found


def first_day(day: int, within: Duration) -> int:
    """Return the first day of the `within` that ends with `day`."""
    return day - within.count + 1 if within.unit == "days" else plus(day, within, -1) + 1


def compile_step(policy: Policy) -> Compiled:
    """Plan the policy and generate its step."""
    plan = plan_policy(policy)
    groups = contests(plan)
    ladder = Ladder(policy.tiers) if policy.tiers is not None else None
    writer = Writer(plan, groups, ladder)
    source = writer.text()
    names: dict[str, object] = {
        "plus": plus,
        "D": Duration,
        "since": _since,
        "days": _days,
        "roll": _roll,
        "has": has_value,
        "yearly": last_yearly,
        "born": last_birthday,
        "ladder": ladder,
        "wanted": writer.wanted,
        **{f"r{rule.index}": rule.rule.id for rule in plan.rules},
        **{f"w{rule.index}": rule.rule.wallet for rule in plan.rules},
    }
    exec(compile(source, "<step>", "exec"), names)  # noqa: S102  made from our own plan, see above
    step: Step = names["step"]  # type: ignore[assignment]
    tell: Tell = names["tell"]  # type: ignore[assignment]
    return Compiled(
        policy=policy,
        plan=plan,
        reader=Reader(policy.eligible, plan.columns),
        step=step,
        tell=tell,
        source=source,
        rule_ids=[rule.rule.id for rule in plan.rules],
        wallets=[rule.rule.wallet for rule in plan.rules],
        only_wallet=wallets[0] if len(wallets := sorted({rule.rule.wallet for rule in plan.rules})) == 1 else "",
        offers=OfferBook(policy.offers, policy.offer_groups, policy.eligible) if policy.offers else None,
        offers_by_itself=any(offer.only_by is None for offer in policy.offers.values()),
        sums=[_sums(plan, rule) for rule in plan.rules],
        ladder=ladder,
        gives_cards=any(rule.card is not None for rule in policy.rules.values()),
    )


def _sums(plan: Plan, rule: RulePlan) -> Sums:
    columns = tuple(term.column for term in rule.terms)
    entry = window = 0
    if rule.rule.measure in LONG:
        entry = HEAD + plan.slots.index(Progress(rule.rule.id, rule.rule.meaning))
        window = WINDOWS.index(rule.rule.measure) - 1
    return Sums(columns, rule.visits, entry, window)


def _since(known: Sequence[int], first: int) -> int:
    """Sum the amounts of days from `first` on."""
    total = 0
    for i in range(len(known) - 2, -1, -2):
        if known[i] < first:
            break
        total += known[i + 1]
    return total


def _days(known: Sequence[int], first: int) -> int:
    """Count the days from `first` on."""
    count = 0
    for i in range(len(known) - 2, -1, -2):
        if known[i] < first:
            break
        count += 1
    return count


def _roll(known: Sequence[int], first: int, day: int, amount: int) -> list[int]:
    """Add a day and forget the days before `first`."""
    start = 0
    while start < len(known) and known[start] < first:
        start += 2
    return [*known[start:], day, amount]


EMPTY: dict[type[Slot], list[object]] = {
    Progress: [-1],
    Used: [-1, 0],
    Visits: [-1, 0],
    Recent: [],
    Contest: [-1, -1, []],
    Standing: NOTHING,
}
