"""The one door to market data: which source is asked, what is kept, and what a failure means."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import cast

from shared.cache.backend import CacheBackend
from shared.cache.codec import Codec
from shared.cache.entries import Absent, Fetched, OriginFailed
from shared.cache.keys import CacheKey
from shared.clock import SYSTEM_CLOCK, Clock
from shared.errors import AppError, InsufficientData, MarketDataUnavailable, SymbolNotFound
from shared.market.freshness import SessionLookup, fresh_for, judged
from shared.market.periods import latest
from shared.market.provider import (
    MarketDataError,
    MarketDataProvider,
    NotOffered,
    ProviderBusy,
    ProviderMisconfigured,
    ProviderRateLimited,
    UnknownSymbol,
)
from shared.market.types import Fundamentals, History, HistoryRange, Instrument, Interval, NewsItem, Quote
from shared.resilience.cooldown import Cooldown

_log = logging.getLogger(__name__)

_RATE_LIMIT_PAUSE_S = 60.0
# A refused key stays refused until somebody changes it, which restarts the app.
_MISCONFIGURED_PAUSE_S = 3600.0
_BUSY_RETRY_S = 1.0
# What a stand-in answered is asked for again soon: the first choice may be back.
_STAND_IN_TTL_S = 15.0
_MOST_NEWS = 20
# How old the last good answer may be when no source can be asked; it is marked as stale.
_STALE_IF_DOWN_S = 6 * 3600.0
_WITHIN_TWO_YEARS: frozenset[HistoryRange] = frozenset({"5d", "1mo", "3mo", "6mo", "ytd", "1y", "2y"})


@dataclass(frozen=True, slots=True)
class Ttls:
    """Seconds that each kind of data stays fresh."""

    price: float
    historical: float
    fundamental: float
    news: float
    unknown_symbol: float
    search: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """``complete`` is false when a source that could know more could not be asked."""

    candidates: tuple[Instrument, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class SourceHealth:
    name: str
    ok: bool
    last_error: str | None


@dataclass(frozen=True, slots=True)
class _Source:
    provider: MarketDataProvider
    cooldown: Cooldown


@dataclass(frozen=True, slots=True)
class _Answer[T]:
    value: T
    first_choice: bool


_QUOTE: Codec[Quote] = Codec(Quote)
_HISTORY: Codec[History] = Codec(History)
_FUNDAMENTALS: Codec[Fundamentals] = Codec(Fundamentals)
_NEWS: Codec[tuple[NewsItem, ...]] = Codec(tuple[NewsItem, ...])
_SEARCH: Codec[SearchResult] = Codec(SearchResult)


@dataclass(slots=True)
class _Outage:
    names: list[str] = field(default_factory=list)
    retry_after: float = 0.0

    def add(self, name: str, retry_after: float) -> None:
        self.names.append(name)
        self.retry_after = max(self.retry_after, retry_after)


class DataManager:
    """Asks ``providers`` in order. The first that answers decides; the next ones stand in only for an outage.

    Raises ``SymbolNotFound`` only when a source that could be asked said so and no earlier one was down, and
    ``MarketDataUnavailable`` for every kind of outage. Results of two sources are never mixed in one answer.
    """

    def __init__(
        self,
        providers: Sequence[MarketDataProvider],
        *,
        cache: CacheBackend,
        ttls: Ttls,
        clock: Clock = SYSTEM_CLOCK,
        sessions: SessionLookup | None = None,
    ) -> None:
        self._sources = tuple(_Source(provider, Cooldown(clock=clock)) for provider in providers)
        self._cache = cache
        self._ttls = ttls
        self._clock = clock
        self._sessions = sessions

    async def quote(self, symbol: str) -> Quote:
        """The last known price of a symbol from ``parse_symbol``."""

        async def ask(provider: MarketDataProvider) -> Quote:
            return await provider.quote(symbol)

        return await self._cached(CacheKey("quote", (symbol,)), _QUOTE, symbol, ask, self._ttls.price)

    async def history(self, symbol: str, period: HistoryRange = "1y", interval: Interval = "1d") -> History:
        """Bars over ``period``, ending at the newest bar that the source has."""
        # One fetch serves every shorter range of the same bars.
        fetched: HistoryRange = "2y" if interval == "1d" and period in _WITHIN_TWO_YEARS else period

        async def ask(provider: MarketDataProvider) -> History:
            return await provider.history(symbol, fetched, interval)

        key = CacheKey("history", (symbol, fetched, interval))
        history = await self._cached(key, _HISTORY, symbol, ask, self._ttls.historical)
        return history if fetched == period else latest(history, period)

    async def fundamentals(self, symbol: str) -> Fundamentals:
        """Key figures as a source states them now. Raises ``InsufficientData`` where no source has any."""

        async def ask(provider: MarketDataProvider) -> Fundamentals:
            return await provider.fundamentals(symbol)

        key = CacheKey("fundamentals", (symbol,))
        return await self._cached(key, _FUNDAMENTALS, symbol, ask, self._ttls.fundamental)

    async def news(self, symbol: str, limit: int = 10) -> tuple[NewsItem, ...]:
        """Headlines, newest first; empty when the source that was asked has none."""

        async def ask(provider: MarketDataProvider) -> tuple[NewsItem, ...]:
            return await provider.news(symbol, _MOST_NEWS)

        key = CacheKey("news", (symbol,))
        return (await self._cached(key, _NEWS, symbol, ask, self._ttls.news))[:limit]

    async def search(self, query: str, limit: int = 8) -> SearchResult:
        """Candidates for a name or fragment. Raises only when no source at all could be asked."""

        async def fetch() -> Fetched[SearchResult]:
            answer = await self._ask(lambda provider: provider.search(query, limit))
            ttl = self._ttls.search if answer.first_choice else _STAND_IN_TTL_S
            return Fetched(SearchResult(answer.value, complete=answer.first_choice), ttl)

        key = CacheKey("search", (query.casefold(), str(limit)))
        return (await self._cache.get_or_fetch(key, _SEARCH, fetch)).value

    def outage(self, detail: str = "") -> MarketDataUnavailable:
        """The error to raise when what is known is too little because a source cannot be asked."""
        down = [source for source in self._sources if not self._healthy(source)]
        names = ", ".join(source.provider.name for source in down) or "the market data source"
        return MarketDataUnavailable(f"{names} cannot be reached right now.{detail} Try again in a moment.")

    def caveat(self, source: str, day: date) -> str | None:
        """What has to be said about data of ``source``, which end on ``day``; None for a live source."""
        if source != "sample":
            return None
        text = f"bundled sample data as of {day}, not current prices"
        first = self._sources[0].provider.name
        return text if first == source else f"{text}, because {first} cannot be reached right now"

    @property
    def coverage(self) -> str | None:
        """What can be asked for at all, where that is not the whole market."""
        names = [source.provider.name for source in self._sources]
        return "only the bundled sample is configured: AAPL, FB, GOOG, IBM and MSFT" if names == ["sample"] else None

    def health(self) -> tuple[SourceHealth, ...]:
        """What the last calls said; asks nobody."""
        return tuple(
            SourceHealth(source.provider.name, self._healthy(source), source.cooldown.last_error)
            for source in self._sources
        )

    async def aclose(self) -> None:
        for source in self._sources:
            await source.provider.aclose()

    @staticmethod
    def _healthy(source: _Source) -> bool:
        return source.cooldown.last_error is None

    async def _cached[T](
        self,
        key: CacheKey,
        codec: Codec[T],
        symbol: str,
        ask: Callable[[MarketDataProvider], Awaitable[T]],
        ttl: float,
    ) -> T:
        async def fetch() -> Fetched[T]:
            try:
                answer = await self._ask(ask)
            except UnknownSymbol as exc:
                raise Absent(exc.provider, fresh_s=self._ttls.unknown_symbol) from None
            if not answer.first_choice:
                return Fetched(answer.value, min(ttl, _STAND_IN_TTL_S), _STALE_IF_DOWN_S)
            value, fresh_s = await self._judged(answer.value, ttl)
            return Fetched(value, fresh_s, _STALE_IF_DOWN_S)

        try:
            cached = await self._cache.get_or_fetch(key, codec, fetch)
        except Absent:
            raise SymbolNotFound(symbol, suggestions=await self._suggestions(symbol)) from None
        except OriginFailed:
            raise self.outage() from None
        return _marked_stale(cached.value) if cached.stale else cached.value

    async def _judged[T](self, value: T, ttl: float) -> tuple[T, float]:
        """A price as the calendar of its exchange sees it, and how long it stays fresh."""
        if self._sessions is None or not isinstance(value, Quote | History) or value.source == "sample":
            return value, ttl
        now = self._clock.now()
        exchange = value.exchange if isinstance(value, Quote) else None
        session = await self._sessions(value.symbol, exchange, now)
        if session is None:
            return value, ttl
        if isinstance(value, Quote):
            return cast("T", judged(value, session)), fresh_for(value.as_of, ttl, session, now)
        return value, fresh_for(value.as_of, ttl, session, now)

    async def _ask[T](self, ask: Callable[[MarketDataProvider], Awaitable[T]]) -> _Answer[T]:
        outage = _Outage()
        not_offered: list[str] = []
        for source in self._sources:
            if source.cooldown.open:
                outage.add(source.provider.name, source.cooldown.remaining_s)
                continue
            try:
                value = await ask(source.provider)
            except NotOffered:
                not_offered.append(source.provider.name)
            except ProviderBusy:
                outage.add(source.provider.name, _BUSY_RETRY_S)
            except UnknownSymbol as exc:
                source.cooldown.succeeded()
                if outage.names:
                    # The source that is down might know it: this is not the place to say "unknown".
                    raise self._unavailable(outage, exc.detail) from None
                raise
            except MarketDataError as exc:
                _count(source, exc)
                outage.add(source.provider.name, source.cooldown.remaining_s)
            else:
                source.cooldown.succeeded()
                return _Answer(value, first_choice=not outage.names)
        if not outage.names:
            raise InsufficientData(f"No configured source has this kind of data ({', '.join(not_offered)}).")
        raise self._unavailable(outage)

    @staticmethod
    def _unavailable(outage: _Outage, stand_in: str = "") -> MarketDataUnavailable:
        hint = f" The stand-in has no data for this: {stand_in}." if stand_in else ""
        return MarketDataUnavailable(
            f"Market data cannot be reached right now (source: {', '.join(outage.names)}); "
            f"this says nothing about the symbol.{hint}",
            retry_after=round(outage.retry_after) or None,
        )

    async def _suggestions(self, symbol: str) -> tuple[str, ...]:
        try:
            found = await self.search(symbol, 3)
        except AppError:
            return ()
        return tuple(item.symbol for item in found.candidates if item.symbol != symbol)


def _marked_stale[T](value: T) -> T:
    """What is served because no source can be asked says of itself that it is old."""
    if isinstance(value, Quote | History | Fundamentals):
        return cast("T", replace(value, stale=True))
    return value


def _count(source: _Source, error: MarketDataError) -> None:
    name = type(error).__name__
    _log.warning("market data source %s failed: %s", source.provider.name, name)
    if isinstance(error, ProviderRateLimited):
        source.cooldown.trip("rate_limited", error.retry_after or _RATE_LIMIT_PAUSE_S)
    elif isinstance(error, ProviderMisconfigured):
        _log.error("market data source %s refuses its key or plan", source.provider.name)
        source.cooldown.trip("misconfigured", _MISCONFIGURED_PAUSE_S)
    else:
        source.cooldown.failed("unreachable" if name == "ProviderDown" else "malformed")
