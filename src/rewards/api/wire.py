"""Strict bodies: the bytes of a request in, a record out, or the first fault and where it is.

Accepted is JSON in UTF-8 that fits the record exactly: no unknown fields, no key
twice, no `"1"` or `1.0` for an integer, no instant without an offset, no NUL. Good
bodies pay for one more plain decoding (6 µs for a purchase of eight lines);
everything slower runs only for bodies that are refused. What does not live
here: how a fault is worded (`wording`), and how it is answered (`problems`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar.connection import Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException, InternalServerException

from rewards.api.bodies import OfflineBatch
from rewards.api.wording import fault_of, locate
from rewards.basket import Basket
from rewards.errors import InvalidRequest
from rewards.service.unchecked import unchecked

T = TypeVar("T")

MOST_BYTES = 1024 * 1024
MOST_BATCH_BYTES = 8 * MOST_BYTES
DEEPEST = 32

_DECODERS: dict[type[Any], msgspec.json.Decoder[Any]] = {}  # one for each record, made when first asked for
_BASKETS = msgspec.json.Decoder(unchecked(Basket))
_PLAIN = msgspec.json.Decoder()
_ENCODE = msgspec.json.Encoder().encode
_TOO_LARGE = InvalidRequest("value-not-allowed", "a number has more digits than any number here")
_TELLING_ESCAPE = re.compile(rb"\\u00(?:00|3[aA])")  # NUL, and the colon, which would hide a key from the count
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)


class StrictRequest(Request[Any, Any, State]):
    """A request whose JSON body is decoded strictly into the record that its handler asks for."""

    async def body(self) -> bytes:
        """Return the body; raise `InvalidRequest` unless it is there, whole, and announced as JSON."""
        _announced_as_json(self.scope["headers"])
        try:
            body = await super().body()
        except InternalServerException:  # what the framework calls a connection that ended early
            raise InvalidRequest("body-incomplete", "the connection ended before the body did") from None
        except HTTPException as error:
            if error.status_code != HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise
            most = self.route_handler.resolve_request_max_body_size()
            raise InvalidRequest("body-too-large", f"the body is longer than {most} bytes") from None
        if not body:
            raise InvalidRequest("body-missing", "the request has no body; send a JSON object")
        return body

    async def json(self) -> object:
        """Return the record of the handler's `data` parameter; the framework has asked for `body` before."""
        field = self.route_handler.parsed_data_field
        return decode(await super().body(), field.annotation if field else dict)


def decode(body: bytes, kind: type[T]) -> T:
    """Return the record that the body is; raise `InvalidRequest` with the pointer of the first fault."""
    try:
        value = _read(body, kind)
        # as many colons after a plain round trip: no key was dropped for being there twice
        parts = kind is OfflineBatch  # whose events are decoded one by one, and each has its own faults
        alike = body.count(b":") == _ENCODE(value if parts else _PLAIN.decode(body)).count(b":")
    except (ValueError, RecursionError, OverflowError) as error:
        raise _explain(body, kind, error) from None
    if parts:
        if not alike:
            _refuse_repeated_and_nul(body, deepest=0)
    elif not alike or (b"\\" in body and _TELLING_ESCAPE.search(body)):
        _refuse_repeated_and_nul(body)
    return value


def _read(body: bytes, kind: type[T]) -> T:
    """Read a record; in a basket without an escape or DEL no text has a control character, so none is looked for."""
    if kind is Basket and b"\\" not in body and b"\x7f" not in body:
        return kind(**msgspec.structs.asdict(_BASKETS.decode(body)))  # the framework takes no subclass
    value: T = (_DECODERS.get(kind) or _DECODERS.setdefault(kind, msgspec.json.Decoder(kind))).decode(body)
    return value


def _announced_as_json(headers: Iterable[tuple[bytes, bytes]]) -> None:
    kind = b""
    for name, value in headers:
        if name == b"content-type":
            kind = value
        elif name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            raise InvalidRequest("encoding-not-supported", "a compressed body is not read; send it plain")
    if kind == b"application/json":
        return
    media, _, parameters = kind.decode("latin-1").lower().partition(";")
    if media.strip() != "application/json":
        said = f"`{media.strip()}`" if media.strip() else "nothing"
        raise InvalidRequest("content-type", f"the content type is {said}; send `application/json`")
    if re.search(r'charset\s*=\s*(?!"?utf-?8"?\s*(?:;|$))', parameters):
        raise InvalidRequest("content-type", "the charset is not UTF-8; JSON is sent in UTF-8")


def _explain(body: bytes, kind: type[Any], error: Exception) -> InvalidRequest:
    """Say what is wrong with a body that was refused: its text first, then its form, then its values."""
    try:
        text = body.decode()
    except UnicodeDecodeError as fault:
        return InvalidRequest("not-utf8", f"the body is not UTF-8: byte {fault.start} does not belong")
    if _too_deep(text):
        return InvalidRequest("too-deep", f"the body is nested deeper than {DEEPEST} levels")
    try:
        document = _PLAIN.decode(body)
        _refuse_repeated_and_nul(body)
    except InvalidRequest as fault:
        return fault
    except (ValueError, RecursionError) as fault:  # not JSON, or a number that no value can be
        if not isinstance(error, msgspec.ValidationError):
            return _broken(text, fault)
        document = None
    if not isinstance(error, msgspec.ValidationError):
        return _TOO_LARGE
    return fault_of(error, locate(error, document, kind), kind)


def _broken(text: str, fault: Exception) -> InvalidRequest:
    if not isinstance(fault, msgspec.DecodeError):
        return _TOO_LARGE
    said = str(fault).removeprefix("JSON is malformed: ")
    if said == "Input data was truncated" and re.search(r"\\u[dD][89a-fA-F]", text):
        said = "it ends too early, or half a surrogate pair stands alone"
    elif said == "Input data was truncated":
        said = "it ends too early"
    return InvalidRequest("broken-json", f"the body is not JSON: {said}")


def _too_deep(text: str) -> bool:
    depth = 0
    for piece in re.findall(r"[\[{]+|[\]}]+", _STRING.sub("", text)):
        depth += len(piece) if piece[0] in "[{" else -len(piece)
        if depth > DEEPEST:
            return True
    return False


class _Repeated(dict[str, object]):
    """An object that had a key twice."""

    key = ""


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    whole = dict(pairs)
    if len(whole) == len(pairs):
        return whole
    seen: set[str] = set()
    marked = _Repeated(whole)
    marked.key = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return marked


def _refuse_repeated_and_nul(body: bytes, deepest: int = DEEPEST) -> None:
    """Raise for the first key that an object has twice, and for the first NUL in a key or text."""
    document = json.loads(body, object_pairs_hook=_object, parse_int=str, parse_float=str)
    for pointer, value in _walk(document):
        if pointer.count("/") > deepest:
            continue
        if isinstance(value, _Repeated):
            place = f"{pointer}/{escape(value.key)}"
            raise InvalidRequest("duplicate-key", f"`{value.key}` is there twice in one object", pointer=place)
        texts = value if isinstance(value, dict) else [value]
        if any(isinstance(text, str) and "\0" in text for text in texts):
            raise InvalidRequest("nul-character", "a text has the character NUL", pointer=pointer)


def _walk(document: object) -> Iterator[tuple[str, object]]:
    """Yield every value with its JSON pointer, parents first, in the order of the document."""
    left = [("", document)]
    while left:
        pointer, value = left.pop()
        yield pointer, value
        if isinstance(value, dict):
            left += [(f"{pointer}/{escape(key)}", part) for key, part in reversed(value.items())]
        elif isinstance(value, list):
            left += [(f"{pointer}/{i}", value[i]) for i in reversed(range(len(value)))]


def escape(key: str) -> str:
    """Return a key as it stands in a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
