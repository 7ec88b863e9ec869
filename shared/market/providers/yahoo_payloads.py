"""From Yahoo's rows and metadata to our types: the exchange's days, major currency units, no NaN, plain values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from shared.market.currencies import major_unit
from shared.market.provider import STALE_AFTER_DAYS, ProviderMalformed
from shared.market.symbols import InvalidSymbol, parse_symbol
from shared.market.text import NAME_LENGTH, clean_text
from shared.market.types import Bar, History, Instrument, InstrumentType, Interval, MarketState, Quote, Split

SOURCE = "yahoo"

_TYPES: dict[str, InstrumentType] = {
    "EQUITY": "equity",
    "ETF": "etf",
    "INDEX": "index",
    "CURRENCY": "currency",
    "CRYPTOCURRENCY": "crypto",
    "MUTUALFUND": "fund",
    "FUTURE": "future",
}
_SESSIONS: tuple[tuple[str, MarketState], ...] = (("regular", "open"), ("pre", "pre"), ("post", "post"))


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the price table as it came: any number may be NaN. ``split`` is 0 on days without one."""

    date: date
    open: float
    high: float
    low: float
    close: float
    adj_close: float
    volume: float
    split: float


@dataclass(frozen=True, slots=True)
class Listing:
    """What the metadata of a price table says about the instrument and its market."""

    name: str
    unit: str
    timezone: ZoneInfo
    exchange: str | None
    type: InstrumentType
    price: float | None
    price_time: datetime | None
    sessions: Mapping[MarketState, tuple[datetime, datetime]]

    @property
    def currency(self) -> str:
        return major_unit(self.unit)[0]

    @property
    def units_per_major(self) -> int:
        # Dividing by 100 is exact to the last digit where multiplying by 0.01 is not.
        return round(1 / major_unit(self.unit)[1])

    def day_of(self, moment: datetime) -> date:
        return moment.astimezone(self.timezone).date()

    def moment_of(self, day: date, now: datetime) -> datetime:
        """When the bar of ``day`` was last priced: the market's own time if it is of that day, else the day's close."""
        if self.price_time is not None and self.day_of(self.price_time) == day:
            return self.price_time
        closing = self.sessions["open"][1].astimezone(self.timezone).time() if "open" in self.sessions else time.min
        return min(datetime.combine(day, closing, self.timezone).astimezone(UTC), now)

    def is_stale(self, as_of: datetime, now: datetime) -> bool:
        return self.day_of(now) - self.day_of(as_of) > timedelta(days=STALE_AFTER_DAYS)

    def market_state(self, now: datetime) -> MarketState:
        if not self.sessions:
            return "unknown"
        return next((state for state, (start, end) in self.sessions.items() if start <= now < end), "closed")


def rows_of(frame: Any) -> list[Row]:
    """The rows of a price table of yfinance, whose index is midnight in the exchange's time zone."""
    columns = ("Open", "High", "Low", "Close", "Adj Close", "Volume", "Stock Splits")
    days = [stamp.date() for stamp in frame.index]
    return [Row(*row) for row in zip(days, *(frame[name].tolist() for name in columns), strict=True)]


def listing_of(meta: Mapping[str, Any], symbol: str) -> Listing:
    """Read by key only: iterating over yfinance's metadata makes it request trading periods."""
    unit = meta.get("currency")
    if not isinstance(unit, str) or not unit:
        raise ProviderMalformed(SOURCE, "price without a currency")
    return Listing(
        name=text(meta, "longName") or text(meta, "shortName") or symbol,
        unit=unit,
        timezone=ZoneInfo(meta["exchangeTimezoneName"]),
        exchange=text(meta, "exchangeName"),
        type=_TYPES.get(str(meta.get("instrumentType")).upper(), "other"),
        price=number(meta.get("regularMarketPrice")),
        price_time=moment(meta.get("regularMarketTime")),
        sessions=_sessions(meta.get("currentTradingPeriod")),
    )


def quote_of(symbol: str, rows: Sequence[Row], listing: Listing, now: datetime) -> Quote:
    """The market price, or the newest close where the metadata has none; raises ProviderMalformed without either."""
    price, as_of = _last_price(rows, listing, now)
    scale = listing.units_per_major
    value = price / scale
    previous = _previous_close(rows, listing.day_of(as_of))
    previous_close = None if previous is None else previous / scale
    change = None if previous_close is None else value - previous_close
    return Quote(
        symbol=symbol,
        name=listing.name,
        value=value,
        currency=listing.currency,
        as_of=as_of,
        source=SOURCE,
        previous_close=previous_close,
        change=change,
        change_percent=100 * change / previous_close if change is not None and previous_close else None,
        market_state=listing.market_state(now),
        stale=listing.is_stale(as_of, now),
        exchange=listing.exchange,
        timezone=listing.timezone.key,
        type=listing.type,
        original_value=price if scale != 1 else None,
        original_unit=listing.unit if scale != 1 else None,
    )


def history_of(symbol: str, interval: Interval, rows: Sequence[Row], listing: Listing, now: datetime) -> History:
    """Bars that are complete in every price; raises ProviderMalformed when none is."""
    bars = tuple(_bar(row, listing.units_per_major) for row in rows if _is_priced(row))
    if not bars:
        raise ProviderMalformed(SOURCE, "no usable row in the price table")
    # The date of a weekly or monthly bar is the first day of its period, the price that of the last trade.
    newest = bars[-1].date
    as_of = listing.moment_of(newest, now) if interval == "1d" else listing.price_time or listing.moment_of(newest, now)
    return History(
        symbol=symbol,
        name=listing.name,
        currency=listing.currency,
        interval=interval,
        bars=bars,
        as_of=as_of,
        source=SOURCE,
        stale=listing.is_stale(as_of, now),
        timezone=listing.timezone.key,
        split_adjusted=True,
        splits=tuple(Split(row.date, row.split) for row in rows if math.isfinite(row.split) and row.split > 0),
    )


def instruments_of(response: Any, limit: int) -> tuple[Instrument, ...]:
    """The candidates of a search answer; an answer without the list is an error wrapped in JSON, not "no match"."""
    quotes = response.get("quotes") if isinstance(response, Mapping) else None
    if not isinstance(quotes, list):
        raise ProviderMalformed(SOURCE, "search answer without candidates")
    found = [item for entry in quotes if isinstance(entry, Mapping) and (item := _instrument(entry)) is not None]
    return tuple(found[:limit])


def _instrument(entry: Mapping[str, Any]) -> Instrument | None:
    try:
        symbol = parse_symbol(text(entry, "symbol") or "")
    except InvalidSymbol:
        # Nobody could ask for it, and it is text from outside that would stand where a symbol is expected.
        return None
    return Instrument(
        symbol=symbol,
        name=text(entry, "longname") or text(entry, "shortname") or symbol,
        exchange=text(entry, "exchange"),
        type=_TYPES.get(str(entry.get("quoteType")).upper(), "other"),
        source=SOURCE,
        prominence=number(entry.get("score")),
    )


def _last_price(rows: Sequence[Row], listing: Listing, now: datetime) -> tuple[float, datetime]:
    if listing.price is not None and listing.price_time is not None:
        return listing.price, listing.price_time
    for row in reversed(rows):
        if math.isfinite(row.close):
            return row.close, listing.moment_of(row.date, now)
    raise ProviderMalformed(SOURCE, "neither a market price nor a close")


def _previous_close(rows: Sequence[Row], day: date) -> float | None:
    return next((row.close for row in reversed(rows) if row.date < day and math.isfinite(row.close)), None)


def _is_priced(row: Row) -> bool:
    return all(map(math.isfinite, (row.open, row.high, row.low, row.close, row.adj_close)))


def _bar(row: Row, scale: int) -> Bar:
    return Bar(
        date=row.date,
        open=row.open / scale,
        high=row.high / scale,
        low=row.low / scale,
        close=row.close / scale,
        adj_close=row.adj_close / scale,
        volume=int(row.volume) if math.isfinite(row.volume) else 0,
    )


def _sessions(periods: Any) -> dict[MarketState, tuple[datetime, datetime]]:
    sessions: dict[MarketState, tuple[datetime, datetime]] = {}
    for key, state in _SESSIONS:
        period = periods.get(key) if isinstance(periods, Mapping) else None
        if isinstance(period, Mapping):
            start, end = moment(period.get("start")), moment(period.get("end"))
            if start is not None and end is not None:
                sessions[state] = (start, end)
    return sessions


def moment(value: Any) -> datetime | None:
    """A stamp in whole seconds as aware UTC."""
    # yfinance turns stamps of a price table into pandas' subclass of datetime and leaves everything else alone.
    seconds = value.timestamp() if isinstance(value, datetime) else number(value)
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def number(value: Any) -> float | None:
    """A finite number, or None for everything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None


def text(mapping: Mapping[str, Any], key: str, limit: int = NAME_LENGTH) -> str | None:
    """Cleaned text, or None for what is none or has nothing visible in it."""
    value = mapping.get(key)
    return clean_text(value, limit) or None if isinstance(value, str) else None
