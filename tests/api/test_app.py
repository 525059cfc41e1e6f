"""What holds for every operation: hosts, methods, faults of our own, health, and the table of problems."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import httpx
import pytest
from litestar import Litestar, get
from litestar.testing import TestClient

import rewards
from rewards import errors
from rewards.api.problems import HANDLERS, KINDS, kind_of

SOURCE = Path(rewards.__file__).parent
CLASSES = {name for name, one in vars(errors).items() if isinstance(one, type)}
WITHOUT_SERVER = (
    "cli/",
    "settings.py",
    "history.py",
    "importer.py",
    "store/migrate.py",
)  # raised before, or without, one
OPENING = {"database-unsupported", "database-unusable", "database-url"}


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8000"])
def test_an_open_server_answers_to_loopback(client: httpx.Client, host: str) -> None:
    assert client.get("/health/live", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["shop.example", "localhost.shop.example:8000", "127.0.0.2", "[::2]", "127.0.0.1:80:80", ""]
)
@pytest.mark.parametrize("path", ["/health/live", "/v1/policy", "/schema", "/schema/openapi.json"])
def test_an_open_server_answers_to_no_other_name(client: httpx.Client, host: str, path: str) -> None:
    answer = client.get(path, headers={"Host": host})
    assert answer.status_code in {400, 403}
    if answer.status_code == 403:
        assert answer.json()["code"] == "host-not-allowed"


def test_methods_that_an_address_does_not_take(client: httpx.Client) -> None:
    answer = client.delete("/v1/purchases")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, OPTIONS, POST")
    assert answer.json()["code"] == "method-not-allowed"


def test_health(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == client.get("/health/ready").json() == {"status": "ok"}


def test_a_fault_of_our_own_has_a_number_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    @get("/", sync_to_thread=False)
    def broken() -> int:
        return 1 // 0

    app = Litestar([broken], exception_handlers=HANDLERS, openapi_config=None, logging_config=None)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        answer = client.get("/")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal-error")
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert answer.json()["instance"] in record.getMessage()
    assert record.exc_info is not None
    assert "ZeroDivisionError" not in answer.text


def raised_codes() -> dict[str, str]:
    """Return every code that a module raises by its name, with the module."""
    codes = {}
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CLASSES and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    codes[first.value] = file.relative_to(SOURCE).as_posix()
    return codes


def test_every_code_has_a_row() -> None:
    reaching = {code for code, file in raised_codes().items() if not file.startswith(WITHOUT_SERVER)}
    assert reaching - OPENING - KINDS.keys() == set()


def test_every_row_is_of_a_code() -> None:
    text = "".join(
        file.read_text() for file in SOURCE.rglob("*.py") if file.name != "problems.py" or "api" not in file.parts
    )
    text += 'internal-error method-not-allowed no-such-path key-missing "currency-changed" "timezone-changed" policy-refused'
    assert [code for code in KINDS if code not in text] == []


def test_rows_agree_with_the_class_of_the_error() -> None:
    assert kind_of(errors.NotFound("unknown-member", "…")).status == 404
    assert kind_of(errors.Conflict("of-a-later-version", "…")).status == 409
    assert kind_of(errors.TryAgain("of-a-later-version", "…")).status == 503


def test_every_code_is_explained_where_its_type_points(client: httpx.Client) -> None:
    page = client.get("/schema").text
    assert [code for code in KINDS if f'<tr id="{code}">' not in page] == []
    assert all(kind.title and kind.remedy and not kind.remedy.endswith(".") for kind in KINDS.values())
