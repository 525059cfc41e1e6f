"""The one writer: takes what waits, writes it in one transaction, then answers everyone.

It knows transactions and opaque commands; a planner says what a command
writes. There is no timer: while a batch commits, the next one gathers. What
does not live here: commands, SQL, and the database.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, Protocol, TypeVar

from rewards.errors import RewardsError, TryAgain

C = TypeVar("C")
R = TypeVar("R")
T = TypeVar("T")
Asking_contra = TypeVar("Asking_contra", contravariant=True)
Handle_contra = TypeVar("Handle_contra", contravariant=True)

MOST_WAITING = 10_000
MOST_TOGETHER = 512  # commands that share a transaction
_log = logging.getLogger(__name__)


class Planner(Protocol[Asking_contra, R, Handle_contra]):
    """Says what commands write."""

    def plan(self, transaction: Handle_contra, commands: Sequence[Asking_contra]) -> list[R | RewardsError]:
        """Write what the commands ask, in order; a command's refusal is returned in its place.

        Whatever is raised rolls the transaction back: alone, it is the command's own result.
        """
        ...

    def committed(self) -> None:
        """Hear that what the last `plan` wrote is kept."""
        ...


def write(
    transaction: Callable[[], AbstractContextManager[T]], planner: Planner[C, R, T], commands: list[C]
) -> list[R | Exception]:
    """Write commands in one transaction, or one by one if that fails; return the result of each, in order."""
    try:
        return [*_together(transaction, planner, commands)]
    except Exception as error:  # noqa: BLE001  whatever it is, only the guilty one shall get it
        if len(commands) == 1:
            return [_told(error)]
        _log.warning("a batch of %d failed and is tried one by one: %s", len(commands), error)
    return [result for command in commands for result in write(transaction, planner, [command])]


def _together(
    transaction: Callable[[], AbstractContextManager[T]], planner: Planner[C, R, T], commands: list[C]
) -> list[R | RewardsError]:
    with transaction() as opened:
        results = planner.plan(opened, commands)
    planner.committed()
    return results


class Writer(Generic[C, R, T]):
    """Owns the write side of a store. `transaction` commits at the end of its block and rolls back when it raises."""

    def __init__(
        self,
        transaction: Callable[[], AbstractContextManager[T]],
        planner: Planner[C, R, T],
        *,
        most_waiting: int = MOST_WAITING,
        most_together: int = MOST_TOGETHER,
    ) -> None:
        """Start the writer's thread; at most so many commands wait, at most so many share a transaction."""
        self._transaction = transaction
        self._planner = planner
        self._most_waiting = most_waiting
        self._most_together = most_together
        self._queue: SimpleQueue[_Waiting[C, R] | None] = SimpleQueue()
        self._closing = Lock()
        self._closed = False
        self._thread = Thread(target=self._run, name="rewards-writer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether commands are being written."""
        return self._thread.is_alive() and not self._closed

    def wait(self) -> None:
        """Return when nothing is written any more."""
        self._thread.join()

    def submit(self, command: C) -> Future[R]:
        """Queue a command for a caller that waits in a thread; raise `TryAgain` when too many wait."""
        future: Future[R] = Future()
        self._put([_Waiting(command, future, None)])
        return future

    def submit_all(self, commands: Sequence[C]) -> list[Future[R]]:
        """Queue several commands in order; all of them or, raising `TryAgain`, none."""
        futures: list[Future[R]] = [Future() for _ in commands]
        self._put([_Waiting(command, future, None) for command, future in zip(commands, futures, strict=True)])
        return futures

    def asubmit(self, command: C) -> asyncio.Future[R]:
        """Queue a command for a caller on the running event loop; raise `TryAgain` when too many wait."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        self._put([_Waiting(command, future, loop)])
        return future

    def _put(self, commands: Sequence[_Waiting[C, R]]) -> None:
        with self._closing:
            if self._closed:
                raise closing()
            if self._queue.qsize() + len(commands) > self._most_waiting:
                raise too_busy()
            for waiting in commands:
                self._queue.put(waiting)

    def close(self) -> None:
        """Write what waits, then stop. Idempotent."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            batch, going = self._gather()
            if batch:
                commands = [waiting.command for waiting in batch]
                _answer(batch, write(self._transaction, self._planner, commands))

    def _gather(self) -> tuple[list[_Waiting[C, R]], bool]:
        batch: list[_Waiting[C, R]] = []
        waiting = self._queue.get()
        while waiting is not None:
            batch.append(waiting)
            if len(batch) >= self._most_together:
                return batch, True
            try:
                waiting = self._queue.get_nowait()
            except Empty:
                return batch, True
        return batch, False


class _Waiting(Generic[C, R]):
    """A command with whoever waits for it."""

    __slots__ = ("command", "future", "loop")

    def __init__(
        self, command: C, future: Future[R] | asyncio.Future[R], loop: asyncio.AbstractEventLoop | None
    ) -> None:
        self.command = command
        self.future = future
        self.loop = loop


def _told(error: Exception) -> Exception:
    if not isinstance(error, RewardsError):
        _log.error("a command failed", exc_info=error)
    return error


def _answer(batch: list[_Waiting[C, R]], results: list[R | Exception]) -> None:
    """Complete all futures; each event loop is woken once."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[R], R | BaseException]]] = {}
    for waiting, result in zip(batch, results, strict=True):
        future = waiting.future
        if isinstance(future, Future):
            settle(future, result)
        elif waiting.loop is not None:
            loops.setdefault(waiting.loop, []).append((future, result))
    for loop, settled in loops.items():
        try:
            loop.call_soon_threadsafe(_settle_all, settled)
        except RuntimeError:  # the loop was closed while its callers waited: nobody is left to tell
            _log.info("%d answers found their event loop closed", len(settled))


def _settle_all(settled: list[tuple[asyncio.Future[R], R | BaseException]]) -> None:
    for future, result in settled:
        settle(future, result)


def settle(future: Future[R] | asyncio.Future[R], result: R | BaseException) -> None:
    """Tell a caller what came of its command, unless it has gone."""
    if future.done() or (isinstance(future, Future) and not future.set_running_or_notify_cancel()):
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)


def closing() -> TryAgain:
    """Return what a command gets that comes too late."""
    return TryAgain("closing", "the service is closing; send the request again")


def too_busy() -> TryAgain:
    """Return what a command gets for which there is no room."""
    return TryAgain("too-busy", "too many requests wait to be written; send this one again", retry_after=1)
