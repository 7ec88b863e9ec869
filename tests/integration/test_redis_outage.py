"""Instances that cannot reach Redis for a while, or hear from it late: nothing old comes back."""

import asyncio

import pytest

from shared.cache.codec import Codec
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey
from tests.doubles.redis_origins import Row
from tests.unit.fakes.clock import FakeClock

pytest_plugins = ["tests.doubles.redis_fixtures"]

TEXT = Codec(str)
KEY = CacheKey("q", ("a",))


async def asked(cache, origin: Row) -> str:
    return (await cache.get_or_fetch(KEY, TEXT, origin.fetch)).value


@pytest.mark.parametrize("write", ["delete", "invalidate"])
@pytest.mark.parametrize("under_way", ["fetch", "read", "put"])
async def test_late_reply_does_not_bring_back_what_was_deleted(make_cache, redis_server, proxy, under_way, write):
    """Redis has done what was asked before the write, but its reply arrives after it: memory does not keep that."""
    cache = make_cache(redis={"port": proxy.port, "call_s": 5.0, "slow_s": 5.0})
    await cache.put(CacheKey("warm"), TEXT, Fetched("x", 60))
    if under_way == "read":
        await make_cache().put(KEY, TEXT, Fetched("old", 60))
    origin = Row()
    held = asyncio.Event()
    early = asyncio.create_task(
        {
            "fetch": lambda: asked(cache, origin),
            "read": lambda: cache.get(KEY, TEXT),
            "put": lambda: cache.put(KEY, TEXT, Fetched("old", 60)),
        }[under_way]()
    )
    if under_way == "fetch":
        await origin.read.wait()
    calls = "cmdstat_mget" if under_way == "read" else "cmdstat_evalsha"
    before = commands(redis_server, calls)
    proxy.hold = held
    origin.gate.set()
    while commands(redis_server, calls) == before:
        await asyncio.sleep(0.002)

    proxy.hold = None
    await (cache.delete(KEY) if write == "delete" else cache.invalidate("q"))
    assert not early.done()
    held.set()
    await early

    assert await cache.get(KEY, TEXT) is None


def commands(server, name: str) -> int:
    return server.admin.info("commandstats").get(name, {}).get("calls", 0)


async def test_what_redis_no_longer_has_is_not_kept_for_an_outage(make_cache, proxy):
    """A noticed that B deleted the value; when Redis fails later, A does not fall back on its old copy."""
    clock = FakeClock()
    a, b = make_cache(clock=clock.clock, redis={"port": proxy.port}), make_cache(clock=clock.clock)
    await asked(a, Row().open())
    await b.delete(KEY)
    clock.advance(5.1)
    assert await a.get(KEY, TEXT) is None

    await proxy.down()

    assert await a.get(KEY, TEXT) is None


@pytest.mark.parametrize("write", ["delete", "invalidate"])
async def test_nothing_old_comes_back_after_an_outage(make_cache, proxy, write):
    """A is cut off and keeps its value; B changes the row meanwhile; once A reaches Redis again it serves the new."""
    clock = FakeClock()
    a = make_cache(clock=clock.clock, redis={"port": proxy.port})
    b = make_cache(clock=clock.clock)
    origin = Row().open()
    await asked(a, origin)
    await proxy.down()
    for _ in range(4):
        await a.health_check()
    assert await asked(a, origin) == "old"

    origin.text = "new"
    await (b.delete(KEY) if write == "delete" else b.invalidate("q"))
    await proxy.up()
    assert await asked(b, origin) == "new"
    clock.advance(1.1)
    assert (await a.health_check())[0]

    assert await asked(a, origin) == "new"
    assert origin.reads == 2


@pytest.mark.parametrize("write", ["delete", "invalidate"])
async def test_value_fetched_during_an_outage_is_not_kept_after_it(make_cache, proxy, write):
    """What A fetched while it was cut off never reached Redis, so nobody could invalidate it: it goes."""
    clock = FakeClock()
    a = make_cache(clock=clock.clock, redis={"port": proxy.port})
    b = make_cache(clock=clock.clock)
    await proxy.down()
    origin = Row().open()
    await asked(a, origin)

    origin.text = "new"
    await (b.delete(KEY) if write == "delete" else b.invalidate("q"))
    await proxy.up()
    clock.advance(5.1)

    assert await asked(a, origin) == "new"


async def test_memory_serves_through_an_outage_but_not_beyond_its_time(make_cache, proxy):
    """Without Redis an entry lives as long as it would have lived, so that the origin is not asked every 5 s."""
    clock = FakeClock()
    cache = make_cache(clock=clock.clock, redis={"port": proxy.port})
    origin = Row().open()
    await asked(cache, origin)
    await proxy.down()

    clock.advance(50)
    assert await asked(cache, origin) == "old"
    assert origin.reads == 1
    clock.advance(10.1)
    origin.text = "new"
    assert await asked(cache, origin) == "new"


@pytest.mark.parametrize("write", ["delete", "invalidate", "put"])
async def test_write_during_an_outage_reaches_redis_later(make_cache, proxy, write):
    """A cannot reach Redis when it writes; it does not believe Redis until it has made up for that."""
    clock = FakeClock()
    a = make_cache(clock=clock.clock, redis={"port": proxy.port})
    b = make_cache(clock=clock.clock)
    origin = Row().open()
    await asked(a, origin)
    await proxy.down()

    origin.text = "new"
    match write:
        case "delete":
            await a.delete(KEY)
        case "invalidate":
            await a.invalidate("q")
        case "put":
            await a.put(KEY, TEXT, Fetched("new", 60))
    assert await asked(a, origin) == "new"
    assert await asked(b, origin) == "old"
    assert (await a.health_check())[1]["redis"]["owed_invalidations"] == 1

    await proxy.up()
    clock.advance(5.1)
    assert await a.get(CacheKey("other"), TEXT) is None
    assert (await a.health_check())[1]["redis"]["owed_invalidations"] == 0
    assert [await asked(b, origin), await asked(a, origin)] == ["new", "new"]
