"""Is the app fit to answer: every combination of what may be down."""

import itertools

import pytest

from shared.cache.backend import CacheBackend
from shared.cache.config import CacheConfig
from shared.services.base import BaseService, CheckState, DependencyHealth
from shared.services.health import HealthService
from tests.unit.fakes.clock import FakeClock


class Service(BaseService):
    """Reports one dependency and counts how often it is asked."""

    def __init__(self, name: str, state: CheckState, *, required: bool) -> None:
        self.asked = 0
        self._part = {name: DependencyHealth(state, {"secret_detail": "10.0.0.7"})}
        self._required = required

    async def health_check(self):
        self.asked += 1
        return self._dependencies_health_report(*((self._part, {}) if self._required else ({}, self._part)))


def health(*services: Service, time: FakeClock | None = None) -> HealthService:
    clock = (time or FakeClock()).clock
    cache = CacheBackend.from_config(CacheConfig(max_entries=9), clock=clock)
    return HealthService(services, cache, has_redis=False, clock=clock)


STATES: tuple[CheckState, ...] = ("ok", "down", "off")


@pytest.mark.parametrize(("market", "models", "required"), list(itertools.product(STATES, STATES, (True, False))))
async def test_matrix_of_dependencies(market, models, required):
    """A required one that is down makes the app unhealthy, an optional one degrades it, 'off' is neither."""
    result = await health(
        Service("market_data", market, required=required), Service("models", models, required=False)
    ).check()
    expected = "unhealthy" if required and market == "down" else "degraded" if "down" in (market, models) else "healthy"

    assert expected == result.status
    assert (result.checks["market_data"], result.checks["models"]) == (market, models)


async def test_parts_that_do_not_exist_are_off():
    """Database, cache and secrets store are listed, and nobody has to guess why they are missing."""
    checks = (await health().check()).checks

    assert checks == {"database": "off", "cache": "off", "secrets": "off"}


async def test_message_names_what_is_down_and_no_detail():
    """For the public: names and states, no addresses."""
    result = await health(Service("market_data", "down", required=False)).check()

    assert result.message == "Answers are limited: market_data cannot be reached."
    assert "10.0.0.7" not in repr(result)


async def test_outcome_is_kept_for_five_seconds():
    """A thousand probes in that time cost one check."""
    time, service = FakeClock(), Service("models", "ok", required=False)
    checker = health(service, time=time)
    for _ in range(1000):
        await checker.check()
    assert service.asked == 1
    time.advance(5.1)
    await checker.check()

    assert service.asked == 2


def test_report_says_what_is_required():
    """Name, state, whether it is required, and the operator's detail."""
    able, report = BaseService._dependencies_health_report(
        {"a": DependencyHealth("ok", {"n": 1})}, {"b": DependencyHealth("down", {})}
    )

    assert able is True
    assert report == {"a": {"state": "ok", "required": True, "n": 1}, "b": {"state": "down", "required": False}}
