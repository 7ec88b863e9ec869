"""Which namespace data belongs to, and the two ways to keep the cache in step with a write.

*Invalidate on write*: change the database, then ``delete`` the key or ``invalidate`` the namespace. Right whenever
there may be two writers; a fetch that read before the write is refused. *Write-through*: change the database, then
``put`` what was written. Right for data with one writer, such as what a timer computes. There is no write-behind: the
database always comes first. Namespaces are what is forgotten together, so whatever shows a user's data has the user's.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from shared.cache.backend import CacheBackend
from shared.cache.keys import CacheKey


def user_namespace(user_id: str) -> str:
    """Everything that is shown of one user: profile, lists, dashboard."""
    return f"user:{user_id}"


def workspace_namespace(workspace_id: str) -> str:
    """Everything that is shared within one workspace."""
    return f"workspace:{workspace_id}"


def user_key(user_id: str, *parts: str) -> CacheKey:
    return CacheKey(user_namespace(user_id), parts)


def workspace_key(workspace_id: str, *parts: str) -> CacheKey:
    return CacheKey(workspace_namespace(workspace_id), parts)


@asynccontextmanager
async def invalidating(cache: CacheBackend, *namespaces: str) -> AsyncGenerator[None]:
    """Around a write to the database: the namespaces are forgotten when it has ended, also if it raised, since a write
    whose acknowledgement was lost may have happened."""
    try:
        yield
    finally:
        for namespace in namespaces:
            await cache.invalidate(namespace)
