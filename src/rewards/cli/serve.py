"""`rewards serve`: the HTTP API on this machine.

What does not live here: the application (`rewards.api`) and the address (`listening`).
"""

from __future__ import annotations

import gc
import sys
from contextlib import closing

from rewards.cli.database import publish_first, service
from rewards.cli.listening import address, listen, server, until_stopped
from rewards.service.service import Service
from rewards.settings import from_environment

_ALLOCATIONS = 100_000  # between two looks for garbage; the default of 700 takes a tenth of the time of a purchase


def run(database: str | None, policy: str | None, host: str | None, port: int | None) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    settings = from_environment()
    listening = listen(host or settings.host, settings.port if port is None else port)
    with (
        closing(listening),
        service(database or settings.database_url, existing=policy is None, start="--policy FILE") as opened,
    ):
        note = publish_first(opened, policy)
        _say(opened, address(listening), note)
        gc.freeze()  # what is here by now stays
        gc.set_threshold(_ALLOCATIONS, 50, 100)
        with until_stopped():
            server(opened, settings.log_level).run(sockets=[listening])
    sys.stderr.write("rewards: stopped\n")
    return 0


def _say(opened: Service, url: str, note: str) -> None:
    version = opened.policy()[1]
    if note:
        sys.stderr.write(f"rewards: {note}\n")
    sys.stderr.write(
        f"listening on {url} without keys, for this machine only\n"
        f"policy {version.policy_version[:19]}…, in force from {version.effective}\n"
        f"the API is described at {url}/schema; stop with Ctrl-C\n"
    )
