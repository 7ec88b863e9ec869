"""What goes into the cache, what comes out, and how it is kept in between."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from shared.errors import DependencyUnavailable

Level = Literal["memory", "redis", "origin"]


class _Unset:
    __slots__ = ()


UNSET: Final = _Unset()


def _check_seconds(seconds: float) -> None:
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"seconds must be finite and not negative, not {seconds!r}")


@dataclass(frozen=True, slots=True)
class Fetched[T]:
    """A value from the origin: fresh for ``fresh_s`` seconds, and for ``stale_s`` more if the origin then fails.

    With both 0 the value goes to those who wait for it and is not kept.
    """

    value: T
    fresh_s: float
    stale_s: float = 0.0

    def __post_init__(self) -> None:
        _check_seconds(self.fresh_s)
        _check_seconds(self.stale_s)


@dataclass(frozen=True, slots=True)
class Cached[T]:
    """An answer. ``stale``: past its time and served because the origin fails. ``created_at`` is aware UTC."""

    value: T
    created_at: datetime
    stale: bool
    level: Level


class Absent(Exception):
    """Raised by a fetch: the origin answered that there is no such thing.

    That answer is kept for ``fresh_s`` seconds, and every hit raises it again, so that hit and miss look the same.
    """

    def __init__(self, detail: str, *, fresh_s: float) -> None:
        _check_seconds(fresh_s)
        super().__init__(detail)
        self.detail = detail
        self.fresh_s = fresh_s


class OriginFailed(DependencyUnavailable):
    """The fetch of another process failed a moment ago, or this one's took too long; there is nothing to serve."""

    code = "origin_failed"


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored answer; times are seconds since 1970, because processes share them.

    ``payload`` is the encoded value, for ``negative`` entries the detail. ``value`` is set where it may be shared
    between callers. ``stamp`` tells one stored version of a key from another; ``cacheable`` is False for values that
    cannot be encoded.
    """

    schema: str
    created: float
    fresh_until: float
    dead_at: float
    negative: bool
    payload: bytes
    value: Any = UNSET
    stamp: bytes = b""
    cacheable: bool = True

    @property
    def created_at(self) -> datetime:
        return datetime.fromtimestamp(self.created, UTC)

    def refresh_at(self, early_ratio: float) -> float:
        return self.fresh_until - early_ratio * (self.fresh_until - self.created)

    def with_value(self, value: Any) -> "Entry":
        # Not ``replace``, which takes five times as long and is on the way of every hit in Redis.
        return Entry(
            self.schema, self.created, self.fresh_until, self.dead_at, self.negative, self.payload, value, self.stamp
        )
