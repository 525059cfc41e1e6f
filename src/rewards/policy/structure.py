"""The kinds of things that a policy file is made of, in which the schema is written.

What does not live here: the vocabulary itself (`schema`).
"""

from __future__ import annotations

from dataclasses import dataclass

from rewards.policy import forms
from rewards.policy.forms import Form


@dataclass(frozen=True, slots=True)
class Key:
    """A key of a map: its value's shape, and what people should know about it."""

    name: str
    shape: Shape
    help: str
    required: bool = False
    default: str = ""  # as the author would write it, or what happens without the key
    example: str = ""  # YAML of the value; a form's own examples if empty


@dataclass(frozen=True, slots=True)
class Fields:
    """A map with fixed keys."""

    what: str  # with its article
    keys: tuple[Key, ...] = ()
    unsupported: tuple[str, ...] = ()  # keys of the language that this version does not know yet
    elsewhere: tuple[tuple[str, str], ...] = ()  # keys that maps like this one have, and what to write here instead
    exactly_one: tuple[str, ...] = ()
    at_least_one: tuple[str, ...] = ()
    excludes: tuple[tuple[str, str], ...] = ()  # beside the pairs of `exactly_one`
    together: tuple[tuple[str, tuple[str, ...]], ...] = ()  # a key and those that it needs
    may_be_empty: bool = False


def some_of(what: str, keys: tuple[Key, ...]) -> Fields:
    """Return a map with fixed keys, of which at least one is there, whichever it is."""
    return Fields(what, keys, at_least_one=tuple(key.name for key in keys))


@dataclass(frozen=True, slots=True)
class Named:
    """A map from the author's ids to things of one shape."""

    what: str  # one of the things, with its article
    of: Shape
    ids: Form = forms.IDENTIFIER


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list of alternatives of one shape; never empty."""

    of: Shape
    repeats: bool = False  # whether an item may stand in it twice


@dataclass(frozen=True, slots=True)
class Either:
    """A value whose kind decides its shape."""

    what: str
    scalar: Form | None = None
    list: ListOf | None = None
    map: Fields | Named | Ref | None = None


@dataclass(frozen=True, slots=True)
class Ref:
    """A shape of `DEFINITIONS`, by name: shapes that hold themselves."""

    name: str


Shape = Form | Fields | Named | ListOf | Either | Ref
