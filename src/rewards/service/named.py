"""What a request names of the policy: found, or refused with the names that there are.

What does not live here: whether what was named can be had now.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from rewards.errors import InvalidRequest
from rewards.policy.wording import one_of

T = TypeVar("T")


def named(known: Mapping[str, T], what: str, name: str, pointer: str, code: str = "") -> T:
    """Return what the policy calls so; raise `InvalidRequest`, `unknown-` and what it is unless a code is given."""
    found = known.get(name)
    if found is None:
        there = f"it has {one_of(known, 'and')}" if known else "it has none"
        raise InvalidRequest(code or f"unknown-{what}", f"the policy has no {what} `{name}`; {there}", pointer=pointer)
    return found
