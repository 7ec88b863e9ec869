"""Over TLS, with the credentials of a managed identity in place of a password."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis.exceptions import RedisError

from shared.cache.codec import Codec
from shared.cache.config import CacheConfig, Credential, RedisConfig
from shared.cache.entries import Fetched
from shared.cache.keys import CacheKey
from shared.cache.redis_client import open_client
from shared.clock import SYSTEM_CLOCK
from tests.doubles.certificates import issue
from tests.doubles.redis_server import BINARY, MISSING, RedisServer

pytest_plugins = ["tests.doubles.redis_fixtures"]

KEY, NUMBER = CacheKey("q"), Codec(int)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return issue(tmp_path_factory.mktemp("tls"), ["localhost"])


@pytest.fixture(scope="module")
def tls_server(certificates):
    if BINARY is None:
        pytest.skip(MISSING)
    with RedisServer(certificates) as server:
        yield server


async def token() -> Credential:
    return Credential("object-id", "a-token", datetime.now(UTC) + timedelta(hours=1))


@pytest.fixture
def config(tls_server, certificates) -> RedisConfig:
    tls_server.admin.acl_setuser("object-id", enabled=True, passwords=["+a-token"], categories=["+@all"], keys=["*"])
    return RedisConfig(
        host="localhost", port=tls_server.tls_port, ssl=True, ca_file=str(certificates.ca_file), credentials=token
    )


async def test_token_over_tls(build_cache, tls_server, config):
    """The value is written by the user whose object id the token carries."""
    cache = build_cache(CacheConfig(redis=config, max_entries=0), SYSTEM_CLOCK)
    await cache.warm()

    await cache.put(KEY, NUMBER, Fetched(1, 60))

    assert (await cache.get(KEY, NUMBER)).value == 1
    assert "object-id" in {client["user"] for client in tls_server.admin.client_list()}
    assert cache.counters["redis_errors"] == cache.counters["redis_timeouts"] == 0


@pytest.mark.parametrize(
    ("mistake", "reason"), [("authority", "self-signed"), ("name", "Hostname mismatch"), ("no TLS", "Timeout")]
)
async def test_server_that_cannot_be_verified_gets_no_token(build_cache, tls_server, config, tmp_path, mistake, reason):
    """An unknown authority, another name, no TLS at all: the cache works without Redis, and sends nothing."""
    asked = []

    async def watched() -> Credential:
        asked.append(1)
        return await token()

    wrong = {
        "authority": {"ca_file": str(issue(tmp_path, ["localhost"]).ca_file)},
        "name": {"host": "127.1"},
        "no TLS": {"port": tls_server.port},
    }[mistake]
    wrong_config = replace(config, credentials=watched, **wrong)
    client = await open_client(wrong_config, SYSTEM_CLOCK)
    with pytest.raises(RedisError, match=reason):
        await client.ping()
    await client.aclose()
    cache = build_cache(CacheConfig(redis=wrong_config), SYSTEM_CLOCK)

    await cache.put(KEY, NUMBER, Fetched(1, 60))

    assert (await cache.get(KEY, NUMBER)).level == "memory"
    assert (await cache.health_check())[1]["status"] == "degraded"
    assert asked == []
