"""/api/symbols: who is listed, at what price, and with what history."""

from datetime import datetime
from typing import TYPE_CHECKING

import azure.functions as func

from functions import market_contract as contract
from functions.http.routes import Call, Route

if TYPE_CHECKING:
    from shared.market.technicals import Reading

symbol_routes = func.Blueprint()

search_route = Route(symbol_routes, name="symbols", path="symbols", tag="Market data")
identity_route = Route(symbol_routes, name="symbol", path="symbols/{symbol}", tag="Market data")
quote_route = Route(symbol_routes, name="symbol_quote", path="symbols/{symbol}/quote", tag="Market data")
price_route = Route(symbol_routes, name="symbol_price", path="symbols/{symbol}/price", tag="Market data")
history_route = Route(symbol_routes, name="symbol_history", path="symbols/{symbol}/history", tag="Market data")
indicators_route = Route(symbol_routes, name="symbol_indicators", path="symbols/{symbol}/indicators", tag="Market data")

_PROBLEMS = (404, 503, 504)


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
