"""A market-data source that answers from dictionaries, fails on demand, and counts what it is asked."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from shared.cache.backend import CacheBackend
from shared.cache.config import CacheConfig
from shared.clock import SYSTEM_CLOCK, Clock
from shared.market.data_manager import DataManager, Ttls
from shared.market.periods import latest
from shared.market.provider import UnknownSymbol
from shared.market.types import Bar, History, HistoryRange, Instrument, Interval, Quote

TTLS = Ttls(price=60, historical=3600, fundamental=86400, news=900, unknown_symbol=300, search=3600)
LAST_DAY = date(2026, 6, 12)


class CountingSource:
    """Knows ``quotes``, ``histories`` and ``listings``; while ``failure`` is set, it only raises that."""

    def __init__(self, name: str = "first") -> None:
        self.name = name
        self.quotes: dict[str, Quote] = {}
        self.histories: dict[str, History] = {}
        self.listings: dict[str, tuple[Instrument, ...]] = {}
        self.failure: Exception | None = None
        self.held = asyncio.Event()
        self.held.set()
        self.calls: list[tuple[str, ...]] = []

    @property
    def count(self) -> Counter[str]:
        return Counter(call[0] for call in self.calls)

    async def _enter(self, *call: str) -> None:
        self.calls.append(call)
        await self.held.wait()
        if self.failure:
            raise self.failure

    async def quote(self, symbol: str) -> Quote:
        await self._enter("quote", symbol)
        if symbol not in self.quotes:
            raise UnknownSymbol(self.name)
        return replace(self.quotes[symbol], source=self.name)

    async def history(self, symbol: str, period: HistoryRange, interval: Interval) -> History:
        await self._enter("history", symbol, period, interval)
        if symbol not in self.histories:
            raise UnknownSymbol(self.name)
        return latest(replace(self.histories[symbol], source=self.name, interval=interval), period)

    async def search(self, query: str, limit: int) -> tuple[Instrument, ...]:
        await self._enter("search", query)
        return self.listings.get(query.casefold(), ())[:limit]

    async def aclose(self) -> None:
        self.calls.append(("aclose",))


def a_quote(symbol: str = "AAPL", value: float = 173.93, *, name: str = "Apple Inc.", currency: str = "USD") -> Quote:
    return Quote(
        symbol=symbol,
        name=name,
        value=value,
        currency=currency,
        as_of=datetime(2026, 6, 12, 18, 55, tzinfo=UTC),
        source="first",
        previous_close=value - 2,
        change=2.0,
        change_percent=200 / (value - 2),
        market_state="open",
    )


def a_history(closes: Sequence[float], symbol: str = "AAPL", *, name: str = "Apple Inc.") -> History:
    """One bar per calendar day up to ``LAST_DAY``; the adjusted closes are the raw ones."""
    days = [LAST_DAY - timedelta(days=back) for back in range(len(closes))][::-1]
    return History(
        symbol=symbol,
        name=name,
        currency="USD",
        interval="1d",
        bars=tuple(a_bar(day, close) for day, close in zip(days, closes, strict=True)),
        as_of=datetime(2026, 6, 12, 20, 0, tzinfo=UTC),
        source="first",
    )


def a_bar(day: date, close: float, *, adj_close: float | None = None, volume: int = 1000) -> Bar:
    return Bar(day, close, close + 1, close - 1, close, close if adj_close is None else adj_close, volume)


def a_market(*sources: CountingSource, clock: Clock = SYSTEM_CLOCK) -> DataManager:
    return DataManager(
        sources,
        cache=CacheBackend.from_config(
            CacheConfig(max_entries=500, failure_hold_s=0, jitter=0, early_refresh_ratio=0), clock=clock
        ),
        ttls=TTLS,
        clock=clock,
    )
