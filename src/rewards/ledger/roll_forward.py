"""The roll-forward of what is outstanding: from span to span, what came and what went.

What has ended counts as expired in the span of its last instant, whether or not
it is booked yet; what is recorded later about a span that is over counts in the
span in which it is recorded. So a span that is over never changes.

Points in wallets and money on gift cards roll forward alike. What does not live
here: where the sums come from, months, and formatting. Points are whole, money is
in minor units; spans are numbered, and 0 is everything before the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from rewards.engine.program import Program
from rewards.ledger.lots import NEVER, Purse, advance, last_visit_of, terms
from rewards.policy.model import Liability, Wallet

HELD = ("lot", "debt", "held")  # the accounts that are outstanding
# How each other account moves what is outstanding: the sign with which its postings are shown.
MOVES = {
    "issued": -1,
    "spent": 1,
    "expired": 1,
    "taken_back": 1,
    "restored": -1,
    "settled": -1,
    "adjusted": -1,
    "cashed_out": 1,
    "cleared": 1,
    "transferred": -1,
}
ADDING = frozenset(name for name, sign in MOVES.items() if sign < 0)
OF_CARDS = {"sold": "issued", "given": "issued", "redeemed": "spent"}  # what the same is called of money on cards
FACE = Liability(1, 1)  # money is worth what it is


class Leg(NamedTuple):
    """What the postings of an account, or of a lot, sum up to in one span."""

    account: str
    unit: str
    day: int
    available_at: int
    expires_at: int
    span: int
    amount: int


@dataclass(slots=True)
class Span:
    """One unit in one span, over all owners."""

    opening: int = 0
    moved: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MOVES, 0))
    closing: int = 0
    owed: int = 0  # by members; `closing` is net of it
    valued: dict[Liability, int] = field(default_factory=dict)  # points of open lots by their estimate
    unvalued: int = 0  # points of open lots without one

    @property
    def difference(self) -> int:
        """What the movements do not explain: 0, unless the ledger holds what this module does not know."""
        moved = sum(points if name in ADDING else -points for name, points in self.moved.items())
        return self.opening + moved - self.closing

    @property
    def worth_minor(self) -> int:
        """What the open lots are worth by the estimates of their days, rounded half up once."""
        worth = sum(
            (Fraction(points * rate.worth_minor, rate.points) for rate, points in self.valued.items()), Fraction()
        )
        return (2 * worth.numerator + worth.denominator) // (2 * worth.denominator)


class RollForward:
    """Adds owner to owner. `ends` are the instants at which the spans end, the first that of span 0."""

    def __init__(self, program: Program, ends: Sequence[int]) -> None:
        """Begin with nothing outstanding."""
        self._program = program
        self._ends = ends
        self.wallets: dict[str, list[Span]] = {}
        self.cards: dict[str, list[Span]] = {}  # by kind

    def wallet(self, key: str) -> list[Span]:
        """Return the spans of a wallet, 0 first."""
        return self.wallets.setdefault(key, [Span() for _ in self._ends])

    def kind(self, kind: str) -> list[Span]:
        """Return the spans of a kind of gift card, 0 first."""
        return self.cards.setdefault(kind, [Span() for _ in self._ends])

    def add(self, legs: Iterable[Leg], visits: Sequence[Sequence[int]]) -> None:
        """Add an owner; `visits` are the days with a visit as they were known at the end of each span."""
        by_unit: dict[str, list[Leg]] = {}
        for leg in legs:
            by_unit.setdefault(leg.unit, []).append(leg)
        for key, some in by_unit.items():
            self._add(self.wallet(key), _Held(self._program, key), some, visits)

    def add_card(self, kind: str, legs: Iterable[Leg]) -> None:
        """Add a gift card of a kind."""
        self._add(self.kind(kind), _Held(self._program, None), legs, ())

    def _add(self, totals: list[Span], held: _Held, legs: Iterable[Leg], visits: Sequence[Sequence[int]]) -> None:
        by_span: dict[int, list[Leg]] = {}
        for leg in legs:
            by_span.setdefault(leg.span, []).append(leg)
        opening = unbooked = 0
        for i, total in enumerate(totals):
            for leg in by_span.get(i, ()):
                held.take(leg)
                name = OF_CARDS.get(leg.account, leg.account)
                if name in MOVES:
                    total.moved[name] += leg.amount * MOVES[name]
            purse = held.at(self._ends[i], visits[i] if visits else ())
            purse.open += held.kept()
            closing = sum(lot[3] for lot in purse.open) - purse.debt
            total.moved["expired"] += held.booked - closing - unbooked
            unbooked = held.booked - closing
            total.opening += opening
            total.closing += closing
            total.owed += purse.debt
            opening = closing
            for lot in purse.open:
                rate = held.rate(abs(lot[0]))
                if rate is None:
                    total.unvalued += lot[3]
                else:
                    total.valued[rate] = total.valued.get(rate, 0) + lot[3]


class _Held:
    """What an owner has by the postings so far: of a wallet, or as money on a gift card (None)."""

    def __init__(self, program: Program, wallet: str | None) -> None:
        self._program, self._key = program, wallet
        self._lots: dict[tuple[int, int, int], int] = {}
        self._debt = 0
        self._kept: dict[int, int] = {}  # in holds, by the day of the hold
        self.booked = 0

    def take(self, leg: Leg) -> None:
        """Add a sum of postings; those of other accounts change nothing."""
        if leg.account not in HELD:
            return
        self.booked += leg.amount
        if leg.account == "debt":
            self._debt -= leg.amount
            return
        if leg.account == "held":
            self._kept[leg.day] = self._kept.get(leg.day, 0) + leg.amount
            return
        # WHY: an end that moves with every visit is not booked anew, and so is no part of the lot's key
        end = 0 if self._moves(leg.day) else leg.expires_at
        key = (leg.day, leg.available_at, end)
        self._lots[key] = self._lots.get(key, 0) + leg.amount

    def at(self, end: int, visits: Sequence[int]) -> Purse:
        """Return the purse at an instant, with what time alone has done by then."""
        lots = [
            [day, available_at, self._end(day, expires_at, visits), points]
            for (day, available_at, expires_at), points in sorted(self._lots.items())
            if points
        ]
        purse = Purse(self._debt, open=lots)
        advance(purse, end)
        return purse

    def kept(self) -> list[list[int]]:
        """Return what is in holds, as lots of their days that do not end: they are honoured."""
        return [[day, 0, NEVER, points] for day, points in sorted(self._kept.items()) if points]

    def rate(self, day: int) -> Liability | None:
        """Return the estimate of what a lot of a day is worth."""
        if self._key is None:
            return FACE
        wallet = self._wallet(day)
        return wallet.liability if wallet is not None else None

    def _wallet(self, day: int) -> Wallet | None:
        return self._program.on(day).policy.wallets.get(self._key) if self._key is not None else None

    def _moves(self, day: int) -> bool:
        if day < 0:  # a lot of credits ends when it was promised to
            return False
        wallet = self._wallet(day)
        return wallet is not None and wallet.expires is not None and wallet.expires.since == "last_visit"

    def _end(self, day: int, expires_at: int, visits: Sequence[int]) -> int:
        if expires_at:
            return expires_at
        wallet = self._wallet(day)
        assert wallet is not None
        assert wallet.expires is not None
        return terms(wallet, self._program.zone, day, last_visit_of(wallet.expires, day, visits))[1]


def leg_of(row: Sequence[object]) -> Leg:
    """Return a stored sum (account, unit, day, available, expires, span, sum) as a leg."""
    account, unit, day, available_at, expires_at, span, amount = row
    end = NEVER if expires_at is None else expires_at
    return Leg(account, unit, day or 0, available_at or 0, end, span, amount)  # type: ignore[arg-type]
