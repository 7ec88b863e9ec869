"""GET /api/quotes: many prices in one request."""

import azure.functions as func

from functions.http.routes import Call, Route
from functions.market_contract import QuoteItem, QuoteModel, QuotesAnswer, QuotesQuery
from shared.errors import AppError

quote_routes = func.Blueprint()

route = Route(quote_routes, name="quotes", path="quotes", tag="Market data")


@route.operation(
    "GET",
    summary="Last known prices of up to 50 symbols",
    query=QuotesQuery,
    returns=QuotesAnswer,
    example={"symbols": "AAPL,MSFT"},
)
async def quotes(call: Call[None, QuotesQuery]) -> QuotesAnswer:
    """One item per symbol, in the order asked; a symbol that fails has its own error and does not affect the others."""
    symbols = list(dict.fromkeys(call.query.symbols))
    results = await call.app.services.symbols.quotes(symbols)
    return QuotesAnswer(
        items=[
            QuoteItem.failed(symbol, result)
            if isinstance(result, AppError)
            else QuoteItem(symbol=result.symbol, status="ok", quote=QuoteModel.model_validate(result))
            for symbol, result in zip(symbols, results, strict=True)
        ]
    )
