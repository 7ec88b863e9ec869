"""One deadline per request, handed down: no layer waits longer than what is left of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from shared.clock import SYSTEM_CLOCK, Clock


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock. Derive tighter ones with ``within``; there is no way to extend one."""

    at: float
    clock: Clock = SYSTEM_CLOCK

    @classmethod
    def after(cls, seconds: float, clock: Clock = SYSTEM_CLOCK) -> "Deadline":
        return cls(clock.monotonic() + seconds, clock)

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock.monotonic())

    @property
    def expired(self) -> bool:
        return self.remaining() == 0.0

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and ``seconds`` from now."""
        return Deadline(min(self.at, self.clock.monotonic() + seconds), self.clock)

    @asynccontextmanager
    async def enforce(self) -> AsyncGenerator[None]:
        """Raises ``TimeoutError`` in the body when the deadline passes."""
        async with asyncio.timeout(self.remaining()):
            yield
