"""Whatever happens to Redis, callers get right answers, soon; and Redis is used again once it is back."""

import asyncio
import time
from dataclasses import dataclass

import pytest

from shared.cache.codec import Codec
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey
from tests.unit.fakes.clock import FakeClock

pytest_plugins = ["tests.doubles.redis_fixtures"]

NUMBER = Codec(int)


def key(number: int) -> CacheKey:
    return CacheKey("q", (str(number),))


async def seven() -> Fetched[int]:
    return Fetched(7, 60, 600)


async def refused(proxy, server):
    await proxy.down()


async def black_hole(proxy, server):
    proxy.blackhole = True


async def deaf(proxy, server):
    proxy.deaf = True


async def slow(proxy, server):
    proxy.latency_s = 0.4


async def reset_on_connect(proxy, server):
    proxy.reset_on_connect = True
    proxy.reset_all()


async def cut(proxy, server):
    proxy.cut_after = 3


async def long_length(proxy, server):
    proxy.damage = lambda data: data.replace(b"\r\n", b"9\r\n", 1)


async def no_number(proxy, server):
    proxy.damage = lambda data: data.replace(b"\r\n", b"x\r\n", 1)


async def shifted(proxy, server):
    """One reply more than was asked for: whoever asks next on this connection would get an old one."""
    proxy.damage = lambda data: b"$1\r\n1\r\n" + data


async def killed(proxy, server):
    server.stop()


async def paused(proxy, server):
    server.pause()


FAULTS = [refused, black_hole, deaf, slow, reset_on_connect, cut, long_length, no_number, shifted, killed, paused]


async def repair(proxy, server):
    proxy.clear()
    if proxy._server is None:
        await proxy.up()
    server.restore()


@dataclass
class Timed:
    values: list[int]
    slowest: float


async def ask(cache, numbers, *, at_once: bool) -> Timed:
    async def one(number: int) -> tuple[int, float]:
        started = time.perf_counter()
        value = (await cache.get_or_fetch(key(number), NUMBER, seven)).value
        return value, time.perf_counter() - started

    if at_once:
        answers = await asyncio.gather(*[one(number) for number in numbers])
    else:
        answers = [await one(number) for number in numbers]
    return Timed([value for value, _ in answers], max(seconds for _, seconds in answers))


@pytest.mark.parametrize("levels", [{}, {"max_entries": 0}], ids=["two levels", "redis"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_fault_under_load(make_cache, redis_server, proxy, fault, levels):
    """All answers are right; the first ones wait for one call's time, later ones not at all; then Redis is back."""
    clock = FakeClock()
    cache = make_cache(clock=clock.clock, redis={"port": proxy.port}, **levels)
    await ask(cache, range(30), at_once=True)

    await fault(proxy, redis_server)
    try:
        first = await ask(cache, range(100, 140), at_once=True)
        later = await ask(cache, range(200, 205), at_once=False)
        left_alone = await ask(cache, range(300, 400), at_once=True)
        healthy, details = await cache.health_check()
    finally:
        await repair(proxy, redis_server)

    assert set(first.values + later.values + left_alone.values) == {7}
    assert first.slowest < 0.6
    assert left_alone.slowest < 0.25
    assert (healthy, details["status"], details["redis"]["breaker"]) == (False, "degraded", "open")

    clock.advance(6)
    assert (await cache.health_check())[0]
    await ask(cache, [500], at_once=False)
    assert any("500" in name for name in redis_server.names())


async def test_down_at_start(make_cache, proxy):
    """The first answer comes within a second, the cache works in memory and says that it is degraded."""
    await proxy.down()
    cache = make_cache(redis={"port": proxy.port})
    await cache.warm()

    first = await ask(cache, [1], at_once=False)
    again = await cache.get_or_fetch(key(1), NUMBER, seven)

    assert first.slowest < 1
    assert again.level == "memory"
    assert (await cache.health_check())[1]["status"] == "degraded"


async def test_reset_while_idle(make_cache, proxy):
    """One transparent reconnect, no failure."""
    cache = make_cache(max_entries=0, redis={"port": proxy.port})
    await ask(cache, [1], at_once=False)

    proxy.reset_all()
    await asyncio.sleep(0.01)

    assert (await cache.get_or_fetch(key(1), NUMBER, seven)).level == "redis"
    assert cache.counters["redis_errors"] == 0


async def test_late_reply_is_not_taken_for_another(make_cache, proxy):
    """After a time-out the next question gets its own answer."""
    clock = FakeClock()
    cache = make_cache(clock=clock.clock, max_entries=0, redis={"port": proxy.port})
    for number in (1, 2):
        await cache.put(key(number), NUMBER, Fetched(number, 60))

    proxy.latency_s = 0.2
    assert await cache.get(key(1), NUMBER) is None
    proxy.latency_s = 0
    await asyncio.sleep(0.2)

    assert [(await cache.get(key(number), NUMBER)).value for number in (2, 1, 2)] == [2, 1, 2]
    assert cache.counters["poison"] == 0


async def test_damaged_value_is_not_believed(make_cache, proxy):
    """A digit that changed on the way would be a wrong price; the check sum says no."""
    cache = make_cache(max_entries=0, redis={"port": proxy.port})
    await cache.put(key(1), NUMBER, Fetched(123456, 60))

    proxy.damage = lambda data: data.replace(b"123456", b"123457")

    assert await cache.get(key(1), NUMBER) is None
    assert cache.counters["poison"] == 1


async def test_slow_answers_open_the_breaker(make_cache, proxy):
    """Answers within the time-out that take most of it are failures too."""
    cache = make_cache(max_entries=0, redis={"port": proxy.port, "slow_s": 0.02})
    await ask(cache, [1], at_once=False)
    proxy.latency_s = 0.02

    for _ in range(6):
        await cache.get(key(1), NUMBER)

    assert cache.counters["redis_left_alone"] > 0
    assert cache.counters["redis_timeouts"] == 0


async def test_too_many_callers_do_not_open_the_breaker(make_cache, proxy):
    """Waiting for a connection is our own load: bounded, counted apart, and no reason to leave Redis alone."""
    cache = make_cache(max_entries=0, redis={"port": proxy.port, "max_connections": 1, "slow_s": 1.0})
    await cache.warm()
    proxy.latency_s = 0.05

    started = time.perf_counter()
    await asyncio.gather(*[cache.put(key(number), NUMBER, Fetched(1, 60)) for number in range(20)])

    assert time.perf_counter() - started < 1.5
    assert cache.counters["redis_busy"] > 0
    assert cache.counters["redis_timeouts"] == cache.counters["redis_errors"] == 0
    assert cache._redis.guard.breaker.opened == 0


async def test_reads_of_one_turn_are_one_command(make_cache, redis_server):
    """Thirty-two callers who look up different keys at once cost one round trip."""
    cache = make_cache(max_entries=0)
    for number in range(32):
        await cache.put(key(number), NUMBER, Fetched(number, 60))
    before = redis_server.admin.info("commandstats").get("cmdstat_mget", {}).get("calls", 0)

    answers = await asyncio.gather(*[cache.get(key(number), NUMBER) for number in range(32)])

    assert [answer.value for answer in answers] == list(range(32))
    assert redis_server.admin.info("commandstats")["cmdstat_mget"]["calls"] == before + 1


async def test_hit_in_memory_asks_nobody(make_cache, proxy):
    """A value in memory is served without a byte to Redis, until it has to be confirmed."""
    clock = FakeClock()
    cache = make_cache(clock=clock.clock, redis={"port": proxy.port})
    await ask(cache, [1], at_once=False)
    before = proxy.bytes_up

    for _ in range(10):
        assert (await cache.get_or_fetch(key(1), NUMBER, seven)).level == "memory"

    assert proxy.bytes_up == before
    clock.advance(5.1)
    assert (await cache.get_or_fetch(key(1), NUMBER, seven)).level == "redis"
    assert proxy.bytes_up > before
    assert (await cache.get_or_fetch(key(1), NUMBER, seven)).level == "memory"


@pytest.mark.parametrize("moment", ["before", "during"])
async def test_emptied_server_loses_time_only(make_cache, redis_server, moment):
    """FLUSHALL at any moment: answers stay right."""
    cache = make_cache(max_entries=0)
    for round_ in range(5):
        if moment == "before":
            redis_server.admin.flushall()

        async def fetch(value=round_):
            if moment == "during":
                redis_server.admin.flushall()
            return Fetched(value, 60)

        await cache.delete(key(1))
        assert (await cache.get_or_fetch(key(1), NUMBER, fetch)).value == round_
        assert (await cache.get_or_fetch(key(1), NUMBER, fetch)).value == round_


async def test_restarted_server_knows_no_scripts(make_cache, redis_server):
    """They are loaded again, without an error on the way."""
    cache = make_cache(max_entries=0)
    await ask(cache, [1], at_once=False)
    redis_server.admin.script_flush()

    await ask(cache, [2], at_once=False)

    assert (await cache.get(key(2), NUMBER)).value == 7
    assert cache.counters["redis_refusals"] == 0
