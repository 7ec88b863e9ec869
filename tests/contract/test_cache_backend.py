"""What every cache must do, whatever levels it has: memory, Redis, and memory in front of Redis."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

import pytest

from shared.cache.codec import Codec
from shared.cache.config import CacheConfig
from shared.cache.entries import Absent, Fetched, OriginFailed
from shared.cache.keys import CacheKey
from shared.cache.layered import LayeredCache
from shared.market.types import Bar, Fundamentals, History, Instrument, NewsItem, Quote, Split
from tests.unit.fakes.clock import FakeClock

pytest_plugins = ["tests.doubles.redis_fixtures"]

NOW = datetime(2026, 6, 12, 18, 59, 30, 123456, tzinfo=UTC)
QUOTE = Quote("AAPL", "Apple", 430.47, "USD", NOW, "yahoo", change_percent=-2.48, market_state="open")
KEY = CacheKey("quote", ("AAPL",))
CODEC = Codec(Quote)
NUMBER = Codec(int)

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


class Origin:
    """Counts its fetches; holds them while ``gate`` is closed; fails with ``failure``."""

    def __init__(self, value: object = 1, fresh_s: float = 60, stale_s: float = 0) -> None:
        self.value, self.fresh_s, self.stale_s = value, fresh_s, stale_s
        self.failure: BaseException | None = None
        self.fetches = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()

    async def fetch(self) -> Fetched:
        self.fetches += 1
        value = self.value
        self.entered.set()
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return Fetched(value, self.fresh_s, self.stale_s)


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "redis", "two levels"])
def make(request, time, build_cache) -> Callable[..., LayeredCache]:
    if request.param == "memory":
        return lambda **settings: build_cache(CacheConfig(**{"jitter": 0.0, **settings}), time.clock)
    make_cache = request.getfixturevalue("make_cache")
    levels = {"max_entries": 0} if request.param == "redis" else {}
    return partial(make_cache, clock=time.clock, **levels)


@pytest.fixture
def cache(make) -> LayeredCache:
    return make()


def idle(cache: LayeredCache) -> bool:
    return len(cache._flights) == 0 and len(cache._revocations) == 0


async def settled(cache: LayeredCache) -> None:
    while len(cache._flights._flights):
        await asyncio.sleep(0.001)


class TestValues:
    @pytest.mark.parametrize("name", VALUES)
    async def test_hit_and_miss_return_the_same(self, cache, name):
        """A miss and a hit are equal, of the same types down to the last field, and aware where the value was."""
        codec, value = VALUES[name]
        origin = Origin(value)

        miss = await cache.get_or_fetch(KEY, codec, origin.fetch)
        hit = await cache.get_or_fetch(KEY, codec, origin.fetch)

        assert (miss.value, hit.value, origin.fetches) == (value, value, 1)
        assert repr(miss.value) == repr(hit.value)
        assert (miss.level, miss.stale, hit.stale) == ("origin", False, False)
        assert hit.level in {"memory", "redis"}
        assert miss.created_at == hit.created_at == datetime(2026, 6, 12, 19, 0, tzinfo=UTC)
        assert hit.created_at.utcoffset() == timedelta(0)

    @pytest.mark.parametrize("name", FALSY)
    async def test_falsy_values_are_cached(self, cache, name):
        """A hundred reads of nothing are one fetch."""
        value = FALSY[name]
        codec = Codec(type(value))
        origin = Origin(value)

        answers = [await cache.get_or_fetch(KEY, codec, origin.fetch) for _ in range(100)]

        assert all(answer.value == value and type(answer.value) is type(value) for answer in answers)
        assert origin.fetches == 1

    async def test_mutable_values_are_the_callers_own(self, cache):
        """Whoever changes what he got changes it for nobody else."""
        codec = Codec(dict[str, list[int]])
        origin = Origin({"a": [1]})
        answers = await asyncio.gather(*[cache.get_or_fetch(KEY, codec, origin.fetch) for _ in range(3)])
        answers.append(await cache.get_or_fetch(KEY, codec, origin.fetch))

        for answer in answers:
            assert answer.value == {"a": [1]}
            answer.value["a"].append(2)

        assert (await cache.get_or_fetch(KEY, codec, origin.fetch)).value == {"a": [1]}
        assert origin.fetches == 1

    @pytest.mark.parametrize("value", ["not a quote", None, replace(QUOTE, value=None)])
    async def test_value_that_cannot_be_cached_is_served(self, cache, value):
        """A value of another type than promised goes to the callers and is not kept."""
        origin = Origin(value)

        answers = await asyncio.gather(*[cache.get_or_fetch(KEY, CODEC, origin.fetch) for _ in range(3)])

        assert [answer.value for answer in answers] == [value] * 3
        assert await cache.get(KEY, CODEC) is None
        assert cache.counters["unencodable"] == 1

    async def test_value_without_a_life_is_not_kept(self, cache):
        """Zero seconds: whoever waits gets it, the next fetches again."""
        origin = Origin(1, fresh_s=0)

        await asyncio.gather(*[cache.get_or_fetch(KEY, NUMBER, origin.fetch) for _ in range(3)])
        assert origin.fetches == 1
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        assert origin.fetches == 2

    async def test_other_type_under_the_same_key_is_a_miss(self, cache):
        """What a program with another idea of the type has stored is fetched anew."""
        await cache.put(KEY, NUMBER, Fetched(1, 60))

        answer = await cache.get_or_fetch(KEY, CODEC, Origin(QUOTE).fetch)

        assert answer.value == QUOTE
        assert await cache.get(KEY, NUMBER) is None


class TestTime:
    async def test_fresh_until_its_time(self, cache, time):
        """Served for its seconds and not for one more."""
        origin = Origin(1, fresh_s=60)
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)

        time.advance(53)
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        assert origin.fetches == 1
        time.advance(7.1)
        assert await cache.get(KEY, NUMBER) is None
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        assert origin.fetches == 2

    async def test_jitter_is_a_tenth_of_the_time(self, make, time):
        """All live for 90 %, none for more than 110 %, and they do not end together."""
        cache = make(jitter=0.1)
        keys = [CacheKey("quote", (str(number),)) for number in range(40)]
        for key in keys:
            await cache.put(key, NUMBER, Fetched(1, 60))

        left = []
        for seconds in (53.9, 6.1, 6.1):
            time.advance(seconds)
            left.append(sum([await cache.get(key, NUMBER) is not None for key in keys]))

        assert left[0] == 40
        assert 0 < left[1] < 40
        assert left[2] == 0

    async def test_refreshed_early_without_waiting(self, cache, time):
        """Shortly before the end one caller's hit starts one fetch; all callers are served meanwhile."""
        origin = Origin(1, fresh_s=60)
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        time.advance(57)
        origin.value = 2
        origin.gate.clear()

        hits = [(await cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value for _ in range(20)]
        await asyncio.wait_for(origin.entered.wait(), 1)
        hits += [(await cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value for _ in range(20)]
        origin.gate.set()
        await settled(cache)

        assert hits == [1] * 40
        assert origin.fetches == 2
        time.advance(10)
        assert (await cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value == 2
        assert origin.fetches == 2

    async def test_failed_refresh_is_not_repeated_at_once(self, cache, time):
        """The value is served to its end; the origin is left alone for a moment."""
        origin = Origin(1, fresh_s=60)
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        time.advance(57)
        origin.failure = ValueError("down")

        for _ in range(10):
            answer = await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
            await settled(cache)
            assert (answer.value, answer.stale) == (1, False)

        assert origin.fetches == 2


class TestSharing:
    async def test_callers_share_one_fetch(self, cache):
        """Fifty callers at once are one fetch, and leave nothing behind."""
        origin = Origin(QUOTE)

        answers = await asyncio.gather(*[cache.get_or_fetch(KEY, CODEC, origin.fetch) for _ in range(50)])

        assert {answer.value for answer in answers} == {QUOTE}
        assert origin.fetches == 1
        assert idle(cache)

    async def test_hit_does_not_wait_for_another_key(self, cache):
        """A fetch under way holds up nobody who can be served."""
        slow = Origin(2)
        slow.gate.clear()
        await cache.put(KEY, NUMBER, Fetched(1, 60))
        waiting = asyncio.create_task(cache.get_or_fetch(CacheKey("quote", ("B",)), NUMBER, slow.fetch))
        await slow.entered.wait()

        assert (await cache.get_or_fetch(KEY, NUMBER, slow.fetch)).value == 1
        slow.gate.set()
        assert (await waiting).value == 2

    async def test_same_id_in_two_namespaces_is_two_keys(self, cache):
        """Neither value nor flight is shared."""
        origin = Origin(1)

        await asyncio.gather(
            cache.get_or_fetch(CacheKey("quote", ("A",)), NUMBER, origin.fetch),
            cache.get_or_fetch(CacheKey("report", ("A",)), NUMBER, origin.fetch),
        )

        assert origin.fetches == 2

    async def test_cancelled_caller_leaves_the_fetch_to_others(self, cache):
        """The first who asked goes; the second gets his answer from the same fetch."""
        origin = Origin(1)
        origin.gate.clear()
        first = asyncio.create_task(cache.get_or_fetch(KEY, NUMBER, origin.fetch))
        await origin.entered.wait()
        second = asyncio.create_task(cache.get_or_fetch(KEY, NUMBER, origin.fetch))
        await asyncio.sleep(0.01)

        first.cancel()
        origin.gate.set()

        assert (await second).value == 1
        assert first.cancelled() or first.cancelling()
        assert origin.fetches == 1

    async def test_fetch_without_callers_is_stored(self, cache):
        """Nobody waits any more; the next one profits."""
        origin = Origin(1)
        origin.gate.clear()
        caller = asyncio.create_task(cache.get_or_fetch(KEY, NUMBER, origin.fetch))
        await origin.entered.wait()
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)

        origin.gate.set()
        await settled(cache)

        assert (await cache.get(KEY, NUMBER)).value == 1

    async def test_many_keys_leave_no_locks(self, cache):
        """A thousand keys were asked for; no table remembers that."""
        origin = Origin(1)

        await asyncio.gather(
            *[cache.get_or_fetch(CacheKey("q", (str(number),)), NUMBER, origin.fetch) for number in range(1000)]
        )

        assert idle(cache)


class TestFailure:
    async def test_failure_is_shared_and_held(self, make, time):
        """Twenty callers at once and twenty after them: one fetch, the same error for all; later it is tried again."""
        cache = make(failure_hold_s=2)
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

    async def test_held_failure_is_forgotten(self, make, time):
        """After the pause the origin is asked again; idle tables are empty by themselves."""
        cache = make(failure_hold_s=0.05)
        origin = Origin()
        origin.failure = ValueError("down")
        with pytest.raises(ValueError, match="down"):
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        assert not idle(cache)

        await asyncio.sleep(0.08)

        assert idle(cache)
        origin.failure = None
        assert (await cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value == 1

    async def test_old_value_stands_in(self, make, time):
        """When the origin fails, the old value is served and marked, once its fetch has failed without asking again."""
        cache = make(failure_hold_s=2)
        origin = Origin(1, fresh_s=60, stale_s=600)
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        time.advance(61)
        origin.failure = ValueError("down")

        answers = await asyncio.gather(*[cache.get_or_fetch(KEY, NUMBER, origin.fetch) for _ in range(10)])
        answers += [await cache.get_or_fetch(KEY, NUMBER, origin.fetch) for _ in range(10)]

        assert {(answer.value, answer.stale) for answer in answers} == {(1, True)}
        assert all(answer.created_at == datetime(2026, 6, 12, 19, 0, tzinfo=UTC) for answer in answers)
        assert origin.fetches == 2
        assert await cache.get(KEY, NUMBER) is None

    async def test_old_value_stands_in_for_its_time_only(self, cache, time):
        """Past its second limit the failure is raised."""
        origin = Origin(1, fresh_s=60, stale_s=600)
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        origin.failure = ValueError("down")

        time.advance(661)

        with pytest.raises(ValueError, match="down"):
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)

    async def test_endless_fetch_is_ended(self, make):
        """A fetch that never returns does not block its key for ever."""
        cache = make(fetch_s=0.05)
        origin = Origin()
        origin.gate.clear()

        with pytest.raises(OriginFailed):
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)

    @pytest.mark.parametrize("failure", [TimeoutError("its own"), KeyError("x"), ExceptionGroup("g", [OSError()])])
    async def test_errors_of_the_origin_are_its_own(self, cache, failure):
        """Whatever the fetch raised is what the caller sees."""
        origin = Origin()
        origin.failure = failure

        with pytest.raises(type(failure)) as raised:
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)

        assert raised.value is failure

    async def test_cancellation_inside_the_fetch_is_a_failure(self, cache):
        """The callers were not cancelled and must not believe it."""
        origin = Origin()
        origin.failure = asyncio.CancelledError()

        with pytest.raises(OriginFailed):
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)


class TestAbsence:
    async def test_absence_is_cached_like_a_value(self, cache, time):
        """Hit and miss raise the same; after its own seconds the origin is asked again."""
        origin = Origin()
        origin.failure = Absent("no such symbol: \ud800", fresh_s=30)

        async def ask() -> tuple[str, float]:
            with pytest.raises(Absent) as raised:
                await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
            return raised.value.detail, raised.value.fresh_s

        answers = await asyncio.gather(*[ask() for _ in range(5)])
        answers += [await ask() for _ in range(5)]

        assert set(answers) == {("no such symbol: \ud800", 30)}
        assert origin.fetches == 1
        with pytest.raises(Absent):
            await cache.get(KEY, NUMBER)
        time.advance(31)
        origin.failure = None
        assert (await cache.get_or_fetch(KEY, NUMBER, origin.fetch)).value == 1

    async def test_absence_replaces_an_old_value(self, cache, time):
        """That there is no such thing any more is an answer, not a failure."""
        origin = Origin(1, fresh_s=60, stale_s=600)
        await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        time.advance(61)
        origin.failure = Absent("gone", fresh_s=30)

        for _ in range(2):
            with pytest.raises(Absent):
                await cache.get_or_fetch(KEY, NUMBER, origin.fetch)

        assert origin.fetches == 2

    async def test_old_absence_does_not_stand_in(self, cache, time):
        """A failing origin says nothing; neither does what it said before."""
        origin = Origin()
        origin.failure = Absent("none", fresh_s=30)
        with pytest.raises(Absent):
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)
        time.advance(31)
        origin.failure = ValueError("down")

        with pytest.raises(ValueError, match="down"):
            await cache.get_or_fetch(KEY, NUMBER, origin.fetch)


class TestWrites:
    async def test_put_then_get(self, cache):
        """What was put is what is found."""
        assert await cache.get(KEY, CODEC) is None
        await cache.put(KEY, CODEC, Fetched(QUOTE, 60))

        assert (await cache.get(KEY, CODEC)).value == QUOTE

    async def test_put_of_what_is_not_kept_deletes(self, cache):
        """The old value is gone all the same."""
        await cache.put(KEY, NUMBER, Fetched(1, 60))
        await cache.put(KEY, NUMBER, Fetched(2, 0))

        assert await cache.get(KEY, NUMBER) is None

    async def test_delete(self, cache):
        """Only the key itself is forgotten."""
        other = CacheKey("quote", ("AAPL", "profile"))
        for key in (KEY, other):
            await cache.put(key, NUMBER, Fetched(1, 60))

        await cache.delete(KEY)

        assert await cache.get(KEY, NUMBER) is None
        assert (await cache.get(other, NUMBER)).value == 1

    async def test_invalidate_forgets_a_namespace(self, cache):
        """All keys of the namespace, none of another whose name begins alike."""
        mine = [CacheKey("user:1", parts) for parts in ((), ("profile",), ("list", "*"), ("list", "2"))]
        others = [CacheKey("user:12"), CacheKey("user"), CacheKey("user:1:profile"), CacheKey("user", ("1",))]
        for key in mine + others:
            await cache.put(key, NUMBER, Fetched(1, 60))

        await cache.invalidate("user:1")

        assert [await cache.get(key, NUMBER) for key in mine] == [None] * 4
        assert all([await cache.get(key, NUMBER) for key in others])

    async def test_namespace_works_after_invalidation(self, cache):
        """It may be filled and invalidated again and again."""
        for value in range(3):
            await cache.put(KEY, NUMBER, Fetched(value, 60))
            assert (await cache.get(KEY, NUMBER)).value == value
            await cache.invalidate("quote")
            assert await cache.get(KEY, NUMBER) is None

    @pytest.mark.parametrize("write", ["delete", "invalidate", "put"])
    async def test_late_fill_is_refused(self, cache, write):
        """A fetch that read before the write is not stored after it, nor given to who asks after it."""
        origin = Origin("old")
        codec = Codec(str)
        origin.gate.clear()
        early = asyncio.create_task(cache.get_or_fetch(KEY, codec, origin.fetch))
        await origin.entered.wait()

        origin.value = "new"
        match write:
            case "delete":
                await cache.delete(KEY)
            case "invalidate":
                await cache.invalidate("quote")
            case "put":
                await cache.put(KEY, codec, Fetched("new", 60))
        late = asyncio.create_task(cache.get_or_fetch(KEY, codec, origin.fetch))
        await asyncio.sleep(0.05)
        origin.gate.set()

        assert (await early).value == "old"
        assert (await late).value == "new"
        assert (await cache.get_or_fetch(KEY, codec, origin.fetch)).value == "new"
        assert origin.fetches == (1 if write == "put" else 2)
        assert idle(cache)

    @pytest.mark.parametrize("part", ["*", ":", "a:b", "\n", "{x}", "\ud800", "", "%2A", "#", "é" * 1_000_000])
    async def test_parts_may_be_any_text(self, cache, part):
        """Whatever users put into a key names exactly one value."""
        key, other = CacheKey("search", (part,)), CacheKey("search", (part, ""))
        await cache.put(key, NUMBER, Fetched(1, 60))

        assert (await cache.get(key, NUMBER)).value == 1
        assert await cache.get(other, NUMBER) is None
        assert await cache.get(CacheKey("search", ("other",)), NUMBER) is None


class TestLife:
    async def test_health(self, cache):
        """All levels are there, and the report shows no secret and no address."""
        healthy, details = await cache.health_check()

        assert (healthy, details["status"]) == (True, "ok")
        assert details["levels"]
        assert "127.0.0.1" not in str(details)

    async def test_close_ends_fetches(self, make):
        """Closing stops what is under way, and may be repeated."""
        cache = make()
        origin = Origin()
        origin.gate.clear()
        caller = asyncio.create_task(cache.get_or_fetch(KEY, NUMBER, origin.fetch))
        await origin.entered.wait()

        await cache.aclose()
        await cache.aclose()

        assert isinstance((await asyncio.gather(caller, return_exceptions=True))[0], asyncio.CancelledError)
        assert idle(cache)

    async def test_warm_does_not_raise(self, cache):
        """It is called at start, whatever is there."""
        await cache.warm()


def _frames(error: BaseException):
    trace = error.__traceback__
    while trace is not None:
        yield trace
        trace = trace.tb_next
