"""From Yahoo's company data and headlines to our types: rates in percent, no figure in a currency it is not in."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.market.currencies import major_unit
from shared.market.provider import STALE_AFTER_DAYS, NotOffered, ProviderMalformed
from shared.market.providers.yahoo_payloads import SOURCE, moment, number, text
from shared.market.text import SUMMARY_LENGTH, TITLE_LENGTH, clean_url
from shared.market.types import Fundamentals, NewsItem

MODULES = ("price", "summaryDetail", "defaultKeyStatistics", "financialData", "assetProfile")
"""The parts of one ``quoteSummary`` request. ``Ticker.info`` makes three requests, and its ``dividendYield`` is a
percentage from the second of them while every other rate is a fraction; in these modules all rates are fractions."""

_IDENTITY = frozenset({"symbol", "name", "currency", "as_of", "source", "stale"})


def fundamentals_of(symbol: str, answer: Any, now: datetime) -> Fundamentals:
    """As of the market price that the ratios are made with. Raises NotOffered when no figure is stated.

    Yahoo divides prices by per-share figures without looking at their units (yfinance#2593: an Indian price over a book
    value in dollars; pence over pounds). So ratios are kept only where price and accounts are in the same unit, and
    amounts from the accounts only where those are in the currency of the price.
    """
    modules = _modules(answer)
    unit = text(modules["price"], "currency") or text(modules["summaryDetail"], "currency")
    if unit is None:
        raise ProviderMalformed(SOURCE, "company data without a currency")
    currency = major_unit(unit)[0]
    accounts = text(modules["financialData"], "financialCurrency") or unit
    detail, statistics, financial = (
        modules[name] for name in ("summaryDetail", "defaultKeyStatistics", "financialData")
    )
    in_currency = major_unit(accounts)[0] == currency
    in_unit = accounts == unit
    as_of = moment(modules["price"].get("regularMarketTime")) or now
    found = Fundamentals(
        symbol=symbol,
        name=text(modules["price"], "longName") or text(modules["price"], "shortName") or symbol,
        currency=currency,
        as_of=as_of,
        source=SOURCE,
        market_cap=_figure(modules["price"], "marketCap") or _figure(detail, "marketCap"),
        price_to_earnings=_figure(detail, "trailingPE") if in_unit else None,
        forward_price_to_earnings=_figure(detail, "forwardPE") if in_unit else None,
        price_to_book=_figure(statistics, "priceToBook") if in_unit else None,
        earnings_per_share=_figure(statistics, "trailingEps") if in_currency else None,
        dividend_yield=_percent(detail, "dividendYield"),
        profit_margin=_percent(financial, "profitMargins"),
        revenue=_figure(financial, "totalRevenue") if in_currency else None,
        beta=_figure(detail, "beta"),
        sector=text(modules["assetProfile"], "sector"),
        industry=text(modules["assetProfile"], "industry"),
        fiscal_quarter_end=_day(statistics, "mostRecentQuarter"),
        stale=now - as_of > timedelta(days=STALE_AFTER_DAYS),
    )
    if all(getattr(found, field.name) is None for field in fields(found) if field.name not in _IDENTITY):
        raise NotOffered(SOURCE, "no key figures for this instrument")
    return found


def news_of(answer: Any, limit: int) -> tuple[NewsItem, ...]:
    """The headlines of a news answer; an answer without their list is an error wrapped in JSON, not "no news"."""
    stream = _mapping(_mapping(_mapping(answer).get("data")).get("tickerStream")).get("stream")
    if not isinstance(stream, list):
        raise ProviderMalformed(SOURCE, "news answer without a list")
    found = [item for entry in stream if (item := _headline(_mapping(entry))) is not None]
    return tuple(sorted(found, key=lambda item: item.published_at, reverse=True)[:limit])


def _headline(entry: Mapping[str, Any]) -> NewsItem | None:
    content = _mapping(entry.get("content"))
    title = text(content, "title", TITLE_LENGTH)
    published_at = _published(content.get("pubDate"))
    if entry.get("ad") or title is None or published_at is None:
        return None
    links = (_mapping(content.get(name)).get("url") for name in ("canonicalUrl", "clickThroughUrl"))
    return NewsItem(
        title=title,
        publisher=text(_mapping(content.get("provider")), "displayName") or "",
        url=next((url for link in links if isinstance(link, str) and (url := clean_url(link))), ""),
        published_at=published_at,
        summary=text(content, "summary", SUMMARY_LENGTH) or "",
        source=SOURCE,
    )


def _modules(answer: Any) -> Mapping[str, Mapping[str, Any]]:
    result = _mapping(_mapping(answer).get("quoteSummary")).get("result")
    if not isinstance(result, list) or not result:
        raise ProviderMalformed(SOURCE, "company data without a result")
    found = _mapping(result[0])
    return {name: _mapping(found.get(name)) for name in MODULES}


def _figure(module: Mapping[str, Any], key: str) -> float | None:
    value = module.get(key)
    # Asked for plain numbers, Yahoo still wraps some, and gives an empty object for a missing one.
    return number(value.get("raw") if isinstance(value, Mapping) else value)


def _percent(module: Mapping[str, Any], key: str) -> float | None:
    fraction = _figure(module, key)
    return None if fraction is None else round(100 * fraction, 6)


def _day(module: Mapping[str, Any], key: str) -> date | None:
    stamp = moment(_figure(module, key))
    return None if stamp is None else stamp.date()


def _published(value: Any) -> datetime | None:
    if not isinstance(value, str):
        return None
    try:
        stamp = datetime.fromisoformat(value)
    except ValueError:
        return None
    return stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
