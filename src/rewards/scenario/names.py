"""What names may stand for in a story.

What does not live here: the steps that use them (`steps`, `reward_steps`).
"""

from __future__ import annotations

from dataclasses import dataclass

from rewards.policy.model import Policy
from rewards.policy.problems import Report, Span
from rewards.policy.wording import Hint, quoted
from rewards.scenario.story import Member


@dataclass(slots=True)
class Known:
    """What names may stand for in a story."""

    policy: Policy
    members: dict[str, Member]
    rules: set[str]
    wallets: set[str]
    products: set[str]
    cards: set[str]  # names of gift cards that are issued anywhere in the story
    holds: dict[str, str | None]  # name -> its member, anywhere in the story
    redemptions: dict[str, str]  # by name: the member, anywhere in the story
    purchases: dict[str, tuple[str, str | None]]  # receipt number -> its store and member, anywhere in the story
    beside: dict[str, bytes]  # policies that steps publish, by file name
    report: Report

    def miss(self, what: str, name: str, span: Span, names: set[str] | list[str]) -> None:
        """Report a name that stands for nothing."""
        self.report.add("unknown-name", f"there is no {what} {quoted(name)}", span, _hint(name, names))


def _hint(name: str, names: set[str] | list[str]) -> Hint:
    return Hint(name, sorted(names), "there is none here", "there is")
