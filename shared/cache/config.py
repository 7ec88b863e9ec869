"""What the cache must be told; the app fills it from its settings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Credential:
    """``username`` None is Redis' default user. ``expires_at`` (aware) None means that it does not expire."""

    username: str | None
    password: str = field(repr=False)
    expires_at: datetime | None = None


type CredentialSource = Callable[[], Awaitable[Credential]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisConfig:
    """One server, or one endpoint that hides several. ``credentials`` (Entra ID) replaces username and password.

    ``call_s`` bounds a call in all, waiting for a connection included, ``warm_s`` the one that ``warm`` makes; slower
    than ``slow_s`` counts as a failure. ``open_s`` to ``max_open_s`` is how long a failing server is left alone,
    ``refused_s`` how long one that refuses the credentials. Values over ``max_value_bytes`` are not stored.
    """

    host: str
    port: int = 6379
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    credentials: CredentialSource | None = field(default=None, repr=False)
    ssl: bool = False
    ca_file: str | None = None
    prefix: str = "sa:"
    max_connections: int = 20
    call_s: float = 0.25
    warm_s: float = 5.0
    slow_s: float = 0.2
    open_s: float = 1.0
    max_open_s: float = 5.0
    refused_s: float = 60.0
    max_value_bytes: int = 4_000_000

    def __post_init__(self) -> None:
        if self.credentials is not None and not self.ssl:
            raise ValueError("Entra credentials are only sent over TLS: set ssl")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheConfig:
    """``max_entries`` 0 means no memory level; ``redis`` None means no Redis level; at least one is needed.

    ``local_s`` is how long a value is served from memory before Redis is asked again, which bounds how late an
    invalidation elsewhere is seen. ``failure_hold_s`` is how long a failed fetch is not tried again. A lease is kept
    alive while its fetch runs, for ``fetch_s`` at most; ``lease_s`` is how soon the death of its holder is noticed and
    ``wait_s`` how long others wait for a holder that lives.
    """

    redis: RedisConfig | None = None
    max_entries: int = 10_000
    max_bytes: int = 64_000_000
    local_s: float = 5.0
    jitter: float = 0.1
    early_refresh_ratio: float = 0.1
    failure_hold_s: float = 2.0
    fetch_s: float = 30.0
    lease_s: float = 2.0
    wait_s: float = 10.0

    def __post_init__(self) -> None:
        if self.redis is None and self.max_entries == 0:
            raise ValueError("a cache needs memory or Redis")
        if not (0 <= self.jitter < 1 and 0 <= self.early_refresh_ratio < 1):
            raise ValueError("jitter and early_refresh_ratio are shares of the fresh time, from 0 to below 1")
