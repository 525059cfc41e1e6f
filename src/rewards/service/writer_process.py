"""The one writer in a process of its own, as the server sees it.

The server's event loop then has a core for itself, and the writer another. Asked
like `store.writer.Writer`; results come back in the order of the commands. What
does not live here: the process (`writer_main`) and the bytes (`messages`).
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from asyncio import AbstractEventLoop
from asyncio import Future as Awaited
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

from rewards.errors import TryAgain
from rewards.service.asked import Asked
from rewards.service.commands import Outcome
from rewards.service.messages import Inbox, asking, read_results
from rewards.service.running import TRIES, Tries
from rewards.store.writer import MOST_WAITING, closing, settle, too_busy

_ARRIVING = 1 << 16  # bytes that are taken at once


class WriterProcess:
    """Owns the write side of a database file. Commands come from one event loop, and from threads beside it.

    Should the process end by itself, whoever waits gets `TryAgain` `writer-lost`: what was
    committed is answered as the first time when it is asked again.
    """

    def __init__(self, url: str, *, most_waiting: int = MOST_WAITING, tries: Tries = TRIES) -> None:
        """Start the process on a database that is there already; at most so many commands wait."""
        self._most_waiting = most_waiting
        self._waiting: deque[Awaited[Outcome]] = deque()
        self._unsent = bytearray()
        self._sending = False
        self._inbox = Inbox()
        self._loop: AbstractEventLoop | None = None
        self._closed = False
        self._lost = False
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(0)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603  ourselves
                [sys.executable, "-P", "-m", "rewards.service.writer_main", url, *map(str, tries)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the server alone
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path or "." for path in sys.path)},
            )

    @property
    def alive(self) -> bool:
        """Whether commands are being written."""
        return not self._closed and not self._lost and self._process.poll() is None

    def wait(self) -> None:
        """Return when nothing is written any more."""
        self._process.wait()

    def submit(self, command: Asked) -> Future[Outcome]:
        """Queue a command for a caller that waits in a thread; `TryAgain` is set on the future when too many wait."""
        return self.submit_all([command])[0]

    def submit_all(self, commands: Sequence[Asked]) -> list[Future[Outcome]]:
        """Queue several commands in order."""
        if self._loop is not None and not self._loop.is_closed():
            return [asyncio.run_coroutine_threadsafe(self._one(command), self._loop) for command in commands]
        futures: list[Future[Outcome]] = [Future() for _ in commands]  # no loop runs yet: one for these alone
        for future, result in zip(futures, asyncio.run(self._all(commands)), strict=True):
            settle(future, result)
        return futures

    async def _one(self, command: Asked) -> Outcome:
        return await self.asubmit(command)

    async def _all(self, commands: Sequence[Asked]) -> list[Outcome | BaseException]:
        return await asyncio.gather(*(self._one(command) for command in commands), return_exceptions=True)

    def asubmit(self, command: Asked) -> Awaited[Outcome]:
        """Queue a command for a caller on the running event loop; raise `TryAgain` when too many wait."""
        loop = asyncio.get_running_loop()
        if self._closed:
            raise closing()
        if self._lost:
            raise _gone()
        if len(self._waiting) >= self._most_waiting:
            raise too_busy()
        if loop is not self._loop:
            self._loop = loop
            loop.add_reader(self._socket, self._read)
        self._unsent += asking(command)
        future: Awaited[Outcome] = loop.create_future()
        self._waiting.append(future)
        if not self._sending:
            self._sending = True
            loop.call_soon(self._send)  # what else is asked in this round of the loop goes along
        return future

    def _send(self) -> None:
        assert self._loop is not None
        try:
            del self._unsent[: self._socket.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:  # the reader hears of it, too
            self._unsent.clear()
        if self._unsent:
            self._loop.add_writer(self._socket, self._send)
        else:
            self._sending = False
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            arrived = self._socket.recv(_ARRIVING)
        except BlockingIOError:
            return
        except ConnectionError:
            arrived = b""
        if not arrived:
            self._lose()
        for message in self._inbox.take(arrived):
            for result in read_results(message):
                settle(self._waiting.popleft(), result)

    def _lose(self) -> None:
        assert self._loop is not None
        self._lost = True
        self._loop.remove_reader(self._socket)
        while self._waiting:
            settle(self._waiting.popleft(), _gone())

    def close(self) -> None:
        """Have what was sent written, then stop; called when the event loop has ended. Idempotent."""
        if self._closed:
            return
        self._closed = True
        self._socket.settimeout(None)
        with self._socket:
            try:
                self._socket.shutdown(socket.SHUT_WR)
                while self._socket.recv(_ARRIVING):  # answers of which nobody waits any more
                    pass
            except OSError:  # it ended before
                pass
        self._process.wait()


def _gone() -> TryAgain:
    return TryAgain("writer-lost", "the writer ended; send the same request again", retry_after=1)
