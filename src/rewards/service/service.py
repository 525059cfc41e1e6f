"""The service: every use case as one method, whoever calls.

Commands (`commands.py`) go through the one writer and answer after COMMIT;
reads run on connections of their own. What does not live here: HTTP, forms of
files, and how a use case is carried out (the modules beside this one).
"""

from __future__ import annotations

from asyncio import Future as Awaited
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from itertools import repeat
from time import time_ns

import msgspec

from rewards.basket import Basket, MemberRef
from rewards.errors import InvalidRequest, TryAgain
from rewards.policy.compile import compile_policy
from rewards.policy.problems import Problem
from rewards.service import audit, card_tenders, holds, reads
from rewards.service.answers import (
    BalanceAnswer,
    GiftCardAnswer,
    MemberAnswer,
    PurchaseAnswer,
    StatementAnswer,
    VersionAnswer,
)
from rewards.service.asked import Asked
from rewards.service.batch import Batch
from rewards.service.commands import BookDue, Command, Outcome, ShowGiftCards
from rewards.service.hold_answers import HoldAnswer
from rewards.service.inspection import Inspected, inspect
from rewards.service.liability import LiabilityAnswer
from rewards.service.liability import report as liability_report
from rewards.service.prepared import prepared
from rewards.service.running import TRIES, Tries, begin, current
from rewards.service.tongue import asked_for
from rewards.service.writer_process import WriterProcess
from rewards.service.writes import Planner
from rewards.store import statements
from rewards.store.database import Session, Store
from rewards.store.writer import Writer

_LONGEST_KEY = 255
_PAGE = 500  # owners looked at in one transaction


def now_us() -> int:
    """Return the wall clock in microseconds since 1970, UTC."""
    return time_ns() // 1000


class Service:
    """Everything a program can be asked. Thread-safe; close it to stop the writer.

    Errors are those of `rewards.errors`: raised by reads, set on the future by commands.
    """

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], int] = now_us,
        writer: WriterProcess | None = None,
        tries: Tries = TRIES,
    ) -> None:
        """Start the writer on an open store (`Store.open(url)`), unless one writes there already; close both.

        `tries`: how often codes and PINs may be wrong; a writer of its own process is told by whoever starts it.
        """
        self._store = store
        self._clock = clock
        self._running = begin(store, clock(), tries)
        self._writer: Writer[Asked, Outcome, Session] | WriterProcess = writer or Writer(
            store.transaction, Planner(self._running)
        )

    # commands: through the one writer, answered after COMMIT

    def submit(
        self, command: Command, *, caller: str = "local", key: str | None = None, now: int | None = None, who: str = ""
    ) -> Future[Outcome]:
        """Queue a command. `key` is the Idempotency-Key, scoped to `caller`; raise `TryAgain` if the queue is full.

        `who` is counted for wrong codes and PINs (`guesses`), if it is anybody.
        `caller="import"` and `caller="scenario"`: any `occurred_at` is taken; `import` also enrols unknown
        `external_id`s by itself and gets empty bodies.
        """
        return self._writer.submit(self._asked(command, caller, key, now, who))

    def submit_all(
        self,
        commands: Sequence[Command],
        *,
        caller: str = "local",
        keys: Sequence[str] | None = None,
        now: int | None = None,
        who: str = "",
    ) -> list[Future[Outcome]]:
        """Queue several commands at once, in order; without `keys` as `import` does, some 500 at a time."""
        at = self._clock() if now is None else now
        named = zip(commands, keys or repeat(None), strict=False)
        return self._writer.submit_all([Asked(command, caller, key, at, who) for command, key in named])

    def asubmit(
        self, command: Command, *, caller: str = "local", key: str | None = None, who: str = ""
    ) -> Awaited[Outcome]:
        """Queue a command from a running event loop; the loop is woken once per batch, not per command."""
        return self._writer.asubmit(self._asked(command, caller, key, None, who))

    def do(
        self, command: Command, *, caller: str = "local", key: str | None = None, now: int | None = None, who: str = ""
    ) -> Outcome:
        """Submit and wait; raise what the command raises."""
        return self.submit(command, caller=caller, key=key, now=now, who=who).result()

    def _asked(self, command: Command, caller: str, key: str | None, now: int | None, who: str) -> Asked:
        if key is not None and not (0 < len(key) <= _LONGEST_KEY and key.isprintable()):
            raise InvalidRequest("key-invalid", f"an Idempotency-Key is 1 to {_LONGEST_KEY} printable characters")
        asked = Asked(command, caller, key, self._clock() if now is None else now, who)
        return prepared(self._running, asked) if isinstance(self._writer, WriterProcess) else asked

    # reads

    @contextmanager
    def _reading(self) -> Iterator[Batch]:
        with self._store.reading() as session:
            self._running = current(session, self._running)
            yield Batch(session, self._running, self._clock())

    def quote(
        self, basket: Basket, *, caller: str = "local", now: int | None = None, proved: bool = False
    ) -> PurchaseAnswer:
        """Answer what this basket would get, with a signed `quote` valid 30 minutes; nothing is written.

        Codes and PINs are looked at by the writer before, because a wrong one counts; not if `proved` says that they
        were.
        """
        if not proved and (proof := card_tenders.proof(basket)) is not None:
            self.do(proof)
        with self._reading() as batch:
            return reads.quote(batch, basket, caller, self._clock() if now is None else now)

    def inspect(self, basket: Basket, *, caller: str = "local") -> Inspected:
        """Work a basket out and lay open what decided; nothing is written. Raises what would refuse it."""
        with self._reading() as batch:
            return inspect(batch, basket, caller, self._clock())

    def member(self, ref: MemberRef) -> MemberAnswer:
        """Look a member up; raise `NotFound` `unknown-member`."""
        with self._reading() as batch:
            return reads.member(batch, ref)

    def balance(self, member_id: str, at: int | None = None) -> BalanceAnswer:
        """Answer the wallets at an instant (microseconds UTC), now by default; exact as of the last answered write."""
        with self._reading() as batch:
            return reads.balance(batch, member_id, at, self._clock())

    def gift_card(self, code: str, pin: str = "") -> GiftCardAnswer:
        """Look a gift card up by its code and its PIN, if it has one; raise `NotFound` `unknown-gift-card`.

        What is wrong counts, so the writer looks.
        """
        return msgspec.json.decode(self.do(ShowGiftCards(((code, pin),))).body, type=GiftCardAnswer)

    def hold(self, hold_id: str) -> HoldAnswer:
        """Answer a hold as it is now; raise `NotFound` `unknown-hold`."""
        with self._reading() as batch:
            return holds.read(batch, hold_id)

    def statement(
        self, member_id: str, *, limit: int = 50, cursor: str | None = None, language: str | None = None
    ) -> StatementAnswer:
        """Answer a page of entries, newest first; `cursor` is the `next_cursor` of the page before. 1 <= limit <= 200.

        What has ended since the last event leads the first page, as entry 0: the next event books it. With a
        `language` the reasons are a customer's in it; raise `InvalidRequest` `unknown-language`.
        """
        words = asked_for(language) if language is not None else None
        with self._reading() as batch:
            return reads.statement(batch, member_id, limit, cursor, self._clock(), words)

    def letter(
        self, member_id: str, *, limit: int | None = 50, cursor: str | None = None, language: str | None = None
    ) -> tuple[str, str, str | None]:
        """Answer the statement as a text for the member, its language, and `next_cursor`; without a `limit` all of it.

        Without a `language` it is the member's, or English where that is none of ours.
        """
        with self._reading() as batch:
            return reads.letter(batch, member_id, limit, cursor, self._clock(), language)

    def purchase(
        self, purchase_id: str | None = None, *, store_id: str | None = None, receipt_id: str | None = None
    ) -> PurchaseAnswer:
        """Answer a purchase by its id or by store and receipt number, with later entries about it."""
        with self._reading() as batch:
            return reads.purchase(batch, purchase_id, store_id, receipt_id, self._clock())

    def liability(self, first: str | None = None, last: str | None = None) -> LiabilityAnswer:
        """Answer what is outstanding by wallet, kind of gift card and month; months such as `2027-03`, both included.

        Without them the last twelve, this one included. Months that are over never change.
        """
        with self._reading() as batch:
            return liability_report(batch, first, last, self._clock())

    def policy(self, at: int | None = None) -> tuple[bytes, VersionAnswer]:
        """Return the file of the version in force (or at another instant); raise `NotFound` `no-policy`."""
        with self._reading() as batch:
            return reads.policy(batch, self._clock() if at is None else at)

    def versions(self) -> list[VersionAnswer]:
        """Return all published versions, newest first."""
        with self._reading() as batch:
            return reads.versions(batch, self._clock())

    def check(self, data: bytes, name: str = "policy.yaml") -> list[Problem]:
        """Return the problems of a policy file, without publishing it."""
        return compile_policy(data, name)[1]

    # upkeep

    def due(self, until: int | None = None, progress: Callable[[int, int], None] | None = None) -> dict[str, int]:
        """Book what is due by itself up to an instant (now), for every member; return how many of each activity.

        A second run books nothing; raise `InvalidRequest` `time-out-of-range` for an instant to come.
        """
        now = self._clock()
        if until is not None and until > now:
            raise InvalidRequest("time-out-of-range", "what is due on a day to come is booked when that day has come")
        counts: Counter[str] = Counter()
        last, above = self._owners(0)[1], 0
        while owners := self._owners(above)[0]:
            above = owners[-1]
            outcome = self.do(BookDue(tuple(owners), now if until is None else until))
            counts.update(msgspec.json.decode(outcome.body, type=dict[str, int]))
            if progress is not None:
                progress(above, last)
        return dict(sorted(counts.items()))

    def _owners(self, above: int) -> tuple[list[int], int]:
        """Return a page of owners' numbers, and the highest there is."""
        with self._store.reading() as session:
            page = [owner for (owner,) in session.rows(statements.OWNER_PAGE, (above, _PAGE, 0))]
            return page, session.rows(statements.NEXT_OWNER)[0][0] - 1

    def verify(self) -> list[str]:
        """Fold every timeline anew and compare states, sums, numbers, hashes; return findings, none if all is well."""
        with self._reading() as batch:
            return audit.verify(batch)

    def rebuild(self) -> int:
        """Replace every stored state by one folded anew from the events; return how many owners."""
        with self._store.transaction() as session:
            return audit.rebuild(Batch(session, current(session, self._running)))

    def health(self) -> None:
        """Raise `TryAgain` unless the database answers and the writer runs."""
        if not self._writer.alive:
            raise TryAgain("closing", "the service is closing")
        with self._reading():
            pass

    @property
    def writing(self) -> bool:
        """Whether commands are being written."""
        return self._writer.alive

    def wait(self) -> None:
        """Return when nothing is written any more: the service was closed, or the writer ended by itself."""
        self._writer.wait()

    def close(self) -> None:
        """Finish what is queued, stop the writer, close the connections. Idempotent."""
        self._writer.close()
        self._store.close()
