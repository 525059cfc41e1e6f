"""Races through HTTP: a `rewards serve` in a process of its own, and tills that ask it all at once."""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from rewards.service.service import Service
from rewards.store.database import Store

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
    """Serve a policy from a database of its own; afterwards `verify` finds nothing, and the log has no traceback."""
    database, log = folder / "race.db", folder / "log"
    (folder / "race.yaml").write_text(policy)
    command = [sys.executable, "-m", "rewards", "serve", "--policy", str(folder / "race.yaml"), "--port", "0"]
    environment = {**os.environ, "REWARDS_DATABASE_URL": f"sqlite:///{database}", "PYTHONUNBUFFERED": "1"}
    with log.open("w") as output:
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 60
        while (found := re.search(r"listening on \S+:(\d+)[\s\S]*startup complete", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        tills = Tills(int(found[1]))
        try:
            yield tills
        finally:
            tills.close()
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
    assert "Traceback" not in log.read_text()
    service = Service(Store.open(f"sqlite:///{database}"))
    assert service.verify() == []
    service.close()
