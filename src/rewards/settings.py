"""What the environment says: one frozen record, read once by whoever starts a process.

What does not live here: arguments of the command line, which win over the
environment, and the program's own policy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from rewards.errors import InvalidRequest

LEVELS = ("debug", "info", "warning", "error")
_HIGHEST_PORT = 65535
_RANGES = {  # of whole numbers
    "port": (0, _HIGHEST_PORT),
    "pin_tries": (1, 100),
    "guesses": (1, 1000),
    "guess_seconds": (60, 31_536_000),
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the database is, where the server listens, and how often codes and PINs of gift cards may be wrong.

    After `pin_tries` wrong PINs a card is locked; a caller may send `guesses` wrong codes and PINs at once, and gets as
    many again in `guess_seconds`, one after the other.
    """

    database_url: str = "sqlite:///rewards.db"
    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "info"
    pin_tries: int = 5
    guesses: int = 60
    guess_seconds: int = 600


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from `REWARDS_DATABASE_URL`, `REWARDS_HOST`, `REWARDS_PORT`, `REWARDS_LOG_LEVEL` and so on.

    Every field has its variable, and empty ones count as not set. Raises `InvalidRequest` `bad-setting` naming it.
    """
    source = os.environ if environment is None else environment
    given = {name: text for name in Settings.__struct_fields__ if (text := source.get(f"REWARDS_{name.upper()}", ""))}
    numbers = {name: _whole(name, given.pop(name)) for name in _RANGES if name in given}
    texts_and_numbers: dict[str, Any] = {**given, **numbers}
    settings = Settings(**texts_and_numbers)
    if settings.log_level not in LEVELS:
        raise InvalidRequest(
            "bad-setting", f"REWARDS_LOG_LEVEL is `{settings.log_level}`; use one of {', '.join(LEVELS)}"
        )
    return settings


def _whole(name: str, text: str) -> int:
    least, most = _RANGES[name]
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        what = "a port" if name == "port" else "a whole number"
        raise InvalidRequest(
            "bad-setting", f"REWARDS_{name.upper()} is `{text[:20]}`, not {what} from {least} to {most}"
        )
    return int(text)
