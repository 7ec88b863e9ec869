"""What happens on a miss: one process fetches, the others wait for it, and nobody stores what a write overtook."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from shared.cache.codec import Codec
from shared.cache.config import CacheConfig
from shared.cache.entries import Absent, Entry, Fetched, Level, OriginFailed
from shared.cache.entry_maker import EntryMaker
from shared.cache.flights import Outcome
from shared.cache.keys import CacheKey
from shared.cache.memory_level import MemoryLevel
from shared.cache.redis_guard import RedisLevelError, Refused
from shared.cache.redis_level import Claim, Lease, RedisLevel
from shared.cache.revocation import Revocations, Ticket
from shared.clock import Clock

_FIRST_POLL_S = 0.02
_LAST_POLL_S = 0.2
_POLL_GROWTH = 1.5


@dataclass(frozen=True, slots=True)
class Levels:
    """What all fills work with; ``memory`` or ``redis`` may be missing."""

    config: CacheConfig
    memory: MemoryLevel | None
    redis: RedisLevel | None
    maker: EntryMaker
    revocations: Revocations
    counters: Counter[str]
    clock: Clock

    def fresh(self, entry: Entry) -> bool:
        return self.clock.now().timestamp() < entry.fresh_until

    def can_stand_in(self, entry: Entry) -> bool:
        """Whether it may be served although it is not fresh."""
        return not entry.negative and self.clock.now().timestamp() < entry.dead_at


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up has found, fresh or not, and whether it is worth asking Redis for more now."""

    entry: Entry | None
    level: Level
    redis_answers: bool = True


@dataclass(slots=True)
class Fill[T]:
    """One flight. ``found`` is what made somebody start it: nothing, or what is too old, or soon will be."""

    levels: Levels
    key: CacheKey
    codec: Codec[T]
    fetch: Callable[[], Awaitable[Fetched[T]]]
    found: Found

    async def run(self) -> Outcome:
        """Raises what the origin raised, or ``OriginFailed``, if there is nothing to stand in."""
        with self.levels.revocations.watch(self.key) as ticket:
            turn = await self._turn(ticket)
            return turn if isinstance(turn, Outcome) else await self._fetched(turn, ticket)

    async def _turn(self, ticket: Ticket) -> Lease | Outcome | None:
        """A lease to fetch under, or an outcome without fetching; None where nobody coordinates the processes."""
        if self.levels.redis is None:
            return None
        if not self.found.redis_answers:
            # It has cost this caller one time-out already.
            return self._stored_meanwhile()
        for pause in self._pauses():
            try:
                claim = await self.levels.redis.claim(self.key, self.codec, self.found.entry)
            except RedisLevelError:
                return self._stored_meanwhile()
            outcome = await self._outcome(claim, ticket)
            if outcome is not None or claim.lease is not None:
                return outcome or claim.lease
            await asyncio.sleep(0 if claim.state == "newer" else pause)
        self.levels.counters["lease_waits_given_up"] += 1
        return None

    def _pauses(self) -> Iterator[float]:
        waited, pause = 0.0, _FIRST_POLL_S
        while waited < self.levels.config.wait_s:
            yield pause
            waited, pause = waited + pause, min(pause * _POLL_GROWTH, _LAST_POLL_S)

    async def _outcome(self, claim: Claim, ticket: Ticket) -> Outcome | None:
        """What the claim already settles."""
        before, entry = self.found.entry, claim.entry
        self.found = Found(entry, "redis")
        if entry is not None and self.levels.fresh(entry) and (before is None or entry.stamp != before.stamp):
            await _give_back(claim.lease, failed=False)
            self._remember(entry, ticket)
            return Outcome(entry, "redis")
        if claim.state == "failed":
            return self._stand_in(OriginFailed("Fetching this failed a moment ago.", retry_after=1))
        return None

    def _stored_meanwhile(self) -> Outcome | None:
        """While Redis was asked in vain, another flight of this process may have landed."""
        held = None if self.levels.memory is None else self.levels.memory.get(self.key)
        if held is None or held.entry is self.found.entry or not self.levels.fresh(held.entry):
            return None
        return Outcome(held.entry, "memory") if held.entry.schema == self.codec.schema else None

    async def _fetched(self, lease: Lease | None, ticket: Ticket) -> Outcome:
        try:
            entry = await self._ask_origin(lease)
        except asyncio.CancelledError:
            await _give_back(lease, failed=False)
            raise
        except Exception as failure:  # noqa: BLE001 - whatever an origin raises is its failure
            self.levels.counters["fetch_failures"] += 1
            await _give_back(lease, failed=True)
            return self._stand_in(failure)
        await self._store(entry, lease, ticket)
        return Outcome(entry, "origin")

    def _stand_in(self, failure: Exception) -> Outcome:
        entry = self.found.entry
        if entry is not None and self.levels.can_stand_in(entry):
            return Outcome(entry, self.found.level, failure)
        raise failure

    async def _ask_origin(self, lease: Lease | None) -> Entry:
        self.levels.counters["fetches"] += 1
        keeping = None if lease is None else asyncio.create_task(self._keep(lease))
        limit = asyncio.timeout(self.levels.config.fetch_s)
        try:
            async with limit:
                return self.levels.maker.positive(self.codec, await self.fetch())
        except Absent as absent:
            return self.levels.maker.negative(self.codec, absent)
        except TimeoutError:
            if limit.expired():
                raise OriginFailed("Fetching this took too long.", retry_after=1) from None
            raise
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling() == 0:
                # Something inside the fetch was cancelled; those who wait for it were not.
                raise OriginFailed("Fetching this was interrupted.", retry_after=1) from None
            raise
        finally:
            if keeping is not None:
                keeping.cancel()

    async def _keep(self, lease: Lease) -> None:
        """A slow fetch keeps its lease; a dead process does not."""
        kept = True
        while kept:
            await asyncio.sleep(self.levels.config.lease_s / 3)
            try:
                kept = await lease.renew()
            except RedisLevelError:
                self.levels.counters["renewals_missed"] += 1

    async def _store(self, entry: Entry, lease: Lease | None, ticket: Ticket) -> None:
        if ticket.revoked or not entry.cacheable:
            await _give_back(lease, failed=False)
        elif lease is None:
            self._remember(entry, ticket)
        else:
            stored = await self._store_shared(entry, lease)
            if stored is not None:
                self._remember(stored, ticket)

    async def _store_shared(self, entry: Entry, lease: Lease) -> Entry | None:
        """The entry as it may be kept here as well; None if a write has overtaken it."""
        try:
            stored = await lease.fill(entry)
        except Refused:
            self.levels.counters["writes_dropped"] += 1
            await _give_back(lease, failed=False)
            return entry
        except RedisLevelError:
            self.levels.counters["writes_dropped"] += 1
            return entry
        if stored is None:
            self.levels.counters["late_fills_refused"] += 1
        return stored

    def _remember(self, entry: Entry, ticket: Ticket) -> None:
        if self.levels.memory is not None and not ticket.revoked:
            self.levels.memory.put(self.key, entry)


async def _give_back(lease: Lease | None, *, failed: bool) -> None:
    if lease is not None:
        await lease.release(failed=failed)
