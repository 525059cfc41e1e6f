"""Settings from the environment."""

from __future__ import annotations

import pytest

from rewards.errors import InvalidRequest
from rewards.settings import Settings, from_environment


def test_defaults() -> None:
    assert from_environment({}) == from_environment({"REWARDS_PORT": ""}) == Settings()
    assert Settings().database_url == "sqlite:///rewards.db"


def test_all_given() -> None:
    given = {
        "REWARDS_DATABASE_URL": "sqlite://",
        "REWARDS_HOST": "::1",
        "REWARDS_PORT": "9",
        "REWARDS_LOG_LEVEL": "debug",
    }
    assert from_environment(given) == Settings(database_url="sqlite://", host="::1", port=9, log_level="debug")


@pytest.mark.parametrize("name", ["PORT", "LOG_LEVEL"])
@pytest.mark.parametrize("text", ["x", "-1", "65536", "8" * 5000, "²"])
def test_what_cannot_be_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidRequest, match=f"REWARDS_{name} is `"):
        from_environment({f"REWARDS_{name}": text})
