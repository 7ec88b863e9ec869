"""Credentials are asked for once, renewed in time, and shown to nobody."""

import asyncio
import base64
import json
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from shared.cache.config import CacheConfig, Credential, RedisConfig
from shared.cache.entra import entra_credentials
from shared.cache.redis_client import Tokens, open_client
from shared.clock import SYSTEM_CLOCK
from tests.unit.fakes.clock import FakeClock


@pytest.fixture
def time() -> FakeClock:
    return FakeClock()


class Source:
    """Counts; answers when ``gate`` is open."""

    def __init__(self, time: FakeClock, life: timedelta | None = timedelta(hours=1)) -> None:
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self._time, self._life = time, life

    async def __call__(self) -> Credential:
        self.asked += 1
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return Credential("me", f"token-{self.asked}", self._life and self._time.moment + self._life)


async def test_one_token_for_all_connections(time):
    """Twenty connections opened at once ask once."""
    source = Source(time)
    tokens = Tokens(source, time.clock)

    got = await asyncio.gather(*[tokens.current() for _ in range(20)])

    assert {credential.password for credential in got} == {"token-1"}


async def test_token_is_renewed_before_its_end(time):
    """Five minutes before, not earlier."""
    source = Source(time)
    tokens = Tokens(source, time.clock)
    await tokens.current()

    time.advance(54 * 60)
    assert (await tokens.current()).password == "token-1"
    time.advance(2 * 60)
    assert (await tokens.current()).password == "token-2"


async def test_token_without_end_is_kept(time):
    """A password does not expire."""
    source = Source(time, life=None)
    tokens = Tokens(source, time.clock)
    await tokens.current()
    time.advance(10**7)
    await tokens.current()

    assert source.asked == 1


async def test_slow_token_is_there_for_the_next_call(time):
    """The call that needed it ran out of time; the request for the token went on."""
    source = Source(time)
    source.gate.clear()
    tokens = Tokens(source, time.clock)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(tokens.current(), 0.01)

    source.gate.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert (await tokens.current()).password == "token-1"
    assert source.asked == 1


async def test_failing_source_is_asked_again(time):
    """Its error is raised to who needed the token; the next asks anew."""
    source = Source(time)
    source.failure = OSError("no identity endpoint")
    tokens = Tokens(source, time.clock)
    with pytest.raises(OSError, match="identity"):
        await tokens.current()

    source.failure = None
    assert (await tokens.current()).password == "token-2"


async def test_entra_credential_is_asked_beside_the_loop():
    """The user is the token's object id; the blocking call runs in a thread."""
    claims = base64.urlsafe_b64encode(json.dumps({"oid": "object-1", "x": "ü?>"}).encode()).rstrip(b"=").decode()
    asked = []

    def get_token(*scopes: str) -> SimpleNamespace:
        asked.append((scopes, threading.current_thread() is threading.main_thread()))
        return SimpleNamespace(token=f"h.{claims}.s", expires_on=1_800_000_000)

    credential = await entra_credentials(SimpleNamespace(get_token=get_token))()

    assert asked == [(("https://redis.azure.com/.default",), False)]
    assert credential.username == "object-1"
    assert credential.password == f"h.{claims}.s"
    assert credential.expires_at == datetime.fromtimestamp(1_800_000_000, UTC)


async def test_password_is_shown_by_nothing():
    """Not by the configuration, nor by client, pool and provider, down to their attributes."""
    config = RedisConfig(host="redis.example", username="app", password="planted-pw", ssl=True)
    client = await open_client(config, SYSTEM_CLOCK)
    pool = client.connection_pool
    provider = pool.connection_kwargs["credential_provider"]

    shown = [
        config,
        CacheConfig(redis=config),
        client,
        pool,
        pool.connection_kwargs,
        vars(provider),
        Credential("u", "planted-pw"),
    ]
    await client.aclose()

    assert "planted-pw" not in "\n".join(map(repr, shown))


@pytest.mark.parametrize("settings", [{"max_entries": 0}, {"jitter": 1.0}, {"early_refresh_ratio": -0.1}])
def test_impossible_configuration_is_refused(settings):
    """Neither memory nor Redis; shares that are none."""
    with pytest.raises(ValueError, match=r"memory or Redis|shares"):
        CacheConfig(**settings)
