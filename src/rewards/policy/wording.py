"""How messages name things: the author's words in backticks, lists in words, and the name that was meant.

What does not live here: the messages themselves, which stand where faults are found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher
from fractions import Fraction
from itertools import islice

SHORT = 60  # characters of the author's words that are repeated
MOST_LISTED = 12  # names that help lists if none is close
MOST_NAMED = 20  # names that one message says
PATIENCE = 10_000  # names that are compared for one file


def quoted(text: str) -> str:
    """Return the author's words in backticks: one line, short, no control characters."""
    short = text if len(text) <= SHORT else text[: SHORT - 1] + "…"
    return f"`{_printable(short)}`"


def one_of(names: Iterable[str], last: str = "or") -> str:
    """Return the names in backticks as a list in words: "`a`, `b` or `c`"."""
    words = [f"`{name}`" for name in islice(names, MOST_NAMED + 1)]
    if len(words) > MOST_NAMED:
        words[-1] = "others"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def nearest(word: str, names: Collection[str]) -> str:
    """Return the name that the author most likely meant, or an empty text."""
    word = word.lower()
    if word in names or len(word) > SHORT:
        return word if word in names else ""
    for name in names:
        short, long = sorted((name, word), key=len)
        if len(short) > 2 and long.startswith(short):  # noqa: PLR2004  `mon` for `monday`
            return name
    return closest(word, names, percent=75)


def closest(word: str, names: Iterable[str], *, percent: int) -> str:
    """Return the name most like a word, the last by letters of equals; an empty text if none is so much like it.

    How much is said in hundredths: of the letters of both, those that they have in common in the same order.
    """
    matcher, letters = SequenceMatcher(b=word), Counter(word)
    best = (Fraction(percent, 100), "")
    for name in names:
        size = len(word) + len(name)
        if 2 * (letters & Counter(name)).total() < best[0] * size:
            continue  # whatever their order
        matcher.set_seq1(name)
        common = sum(block.size for block in matcher.get_matching_blocks())
        best = max(best, (Fraction(2 * common, size), name))
    return best[1]


@dataclass(frozen=True, slots=True)
class Hint:
    """Help for a name that is not there, worked out only if it is shown: files may hold thousands of them."""

    word: str
    names: Collection[str]
    otherwise: str
    listed: str = ""  # how the names are introduced if none is close and they are few

    def text(self, patience: int) -> str:
        """Return the help; compares no names if there are more than `patience`."""
        found = nearest(self.word, self.names) if len(self.names) <= patience else ""
        if found:
            return f"did you mean `{found}`?"
        if self.listed and 0 < len(self.names) <= MOST_LISTED:
            return f"{self.listed} {one_of(self.names, 'and')}"
        return self.otherwise
