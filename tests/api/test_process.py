"""The worst of the bad input against `rewards serve` in a process of its own: answered, and nothing in its log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.api.apart import Server
from tests.api.conftest import CAFE

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def serving(tmp_path: Path) -> Iterator[str]:
    with Server(tmp_path, CAFE.read_text()) as server:
        yield server.address


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
