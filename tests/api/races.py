"""Races through HTTP: a `rewards serve` in a process of its own, and tills that ask it all at once."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from tests.api.apart import Server

TILLS = 32
Answer = tuple[int, dict[str, Any]]


class Tills:
    """Many callers at once of one server, each on a connection of its own."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._mine = threading.local()
        self._open: list[http.client.HTTPConnection] = []
        self._keys = count()
        self._pool = ThreadPoolExecutor(TILLS)

    def ask(self, method: str, path: str, body: object = None) -> Answer:
        """Ask until the server is not too busy; what is its own fault fails the race."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"race-{next(self._keys)}"}
        sent = json.dumps(body) if body is not None else None
        while True:
            if not hasattr(self._mine, "connection"):
                self._mine.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
                self._open.append(self._mine.connection)
            connection: http.client.HTTPConnection = self._mine.connection
            connection.request(method, f"/v1/{path}", sent, headers)
            response = connection.getresponse()
            text = response.read()
            if response.status != 503:
                assert response.status < 500, (method, path, body, text)
                return response.status, json.loads(text)
            time.sleep(0.01)

    def post(self, path: str, body: object) -> Answer:
        return self.ask("POST", path, body)

    def get(self, path: str) -> dict[str, Any]:
        status, found = self.ask("GET", path)
        assert status == 200, found
        return found

    def all_at_once(self, asking: Sequence[Callable[[], Any]], luck: random.Random) -> list[Any]:
        """Do everything at once, in any order; return what came of it, in the order given."""
        order = list(range(len(asking)))
        luck.shuffle(order)
        futures = {i: self._pool.submit(asking[i]) for i in order}
        return [futures[i].result() for i in range(len(asking))]

    def close(self) -> None:
        self._pool.shutdown()
        for connection in self._open:
            connection.close()


@contextmanager
def racing(folder: Path, policy: str) -> Iterator[Tills]:
    """Tills at a server of their own."""
    with Server(folder, policy) as server:
        tills = Tills(int(server.address.rpartition(":")[2]))
        try:
            yield tills
        finally:
            tills.close()
