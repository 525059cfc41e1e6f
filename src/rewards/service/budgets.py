"""Budgets at work: what is drawn on them, what a full return gives back, and whether they add up.

A use is recorded in the transaction of its purchase, on the budget's own timeline. What does
not live here: how much a budget leaves (`engine.till`), and the booking (`ledger.budgets`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from rewards.engine.till import Drawn, left_of_budget
from rewards.ledger.budgets import Use, book_use
from rewards.policy.model import Offer
from rewards.receipt import Discount, Receipt, Returned, all_back
from rewards.service.balances import day_text
from rewards.service.batch import Batch, Place
from rewards.service.journal import Happened, pack, read_use
from rewards.service.running import Running


def drawn_so_far(batch: Batch) -> dict[str, Drawn]:
    """Return what was drawn on each budget, by offer."""
    budgets = batch.running.budgets
    batch.foresee_lines(budgets.values())
    return {offer: batch.budget(owner).near.drawn for offer, owner in budgets.items()}


def has_room(batch: Batch, offer: Offer, discount: Discount, day: int) -> bool:
    """Return whether an offer's budgets still hold a discount that was promised."""
    if not offer.budgets:
        return True
    drawn = batch.budget(batch.running.budgets[offer.id]).near.drawn
    wanted = {"times": 1, "units": discount.units, "money": discount.amount_minor}
    return all(left_of_budget(budget, drawn, day) >= wanted[budget.what] for budget in offer.budgets)


def draw(batch: Batch, happened: Happened, receipt: Receipt, place: Place) -> None:
    """Record on each budget what a purchase draws on it; `happened` is the purchase."""
    policy = batch.running.policy_on(receipt.day)
    for discount in budgeted(batch.running, receipt):
        line = batch.budget(batch.running.budgets[discount.offer])
        use = Use(*place, receipt.day, discount.units, discount.amount_minor)
        booking = book_use(line.near, use, at=happened.occurred_at, policy=policy)
        number = batch.record(line, msgspec.structs.replace(happened, body=use), booking)
        key = (line.owner, "purchase", happened.store_id, happened.external_id)
        batch.by_id.put(key, (number, happened.fingerprint))


def give_back(batch: Batch, happened: Happened, receipt: Receipt, place: Place) -> None:
    """Give each budget back what a purchase drew on it, once; `happened` is the return of all that was bought."""
    policy = batch.running.policy_on(receipt.day)
    for discount in budgeted(batch.running, receipt):
        line = batch.budget(batch.running.budgets[discount.offer])
        known = batch.by_id.get(line.owner, "purchase", receipt.store_id, receipt.receipt_id)
        if known is None or (earlier := batch.returns.get(line.owner, known[0])):
            continue
        used = read_use(batch.event(line.owner, known[0])[9])
        use = msgspec.structs.replace(used, owner=place[0], number=place[1])
        booking = book_use(line.near, use, at=happened.occurred_at, policy=policy, back=True)
        number = batch.record(line, msgspec.structs.replace(happened, of_number=known[0], body=use), booking)
        earlier.append((number, pack(use)))


def budgeted(running: Running, receipt: Receipt) -> Iterator[Discount]:
    """Return the discounts that draw on a budget, by the version of the receipt's day."""
    if running.budgets and receipt.discounts:
        offers = running.policy_on(receipt.day).offers
        for discount in receipt.discounts:
            offer = offers.get(discount.offer)
            if offer is not None and offer.budgets:
                yield discount


@dataclass(slots=True)
class Tally:
    """Compares what budgets say was drawn with what receipts hold: each counted from its own timeline."""

    running: Running
    _unexplained: defaultdict[tuple[int, int], list[int]] = field(
        default_factory=lambda: defaultdict(lambda: [0, 0, 0])
    )

    def name(self, owner: int) -> str:
        """Return how a finding names an owner."""
        offer = next((offer for offer, budget in self.running.budgets.items() if budget == owner), None)
        return f"owner {owner}" if offer is None else f"owner {owner} (the budget of `{offer}`)"

    def of_budget(self, owner: int, drawn: Mapping[int, Sequence[int]]) -> None:
        """Take what a budget's state says."""
        for day, sums in drawn.items():
            self._add(owner, day, sums, 1)

    def of_receipt(self, receipt: Receipt, returned: Returned) -> None:
        """Take a purchase with what came back of it."""
        if not all_back(receipt, returned):
            for discount in budgeted(self.running, receipt):
                owner = self.running.budgets[discount.offer]
                self._add(owner, receipt.day, (1, discount.units, discount.amount_minor), -1)

    def _add(self, owner: int, day: int, sums: Sequence[int], sign: int) -> None:
        known = self._unexplained[owner, day]
        for i, more in enumerate(sums):
            known[i] += sign * more

    def faults(self) -> Iterator[str]:
        """Return a sentence for each day of which a budget says something else than the receipts."""
        for (owner, day), sums in sorted(self._unexplained.items()):
            if any(sums):
                times, units, minor = sums
                yield (
                    f"{self.name(owner)}: it counts {times:+} uses, {units:+} units and {minor:+} minor units against "
                    f"the receipts of {day_text(day)}"
                )
