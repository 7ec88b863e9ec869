"""The contract of a market-data source; every adapter passes the same contract suite."""

from typing import Protocol

from shared.market.types import Fundamentals, History, HistoryRange, Instrument, Interval, NewsItem, Quote

STALE_AFTER_DAYS = 4
"""Calendar days. A Friday's close is the newest price until Tuesday when a holiday follows the weekend."""


class MarketDataError(Exception):
    """Base of what a provider may raise. Carries no upstream text; ``provider`` names the source."""

    def __init__(self, provider: str, detail: str = "") -> None:
        super().__init__(f"{provider}: {detail}" if detail else provider)
        self.provider = provider
        self.detail = detail


class UnknownSymbol(MarketDataError):
    """The source answered, and it does not list the symbol."""


class ProviderDown(MarketDataError):
    """The source could not be reached, timed out or failed (5xx); says nothing about the symbol."""


class ProviderBusy(MarketDataError):
    """Too many calls of ours are under way; the source is fine, and was not asked."""


class ProviderRateLimited(MarketDataError):
    """The source refused because of volume (429); ask it again only after a cool-down."""

    def __init__(self, provider: str, detail: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(provider, detail)
        self.retry_after = retry_after


class ProviderMalformed(MarketDataError):
    """The source answered with something that cannot be used (wrong shape, empty where data must be)."""


class NotOffered(MarketDataError):
    """The source has nothing of this kind, at all or for this instrument. Not a failure: the next source is asked."""


class ProviderMisconfigured(MarketDataError):
    """The source refuses our key or our plan; no call succeeds until somebody changes the configuration."""


class MarketDataProvider(Protocol):
    """A source of market data.

    Symbols arrive validated and in the provider-neutral form of ``shared.market.symbols``. Every method raises only
    ``MarketDataError`` subclasses (and ``asyncio.CancelledError``); nothing is returned half-filled: a value that is
    NaN or missing is not a value. Currencies are ISO 4217 major units; moments are aware UTC. Names, titles and other
    words from outside have been through ``shared.market.text``.
    """

    @property
    def name(self) -> str:
        """The value of ``source`` in everything this provider returns."""
        ...

    async def quote(self, symbol: str) -> Quote:
        """The last known price. Raises UnknownSymbol when the source does not list ``symbol``."""
        ...

    async def history(self, symbol: str, period: HistoryRange, interval: Interval) -> History:
        """Bars over ``period`` that ends at the newest bar; at least one bar, none with a NaN close."""
        ...

    async def search(self, query: str, limit: int) -> tuple[Instrument, ...]:
        """Candidates for a name or a fragment, best first; empty means the source knows nothing like it."""
        ...

    async def fundamentals(self, symbol: str) -> Fundamentals:
        """At least one key figure. Raises NotOffered when the source states none for ``symbol``, or for any."""
        ...

    async def news(self, symbol: str, limit: int) -> tuple[NewsItem, ...]:
        """At most ``limit`` headlines, newest first; empty means no news. Raises NotOffered if the source has none."""
        ...

    async def aclose(self) -> None:
        """Release threads and connections; idempotent."""
        ...
