"""Words that several commands put together the same way.

What does not live here: output (`screen`); this module imports nothing, so that `check` starts fast.
"""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with its word: `1 file`, `2 files`, `2 stories`."""
    return f"{number} {one if number == 1 else many or one + 's'}"
