"""Builds each service once, from the parts that the composition root has chosen.

What a service stands on is imported with it: a health check must not pay for the assistant.
"""

from functools import cached_property
from typing import TYPE_CHECKING

from shared.cache.backend import CacheBackend
from shared.clock import Clock
from shared.config import Settings
from shared.llm.factory import ModelClientFactory
from shared.market.data_manager import DataManager
from shared.resilience.load_gate import LoadGate

if TYPE_CHECKING:
    from shared.agent.agent import StockAgent
    from shared.agent.tools.registry import ToolRegistry
    from shared.services.chat import ChatService
    from shared.services.health import HealthService
    from shared.services.models import ModelsService
    from shared.services.symbols import SymbolsService


class ServiceFactory:
    """Services are made on first use and shared by all requests of the instance."""

    def __init__(
        self, settings: Settings, *, market: DataManager, models: ModelClientFactory, cache: CacheBackend, clock: Clock
    ) -> None:
        self._settings = settings
        self._market = market
        self._models = models
        self._cache = cache
        self._clock = clock

    @cached_property
    def symbols(self) -> "SymbolsService":
        from shared.services.symbols import SymbolsService

        return SymbolsService(self._market)

    @cached_property
    def models(self) -> "ModelsService":
        from shared.services.models import ModelsService

        return ModelsService(self._models)

    @cached_property
    def chat(self) -> "ChatService":
        from shared.services.chat import ChatService

        gate = LoadGate(self._settings.http.max_concurrent_chats)
        return ChatService(self._agent, self._models, self._settings.model.budgets, gate)

    @cached_property
    def health(self) -> "HealthService":
        from shared.services.health import HealthService

        has_redis = self._settings.redis.host is not None
        return HealthService((self.symbols, self.models), self._cache, has_redis=has_redis, clock=self._clock)

    @cached_property
    def _agent(self) -> "StockAgent":
        from shared.agent.agent import AgentLimits, StockAgent

        limits = AgentLimits(
            max_rounds=self._settings.agent.max_rounds,
            max_tool_calls=self._settings.agent.max_tool_calls,
            max_output_tokens=self._settings.model.max_output_tokens,
            debug_prompt=self._settings.model.debug_prompt,
        )
        return StockAgent(self._tools, limits, clock=self._clock)

    @cached_property
    def _tools(self) -> "ToolRegistry":
        from shared.agent.tools.compare import CompareTool
        from shared.agent.tools.history_summary import HistorySummaryTool
        from shared.agent.tools.indicators import IndicatorTool
        from shared.agent.tools.quote import QuoteTool
        from shared.agent.tools.registry import ToolRegistry
        from shared.agent.tools.search import SearchTool

        kinds = (QuoteTool, HistorySummaryTool, IndicatorTool, CompareTool, SearchTool)
        return ToolRegistry([kind(self._market) for kind in kinds], timeout_s=self._settings.agent.tool_timeout_s)
