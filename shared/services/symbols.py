"""Looking things up about listed instruments, without a question around it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.errors import AppError
from shared.market.chart import draw
from shared.market.data_manager import DataManager, SearchResult
from shared.market.splits import without_splits
from shared.market.symbols import parse_symbol
from shared.market.technicals import Reading, read_indicators
from shared.market.types import Fundamentals, History, HistoryRange, Instrument, Interval, NewsItem, Quote
from shared.services.base import BaseService, CheckState, DependencyHealth

# A source serves a few calls at once and refuses the rest like an outage; batches must leave room for single look-ups.
_BATCH_LOOKUPS = 8

# Longer pictures have more days than pixels.
_DAILY_CHARTS: frozenset[HistoryRange] = frozenset({"5d", "1mo", "3mo", "6mo", "ytd", "1y", "2y"})


@dataclass(frozen=True, slots=True)
class IndicatorReport:
    history: History
    readings: tuple[Reading, ...]


class SymbolsService(BaseService):
    """Every symbol is checked before anything else happens: ``InvalidSymbol`` costs no upstream call."""

    def __init__(self, market: DataManager) -> None:
        self._market = market
        self._batch_lookups = asyncio.Semaphore(_BATCH_LOOKUPS)

    async def search(self, query: str, limit: int) -> SearchResult:
        return await self._market.search(query, limit)

    async def identity(self, symbol: str) -> Instrument:
        """Who is listed under the symbol, from the metadata that come with its quote."""
        quote = await self.quote(symbol)
        return Instrument(
            quote.symbol, quote.name, quote.exchange, quote.currency, quote.type, quote.timezone, quote.source
        )

    async def quote(self, symbol: str) -> Quote:
        return await self._market.quote(parse_symbol(symbol))

    async def quotes(self, symbols: Sequence[str]) -> list[Quote | AppError]:
        """One result per symbol, in order; a failure stays with its symbol. All batches together ask for a few at a
        time."""

        async def one(symbol: str) -> Quote | AppError:
            async with self._batch_lookups:
                try:
                    return await self.quote(symbol)
                except AppError as exc:
                    return exc

        return list(await asyncio.gather(*(one(symbol) for symbol in symbols)))

    async def history(self, symbol: str, period: HistoryRange, interval: Interval) -> History:
        return await self._market.history(parse_symbol(symbol), period, interval)

    async def chart(self, symbol: str, period: HistoryRange) -> str:
        """A picture of the history, as SVG."""
        history = await self.history(symbol, period, "1d" if period in _DAILY_CHARTS else "1wk")
        return draw(without_splits(history), self._market.caveat(history.source, history.bars[-1].date))

    async def fundamentals(self, symbol: str) -> Fundamentals:
        return await self._market.fundamentals(parse_symbol(symbol))

    async def news(self, symbol: str, limit: int) -> tuple[NewsItem, ...]:
        return await self._market.news(parse_symbol(symbol), limit)

    async def indicators(self, symbol: str, names: Sequence[str]) -> IndicatorReport:
        history = without_splits(await self._market.history(parse_symbol(symbol), "2y", "1d"))
        return IndicatorReport(history, read_indicators(history.bars, names))

    async def health_check(self) -> tuple[bool, dict[str, Any]]:
        """From the outcomes of the last calls: a probe of its own would spend the sources' quota."""
        sources = self._market.health()
        # A first choice that fails is "down" even while a stand-in answers for it.
        state: CheckState = "ok" if sources[0].ok else "down"
        detail = {source.name: source.last_error or "ok" for source in sources}
        return self._dependencies_health_report({}, {"market_data": DependencyHealth(state, {"sources": detail})})
