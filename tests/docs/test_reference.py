"""The reference pages are what the program knows, to the letter."""

from __future__ import annotations

import click
import pytest

from rewards.cli.commands import cli
from tests.docs.reference import DOCS, PAGES


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run `python -m tests.docs.reference`"


def test_every_command_and_option_has_a_text() -> None:
    for name, command in cli.commands.items():
        assert command.help, name
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (name, parameter.name)
