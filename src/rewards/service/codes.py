"""Codes of gift cards: made at random, known by a keyed hash and their last four symbols alone.

A code is 16 symbols of Crockford's base 32 (80 random bits) and a check symbol,
which finds every single wrong symbol. What does not live here: whom a code leads
to (`gift_cards`, `vouchers`); nobody but the caller who asks for it ever sees one.

>>> is_code(normal(" 7zzz-0000-0000 000o-4")), is_code("7ZZZ0000000000005")
(True, False)
"""

from __future__ import annotations

import secrets
from hashlib import blake2b

from stdnum.iso7064 import mod_37_36

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM = 16  # symbols of 5 bits
LENGTH = RANDOM + 1
_READ_AS = str.maketrans("OIL", "011", " -")
_NEARLY = 12  # so many of its symbols are most of a code


def new_code(last_four: str = "") -> str:
    """Return a code without separators; one with given last four symbols, if there are any."""
    tail = last_four[:-1]
    while True:
        body = "".join([secrets.choice(DIGITS) for _ in range(RANDOM - len(tail))]) + tail
        code = body + mod_37_36.calc_check_digit(body, alphabet=DIGITS)
        if code.endswith(last_four):
            return code


def normal(text: str) -> str:
    """Return a code as it was made, from what somebody typed: no blanks or dashes, O as 0, I and L as 1."""
    return text.upper().translate(_READ_AS)


def is_code(text: str) -> bool:
    """Return whether a normal text can be a code: its length, its symbols and its check symbol."""
    return len(text) == LENGTH and set(text) <= set(DIGITS) and bool(mod_37_36.is_valid(text, alphabet=DIGITS))


def may_hold_code(text: str) -> bool:
    """Return whether a text holds so much of a code that it must not be kept: perhaps one with a slip in it."""
    return sum(symbol in DIGITS for symbol in normal(text)) >= _NEARLY


def shown(code: str) -> str:
    """Return a code in groups, as people read it.

    >>> shown("0123456789ABCDEFG")
    '0123-4567-89AB-CDEFG'
    """
    return "-".join((code[:4], code[4:8], code[8:12], code[12:]))


def masked(text: str) -> str:
    """Return what is left of a code in answers and events."""
    return f"****{normal(text)[-4:]}"


def claim_code(secret: bytes, guest: int) -> str:
    """Return the code of a guest's receipt, as it is printed: 40 bits, worked out from the secret and stored nowhere.

    >>> claim_code(b"0" * 32, 7) == claim_code(b"0" * 32, 7) != claim_code(b"0" * 32, 8)
    True
    """
    bits = int.from_bytes(blake2b(guest.to_bytes(8), digest_size=5, key=secret, person=b"claim").digest())
    code = "".join([DIGITS[bits >> shift & 31] for shift in range(35, -1, -5)])
    return f"{code[:4]}-{code[4:]}"


HIDDEN_CLAIM = "****-****"
_HIDDEN = f'"claim":{{"code":"{HIDDEN_CLAIM}"'.encode()


def with_claim_code(secret: bytes, guest: int, body: bytes) -> bytes:
    """Return a stored answer with the code of the guest's receipt in it, where it had one."""
    if _HIDDEN not in body:
        return body
    return body.replace(_HIDDEN, _HIDDEN.replace(HIDDEN_CLAIM.encode(), claim_code(secret, guest).encode()), 1)


def code_hash(secret: bytes, code: str) -> bytes:
    """Return what a code is known by."""
    return blake2b(code.encode(), digest_size=32, key=secret, person=b"code").digest()


def pin_hash(secret: bytes, owner: int, pin: str) -> bytes:
    """Return what the PIN of a card's owner is known by."""
    salt = owner.to_bytes(16, signed=True)
    return blake2b(pin.encode(), digest_size=32, key=secret, salt=salt, person=b"pin").digest()
