"""What the two sides of a writer process say to each other: commands one way, results in the same order back.

Each message is four bytes of length and MessagePack. What does not live here: the
sides themselves (`writer_process` asks, `writer_main` writes).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Any, Union

import msgspec

from rewards.basket import MemberRef
from rewards.errors import Conflict, InvalidRequest, KeyReused, NotFound, RewardsError, TryAgain
from rewards.service.asked import Asked, canonical
from rewards.service.commands import Command, Outcome, PreparedPurchase, RecordPurchase
from rewards.service.journal import read_receipt
from rewards.service.unchecked import unchecked

_LENGTH = Struct("!I")
_Purchase = unchecked(RecordPurchase)  # the server has looked at every text
_REFUSALS = {kind.__name__: kind for kind in (Conflict, InvalidRequest, KeyReused, NotFound, RewardsError, TryAgain)}


class _Prepared(msgspec.Struct, frozen=True, array_like=True):
    """A prepared purchase as it travels: its receipt once, packed."""

    member: unchecked(MemberRef) | None  # type: ignore[valid-type]
    metadata: dict[str, str]
    print_: bytes
    body: bytes
    lines: bytes
    sums: tuple[int, int, int, int, int]


_OTHERWISE: dict[type[Command], type[msgspec.Struct]] = {RecordPurchase: _Purchase, PreparedPurchase: _Prepared}


def _form(kind: type[Command]) -> type[msgspec.Struct]:
    """Return the record in which a command of a kind travels: its name, then the fields of `Asked`."""
    command = _OTHERWISE.get(kind, kind)
    fields: list[Any] = [("command", command), ("caller", str), ("key", str | None), ("now", int), ("who", str, "")]
    return msgspec.defstruct(kind.__name__, fields, frozen=True, array_like=True, tag=kind.__name__)


_FORMS: dict[type[Command], type[Any]] = {kind: _form(kind) for kind in Command.__args__}


class _Refused(msgspec.Struct, frozen=True, array_like=True):
    """An error as it travels; of one that is not the caller's only the sentence."""

    kind: str
    code: str
    message: str
    pointer: str
    facts: dict[str, Any]


_Result = tuple[Outcome | None, _Refused | None]
_asked = msgspec.msgpack.Decoder(Union[tuple(_FORMS.values())])  # noqa: UP007
_results = msgspec.msgpack.Decoder(list[_Result])
_encode = msgspec.msgpack.Encoder(enc_hook=str).encode


def asking(asked: Asked) -> bytes:
    """Return a command as a message; raise `InvalidRequest` for an instant of no calendar."""
    command: Command | _Prepared = asked.command
    form = _FORMS[type(asked.command)]
    if isinstance(command, PreparedPurchase):
        command = _Prepared(command.member, command.metadata, command.print_, command.body, command.lines, command.sums)
    return _framed(canonical(form(command, asked.caller, asked.key, asked.now, asked.who)))


def read_asked(body: bytes) -> Asked:
    """Read what `asking` wrote."""
    form = _asked.decode(body)
    command = form.command
    if isinstance(command, _Prepared):
        receipt = read_receipt(command.body)
        command = PreparedPurchase(
            command.member, command.metadata, command.print_, receipt, command.body, command.lines, command.sums
        )
    elif isinstance(command, _Purchase):
        command = RecordPurchase(command.basket)
    return Asked(command, form.caller, form.key, form.now, form.who)


def telling(results: Sequence[Outcome | Exception]) -> bytes:
    """Return the results of several commands as one message."""
    told: list[_Result] = [
        (None, _refused(result)) if isinstance(result, Exception) else (result, None) for result in results
    ]
    return _framed(_encode(told))


def read_results(body: bytes) -> Iterator[Outcome | Exception]:
    """Read what `telling` wrote."""
    for outcome, refused in _results.decode(body):
        if outcome is not None:
            yield outcome
        elif refused is not None:
            yield _error(refused)


def _refused(error: Exception) -> _Refused:
    if not isinstance(error, RewardsError):
        return _Refused("", "", repr(error), "", {})
    kind = next(base.__name__ for base in type(error).__mro__ if base.__name__ in _REFUSALS)
    return _Refused(kind, error.code, error.message, error.pointer, error.facts)


def _error(refused: _Refused) -> Exception:
    if not refused.kind:
        return RuntimeError(f"the writer failed: {refused.message}")
    return _REFUSALS[refused.kind](refused.code, refused.message, pointer=refused.pointer, **refused.facts)


def _framed(body: bytes) -> bytes:
    return _LENGTH.pack(len(body)) + body


class Inbox:
    """Puts messages together from what arrives in pieces."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._bytes = bytearray()

    def take(self, arrived: bytes) -> list[bytes]:
        """Return the messages that are whole by now; the rest waits for more."""
        self._bytes += arrived
        whole, at, size = [], 0, len(self._bytes)
        while size - at >= _LENGTH.size:
            end = at + _LENGTH.size + _LENGTH.unpack_from(self._bytes, at)[0]
            if end > size:
                break
            whole.append(bytes(self._bytes[at + _LENGTH.size : end]))
            at = end
        del self._bytes[:at]
        return whole
