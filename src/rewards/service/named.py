"""What a request names: of the policy, found or refused with the names that there are; and members who may act.

What does not live here: whether what was named can be had now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rewards.errors import Conflict, InvalidRequest
from rewards.policy.wording import one_of
from rewards.service.journal import Timeline

T = TypeVar("T")


def named(known: Mapping[str, T], what: str, name: str, pointer: str, code: str = "") -> T:
    """Return what the policy calls so; raise `InvalidRequest`, `unknown-` and what it is unless a code is given."""
    found = known.get(name)
    if found is None:
        there = f"it has {one_of(known, 'and')}" if known else "it has none"
        raise InvalidRequest(code or f"unknown-{what}", f"the policy has no {what} `{name}`; {there}", pointer=pointer)
    return found


def active(line: Timeline, pointer: str) -> Timeline:
    """Return a member's timeline; raise `Conflict` `member-blocked` for one who earns and spends nothing."""
    if line.state != "active":
        raise Conflict("member-blocked", f"the member is {line.state}", pointer=pointer)
    return line
