"""From Alpha Vantage's overviews and headlines to our types."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from shared.market.currencies import major_unit
from shared.market.provider import NotOffered, ProviderMalformed
from shared.market.providers.alpha_vantage_payloads import expect_symbol, number, text
from shared.market.providers.alpha_vantage_symbols import SOURCE
from shared.market.text import SUMMARY_LENGTH, TITLE_LENGTH, clean_url
from shared.market.types import Fundamentals, NewsItem

_RATES = {"dividend_yield": "DividendYield", "profit_margin": "ProfitMargin"}
_FIGURES = {
    "market_cap": "MarketCapitalization",
    "price_to_earnings": "PERatio",
    "forward_price_to_earnings": "ForwardPE",
    "price_to_book": "PriceToBookRatio",
    "earnings_per_share": "EPS",
    "revenue": "RevenueTTM",
    "beta": "Beta",
}


def fundamentals_of(symbol: str, body: Mapping[str, Any], now: datetime) -> Fundamentals:
    """As of now: an overview has no date but the last quarter's.

    Raises NotOffered for the empty overview, which funds, foreign listings and symbols that do not exist share.
    """
    if not body:
        raise NotOffered(SOURCE, "no key figures for this symbol")
    expect_symbol(symbol, body["Symbol"])
    figures = {name: number(body.get(key)) for name, key in _FIGURES.items()}
    rates = {name: number(body.get(key)) for name, key in _RATES.items()}
    if all(value is None for value in (*figures.values(), *rates.values())):
        raise NotOffered(SOURCE, "no key figures for this symbol")
    currency = text(body.get("Currency"))
    if currency is None:
        raise ProviderMalformed(SOURCE, "company data without a currency")
    found = Fundamentals(
        symbol=symbol,
        name=text(body.get("Name")) or symbol,
        currency=major_unit(currency)[0],
        as_of=now,
        source=SOURCE,
        sector=text(body.get("Sector")),
        industry=text(body.get("Industry")),
        fiscal_quarter_end=_day(body.get("LatestQuarter")),
    )
    percent = {name: None if rate is None else round(100 * rate, 6) for name, rate in rates.items()}
    return replace(found, **figures, **percent)  # type: ignore[arg-type]


def news_of(body: Mapping[str, Any], limit: int) -> tuple[NewsItem, ...]:
    """Newest first; Alpha Vantage sends fifty whatever is asked for."""
    found = [item for entry in body["feed"] if (item := _headline(entry)) is not None]
    return tuple(sorted(found, key=lambda item: item.published_at, reverse=True)[:limit])


def _headline(entry: Mapping[str, Any]) -> NewsItem | None:
    title, link, stamp = text(entry.get("title"), TITLE_LENGTH), entry.get("url"), entry.get("time_published")
    try:
        # Documented without a zone; taken for UTC.
        published_at = datetime.strptime(str(stamp), "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    if title is None:
        return None
    return NewsItem(
        title=title,
        publisher=text(entry.get("source")) or "",
        url=clean_url(link) if isinstance(link, str) else "",
        published_at=published_at,
        summary=text(entry.get("summary"), SUMMARY_LENGTH) or "",
        source=SOURCE,
    )


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
