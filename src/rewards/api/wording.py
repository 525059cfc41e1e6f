"""What the decoder found wrong, in our words and as a JSON pointer.

What does not live here: finding it (`wire`). The decoder reports the first fault.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from rewards.errors import InvalidRequest

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at (?:(?P<key>`key` in )?`(?P<path>\$[^`]*)`))?$", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_FIELD = re.compile(r"^Object (?P<how>contains unknown|missing required) field `(?P<name>.*)`$", re.DOTALL)
_TYPES = re.compile(r"^Expected `(?P<wanted>[^`]+)`, got `(?P<got>[^`]+)`$")
_BOUND = re.compile(r"^Expected `(?:int|float)` (?P<sign>>=|<=|>|<) (?P<bound>\S+)$")
_LENGTH = re.compile(r"^Expected `(?P<kind>str|array|object)` of length (?P<sign>>=|<=) (?P<bound>\d+)$")
_PATTERN = re.compile(r"^Expected `str` matching regex (?P<pattern>.*)$", re.DOTALL)

_NAMES = {
    "int": "an integer",
    "float": "a decimal number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
    "datetime": "an instant as text",
    "date": "a date as text",
}
_UNITS = {"str": "character", "array": "item", "object": "key"}
_SIGNS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_SENTENCES = {
    "Expected `datetime` with a timezone component": (
        "naive-time",
        "the instant needs an offset, such as `Z` or `+01:00`",
    ),
    "Invalid RFC3339 encoded datetime": (
        "value-not-allowed",
        "not an RFC 3339 instant such as `2026-12-02T08:12:00+01:00`",
    ),
    "Invalid RFC3339 encoded date": ("value-not-allowed", "not a date such as `2026-12-02`"),
    "Number out of range": ("value-not-allowed", "the number is too large"),
}
_MOST_KEYS = 64  # of an object of free keys that are tried to find the faulty one


def fault_of(error: msgspec.ValidationError, pointer: str, kind: type) -> InvalidRequest:
    """Return the refusal for what the decoder found in a record; `pointer` as from `locate`."""
    code, message = worded(_parts(error)[0])
    if code == "unknown-field" and (known := _fields(kind, pointer)):
        message += f"; there are {', '.join(f'`{name}`' for name in known)}"
    return InvalidRequest(code, message, pointer=pointer)


def _fields(kind: type, pointer: str) -> list[str]:
    """Return the names of the fields beside the one that a pointer leads to, in their order."""
    here = _open(msgspec.inspect.type_info(kind))
    for step in pointer.split("/")[1:-1]:
        here = [inside for one in here for inside in _inside(one, step)]
    names = [field.encode_name for one in here if isinstance(one, msgspec.inspect.StructType) for field in one.fields]
    return list(dict.fromkeys(names))


def _inside(kind: msgspec.inspect.Type, step: str) -> list[msgspec.inspect.Type]:
    """Return what may stand at a step below a kind of value."""
    match kind:
        case msgspec.inspect.StructType(fields=fields):
            return [one for field in fields if field.encode_name == step for one in _open(field.type)]
        case msgspec.inspect.ListType(item_type=item) | msgspec.inspect.VarTupleType(item_type=item):
            return _open(item)
        case msgspec.inspect.DictType(value_type=value):
            return _open(value)
    return []


def _open(kind: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    """Return the kinds that a choice is between, without what is said about them."""
    if isinstance(kind, msgspec.inspect.Metadata):
        return _open(kind.type)
    return list(kind.types) if isinstance(kind, msgspec.inspect.UnionType) else [kind]


def _parts(error: msgspec.ValidationError) -> tuple[str, bool, str]:
    """Return what the decoder says, whether it is about a key, and its path of the place."""
    what, of_key, path = _PLACE.fullmatch(str(error)).groups()  # type: ignore[union-attr]  # it matches any text
    return what, bool(of_key), path or ""


def worded(what: str) -> tuple[str, str]:
    """Return the code and the sentence for what the decoder says, without its place."""
    if what in _SENTENCES:
        return _SENTENCES[what]
    if match := _FIELD.match(what):
        if match["how"] == "missing required":
            return "missing-field", f"`{match['name']}` is missing"
        return "unknown-field", f"there is no field `{match['name'][:100]}` here"
    if match := _TYPES.match(what):
        names = [_NAMES.get(one, one) for one in match["wanted"].split(" | ")]
        wanted = " or ".join(names) if len(names) < 3 else ", ".join(names[:-1]) + f", or {names[-1]}"  # noqa: PLR2004
        return "wrong-type", f"expected {wanted}, got {_NAMES.get(match['got'], match['got'])}"
    return "value-not-allowed", _limit(what)


def _limit(what: str) -> str:
    if match := _BOUND.match(what):
        return f"must be {_SIGNS[match['sign']]} {match['bound']}"
    if match := _LENGTH.match(what):
        unit = _UNITS[match["kind"]] + ("" if match["bound"] == "1" else "s")
        return f"must have {_SIGNS[match['sign']]} {match['bound']} {unit}"
    if match := _PATTERN.match(what):
        return _form(match["pattern"])
    return what[:1].lower() + what[1:]


def _form(pattern: str) -> str:
    if "[A-Z]{3}" in pattern:
        return "not a currency such as `EUR`: three capital letters"
    if "[0-9]{1,7}" in pattern:
        return "a quantity is an integer, or text such as `0.500` for goods by weight"
    if "x00" in pattern:
        return "control characters are not allowed" if "x1f" in pattern else "the character NUL is not allowed"
    return f"does not have the form {pattern}"


def locate(error: msgspec.ValidationError, document: object, kind: type) -> str:
    """Return the JSON pointer of the fault in the decoded document (None: it cannot be decoded).

    A missing field is pointed at where it belongs.
    """
    what, of_key, path = _parts(error)
    steps = [name or index for name, index in _STEP.findall(path)]
    if of_key:
        steps.append("...")
    if "..." in steps:
        steps = _resolved(steps, document, kind, str(error))
    if field := _FIELD.match(what):
        steps.append(field["name"])
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in steps)


def _resolved(steps: list[str], document: object, kind: type, said: str) -> list[str]:
    """Replace the `...` that stands for a free key by the key: the one that alone gives the same fault."""
    at = steps.index("...")
    place: Any = document
    for step in steps[:at]:
        place = place[int(step)] if isinstance(place, list) else (place or {}).get(step)
    if not isinstance(place, dict):
        return steps[:at]
    whole = dict(place)
    for key in list(whole)[:_MOST_KEYS]:
        place.clear()
        place[key] = whole[key]
        try:
            msgspec.convert(document, kind)
        except msgspec.ValidationError as error:
            if str(error) == said:
                return [*steps[:at], key, *steps[at + 1 :]]
    return steps[:at]
