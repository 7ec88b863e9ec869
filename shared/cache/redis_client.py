"""The one place that knows the redis library: a client with limits, and what its errors mean to us.

The library's defaults are an outage of their own: ten retries and five seconds per call, which makes a refused port
cost four seconds and a black hole a minute.
"""

import asyncio
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from shared.cache.config import Credential, CredentialSource, RedisConfig
from shared.clock import Clock

if TYPE_CHECKING:
    from redis.asyncio import Redis

type Blame = Literal["down", "refused", "credentials"]

# A load balancer forgets a connection that is idle for minutes, and then swallows what is sent on it.
_KEEPALIVE = {
    getattr(socket, name): value
    for name, value in {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}.items()
    if hasattr(socket, name)
}
# Renewed while the old one is still good, so that no connection has to wait for it.
_RENEW_BEFORE = timedelta(minutes=5)


async def open_client(config: RedisConfig, clock: Clock) -> "Redis":
    """Does not connect yet. The library takes a third of a second to import, which is done beside the loop."""
    await asyncio.to_thread(_load)
    return _client(config, clock)


def blame(error: Exception) -> Blame:
    """``refused``: the server answered, with an error. ``credentials``: it will not talk to us at all."""
    from redis import exceptions as redis

    # AuthenticationError is a ConnectionError; out of memory, read-only, no permission are ResponseErrors.
    if isinstance(error, redis.AuthenticationError | redis.AuthorizationError):
        return "credentials"
    return "refused" if isinstance(error, redis.ResponseError) else "down"


def _load() -> None:
    import redis.asyncio  # noqa: F401 - only to have it loaded


def _client(config: RedisConfig, clock: Clock) -> "Redis":
    from redis.asyncio import BlockingConnectionPool, Redis
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff
    from redis.maint_notifications import MaintNotificationsConfig

    tls: dict[str, Any] = {"ssl_ca_certs": config.ca_file} if config.ssl else {}
    pool = BlockingConnectionPool(
        connection_class=_connection_class(tls=config.ssl),
        host=config.host,
        port=config.port,
        db=config.db,
        credential_provider=_provider(config, clock),
        max_connections=config.max_connections,
        timeout=config.call_s,
        socket_timeout=config.call_s,
        socket_connect_timeout=config.call_s,
        socket_keepalive=True,
        socket_keepalive_options=_KEEPALIVE,
        retry=Retry(NoBackoff(), 0),
        # With maintenance notifications (the default of RESP3) the pool no longer drops connections on which an answer
        # to somebody else's question is left over.
        protocol=2,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        driver_info=None,
        **tls,
    )
    return Redis.from_pool(pool)


def _connection_class(*, tls: bool) -> Any:
    """Connections that notice when they were reset while idle; the library's own only notice an orderly end."""
    from redis import exceptions as redis
    from redis.asyncio import Connection, SSLConnection

    base: Any = SSLConnection if tls else Connection

    class IdleAware(base):  # type: ignore[misc]
        async def can_read(self) -> bool:
            if self._reader is not None and self._reader.exception() is not None:
                # The pool asks before each use, and connects anew after this.
                raise redis.ConnectionError("reset while idle")
            return bool(await super().can_read())

    return IdleAware


def _provider(config: RedisConfig, clock: Clock) -> Any:
    """Always a provider: a password in the pool's arguments would be shown by whatever prints them."""
    from redis.credentials import CredentialProvider

    class Provider(CredentialProvider):
        def __init__(self, tokens: Tokens) -> None:
            self._tokens = tokens

        async def get_credentials_async(self) -> tuple[str] | tuple[str, str]:
            credential = await self._tokens.current()
            return (credential.password,) if credential.username is None else (credential.username, credential.password)

    if config.credentials is not None:
        return Provider(Tokens(config.credentials, clock))
    if config.password is not None:
        return Provider(Tokens(_fixed(Credential(config.username, config.password)), clock))
    return None


def _fixed(credential: Credential) -> CredentialSource:
    async def source() -> Credential:
        return credential

    return source


class Tokens:
    """The credential of a source, asked for again shortly before it expires."""

    def __init__(self, source: CredentialSource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._known: Credential | None = None
        self._asking: asyncio.Future[Credential] | None = None

    async def current(self) -> Credential:
        known = self._known
        if known is None or (known.expires_at is not None and self._clock.now() > known.expires_at - _RENEW_BEFORE):
            known = await self._asked()
        return known

    async def _asked(self) -> Credential:
        # Not cancelled with the call that needed it: a slow token is there for the next call.
        if self._asking is None or self._asking.done():
            self._asking = asyncio.ensure_future(self._source())
            self._asking.add_done_callback(self._arrived)
        return await asyncio.shield(self._asking)

    def _arrived(self, asking: asyncio.Future[Credential]) -> None:
        if not asking.cancelled() and asking.exception() is None:
            self._known = asking.result()
