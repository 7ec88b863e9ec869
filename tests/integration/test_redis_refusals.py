"""A Redis that answers with errors is not down: reads go on, writes are dropped and counted, nobody is told off."""

import logging
import time

import pytest

from shared.cache.codec import Codec
from shared.cache.config import Credential, RedisConfig
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey
from shared.market.types import Quote
from tests.canaries import CANARIES, leaked
from tests.unit.fakes.clock import FakeClock

pytest_plugins = ["tests.doubles.redis_fixtures"]

NUMBER = Codec(int)
OLD, NEW = CacheKey("q", ("old",)), CacheKey("q", ("new",))
PASSWORD = CANARIES["REDIS_PASSWORD"]


async def seven() -> Fetched[int]:
    return Fetched(7, 60)


def out_of_memory(admin) -> None:
    admin.config_set("maxmemory", "1")


def read_only(admin) -> None:
    admin.execute_command("REPLICAOF", "127.0.0.1", "1")
    admin.config_set("replica-serve-stale-data", "yes")


def not_permitted(admin) -> None:
    admin.acl_setuser("default", enabled=True, nopass=True, categories=["-@all", "+@read", "+@connection"], keys=["*"])


def no_scripts(admin) -> None:
    admin.acl_setuser("default", enabled=True, nopass=True, categories=["+@all", "-@scripting"], keys=["*"])


@pytest.mark.parametrize("refusal", [out_of_memory, read_only, not_permitted, no_scripts], ids=lambda one: one.__name__)
async def test_reads_go_on_and_writes_are_dropped(make_cache, redis_server, refusal):
    """What is there is found; what is new is fetched, served, and counted; the breaker stays closed."""
    cache = make_cache(max_entries=0)
    await cache.put(OLD, NUMBER, Fetched(1, 60))
    admin = redis_server.admin

    refusal(admin)
    answers = [await cache.get_or_fetch(OLD, NUMBER, seven) for _ in range(5)]
    fetched = [await cache.get_or_fetch(NEW, NUMBER, seven) for _ in range(10)]

    assert {(answer.value, answer.level) for answer in answers} == {(1, "redis")}
    assert {(answer.value, answer.level) for answer in fetched} == {(7, "origin")}
    assert cache.counters["redis_refusals"] >= 10
    assert cache._redis.guard.breaker.opened == 0
    assert (await cache.health_check())[0]


@pytest.mark.parametrize("refusal", [read_only, not_permitted], ids=lambda one: one.__name__)
async def test_refused_delete_is_made_up_for(make_cache, redis_server, refusal):
    """What could not be deleted is not believed by us meanwhile, and deleted as soon as it can be."""
    clock = FakeClock()
    cache = make_cache(clock=clock.clock)
    await cache.put(OLD, NUMBER, Fetched(1, 600))
    admin = redis_server.admin

    refusal(admin)
    await cache.delete(OLD)
    assert await cache.get(OLD, NUMBER) is None
    assert (await cache.get_or_fetch(OLD, NUMBER, seven)).value == 7
    assert (await cache.health_check())[1]["redis"]["owed_invalidations"] == 1

    admin.execute_command("REPLICAOF", "NO", "ONE")
    admin.acl_setuser("default", enabled=True, nopass=True, categories=["+@all"], keys=["*"])
    clock.advance(1.1)
    assert await cache.get(NEW, NUMBER) is None
    assert (await cache.health_check())[1]["redis"]["owed_invalidations"] == 0
    assert await make_cache().get(OLD, NUMBER) is None


@pytest.mark.parametrize(
    "junk",
    [b"", b"junk", b"\xff\xfe\x00", b"null", b"{}", b"[]", b"0" * 16, b"0" * 24 + b"\n", b"\x80" * 100_000],
    ids=range(9),
)
@pytest.mark.parametrize("levels", [{}, {"max_entries": 0}], ids=["two levels", "redis"])
async def test_junk_is_a_miss_and_removed(make_cache, redis_server, junk, levels):
    """Bytes that we did not write are counted, deleted and fetched anew."""
    cache = make_cache(**levels)
    await cache.put(OLD, NUMBER, Fetched(1, 60))
    name = next(name for name in redis_server.names() if ":v:" in name)
    redis_server.admin.set(name, junk)

    reader = make_cache(**levels)
    assert await reader.get(OLD, NUMBER) is None
    assert reader.counters["poison"] == 1
    assert name not in redis_server.names()
    assert (await reader.get_or_fetch(OLD, NUMBER, seven)).value == 7
    assert (await make_cache(**levels).get(OLD, NUMBER)).value == 7


@pytest.mark.parametrize("part", [":v:", ":l:", ":n"], ids=["value", "lease", "version"])
async def test_wrong_type_is_a_miss_and_removed(make_cache, redis_server, part):
    """A list under any of our names blocks nothing."""
    cache = make_cache(max_entries=0)
    await cache.get_or_fetch(OLD, NUMBER, seven)
    kept = next(name for name in redis_server.names() if ":v:" in name)
    name = kept.replace(":v:", part) if part != ":n" else kept.split(":v:")[0] + ":n"
    redis_server.admin.delete(name)
    redis_server.admin.rpush(name, "junk")
    if part == ":l:":
        redis_server.admin.delete(kept)

    assert await cache.get(OLD, NUMBER) is None
    assert (await cache.get_or_fetch(OLD, NUMBER, seven)).level == "origin"
    assert (await cache.get_or_fetch(OLD, NUMBER, seven)).level == "redis"
    assert cache._redis.guard.breaker.opened == 0


async def test_entry_of_another_program_is_a_miss(make_cache, redis_server):
    """Another schema or wire version under the right name is removed."""
    cache = make_cache(max_entries=0)
    await cache.put(OLD, NUMBER, Fetched(1, 60))

    assert await cache.get(OLD, Codec(Quote)) is None
    assert cache.counters["poison"] == 1
    assert not any(":v:" in name for name in redis_server.names())


async def test_value_under_another_name_is_not_believed(make_cache, redis_server):
    """The check sum covers the key: a copy elsewhere is junk."""
    cache = make_cache(max_entries=0)
    await cache.put(OLD, NUMBER, Fetched(1, 60))
    name = next(name for name in redis_server.names() if ":v:" in name)
    redis_server.admin.copy(name, name.replace("old", "new"))

    assert await cache.get(NEW, NUMBER) is None
    assert cache.counters["poison"] == 1


async def test_too_large_a_value_is_not_stored(make_cache):
    """It is served and stays in this process."""
    cache = make_cache(redis={"max_value_bytes": 100})
    codec = Codec(str)

    async def large() -> Fetched[str]:
        return Fetched("x" * 1000, 60)

    await cache.get_or_fetch(OLD, codec, large)

    assert (await cache.get_or_fetch(OLD, codec, large)).level == "memory"
    assert await make_cache().get(OLD, codec) is None
    assert cache.counters["too_large"] == 1


async def test_wrong_password_is_not_tried_in_a_storm(make_cache, redis_server, caplog):
    """One refused try, then none for a minute; one line in the log, without the password."""
    clock = FakeClock()
    redis_server.admin.config_set("requirepass", PASSWORD)
    cache = make_cache(clock=clock.clock, redis={"password": "wrong-" + PASSWORD})
    await cache.warm()

    started = time.perf_counter()
    for number in range(50):
        assert (await cache.get_or_fetch(CacheKey("q", (str(number),)), NUMBER, seven)).value == 7
    clock.advance(59)
    await cache.get(NEW, NUMBER)

    assert time.perf_counter() - started < 0.5
    assert cache.counters["redis_credential_errors"] == 1
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert PASSWORD not in caplog.text

    clock.advance(2)
    redis_server.admin.config_set("requirepass", "wrong-" + PASSWORD)
    await cache.get(NEW, NUMBER)
    assert (await cache.health_check())[0]


@pytest.mark.parametrize("given", ["password", "user and password", "credentials"])
async def test_signs_in(make_cache, redis_server, given):
    """With a password, a user's password, or what a credential source gives."""
    admin = redis_server.admin
    admin.acl_setuser("app", enabled=True, passwords=["+" + PASSWORD], categories=["+@all"], keys=["*"])

    async def source() -> Credential:
        return Credential("app", PASSWORD)

    if given == "password":
        admin.config_set("requirepass", PASSWORD)
    options = {
        "password": {"password": PASSWORD},
        "user and password": {"username": "app", "password": PASSWORD},
        "credentials": {},
    }[given]
    cache = make_cache(redis=options)
    if given == "credentials":
        # Without TLS it is refused by the configuration; here the wire is this machine's own.
        object.__setattr__(cache._redis.guard._config, "credentials", source)

    await cache.put(OLD, NUMBER, Fetched(1, 60))

    assert (await cache.health_check())[0]
    assert admin.client_list()
    shown = f"{cache._config!r} {cache._redis.guard._client.connection_pool.connection_kwargs!r}"
    assert leaked(shown) == []


def test_credentials_need_tls():
    """A token is not sent in the clear."""

    async def source() -> Credential:
        raise NotImplementedError

    with pytest.raises(ValueError, match="TLS"):
        RedisConfig(host="x", credentials=source)
