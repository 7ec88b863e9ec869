"""One fetch per key however many ask, and values that are kept for as long as they are fresh."""

import asyncio
import gc

import pytest

from shared.cache.memory import Fresh, MemoryCache
from tests.unit.fakes.clock import FakeClock


class Origin:
    """Counts its fetches; holds them until ``release`` when asked to."""

    def __init__(self, value: object = "v", ttl_s: float = 60) -> None:
        self.value = value
        self.ttl_s = ttl_s
        self.failure: Exception | None = None
        self.fetches = 0
        self.release = asyncio.Event()
        self.release.set()

    async def fetch(self) -> Fresh[object]:
        self.fetches += 1
        await self.release.wait()
        if self.failure:
            raise self.failure
        return Fresh(self.value, self.ttl_s)


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def cache(time) -> MemoryCache:
    return MemoryCache(max_entries=3, clock=time.clock)


async def _all_waiting(*tasks: asyncio.Task) -> None:
    for _ in range(5):
        await asyncio.sleep(0)
    assert not any(task.done() for task in tasks)


async def test_fifty_callers_share_one_fetch(cache):
    """A burst costs the origin one call, and everybody gets its value."""
    origin = Origin()
    origin.release.clear()
    tasks = [asyncio.create_task(cache.get_or_fetch("k", origin.fetch)) for _ in range(50)]
    await _all_waiting(*tasks)
    origin.release.set()

    assert await asyncio.gather(*tasks) == ["v"] * 50
    assert origin.fetches == 1


async def test_keys_are_fetched_side_by_side(cache):
    """A slow key does not hold up another one."""
    slow, quick = Origin("slow"), Origin("quick")
    slow.release.clear()
    waiting = asyncio.create_task(cache.get_or_fetch("s", slow.fetch))
    await _all_waiting(waiting)

    assert await cache.get_or_fetch("q", quick.fetch) == "quick"
    slow.release.set()
    assert await waiting == "slow"


@pytest.mark.parametrize("value", [None, 0, "", (), False, {}])
async def test_falsy_values_are_kept(cache, value):
    """Nothing, zero and empty are answers; they are not fetched again."""
    origin = Origin(value)

    assert [await cache.get_or_fetch("k", origin.fetch) for _ in range(3)] == [value] * 3
    assert origin.fetches == 1


async def test_value_expires_by_the_clock(cache, time):
    """It is served for its time and fetched again after it."""
    origin = Origin(ttl_s=60)
    await cache.get_or_fetch("k", origin.fetch)
    time.advance(59.9)
    await cache.get_or_fetch("k", origin.fetch)
    assert origin.fetches == 1
    time.advance(0.1)
    await cache.get_or_fetch("k", origin.fetch)

    assert origin.fetches == 2


async def test_each_value_has_its_own_lifetime(cache, time):
    """The fetch decides how long its result is fresh."""
    short, long = Origin(ttl_s=10), Origin(ttl_s=100)
    await cache.get_or_fetch("s", short.fetch)
    await cache.get_or_fetch("l", long.fetch)
    time.advance(50)
    await cache.get_or_fetch("s", short.fetch)
    await cache.get_or_fetch("l", long.fetch)

    assert (short.fetches, long.fetches) == (2, 1)


async def test_lifetime_begins_when_the_fetch_ends(cache, time):
    """A slow origin does not deliver values that are already old."""
    origin = Origin(ttl_s=10)
    origin.release.clear()
    task = asyncio.create_task(cache.get_or_fetch("k", origin.fetch))
    await _all_waiting(task)
    time.advance(30)
    origin.release.set()
    await task
    await cache.get_or_fetch("k", origin.fetch)

    assert origin.fetches == 1


async def test_failure_is_shared_and_not_kept(cache):
    """All that wait get the one failure; the next caller tries again."""
    origin = Origin()
    origin.failure = RuntimeError("down")
    origin.release.clear()
    tasks = [asyncio.create_task(cache.get_or_fetch("k", origin.fetch)) for _ in range(20)]
    await _all_waiting(*tasks)
    origin.release.set()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)

    assert {type(outcome) for outcome in outcomes} == {RuntimeError}
    assert (origin.fetches, len(cache)) == (1, 0)
    origin.failure = None
    assert await cache.get_or_fetch("k", origin.fetch) == "v"


async def test_failed_refresh_does_not_bring_the_old_value_back(cache, time):
    """An expired value is not served as if it were fresh."""
    origin = Origin()
    await cache.get_or_fetch("k", origin.fetch)
    time.advance(61)
    origin.failure = RuntimeError("down")

    with pytest.raises(RuntimeError):
        await cache.get_or_fetch("k", origin.fetch)
    with pytest.raises(RuntimeError):
        await cache.get_or_fetch("k", origin.fetch)
    assert origin.fetches == 3


async def test_cancelled_caller_leaves_the_fetch_to_the_others(cache):
    """The first caller goes away; the second gets the value of the fetch that the first had begun."""
    origin = Origin()
    origin.release.clear()
    first, second = (asyncio.create_task(cache.get_or_fetch("k", origin.fetch)) for _ in range(2))
    await _all_waiting(first, second)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    origin.release.set()

    assert await second == "v"
    assert origin.fetches == 1


async def test_value_is_kept_when_every_caller_has_left(cache):
    """What was fetched for nobody serves the next one."""
    origin = Origin()
    origin.release.clear()
    task = asyncio.create_task(cache.get_or_fetch("k", origin.fetch))
    await _all_waiting(task)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    origin.release.set()

    assert await cache.get_or_fetch("k", origin.fetch) == "v"
    assert origin.fetches == 1


async def test_failure_that_nobody_waits_for_is_silent(cache, caplog):
    """When all callers have left, a failing fetch leaves no 'exception was never retrieved' behind."""
    unhandled = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: unhandled.append(context))
    origin = Origin()
    origin.failure = RuntimeError("down")
    origin.release.clear()
    tasks = [asyncio.create_task(cache.get_or_fetch("k", origin.fetch)) for _ in range(3)]
    await _all_waiting(*tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    origin.release.set()
    for _ in range(5):
        await asyncio.sleep(0)
    del tasks, task  # whose traceback leads to the fetch
    gc.collect()

    assert (unhandled, [record.message for record in caplog.records if record.name == "asyncio"]) == ([], [])
    assert len(cache) == 0


async def test_least_recently_used_entry_goes_first(cache):
    """Past the bound the entry that nobody has read for longest is dropped; reading counts as use."""
    origins = {key: Origin(key) for key in "abcd"}
    for key in "abc":
        await cache.get_or_fetch(key, origins[key].fetch)
    await cache.get_or_fetch("a", origins["a"].fetch)
    await cache.get_or_fetch("d", origins["d"].fetch)
    for key in "acdb":
        await cache.get_or_fetch(key, origins[key].fetch)

    assert [origins[key].fetches for key in "abcd"] == [1, 2, 1, 1]
    assert len(cache) == 3


async def test_refreshed_entry_counts_as_used(cache, time):
    """An entry that was fetched again is as young as a new one."""
    origins = {key: Origin(key, ttl_s=10 if key == "a" else 60) for key in "abcd"}
    for key in "abc":
        await cache.get_or_fetch(key, origins[key].fetch)
    time.advance(11)
    for key in "ada":
        await cache.get_or_fetch(key, origins[key].fetch)

    assert origins["a"].fetches == 2


async def test_flights_leave_nothing_behind(cache):
    """Ten thousand failing keys use no memory afterwards."""
    origin = Origin()
    origin.failure = RuntimeError("down")
    await asyncio.gather(*(cache.get_or_fetch(key, origin.fetch) for key in range(10_000)), return_exceptions=True)
    await asyncio.sleep(0)

    assert (len(cache), len(cache._flights)) == (0, 0)
