"""The worst of the bad input against `rewards serve` in a process of its own: answered, and nothing in its log."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import CAFE

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[str]:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "rewards", "serve", "--policy", str(CAFE), "--port", "0"]
    environment = {**os.environ, "REWARDS_DATABASE_URL": f"sqlite:///{tmp_path / 'r.db'}", "PYTHONUNBUFFERED": "1"}
    with log.open("w") as output, subprocess.Popen(command, env=environment, stdout=output, stderr=output) as process:
        try:
            deadline = time.monotonic() + 30
            while (found := re.search(r"listening on (\S+)[\s\S]*startup complete", log.read_text())) is None:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
            yield found[1]
        finally:
            process.send_signal(signal.SIGINT)
    assert "Traceback" not in log.read_text()


def test_bad_input_leaves_no_trace(serving: str) -> None:
    with httpx.Client(base_url=f"{serving}/v1", timeout=30) as client:
        answers = [
            client.post("/purchases", content=content, headers=JSON)
            for content in (b"x" * 10_000_000, b"[" * 100_000, b'{"lines": ' * 100_000, b"\xff", b"", b"\0")
        ]
        codes = [answer.json()["code"] for answer in answers]
        assert codes == ["body-too-large", "too-deep", "too-deep", "not-utf8", "body-missing", "broken-json"]
        assert [answer.status_code for answer in answers] == [413, 400, 400, 400, 400, 400]
        assert client.get("/policy").json()["policy"] == CAFE.read_text()
