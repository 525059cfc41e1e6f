"""A small HTTP client for `rewards demo`: JSON to a server on this machine.

What does not live here: which calls are made.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from rewards.errors import RewardsError

_TIMEOUT_S = 20


class Client:
    """Sends requests to one server."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> dict[str, Any]:
        """Return the JSON at a path."""
        return self._send(Request(self.url + path))  # noqa: S310  our own server's address

    def post(self, path: str, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """Send a document, with an Idempotency-Key if one is given; return the answer."""
        headers = {"content-type": "application/json"} | ({"idempotency-key": key} if key else {})
        return self._send(Request(self.url + path, json.dumps(body).encode(), headers))  # noqa: S310  as above

    def _send(self, request: Request) -> dict[str, Any]:
        try:
            with urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310  as above
                answer: dict[str, Any] = json.load(response)
                return answer
        except HTTPError as error:
            problem = json.loads(error.read())
            raise RewardsError(problem["code"], problem["detail"]) from error
