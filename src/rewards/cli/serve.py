"""`rewards serve`: the HTTP API on this machine.

What does not live here: the application (`rewards.api`) and the address (`listening`).
"""

from __future__ import annotations

import sys
from contextlib import closing
from threading import Thread

import uvicorn

from rewards.cli.database import publish_first, service
from rewards.cli.listening import address, listen, server, until_stopped
from rewards.service.service import Service
from rewards.service.writer_main import rarely_collect
from rewards.settings import from_environment


def run(database: str | None, policy: str | None, host: str | None, port: int | None) -> int:
    """Serve until Ctrl-C or SIGTERM, or until the writer is lost."""
    settings = from_environment()
    listening = listen(host or settings.host, settings.port if port is None else port)
    with (
        closing(listening),
        service(
            database or settings.database_url, existing=policy is None, start="--policy FILE", apart=True
        ) as opened,
    ):
        note = publish_first(opened, policy)
        _say(opened, address(listening), note)
        rarely_collect()
        running = server(opened, settings.log_level)
        Thread(target=_stop_without_writer, args=(opened, running), daemon=True).start()
        with until_stopped():
            running.run(sockets=[listening])
        lost = not opened.writing
    sys.stderr.write("rewards: stopped\n")
    return 1 if lost else 0


def _stop_without_writer(opened: Service, running: uvicorn.Server) -> None:
    opened.wait()
    if not running.should_exit:
        sys.stderr.write("rewards: the writer ended by itself; stopping, start the server again\n")
        running.should_exit = True


def _say(opened: Service, url: str, note: str) -> None:
    version = opened.policy()[1]
    if note:
        sys.stderr.write(f"rewards: {note}\n")
    sys.stderr.write(
        f"listening on {url} without keys, for this machine only\n"
        f"policy {version.policy_version[:19]}…, in force from {version.effective}\n"
        f"the API is described at {url}/schema; stop with Ctrl-C\n"
    )
