"""The level that all processes share: values, leases and namespace versions in Redis."""

import math
import secrets
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from shared.cache import redis_scripts as scripts
from shared.cache.codec import Codec, Undecodable
from shared.cache.config import CacheConfig, RedisConfig
from shared.cache.entries import Entry
from shared.cache.envelope import STAMP_BYTES, Poisoned, pack, unpack
from shared.cache.keys import CacheKey, redis_names, version_name
from shared.cache.redis_debts import Debts
from shared.cache.redis_guard import RedisGuard, RedisLevelError, Refused, Unavailable
from shared.cache.redis_reads import RedisReads
from shared.clock import Clock

if TYPE_CHECKING:
    from redis.asyncio import Redis

type ClaimState = Literal["won", "held", "failed", "newer"]
_STATES: dict[bytes, ClaimState] = {b"won": "won", b"held": "held", b"failed": "failed", b"newer": "newer"}
# Longer than most values; those that live longer prolong it.
_VERSION_MS = 86_400_000
_PAY_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Claim:
    """``entry`` is what is stored, fresh or not; ``lease`` is set if the state is ``won``."""

    state: ClaimState
    entry: Entry | None
    lease: "Lease | None"


class RedisLevel:
    """Each method raises ``RedisLevelError`` where Redis did not do its part, except as stated."""

    def __init__(self, config: CacheConfig, redis: RedisConfig, *, clock: Clock, counters: Counter[str]) -> None:
        self._prefix = redis.prefix
        self._largest = redis.max_value_bytes
        self.lease_ms = _ms(config.lease_s)
        self.hold_ms = _ms(config.failure_hold_s)
        self._clock = clock
        self.counters = counters
        self._pay_at = 0.0
        self._paying = False
        self.guard = RedisGuard(redis, clock=clock, counters=counters)
        self._reads = RedisReads(self.guard)
        self.debts = Debts(counters)

    async def read(self, key: CacheKey, codec: Codec[Any], known: Entry | None = None) -> Entry | None:
        """What is stored and not void, fresh or not. Junk is deleted and None. Returns ``known`` if it is still it."""
        await self._believe(key)
        names = redis_names(self._prefix, key)
        raw, version = await self._reads.pair(names.value, names.version)
        return await self._entry(names.value, raw, version, codec, known)

    async def claim(self, key: CacheKey, codec: Codec[Any], known: Entry | None) -> Claim:
        """Ask for the right to fetch. It is not given while another has it or failed just now, nor if something else
        than ``known`` is stored meanwhile."""
        await self._believe(key)
        mark = secrets.token_hex(16)
        seen = b"" if known is None else known.stamp
        state, raw, version = await self.script(
            scripts.CLAIM, key, mark, self.lease_ms, _new_version(), _VERSION_MS, seen, check=_claim_reply
        )
        entry = await self._entry(redis_names(self._prefix, key).value, raw, version, codec, known)
        return Claim(state, entry, Lease(self, key, mark.encode() + version) if state == "won" else None)

    async def put(self, key: CacheKey, entry: Entry) -> None:
        """Store and revoke leases. Does not raise: what cannot be stored is deleted, now or later."""
        owed = self.debts.of(key)
        try:
            await self.script(scripts.PUT, key, _new_version(), _VERSION_MS, self.ttl(entry), self.packed(key, entry))
        except RedisLevelError:
            self.counters["writes_dropped"] += 1
            await self.delete(key)
        else:
            self.debts.paid(owed)

    async def delete(self, key: CacheKey) -> None:
        """Delete and revoke leases. Does not raise: it is done as soon as Redis lets us."""
        # At once: until Redis has done it, nobody here reads the old value there and keeps it.
        self.debts.add(key)
        await self._pay()

    async def invalidate(self, namespace: str) -> None:
        """Make everything in the namespace void, leases included. Does not raise, as ``delete``."""
        self.debts.add(namespace)
        await self._pay()

    async def ping(self, budget_s: float | None = None) -> None:
        await self.guard.run(lambda client: client.ping(), budget_s=budget_s)

    async def _believe(self, key: CacheKey) -> None:
        if self.debts:
            if not self._paying and self._clock.monotonic() >= self._pay_at:
                await self._pay()
            if self.debts.on(key):
                raise Unavailable("owed")

    async def _pay(self) -> None:
        self._paying = True
        try:
            while owed := self.debts.oldest():
                await self.guard.run(partial(_execute, [self._payment(what) for what, _ in owed]))
                self.debts.paid(owed)
        except RedisLevelError:
            self._pay_at = self._clock.monotonic() + _PAY_EVERY_S
        finally:
            self._paying = False

    def _payment(self, what: CacheKey | str) -> Sequence[str | int]:
        if isinstance(what, str):
            return ("SET", version_name(self._prefix, what), _new_version(), "PX", _VERSION_MS)
        names = redis_names(self._prefix, what)
        return ("DEL", names.value, names.lease)

    async def _entry(
        self, name: str, raw: bytes | None, version: bytes | None, codec: Codec[Any], known: Entry | None
    ) -> Entry | None:
        if raw is None:
            return None
        try:
            entry = unpack(name, raw[scripts.VERSION_CHARS :], raw[: scripts.VERSION_CHARS])
            if version is None or raw[: scripts.VERSION_CHARS] != version:
                return None
            if known is not None and known.stamp == entry.stamp and known.created == entry.created:
                return known
            return _decoded(entry, codec)
        except (Poisoned, Undecodable):
            await self._remove_poison(name)
            return None

    async def _remove_poison(self, name: str) -> None:
        self.counters["poison"] += 1
        try:
            await self.guard.run(lambda client: client.delete(name))
        except RedisLevelError:
            self.counters["writes_dropped"] += 1

    async def script(
        self, script: str, key: CacheKey, *arguments: str | bytes | int, check: Callable[[Any], Any] = bool
    ) -> Any:
        names = redis_names(self._prefix, key)

        async def call(client: "Redis") -> Any:
            keys = (names.value, names.lease, names.version)
            return check(await client.register_script(script)(keys=keys, args=arguments))

        return await self.guard.run(call)

    def packed(self, key: CacheKey, entry: Entry) -> bytes:
        if len(entry.payload) > self._largest:
            self.counters["too_large"] += 1
            raise Refused("too large")
        return pack(redis_names(self._prefix, key).value, entry)

    def ttl(self, entry: Entry) -> int:
        return _ms(entry.dead_at - self._clock.now().timestamp())


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to fetch ``key``. ``held`` is what Redis has as long as nobody revoked it."""

    level: RedisLevel
    key: CacheKey
    held: bytes

    async def fill(self, entry: Entry) -> Entry | None:
        """What is stored now; None if the lease was revoked or has run out: ``entry`` may be older than a write."""
        level = self.level
        packed = level.packed(self.key, entry)
        if not await level.script(scripts.FILL, self.key, self.held, level.ttl(entry), packed):
            return None
        return replace(entry, stamp=self.held[-scripts.VERSION_CHARS :] + packed[:STAMP_BYTES])

    async def renew(self) -> bool:
        return bool(await self.level.script(scripts.RENEW, self.key, self.held, self.level.lease_ms))

    async def release(self, *, failed: bool) -> None:
        """``failed`` keeps others from trying again for a while. Does not raise."""
        try:
            await self.level.script(scripts.RELEASE, self.key, self.held, self.level.hold_ms if failed else 0)
        except RedisLevelError:
            self.level.counters["leases_left_to_expire"] += 1


def _decoded(entry: Entry, codec: Codec[Any]) -> Entry:
    if entry.schema != codec.schema:
        raise Poisoned("schema")
    if entry.negative:
        return entry
    value = codec.decode(entry.payload)
    return entry.with_value(value) if codec.shareable else entry


def _ms(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))


def _new_version() -> str:
    return secrets.token_hex(scripts.VERSION_CHARS // 2)


async def _execute(commands: Sequence[Sequence[str | int]], client: "Redis") -> None:
    async with client.pipeline(transaction=False) as pipeline:
        for command in commands:
            pipeline.execute_command(*command)
        await pipeline.execute()


def _claim_reply(reply: Any) -> tuple[ClaimState, bytes | None, bytes]:
    """Raises what the guard takes for a damaged reply."""
    state, value, version = reply
    if not isinstance(version, bytes) or not (value is None or isinstance(value, bytes)):
        raise TypeError("not strings")
    return _STATES[state], value, version
