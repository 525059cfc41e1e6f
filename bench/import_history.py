"""The rate and the peak memory of an import, each in a process of its own, into a fresh SQLite file.

Run `python -m bench.import_history [--all] [--shuffle SEED]`. `synchronous=FULL`, decoding included. Target:
`complete_journey` in order at 2,000 events a second or more (aim 3,500), and at most 300 MB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.table import machine, show
from rewards import importer
from rewards.policy.compile import load_policy
from rewards.service.commands import Publish
from rewards.service.service import Service
from rewards.store.database import Store

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("REWARDS_DATA", ROOT.parent / "shared" / "data"))
HISTORIES = [
    ("complete_journey.part-a.jsonl.gz", "grocery-card.yaml"),
    ("online_retail.part-a.jsonl.gz", "gift-house.yaml"),
    ("cdnow.jsonl.gz", "record-club.yaml"),
]


def run(file: str, program: str, shuffle: int | None) -> None:
    """Import one file in this process, twice, and print what it took as JSON."""
    policy = (ROOT / "tests" / "data" / "programs" / program).read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        service = Service(Store.open(f"sqlite:///{folder}/bench.db"))
        service.do(Publish(policy))
        started, busy = time.perf_counter(), time.process_time()
        found = importer.run(service, DATA / file, zone=load_policy(policy).zone, shuffle=shuffle)
        seconds, cpu = time.perf_counter() - started, time.process_time() - busy
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        service.close()
        size = (Path(folder) / "bench.db").stat().st_size / 2**20
    print(json.dumps({"events": found.events, "seconds": seconds, "cpu": cpu, "peak": peak, "size": size}))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.import_history")
    parser.add_argument("--all", action="store_true", help="all three histories, not the grocery's alone")
    parser.add_argument("--shuffle", type=int, help="the seed of another order of arrival")
    parser.add_argument("--one", nargs=2, metavar=("FILE", "PROGRAM"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        file, program = asked.one
        run(file, program, asked.shuffle)
        return
    rows = []
    histories = HISTORIES if asked.all else HISTORIES[:1]
    if missing := [file for file, _ in histories if not (DATA / file).exists()]:
        parser.exit(1, f"{', '.join(missing)} not found; say with REWARDS_DATA in which folder the histories are\n")
    for file, program in histories:
        command = [sys.executable, "-m", "bench.import_history", "--one", file, program]
        command += ["--shuffle", str(asked.shuffle)] if asked.shuffle is not None else []
        told = json.loads(subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout)
        rate = told["events"] / told["seconds"]
        figures = (told["seconds"], told["cpu"], rate, told["peak"], told["size"])
        rows.append((file, told["events"], *[f"{figure:.1f}" for figure in figures]))
    show(
        f"Import into SQLite FULL{', shuffled' if asked.shuffle is not None else ''}; {machine()}",
        ["history", "events", "seconds", "CPU seconds", "events/s (>= 2000)", "peak MB (<= 300)", "database MB"],
        rows,
    )


if __name__ == "__main__":
    main()
