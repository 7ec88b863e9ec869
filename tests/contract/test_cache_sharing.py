"""Who fetches in every cache, and what becomes of a failure: in memory, in Redis, and with both."""

import asyncio
from datetime import UTC, datetime

import pytest

from shared.cache.codec import Codec
from shared.cache.entries import Absent, Fetched, OriginFailed
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


async def settled(cache: LayeredCache) -> None:
    while len(cache._flights._flights):
        await asyncio.sleep(0.001)


class TestSharing:
    async def test_callers_share_one_fetch(self, any_cache):
        """Fifty callers at once are one fetch, and leave nothing behind."""
        origin = Origin(QUOTE)

        answers = await asyncio.gather(*[any_cache.get_or_fetch(KEY, CODEC, origin.fetch) for _ in range(50)])

        assert {answer.value for answer in answers} == {QUOTE}
        assert origin.fetches == 1
        assert idle(any_cache)

    async def test_hit_does_not_wait_for_another_key(self, any_cache):
        """A fetch under way holds up nobody who can be served."""
        slow = Origin(2)
        slow.gate.clear()
        await any_cache.put(KEY, NUMBER, Fetched(1, 60))
        waiting = asyncio.create_task(any_cache.get_or_fetch(CacheKey("quote", ("B",)), NUMBER, slow.fetch))
        await slow.entered.wait()

        assert (await any_cache.get_or_fetch(KEY, NUMBER, slow.fetch)).value == 1
        slow.gate.set()
        assert (await waiting).value == 2

    async def test_same_id_in_two_namespaces_is_two_keys(self, any_cache):
        """Neither value nor flight is shared."""
        origin = Origin(1)

        await asyncio.gather(
            any_cache.get_or_fetch(CacheKey("quote", ("A",)), NUMBER, origin.fetch),
            any_cache.get_or_fetch(CacheKey("report", ("A",)), NUMBER, origin.fetch),
        )

        assert origin.fetches == 2

    async def test_cancelled_caller_leaves_the_fetch_to_others(self, any_cache):
        """The first who asked goes; the second gets his answer from the same fetch."""
        origin = Origin(1)
        origin.gate.clear()
        first = asyncio.create_task(any_cache.get_or_fetch(KEY, NUMBER, origin.fetch))
        await origin.entered.wait()
        second = asyncio.create_task(any_cache.get_or_fetch(KEY, NUMBER, origin.fetch))
        await asyncio.sleep(0.01)

        first.cancel()
        origin.gate.set()

        assert (await second).value == 1
        assert first.cancelled() or first.cancelling()
        assert origin.fetches == 1

    async def test_fetch_without_callers_is_stored(self, any_cache):
        """Nobody waits any more; the next one profits."""
        origin = Origin(1)
        origin.gate.clear()
        caller = asyncio.create_task(any_cache.get_or_fetch(KEY, NUMBER, origin.fetch))
        await origin.entered.wait()
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)

        origin.gate.set()
        await settled(any_cache)

        assert (await any_cache.get(KEY, NUMBER)).value == 1

    async def test_many_keys_leave_no_locks(self, any_cache):
        """A thousand keys were asked for; no table remembers that."""
        origin = Origin(1)

        await asyncio.gather(
            *[any_cache.get_or_fetch(CacheKey("q", (str(number),)), NUMBER, origin.fetch) for number in range(1000)]
        )

        assert idle(any_cache)


class TestFailure:
    async def test_failure_is_shared_and_held(self, make_any_cache, cache_time):
        """Twenty callers at once and twenty after them: one fetch, the same error for all; later it is tried again."""
        cache = make_any_cache(failure_hold_s=2)
        origin = Origin()
        origin.failure = ValueError("down")

        async def ask() -> Exception:
            with pytest.raises((ValueError, OriginFailed)) as raised:
                await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
            return raised.value

        errors = await asyncio.gather(*[ask() for _ in range(20)])
        errors += [await ask() for _ in range(20)]

        assert all(error is origin.failure for error in errors)
        assert origin.fetches == 1
        depth = len(list(_frames(errors[0])))
        await ask()
        assert len(list(_frames(errors[0]))) == depth, "the traceback grows"

    async def test_held_failure_is_forgotten(self, make_any_cache, cache_time):
        """After the pause the origin is asked again; idle tables are empty by themselves."""
        cache = make_any_cache(failure_hold_s=0.05)
        origin = Origin()
        origin.failure = ValueError("down")
        with pytest.raises(ValueError, match="down"):
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        assert not idle(cache)

        await asyncio.sleep(0.08)

        assert idle(cache)
        origin.failure = None
        assert (await cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value == 1

    async def test_old_value_stands_in(self, make_any_cache, cache_time):
        """When the origin fails, the old value is served and marked, once its fetch has failed without asking again."""
        cache = make_any_cache(failure_hold_s=2)
        origin = Origin(1, fresh_s=60, stale_s=600)
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        cache_time.advance(61)
        origin.failure = ValueError("down")

        answers = await asyncio.gather(*[cache.get_or_fetch(KEY, NUMBER, origin.fetch) for _ in range(10)])
        answers += [await cache.get_or_fetch(KEY, NUMBER, origin.fetch) for _ in range(10)]

        assert {(answer.value, answer.stale) for answer in answers} == {(1, True)}
        assert all(answer.created_at == datetime(2026, 6, 12, 19, 0, tzinfo=UTC) for answer in answers)
        assert origin.fetches == 2
        assert await cache.get(KEY, NUMBER) is None

    async def test_old_value_stands_in_for_its_time_only(self, any_cache, cache_time):
        """Past its second limit the failure is raised."""
        origin = Origin(1, fresh_s=60, stale_s=600)
        await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        origin.failure = ValueError("down")

        cache_time.advance(661)

        with pytest.raises(ValueError, match="down"):
            await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)

    async def test_endless_fetch_is_ended(self, make_any_cache):
        """A fetch that never returns does not block its key for ever."""
        cache = make_any_cache(fetch_s=0.05)
        origin = Origin()
        origin.gate.clear()

        with pytest.raises(OriginFailed):
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)

    @pytest.mark.parametrize("failure", [TimeoutError("its own"), KeyError("x"), ExceptionGroup("g", [OSError()])])
    async def test_errors_of_the_origin_are_its_own(self, any_cache, failure):
        """Whatever the fetch raised is what the caller sees."""
        origin = Origin()
        origin.failure = failure

        with pytest.raises(type(failure)) as raised:
            await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)

        assert raised.value is failure

    async def test_cancellation_inside_the_fetch_is_a_failure(self, any_cache):
        """The callers were not cancelled and must not believe it."""
        origin = Origin()
        origin.failure = asyncio.CancelledError()

        with pytest.raises(OriginFailed):
            await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)


class TestAbsence:
    async def test_absence_is_cached_like_a_value(self, any_cache, cache_time):
        """Hit and miss raise the same; after its own seconds the origin is asked again."""
        origin = Origin()
        origin.failure = Absent("no such symbol: \ud800", fresh_s=30)

        async def ask() -> tuple[str, float]:
            with pytest.raises(Absent) as raised:
                await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
            return raised.value.detail, raised.value.fresh_s

        answers = await asyncio.gather(*[ask() for _ in range(5)])
        answers += [await ask() for _ in range(5)]

        assert set(answers) == {("no such symbol: \ud800", 30)}
        assert origin.fetches == 1
        with pytest.raises(Absent):
            await any_cache.get(KEY, NUMBER)
        cache_time.advance(31)
        origin.failure = None
        assert (await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value == 1

    async def test_absence_replaces_an_old_value(self, any_cache, cache_time):
        """That there is no such thing any more is an answer, not a failure."""
        origin = Origin(1, fresh_s=60, stale_s=600)
        await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        cache_time.advance(61)
        origin.failure = Absent("gone", fresh_s=30)

        for _ in range(2):
            with pytest.raises(Absent):
                await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)

        assert origin.fetches == 2

    async def test_old_absence_does_not_stand_in(self, any_cache, cache_time):
        """A failing origin says nothing; neither does what it said before."""
        origin = Origin()
        origin.failure = Absent("none", fresh_s=30)
        with pytest.raises(Absent):
            await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        cache_time.advance(31)
        origin.failure = ValueError("down")

        with pytest.raises(ValueError, match="down"):
            await any_cache.get_or_fetch(KEY, NUMBER, origin.fetch)


def _frames(error: BaseException):
    trace = error.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next
