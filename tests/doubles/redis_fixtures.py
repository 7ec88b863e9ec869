"""The fixtures of all tests that need Redis; name this module in ``pytest_plugins``."""

import random
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial

import pytest

from shared.cache.config import CacheConfig, RedisConfig
from shared.cache.layered import LayeredCache
from shared.clock import SYSTEM_CLOCK, Clock
from tests.doubles.redis_server import BINARY, MISSING, RedisServer
from tests.doubles.tcp_fault_proxy import TcpFaultProxy
from tests.unit.fakes.clock import FakeClock

type MakeCache = Callable[..., LayeredCache]


@pytest.fixture(scope="session")
def redis_process() -> Iterator[RedisServer]:
    if BINARY is None:
        pytest.skip(MISSING)
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_server(redis_process: RedisServer) -> RedisServer:
    """An empty server."""
    redis_process.restore()
    return redis_process


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[TcpFaultProxy]:
    """On the way to the server."""
    async with TcpFaultProxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def build_cache() -> AsyncIterator[Callable[[CacheConfig, Clock], LayeredCache]]:
    """Builds caches and closes them in the end."""
    built: list[LayeredCache] = []

    def build(config: CacheConfig, clock: Clock) -> LayeredCache:
        built.append(LayeredCache(config, clock=clock, rng=random.Random(1)))
        return built[-1]

    yield build
    for cache in built:
        await cache.aclose()


@pytest.fixture
def make_cache(redis_server: RedisServer, build_cache: Callable[[CacheConfig, Clock], LayeredCache]) -> MakeCache:
    """Makes caches as separate processes would have them: ``redis`` overrides the connection, the rest the cache."""

    def make(*, clock: Clock = SYSTEM_CLOCK, redis: dict | None = None, **settings) -> LayeredCache:
        connection = RedisConfig(**{"host": "127.0.0.1", "port": redis_server.port, **(redis or {})})
        return build_cache(CacheConfig(redis=connection, **{"jitter": 0.0, **settings}), clock)

    return make


@pytest.fixture
def cache_time() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "redis", "two levels"])
def make_any_cache(request: pytest.FixtureRequest, cache_time: FakeClock, build_cache) -> MakeCache:
    """Makes caches of each kind in turn, on the clock ``cache_time``."""
    if request.param == "memory":
        return lambda **settings: build_cache(CacheConfig(**{"jitter": 0.0, **settings}), cache_time.clock)
    make_cache = request.getfixturevalue("make_cache")
    levels = {"max_entries": 0} if request.param == "redis" else {}
    return partial(make_cache, clock=cache_time.clock, **levels)


@pytest.fixture
def any_cache(make_any_cache: MakeCache) -> LayeredCache:
    return make_any_cache()
