"""get_quote: the last known price of one instrument."""

from typing import Any, ClassVar

from shared.agent.facts import FactLedger, Origin
from shared.agent.tools.arguments import Symbol
from shared.agent.tools.base import ToolArguments, ToolOutput
from shared.market.data_manager import DataManager
from shared.market.types import Quote


class QuoteArguments(ToolArguments):
    symbol: Symbol


class QuoteTool:
    name: ClassVar[str] = "get_quote"
    description: ClassVar[str] = (
        "Last known price of one instrument with its change against the previous close, currency, market state, source "
        "and moment. Check 'stale' and 'market_state' before calling a price current."
    )
    arguments = QuoteArguments

    def __init__(self, market: DataManager) -> None:
        self._market = market

    async def run(self, arguments: QuoteArguments, ledger: FactLedger) -> ToolOutput:
        quote = await self._market.quote(arguments.symbol)
        ledger.introduce(quote.name)
        origin = Origin(quote.symbol, quote.source, quote.as_of, quote.stale, quote.delayed_by_s)
        values = {
            "last_price": (quote.value, quote.currency),
            "previous_close": (quote.previous_close, quote.currency),
            "change": (quote.change, quote.currency),
            "change_percent": (quote.change_percent, "percent"),
        }
        facts = tuple(
            ledger.add(origin, name, value, unit) for name, (value, unit) in values.items() if value is not None
        )
        return ToolOutput(facts, _notes(quote, self._market.caveat(quote.source, quote.as_of.date())))


def _notes(quote: Quote, caveat: str | None) -> dict[str, Any]:
    notes: dict[str, Any] = {"name": quote.name, "market_state": quote.market_state, "exchange": quote.exchange}
    if caveat or quote.stale:
        notes["warning"] = caveat or f"a stale price, the last one is of {quote.as_of.date()}"
    if quote.original_unit:
        notes["quoted_in"] = quote.original_unit
    return notes
