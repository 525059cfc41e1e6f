"""Purchases per second through HTTP beside an endpoint of the same framework that only decodes and answers.

Run `python -m bench.http [--rounds 5] [--seconds 4]`. 64 connections, one server process each, rounds in turn, medians;
the load comes from `wrk` where it is installed, else from `bench.load`. SQLite FULL, answers after COMMIT, an
empty program at the start; 20,000 members buy on one day, so that each comes a few times. Under the policy that the
README shows, and under the whole of `rules/corner-cafe.yaml`; the bare endpoint sends what the engine answers.
Target: at least 0.4 of the bare endpoint (aim 0.7).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.table import machine, show
from rewards.basket import MemberRef
from rewards.service.commands import Enrol, Publish
from rewards.service.service import Service
from rewards.store.database import Store

ROOT = Path(__file__).resolve().parents[1]
WHOLE = "rules/corner-cafe.yaml"
DAY = (datetime.now(UTC) - timedelta(days=1)).date()  # at noon: an hour at which the same rules give, whenever it runs
MEMBERS, CONNECTIONS = 20_000, 64
OURS = int(os.environ.get("BENCH_PORT", "8731"))
BARE = OURS + 1


@contextmanager
def server(command: list[str], port: int, **environment: str) -> Iterator[int]:
    process = subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=os.environ | environment, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/nothing", timeout=1)
            except urllib.error.HTTPError:
                break
            except OSError:
                time.sleep(0.1)
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)


def policies() -> dict[str, bytes]:
    """Return the policies by where they stand."""
    shown = re.search(r"^```yaml\n(policy: .*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert shown is not None
    return {"the README's policy": shown[1].encode(), WHOLE: (ROOT / WHOLE).read_bytes()}


def prepare(database: str, folder: Path, policy: bytes) -> None:
    """Publish the policy and enrol members before the server starts; write their ids to a file."""
    service = Service(Store.open(database))
    service.do(Publish(policy))
    names = [f"member-{i}" for i in range(MEMBERS)]
    for some in range(0, MEMBERS, 1_000):
        enrol = [Enrol(external_id=name, joined=DAY) for name in names[some : some + 1_000]]
        for future in service.submit_all(enrol, caller="import"):
            future.result()
    ids = [service.member(MemberRef(external_id=name)).member_id for name in names]
    service.close()
    (folder / "members").write_text("\n".join(ids) + "\n")


def load(port: int, seconds: int, run: str, folder: Path) -> dict[str, int]:
    url = f"http://127.0.0.1:{port}"
    environment = os.environ | {"MEMBERS": str(folder / "members"), "RUN": run, "AT": f"{DAY}T11:00:00Z"}
    if shutil.which("wrk"):
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", str(ROOT / "bench" / "purchase.lua"), url]
    else:
        command = [sys.executable, "-m", "bench.load", url, str(CONNECTIONS), str(seconds)]
    told = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout
    line = next(line for line in told.splitlines() if line.startswith("RESULT"))
    return {key: int(value) for key, value in re.findall(r"(\w+)=(\d+)", line)}


def one_answer(folder: Path) -> str:
    """Return what the engine answers a purchase; the bare endpoint then answers the same."""
    member = (folder / "members").read_text().split()[0]
    lines = ",".join(
        f'{{"line_id":"{i}","sku":"ESPRESSO","categories":["coffee"],"quantity":2,"unit_price_minor":380}}'
        for i in range(6)
    )
    body = (
        f'{{"receipt_id":"first","store_id":"mitte","occurred_at":"{DAY}T11:00:00Z","currency":"EUR",'
        f'"member":{{"id":"{member}"}},"lines":[{lines}]}}'
    )
    request = urllib.request.Request(
        f"http://127.0.0.1:{OURS}/v1/purchases", body.encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(answer.read(), "utf-8")


def cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def writer_of(pid: int) -> int:
    """Return the writer process of a server."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


def measured(policy: bytes, rounds: int, seconds: int) -> dict[str, list[float]]:
    """Return medians of both endpoints: requests a second, p50 and p99 in ms, CPU us a request by process."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        database = f"sqlite:///{folder}/bench.db"
        prepare(database, folder, policy)
        ours = ["-m", "rewards", "serve", "--database", database, "--port", str(OURS)]
        bare = ["-m", "uvicorn", "bench.floor:create", "--factory", "--port", str(BARE), "--no-access-log"]
        with server(ours, OURS) as our_pid, server(bare, BARE, BENCH_ANSWER=one_answer(folder)) as bare_pid:
            pids = {"bare": (BARE, [bare_pid]), "ours": (OURS, [our_pid, writer_of(our_pid)])}
            found: dict[str, list[tuple[float, ...]]] = {key: [] for key in pids}
            for number in range(-1, rounds):
                for key, (port, processes) in pids.items():
                    before = [cpu(pid) for pid in processes]
                    told = load(port, 2 if number < 0 else seconds, f"{key}-{number}", folder)
                    assert not told["bad"], f"{told['bad']} requests failed"
                    if number >= 0:
                        used = [cpu(pid) - was for pid, was in zip(processes, before, strict=True)]
                        rate = told["requests"] / told["us"] * 1e6
                        each = [one / told["requests"] * 1e6 for one in used]
                        found[key].append((rate, told["p50"] / 1000, told["p99"] / 1000, *each))
    return {key: [statistics.median(column) for column in zip(*tries, strict=True)] for key, tries in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.http")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4)
    asked = parser.parse_args()
    rows = []
    for name, policy in policies().items():
        middle = measured(policy, asked.rounds, asked.seconds)
        ratio = middle["ours"][0] / middle["bare"][0]
        for key, label, beside in (
            ("bare", "Litestar decodes and answers", ""),
            ("ours", f"POST /v1/purchases, {name}", f"{ratio:.2f}"),
        ):
            rows.append((label, *[f"{figure:.0f}" for figure in [*middle[key], 0][:5]], beside))
    show(
        f"{CONNECTIONS} connections, SQLite FULL, medians of {asked.rounds} rounds in turn; {machine()}",
        ["endpoint", "requests/s", "p50 ms", "p99 ms", "server CPU us/request", "writer's", "ratio (>= 0.4, aim 0.7)"],
        rows,
    )


if __name__ == "__main__":
    main()
