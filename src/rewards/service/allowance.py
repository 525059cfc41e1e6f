"""What one member of staff may give or take alone: counted by person and day, whoever's account it is.

A day is that on which an adjustment is recorded, so that no date of it evades the count. What a
second person approved is not counted. What does not live here: the limits (`policy.adjustments`).
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

from rewards.errors import Conflict, InvalidRequest
from rewards.ledger.gift_cards import read_activity
from rewards.policy.terms import AloneLimit
from rewards.service.asked import Asked
from rewards.service.balances import day_of, day_text
from rewards.service.batch import Batch
from rewards.service.ids import staff_owner
from rewards.service.journal import Row, read_adjustment
from rewards.store import statements

Key = tuple[int, int, str]  # a person of the staff (as an owner), a day, a wallet, or an empty text for money
OF_CARDS = frozenset(("ADJUST_INCREMENT", "ADJUST_DECREMENT", "CLEAR_BALANCE"))


def check(batch: Batch, asked: Asked, actor: str, approved_by: str, wallet: str, amount: int, pointer: str) -> None:
    """Raise `Conflict` `needs-approval` if an actor can't give or take so much alone; without a wallet it is money.

    Raises `InvalidRequest` `approver-is-actor` where the second person is the first.
    """
    if approved_by:
        if _plain(actor) == _plain(approved_by):
            message = f"`{actor}` can't approve what `{actor}` does: name somebody else"
            raise InvalidRequest("approver-is-actor", message, pointer="/approved_by")
        return
    day = day_of(asked.now, batch.running.zone)
    for limit in batch.running.policy_on(day).adjustments:
        used = _used(batch, _key(actor, day, wallet)) if limit.per == "day" else 0
        if limit.wallet == wallet and used + amount > limit.most:
            raise _beyond(limit, actor, used, amount, pointer)


def _beyond(limit: AloneLimit, actor: str, used: int, amount: int, pointer: str) -> Conflict:
    what = f" {limit.wallet}" if limit.wallet else " minor units of money"
    alone = f"`{actor}` gives and takes at most {limit.most}{what} per {limit.per} alone"
    rest = f"{used} are used up, so {amount} more" if used else f"{amount}"
    message = f"{alone}; {rest} need a second person: name one in `approved_by`"
    facts = {"limit": limit.most, "per": limit.per, "used": used, "wanted": amount}
    return Conflict("needs-approval", message, pointer=pointer, **facts)


def count(batch: Batch, asked: Asked, actor: str, approved_by: str, wallet: str, amount: int) -> None:
    """Count what an actor gave or took alone."""
    if not approved_by and amount:
        key = _key(actor, day_of(asked.now, batch.running.zone), wallet)
        _save(batch, key, _used(batch, key) + amount)


def _plain(person: str) -> str:
    return unicodedata.normalize("NFKC", person).strip().casefold()


def _key(actor: str, day: int, wallet: str) -> Key:
    return staff_owner(_plain(actor)), day, wallet


def _used(batch: Batch, key: Key) -> int:
    known = batch.staff_days.get(*key)
    return known[0] if known is not None else 0


def _save(batch: Batch, key: Key, amount: int) -> None:
    batch.staff_days.put(key, (amount,))
    added = batch.more[statements.ADD_STAFF_DAY]
    added[:] = [row for row in added if row[:3] != key]
    added.append((*key, amount))
    batch.more[statements.DROP_STAFF_DAY].append(key)


# verifying


class Counted:
    """Counts anew, from the events of all timelines, what everybody gave and took alone."""

    def __init__(self, batch: Batch) -> None:
        """Begin with nothing."""
        self._batch = batch
        self._sums: Counter[Key] = Counter()

    def take(self, row: Row) -> None:
        """Count an event, if it is an adjustment that nobody approved; those of before there was a count are not."""
        if row[2] == "adjustment":
            given = read_adjustment(row[11])
            if given.approved_by == "":
                self._add(row, given.wallet, abs(given.points))
        elif row[2] == "card":
            done = read_activity(row[11])
            if done.approved_by == "":
                self._add(row, "", sum(minor for _, minor in done.parts))

    def _add(self, row: Row, wallet: str, amount: int) -> None:
        self._sums[_key(row[9], day_of(row[6], self._batch.running.zone), wallet)] += amount

    def faults(self) -> Iterator[str]:
        """Yield a sentence for each day of which the count says something else."""
        self._batch.staff_days.foresee(self._sums)
        for key, amount in sorted(self._sums.items()):
            if amount and _used(self._batch, key) != amount:
                what = key[2] or "money"
                yield f"what staff gave and took alone on {day_text(key[1])} is not counted as it was: {amount} {what}"

    def replace(self) -> None:
        """Put these counts in place of those that are stored."""
        self._batch.session.write(statements.DROP_STAFF_DAY, list(self._sums))
        self._batch.session.write(statements.ADD_STAFF_DAY, [(*key, n) for key, n in self._sums.items() if n])
