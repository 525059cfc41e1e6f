"""Commands in processes of their own: what they import, how long they start, how they end."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from bench.check import wide
from rewards.policy.compile import compile_policy

ROOT = Path(__file__).parents[2]
CAFE = str(ROOT / "rules/corner-cafe.yaml")
GROCER = str(ROOT / "rules/green-grocer.yaml")
REWARDS = [sys.executable, "-m", "rewards"]


def started(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    environment = {name: text for name, text in os.environ.items() if not name.startswith("REWARDS_")}
    pipe = subprocess.PIPE
    return subprocess.Popen([*REWARDS, *arguments], cwd=cwd, env=environment, stdout=pipe, stderr=pipe, text=True)


def ended(*arguments: str, cwd: Path) -> tuple[int, str, str]:
    process = started(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def test_python_dash_m(tmp_path: Path) -> None:
    code, out, _ = ended("--version", cwd=tmp_path)
    assert (code, out) == (0, "rewards, version 0.1.0\n")


def test_check_imports_neither_the_web_framework_nor_the_database() -> None:
    script = (
        "import sys\n"
        "from rewards.cli.commands import run\n"
        f"assert run(['check', {GROCER!r}]) == 0\n"
        "heavy = ('litestar', 'sqlmodel', 'sqlalchemy', 'pydantic', 'uvicorn', 'alembic')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_check_answers_at_once(tmp_path: Path) -> None:
    def seconds() -> float:
        before = os.times()
        assert ended("check", GROCER, cwd=tmp_path)[0] == 0
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    assert min(seconds() for _ in range(3)) <= 0.3


def test_300_rules_are_checked_at_once() -> None:
    data = wide(300)

    def seconds() -> float:
        before = time.process_time()
        policy, problems = compile_policy(data)
        assert policy is not None
        assert len(policy.rules) + len(policy.offers) == 300
        assert not [one for one in problems if one.severity == "error"]
        return time.process_time() - before

    assert min(seconds() for _ in range(3)) <= 0.25


def test_nobody_reads_the_output(tmp_path: Path) -> None:
    shell = f"{sys.executable} -m rewards schema | head -c 11"
    done = subprocess.run(["bash", "-c", shell], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == '{\n  "$schem'
    assert done.stderr == ""


def wait_for(url: str) -> bytes:
    until = time.monotonic() + 30
    while True:
        try:
            with urlopen(url, timeout=5) as response:
                body: bytes = response.read()
                return body
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


def free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_serve_answers_and_stops(tmp_path: Path, stop: signal.Signals) -> None:
    port = free_port()
    server = started("serve", "--policy", CAFE, "--port", str(port), cwd=tmp_path)
    try:
        versions = json.loads(wait_for(f"http://127.0.0.1:{port}/v1/policy/versions"))["versions"]
        assert len(versions) == 1
        code, _, err = ended("serve", "--port", str(port), cwd=tmp_path)
        assert code == 1
        assert err == f"rewards: port {port} is in use; choose another with `--port`, or any with `--port 0`\n"
    finally:
        server.send_signal(stop)
        _, err = server.communicate(timeout=30)
    assert "Traceback" not in err
    assert err.startswith(f"listening on http://127.0.0.1:{port} without keys, for this machine only\n")
    assert server.returncode == 0
    again = ended("serve", "--policy", CAFE, "--host", "0.0.0.0", cwd=tmp_path)
    assert again[0] == 2


def put(url: str, body: dict[str, str]) -> int:
    """Publish, and return the status."""
    data = json.dumps(body).encode()
    with urlopen(Request(url, data, {"Content-Type": "application/json"}, method="PUT"), timeout=30) as response:
        status: int = response.status
        return status


def test_two_servers_and_the_command_line_publish_for_each_other(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    servers = [started("serve", "--policy", GROCER, "--port", str(ports[0]), cwd=tmp_path)]
    urls = [f"http://127.0.0.1:{port}/v1/policy" for port in ports]
    try:
        first = json.loads(wait_for(urls[0]))
        servers.append(started("serve", "--port", str(ports[1]), cwd=tmp_path))
        assert json.loads(wait_for(urls[1])) == first
        later = first["policy"].replace("give: 1 point}", "give: 3 points}")
        assert later != first["policy"]
        assert put(urls[1], {"policy": later, "from": "2200-01-01"}) == 201
        assert put(urls[0], {"policy": later, "from": "2200-01-01"}) == 200
        (tmp_path / "grocer.yaml").write_text(later + "# once more\n")
        assert ended("publish", "grocer.yaml", "--from", "2200-01-02", cwd=tmp_path)[0] == 0
        for url in urls:
            versions = json.loads(wait_for(f"{url}/versions"))["versions"]
            assert [(one["effective"], one["in_force"]) for one in versions][:2] == [
                ("2200-01-02", False),
                ("2200-01-01", False),
            ]
            assert json.loads(wait_for(url)) == first
    finally:
        for server in servers:
            server.send_signal(signal.SIGINT)
        ends = [server.communicate(timeout=30)[1] for server in servers]
    assert not any("Traceback" in err for err in ends)


def test_demo_stays_up_until_it_is_stopped(tmp_path: Path) -> None:
    port = free_port()
    demo = started("demo", "--port", str(port), cwd=tmp_path)
    try:
        assert demo.stdout is not None
        for line in demo.stdout:
            if line.startswith("the API is described"):
                break
        assert json.loads(wait_for(f"http://127.0.0.1:{port}/health/ready"))
    finally:
        demo.send_signal(signal.SIGINT)
        _, err = demo.communicate(timeout=60)
    assert demo.returncode == 0
    assert err == ""
    assert list(tmp_path.iterdir()) == []
