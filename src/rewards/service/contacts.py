"""Cards, phones and e-mail addresses in the one form in which they are kept.

What does not live here: whose they are (`batch`).
"""

from __future__ import annotations

import secrets
import unicodedata

import phonenumbers
from stdnum import ean

from rewards.errors import InvalidRequest

EAN_LENGTH = 13
ISSUED = "26"  # the range that GS1 leaves to shops
_LONGEST = 254  # of an e-mail address
_SHORTEST = 10_000  # shorter numbers are no subscriber's


def normal(kind: str, value: str, country: str | None) -> str:
    """Return a contact in its kept form; raise `InvalidRequest` for what cannot be one.

    `country` (ISO 3166) is where a phone number without a prefix belongs.
    """
    if kind == "card":
        return card(value)
    if kind == "phone":
        return phone(value, country)
    if kind == "email":
        return email(value)
    return unicodedata.normalize("NFC", value.strip())


def card(value: str) -> str:
    """Return a card number without its spaces; one that looks like an EAN-13 has the right check digit.

    >>> card("2600000 001236")
    '2600000001236'
    """
    number = unicodedata.normalize("NFKC", value).replace(" ", "").replace("-", "")
    if not number:
        raise InvalidRequest("card-invalid", "the card number is empty", pointer="/card")
    if len(number) == EAN_LENGTH and number.isascii() and number.isdigit() and not ean.is_valid(number):
        raise InvalidRequest("card-check-digit", f"`{value}` has a wrong check digit", pointer="/card")
    return number


def issue_card() -> str:
    """Return a random card number of the shop's own range; the caller sees to it that it is free."""
    body = ISSUED + f"{secrets.randbelow(10**10):010d}"
    return body + ean.calc_check_digit(body)


def phone(value: str, country: str | None) -> str:
    """Return a phone number in E.164.

    >>> phone("030 901820", "DE")
    '+4930901820'
    """
    try:
        number = phonenumbers.parse(value, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number) or (number.national_number or 0) < _SHORTEST:
        hint = "" if country or value.lstrip().startswith("+") else "; write it with its country, as +49 30 901820"
        raise InvalidRequest("phone-invalid", f"`{value}` is not a phone number{hint}", pointer="/phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def email(value: str) -> str:
    """Return an e-mail address in lower case.

    >>> email(" Ana@Example.COM ")
    'ana@example.com'
    """
    address = unicodedata.normalize("NFC", value.strip()).lower()
    local, at, domain = address.rpartition("@")
    labels = domain.split(".")
    if (
        not (at and local and len(labels) > 1 and all(labels))
        or len(address) > _LONGEST
        or any(c.isspace() for c in address)
    ):
        raise InvalidRequest("email-invalid", f"`{value}` is not an e-mail address", pointer="/email")
    return address
