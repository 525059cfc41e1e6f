"""The reference definition of the ledger: lots, and what spendings and time leave of them.

What does not live here: what a day earned (`reference`), and anything that the
ledger proper uses.
"""

from __future__ import annotations

from typing import NamedTuple

from rewards.days import end_of, midnight, plus
from rewards.engine.reference import Facts, History, Versions, earned
from rewards.money import webster
from rewards.policy.model import Wallet
from rewards.receipt import Receipt, Returned


class Lot(NamedTuple):
    """A day's points of one wallet; it ends just before `expires_at`."""

    day: int
    points: int
    available_at: int
    expires_at: int | None


class Balance(NamedTuple):
    """One wallet at an instant; `lots` are (day, left, expires_at) of those with points left, by day.

    `spent` is what lots paid for spendings and debts: with the debt it is all that was spent.
    """

    available: int
    pending: int
    debt: int
    lots: list[tuple[int, int, int | None]]
    spent: int
    expired: int


def lots(versions: Versions, facts: Facts) -> dict[str, list[Lot]]:
    """Return the lots by wallet, by day; a day's grants join its lot. Lots of nothing are left out."""
    history = History(versions, facts)
    sums: dict[tuple[str, int], int] = {}
    for day, points in earned(versions, facts).items():
        for rule, given in points.items():
            wallet = history.policy(day).rules[rule].wallet
            if wallet:  # gift cards are no points
                sums[wallet, day] = sums.get((wallet, day), 0) + given
    for day, wallet, given in facts.grants:
        sums[wallet, day] = sums.get((wallet, day), 0) + given
    result: dict[str, list[Lot]] = {}
    for (wallet, day), given in sorted(sums.items()):
        if given:
            terms = _terms(history, history.policy(day).wallets.get(wallet), day)
            result.setdefault(wallet, []).append(Lot(day, given, *terms))
    return result


def balance(versions: Versions, facts: Facts, at: int) -> dict[str, Balance]:
    """Return each wallet at the instant `at`; lots and spendings are there from their own day and instant on."""
    return balance_of(versions, facts, lots(versions, facts), at)


def balance_of(versions: Versions, facts: Facts, held: dict[str, list[Lot]], at: int) -> dict[str, Balance]:
    """Return the same for lots that are known already."""
    zone = versions[0][1].zone
    spendings = [*facts.spendings, *(one for bought in facts.purchases for one in _paid(*bought))]
    wallets = {wallet for _, policy in versions for wallet in policy.wallets}
    return {
        wallet: fold(
            [lot for lot in held.get(wallet, []) if midnight(lot.day, zone) <= at],
            [(when, points) for when, of, points in spendings if of == wallet],
            at,
        )
        for wallet in wallets | set(held) | {of for _, of, _ in spendings}
    }


def _paid(receipt: Receipt, returned: Returned) -> list[tuple[int, str, int]]:
    """Return the points that a purchase still takes: as many of all as is left, floored, of what they paid."""
    found = []
    for number, tender in enumerate(receipt.tenders):
        if tender.points:
            left = 0
            for line in receipt.lines:
                rest = sum(line.tenders_minor) * (line.quantity - returned.get(line.line_id, 0)) // line.quantity
                left += webster(rest, line.tenders_minor)[number]
            found.append((receipt.occurred_at, tender.wallet, tender.points * left // tender.amount_minor))
    for discount in receipt.discounts:
        for line, points in zip(receipt.lines, discount.lines_points, strict=False):
            kept = points * (line.quantity - returned.get(line.line_id, 0)) // line.quantity
            found.append((receipt.occurred_at, discount.wallet, kept))
    return found


def fold(held: list[Lot], spendings: list[tuple[int, int]], at: int) -> Balance:
    """Lay spendings (instant, points) over lots in time order up to and with `at`.

    At one instant: expiry, then availability (a lot pays debt), then spendings.
    The soonest expiring lot goes first, then the oldest; never expiring is last.
    """
    left = {lot: lot.points for lot in held}
    spent = expired = debt = 0
    in_turn = sorted(held, key=lambda lot: (lot.expires_at is None, lot.expires_at or 0, lot.day))
    moments = {when for when, _ in spendings} | {lot.available_at for lot in held}
    moments |= {lot.expires_at for lot in held if lot.expires_at is not None}
    for now in sorted(moment for moment in moments if moment <= at):
        for lot in held:
            if lot.expires_at == now:
                expired += left[lot]
                left[lot] = 0
        debt += sum(points for when, points in spendings if when == now)
        for lot in in_turn:
            if lot.available_at <= now and left[lot] and debt:
                paid = min(left[lot], debt)
                left[lot] -= paid
                debt -= paid
                spent += paid
    ripe = sum(left[lot] for lot in held if lot.available_at <= at)
    rest = sorted((lot.day, left[lot], lot.expires_at) for lot in held if left[lot])
    return Balance(ripe, sum(left.values()) - ripe, debt, rest, spent, expired)


def _terms(history: History, wallet: Wallet | None, day: int) -> tuple[int, int | None]:
    """Return when the lot of a day becomes available and when it ends."""
    zone = history.policy(day).zone
    ripe = plus(day, wallet.pending) if wallet and wallet.pending else day
    if wallet is None or wallet.expires is None:
        return midnight(ripe, zone), None
    expiry = wallet.expires

    def end(base: int) -> int:
        """Return the first day on which what counts from a day is over."""
        last = base if expiry.after is None else plus(base, expiry.after)
        return last if expiry.at is None else end_of(last, expiry.at)

    base = ripe if expiry.since == "available" else day
    if expiry.since == "last_visit":
        while later := [visit for visit in history.visits if base < visit < end(base)]:
            base = later[-1]
    return midnight(ripe, zone), midnight(end(base), zone)
