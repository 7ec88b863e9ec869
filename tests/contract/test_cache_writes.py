"""What writes do in every cache, and how it lives and ends: in memory, in Redis, and with both."""

import asyncio
from datetime import UTC, datetime

import pytest

from shared.cache.codec import Codec
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey
from shared.cache.layered import LayeredCache
from shared.market.types import Quote
from tests.doubles.redis_origins import Origin

pytest_plugins = ["tests.doubles.redis_fixtures"]

KEY = CacheKey("quote", ("AAPL",))
NUMBER = Codec(int)
CODEC = Codec(Quote)
NOW = datetime(2026, 6, 12, 18, 59, 30, 123456, tzinfo=UTC)
QUOTE = Quote("AAPL", "Apple", 430.47, "USD", NOW, "yahoo", change_percent=-2.48, market_state="open")


def idle(cache: LayeredCache) -> bool:
    return len(cache._flights) == 0 and len(cache._revocations) == 0


class TestWrites:
    async def test_put_then_get(self, any_cache):
        """What was put is what is found."""
        assert await any_cache.get(KEY, CODEC) is None
        await any_cache.put(KEY, CODEC, Fetched(QUOTE, 60))

        assert (await any_cache.get(KEY, CODEC)).value == QUOTE

    async def test_put_of_what_is_not_kept_deletes(self, any_cache):
        """The old value is gone all the same."""
        await any_cache.put(KEY, NUMBER, Fetched(1, 60))
        await any_cache.put(KEY, NUMBER, Fetched(2, 0))

        assert await any_cache.get(KEY, NUMBER) is None

    async def test_delete(self, any_cache):
        """Only the key itself is forgotten."""
        other = CacheKey("quote", ("AAPL", "profile"))
        for key in (KEY, other):
            await any_cache.put(key, NUMBER, Fetched(1, 60))

        await any_cache.delete(KEY)

        assert await any_cache.get(KEY, NUMBER) is None
        assert (await any_cache.get(other, NUMBER)).value == 1

    async def test_invalidate_forgets_a_namespace(self, any_cache):
        """All keys of the namespace, none of another whose name begins alike."""
        mine = [CacheKey("user:1", parts) for parts in ((), ("profile",), ("list", "*"), ("list", "2"))]
        others = [CacheKey("user:12"), CacheKey("user"), CacheKey("user:1:profile"), CacheKey("user", ("1",))]
        for key in mine + others:
            await any_cache.put(key, NUMBER, Fetched(1, 60))

        await any_cache.invalidate("user:1")

        assert [await any_cache.get(key, NUMBER) for key in mine] == [None] * 4
        assert all([await any_cache.get(key, NUMBER) for key in others])

    async def test_namespace_works_after_invalidation(self, any_cache):
        """It may be filled and invalidated again and again."""
        for value in range(3):
            await any_cache.put(KEY, NUMBER, Fetched(value, 60))
            assert (await any_cache.get(KEY, NUMBER)).value == value
            await any_cache.invalidate("quote")
            assert await any_cache.get(KEY, NUMBER) is None

    @pytest.mark.parametrize("write", ["delete", "invalidate", "put"])
    async def test_late_fill_is_refused(self, any_cache, write):
        """A fetch that read before the write is not stored after it, nor given to who asks after it."""
        origin = Origin("old")
        codec = Codec(str)
        origin.gate.clear()
        early = asyncio.create_task(any_cache.get_or_fetch(KEY, codec, origin.fetch))
        await origin.entered.wait()

        origin.value = "new"
        match write:
            case "delete":
                await any_cache.delete(KEY)
            case "invalidate":
                await any_cache.invalidate("quote")
            case "put":
                await any_cache.put(KEY, codec, Fetched("new", 60))
        late = asyncio.create_task(any_cache.get_or_fetch(KEY, codec, origin.fetch))
        await asyncio.sleep(0.05)
        origin.gate.set()

        assert (await early).value == "old"
        assert (await late).value == "new"
        assert (await any_cache.get_or_fetch(KEY, codec, origin.fetch)).value == "new"
        assert origin.fetches == (1 if write == "put" else 2)
        assert idle(any_cache)

    @pytest.mark.parametrize("part", ["*", ":", "a:b", "\n", "{x}", "\ud800", "", "%2A", "#", "é" * 1_000_000])
    async def test_parts_may_be_any_text(self, any_cache, part):
        """Whatever users put into a key names exactly one value."""
        key, other = CacheKey("search", (part,)), CacheKey("search", (part, ""))
        await any_cache.put(key, NUMBER, Fetched(1, 60))

        assert (await any_cache.get(key, NUMBER)).value == 1
        assert await any_cache.get(other, NUMBER) is None
        assert await any_cache.get(CacheKey("search", ("other",)), NUMBER) is None


class TestLife:
    async def test_health(self, any_cache):
        """All levels are there, and the report shows no secret and no address."""
        healthy, details = await any_cache.health_check()

        assert (healthy, details["status"]) == (True, "ok")
        assert details["levels"]
        assert "127.0.0.1" not in str(details)

    async def test_close_ends_fetches(self, make_any_cache):
        """Closing stops what is under way, and may be repeated."""
        cache = make_any_cache()
        origin = Origin()
        origin.gate.clear()
        caller = asyncio.create_task(cache.get_or_fetch(KEY, NUMBER, origin.fetch))
        await origin.entered.wait()

        await cache.aclose()
        await cache.aclose()

        assert isinstance((await asyncio.gather(caller, return_exceptions=True))[0], asyncio.CancelledError)
        assert idle(cache)

    async def test_warm_does_not_raise(self, any_cache):
        """It is called at start, whatever is there."""
        await any_cache.warm()
