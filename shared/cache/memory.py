"""A bounded cache in this process: one fetch per key however many ask, results kept for as long as they are fresh."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Any, cast

from shared.clock import SYSTEM_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Fresh[T]:
    """A fetched value and how many seconds it may be served."""

    value: T
    ttl_s: float


@dataclass(frozen=True, slots=True)
class _Entry:
    value: Any
    expires_at: float


class MemoryCache:
    """Least recently used entries go first. Every value counts, ``None`` and empty ones included."""

    def __init__(self, *, max_entries: int, clock: Clock = SYSTEM_CLOCK) -> None:
        self._max_entries = max_entries
        self._clock = clock
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._flights: dict[Hashable, asyncio.Task[Fresh[Any]]] = {}

    async def get_or_fetch[T](self, key: Hashable, fetch: Callable[[], Awaitable[Fresh[T]]]) -> T:
        """The value under ``key``, fetched if it is absent or expired.

        Callers that ask meanwhile share the one fetch and its outcome; an exception is raised to all of them and not
        kept. A caller that is cancelled leaves the fetch to the others.
        """
        entry = self._entries.get(key)
        if entry is not None and entry.expires_at > self._clock.monotonic():
            self._entries.move_to_end(key)
            return cast("T", entry.value)
        flight = self._flights.get(key)
        if flight is None:
            flight = asyncio.create_task(self._fly(key, fetch))
            self._flights[key] = flight
            flight.add_done_callback(lambda task: self._landed(key, task))
        return cast("T", (await asyncio.shield(flight)).value)

    async def _fly[T](self, key: Hashable, fetch: Callable[[], Awaitable[Fresh[T]]]) -> Fresh[T]:
        fresh = await fetch()
        self._entries[key] = _Entry(fresh.value, self._clock.monotonic() + fresh.ttl_s)
        self._entries.move_to_end(key)
        while len(self._entries) > self._max_entries:
            self._entries.popitem(last=False)
        return fresh

    def _landed(self, key: Hashable, task: asyncio.Task[Fresh[Any]]) -> None:
        self._flights.pop(key, None)
        if not task.cancelled():
            # Marks the exception as seen: when every caller has left, nobody else will.
            task.exception()

    def __len__(self) -> int:
        return len(self._entries)
