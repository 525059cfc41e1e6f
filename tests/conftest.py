"""Hypothesis profiles: `dev` by default, `ci` on CI, or what HYPOTHESIS_PROFILE names. And what every run must leave out."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.plain import nothing_plain, pins_of

_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("dev", max_examples=50, **_COMMON)
settings.register_profile("ci", max_examples=100, derandomize=True, print_blob=True, **_COMMON)
settings.register_profile("night", max_examples=20_000, **_COMMON)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.fixture(scope="session", autouse=True)
def no_code_and_no_pin_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After all tests of a worker: no code or PIN stands in a database, a WAL or a log; else its last test fails."""
    folder = tmp_path_factory.getbasetemp()
    log = logging.FileHandler(folder / "everything.log")
    logging.getLogger().addHandler(log)
    yield
    logging.getLogger().removeHandler(log)
    log.close()
    found = nothing_plain(folder, pins_of(Path(__file__).parent))
    assert found == [], "gift cards' codes or PINs are left in plain text"
