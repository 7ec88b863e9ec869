"""What the market routes take and give."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from functions.fields import Figure, RequestModel, ResponseModel, UtcMoment
from shared.errors import AppError
from shared.market.types import HistoryRange, Interval, MarketState


def _comma_list(value: object) -> object:
    return [item.strip() for item in value.split(",") if item.strip()] if isinstance(value, str) else value


# The reference client says 6m where Yahoo says 6mo.
_RANGE_ALIASES = {"1m": "1mo", "3m": "3mo", "6m": "6mo"}


def _range(value: object) -> object:
    return _RANGE_ALIASES.get(value, value) if isinstance(value, str) else value


def _default_indicators() -> list[str]:
    from shared.market.technicals import DEFAULT_NAMES

    return list(DEFAULT_NAMES)


class SearchQuery(RequestModel):
    q: str = Field(min_length=1, max_length=80, description="A company's name, a part of it, or a symbol.")
    limit: int = Field(default=20, ge=1, le=100, description="How many candidates at the most.")


class SearchStreamQuery(SearchQuery):
    chunk_size: int = Field(default=5, ge=1, le=50, description="How many candidates come at a time.")


class ChartQuery(RequestModel):
    range: Annotated[HistoryRange, BeforeValidator(_range)] = Field(
        default="6mo", description="How far back from the newest bar; 1m, 3m and 6m are understood too."
    )


class QuotesQuery(RequestModel):
    symbols: Annotated[list[str], BeforeValidator(_comma_list)] = Field(
        min_length=1, max_length=50, description="Up to 50 symbols, separated by commas."
    )


class HistoryQuery(RequestModel):
    range: Annotated[HistoryRange, BeforeValidator(_range)] = Field(
        default="1y", description="How far back from the newest bar; 1m, 3m and 6m are understood too."
    )
    interval: Interval = Field(default="1d", description="One bar per day, week or month.")


class IndicatorsQuery(RequestModel):
    names: Annotated[list[str], BeforeValidator(_comma_list)] = Field(
        default_factory=_default_indicators,
        min_length=1,
        max_length=12,
        description="Such as rsi, macd, sma50; by commas.",
    )


class InstrumentModel(ResponseModel):
    symbol: str
    name: str
    exchange: str | None
    currency: str | None
    type: str
    timezone: str | None
    source: str


class SearchAnswer(ResponseModel):
    """``complete`` is false when a source that could know more cannot be reached."""

    items: list[InstrumentModel]
    next_cursor: str | None = None
    complete: bool


class SearchBatch(ResponseModel):
    event: Literal["batch"] = "batch"
    items: list[InstrumentModel]


class SearchDone(ResponseModel):
    """The last frame of a search stream."""

    event: Literal["done"] = "done"
    total: int
    complete: bool


class QuoteModel(ResponseModel):
    """``value`` is in ``currency``; where the exchange quotes in a minor unit, ``original_value`` is in that unit."""

    symbol: str
    name: str
    value: Figure
    currency: str
    change: Figure | None
    change_percent: Figure | None
    previous_close: Figure | None
    market_state: MarketState
    as_of: UtcMoment
    source: str
    stale: bool
    delayed_by_s: int | None
    exchange: str | None
    original_value: Figure | None
    original_unit: str | None


class ItemProblem(ResponseModel):
    code: str
    detail: str
    retryable: bool


class QuoteItem(ResponseModel):
    """One symbol of a batch: ``quote`` where ``status`` is ok, else ``error``."""

    symbol: str
    status: Literal["ok", "error"]
    quote: QuoteModel | None = None
    error: ItemProblem | None = None

    @classmethod
    def failed(cls, symbol: str, error: AppError) -> "QuoteItem":
        problem = ItemProblem(code=error.code, detail=error.detail, retryable=error.retryable)
        return cls(symbol=symbol, status="error", error=problem)


class QuotesAnswer(ResponseModel):
    items: list[QuoteItem]


class BarModel(ResponseModel):
    """``close`` is raw, ``adj_close`` is adjusted for splits and dividends; ``date`` is the exchange's day."""

    date: date
    open: float
    high: float
    low: float
    close: float
    adj_close: float
    volume: int


class SplitModel(ResponseModel):
    date: date
    ratio: float


class HistoryAnswer(ResponseModel):
    """Oldest bar first. ``split_adjusted`` says whether the raw prices already account for splits."""

    symbol: str
    name: str
    currency: str
    range: HistoryRange
    interval: Interval
    timezone: str | None
    as_of: UtcMoment
    source: str
    stale: bool
    split_adjusted: bool
    splits: list[SplitModel]
    bars: list[BarModel]


class NewsQuery(RequestModel):
    limit: int = Field(default=10, ge=1, le=20, description="How many headlines at the most.")


class FundamentalsModel(ResponseModel):
    """Key figures as the source states them now, null where it states none. Amounts are in ``currency``, ratios plain
    numbers, ``dividend_yield`` and ``profit_margin`` in percent."""

    symbol: str
    name: str
    currency: str
    as_of: UtcMoment
    source: str
    stale: bool
    market_cap: float | None
    price_to_earnings: float | None
    forward_price_to_earnings: float | None
    price_to_book: float | None
    earnings_per_share: float | None
    dividend_yield: float | None
    profit_margin: float | None
    revenue: float | None
    beta: float | None
    sector: str | None
    industry: str | None
    fiscal_quarter_end: date | None


class NewsItemModel(ResponseModel):
    """A headline. Texts are from outside, as plain text."""

    title: str
    publisher: str
    url: str
    published_at: UtcMoment
    summary: str
    source: str


class NewsAnswer(ResponseModel):
    symbol: str
    items: list[NewsItemModel]


class IndicatorModel(ResponseModel):
    """``value`` is the newest one; compound indicators have their lines in ``values``. With ``insufficient_data`` both
    are empty and ``bars_needed`` says how many bars it takes."""

    name: str
    status: Literal["ok", "insufficient_data"]
    value: float | None
    values: dict[str, float]
    unit: str
    period: int
    bars_used: int
    bars_needed: int
    as_of: UtcMoment
    convention: str


class IndicatorsAnswer(ResponseModel):
    symbol: str
    currency: str
    as_of: UtcMoment
    source: str
    stale: bool
    indicators: list[IndicatorModel]
