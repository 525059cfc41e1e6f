"""A `rewards serve` in processes of its own on a database in a folder: started, stopped, killed, started again."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from rewards.service.service import Service
from rewards.store.database import Store

PATIENCE_S = 60


def sold_now(name: str, minor: int = 500, **fields: Any) -> dict[str, Any]:
    """Return a purchase of a cake, just now."""
    line = {"line_id": "1", "sku": "CAKE", "unit_price_minor": minor}
    at = datetime.now(UTC).isoformat()
    return {"receipt_id": name, "store_id": "S1", "occurred_at": at, "currency": "EUR", "lines": [line], **fields}


class Server:
    """A server process on a database of its own, and how to reach it; further settings as the environment has them."""

    def __init__(self, folder: Path, policy: str, **settings: object) -> None:
        self.folder = folder
        self.database = folder / "rewards.db"
        self.policy = folder / "policy.yaml"
        self.policy.write_text(policy)
        self.settings = {f"REWARDS_{name.upper()}": str(value) for name, value in settings.items()}
        self.log = folder / "log"
        self.address = ""
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and find nothing in the books."""
        self.ended()
        assert self.findings() == []

    def start(self) -> None:
        command = [sys.executable, "-m", "rewards", "serve", "--policy", str(self.policy), "--port", "0"]
        environment = {**os.environ, "REWARDS_DATABASE_URL": f"sqlite:///{self.database}", "PYTHONUNBUFFERED": "1"}
        started = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("a") as output:
            self.process = subprocess.Popen(command, env=environment | self.settings, stdout=output, stderr=output)
        deadline = time.monotonic() + PATIENCE_S
        while (found := re.search(r"listening on (\S+)[\s\S]*startup complete", self._said(started))) is None:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.address = found[1]

    def _said(self, start: int) -> str:
        return self.log.read_bytes()[start:].decode()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        assert self.process is not None
        self.process.send_signal(how)
        self.process.wait(30)
        assert "Traceback" not in self.log.read_text()

    def ended(self) -> None:
        """Stop the server if it still runs."""
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def findings(self) -> list[str]:
        service = Service(Store.open(f"sqlite:///{self.database}"))
        try:
            return service.verify()
        finally:
            service.close()


class Caller:
    """Somebody who asks a server over one connection at a time, from an address of this machine."""

    def __init__(self, server: Server, address: str = "127.0.0.1") -> None:
        self.server, self.address = server, address
        self._connection: http.client.HTTPConnection | None = None
        self._to = ""

    def post(self, path: str, body: object, key: str = "") -> tuple[int, Any, bytes]:
        """Return status, body and its bytes."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        try:
            status, data = self._asked(path, body, headers)
        except (ConnectionError, http.client.HTTPException):  # the server closes what was idle for seconds
            self.close()
            status, data = self._asked(path, body, headers)
        return status, json.loads(data), data

    def _asked(self, path: str, body: object, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = self._connected()
        connection.request("POST", f"/v1/{path}", json.dumps(body), headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def send(self, path: str, body: object, key: str = "") -> None:
        """Send a request without waiting for its answer (`hear`)."""
        headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
        self._connected().request("POST", f"/v1/{path}", json.dumps(body), headers)

    def hear(self) -> tuple[int, Any, bytes]:
        """Return status, body and its bytes of the answer to what was sent."""
        assert self._connection is not None
        answer = self._connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data), data

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None or self._to != self.server.address:
            self.close()
            self._to = self.server.address
            port = int(self._to.rpartition(":")[2])
            self._connection = http.client.HTTPConnection(
                "127.0.0.1", port, timeout=PATIENCE_S, source_address=(self.address, 0)
            )
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
