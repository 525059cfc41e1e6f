"""Looks for gift cards' codes and PINs in plain text, in whatever a run of the tests has left: databases, WALs, logs.

Codes are known by their form, as they are made or with dashes in any case, and by their check symbol: whoever made one,
it is found. PINs are those that the tests' own sources give to cards, as a text of their own in JSON, msgpack or a repr.
`nothing_plain` runs when a worker ends (`tests/conftest.py`), so that no test has to remember it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from rewards.service.codes import DIGITS, is_code, normal

_SMALL = f"[{DIGITS}{DIGITS[10:].lower()}]"
_RUN = re.compile(rb"[0-9A-Za-z-]{17,}")
_FORMS = (f"[{DIGITS}]{{17}}", "-".join([f"{_SMALL}{{4}}"] * 3 + [f"{_SMALL}{{5}}"]))
_CODE = re.compile(f"(?<![0-9A-Za-z])(?:{'|'.join(_FORMS)})(?![0-9A-Za-z])")
_GIVEN = re.compile(r"""\bpin["']?[=:] ?["']([0-9]{4,8})["']|\b(?:PIN|RIGHT)\b.* = .*?"([0-9]{4,8})\"""")
_LONG = 6  # digits that stand nowhere by chance


def pins_of(folder: Path) -> set[str]:
    """Return the PINs that the tests of a folder give to cards, but `0000` and its like, which drawn names are too."""
    found = [match for file in folder.rglob("*.py") for match in _GIVEN.findall(file.read_text())]
    return {pin for pins in found if len(set(pin := "".join(pins))) > 1}


def plain(data: bytes, pins: set[str]) -> Iterator[tuple[int, str]]:
    """Yield what must not be there, with its place."""
    for run in _RUN.finditer(data):
        for match in _CODE.finditer(run[0].decode()):
            text = match[0]
            mixed = any(one.isdigit() for one in text) and any(one.isalpha() for one in text)
            if mixed and is_code(normal(text)):
                yield run.start() + match.start(), text
    for pin in sorted(pins):
        at = data.find(pin.encode())
        while at >= 0:
            if _alone(data[max(0, at - 7) : at], data[at + len(pin) : at + len(pin) + 1], pin):
                yield at, f"PIN {pin}"
            at = data.find(pin.encode(), at + 1)


def _alone(before: bytes, behind: bytes, pin: str) -> bool:
    """Tell a PIN from digits by chance: a long one between other symbols, a short one as a text, or named."""
    if before[-1:].isdigit() or behind.isdigit():
        return False
    msgpack = before[-1:] == bytes([0xA0 + len(pin)])
    return len(pin) >= _LONG or msgpack or re.search(rb"""\bpin['"]?[=:] ?['"]?$""", before) is not None


def nothing_plain(folder: Path, pins: set[str]) -> list[str]:
    """Return where codes and PINs stand in the files of a folder."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file() and not file.is_symlink()]
    return [f"{file}, byte {at}: {text}" for file in files for at, text in plain(file.read_bytes(), pins)]
