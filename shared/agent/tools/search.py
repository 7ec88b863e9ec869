"""search_symbol: which instrument a name means; the only way a name becomes a symbol."""

from typing import ClassVar

from pydantic import Field

from shared.agent.facts import FactLedger
from shared.agent.tools.base import ToolArguments, ToolOutput
from shared.market.data_manager import DataManager
from shared.market.identity import Ambiguous, Resolved, resolve


class SearchArguments(ToolArguments):
    query: str = Field(min_length=1, max_length=80, description="A company's name or a part of it.")


class SearchTool:
    name: ClassVar[str] = "search_symbol"
    description: ClassVar[str] = (
        "Finds the symbol of a company by its name. When 'resolved' is false, ask the user which candidate is meant "
        "instead of choosing one. Never guess a symbol."
    )
    arguments = SearchArguments

    def __init__(self, market: DataManager) -> None:
        self._market = market

    async def run(self, arguments: SearchArguments, ledger: FactLedger) -> ToolOutput:
        found = await self._market.search(arguments.query)
        ledger.introduce(*(name for item in found.candidates for name in (item.symbol, item.name)))
        match resolve(arguments.query, found.candidates):
            case Resolved(instrument):
                return ToolOutput(candidates=(instrument,), notes={"query": arguments.query})
            case Ambiguous(candidates):
                return ToolOutput(candidates=candidates, resolved=False, notes={"query": arguments.query})
        if not found.complete:
            # The source that could know the name is down: an outage, not an unknown company.
            raise self._market.outage(f" The bundled sample does not know {arguments.query!r}.")
        notes = {"query": arguments.query, "found": "nothing is listed under this name"}
        if coverage := self._market.coverage:
            notes["coverage"] = coverage
        return ToolOutput(notes=notes)
