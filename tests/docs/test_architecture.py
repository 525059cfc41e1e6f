"""The shape of the code: which way imports run, what the core must not touch, how long things get."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "rewards"
MODULES = sorted(SOURCE.rglob("*.py"))
NAMES = [str(path.relative_to(SOURCE)) for path in MODULES]

# Each part may import what stands on a lower step. Those of one step don't know each other.
STEPS = [
    {"__init__"},
    {"money", "errors", "days", "unsaid"},
    {"receipt", "settings"},
    {"basket"},
    {"policy"},
    {"engine"},
    {"ledger"},
    {"store"},
    {"service"},
    {"importer", "scenario"},
    {"api"},
    {"cli"},
    {"__main__"},
]
WITH = {"history": "basket"}  # parts that stand on the step of another
LEVEL = {name: number for number, names in enumerate(STEPS) for name in names}
LEVEL |= {name: LEVEL[other] for name, other in WITH.items()}

CORE = {"money", "errors", "days", "receipt", "policy", "engine", "ledger"}
FRAMEWORKS = {
    "litestar",
    "sqlalchemy",
    "sqlmodel",
    "pydantic",
    "uvicorn",
    "click",
    "rich_click",
    "rich",
    "alembic",
    "sqlite3",
}
CLOCKS = {"time", "now", "today", "utcnow", "time_ns", "monotonic", "perf_counter"}
LONGEST_FUNCTION, LONGEST_FILE = 60, 400


def part(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module == "rewards":
                yield from (f"rewards.{alias.name}" for alias in node.names)
            else:
                yield node.module


@pytest.mark.parametrize("name", NAMES)
def test_imports_run_one_way(name: str) -> None:
    path = SOURCE / name
    mine = part(path)
    assert mine in LEVEL, f"say in this test where `{mine}` stands"
    for module in imported(ast.parse(path.read_text())):
        if module.startswith("rewards."):
            other = module.split(".")[1]
            if other != mine and other in LEVEL and other not in {"__init__", "__version__"}:
                allowed = LEVEL[other] < LEVEL[mine] or WITH.get(mine) == other
                assert allowed, f"{name} imports {module}"


@pytest.mark.parametrize("name", [name for name in NAMES if name.split("/")[0].removesuffix(".py") in CORE])
def test_the_core_knows_no_framework_no_clock_no_float(name: str) -> None:
    tree = ast.parse((SOURCE / name).read_text())
    assert not {module.split(".")[0] for module in imported(tree)} & FRAMEWORKS
    assert not {module.split(".")[0] for module in imported(tree)} & {"time", "random"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            assert not isinstance(node.value, float), f"{name}:{node.lineno}: a float"
        if isinstance(node, ast.BinOp):
            exact = not isinstance(node.op, ast.Div) or "Decimal(" in ast.unparse(node.left)
            assert exact, f"{name}:{node.lineno}: `/` makes a float"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id != "float", f"{name}:{node.lineno}: a float"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and name != "days.py":
            assert node.func.attr not in CLOCKS, f"{name}:{node.lineno}: a clock"


@pytest.mark.parametrize("name", NAMES)
def test_functions_and_files_stay_short(name: str) -> None:
    if "migrations" in name:
        pytest.skip("a migration is a list of tables, written once")
    text = (SOURCE / name).read_text()
    assert len(text.splitlines()) < LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[1] if ast.get_docstring(node) and len(node.body) > 1 else node.body[0]
            length = (node.end_lineno or 0) - first.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{name}: {node.name} has {length} lines"


@pytest.mark.parametrize("name", NAMES)
def test_every_module_says_what_lives_in_it(name: str) -> None:
    docstring = ast.get_docstring(ast.parse((SOURCE / name).read_text()))
    assert docstring
    assert re.match(r"[A-Z`]", docstring)


def test_what_is_imported_is_declared() -> None:
    declared = (ROOT / "pyproject.toml").read_text()
    named = {"yaml": "pyyaml", "stdnum": "python-stdnum"}
    for path in MODULES:
        for module in imported(ast.parse(path.read_text())):
            top = module.split(".")[0]
            if top not in sys.stdlib_module_names and top != "rewards":
                wanted = named.get(top, top.replace("_", "-"))
                assert f'"{wanted}' in declared or wanted in {"sqlalchemy", "click"}, f"{path.name} imports {top}"


def test_the_repository_names_no_place_of_its_making() -> None:
    """Nobody who clones it has the machines on which it was written."""
    words = ("/" + "work/", "shared" + "/research", "pypi" + ".org", "files.python" + "hosted.org")
    for path in [*MODULES, *ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.py")]:
        text = path.read_text()
        assert not [word for word in words if word in text], path
