"""One fetch per key in this process, however many ask; its failure is shared and remembered for a moment."""

import asyncio
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from shared.cache.entries import Entry, Level
from shared.cache.keys import CacheKey
from shared.clock import Clock

_MOST_FAILURES = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """``failure`` is set where the origin failed and an old entry stands in."""

    entry: Entry
    level: Level
    failure: Exception | None = None


@dataclass(frozen=True, slots=True)
class Flight:
    """``background`` flights refresh what is still good, so nobody who can be served waits for them."""

    task: asyncio.Task[Outcome]
    background: bool


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure as it was: raising adds to an exception's traceback, and this one is raised often."""

    error: Exception
    traceback: TracebackType | None
    until: float

    def again(self) -> Exception:
        return self.error.with_traceback(self.traceback)


class Flights:
    """Holds what is under way and what has just failed, and nothing when idle."""

    def __init__(self, *, hold_s: float, clock: Clock) -> None:
        self._hold_s = hold_s
        self._clock = clock
        self._flights: dict[CacheKey, Flight] = {}
        self._failures: OrderedDict[CacheKey, Failure] = OrderedDict()

    def get(self, key: CacheKey) -> Flight | None:
        return self._flights.get(key)

    def failure(self, key: CacheKey) -> Failure | None:
        held = self._failures.get(key)
        if held is not None and held.until <= self._clock.monotonic():
            del self._failures[key]
            return None
        return held

    def start(self, key: CacheKey, body: Coroutine[Any, Any, Outcome], *, background: bool) -> Flight:
        flight = Flight(asyncio.create_task(body), background)
        self._flights[key] = flight
        flight.task.add_done_callback(lambda task: self._landed(key, task))
        return flight

    def forget(self, key: CacheKey) -> None:
        """Who comes from now on does not get what is under way; who is aboard does."""
        self._flights.pop(key, None)
        self._failures.pop(key, None)

    def forget_namespace(self, namespace: str) -> None:
        for key in {*self._flights, *self._failures}:
            if key.namespace == namespace:
                self.forget(key)

    async def aclose(self) -> None:
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def __len__(self) -> int:
        return len(self._flights) + len(self._failures)

    def _landed(self, key: CacheKey, task: asyncio.Task[Outcome]) -> None:
        flight = self._flights.get(key)
        if flight is not None and flight.task is task:
            del self._flights[key]
        if task.cancelled():
            return
        # Reading it also marks it as seen: when every caller has left, nobody else will.
        error = task.exception()
        failure = error if error is not None else task.result().failure
        if isinstance(failure, Exception) and flight is not None and flight.task is task:
            self._remember(key, failure)

    def _remember(self, key: CacheKey, error: Exception) -> None:
        if self._hold_s == 0:
            return
        held = Failure(error, error.__traceback__, self._clock.monotonic() + self._hold_s)
        self._failures[key] = held
        if len(self._failures) > _MOST_FAILURES:
            self._failures.popitem(last=False)
        asyncio.get_running_loop().call_later(self._hold_s, self._let_go, key, held)

    def _let_go(self, key: CacheKey, held: Failure) -> None:
        if self._failures.get(key) is held:
            del self._failures[key]
