"""What a cache hit costs: in memory against a bare dict, in Redis against a bare GET of the same client library."""

import asyncio
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from shared.cache.codec import Codec
from shared.cache.config import CacheConfig, RedisConfig
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey
from shared.cache.layered import LayeredCache
from shared.cache.redis_client import open_client
from shared.clock import SYSTEM_CLOCK
from shared.market.types import Quote
from tests.doubles.redis_server import BINARY, MISSING, RedisServer

ROUNDS, CALLERS = 7, 32
QUOTE = Quote("AAPL", "Apple Inc.", 430.47, "USD", datetime(2026, 6, 12, tzinfo=UTC), "yahoo", 441.4, -10.9, -2.48)
CODEC = Codec(Quote)
KEYS = [CacheKey("quote", (f"S{number}",)) for number in range(CALLERS)]

type Call = Callable[[int], Awaitable[object]]


async def fetch() -> Fetched[Quote]:
    return Fetched(QUOTE, 3600)


async def cpu_us(call: Call, *, callers: int, calls: int) -> float:
    """CPU of this process per call: the server's own is not ours to spend."""

    async def caller(number: int) -> None:
        for _ in range(calls // callers):
            await call(number)

    await asyncio.gather(*[caller(number) for number in range(callers)])
    started = time.process_time()
    await asyncio.gather(*[caller(number) for number in range(callers)])
    return 1e6 * (time.process_time() - started) / (calls // callers * callers)


async def compare(cases: dict[str, Call], *, callers: int, calls: int) -> dict[str, float]:
    """Medians of rounds in which each case has its turn, so that a busy machine is busy for all."""
    rounds = [
        {name: await cpu_us(call, callers=callers, calls=calls) for name, call in cases.items()} for _ in range(ROUNDS)
    ]
    return {name: statistics.median(round_[name] for round_ in rounds) for name in cases}


def built(config: CacheConfig) -> LayeredCache:
    return LayeredCache(config, clock=SYSTEM_CLOCK, rng=random.Random())


def hit(cache: LayeredCache) -> Call:
    return lambda number: cache.get_or_fetch(KEYS[number], CODEC, fetch)


async def memory_hits(cases: dict[str, Call]) -> None:
    held = dict.fromkeys(KEYS, QUOTE)

    async def bare(number: int) -> Quote:
        return held[KEYS[number]]

    figures = await compare({"bare dict": bare, **cases}, callers=1, calls=50_000)
    print("hit in memory, CPU per call")
    for name, us in figures.items():
        print(f"  {name:<34} {us:8.2f} us   + {us - figures['bare dict']:6.2f} us  (goal + 5)")


async def redis_hits(server: RedisServer, cache: LayeredCache) -> None:
    client = await open_client(RedisConfig(host="127.0.0.1", port=server.port, max_connections=CALLERS), SYSTEM_CLOCK)
    payload = CODEC.encode(QUOTE)
    for number in range(CALLERS):
        await client.set(f"bare:{number}", payload)
        await hit(cache)(number)

    async def get(number: int) -> bytes:
        return await client.get(f"bare:{number}")

    async def get_and_decode(number: int) -> Quote:
        return CODEC.decode(await get(number))

    cases = {"bare GET": get, "bare GET and decode": get_and_decode, "cache, Redis only": hit(cache)}
    for callers, goal in ((1, ""), (CALLERS, "  (goal 0.67)")):
        figures = await compare(cases, callers=callers, calls=3200)
        print(f"hit in Redis, {callers} callers, CPU per call")
        for name, us in figures.items():
            print(f"  {name:<34} {us:8.1f} us   x {us / figures['bare GET']:5.2f}{goal}")
    await client.aclose()


async def main() -> None:
    print(f"a quote of {len(CODEC.encode(QUOTE))} bytes")
    memory = built(CacheConfig())
    await asyncio.gather(*[hit(memory)(number) for number in range(CALLERS)])
    if BINARY is None:
        print(MISSING)
        await memory_hits({"cache, memory only": hit(memory)})
        return
    with RedisServer() as server:
        config = RedisConfig(host="127.0.0.1", port=server.port)
        two_levels, redis_only = built(CacheConfig(redis=config)), built(CacheConfig(redis=config, max_entries=0))
        for cache in (two_levels, redis_only):
            await cache.warm()
        await asyncio.gather(*[hit(two_levels)(number) for number in range(CALLERS)])
        await memory_hits({"cache, memory only": hit(memory), "cache, two levels": hit(two_levels)})
        await redis_hits(server, redis_only)
        for cache in (two_levels, redis_only):
            await cache.aclose()


if __name__ == "__main__":
    asyncio.run(main())
