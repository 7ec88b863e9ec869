"""The shipped tools over the bundled sample, or over a source that a test fills."""

import json

import pytest

from shared.agent.facts import FactLedger
from shared.agent.tools.compare import CompareTool
from shared.agent.tools.history_summary import HistorySummaryTool
from shared.agent.tools.indicators import IndicatorTool
from shared.agent.tools.quote import QuoteTool
from shared.agent.tools.registry import ToolRegistry
from shared.agent.tools.search import SearchTool
from shared.llm.types import ToolCall
from shared.market.data_manager import DataManager
from shared.market.providers.sample import SampleProvider
from shared.resilience.deadline import Deadline
from tests.unit.fakes.source import a_market

KINDS = (QuoteTool, HistorySummaryTool, IndicatorTool, CompareTool, SearchTool)


class Found:
    """One call's outcome: what the model reads, and what was allowed to be said."""

    def __init__(self, result) -> None:
        self.ledger = FactLedger()
        self.result = result
        self.document = json.loads(result.text(self.ledger.absorb(result.found)))
        self.notes = self.document.get("notes", {})
        self.facts = {fact.name: fact for fact in self.ledger.facts}

    def values(self) -> dict[str, float]:
        return {name: fact.value for name, fact in self.facts.items()}


@pytest.fixture
def look_up():
    """``await look_up("get_quote", symbol="AAPL")``, over the sample unless another market is given."""

    async def call(name: str, market: DataManager | None = None, **arguments) -> Found:
        registry = ToolRegistry([kind(market or a_market(SampleProvider())) for kind in KINDS], timeout_s=5)
        return Found(await registry.run(ToolCall("c1", name, json.dumps(arguments)), Deadline.after(30)))

    return call
