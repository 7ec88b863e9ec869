"""The data that market sources return: every price has a currency, a moment and a source."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

MarketState = Literal["open", "closed", "pre", "post", "unknown"]
InstrumentType = Literal["equity", "etf", "index", "currency", "crypto", "fund", "future", "other"]
HistoryRange = Literal["5d", "1mo", "3mo", "6mo", "ytd", "1y", "2y", "5y", "10y", "max"]
Interval = Literal["1d", "1wk", "1mo"]
SourceName = Literal["yahoo", "alpha_vantage", "sample"]


@dataclass(frozen=True, slots=True)
class Instrument:
    """Identity of a listed instrument. ``exchange`` is the provider's exchange code, ``timezone`` an IANA name.

    ``prominence`` orders the results of one search; its scale is the source's own, None where the source has none.
    """

    symbol: str
    name: str
    exchange: str | None = None
    currency: str | None = None
    type: InstrumentType = "other"
    timezone: str | None = None
    source: str = ""
    prominence: float | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """The last known price of an instrument.

    ``value`` is in ``currency`` (major unit: pence arrive as pounds, with the provider's own number and unit kept in
    ``original_value`` and ``original_unit``). ``change_percent`` is in percent, not a fraction. ``as_of`` is aware UTC.
    ``delayed_by_s`` is None when the source does not say.
    """

    symbol: str
    name: str
    value: float
    currency: str
    as_of: datetime
    source: str
    previous_close: float | None = None
    change: float | None = None
    change_percent: float | None = None
    market_state: MarketState = "unknown"
    stale: bool = False
    delayed_by_s: int | None = None
    exchange: str | None = None
    timezone: str | None = None
    type: InstrumentType = "other"
    original_value: float | None = None
    original_unit: str | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """One period of trading. ``date`` is the day in the exchange's own time zone; prices are as traded (raw),
    ``adj_close`` is back-adjusted for splits and, if the history is ``adjusted``, for dividends, so that the newest bar
    of the full series is unadjusted."""

    date: date
    open: float
    high: float
    low: float
    close: float
    adj_close: float
    volume: int


@dataclass(frozen=True, slots=True)
class Split:
    """``ratio`` new shares for one old share."""

    date: date
    ratio: float


@dataclass(frozen=True, slots=True)
class History:
    """Bars of one instrument from one source, oldest first, never empty; sources are never spliced into one series.

    ``split_adjusted`` says whether the raw prices already account for splits (Yahoo) or are as traded (sample).
    ``adjusted`` is false when the source tells no dividends: ``adj_close`` then accounts for ``splits`` alone, and
    nothing computed from it may be called a total return.
    """

    symbol: str
    name: str
    currency: str
    interval: Interval
    bars: tuple[Bar, ...]
    as_of: datetime
    source: str
    stale: bool = False
    timezone: str | None = None
    split_adjusted: bool = True
    splits: tuple[Split, ...] = field(default=())
    adjusted: bool = True


@dataclass(frozen=True, slots=True)
class Fundamentals:
    """Key figures of a company as a source states them now; None where it states none.

    ``currency`` is that of the amounts. Ratios are plain numbers, ``dividend_yield`` and ``profit_margin`` in percent.
    ``fiscal_quarter_end`` is the last reported quarter. They describe the present: a question about a past date must
    not be answered with them.
    """

    symbol: str
    name: str
    currency: str
    as_of: datetime
    source: str
    market_cap: float | None = None
    price_to_earnings: float | None = None
    forward_price_to_earnings: float | None = None
    price_to_book: float | None = None
    earnings_per_share: float | None = None
    dividend_yield: float | None = None
    profit_margin: float | None = None
    revenue: float | None = None
    beta: float | None = None
    sector: str | None = None
    industry: str | None = None
    fiscal_quarter_end: date | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class NewsItem:
    """A headline. ``title`` and ``summary`` are text from outside: data, never instructions, and never markup."""

    title: str
    publisher: str
    url: str
    published_at: datetime
    summary: str = ""
    source: str = ""
