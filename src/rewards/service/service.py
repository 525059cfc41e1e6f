"""The service: every use case as one method, whoever calls.

Commands (`commands.py`) go through the one writer and answer after COMMIT;
reads run on connections of their own. What does not live here: HTTP, forms of
files, and how a use case is carried out (the modules beside this one).
"""

from __future__ import annotations

from asyncio import Future as Awaited
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from rewards.basket import Basket, MemberRef
from rewards.service.answers import (
    BalanceAnswer,
    EntryAnswer,
    MemberAnswer,
    PurchaseAnswer,
    StatementAnswer,
    VersionAnswer,
)
from rewards.service.commands import Command, Outcome
from rewards.store.database import Store


def now_us() -> int:
    """Return the wall clock in microseconds since 1970, UTC."""


class Service:
    """Everything a program can be asked. Thread-safe; close it to stop the writer.

    Errors are those of `rewards.errors`: raised by reads, set on the future by commands.
    """

    def __init__(self, store: Store, *, clock: Callable[[], int] = now_us) -> None:
        """Start the writer on an open store (`Store.open(url)`)."""

    # commands: through the one writer, answered after COMMIT

    def submit(
        self, command: Command, *, caller: str = "local", key: str | None = None, now: int | None = None
    ) -> Future[Outcome]:
        """Queue a command. `key` is the Idempotency-Key, scoped to `caller`; raise `TryAgain` if the queue is full.

        `caller="import"` and `caller="scenario"`: any `occurred_at` is taken; `import` also enrols unknown
        `external_id`s by itself and gets empty bodies.
        """

    def submit_all(
        self, commands: Sequence[Command], *, caller: str = "local", now: int | None = None
    ) -> list[Future[Outcome]]:
        """Queue several commands at once, in order, without keys (`import`, some 500 at a time)."""

    def asubmit(self, command: Command, *, caller: str = "local", key: str | None = None) -> Awaited[Outcome]:
        """Queue a command from a running event loop; the loop is woken once per batch, not per command."""

    def do(self, command: Command, *, caller: str = "local", key: str | None = None, now: int | None = None) -> Outcome:
        """Submit and wait; raise what the command raises."""

    # reads

    def quote(self, basket: Basket, *, now: int | None = None) -> PurchaseAnswer:
        """Answer what this basket would get, with a signed `quote` valid 30 minutes; nothing is written."""

    def member(self, ref: MemberRef) -> MemberAnswer:
        """Look a member up; raise `NotFound` `unknown-member`."""

    def balance(self, member_id: str, at: int | None = None) -> BalanceAnswer:
        """Answer the wallets at an instant (microseconds UTC), now by default; exact as of the last answered write."""

    def statement(self, member_id: str, *, limit: int = 50, cursor: str | None = None) -> StatementAnswer:
        """Answer a page of entries, newest first; `cursor` is the `next_cursor` of the page before. 1 <= limit <= 200."""

    def purchase(
        self, purchase_id: str | None = None, *, store_id: str | None = None, receipt_id: str | None = None
    ) -> PurchaseAnswer:
        """Answer a purchase by its id or by store and receipt number, with later entries about it."""

    def policy(self, at: int | None = None) -> tuple[bytes, VersionAnswer]:
        """Return the file of the version in force (or at another instant); raise `NotFound` `no-policy`."""

    def versions(self) -> list[VersionAnswer]:
        """Return all published versions, newest first."""

    def check(self, data: bytes, name: str = "policy.yaml") -> list[object]:
        """Return the problems of a policy file (`rewards.policy.problems`), without publishing it."""

    # upkeep

    def verify(self) -> list[str]:
        """Fold every timeline anew and compare states, sums, numbers, hashes; return findings, none if all is well."""

    def rebuild(self) -> int:
        """Replace every stored state by one folded anew from the events; return how many owners."""

    def health(self) -> None:
        """Raise `TryAgain` unless the database answers and the writer runs."""

    def close(self) -> None:
        """Finish what is queued, stop the writer, close the connections. Idempotent."""
