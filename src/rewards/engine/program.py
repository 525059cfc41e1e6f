"""A program through time: which version judges which day, and what a cut carries over.

What does not live here: how versions are published or stored. The engine's own
number stands on every entry, so that a mended step never rewrites old days.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rewards.days import period
from rewards.engine.plan import Contest, Plan, Progress, Recent, Slot, Standing, Used, Visits
from rewards.engine.step import EMPTY, HEAD, Carry, Compiled, compile_step
from rewards.engine.tiers import NOTHING, Ladder, Promise
from rewards.engine.tiers import Standing as TierStanding
from rewards.policy.activity_model import YEARLY
from rewards.policy.model import Policy
from rewards.receipt import Receipt, Returned

ENGINE_VERSION = 1

_FROM_RECEIPTS = Recent | Visits | Standing
_compiled: dict[str, Compiled] = {}


def compiled(policy: Policy) -> Compiled:
    """Return the policy ready to judge days; compiled once for each version."""
    ready = _compiled.get(policy.version)
    if ready is None or ready.policy != policy:
        ready = _compiled[policy.version] = compile_step(policy)
    return ready


@dataclass(frozen=True, slots=True)
class PastDay:
    """An earlier day as a cut may need it: points by rule id, and the receipts as they are now."""

    day: int
    points: dict[str, int]
    receipts: Sequence[tuple[Receipt, Returned]]


Past = Callable[[], Iterable[PastDay]]


class Program:
    """The versions of a program, each in force from a local midnight on; the first judges everything before it too."""

    def __init__(self, versions: Sequence[tuple[int, Policy]]) -> None:
        """Take (first day, policy), oldest first; of two with one first day the later stands."""
        latest = dict(versions)
        self.from_days = sorted(latest)
        self.versions = [compiled(latest[day]) for day in self.from_days]
        self.moving = sorted(
            {
                wallet.key
                for version in self.versions
                for wallet in version.policy.wallets.values()
                if wallet.expires is not None and wallet.expires.since == "last_visit"
            }
        )  # wallets whose lots end so long after the last visit
        self.yearly = [
            name for name in YEARLY if any(name in version.policy.activities for version in self.versions)
        ]  # activities that come by themselves every year
        self.gives_cards = any(version.gives_cards for version in self.versions)
        self.has_automatic = any(
            reward.automatic for version in self.versions for reward in version.policy.rewards.values()
        )  # whether a reward of any version comes by itself
        self.zone = self.versions[0].policy.zone  # the same in every version

    def index(self, day: int) -> int:
        """Return the number of the version in force on a day."""
        return max(0, bisect_right(self.from_days, day) - 1)

    def on(self, day: int) -> Compiled:
        """Return the version in force on a day."""
        if len(self.versions) == 1:
            return self.versions[0]
        return self.versions[max(0, bisect_right(self.from_days, day) - 1)]

    def start(self, day: int) -> Carry:
        """Return the carry of an owner of whom nothing is known before `day`."""
        return self._blank(0 if self.from_days[0] > day else self.index(day))

    def _blank(self, index: int) -> Carry:
        return [index, 0, 0, *(EMPTY[type(slot)] for slot in self.versions[index].plan.slots)]

    def needs_past(self, carry: Carry, day: int) -> str:
        """Return what a cut between the carry and `day` must look up: "" (nothing), "points" or "receipts"."""
        if len(self.versions) == 1:
            return ""
        need = ""
        old = carry[0]
        assert isinstance(old, int)
        for number in range(old, self.index(day)):
            missing = self._missing(number)
            if any(isinstance(slot, _FROM_RECEIPTS) for slot in missing):
                return "receipts"
            if missing:
                need = "points"
        return need

    def needs_anywhere(self, last_day: int) -> str:
        """Return what a fold over any of the cuts up to `last_day` may have to look up."""
        found = [slot for number in range(self.index(last_day)) for slot in self._missing(number)]
        if any(isinstance(slot, _FROM_RECEIPTS) for slot in found):
            return "receipts"
        return "points" if found else ""

    def looks_back(self, carry: Carry, last_day: int) -> bool:
        """Return whether a cut between the carry and the last day looks up what the carry does not hold."""
        number = carry[0]
        assert isinstance(number, int)
        return any(self._missing(each) for each in range(number, self.index(last_day)))

    def _missing(self, number: int) -> list[Slot]:
        """Return the slots of version `number + 1` that only the past can fill."""
        old, new = self.versions[number].plan, self.versions[number + 1].plan
        return [
            slot for slot in new.slots if not _inherits(old, new, slot) and not isinstance(slot, Progress | Contest)
        ]

    def ready(self, carry: Carry, day: int, past: Past) -> tuple[Compiled, Carry]:
        """Return the version of a day, and the carry as that version reads it."""
        number = self.index(day)
        return self.versions[number], carry if carry[0] == number else self.cut(carry, day, past)

    def cut(self, carry: Carry, day: int, past: Past) -> Carry:
        """Bring a carry to the version of `day`, through every version between.

        Progress stays where the rule means the same, and restarts where it does
        not. Limits and conditions on history go on counting; what the old
        version did not keep is looked up in the past. A level that was promised is kept.
        """
        while (number := carry[0]) != self.index(day):
            assert isinstance(number, int)
            old, new = self.versions[number], self.versions[number + 1]
            kept = dict(zip(old.plan.slots, carry[HEAD:], strict=True))
            slots: list[object] = []
            for slot in new.plan.slots:
                if isinstance(slot, Standing):
                    slots.append(self._standing(old, new, kept, number + 1, past))
                elif _inherits(old.plan, new.plan, slot):
                    slots.append(kept[slot])
                else:
                    slots.append(_filled(new, slot, day, past))
            carry = [number + 1, carry[1], carry[2], *slots]
        return carry

    def promised(self, carry: Carry, day: int, promises: Sequence[Promise]) -> Carry:
        """Return the carry after a day on which levels were promised."""
        version = self.versions[self.index(day)]
        ladder = version.ladder
        if ladder is None:
            return carry
        slots = zip(version.plan.slots, carry[HEAD:], strict=True)
        kept = [ladder.kept(known, day, promises) if isinstance(slot, Standing) else known for slot, known in slots]  # type: ignore[arg-type]
        return [*carry[:HEAD], *kept]

    def _standing(
        self, old: Compiled, new: Compiled, kept: Mapping[Slot, object], number: int, past: Past
    ) -> TierStanding:
        """Return how a member stands at the cut: what was promised by name, what is measured by the new measure."""
        assert new.ladder is not None
        cut = self.from_days[number]
        promised = next((kept[slot] for slot in old.plan.slots if isinstance(slot, Standing)), NOTHING)
        assert isinstance(promised, list)
        if old.ladder is None or not _same_measure(old.ladder, new.ladder):
            amounts = self._counted(new.ladder.tiers.by, cut, past)
            return new.ladder.measured_anew(promised, old.ladder, cut, amounts)
        return new.ladder.taken_over(promised, old.ladder, cut)

    def _counted(self, by: str, before: int, past: Past) -> list[tuple[int, int]]:
        """Return (day, what counts for tiers) of the days before a cut, oldest first, each by its own version."""
        found = []
        for each in past():
            if each.day < before:
                version = self.on(each.day)
                spend = sum(version.reader.vector(receipt, returned)[0] for receipt, returned in each.receipts)
                given = sum(
                    points
                    for rule, points in each.points.items()
                    if rule in version.policy.rules and version.policy.rules[rule].wallet == by
                )
                amount = spend if by == "spend" else int(spend > 0) if by == "visits" else given
                if amount > 0:
                    found.append((each.day, amount))
        return sorted(found)


def _same_measure(old: Ladder, new: Ladder) -> bool:
    return (old.tiers.by, old.tiers.measure) == (new.tiers.by, new.tiers.measure)


def _inherits(old: Plan, new: Plan, slot: Slot) -> bool:
    """Return whether the old carry holds all that the slot needs; a longer look-back needs more."""
    if slot not in old.slots:
        return False
    return not isinstance(slot, Recent) or set(new.horizons[slot]) <= set(old.horizons[slot])


def _filled(new: Compiled, slot: Slot, day: int, past: Past) -> object:
    """Work out a slot from earlier days; progress and contests begin empty."""
    match slot:
        case Used(rule=rule, per=per):
            now = period(day, per)
            used = sum(each.points.get(rule, 0) for each in past() if each.day < day and period(each.day, per) == now)
            return [now, used]
        case Visits(column=column, window=window):
            now, index = period(day, window), new.plan.columns.index(column)
            days = sum(amount > 0 for at, amount in _amounts(new, index, day, past) if period(at, window) == now)
            return [now, days]
        case Recent(column=column):
            first, index = new.horizon(slot, day), new.plan.columns.index(column)
            return [
                n for at, amount in _amounts(new, index, day, past) if at >= first and amount > 0 for n in (at, amount)
            ]
        case _:
            return EMPTY[type(slot)]


def _amounts(new: Compiled, column: int, day: int, past: Past) -> list[tuple[int, int]]:
    """Return (day, amount of a column) for the days before `day`, oldest first."""
    return sorted(
        (each.day, sum(new.reader.vector(receipt, returned)[column] for receipt, returned in each.receipts))
        for each in past()
        if each.day < day
    )
