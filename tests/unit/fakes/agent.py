"""A StockAgent over the shipped tools, and what it did with a question."""

from contextlib import aclosing
from dataclasses import dataclass, field

from shared.agent.agent import AgentLimits, AgentQuery, StockAgent
from shared.agent.events import AgentEvent, AnswerChunk, AnswerReport, ToolProgress
from shared.agent.tools.compare import CompareTool
from shared.agent.tools.history_summary import HistorySummaryTool
from shared.agent.tools.indicators import IndicatorTool
from shared.agent.tools.quote import QuoteTool
from shared.agent.tools.registry import ToolRegistry
from shared.agent.tools.search import SearchTool
from shared.agent.turn import ModelChoice
from shared.errors import AppError
from shared.llm.base import BaseModelClient
from shared.market.data_manager import DataManager
from shared.market.providers.sample import SampleProvider
from shared.resilience.deadline import Deadline
from tests.unit.fakes.source import a_market

KINDS = (QuoteTool, HistorySummaryTool, IndicatorTool, CompareTool, SearchTool)


@dataclass
class Answer:
    events: list[AgentEvent] = field(default_factory=list)
    error: AppError | None = None

    @property
    def text(self) -> str:
        return "".join(event.text for event in self.events if isinstance(event, AnswerChunk))

    @property
    def report(self) -> AnswerReport:
        (report,) = [event for event in self.events if isinstance(event, AnswerReport)]
        return report

    @property
    def progress(self) -> list[tuple[str, str]]:
        return [(event.name, event.status) for event in self.events if isinstance(event, ToolProgress)]


def an_agent(
    market: DataManager | None = None, *, rounds: int = 6, tool_calls: int = 16, timeout_s: float = 5
) -> StockAgent:
    tools = ToolRegistry([kind(market or a_market(SampleProvider())) for kind in KINDS], timeout_s=timeout_s)
    return StockAgent(tools, AgentLimits(max_rounds=rounds, max_tool_calls=tool_calls, max_output_tokens=500))


async def ask(
    *models: BaseModelClient,
    question: str = "How is AAPL doing?",
    agent: StockAgent | None = None,
    deadline: Deadline | None = None,
    symbols: tuple[str, ...] = (),
) -> Answer:
    """The whole stream of one answer; an error that ends it is kept, not raised."""
    answer = Answer()
    query = AgentQuery(question, [ModelChoice(model, f"{model.name}-1") for model in models], symbols)
    stream = (agent or an_agent()).process_query_streaming(query, deadline or Deadline.after(30))
    try:
        async with aclosing(stream) as events:
            async for event in events:
                answer.events.append(event)
    except AppError as error:
        answer.error = error
    return answer
