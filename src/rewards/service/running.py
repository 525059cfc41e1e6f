"""The program as it runs: its secret, its versions, and the engine's view of them.

What does not live here: publishing (`publishing`). Another process may publish
too, so whoever writes or reads asks for what is `current` first.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rewards.engine.program import Program
from rewards.errors import Conflict
from rewards.policy.compile import load_policy
from rewards.policy.model import Policy
from rewards.service.ids import Ids, budget_owner
from rewards.store import statements
from rewards.store.database import Session, Store


class Tries(NamedTuple):
    """How often codes and PINs may be wrong."""

    pins: int = 5  # PINs of one gift card, after which it is locked
    guesses: int = 60  # codes and PINs of one caller at once
    seconds: int = 600  # in which that many are free again, one after the other

    @property
    def span_us(self) -> int:
        """The microseconds in which a caller's guesses are all free again."""
        return self.seconds * 1_000_000

    @property
    def cost_us(self) -> int:
        """The microseconds after which one more guess is free."""
        return self.span_us // self.guesses


TRIES = Tries()


@dataclass(frozen=True, slots=True)
class Version:
    """A published version, as stored."""

    number: int
    policy: Policy
    from_day: int
    published_at: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Running:
    """What every command and read needs to know of the program; never changed, only replaced."""

    secret: bytes
    ids: Ids
    currency: str | None
    versions: tuple[Version, ...]  # oldest first
    program: Program | None
    budgets: dict[str, int]  # the owner of the budget of each offer that has, or had, one
    speaks_several: bool  # a rule or an offer has its title in more than one language
    tries: Tries

    def ready(self) -> Program:
        """Return the program; raise `Conflict` `no-policy` before the first version."""
        if self.program is None:
            raise Conflict("no-policy", "no policy is published yet: publish one first")
        return self.program

    @property
    def zone(self) -> ZoneInfo:
        """The program's time zone; raise `Conflict` `no-policy` before the first version."""
        self.ready()
        return self.versions[0].policy.zone

    @property
    def has_gift_cards(self) -> bool:
        """Whether any version has gift cards, so that there may be some."""
        return any(version.policy.gift_cards for version in self.versions)

    def print_of(self, name: str) -> bytes:
        """Return the fingerprint of an event that nobody sent, by its name in the journal."""
        return blake2b(name.encode(), digest_size=32, key=self.secret).digest()

    def policy_on(self, day: int) -> Policy:
        """Return the policy in force on a day."""
        return self.ready().on(day).policy

    def in_force(self, day: int) -> Version:
        """Return the version in force on a day; of two with one first day the later stands."""
        self.ready()
        begun = [version for version in self.versions if version.from_day <= day]
        return max(begun, key=lambda version: (version.from_day, version.number)) if begun else self._first()

    def _first(self) -> Version:
        return min(self.versions, key=lambda version: (version.from_day, -version.number))

    def with_version(self, version: Version) -> Running:
        """Return the program with one more version."""
        versions = (*self.versions, version)
        return _running(self.secret, versions, self.tries)


def begin(store: Store, now: int, tries: Tries = TRIES) -> Running:
    """Load the program of a database; a new database gets its secret."""
    with store.transaction() as session:
        if not session.rows(statements.PROGRAM):
            session.write(statements.ADD_PROGRAM, [(1, secrets.token_bytes(32), None, None, now)])
        return _load(session, (), tries)


def current(session: Session, known: Running) -> Running:
    """Return what is known, or load it anew if a version was published since."""
    (last,) = session.rows(statements.LAST_VERSION)[0]
    if (last or 0) == len(known.versions):
        return known
    return _load(session, known.versions, known.tries)


def _load(session: Session, known: tuple[Version, ...], tries: Tries) -> Running:
    secret = session.rows(statements.PROGRAM)[0][1]
    compiled = {version.number: version.policy for version in known}
    versions = tuple(
        Version(number, compiled.get(number) or load_policy(data), from_day, published_at, data)
        for number, _, from_day, published_at, data in session.rows(statements.VERSIONS)
    )
    return _running(secret, versions, tries)


def _running(secret: bytes, versions: tuple[Version, ...], tries: Tries) -> Running:
    program = Program([(version.from_day, version.policy) for version in versions]) if versions else None
    currency = versions[0].policy.currency if versions else None
    offers = [offer for version in versions for offer in version.policy.offers.values()]
    budgets = {offer.id: budget_owner(offer.id) for offer in offers if offer.budgets}
    titles = [offer.title for offer in offers]
    titles += [rule.title for version in versions for rule in version.policy.rules.values()]
    speaks_several = any(len(words) > 1 for words in titles)
    return Running(secret, Ids(secret), currency, versions, program, budgets, speaks_several, tries)
