"""The level in this process: bounded by bytes and by entries, without a task of its own."""

import heapq
from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from shared.cache.entries import UNSET, Cached, Entry
from shared.cache.keys import CacheKey
from shared.clock import Clock

# What an entry takes beside its value, and a value per byte of JSON; tracemalloc finds 2.5 to 3 for our dataclasses.
_OVERHEAD_BYTES = 1_000
_BYTES_PER_BYTE = 3
# One value may not push out everything else.
_LARGEST_SHARE = 4


@dataclass(slots=True)
class Held:
    """An entry on this process' monotonic clock. ``cached`` is the ready answer of a hit; from ``check_at`` on there
    is something to do before answering: fetch, refresh, or ask the other level."""

    entry: Entry
    cached: Cached[Any] | None
    check_at: float
    trusted_until: float
    fresh_until: float
    dead_at: float
    size: int
    number: int


class MemoryLevel:
    """Least recently used entries go first. Expired ones go with the next write, whether anybody asks or not."""

    def __init__(self, *, max_entries: int, max_bytes: int, trust_s: float, early_ratio: float, clock: Clock) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._trust_s = trust_s
        self._early_ratio = early_ratio
        self._clock = clock
        self._held: OrderedDict[CacheKey, Held] = OrderedDict()
        self._by_namespace: dict[str, set[CacheKey]] = {}
        self._deaths: list[tuple[float, int, CacheKey]] = []
        self._numbers = count()
        self.size = 0

    def get(self, key: CacheKey) -> Held | None:
        """What is there, dead or alive: the caller looks at the times."""
        held = self._held.get(key)
        if held is not None:
            self._held.move_to_end(key)
        return held

    def put(self, key: CacheKey, entry: Entry) -> None:
        self.discard(key)
        self.sweep()
        size = _OVERHEAD_BYTES + _BYTES_PER_BYTE * len(entry.payload)
        if size * _LARGEST_SHARE > self._max_bytes or not entry.cacheable:
            return
        held = self._hold(entry, size)
        self._held[key] = held
        self._by_namespace.setdefault(key.namespace, set()).add(key)
        self.size += size
        heapq.heappush(self._deaths, (held.dead_at, held.number, key))
        while self.size > self._max_bytes or len(self._held) > self._max_entries:
            self.discard(next(iter(self._held)))
        if len(self._deaths) > 2 * len(self._held) + 64:
            self._deaths = [(held.dead_at, held.number, key) for key, held in self._held.items()]
            heapq.heapify(self._deaths)

    def confirm(self, held: Held) -> None:
        """The other level still has the same entry."""
        held.trusted_until = self._clock.monotonic() + self._trust_s
        self._schedule(held)

    def distrust(self) -> None:
        """Nothing is served without asking the other level first."""
        for held in self._held.values():
            held.trusted_until = held.check_at = 0.0

    def discard(self, key: CacheKey) -> None:
        held = self._held.pop(key, None)
        if held is None:
            return
        self.size -= held.size
        keys = self._by_namespace[key.namespace]
        keys.discard(key)
        if not keys:
            del self._by_namespace[key.namespace]

    def discard_namespace(self, namespace: str) -> None:
        for key in tuple(self._by_namespace.get(namespace, ())):
            self.discard(key)

    def sweep(self) -> None:
        """Costs what it removes: the earliest deaths are on top."""
        now = self._clock.monotonic()
        while self._deaths and self._deaths[0][0] <= now:
            _, number, key = heapq.heappop(self._deaths)
            held = self._held.get(key)
            if held is not None and held.number == number:
                self.discard(key)

    def __len__(self) -> int:
        return len(self._held)

    def _hold(self, entry: Entry, size: int) -> Held:
        now = self._clock.monotonic()
        if entry.value is not UNSET:
            entry = replace(entry, payload=b"")
        # From the date to the monotonic clock, which does not jump.
        offset = now - self._clock.now().timestamp()
        ready = (
            None if entry.value is UNSET or entry.negative else Cached(entry.value, entry.created_at, False, "memory")
        )
        held = Held(
            entry, ready, 0.0, now + self._trust_s, entry.fresh_until + offset, entry.dead_at + offset, size,
            next(self._numbers),
        )  # fmt: skip
        self._schedule(held)
        return held

    def _schedule(self, held: Held) -> None:
        early = self._early_ratio * (held.entry.fresh_until - held.entry.created)
        held.check_at = min(held.fresh_until - early, held.trusted_until)
