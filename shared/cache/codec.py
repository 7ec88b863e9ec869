"""Values as bytes and back, so that a hit and a miss are the same thing to the caller."""

import enum
import hashlib
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from types import UnionType
from typing import Any, Literal, TypeAliasType, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import ConfigDict, TypeAdapter, ValidationError

_CONTAINERS = (tuple, frozenset, Union, UnionType)
_IMMUTABLE = (str, bytes, int, float, bool, type(None), date, datetime, time, timedelta, Decimal, UUID)


class Undecodable(Exception):
    """Bytes that are not a value of the codec's type."""


class Unencodable(Exception):
    """A value that is not of the codec's type, or that has no bytes (a lone surrogate)."""


class Codec[T]:
    """JSON bytes of ``type_``: frozen dataclasses of plain values, nested and in tuples, or plain JSON values.

    Numbers, dates and aware datetimes come back equal and of the same type. ``schema`` changes with the type's fields,
    so that entries of an older program are misses. ``shareable`` types are immutable all the way down. Build one per
    type and keep it: building is lazy, but costs milliseconds.
    """

    def __init__(self, type_: type[T] | Any) -> None:
        self._type = type_

    @cached_property
    def _shape(self) -> tuple[str, bool]:
        return _describe(self._type, ())

    @cached_property
    def schema(self) -> str:
        return hashlib.sha256(self._shape[0].encode()).hexdigest()[:16]

    @cached_property
    def shareable(self) -> bool:
        return self._shape[1]

    @cached_property
    def _adapter(self) -> TypeAdapter[tuple[T]]:
        # Pydantic takes no settings for a dataclass itself, but for a tuple of one. Without them NaN becomes null.
        config = ConfigDict(ser_json_inf_nan="constants", ser_json_bytes="base64", val_json_bytes="base64")
        return TypeAdapter(tuple[self._type], config=config)  # type: ignore[name-defined]

    def encode(self, value: T) -> bytes:
        """Raises ``Unencodable``."""
        try:
            return self._adapter.dump_json((value,), warnings="error")
        except (ValueError, TypeError, RecursionError) as error:
            raise Unencodable(type(error).__name__) from None

    def decode(self, payload: bytes) -> T:
        """Raises ``Undecodable``."""
        try:
            return self._adapter.validate_json(payload, strict=True)[0]
        except (ValidationError, ValueError, TypeError, RecursionError) as error:
            raise Undecodable(type(error).__name__) from None


def _describe(type_: Any, path: tuple[Any, ...]) -> tuple[str, bool]:
    """A text that differs when the type differs, and whether its values are immutable."""
    if isinstance(type_, TypeAliasType):
        return _describe(type_.__value__, path)
    if type_ in path:
        return f"^{type_.__qualname__}", True
    if isinstance(type_, type) and is_dataclass(type_):
        return _describe_dataclass(type_, (*path, type_))
    origin = get_origin(type_)
    if origin is not None and origin is not Literal:
        inside = [_describe(argument, path) for argument in get_args(type_) if argument is not Ellipsis]
        text = f"{origin!r}[{','.join(text for text, _ in inside)}]"
        return text, origin in _CONTAINERS and all(frozen for _, frozen in inside)
    is_enum = isinstance(type_, type) and issubclass(type_, enum.Enum)
    return repr(type_), origin is Literal or type_ is None or type_ in _IMMUTABLE or is_enum


def _describe_dataclass(type_: Any, path: tuple[Any, ...]) -> tuple[str, bool]:
    hints = get_type_hints(type_)
    inside = {field.name: _describe(hints[field.name], path) for field in fields(type_)}
    text = ",".join(f"{name}={described}" for name, (described, _) in inside.items())
    frozen: bool = type_.__dataclass_params__.frozen
    return f"{type_.__qualname__}({text})", frozen and all(ok for _, ok in inside.values())
