"""The writer as a process of its own: `python -m rewards.service.writer_main DATABASE TRIES`, asked by standard input.

It has no queue and no thread: while a batch commits, the next one gathers in the
socket. It ends when the server has closed its side, however that came about.
What does not live here: what commands write (`writes`).
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from collections import deque
from collections.abc import Callable
from contextlib import closing, suppress

from rewards.service.asked import Asked
from rewards.service.commands import Outcome
from rewards.service.messages import Inbox, read_asked, telling
from rewards.service.running import Tries, begin
from rewards.service.service import now_us
from rewards.service.writes import Planner
from rewards.store.database import Store
from rewards.store.writer import MOST_TOGETHER, write

_ARRIVING = 1 << 16  # bytes that are taken at once
ALLOCATIONS = 100_000  # between two looks for garbage; the default of 700 takes a tenth of the time of a purchase


def main(url: str, tries: Tries) -> None:
    """Write what standard input asks for, until its other end is closed."""
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.SIG_IGN)  # they are for the server, which closes its end when it is done
    with closing(socket.socket(fileno=os.dup(0))) as connection, closing(Store.open(url)) as store:
        planner = Planner(begin(store, now_us(), tries))
        rarely_collect()
        with suppress(ConnectionError):  # the server is gone, and who asked with it
            _serve(connection, lambda commands: write(store.transaction, planner, commands))


def rarely_collect() -> None:
    """Keep what is here by now out of the garbage collector's way, and let it look more rarely."""
    gc.freeze()
    gc.set_threshold(ALLOCATIONS, 50, 100)


def _serve(connection: socket.socket, write_: Callable[[list[Asked]], list[Outcome | Exception]]) -> None:
    inbox = Inbox()
    waiting: deque[bytes] = deque()
    while waiting or (arrived := connection.recv(_ARRIVING)):
        if not waiting:
            waiting.extend(inbox.take(arrived))
        while len(waiting) < MOST_TOGETHER and (more := _at_hand(connection)):
            waiting.extend(inbox.take(more))
        batch = [read_asked(waiting.popleft()) for _ in range(min(len(waiting), MOST_TOGETHER))]
        if batch:
            connection.sendall(telling(write_(batch)))


def _at_hand(connection: socket.socket) -> bytes:
    """Return what has arrived, without waiting for it."""
    try:
        return connection.recv(_ARRIVING, socket.MSG_DONTWAIT)
    except BlockingIOError:
        return b""


if __name__ == "__main__":
    main(sys.argv[1], Tries(*map(int, sys.argv[2:])))
