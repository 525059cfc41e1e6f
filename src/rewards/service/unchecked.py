"""Records that are read without looking at each character of their texts, for bytes in which none can be wrong.

A pattern costs a call of `re` for each text: most of the time of reading a
basket. What does not live here: when the texts need no look (`api.wire`, `messages`).
"""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from rewards.basket import ID_PATTERN, NAME_PATTERN, OPTIONAL_ID_PATTERN

_NO_CONTROLS = frozenset({ID_PATTERN, OPTIONAL_ID_PATTERN, NAME_PATTERN})
_BOUNDS = ("ge", "le", "min_length", "max_length", "tz")
T = TypeVar("T", bound=msgspec.Struct)


@cache
def unchecked(kind: type[T]) -> type[T]:
    """Return a record of the same fields, a subclass, whose texts may have control characters; other bounds stay."""
    hints = get_type_hints(kind, include_extras=True)
    given = [(field, _without(hints[field.name])) for field in msgspec.structs.fields(kind)]
    config = kind.__struct_config__
    return msgspec.defstruct(  # type: ignore[return-value]
        kind.__name__,
        [(field.name, type_) if field.required else (field.name, type_, _default(field)) for field, type_ in given],
        bases=(kind,),
        frozen=config.frozen,
        gc=config.gc,
        forbid_unknown_fields=config.forbid_unknown_fields,
        kw_only=True,
    )


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is msgspec.NODEFAULT:
        return field.default
    return msgspec.field(default_factory=field.default_factory)


def _without(kind: Any) -> Any:
    """Return an annotation without the patterns that only refuse control characters."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        plain, *metas = arguments
        return Annotated[(_without(plain), *map(_bounds, metas))]
    if origin in (Union, UnionType):
        return Union[tuple(map(_without, arguments))]  # noqa: UP007
    if arguments:
        return origin[tuple(map(_without, arguments))]
    return unchecked(kind) if isinstance(kind, type) and issubclass(kind, msgspec.Struct) else kind


def _bounds(meta: msgspec.Meta) -> msgspec.Meta:
    if meta.pattern not in _NO_CONTROLS:
        return meta
    return msgspec.Meta(**{name: value for name in _BOUNDS if (value := getattr(meta, name)) is not None})
