"""Memory in front of Redis, or either alone."""

import asyncio
import contextlib
import math
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from shared.cache.backend import CacheBackend
from shared.cache.codec import Codec
from shared.cache.config import CacheConfig
from shared.cache.entries import UNSET, Absent, Cached, Entry, Fetched, Level
from shared.cache.entry_maker import EntryMaker
from shared.cache.filling import Fill, Found, Levels
from shared.cache.flights import Flights
from shared.cache.keys import CacheKey
from shared.cache.memory_level import Held, MemoryLevel
from shared.cache.redis_guard import RedisLevelError
from shared.cache.redis_level import RedisLevel
from shared.cache.revocation import Revocations
from shared.clock import Clock


class LayeredCache(CacheBackend):
    """A hit in memory asks nobody else, for ``local_s`` at most; then Redis is asked whether it still holds.

    Where Redis does not answer, memory serves entries to the end of their own time. What Redis does not have, memory
    does not keep: it may have been deleted.
    """

    def __init__(self, config: CacheConfig, *, clock: Clock, rng: random.Random) -> None:
        self._clock = clock
        self.counters: Counter[str] = Counter()
        self._config = config
        self._redis = (
            None if config.redis is None else RedisLevel(config, config.redis, clock=clock, counters=self.counters)
        )
        self._memory = _memory(config, clock)
        self._revocations = Revocations()
        self._flights = Flights(hold_s=config.failure_hold_s, clock=clock)
        self._maker = EntryMaker(jitter=config.jitter, clock=clock, rng=rng, counters=self.counters)
        self._levels = Levels(config, self._memory, self._redis, self._maker, self._revocations, self.counters, clock)
        if self._redis is not None and self._memory is not None:
            self._redis.guard.on_recovery = self._memory.distrust

    async def get_or_fetch[T](
        self, key: CacheKey, codec: Codec[T], fetch: Callable[[], Awaitable[Fetched[T]]]
    ) -> Cached[T]:
        held = None if self._memory is None else self._memory.get(key)
        if held is not None and self._clock.monotonic() < held.check_at and held.entry.schema == codec.schema:
            self.counters["memory_hits"] += 1
            return held.cached if held.cached is not None else _answer(held.entry, codec, "memory")
        found = await self._find(key, codec)
        known, level = found.entry, found.level
        if known is not None and self._levels.fresh(known):
            self.counters[f"{level}_hits"] += 1
            self._refresh_early(Fill(self._levels, key, codec, fetch, found), known)
            return _answer(known, codec, level)
        self.counters["misses"] += 1
        failure = self._flights.failure(key)
        if failure is not None:
            if known is not None and self._levels.can_stand_in(known):
                return _answer(known, codec, level, stale=True)
            raise failure.again()
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights.start(key, Fill(self._levels, key, codec, fetch, found).run(), background=False)
        outcome = await asyncio.shield(flight.task)
        return _answer(outcome.entry, codec, outcome.level, stale=outcome.failure is not None)

    async def get[T](self, key: CacheKey, codec: Codec[T]) -> Cached[T] | None:
        found = await self._find(key, codec)
        if found.entry is None or not self._levels.fresh(found.entry):
            return None
        return _answer(found.entry, codec, found.level)

    async def put[T](self, key: CacheKey, codec: Codec[T], fetched: Fetched[T]) -> None:
        entry = self._maker.positive(codec, fetched)
        if not entry.cacheable:
            await self.delete(key)
            return
        self._forget(key)
        with self._revocations.watch(key) as ticket:
            if self._redis is not None:
                await self._redis.put(key, entry)
            # Another write may have begun and ended meanwhile; then this value is not known to be the last.
            overtaken = ticket.revoked
            self._forget(key)
        if self._memory is not None and not overtaken:
            self._memory.put(key, entry)

    async def delete(self, key: CacheKey) -> None:
        self._forget(key)
        if self._redis is not None:
            await self._redis.delete(key)

    async def invalidate(self, namespace: str) -> None:
        self._forget_namespace(namespace)
        if self._redis is not None:
            await self._redis.invalidate(namespace)

    async def health_check(self) -> tuple[bool, dict[str, Any]]:
        details: dict[str, Any] = {"status": "ok", "levels": [], "counters": dict(self.counters)}
        if self._memory is not None:
            self._memory.sweep()
            details["levels"].append("memory")
            details["memory"] = {"entries": len(self._memory), "bytes": self._memory.size}
        if self._redis is not None:
            problem = await _problem(self._redis)
            details["redis"] = {
                "state": problem or "ok",
                "breaker": self._redis.guard.breaker.state,
                "owed_invalidations": len(self._redis.debts),
            }
            if problem is None:
                details["levels"].append("redis")
            else:
                details["status"] = "degraded"
        return details["status"] == "ok", details

    async def warm(self) -> None:
        if self._config.redis is not None and self._redis is not None:
            with contextlib.suppress(RedisLevelError):
                await self._redis.ping(self._config.redis.warm_s)

    async def aclose(self) -> None:
        await self._flights.aclose()
        if self._redis is not None:
            await self._redis.guard.aclose()

    async def _find(self, key: CacheKey, codec: Codec[Any]) -> Found:
        """The best entry there is, fresh or not; perhaps none although others know one, if a fetch is under way."""
        held = self._held(key, codec)
        entry = None if held is None else held.entry
        if self._redis is None or (held is not None and self._trusted(held)):
            return Found(entry, "memory")
        flight = self._flights.get(key)
        if flight is not None and not flight.background:
            return Found(None, "redis")
        with self._revocations.watch(key) as ticket:
            try:
                stored = await self._redis.read(key, codec, entry)
            except RedisLevelError:
                return Found(entry, "memory", redis_answers=False)
            if not ticket.revoked:
                self._take_over(key, held, stored)
        return Found(stored, "redis")

    def _take_over(self, key: CacheKey, held: Held | None, found: Entry | None) -> None:
        if self._memory is None:
            return
        if held is not None and found is held.entry:
            self._memory.confirm(held)
        elif found is not None:
            self._memory.put(key, found)
        elif held is not None and self._memory.get(key) is held:
            self._memory.discard(key)

    def _held(self, key: CacheKey, codec: Codec[Any]) -> Held | None:
        held = None if self._memory is None else self._memory.get(key)
        return held if held is not None and held.entry.schema == codec.schema else None

    def _trusted(self, held: Held) -> bool:
        now = self._clock.monotonic()
        return now < held.trusted_until and now < held.fresh_until

    def _refresh_early[T](self, fill: Fill[T], known: Entry) -> None:
        if self._clock.now().timestamp() < known.refresh_at(self._config.early_refresh_ratio):
            return
        if self._flights.get(fill.key) is None and self._flights.failure(fill.key) is None:
            self.counters["early_refreshes"] += 1
            self._flights.start(fill.key, fill.run(), background=True)

    def _forget(self, key: CacheKey) -> None:
        self._revocations.revoke(key)
        self._flights.forget(key)
        if self._memory is not None:
            self._memory.discard(key)

    def _forget_namespace(self, namespace: str) -> None:
        self._revocations.revoke_namespace(namespace)
        self._flights.forget_namespace(namespace)
        if self._memory is not None:
            self._memory.discard_namespace(namespace)


async def _problem(redis: RedisLevel) -> str | None:
    try:
        await redis.ping()
    except RedisLevelError as error:
        return str(error)
    return None


def _memory(config: CacheConfig, clock: Clock) -> MemoryLevel | None:
    if config.max_entries == 0:
        return None
    return MemoryLevel(
        max_entries=config.max_entries,
        max_bytes=config.max_bytes,
        trust_s=math.inf if config.redis is None else config.local_s,
        early_ratio=config.early_refresh_ratio,
        clock=clock,
    )


def _answer[T](entry: Entry, codec: Codec[T], level: Level, *, stale: bool = False) -> Cached[T]:
    if entry.negative:
        raise Absent(entry.payload.decode(errors="surrogatepass"), fresh_s=entry.fresh_until - entry.created)
    value = codec.decode(entry.payload) if entry.value is UNSET else entry.value
    return Cached(value, entry.created_at, stale, level)
