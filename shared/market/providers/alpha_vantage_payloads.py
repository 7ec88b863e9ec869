"""From Alpha Vantage's prices to our types: honest moments, major units, and no adjusted close that is none."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

from shared.market.currencies import major_unit
from shared.market.plausibility import split_ratio
from shared.market.provider import STALE_AFTER_DAYS, ProviderMalformed, UnknownSymbol
from shared.market.providers.alpha_vantage_symbols import SOURCE, is_same, listed_as, market_of, neutral
from shared.market.text import NAME_LENGTH, clean_text
from shared.market.types import Bar, History, Instrument, InstrumentType, Quote, Split

_DELAY = re.compile(r"DELAYED BY (\d{1,3}) MINUTES")
_TYPES: dict[str, InstrumentType] = {"EQUITY": "equity", "ETF": "etf", "MUTUAL FUND": "fund"}


@dataclass(frozen=True, slots=True)
class Listing:
    """What is known of an instrument apart from its prices, which come without name and currency."""

    name: str
    unit: str
    type: InstrumentType = "other"

    @property
    def currency(self) -> str:
        return major_unit(self.unit)[0]

    @property
    def units_per_major(self) -> int:
        # Dividing by 100 is exact to the last digit where multiplying by 0.01 is not.
        return round(1 / major_unit(self.unit)[1])


@dataclass(frozen=True, slots=True)
class LastPrice:
    """A quote as it came, in the unit of the listing; ``delayed_by_s`` is None where the answer does not say."""

    price: float
    day: date
    previous_close: float | None
    delayed_by_s: int | None


def last_price_of(symbol: str, body: Mapping[str, Any]) -> LastPrice:
    """Raises UnknownSymbol for the empty quote, which is how Alpha Vantage says that it lists no such symbol."""
    label = next((key for key in body if key.startswith("Global Quote")), None)
    fields = body[label] if label is not None else body
    if fields == {}:
        raise UnknownSymbol(SOURCE, "the symbol is not listed")
    expect_symbol(symbol, fields["01. symbol"])
    price = number(fields["05. price"])
    if price is None:
        raise ProviderMalformed(SOURCE, "a quote without a price")
    delay = _DELAY.search(label or "")
    return LastPrice(
        price=price,
        day=date.fromisoformat(fields["07. latest trading day"]),
        previous_close=number(fields.get("08. previous close")),
        delayed_by_s=60 * int(delay[1]) if delay else None,
    )


def quote_of(symbol: str, last: LastPrice, listing: Listing, now: datetime) -> Quote:
    """As of the exchange's close on the latest trading day, the one moment the answer vouches for.

    While that day's session runs it is now less the stated delay. The state of the market is not told.
    """
    scale, market = listing.units_per_major, market_of(symbol)
    value = last.price / scale
    previous_close = None if last.previous_close is None else last.previous_close / scale
    change = None if previous_close is None else value - previous_close
    as_of = min(_close_of(symbol, last.day), now - timedelta(seconds=last.delayed_by_s or 0))
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
        stale=_is_stale(as_of, now),
        delayed_by_s=last.delayed_by_s,
        timezone=market.timezone if market else None,
        type=listing.type,
        original_value=last.price if scale != 1 else None,
        original_unit=listing.unit if scale != 1 else None,
    )


def daily_bars_of(symbol: str, body: Mapping[str, Any]) -> tuple[Bar, ...]:
    """Oldest first, as traded and in the unit of the listing; ``adj_close`` is still the close."""
    if not body:
        raise UnknownSymbol(SOURCE, "the symbol is not listed")
    expect_symbol(symbol, body["Meta Data"]["2. Symbol"])
    series = next(value for key, value in body.items() if key.startswith("Time Series"))
    bars = [bar for day, row in sorted(series.items()) if (bar := _bar(date.fromisoformat(day), row)) is not None]
    if not bars:
        raise ProviderMalformed(SOURCE, "no usable row in the series")
    return tuple(bars)


def history_of(symbol: str, bars: Sequence[Bar], listing: Listing, now: datetime) -> History:
    """All of ``bars`` as a daily history whose splits are found in the prices.

    A free key gets prices as traded and neither adjusted closes, dividends nor splits. A close put where an adjusted
    close belongs would lose every dividend silently and turn a split into a crash. Refusing the history would lose the
    prices, which are right. So splits that the prices show are listed and taken out of ``adj_close``, and ``adjusted``
    is false: a return from these closes is a price return.
    """
    splits = tuple(
        Split(after.date, ratio)
        for before, after in pairwise(bars)
        if (ratio := split_ratio(before.close, after.open)) is not None
    )
    market, as_of = market_of(symbol), min(_close_of(symbol, bars[-1].date), now)
    return History(
        symbol=symbol,
        name=listing.name,
        currency=listing.currency,
        interval="1d",
        bars=tuple(_scaled(bar, listing.units_per_major, splits) for bar in bars),
        as_of=as_of,
        source=SOURCE,
        stale=_is_stale(as_of, now),
        timezone=market.timezone if market else None,
        split_adjusted=False,
        splits=splits,
        adjusted=False,
    )


def matches_of(body: Mapping[str, Any]) -> tuple[tuple[Instrument, Listing], ...]:
    """The candidates of a search, best first, with what later answers about them will not say."""
    found = []
    for entry in body["bestMatches"]:
        symbol = neutral(text(entry.get("1. symbol")) or "")
        unit = text(entry.get("8. currency"))
        if symbol is None or unit is None:
            continue
        kind = _TYPES.get(str(entry.get("3. type")).upper(), "other")
        listing = Listing(text(entry.get("2. name")) or symbol, unit, kind)
        market = market_of(symbol)
        instrument = Instrument(
            symbol=symbol,
            name=listing.name,
            currency=listing.currency,
            type=kind,
            timezone=market.timezone if market else None,
            source=SOURCE,
            prominence=number(entry.get("9. matchScore")),
        )
        found.append((instrument, listing))
    return tuple(found)


def _bar(day: date, row: Mapping[str, Any]) -> Bar | None:
    numbers = [number(row.get(name)) for name in ("1. open", "2. high", "3. low", "4. close")]
    prices = [price for price in numbers if price is not None and price > 0]
    if len(prices) < len(numbers):
        return None
    opened, high, low, close = prices
    return Bar(day, opened, high, low, close, close, int(number(row.get("5. volume")) or 0))


def _scaled(bar: Bar, scale: int, splits: Sequence[Split]) -> Bar:
    later = math.prod(split.ratio for split in splits if split.date > bar.date)
    return Bar(
        date=bar.date,
        open=bar.open / scale,
        high=bar.high / scale,
        low=bar.low / scale,
        close=bar.close / scale,
        adj_close=bar.close / scale / later,
        volume=bar.volume,
    )


def _close_of(symbol: str, day: date) -> datetime:
    # Of a market we do not know, the earliest moment of the day.
    market = market_of(symbol)
    return market.close_of(day) if market else datetime.combine(day, time.min, UTC)


def _is_stale(as_of: datetime, now: datetime) -> bool:
    return now - as_of > timedelta(days=STALE_AFTER_DAYS)


def expect_symbol(symbol: str, answered: str) -> None:
    """Raises ProviderMalformed unless the answer is about ``symbol``."""
    if not is_same(listed_as(symbol), answered):
        raise ProviderMalformed(SOURCE, "the answer is about another symbol")


def number(value: Any) -> float | None:
    """A finite number; "None", "-" and the like are none."""
    if not isinstance(value, str | int | float):
        return None
    try:
        converted = float(value)
    except ValueError:
        return None
    return converted if math.isfinite(converted) else None


def text(value: Any, limit: int = NAME_LENGTH) -> str | None:
    """Cleaned text, or None for what stands for no text."""
    cleaned = clean_text(value, limit) if isinstance(value, str) else ""
    return None if cleaned in {"", "-", "None"} else cleaned
