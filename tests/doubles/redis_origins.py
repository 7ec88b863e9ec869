"""Where the values come from in tests of the cache."""

import asyncio

from shared.cache.entries import Fetched


class Origin:
    """Counts its fetches; holds them while ``gate`` is closed; fails with ``failure``."""

    def __init__(self, value: object = 1, fresh_s: float = 60, stale_s: float = 0) -> None:
        self.value, self.fresh_s, self.stale_s = value, fresh_s, stale_s
        self.failure: BaseException | None = None
        self.fetches = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.entered = asyncio.Event()

    async def fetch(self) -> Fetched:
        self.fetches += 1
        value = self.value
        self.entered.set()
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return Fetched(value, self.fresh_s, self.stale_s)


class Row:
    """A row of a database. Readers wait behind ``gate``, closed at first, with what they have read."""

    def __init__(self, text: str = "old") -> None:
        self.text = text
        self.reads = 0
        self.gate = asyncio.Event()
        self.read = asyncio.Event()
        self.failure: Exception | None = None

    async def fetch(self) -> Fetched[str]:
        self.reads += 1
        text = self.text
        self.read.set()
        await self.gate.wait()
        if self.failure:
            raise self.failure
        return Fetched(text, 60, 600)

    def open(self) -> "Row":
        self.gate.set()
        return self
