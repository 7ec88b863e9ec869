"""One question and its answer: who answers, under which limits, and what goes with the answer."""

import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from shared.agent.agent import AgentQuery, StockAgent
from shared.agent.events import AgentEvent, AnswerReport
from shared.agent.prompts import PROMPT_VERSION
from shared.agent.turn import ModelChoice
from shared.config.settings import ModelBudgets
from shared.llm.factory import ModelClientFactory, Selection
from shared.market.symbols import parse_symbol
from shared.resilience.deadline import Deadline
from shared.resilience.load_gate import LoadGate
from shared.services.base import BaseService, DependencyHealth

DISCLAIMER = (
    "Information from market data, not investment advice. Data may be delayed or wrong; check them before you act."
)


@dataclass(frozen=True, slots=True)
class ChatQuestion:
    """``provider`` and ``model`` override the choice for this question only."""

    message: str
    conversation_id: str | None = None
    provider: str | None = None
    model: str | None = None
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChatTurn:
    """A question that has been accepted; nothing has been asked of anybody yet."""

    conversation_id: str
    message_id: str
    prompt_version: str
    selection: Selection
    query: AgentQuery


class ChatService(BaseService):
    def __init__(self, agent: StockAgent, models: ModelClientFactory, budgets: ModelBudgets, gate: LoadGate) -> None:
        self._agent = agent
        self._models = models
        self._budgets = budgets
        self._gate = gate

    def accept(self, question: ChatQuestion) -> ChatTurn:
        """Checks everything that can be checked without asking anybody, so that it fails before a stream begins."""
        selection = self._models.select(question.provider, question.model)
        choices = [ModelChoice(client, model) for client, model in self._models.get_fallback_sequence(selection)]
        symbols = tuple(dict.fromkeys(parse_symbol(symbol) for symbol in question.symbols))
        self._gate.check()
        return ChatTurn(
            conversation_id=question.conversation_id or str(uuid.uuid4()),
            message_id=str(uuid.uuid4()),
            prompt_version=PROMPT_VERSION,
            selection=selection,
            query=AgentQuery(question.message, choices, symbols),
        )

    async def answer(self, turn: ChatTurn) -> tuple[str, AnswerReport]:
        """The whole answer, within the time that every front end allows for a plain response."""
        with self._gate.enter():
            return await self._agent.process_query(turn.query, Deadline.after(self._budgets.total_json))

    async def stream(self, turn: ChatTurn) -> AsyncGenerator[AgentEvent]:
        """The answer as it comes; ends with an ``AnswerReport`` or raises ``AppError``."""
        deadline = Deadline.after(self._budgets.total_stream)
        with self._gate.enter():
            async with aclosing(self._agent.process_query_streaming(turn.query, deadline)) as events:
                async for event in events:
                    yield event

    async def health_check(self) -> tuple[bool, dict[str, Any]]:
        load = DependencyHealth("ok", {"answers_in_progress": self._gate.inside})
        return self._dependencies_health_report({"chat": load}, {})
