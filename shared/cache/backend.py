"""The cache as its callers see it: a value that may be old by a known number of seconds, or a fetch, or an error."""

import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import Any

from shared.cache.codec import Codec
from shared.cache.config import CacheConfig
from shared.cache.entries import Cached, Fetched
from shared.cache.keys import CacheKey
from shared.clock import SYSTEM_CLOCK, Clock


class CacheBackend(ABC):
    """Values by key, fetched once for all who ask at the same time.

    No method raises because a level of the cache fails: then values are fetched, and kept in this process. Losing the
    whole cache must cost nothing but time, so nothing may live only here. Objects that come back are immutable, or the
    caller's own copy.
    """

    @classmethod
    def from_config(
        cls, config: CacheConfig, *, clock: Clock = SYSTEM_CLOCK, rng: random.Random | None = None
    ) -> "CacheBackend":
        """Memory, Redis, or both as two levels, as ``config`` says. Connects and imports when first used."""
        from shared.cache.layered import LayeredCache

        return LayeredCache(config, clock=clock, rng=rng or random.Random())  # noqa: S311 - spreads load, no secret

    @abstractmethod
    async def get_or_fetch[T](
        self, key: CacheKey, codec: Codec[T], fetch: Callable[[], Awaitable[Fetched[T]]]
    ) -> Cached[T]:
        """The value under ``key``, fetched if it is missing or no longer fresh.

        Callers of all processes share one fetch as well as can be. ``fetch`` outlives the caller, who may be cancelled,
        and must not depend on the caller's deadline. Raises ``Absent`` if the origin said, now or lately, that there is
        no such thing. If the fetch fails, an old value stands in, marked stale, as long as its ``stale_s`` allows;
        else what ``fetch`` raised is raised to all who waited and, without another try, for ``failure_hold_s`` more.
        Other processes raise ``OriginFailed`` meanwhile.
        """

    @abstractmethod
    async def get[T](self, key: CacheKey, codec: Codec[T]) -> Cached[T] | None:
        """The value under ``key`` if it is fresh. Raises ``Absent`` as ``get_or_fetch``."""

    @abstractmethod
    async def put[T](self, key: CacheKey, codec: Codec[T], fetched: Fetched[T]) -> None:
        """Store a value, in every level. For data with one writer: two writers may store in another order than they
        wrote to the database, which ``delete`` after the write avoids. Fetches under way do not overwrite it."""

    @abstractmethod
    async def delete(self, key: CacheKey) -> None:
        """Forget ``key``, after the write that changed it. Fetches under way will not be stored, in any process."""

    @abstractmethod
    async def invalidate(self, namespace: str) -> None:
        """Forget every key of ``namespace``, for every process. Costs the same however many keys there are."""

    @abstractmethod
    async def health_check(self) -> tuple[bool, dict[str, Any]]:
        """False if a level that was configured does not work; the cache then works without it. Details are figures and
        states, no addresses."""

    @abstractmethod
    async def warm(self) -> None:
        """Connect ahead of the first request, with more patience than a request has. Does not raise."""

    @abstractmethod
    async def aclose(self) -> None:
        """Stop what is under way and disconnect. Idempotent."""
