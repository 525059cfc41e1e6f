"""`rewards demo`: a day of a café, through a server of its own.

What does not live here: the day (`demo_day`), and anything that a till could
not do: all is posted through the HTTP API.
"""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any
from zoneinfo import ZoneInfo

import rewards
from rewards.cli import demo_day
from rewards.cli.client import Client
from rewards.cli.listening import address, background, listen, until_stopped
from rewards.cli.screen import progress, say, table
from rewards.errors import InvalidRequest
from rewards.service.commands import Publish
from rewards.service.service import Service
from rewards.store.database import Store

_PORT = 8000
_POLICY = "corner-cafe.yaml"
_SATURDAY = 5

Ids = dict[str, str]


def run(port: int | None, *, once: bool) -> int:
    """Serve, post the day, print what came of it; then stay up until Ctrl-C, unless `once`."""
    policy = _policy()
    with tempfile.TemporaryDirectory(prefix="rewards-demo-") as folder, closing(_listen(port)) as listening:
        service = Service(Store.open(f"sqlite:///{folder}/demo.db"))
        with closing(service):
            service.do(Publish(policy.read_bytes(), name=str(policy)))
            url = address(listening)
            with background(service, listening), until_stopped():
                say(f"a café's server on {url}, its policy {policy.name}, its database in {folder}")
                _show(Client(url), url)
                _stay(url, once=once)
    return 0


def _policy() -> Path:
    """Return the café's policy: of the installed package, or of the source tree."""
    package = Path(rewards.__file__).parent
    found = [
        folder / _POLICY for folder in (package / "_rules", package.parents[1] / "rules") if (folder / _POLICY).exists()
    ]
    if not found:
        raise InvalidRequest("bad-setting", f"`{_POLICY}` is not part of this installation")
    return found[0]


def _listen(port: int | None) -> Any:
    try:
        return listen("127.0.0.1", _PORT if port is None else port)
    except InvalidRequest as error:
        if port is not None or error.code != "port-in-use":
            raise
        return listen("127.0.0.1", 0)


def _show(client: Client, url: str) -> None:
    day = _day()
    began = time.monotonic()
    ids = _enrol(client, day)
    _post(client, ids, day)
    posts, took = len(demo_day.DAY), time.monotonic() - began
    say(f"enrolled {len(ids)} members and posted {posts} events of {day:%A}, {day}, in {took:.1f} s")
    _balances(client, ids)
    _reasons(client, ids)
    _lines_to_paste(client, ids, url)


def _day() -> date:
    """Return the last working day before today, so that the cake hour always counts."""
    day = datetime.now(ZoneInfo(demo_day.ZONE)).date() - timedelta(days=1)
    while day.weekday() >= _SATURDAY:
        day -= timedelta(days=1)
    return day


def _enrol(client: Client, day: date) -> Ids:
    ids = {}
    for name, member in demo_day.MEMBERS.items():
        body = {
            "name": name,
            "joined": (day - timedelta(days=member.days)).isoformat(),
            "email": f"{name.lower()}@example.org",
        }
        ids[name] = client.post("/v1/members", body, key=f"enrol-{name}")["member_id"]
        for wallet, points in member.brings.items():
            opening = {"wallet": wallet, "points": points, "reason": "moved from the paper card", "actor": "demo"}
            opening["occurred_at"] = demo_day.opening(day).isoformat()
            client.post(f"/v1/members/{ids[name]}/adjustments", opening, key=f"opening-{name}-{wallet}")
    return ids


def _post(client: Client, ids: Ids, day: date) -> None:
    with progress("posting the day") as bar:
        for number, event in enumerate(demo_day.DAY, 1):
            client.post(*event.request(day, ids))
            bar(number, len(demo_day.DAY))


def _balances(client: Client, ids: Ids) -> None:
    rows = []
    for name, member_id in ids.items():
        wallets = client.get(f"/v1/members/{member_id}/balance")["wallets"]
        for wallet, held in wallets.items():
            ends = held["expiries"][0] if held["expiries"] else None
            until = f"{ends['points']} end on {ends['expires_at'][:10]}" if ends else ""
            rows.append([name, f"{held['available']}", wallet, until])
    say()
    table("what everybody has", ("member", "points", "wallet", "next to end"), rows, numbers=(1,))


def _reasons(client: Client, ids: Ids) -> None:
    rows = [
        [
            name,
            entry["occurred_at"][11:16],
            _what(entry, change),
            f"{change['points']:+}",
            change["wallet"],
            change["why"],
        ]
        for name, member_id in ids.items()
        for entry in reversed(client.get(f"/v1/members/{member_id}/statement")["entries"])
        for change in entry["changes"]
    ]
    say()
    table("and why", ("member", "at", "what", "points", "wallet", "why"), rows, numbers=(3,))


def _what(entry: dict[str, Any], change: dict[str, Any]) -> str:
    rule = change.get("title") or change.get("rule")
    return f"{entry['kind']}: {rule}" if rule else str(entry["kind"])


def _lines_to_paste(client: Client, ids: Ids, url: str) -> None:
    ana = ids["Ana"]
    now = datetime.now(UTC).astimezone(ZoneInfo(demo_day.ZONE))
    basket = demo_day.basket("mine-1", now, ana, (("FLATWHITE", "coffee", 1, 380), ("CROISSANT", "bakery", 1, 290)))
    say("\ncopy and paste; send the purchase twice, and it counts once", style="bold")
    quote = {key: value for key, value in basket.items() if key != "tenders"}
    for title, line in (
        ("what would it get?", _curl(url, "/v1/quotes", quote)),
        ("buy it", _curl(url, "/v1/purchases", basket)),
        ("what has Ana got?", _curl(url, f"/v1/members/{ana}/balance")),
        ("and why?", _curl(url, f"/v1/members/{ana}/statement")),
    ):
        say(f"\n# {title}")
        say(line)
    client.get("/health/ready")


def _curl(url: str, path: str, body: dict[str, Any] | None = None) -> str:
    sent = f" -H 'content-type: application/json' -d {shlex.quote(json.dumps(body))}" if body else ""
    return f"curl -s {url}{path}{sent} | python3 -m json.tool"


def _stay(url: str, *, once: bool) -> None:
    if once:
        return
    say(f"\nthe API is described at {url}/schema; stop with Ctrl-C", style="bold")
    sys.stdout.flush()
    Event().wait()
