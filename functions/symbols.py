"""/api/symbols: who is listed, at what price, and with what history."""

from collections.abc import AsyncGenerator
from datetime import datetime
from itertools import batched
from typing import TYPE_CHECKING

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Response

from functions import market_contract as contract
from functions.chat_contract import ErrorFrame
from functions.http import sse
from functions.http.routes import Call, Route
from shared.market.symbols import parse_symbol

if TYPE_CHECKING:
    from shared.market.technicals import Reading

symbol_routes = func.Blueprint()

search_route = Route(symbol_routes, name="symbols", path="symbols", tag="Market data")
# The host gives a literal no precedence over a parameter: without the constraint below, "stream" would be a symbol.
search_stream_route = Route(symbol_routes, name="symbols_stream", path="symbols/stream", tag="Market data")
identity_route = Route(symbol_routes, name="symbol", path="symbols/{symbol:regex(^(?!stream$).+$)}", tag="Market data")
quote_route = Route(symbol_routes, name="symbol_quote", path="symbols/{symbol}/quote", tag="Market data")
price_route = Route(symbol_routes, name="symbol_price", path="symbols/{symbol}/price", tag="Market data")
history_route = Route(symbol_routes, name="symbol_history", path="symbols/{symbol}/history", tag="Market data")
indicators_route = Route(symbol_routes, name="symbol_indicators", path="symbols/{symbol}/indicators", tag="Market data")

fundamentals_route = Route(
    symbol_routes, name="symbol_fundamentals", path="symbols/{symbol}/fundamentals", tag="Market data"
)
news_route = Route(symbol_routes, name="symbol_news", path="symbols/{symbol}/news", tag="Market data")

chart_route = Route(symbol_routes, name="symbol_chart", path="symbols/{symbol}/chart", tag="Market data")

_PROBLEMS = (404, 503, 504)
# A picture may be opened on its own: it runs nothing and loads nothing.
_CHART_HEADERS = {
    "Cache-Control": "max-age=60",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}


@search_route.operation(
    "GET",
    summary="Find instruments by name",
    query=contract.SearchQuery,
    returns=contract.SearchAnswer,
    problems=(503,),
    example={"q": "apple"},
)
async def search(call: Call[None, contract.SearchQuery]) -> contract.SearchAnswer:
    """Candidates for a name, a part of it, or a symbol, best first."""
    found = await call.app.services.symbols.search(call.query.q, call.query.limit)
    items = [contract.InstrumentModel.model_validate(item) for item in found.candidates]
    return contract.SearchAnswer(items=items, complete=found.complete)


@search_stream_route.operation(
    "GET",
    summary="Find instruments by name, in batches",
    query=contract.SearchStreamQuery,
    streams=(contract.SearchBatch, contract.SearchDone, ErrorFrame),
    problems=(503,),
    example={"q": "apple"},
)
async def search_streaming(call: Call[None, contract.SearchStreamQuery]) -> Response:
    """The candidates of a search as `batch` frames, then one `done` frame and `[DONE]`."""
    found = await call.app.services.symbols.search(call.query.q, call.query.limit)

    async def frames() -> AsyncGenerator[sse.Frame]:
        for batch in batched(found.candidates, call.query.chunk_size, strict=False):
            items = [contract.InstrumentModel.model_validate(item) for item in batch]
            yield contract.SearchBatch(items=items).model_dump(mode="json")
        yield contract.SearchDone(total=len(found.candidates), complete=found.complete).model_dump(mode="json")

    return sse.event_stream(frames(), call.context, heartbeat_s=call.app.settings.http.heartbeat_s)


@chart_route.operation(
    "GET",
    summary="Picture of the price history",
    query=contract.ChartQuery,
    media_type="image/svg+xml",
    problems=_PROBLEMS,
)
async def chart(call: Call[None, contract.ChartQuery]) -> Response:
    """An SVG with axis, dates, last value and an accessible title; it says when the data are not current."""
    picture = await call.app.services.symbols.chart(call.path["symbol"], call.query.range)
    return Response(picture.encode(), media_type="image/svg+xml", headers=dict(_CHART_HEADERS))


@identity_route.operation(
    "GET", summary="Identity of an instrument", returns=contract.InstrumentModel, problems=_PROBLEMS
)
async def identity(call: Call) -> contract.InstrumentModel:
    """Name, exchange, currency and type of a symbol."""
    return contract.InstrumentModel.model_validate(await call.app.services.symbols.identity(call.path["symbol"]))


async def quote(call: Call) -> contract.QuoteModel:
    """The last known price with its currency, moment and source. `stale` and `market_state` say how current it is."""
    return contract.QuoteModel.model_validate(await call.app.services.symbols.quote(call.path["symbol"]))


quote_route.operation(
    "GET", summary="Last known price and its change", returns=contract.QuoteModel, problems=_PROBLEMS
)(quote)
price_route.operation(
    "GET", summary="The same as quote, under another name", returns=contract.QuoteModel, problems=_PROBLEMS
)(quote)


@history_route.operation(
    "GET",
    summary="Price history",
    query=contract.HistoryQuery,
    returns=contract.HistoryAnswer,
    problems=_PROBLEMS,
)
async def history(call: Call[None, contract.HistoryQuery]) -> contract.HistoryAnswer:
    """Bars from one source, oldest first, with raw and adjusted closes. The range ends at the newest bar."""
    found = await call.app.services.symbols.history(call.path["symbol"], call.query.range, call.query.interval)
    return contract.HistoryAnswer(
        symbol=found.symbol,
        name=found.name,
        currency=found.currency,
        range=call.query.range,
        interval=found.interval,
        timezone=found.timezone,
        as_of=found.as_of,
        source=found.source,
        stale=found.stale,
        split_adjusted=found.split_adjusted,
        splits=[contract.SplitModel.model_validate(split) for split in found.splits],
        bars=[contract.BarModel.model_validate(bar) for bar in found.bars],
    )


@fundamentals_route.operation(
    "GET", summary="Key figures of a company", returns=contract.FundamentalsModel, problems=(404, 422, 503, 504)
)
async def fundamentals(call: Call) -> contract.FundamentalsModel:
    """What the source states now; nothing about the past can be read from it. 422 where no source has such figures."""
    return contract.FundamentalsModel.model_validate(await call.app.services.symbols.fundamentals(call.path["symbol"]))


@news_route.operation(
    "GET",
    summary="Headlines about an instrument",
    query=contract.NewsQuery,
    returns=contract.NewsAnswer,
    problems=(404, 422, 503, 504),
)
async def news(call: Call[None, contract.NewsQuery]) -> contract.NewsAnswer:
    """Newest first. Titles and summaries come from outside: show them as text."""
    symbol = call.path["symbol"]
    found = await call.app.services.symbols.news(symbol, call.query.limit)
    return contract.NewsAnswer(
        symbol=parse_symbol(symbol), items=[contract.NewsItemModel.model_validate(item) for item in found]
    )


@indicators_route.operation(
    "GET",
    summary="Technical indicators",
    query=contract.IndicatorsQuery,
    returns=contract.IndicatorsAnswer,
    problems=_PROBLEMS,
    example={"names": "rsi,macd,sma50"},
)
async def indicators(call: Call[None, contract.IndicatorsQuery]) -> contract.IndicatorsAnswer:
    """Readings at the newest daily bar on raw closes, each with its period, the bars it used and its convention."""
    report = await call.app.services.symbols.indicators(call.path["symbol"], call.query.names)
    found = report.history
    return contract.IndicatorsAnswer(
        symbol=found.symbol,
        currency=found.currency,
        as_of=found.as_of,
        source=found.source,
        stale=found.stale,
        indicators=[_indicator(reading, found.as_of, found.currency) for reading in report.readings],
    )


def _indicator(reading: "Reading", as_of: datetime, currency: str) -> contract.IndicatorModel:
    return contract.IndicatorModel(
        name=reading.name,
        status="insufficient_data" if reading.value is None else "ok",
        value=reading.value,
        values=reading.parts,
        unit=currency if reading.unit == "price" else reading.unit,
        period=reading.period,
        bars_used=reading.bars_used,
        bars_needed=reading.bars_needed,
        as_of=as_of,
        convention=reading.convention,
    )
