"""Is the app fit to answer: cheap, true within seconds, and silent about internals."""

import asyncio
from dataclasses import dataclass
from typing import Literal

from shared.cache.backend import CacheBackend
from shared.clock import SYSTEM_CLOCK, Clock
from shared.services.base import BaseService, CheckState

_CACHED_S = 5.0
_PROBE_S = 1.0


@dataclass(frozen=True, slots=True)
class Health:
    """``degraded`` means that an optional dependency is down and something stands in for it."""

    status: Literal["healthy", "degraded", "unhealthy"]
    message: str
    checks: dict[str, CheckState]


class HealthService:
    """Asks the services, not their dependencies; the outcome is kept for five seconds, here and not in the cache, whose
    own health is part of it."""

    def __init__(
        self, services: tuple[BaseService, ...], cache: CacheBackend, *, has_redis: bool, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self._services = services
        self._cache = cache
        self._has_redis = has_redis
        self._clock = clock
        self._lock = asyncio.Lock()
        self._known: tuple[float, Health] | None = None

    async def check(self) -> Health:
        async with self._lock:
            now = self._clock.monotonic()
            if self._known is None or now - self._known[0] >= _CACHED_S:
                self._known = (now, await self._probe())
            return self._known[1]

    async def _probe(self) -> Health:
        # What this version has no part for is "off".
        checks: dict[str, CheckState] = {"database": "off", "cache": await self._cache_state(), "secrets": "off"}
        able = True
        for service in self._services:
            healthy, report = await service.health_check()
            able = able and healthy
            checks |= {name: entry["state"] for name, entry in report.items() if name in {"models", "market_data"}}
        down = sorted(name for name, state in checks.items() if state == "down")
        if not able:
            return Health("unhealthy", "A required dependency is down.", checks)
        if down:
            return Health("degraded", f"Answers are limited: {', '.join(down)} cannot be reached.", checks)
        return Health("healthy", "All systems answer.", checks)

    async def _cache_state(self) -> CheckState:
        """The memory of this instance alone counts as no cache; a Redis that fails is down, and memory stands in."""
        if not self._has_redis:
            return "off"
        try:
            healthy, _ = await asyncio.wait_for(self._cache.health_check(), _PROBE_S)
        except TimeoutError:
            return "down"
        return "ok" if healthy else "down"
