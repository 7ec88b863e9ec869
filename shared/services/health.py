"""Is the app fit to answer: cheap, true within seconds, and silent about internals."""

from dataclasses import dataclass
from typing import Literal

from shared.cache.memory import Fresh, MemoryCache
from shared.services.base import BaseService, CheckState

_CACHED_S = 5.0


@dataclass(frozen=True, slots=True)
class Health:
    """``degraded`` means that an optional dependency is down and something stands in for it."""

    status: Literal["healthy", "degraded", "unhealthy"]
    message: str
    checks: dict[str, CheckState]


class HealthService:
    """Asks the services, not their dependencies; the outcome is kept for five seconds."""

    def __init__(self, services: tuple[BaseService, ...], cache: MemoryCache) -> None:
        self._services = services
        self._cache = cache

    async def check(self) -> Health:
        async def probe() -> Fresh[Health]:
            return Fresh(await self._probe(), _CACHED_S)

        return await self._cache.get_or_fetch(("health",), probe)

    async def _probe(self) -> Health:
        # What this version has no part for is "off".
        checks: dict[str, CheckState] = {"database": "off", "cache": "off", "secrets": "off"}
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
