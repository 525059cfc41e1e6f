"""What the environment says: one frozen record, read once by whoever starts a process.

What does not live here: arguments of the command line, which win over the
environment, and the program's own policy.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from rewards.errors import InvalidRequest

LEVELS = ("debug", "info", "warning", "error")
_HIGHEST_PORT = 65535


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the database is and where the server listens."""

    database_url: str = "sqlite:///rewards.db"
    host: str = "127.0.0.1"
    port: int = 8000
    log_level: str = "info"


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings from `REWARDS_DATABASE_URL`, `REWARDS_HOST`, `REWARDS_PORT` and `REWARDS_LOG_LEVEL`.

    Empty variables count as not set. Raises `InvalidRequest` `bad-setting` naming the variable.
    """
    source = os.environ if environment is None else environment
    given = {name: text for name in Settings.__struct_fields__ if (text := source.get(f"REWARDS_{name.upper()}", ""))}
    port = given.pop("port", "8000")
    if not (port.isascii() and port.isdigit() and int(port[:6]) <= _HIGHEST_PORT):
        raise InvalidRequest("bad-setting", f"REWARDS_PORT is `{port[:20]}`, not a port from 0 to {_HIGHEST_PORT}")
    settings = Settings(**given, port=int(port))
    if settings.log_level not in LEVELS:
        raise InvalidRequest(
            "bad-setting", f"REWARDS_LOG_LEVEL is `{settings.log_level}`; use one of {', '.join(LEVELS)}"
        )
    return settings
