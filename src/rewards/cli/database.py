"""Opening the service for a command: which database, and whether it must be there already.

What does not live here: SQL, and what a command does with the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from rewards.cli.stories import sound
from rewards.errors import InvalidRequest, NotFound
from rewards.service.commands import Publish
from rewards.service.running import Tries
from rewards.service.service import Service
from rewards.service.writer_process import WriterProcess
from rewards.settings import from_environment
from rewards.store.database import Store


@contextmanager
def service(
    url: str | None, *, existing: bool = False, start: str = "rewards publish FILE", apart: bool = False
) -> Iterator[Service]:
    """Open the service on `url`, else the environment's; `existing` refuses a file that is not there.

    `start` is what the refusal tells people to do. `apart` gives the writer of a file a process of its own.
    """
    settings = from_environment()
    url = url or settings.database_url
    if existing:
        _demand(url, start)
    store = Store.open(url)
    tries = Tries(settings.pin_tries, settings.guesses, settings.guess_seconds)
    writer = WriterProcess(url, tries=tries) if apart and not store.in_memory else None
    opened = Service(store, writer=writer, tries=tries)
    try:
        yield opened
    finally:
        opened.close()


def _demand(url: str, start: str) -> None:
    try:
        file = make_url(url).database
    except ArgumentError:
        return  # opening it says so
    if file and file != ":memory:" and not Path(file).exists():
        message = f"there is no database `{file}`; name another with `--database`, or start one with `{start}`"
        raise NotFound("database-missing", message)


def has_policy(opened: Service) -> bool:
    """Tell whether any version was published."""
    return bool(opened.versions())


def publish_first(opened: Service, file: str | None) -> str:
    """Publish a policy into an empty database; return a note about what was not done, or an empty text.

    Raises `InvalidRequest` if there is no policy at all, or if it or the stories beside it have faults.
    """
    if has_policy(opened):
        return f"`{file}` is not published: the database has a policy; use `rewards publish`" if file else ""
    if file is None:
        raise InvalidRequest("no-policy", "the database holds no policy yet; name one with `--policy FILE`")
    opened.do(Publish(sound(file)[0], name=file))
    return ""
