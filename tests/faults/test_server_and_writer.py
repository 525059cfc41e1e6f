"""`rewards serve` is two processes: how each of them ends, and what is left when one ends by force.

Real servers on loopback, real tills; every wait has an end.
"""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from rewards.service.service import Service
from rewards.store.database import Store

CAFE = Path(__file__).parents[2] / "rules/corner-cafe.yaml"
SERVE = [sys.executable, "-m", "rewards", "serve", "--policy", str(CAFE)]
PATIENCE_S = 30
TILLS = 8


def ends(pid):
    """Tell whether a process that is not our child ends in time."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def asked(connection, method, path, body=None):
    """Return status, headers and body of an answer."""
    connection.request(method, path, body and json.dumps(body), {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, dict(answer.getheaders()), answer.read()


class Server:
    """A server on a database file, in a process group of its own."""

    def __init__(self, file):
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [*SERVE, "--database", f"sqlite:///{file}", "--port", str(self.port)],
            env=os.environ | {"REWARDS_LOG_LEVEL": "warning"},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        for line in self.process.stderr:
            if line.startswith("the API is described"):
                break
        (child,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        self.writer = int(child)

    def connection(self):
        return closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S))

    def ask(self, method, path, body=None):
        with self.connection() as connection:
            return asked(connection, method, path, body)

    def ended(self):
        _, err = self.process.communicate(timeout=PATIENCE_S)
        assert "Traceback" not in err
        return self.process.returncode, err


@pytest.fixture
def serve(tmp_path):
    """Starts servers on one database."""
    started = []

    def start():
        started.append(Server(tmp_path / "shop.db"))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.wait()
        server.process.stderr.close()


def receipt(name):
    line = {"line_id": "1", "sku": "CAKE", "amount_minor": 250}
    at = datetime.now(UTC).isoformat()
    return {"receipt_id": name, "store_id": "S1", "occurred_at": at, "currency": "EUR", "lines": [line]}


class Till(threading.Thread):
    """Sells until the server is gone; keeps what it sent, and what it was told."""

    def __init__(self, server, number):
        super().__init__(daemon=True)
        self.server, self.number = server, number
        self.sent, self.told = {}, {}

    def run(self):
        with self.server.connection() as connection, suppress(OSError, http.client.HTTPException):
            while True:
                name = f"{self.number}-{len(self.sent)}"
                self.sent[name] = receipt(name)
                self.told[name] = asked(connection, "POST", "/v1/purchases", self.sent[name])


@contextmanager
def selling(server):
    tills = [Till(server, number) for number in range(TILLS)]
    for till in tills:
        till.start()
    until = time.monotonic() + PATIENCE_S
    while sum(len(till.told) for till in tills) < 20 * TILLS and time.monotonic() < until:
        time.sleep(0.01)
    yield tills
    for till in tills:
        till.join(PATIENCE_S)
        assert not till.is_alive()


def kept(tmp_path):
    """Return what the database says: the receipts it has, each once, and no finding."""
    service = Service(Store.open(f"sqlite:///{tmp_path}/shop.db"))
    with closing(service), service._store.reading() as session:
        names = [row[0] for row in session.rows("SELECT external_id FROM event WHERE kind = 'purchase'")]
        assert service.verify() == []
    assert len(names) == len(set(names))
    return set(names)


def answers(tills, status):
    return {name: body for till in tills for name, (code, _, body) in till.told.items() if code == status}


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_stopping_everyone_answers_everyone(serve, tmp_path, stop):
    """Ctrl-C reaches the whole group, and a supervisor may tell both: what was accepted is answered first."""
    server = serve()
    with selling(server) as tills:
        os.kill(server.writer, stop)
        os.killpg(server.process.pid, stop)
    code, err = server.ended()
    assert (code, err) == (0, "rewards: stopped\n")
    assert ends(server.writer)
    told = answers(tills, 201)
    assert sum(len(till.told) for till in tills) == len(told)
    assert kept(tmp_path) == set(told)


def test_a_killed_writer_ends_the_server_and_every_receipt_can_be_sent_again(serve, tmp_path):
    server = serve()
    with selling(server) as tills:
        os.kill(server.writer, signal.SIGKILL)
    code, err = server.ended()
    assert code == 1
    assert err == "rewards: the writer ended by itself; stopping, start the server again\nrewards: stopped\n"
    first, lost = answers(tills, 201), answers(tills, 503)
    for till in tills:
        for name in till.told.keys() & lost.keys():
            document = json.loads(lost[name])
            assert (document["code"], document["retryable"]) == ("writer-lost", True)
            assert till.told[name][1]["retry-after"]
    assert lost
    stored = kept(tmp_path)
    assert set(first) <= stored
    back = serve()
    for till in tills:
        for name, body in till.sent.items():
            status, _, answer = back.ask("POST", "/v1/purchases", body)
            assert status == 201
            assert answer == first.get(name, answer)
    assert kept(tmp_path) == {name for till in tills for name in till.sent}


def test_a_writer_lost_while_nobody_asks_ends_the_server(serve):
    server = serve()
    assert server.ask("GET", "/health/ready")[0] == 200
    os.kill(server.writer, signal.SIGKILL)
    assert server.ended()[0] == 1


def test_a_killed_server_leaves_no_writer_behind(serve, tmp_path):
    server = serve()
    with selling(server) as tills:
        server.process.kill()
    assert ends(server.writer)
    assert set(answers(tills, 201)) <= kept(tmp_path)
    assert serve().ask("GET", "/health/ready")[0] == 200


def test_what_another_process_publishes_counts_in_both(serve, tmp_path):
    """A version that is published beside the server is what it tells, and what its writer judges by."""
    server = serve()
    changed = tmp_path / "changed.yaml"
    changed.write_bytes(CAFE.read_bytes().replace(b"give: 5 beans", b"give: 7 beans"))
    done = subprocess.run(
        [sys.executable, "-m", "rewards", "publish", str(changed), "--database", f"sqlite:///{tmp_path}/shop.db"],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    versions = json.loads(server.ask("GET", "/v1/policy/versions")[2])["versions"]
    assert len(versions) == 2
    status, _, body = server.ask("POST", "/v1/purchases", receipt("after"))
    assert status == 201
    assert json.loads(body)["policy_version"] == versions[1]["policy_version"]  # the new one begins tomorrow
