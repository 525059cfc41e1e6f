"""The languages in which customers are spoken to: texts from catalogues, numbers, money, dates.

A message is written in English where it is used, with names in braces, and
looked up in `languages/TAG.po`, which babel compiles when the language is
first asked for. What does not live here: the policy's own titles, which the
policy translates.

>>> Tongue("en").count("{number} day", "{number} days", 2), Tongue("en").money(123456, "EUR", 2)
('2 days', '€1,234.56')
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO

from babel import Locale
from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_currency, format_decimal

from rewards.errors import InvalidRequest
from rewards.policy.wording import one_of

LANGUAGES = ("en", "ka", "hy", "kk", "ru")
_LOCALES = {"en": "en_001"}  # English without a country: 31 December 2026
_NO_BREAK = str.maketrans({"\N{NARROW NO-BREAK SPACE}": "\N{NO-BREAK SPACE}"})  # which few fonts of printers have


def marked(text: str) -> str:
    """Return a text that is looked up later; so that catalogues are known to need it."""
    return text


class Tongue:
    """One language, ready to speak."""

    def __init__(self, language: str) -> None:
        """Take one of `LANGUAGES`."""
        self.language = language
        self._locale = Locale.parse(_LOCALES.get(language, language))
        self._words = _catalogue(language)

    def say(self, text: str, **facts: str) -> str:
        """Return a message with its facts."""
        return self._words.gettext(text).format(**facts)

    def count(self, one: str, many: str, number: int) -> str:
        """Return a message about `{number}` things."""
        return self._words.ngettext(one, many, number).format(number=self.number(number))

    def number(self, number: int | Decimal) -> str:
        """Return a number with its groups of thousands."""
        return self._plain(format_decimal(number, locale=self._locale))

    def signed(self, number: int) -> str:
        """Return a whole number that says whether something came or went."""
        sign = "+" if number > 0 else "\N{MINUS SIGN}" if number < 0 else ""
        return sign + self.number(abs(number))

    def money(self, minor: int, currency: str, decimals: int) -> str:
        """Return minor units of a currency as people write them."""
        return self._plain(format_currency(Decimal(minor).scaleb(-decimals), currency, locale=self._locale))

    def day(self, day: date) -> str:
        """Return a date in words."""
        return self._plain(format_date(day, "long", locale=self._locale))

    @staticmethod
    def _plain(text: str) -> str:
        return text.translate(_NO_BREAK)


@lru_cache
def tongue(language: str) -> Tongue:
    """Return one of `LANGUAGES`."""
    return Tongue(language)


def spoken(wanted: str) -> str | None:
    """Return the one of `LANGUAGES` that a tag such as `ka-GE` means, or None.

    >>> spoken("KA-ge"), spoken("fr")
    ('ka', None)
    """
    base = wanted.lower().replace("_", "-").partition("-")[0]
    return base if base in LANGUAGES else None


def asked_for(wanted: str) -> Tongue:
    """Return the language that a caller asks for; raise `InvalidRequest` `unknown-language`."""
    language = spoken(wanted)
    if language is None:
        message = f"`{wanted[:20]}` is none of the languages {one_of(LANGUAGES, 'and')}"
        raise InvalidRequest("unknown-language", message, pointer="/language")
    return tongue(language)


@lru_cache
def _catalogue(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    file = files("rewards") / "languages" / f"{language}.po"
    compiled = BytesIO()
    write_mo(compiled, read_po(BytesIO(file.read_bytes()), locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)
