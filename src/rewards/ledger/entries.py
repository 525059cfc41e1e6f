"""What is booked: balanced entries, their postings, and the awards that explain them.

Accounts are kept per owner and wallet: `lot` (one for each day), `debt`, `held`
(by the day of the hold), and the contra accounts `issued`, `taken_back`, `adjusted`, `spent`, `restored`,
`settled`, `expired`, `merged`. What does not live here: numbers, hashes and rows of the database (`store`).

>>> [(p.account, p.points) for p in postings("beans", Purse(), Purse(open=[[1, 0, 9, 30]]), gross=30, contra="issued")]
[('lot', 30), ('issued', -30)]
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from rewards.ledger.lots import NEVER, Purse


class Posting(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One leg of an entry; an entry's legs sum to zero in each wallet."""

    account: str
    wallet: str
    points: int
    day: int = 0  # of a lot, or of a hold
    available_at: int = 0
    expires_at: int = NEVER


class Award(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What changed for a rule on a day, with the sums that explain it (`engine.explain` reads them)."""

    rule: str
    wallet: str
    day: int
    points: int  # the change; negative when something was taken back
    facts: tuple[int, ...] = ()


def sums_by_wallet(awards: Sequence[Award]) -> dict[str, int]:
    """Return what the awards come to, by wallet; zeros stay."""
    wallets = {award.wallet for award in awards}
    sums = dict.fromkeys(sorted(wallets), 0)
    for award in awards:
        sums[award.wallet] += award.points
    return sums


class Entry(msgspec.Struct, frozen=True):
    """One balanced booking."""

    kind: str  # purchase, return, adjustment, spending, hold, expiry, activity, change, merge
    occurred_at: int
    policy_version: str
    postings: list[Posting]
    awards: list[Award] = []


def postings(
    wallet: str,
    before: Purse,
    after: Purse,
    *,
    gross: int = 0,
    contra: str = "issued",
    spent: int = 0,
    to: str = "spent",
    held: Iterable[tuple[int, int]] = (),
) -> list[Posting]:
    """Book the difference of two purses of one wallet.

    `gross` is what lots gained from `contra`; `held` went to holds, by the day on which each began; `spent` went to
    `to`. What none of it explains has ended: it goes to `expired`. The legs sum to zero by construction.
    """
    legs = []
    was = {lot[0]: lot for lot in before.open}
    for lot in after.open:
        old = was.pop(lot[0], None)
        if old is None:
            legs.append(Posting("lot", wallet, lot[3], lot[0], lot[1], lot[2]))
        elif change := lot[3] - old[3]:
            legs.append(Posting("lot", wallet, change, lot[0], lot[1], lot[2]))
    legs.extend(Posting("lot", wallet, -lot[3], lot[0], lot[1], lot[2]) for lot in was.values())
    moved = sum(leg.points for leg in legs)
    if owed := before.debt - after.debt:
        legs.append(Posting("debt", wallet, owed))
    if gross:
        legs.append(Posting(contra, wallet, -gross))
    kept = [Posting("held", wallet, points, day) for day, points in held if points]
    legs += kept
    if spent:
        legs.append(Posting(to, wallet, spent))
    if ended := gross - owed - moved - spent - sum(leg.points for leg in kept):
        legs.append(Posting("expired", wallet, ended))
    return legs
