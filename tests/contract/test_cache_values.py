"""What every cache returns, and for how long: in memory, in Redis, and with memory in front of Redis."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.cache.codec import Codec
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey
from shared.cache.layered import LayeredCache
from shared.market.types import Bar, Fundamentals, History, Instrument, NewsItem, Quote, Split
from tests.doubles.redis_origins import Origin

pytest_plugins = ["tests.doubles.redis_fixtures"]

KEY = CacheKey("quote", ("AAPL",))
NUMBER = Codec(int)
CODEC = Codec(Quote)
NOW = datetime(2026, 6, 12, 18, 59, 30, 123456, tzinfo=UTC)
QUOTE = Quote("AAPL", "Apple", 430.47, "USD", NOW, "yahoo", change_percent=-2.48, market_state="open")

VALUES = {
    "quote": (Codec(Quote), QUOTE),
    "history": (
        Codec(History),
        History(
            "AAPL", "Apple", "USD", "1d", (Bar(date(2026, 6, 11), 1.1, 2.0, 0.1 + 0.2, 1e-9, 1.0, 2**53),), NOW,
            "yahoo", splits=(Split(date(2020, 8, 31), 4.0),),
        ),
    ),
    "fundamentals": (
        Codec(Fundamentals),
        Fundamentals("AAPL", "Apple", "USD", NOW, "yahoo", 3e12, fiscal_quarter_end=date(2026, 3, 31)),
    ),
    "instruments": (Codec(tuple[Instrument, ...]), (Instrument("AAPL", "Apple"), Instrument("BRK-B", "Bërkshire\n"))),
    "no instruments": (Codec(tuple[Instrument, ...]), ()),
    "news": (Codec(tuple[NewsItem, ...]), (NewsItem("<b>Up</b>", "x", "https://example.com", NOW),)),
}  # fmt: skip
FALSY = {"none": None, "list": [], "dict": {}, "zero": 0, "text": "", "false": False}


async def settled(cache: LayeredCache) -> None:
    while len(cache._flights._flights):
        await asyncio.sleep(0.001)


class TestValues:
    @pytest.mark.parametrize("name", VALUES)
    async def test_hit_and_miss_return_the_same(self, any_cache, name):
        """A miss and a hit are equal, of the same types down to the last field, and aware where the value was."""
        codec, value = VALUES[name]
        origin = Origin(value)

        miss = await any_cache.get_or_fetch(KEY, codec, origin.fetch)
        hit = await any_cache.get_or_fetch(KEY, codec, origin.fetch)

        assert (miss.value, hit.value, origin.fetches) == (value, value, 1)
        assert repr(miss.value) == repr(hit.value)
        assert (miss.level, miss.stale, hit.stale) == ("origin", False, False)
        assert hit.level in {"memory", "redis"}
        assert miss.created_at == hit.created_at == datetime(2026, 6, 12, 19, 0, tzinfo=UTC)
        assert hit.created_at.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("name", FALSY)
    async def test_falsy_values_are_cached(self, any_cache, name):
        """A hundred reads of nothing are one fetch."""
        value = FALSY[name]
        codec = Codec(type(value))
        origin = Origin(value)

        answers = [await any_cache.get_or_fetch(KEY, codec, origin.fetch) for _ in range(100)]

        assert all(answer.value == value and type(answer.value) is type(value) for answer in answers)
        assert origin.fetches == 1

    async def test_mutable_values_are_the_callers_own(self, any_cache):
        """Whoever changes what he got changes it for nobody else."""
        codec = Codec(dict[str, list[int]])
        origin = Origin({"a": [1]})
        answers = await asyncio.gather(*[any_cache.get_or_fetch(KEY, codec, origin.fetch) for _ in range(3)])
        answers.append(await any_cache.get_or_fetch(KEY, codec, origin.fetch))

        for answer in answers:
            assert answer.value == {"a": [1]}
            answer.value["a"].append(2)

        assert (await any_cache.get_or_fetch(KEY, codec, origin.fetch)).value == {"a": [1]}
        assert origin.fetches == 1

    @pytest.mark.parametrize("value", ["not a quote", None, replace(QUOTE, value=None)])
    async def test_value_that_cannot_be_cached_is_served(self, any_cache, value):
        """A value of another type than promised goes to the callers and is not kept."""
        origin = Origin(value)

        answers = await asyncio.gather(*[any_cache.get_or_fetch(KEY, CODEC, origin.fetch) for _ in range(3)])

        assert [answer.value for answer in answers] == [value] * 3
        assert await any_cache.get(KEY, CODEC) is None
        assert any_cache.counters["unencodable"] == 1

    async def test_value_without_a_life_is_not_kept(self, any_cache):
        """Zero seconds: whoever waits gets it, the next fetches again."""
        origin = Origin(1, fresh_s=0)

        await asyncio.gather(*[any_cache.get_or_fetch(KEY, NUMBER, origin.fetch) for _ in range(3)])
        assert origin.fetches == 1
        await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        assert origin.fetches == 2

    async def test_other_type_under_the_same_key_is_a_miss(self, any_cache):
        """What a program with another idea of the type has stored is fetched anew."""
        await any_cache.put(KEY, NUMBER, Fetched(1, 60))

        answer = await any_cache.get_or_fetch(KEY, CODEC, Origin(QUOTE).fetch)

        assert answer.value == QUOTE
        assert await any_cache.get(KEY, NUMBER) is None


class TestTime:
    async def test_fresh_until_its_time(self, any_cache, cache_time):
        """Served for its seconds and not for one more."""
        origin = Origin(1, fresh_s=60)
        await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)

        cache_time.advance(53)
        await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        assert origin.fetches == 1
        cache_time.advance(7.1)
        assert await any_cache.get(KEY, NUMBER) is None
        await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        assert origin.fetches == 2

    async def test_jitter_is_a_tenth_of_the_time(self, make_any_cache, cache_time):
        """All live for 90 %, none for more than 110 %, and they do not end together."""
        cache = make_any_cache(jitter=0.1)
        keys = [CacheKey("quote", (str(number),)) for number in range(40)]
        for key in keys:
            await cache.put(key, NUMBER, Fetched(1, 60))

        left = []
        for seconds in (53.9, 6.1, 6.1):
            cache_time.advance(seconds)
            left.append(sum([await cache.get(key, NUMBER) is not None for key in keys]))

        assert left[0] == 40
        assert 0 < left[1] < 40
        assert left[2] == 0

    async def test_refreshed_early_without_waiting(self, any_cache, cache_time):
        """Shortly before the end one caller's hit starts one fetch; all callers are served meanwhile."""
        origin = Origin(1, fresh_s=60)
        await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        cache_time.advance(57)
        origin.value = 2
        origin.gate.clear()

        hits = [(await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value for _ in range(20)]
        await asyncio.wait_for(origin.entered.wait(), 1)
        hits += [(await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value for _ in range(20)]
        origin.gate.set()
        await settled(any_cache)

        assert hits == [1] * 40
        assert origin.fetches == 2
        cache_time.advance(10)
        assert (await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value == 2
        assert origin.fetches == 2

    async def test_failed_refresh_is_not_repeated_at_once(self, any_cache, cache_time):
        """The value is served to its end; the origin is left alone for a moment."""
        origin = Origin(1, fresh_s=60)
        await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        cache_time.advance(57)
        origin.failure = ValueError("down")

        for _ in range(10):
            answer = await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
            await settled(any_cache)
            assert (answer.value, answer.stale) == (1, False)

        assert origin.fetches == 2
