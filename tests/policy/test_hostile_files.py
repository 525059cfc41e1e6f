"""No file may cost much or crash anything: each hostile one is read in a process of its own, and measured."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards.policy.compile import compile_policy
from rewards.policy.problems import render_github, render_json, render_text
from rewards.policy.source import MOST_EVENTS
from tests.policy import hostile

HERE = Path(__file__).parent
MEGABYTES_ABOVE_BARE = 50
# The aim is 0.1 s on a machine that does nothing else. Test machines do: what this catches is work that grows
# with the square of the file, which takes minutes.
SECONDS = 5.0
LEGAL = {"selection-chain", "one-group"}  # long, and yet a policy

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc")


@pytest.fixture(scope="module")
def bare() -> int:
    """Return the memory of an interpreter that does nothing, in kB."""
    code = "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))"
    return int(subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, timeout=60).stdout)


@pytest.mark.parametrize("name", hostile.FILES)
def test_a_hostile_file_is_refused_fast_and_small(name: str, bare: int) -> None:
    program = [sys.executable, str(HERE / "hostile.py"), name]
    run = subprocess.run(program, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    refused, problems, characters, seconds, memory = run.stdout.split()
    assert refused == str(name not in LEGAL)
    assert int(problems) <= 101
    assert int(characters) < 100_000
    assert float(seconds) < SECONDS
    assert int(memory) - bare < MEGABYTES_ABOVE_BARE * 1024


def test_the_limits_are_said() -> None:
    def codes(data: bytes) -> list[str]:
        return [problem.code for problem in compile_policy(data)[1]]

    assert codes(hostile.FILES["megabyte"]) == ["file-too-large"]
    assert codes(hostile.FILES["brackets"]) == ["too-deep"]
    assert codes(b"[" + b"a," * MOST_EVENTS + b"]") == ["too-many-parts"]


GOOD = [file.read_bytes() for file in sorted((HERE / "good").glob("*.yaml"))]


def survives(data: bytes) -> None:
    policy, problems = compile_policy(data, "x.yaml")
    assert (policy is None) == any(one.severity == "error" for one in problems)
    lines = data.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for one in problems:
        assert 1 <= one.line <= len(lines)
        assert 1 <= one.column <= len(lines[one.line - 1]) + 1
    assert compile_policy(data, "x.yaml") == (policy, problems)
    render_text(problems, {"x.yaml": data})
    render_json(problems)
    render_github(problems)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2_000))
def test_random_bytes(data: bytes) -> None:
    survives(data)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("[]{}:,-?&*!|>'\"%@`# \n\tab1.é\u2028\U0001f600"), max_size=300))
def test_random_yaml_marks(text: str) -> None:
    survives(text.encode())


WORDS = [
    b"", b"~", b"all", b"1", b"0", b"1.00", b"5 points", b"3 visits", b"30 days", b"{}", b"[]", b"[a, b]", b"{a: b}",
    b"base", b"week", b"receipt", b"true", b"2026-12-01", b"{code: A}", b"{times: 1, per: day}", b"best", b"every",
    b"give", b"times", b"of", b"measure", b"when", b"on", b"except", b"not", b"stars", b"policy",
]  # fmt: skip


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_good_files_with_words_exchanged(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(GOOD))
    for _ in range(data.draw(st.integers(1, 4))):
        words = text.split(b" ")
        at = data.draw(st.integers(0, len(words) - 1))
        end = b"".join(mark for mark in (b"}", b"]", b",", b"\n") if words[at].endswith(mark))
        words[at] = data.draw(st.sampled_from(WORDS)) + data.draw(st.sampled_from([b"", end, b":", b"\n"]))
        text = b" ".join(words)
    survives(text)
