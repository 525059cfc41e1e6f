"""Where the histories are, and a service to import them into."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from rewards import importer
from rewards.policy.compile import load_policy
from rewards.service.commands import Publish
from rewards.service.service import Service
from rewards.store.database import Store

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("REWARDS_DATA", HERE.parents[1].parent / "shared" / "data"))
LONG = bool(os.environ.get("REWARDS_LONG"))


class Shopkeeper:
    """A program on a database of its own, and the questions that the tests ask of it."""

    def __init__(self, service: Service, program: str) -> None:
        data = (HERE / "programs" / program).read_bytes()
        self.service = service
        self.zone = load_policy(data).zone
        self.path = service._store.path
        service.do(Publish(data))

    def take(self, file: Path, shuffle: int | None = None) -> importer.Imported:
        return importer.run(self.service, file, zone=self.zone, shuffle=shuffle)

    def sums(self) -> dict[tuple[str, str], int]:
        """Return the sum of every account and wallet over all postings."""
        with self.service._store.reading() as session:
            return {(account, unit): total for account, unit, total in session.rows(SUMS)}


SUMS = "SELECT account, unit, SUM(amount) FROM posting GROUP BY account, unit"


@pytest.fixture
def open_shop(tmp_path: Path) -> Iterator[Callable[[str], Shopkeeper]]:
    opened: list[Service] = []

    def open_one(program: str) -> Shopkeeper:
        opened.append(Service(Store.open(f"sqlite:///{tmp_path}/{len(opened)}.db")))
        return Shopkeeper(opened[-1], program)

    yield open_one
    for service in opened:
        service.close()


@pytest.fixture
def history(tmp_path: Path) -> Callable[[str, int], Path]:
    """Return a history's file, or the part of it that holds one of so many members."""

    def find(name: str, of: int) -> Path:
        whole = FOLDER / name
        if not whole.exists():
            pytest.skip(f"the history `{name}` is not in `{FOLDER}`; REWARDS_DATA names its folder")
        if LONG:
            return whole
        part = tmp_path / name.removesuffix(".gz")
        with gzip.open(whole) as lines, part.open("wb") as kept:
            for line in lines:
                member = msgspec.json.decode(line)["member_id"] or "guest"
                if zlib.crc32(member.encode()) % of == 1:
                    kept.write(line)
        return part

    return find
