"""The small parts: what is owed to Redis, who may store, what is fetched, and what is imported when."""

import subprocess
import sys
from collections import Counter

import pytest

from shared.cache.entries import Absent, Fetched
from shared.cache.keys import CacheKey
from shared.cache.redis_debts import Debts
from shared.cache.revocation import Revocations

KEY, OTHER = CacheKey("q", ("1",)), CacheKey("q", ("2",))


def test_nothing_of_redis_is_imported_without_redis():
    """A cache in memory neither needs nor loads the library; with Redis it is loaded by the first use."""
    code = """
import asyncio, sys
from shared.cache.backend import CacheBackend
from shared.cache.config import CacheConfig, RedisConfig
from shared.cache.codec import Codec
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey

async def main():
    memory = CacheBackend.from_config(CacheConfig())
    await memory.put(CacheKey("a"), Codec(int), Fetched(1, 60))
    await memory.health_check()
    CacheBackend.from_config(CacheConfig(redis=RedisConfig(host="127.0.0.1", port=1)))
    print([name for name in ("redis", "azure") if name in sys.modules])

asyncio.run(main())
"""
    run = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


def test_debts_of_a_namespace_cover_its_keys():
    """What is owed is not believed: the key, or everything in the namespace."""
    debts = Debts(Counter())
    assert not debts.on(KEY)

    debts.add(KEY)
    assert (debts.on(KEY), debts.on(OTHER)) == (True, False)
    debts.add("q")
    assert (debts.on(KEY), debts.on(OTHER), debts.on(CacheKey("r"))) == (True, True, False)


def test_debt_that_was_renewed_stays():
    """A delete that came while the first one was on its way was not part of it."""
    debts = Debts(Counter())
    debts.add(KEY)
    on_the_way = debts.oldest()
    debts.add(KEY)

    debts.paid(on_the_way)
    assert debts.on(KEY)
    debts.paid(debts.of(KEY))
    assert not debts.on(KEY)


def test_debts_are_bounded():
    """The oldest are given up, and that is counted."""
    counters: Counter[str] = Counter()
    debts = Debts(counters)
    for number in range(10_010):
        debts.add(CacheKey("q", (str(number),)))

    assert len(debts) == 10_000
    assert counters["invalidations_lost"] == 10
    assert len(debts.oldest()) < 1000


def test_tickets_are_revoked_by_key_and_namespace():
    """All readings under way for the key; those that begin later are not concerned."""
    revocations = Revocations()
    with revocations.watch(KEY) as one, revocations.watch(KEY) as two, revocations.watch(OTHER) as other:
        revocations.revoke(KEY)
        assert (one.revoked, two.revoked, other.revoked) == (True, True, False)
        with revocations.watch(KEY) as later:
            assert not later.revoked
            revocations.revoke_namespace("q")
            assert (later.revoked, other.revoked) == (True, True)

    assert len(revocations) == 0


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_times_are_finite(seconds):
    """A time that is none would be kept for ever or never."""
    with pytest.raises(ValueError, match="seconds"):
        Fetched(1, seconds)
    with pytest.raises(ValueError, match="seconds"):
        Fetched(1, 1, seconds)
    with pytest.raises(ValueError, match="seconds"):
        Absent("x", fresh_s=seconds)
