"""Every error that leaves the engine: a stable code, a sentence, and facts about it.

What does not live here: HTTP statuses (`api.problems` has the one table) and
diagnostics of policy files (`policy.problems`).

A caller's mistake is an exception of this module; a condition that does not
hold is a value. A broken invariant of our own is an `AssertionError`.
"""

from __future__ import annotations


class RewardsError(Exception):
    """The base of all errors that a caller may see.

    `code` is kebab-case and stable: clients match on it, never on the text.
    `pointer` is a JSON pointer into the document that was sent, or empty.
    `facts` are further members of the problem document (amounts, ids).
    """

    def __init__(self, code: str, message: str, *, pointer: str = "", **facts: object) -> None:
        """Keep the parts; `str(error)` is the sentence alone."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.pointer = pointer
        self.facts = facts


class InvalidRequest(RewardsError):
    """The document itself is wrong: its form, a value out of range, a sum that does not agree."""


class NotFound(RewardsError):
    """What the caller named is not here."""


class Conflict(RewardsError):
    """The request contradicts what was recorded before, or what is there to spend."""


class KeyReused(RewardsError):
    """The idempotency key was used before, with other content."""


class TryAgain(RewardsError):
    """Busy, closing or lost; the same request may be sent again, and counts once."""
