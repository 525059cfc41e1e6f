"""Public ids: what callers see instead of the numbers inside.

An id is its numbers, sealed with the program's secret: nobody can guess one,
count purchases by one, or make one up, and no table is needed to read one.
What does not live here: whether the numbers exist.
"""

from __future__ import annotations

from base64 import b32decode
from binascii import Error as NotBase32
from binascii import b2a_base64
from functools import cache
from hashlib import blake2b
from hmac import compare_digest

_DIGITS = b"abcdefghijklmnopqrstuvwxyz234567"
_REMEMBERED = 100_000  # members whose ids are kept at hand
_BASE_64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"  # its first half
_TRANSLATED = bytes.maketrans(_BASE_64, _DIGITS)


def budget_owner(offer: str) -> int:
    """Return the owner of an offer's budget: below zero, and known from the offer's id without a look-up.

    >>> budget_owner("first-delivery") == budget_owner("first-delivery") < 0
    True
    """
    return -1 - (int.from_bytes(blake2b(offer.encode(), digest_size=8, person=b"budget").digest()) >> 1)


def staff_owner(name: str) -> int:
    """Return under which number a member of staff is counted: below zero, and their name can't be read from it."""
    return -1 - (int.from_bytes(blake2b(name.encode(), digest_size=8, person=b"staff").digest()) >> 1)


def _text(data: bytes) -> str:
    """Return bytes in base 32, several times as fast as the library's; their length divides by 5.

    Five bits each are moved to places of six, halves first, and these written in base 64.

    >>> _text(b"12345")
    'gezdgnbv'
    """
    number = int.from_bytes(data)
    for lower, upper, by in _spreading(len(data)):
        number = (number & lower) | (number & upper) << by
    return b2a_base64(number.to_bytes(len(data) * 6 // 5), newline=False).translate(_TRANSLATED).decode()


@cache
def _spreading(size: int) -> list[tuple[int, int, int]]:
    """Return the steps that move groups of five bits to places of six: what stays, what moves, and by how far."""
    groups, steps = size * 8 // 5, []
    half = 1 << (groups - 1).bit_length()
    while half := half >> 1:
        blocks = range(0, groups, 2 * half)
        kept = (1 << half * 5) - 1
        lower = sum(kept << start * 6 for start in blocks)
        steps.append((lower, sum(kept << start * 6 + half * 5 for start in blocks), half))
    return steps


class Ids:
    """Writes and reads the ids of one program.

    >>> ids = Ids(b"0" * 32)
    >>> ids.read_purchase(ids.purchase(7, 2))
    (7, 2)
    >>> ids.read_purchase(ids.member(7)) is None
    True
    """

    def __init__(self, secret: bytes) -> None:
        """Take the program's secret, at most 64 bytes."""
        self._secret = secret
        self._keyed: dict[tuple[int, bytes], blake2b] = {}  # begun with the key, to be copied
        self._members: dict[int, str] = {}
        self._owners: dict[str, int] = {}

    def member(self, owner: int) -> str:
        """Return the id of a member."""
        text = self._members.get(owner)
        if text is None:
            text = "mem_" + self._seal(owner.to_bytes(5), 10, b"mem")
            self._remember(owner, text)
        return text

    def _remember(self, owner: int, text: str) -> None:
        if len(self._members) >= _REMEMBERED:
            self._members.clear()
            self._owners.clear()
        self._members[owner] = text
        self._owners[text] = owner

    def purchase(self, owner: int, number: int) -> str:
        """Return the id of a purchase, by its event's number in the owner's timeline."""
        return "pur_" + self._seal(owner.to_bytes(5) + number.to_bytes(3), 12, b"pur")

    def redemption(self, owner: int, number: int) -> str:
        """Return the id of a redemption, by its event's number in the member's timeline."""
        return "red_" + self._seal(owner.to_bytes(5) + number.to_bytes(3), 12, b"red")

    def read_redemption(self, text: str) -> tuple[int, int] | None:
        """Return owner and event number of a redemption's id, or None if the id is none of ours."""
        plain = self._open(text, "red_", 20, 12, b"red")
        return None if plain is None else (int.from_bytes(plain[:5]), int.from_bytes(plain[5:]))

    def gift_card(self, owner: int) -> str:
        """Return the id of a gift card."""
        return "gc_" + self._seal(owner.to_bytes(5), 10, b"gc")

    def read_gift_card(self, text: str) -> int | None:
        """Return the owner of a gift card's id, or None if the id is none of ours."""
        plain = self._open(text, "gc_", 15, 10, b"gc")
        return None if plain is None else int.from_bytes(plain)

    def read_member(self, text: str) -> int | None:
        """Return the owner of a member's id, or None if the id is none of ours."""
        if (known := self._owners.get(text)) is not None:
            return known
        plain = self._open(text, "mem_", 15, 10, b"mem")
        if plain is None:
            return None
        owner = int.from_bytes(plain)
        self._remember(owner, text)
        return owner

    def read_purchase(self, text: str) -> tuple[int, int] | None:
        """Return owner and event number of a purchase's id, or None if the id is none of ours."""
        plain = self._open(text, "pur_", 20, 12, b"pur")
        return None if plain is None else (int.from_bytes(plain[:5]), int.from_bytes(plain[5:]))

    def _seal(self, plain: bytes, width: int, kind: bytes) -> str:
        tag = self._hash(plain, width, kind)
        return _text(tag + self._veil(plain, tag, kind))

    def _hash(self, data: bytes, size: int, kind: bytes) -> bytes:
        begun = self._keyed.get((size, kind))
        if begun is None:
            begun = self._keyed[size, kind] = blake2b(digest_size=size, key=self._secret, person=kind)
        hashed = begun.copy()
        hashed.update(data)
        return hashed.digest()

    def _veil(self, data: bytes, tag: bytes, kind: bytes) -> bytes:
        size = len(data)
        mask = self._hash(tag, size, kind + b"-veil")
        return (int.from_bytes(data) ^ int.from_bytes(mask)).to_bytes(size)

    def _open(self, text: str, prefix: str, size: int, width: int, kind: bytes) -> bytes | None:
        if not text.startswith(prefix) or not text.isascii():
            return None
        try:
            sealed = b32decode(text[len(prefix) :].upper())
        except NotBase32:
            return None
        if len(sealed) != size:
            return None
        tag = sealed[:width]
        plain = self._veil(sealed[width:], tag, kind)
        return plain if compare_digest(self._hash(plain, width, kind), tag) else None
