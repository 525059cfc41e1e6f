"""Apply each seeded defect to a copy of the tree, run the tests that should catch it, and say which did.

    python -m tests.defects [--ci] [--only NAME ...] [--list]

`patches/*.toml` hold the defects: a title, the tests to run, and pieces of source with what to write instead. A piece
must be found exactly once. Exit 1 if a defect survives, or a patch no longer applies.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("src", "tests", "bench", "rules", "pyproject.toml", "README.md")
TESTS_FAILED = 1  # pytest's exit status; any other says that the tests could not run
LONGEST = 600  # seconds for one defect


@dataclass(frozen=True)
class Defect:
    name: str
    title: str
    tests: list[str]
    edits: list[dict[str, str]]
    ci: bool

    @classmethod
    def read(cls, path: Path) -> Defect:
        data = tomllib.loads(path.read_text())
        return cls(path.stem, data["title"], data["tests"], data["edit"], data.get("ci", False))

    def apply(self, tree: Path) -> str:
        """Change the copy; return what does not fit, or nothing."""
        for edit in self.edits:
            file = tree / edit["file"]
            text = file.read_text() if file.exists() else ""
            if text.count(edit["find"]) != 1:
                return f"{edit['file']} has the piece {text.count(edit['find'])} times: {edit['find']!r}"
            file.write_text(text.replace(edit["find"], edit["write"]))
        return ""


def copy_tree(target: Path) -> None:
    ignore = shutil.ignore_patterns("__pycache__", ".hypothesis", "*.db*")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignore)
        elif source.exists():
            shutil.copy(source, target / name)


def run(tests: list[str], tree: Path) -> subprocess.CompletedProcess[str]:
    """Run tests on a copy until the first one fails."""
    environment = os.environ | {
        "PYTHONPATH": str(tree / "src"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HYPOTHESIS_PROFILE": "defects",
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "--no-header",
        "--tb=no",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.defects.quick",
    ]
    command += ["-p", "no:xdist", "-o", "addopts=--import-mode=importlib -rfE", *tests]
    return subprocess.run(
        command, cwd=tree, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
    )


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    return ((done.stdout + done.stderr).strip().splitlines()[-1:] or [""])[0]


def caught_by(defect: Defect, tree: Path) -> tuple[str, str]:
    """Return the test that failed, or an empty text and what went wrong."""
    try:
        done = run(defect.tests, tree)
    except subprocess.TimeoutExpired:
        return "", f"no answer within {LONGEST} s"
    if done.returncode != TESTS_FAILED:
        return "", f"pytest ended with {done.returncode}: {last_words(done)}"
    failed = re.search(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", done.stdout, re.MULTILINE)  # an id may hold blanks
    return (failed[1], "") if failed else ("", "no test is named as failed")


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def judge(defect: Defect) -> str:
    """Print what became of a defect; return the test that caught it."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="defect-") as folder:
        tree = Path(folder)
        copy_tree(tree)
        problem = defect.apply(tree)
        test = ""
        if not problem:
            test, problem = caught_by(defect, tree)
    seconds = time.monotonic() - started
    say(f"{defect.name:30} {seconds:6.1f} s  {test or 'NOT CAUGHT: ' + problem}")
    return test


def sound(tests: set[str]) -> bool:
    """Print and return whether the tests that failed pass on a copy without any defect."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="defect-") as folder:
        copy_tree(Path(folder))
        done = run(sorted(tests), Path(folder))
    seconds = time.monotonic() - started
    say(f"{'without any defect':30} {seconds:6.1f} s  {last_words(done)}")
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.defects", description=__doc__.splitlines()[0])
    parser.add_argument("--ci", action="store_true", help="only the quick ones that CI runs")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these")
    parser.add_argument("--list", action="store_true", help="say what there is and stop")
    asked = parser.parse_args()
    defects = [Defect.read(path) for path in sorted((Path(__file__).parent / "patches").glob("*.toml"))]
    if unknown := set(asked.only or ()) - {defect.name for defect in defects}:
        parser.error(f"no such defect: {', '.join(sorted(unknown))}")
    chosen = [d for d in defects if (d.ci or not asked.ci) and (not asked.only or d.name in asked.only)]
    if asked.list:
        for defect in chosen:
            say(f"{defect.name:30} {defect.title}")
        return 0
    caught = [test for test in map(judge, chosen) if test]
    clean = sound(set(caught)) if caught else True
    say(f"{len(caught)} of {len(chosen)} defects caught")
    return 0 if clean and len(caught) == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
