"""Two instances over one Redis, step by step: what one does, the other sees."""

import asyncio

import pytest

from shared.cache.codec import Codec
from shared.cache.entries import Absent, Fetched, OriginFailed
from shared.cache.invalidation import invalidating, user_key, user_namespace, workspace_key
from shared.cache.keys import CacheKey
from tests.doubles.redis_origins import Row
from tests.unit.fakes.clock import FakeClock

pytest_plugins = ["tests.doubles.redis_fixtures"]

TEXT = Codec(str)
KEY = CacheKey("q", ("a",))
BOTH = pytest.mark.parametrize("levels", [{}, {"max_entries": 0}], ids=["two levels", "redis"])


async def asked(cache, origin: Row) -> str:
    return (await cache.get_or_fetch(KEY, TEXT, origin.fetch)).value


@BOTH
@pytest.mark.parametrize("write", ["delete", "invalidate", "put"])
async def test_late_fill_of_another_instance_is_refused(make_cache, levels, write):
    """A reads the old row; B changes it and tells the cache; A's fill comes too late and is not stored."""
    a, b, c = (make_cache(**levels) for _ in range(3))
    origin = Row()
    reading = asyncio.create_task(asked(a, origin))
    await origin.read.wait()

    origin.text = "new"
    match write:
        case "delete":
            await b.delete(KEY)
        case "invalidate":
            await b.invalidate("q")
        case "put":
            await b.put(KEY, TEXT, Fetched("new", 60))
    origin.gate.set()

    assert await reading == "old"
    assert a.counters["late_fills_refused"] == 1
    assert [await asked(cache, origin) for cache in (c, b, a)] == ["new"] * 3
    assert origin.reads == (1 if write == "put" else 2)


@BOTH
async def test_invalidation_does_not_wait_for_the_old_fetch(make_cache, levels):
    """Who asks after the invalidation fetches at once, although another still holds a lease from before it."""
    a, b = make_cache(**levels), make_cache(**levels)
    stuck, origin = Row(), Row("new").open()
    reading = asyncio.create_task(asked(a, stuck))
    await stuck.read.wait()

    await b.invalidate("q")

    assert await asyncio.wait_for(asked(b, origin), 1) == "new"
    stuck.gate.set()
    assert await reading == "old"
    assert await asked(make_cache(**levels), origin) == "new"
    assert origin.reads == 1


@pytest.mark.parametrize("write", ["delete", "invalidate"])
async def test_memory_is_behind_by_its_bound_at_most(make_cache, write):
    """After a write elsewhere, memory serves the old value for five seconds and no longer."""
    clock = FakeClock()
    a, b = make_cache(clock=clock.clock), make_cache(clock=clock.clock)
    origin = Row().open()
    await asked(a, origin)

    origin.text = "new"
    await (b.delete(KEY) if write == "delete" else b.invalidate("q"))

    assert await asked(b, origin) == "new"
    clock.advance(4.9)
    assert await asked(a, origin) == "old"
    clock.advance(0.2)
    assert await asked(a, origin) == "new"


@pytest.mark.parametrize("write", ["delete", "invalidate"])
async def test_own_write_is_seen_at_once(make_cache, write):
    """The instance that wrote never serves what was before."""
    cache = make_cache()
    origin = Row().open()
    await asked(cache, origin)

    origin.text = "new"
    await (cache.delete(KEY) if write == "delete" else cache.invalidate("q"))

    assert await asked(cache, origin) == "new"


async def test_evicted_version_makes_everything_void(make_cache, redis_server):
    """Redis may drop a namespace's version; what was stored under it does not come back under the next."""
    a, b = make_cache(max_entries=0), make_cache(max_entries=0)
    origin = Row().open()
    await asked(a, origin)
    kept = {name: redis_server.admin.dump(name) for name in redis_server.names() if ":v:" in name}
    await a.invalidate("q")

    redis_server.admin.delete(*[name for name in redis_server.names() if name.endswith(":n")])
    for name, value in kept.items():
        redis_server.admin.restore(name, 60_000, value, replace=True)
    origin.text = "new"

    assert await b.get(KEY, TEXT) is None
    assert await asked(b, origin) == "new"
    for name, value in kept.items():
        redis_server.admin.restore(name, 60_000, value, replace=True)
    assert await b.get(KEY, TEXT) is None


@pytest.mark.parametrize("way", ["put", "fetched"])
async def test_version_outlives_its_values(make_cache, redis_server, way):
    """A value that is kept for a week is not ended by its namespace's version after a day."""
    cache = make_cache(max_entries=0)

    async def long_lived() -> Fetched[str]:
        return Fetched("x", 7 * 86_400, 86_400)

    if way == "put":
        await cache.put(KEY, TEXT, await long_lived())
    else:
        await cache.get_or_fetch(KEY, TEXT, long_lived)
    ttls = {name[-2:]: redis_server.admin.pttl(name) for name in redis_server.names()}

    assert all(ttl > 0 for ttl in ttls.values())
    assert ttls[":n"] >= 8 * 86_400_000 - 1000


async def test_everything_in_redis_ends(make_cache, redis_server):
    """No name is kept for ever: not after fetching, failing, deleting or invalidating."""
    cache = make_cache(max_entries=0)
    failing = Row().open()
    failing.failure = ValueError("down")
    await asked(cache, Row().open())
    with pytest.raises(ValueError, match="down"):
        await cache.get_or_fetch(CacheKey("q", ("f",)), TEXT, failing.fetch)
    await cache.delete(CacheKey("q", ("d",)))
    await cache.invalidate("other")

    assert len(redis_server.names()) == 4
    assert all(redis_server.admin.pttl(name) > 0 for name in redis_server.names())


@BOTH
async def test_early_refresh_is_made_by_one_instance(make_cache, levels):
    """Both see that the value ends soon; one fetch serves both."""
    clock = FakeClock()
    a, b = make_cache(clock=clock.clock, **levels), make_cache(clock=clock.clock, **levels)
    origin = Row().open()
    await asked(a, origin)
    await asked(b, origin)
    clock.advance(57)
    origin.text = "new"
    origin.gate.clear()

    before = [await asked(cache, origin) for cache in (a, b, a, b)]
    await asyncio.sleep(0.1)
    before += [await asked(cache, origin) for cache in (a, b)]
    origin.gate.set()
    while a._flights._flights or b._flights._flights:
        await asyncio.sleep(0.005)

    assert before == ["old"] * 6
    assert [await asked(cache, origin) for cache in (a, b)] == ["new"] * 2
    assert origin.reads == 2


async def test_failure_is_told_to_other_instances(make_cache):
    """B waited for A's fetch, which failed: B does not fetch as well, and may after a moment."""
    a, b = make_cache(failure_hold_s=0.3), make_cache(failure_hold_s=0.3)
    origin = Row()
    origin.failure = ValueError("down")
    first = asyncio.create_task(asked(a, origin))
    await origin.read.wait()
    second = asyncio.create_task(asked(b, origin))
    await asyncio.sleep(0.03)
    origin.gate.set()

    with pytest.raises(ValueError, match="down"):
        await first
    with pytest.raises(OriginFailed) as raised:
        await second
    assert (raised.value.status, raised.value.retry_after) == (503, 1)
    assert origin.reads == 1

    origin.failure = None
    await asyncio.sleep(0.35)
    await asyncio.sleep(0.3)
    assert await asked(b, origin) == "old"


async def test_old_value_stands_in_for_other_instances(make_cache):
    """B serves the stale value that A stored, when the origin fails B."""
    clock = FakeClock()
    a, b = make_cache(clock=clock.clock), make_cache(clock=clock.clock)
    origin = Row().open()
    await asked(a, origin)
    clock.advance(61)
    origin.failure = ValueError("down")

    answer = await b.get_or_fetch(KEY, TEXT, origin.fetch)

    assert (answer.value, answer.stale, answer.level) == ("old", True, "redis")


async def test_deleted_value_does_not_stand_in(make_cache):
    """A still has the old value in memory when B deletes it: it is no answer any more, not even in need."""
    clock = FakeClock()
    a, b = make_cache(clock=clock.clock), make_cache(clock=clock.clock)
    origin = Row().open()
    await asked(a, origin)
    await b.delete(KEY)
    clock.advance(61)
    origin.failure = ValueError("down")

    with pytest.raises(ValueError, match="down"):
        await asked(a, origin)


async def test_absence_is_shared(make_cache):
    """What A was told does not exist, B does not ask for."""
    a, b = make_cache(), make_cache()
    origin = Row().open()
    origin.failure = Absent("no such symbol", fresh_s=30)

    for cache in (a, b):
        with pytest.raises(Absent, match="no such symbol"):
            await asked(cache, origin)

    assert origin.reads == 1


async def test_slow_fetch_keeps_its_lease(make_cache):
    """A fetch that takes several leases' time is not repeated by others."""
    a, b = make_cache(lease_s=0.15), make_cache(lease_s=0.15)
    origin = Row()
    first = asyncio.create_task(asked(a, origin))
    await origin.read.wait()
    second = asyncio.create_task(asked(b, origin))
    await asyncio.sleep(0.6)
    origin.gate.set()

    assert [await first, await second] == ["old", "old"]
    assert origin.reads == 1


async def test_waiting_for_another_instance_is_bounded(make_cache):
    """B waits for a holder that lives, not for ever; then it fetches itself."""
    a, b = make_cache(), make_cache(wait_s=0.2)
    stuck, origin = Row(), Row("new").open()
    first = asyncio.create_task(asked(a, stuck))
    await stuck.read.wait()

    assert await asyncio.wait_for(asked(b, origin), 2) == "new"
    assert b.counters["lease_waits_given_up"] == 1
    stuck.gate.set()
    await first


async def test_users_and_workspaces(make_cache):
    """One user's data goes together, around a write, and nobody else's."""
    a, b = make_cache(max_entries=0), make_cache(max_entries=0)
    mine = [user_key("1"), user_key("1", "profile"), user_key("1", "lists", "2")]
    others = [user_key("12"), workspace_key("1"), user_key("1:profile")]
    for key in mine + others:
        await a.put(key, TEXT, Fetched("x", 60))

    with pytest.raises(RuntimeError):
        async with invalidating(b, user_namespace("1")):
            raise RuntimeError("the acknowledgement was lost")

    assert [await a.get(key, TEXT) for key in mine] == [None] * 3
    assert None not in [await a.get(key, TEXT) for key in others]
