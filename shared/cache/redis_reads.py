"""Reads of one turn of the event loop travel together: thirty-two callers cost one round trip, not thirty-two."""

import asyncio
from collections.abc import Iterable, Sequence
from itertools import batched
from typing import TYPE_CHECKING

from shared.cache.redis_guard import RedisGuard, RedisLevelError

if TYPE_CHECKING:
    from redis.asyncio import Redis

type Found = tuple[bytes | None, bytes | None]
_PER_TRIP = 50


class RedisReads:
    """One MGET per turn for all pairs of names that were asked for, equal names once."""

    def __init__(self, guard: RedisGuard) -> None:
        self._guard = guard
        self._waiting: list[tuple[str, str, asyncio.Future[Found]]] = []
        self._trips: set[asyncio.Task[None]] = set()

    async def pair(self, first: str, second: str) -> Found:
        """What is under both names; None where nothing is, or no string. Raises ``RedisLevelError``."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Found] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._depart)
        self._waiting.append((first, second, future))
        return await future

    def _depart(self) -> None:
        waiting, self._waiting = self._waiting, []
        for passengers in batched(waiting, _PER_TRIP, strict=False):
            trip = asyncio.create_task(self._travel(passengers))
            self._trips.add(trip)
            trip.add_done_callback(self._trips.discard)

    async def _travel(self, passengers: Sequence[tuple[str, str, asyncio.Future[Found]]]) -> None:
        names = dict.fromkeys(name for first, second, _ in passengers for name in (first, second))

        async def mget(client: "Redis") -> list[bytes | None]:
            return _checked(await client.mget(list(names)), len(names))

        try:
            found = dict(zip(names, await self._guard.run(mget), strict=True))
        except RedisLevelError as error:
            for future in _still_waiting(passengers):
                # One each: they are raised in different tasks.
                future.set_exception(type(error)(*error.args))
            return
        except asyncio.CancelledError:
            for future in _still_waiting(passengers):
                future.cancel()
            raise
        for first, second, future in passengers:
            if not future.done():
                future.set_result((found[first], found[second]))


def _still_waiting(
    passengers: Iterable[tuple[str, str, asyncio.Future[Found]]],
) -> list[asyncio.Future[Found]]:
    return [future for _, _, future in passengers if not future.done()]


def _checked(reply: object, length: int) -> list[bytes | None]:
    if not isinstance(reply, list) or len(reply) != length:
        raise ValueError("not the shape of an answer to MGET")
    if not all(item is None or isinstance(item, bytes) for item in reply):
        raise ValueError("not strings")
    return reply
