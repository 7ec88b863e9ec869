"""Every call to Redis goes through here: bounded in time and number, and not made at all while Redis is down."""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from shared.cache.config import RedisConfig
from shared.cache.redis_client import blame, open_client
from shared.clock import Clock
from shared.resilience.breaker import Breaker, BreakerOpen, Outcome, Permit

if TYPE_CHECKING:
    from redis.asyncio import Redis

_log = logging.getLogger(__name__)


class RedisLevelError(Exception):
    """Redis did not do what it was asked to; the cause was counted. Never leaves the cache."""


class Unavailable(RedisLevelError):
    """No answer: down, too slow, too busy, or left alone."""


class Refused(RedisLevelError):
    """An error as answer: out of memory, read-only, not permitted. Other calls may well work."""


class RedisGuard:
    """``on_recovery`` is called when Redis answers again after it had been left alone."""

    def __init__(self, config: RedisConfig, *, clock: Clock, counters: Counter[str]) -> None:
        self._config = config
        self._clock = clock
        self._counters = counters
        self._slots = asyncio.Semaphore(config.max_connections)
        self._opening = asyncio.Lock()
        self._client: Redis | None = None
        # A cache is quickly missed and quickly tried again: three failures of the last six, seconds of pause.
        self.breaker = Breaker(
            window_s=10.0, last=6, min_calls=3, open_s=config.open_s, max_open_s=config.max_open_s,
            probe_lease_s=10.0, slow_s=config.slow_s, clock=clock,
        )  # fmt: skip
        self.on_recovery: Callable[[], None] = lambda: None

    async def run[T](self, operation: Callable[["Redis"], Awaitable[T]], *, budget_s: float | None = None) -> T:
        """Raises ``RedisLevelError``. Once the library is loaded, lasts ``call_s``, and as long again where all
        connections are in use."""
        client = self._client or await self._open()
        await self._take_slot()
        try:
            return await self._call(client, operation, budget_s or self._config.call_s)
        finally:
            self._slots.release()

    async def aclose(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _take_slot(self) -> None:
        """Timed apart from the call: that all connections are in use is our own load and says nothing of Redis."""
        try:
            async with asyncio.timeout(self._config.call_s):
                await self._slots.acquire()
        except TimeoutError:
            raise self._failed(Unavailable, "redis_busy") from None

    async def _call[T](self, client: "Redis", operation: Callable[["Redis"], Awaitable[T]], budget_s: float) -> T:
        try:
            permit = self.breaker.acquire()
        except BreakerOpen:
            raise self._failed(Unavailable, "redis_left_alone") from None
        try:
            async with asyncio.timeout(budget_s):
                result = await operation(client)
        except TimeoutError:
            self._report(permit, "fail")
            raise self._failed(Unavailable, "redis_timeouts") from None
        except asyncio.CancelledError:
            self._report(permit, "ignore")
            raise
        except Exception as error:  # noqa: BLE001 - a damaged reply can raise anything inside the library's parser
            raise self._judge(permit, error) from None
        self._report(permit, "ok")
        return result

    async def _open(self) -> "Redis":
        async with self._opening:
            if self._client is None:
                self._client = await open_client(self._config, self._clock)
            return self._client

    def _judge(self, permit: Permit, error: Exception) -> RedisLevelError:
        match blame(error):
            case "refused":
                self._report(permit, "ok")
                return self._failed(Refused, "redis_refusals", error)
            case "credentials":
                self.breaker.trip(self._config.refused_s)
                _log.error("redis refuses the credentials; next try in %.0f s", self._config.refused_s)
                return self._failed(Unavailable, "redis_credential_errors", error)
            case "down":
                self._report(permit, "fail")
                return self._failed(Unavailable, "redis_errors", error)

    def _report(self, permit: Permit, outcome: Outcome) -> None:
        before, opened = self.breaker.state, self.breaker.opened
        self.breaker.done(permit, outcome)
        if self.breaker.opened > opened and before == "closed":
            _log.warning("redis does not answer; values are kept in this process only")
        elif before == "half_open" and self.breaker.state == "closed":
            _log.info("redis answers again")
            self.on_recovery()

    def _failed(self, kind: type[RedisLevelError], counter: str, error: Exception | None = None) -> RedisLevelError:
        self._counters[counter] += 1
        # Only the class: messages carry addresses, and what else a server may say.
        return kind(counter if error is None else f"{counter}: {type(error).__name__}")
