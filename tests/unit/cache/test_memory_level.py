"""The memory level holds no more than it may, and nothing that is dead."""

import math
import tracemalloc
from datetime import UTC, date, datetime, timedelta

import pytest

from shared.cache.codec import Codec
from shared.cache.entries import Entry
from shared.cache.keys import CacheKey
from shared.cache.memory_level import MemoryLevel
from shared.market.types import Bar, History, Quote
from tests.unit.fakes.clock import FakeClock


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


@pytest.fixture
def make(time):
    def make(*, max_entries=3, max_bytes=10**9, trust_s=math.inf, early_ratio=0.0) -> MemoryLevel:
        return MemoryLevel(
            max_entries=max_entries, max_bytes=max_bytes, trust_s=trust_s, early_ratio=early_ratio, clock=time.clock
        )

    return make


def entry(time: FakeClock, *, fresh_s: float = 60, stale_s: float = 0, payload: bytes = b"[1]", value=1) -> Entry:
    now = time.moment.timestamp()
    return Entry("s", now, now + fresh_s, now + fresh_s + stale_s, negative=False, payload=payload, value=value)


def key(number: int, namespace: str = "q") -> CacheKey:
    return CacheKey(namespace, (str(number),))


def test_least_recently_used_goes_first(make, time):
    """What was asked for stays."""
    level = make()
    for number in range(3):
        level.put(key(number), entry(time))
    level.get(key(0))

    level.put(key(3), entry(time))

    assert [level.get(key(number)) is not None for number in range(4)] == [True, False, True, True]


def test_bytes_are_bounded(make, time):
    """A hundred values of 10 kB do not fit into 200 kB."""
    level = make(max_entries=10_000, max_bytes=200_000)
    for number in range(100):
        level.put(key(number), entry(time, payload=b"x" * 10_000))

    assert 0 < len(level) <= 6
    assert level.size <= 200_000


def test_one_value_does_not_push_out_everything(make, time):
    """What would take more than a quarter is not kept."""
    level = make(max_bytes=100_000)
    level.put(key(1), entry(time))

    level.put(key(2), entry(time, payload=b"x" * 30_000))

    assert (level.get(key(1)) is not None, level.get(key(2))) == (True, None)


def test_million_keys_are_bounded(make, time):
    """However many are written, no table grows: not the entries, not the namespaces, not the order of deaths."""
    level = make(max_entries=1000)
    value = entry(time)
    for number in range(200_000):
        level.put(CacheKey(f"user:{number}"), value)

    assert len(level) == len(level._by_namespace) == 1000
    assert len(level._deaths) <= 2 * 1000 + 65


def test_rewriting_one_key_leaves_nothing_behind(make, time):
    """Neither memory nor deaths that were put off."""
    level = make()
    for _ in range(10_000):
        level.put(key(1), entry(time))

    assert len(level._deaths) <= 70
    level.discard(key(1))
    assert (len(level), level.size, level._by_namespace) == (0, 0, {})


def test_dead_entries_go_without_being_asked_for(make, time):
    """The next write, of whatever key, takes them away."""
    level = make(max_entries=1000)
    for number in range(500):
        level.put(key(number), entry(time, fresh_s=10, stale_s=10))
    time.advance(19)
    level.put(key(1000), entry(time))
    assert len(level) == 501

    time.advance(1.1)
    level.put(key(1001), entry(time))

    assert len(level) == 2


def test_rewritten_entry_does_not_die_the_first_death(make, time):
    """Only the entry that a death belongs to goes with it."""
    level = make()
    level.put(key(1), entry(time, fresh_s=10))
    time.advance(5)
    level.put(key(1), entry(time, fresh_s=10))

    time.advance(6)
    level.sweep()

    assert len(level) == 1


def test_namespaces_go_together(make, time):
    """And no other."""
    level = make(max_entries=10)
    for number in range(3):
        level.put(key(number, "user:1"), entry(time))
        level.put(key(number, "user:12"), entry(time))

    level.discard_namespace("user:1")
    level.discard_namespace("unknown")

    assert [level.get(key(number, "user:1")) for number in range(3)] == [None] * 3
    assert len(level) == 3


def test_times_do_not_follow_the_date(make, time):
    """When the machine's date is set back, nothing lives longer."""
    level = make()
    level.put(key(1), entry(time, fresh_s=60))
    time.moment -= timedelta(days=1)

    held = level.get(key(1))

    assert held.fresh_until == pytest.approx(time.seconds + 60)


def test_check_comes_before_the_end_and_the_trust(make, time):
    """A hit is looked at again when it is due for a refresh, or for a word with the other level."""
    early = make(early_ratio=0.1)
    early.put(key(1), entry(time, fresh_s=60))
    assert early.get(key(1)).check_at == pytest.approx(time.seconds + 54)

    trusting = make(trust_s=5)
    trusting.put(key(1), entry(time, fresh_s=60))
    held = trusting.get(key(1))
    assert held.check_at == time.seconds + 5
    time.advance(5)
    trusting.confirm(held)
    assert held.check_at == time.seconds + 5
    trusting.distrust()
    assert held.check_at == 0


@pytest.mark.parametrize("what", ["quotes", "histories"])
def test_estimate_covers_what_is_used(make, time, what):
    """The size that is counted is not below what the values take, nor three times above."""
    moment = datetime(2026, 6, 12, tzinfo=UTC)
    day = date(2026, 6, 12)
    bars = tuple(Bar(day - timedelta(i), 1.5 + i, 2.25 + i, 3.125 + i, 4.5 + i, 5.5 + i, 10**8 + i) for i in range(250))
    codec, value, count = {
        "quotes": (Codec(Quote), Quote("AAPL", "Apple Inc.", 430.47, "USD", moment, "yahoo", 1.5, 2.5, 3.5), 500),
        "histories": (Codec(History), History("AAPL", "Apple", "USD", "1d", bars, moment, "yahoo"), 50),
    }[what]
    payload = codec.encode(value)
    codec.decode(payload)
    level = make(max_entries=1000)

    tracemalloc.start()
    for number in range(count):
        # A copy: equal slices of one object would share their memory.
        own = bytes(bytearray(payload))
        level.put(key(number), entry(time, payload=own, value=codec.decode(own)))
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert used <= level.size <= 3 * used
