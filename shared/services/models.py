"""Which models can answer, and which one would."""

from dataclasses import dataclass
from typing import Any

from shared.errors import ModelUnavailable
from shared.llm.factory import ModelClientFactory, Selection
from shared.services.base import BaseService, DependencyHealth


@dataclass(frozen=True, slots=True)
class ProviderOverview:
    name: str
    available: bool
    reason: str | None
    default_model: str
    models: tuple[str, ...]
    capabilities: tuple[str, ...]


class ModelsService(BaseService):
    def __init__(self, factory: ModelClientFactory) -> None:
        self._factory = factory

    @property
    def fallback_order(self) -> tuple[str, ...]:
        return self._factory.fallback_order

    def overview(self) -> list[ProviderOverview]:
        """Every configured provider; the models are those of the configuration, nobody is asked."""
        overviews = []
        for name, settings in self._factory.providers.items():
            availability = self._factory.availability(name)
            models = tuple(dict.fromkeys((settings.model, *settings.models)))
            overviews.append(
                ProviderOverview(
                    name,
                    availability.available,
                    availability.reason,
                    settings.model,
                    models,
                    ("chat", "streaming", "tools"),
                )
            )
        return overviews

    def selected(self) -> Selection:
        """What answers when a request names nothing. Raises ModelUnavailable when nothing can."""
        return self._factory.select()

    async def health_check(self) -> tuple[bool, dict[str, Any]]:
        try:
            selection = self.selected()
        except ModelUnavailable:
            health = DependencyHealth("down", {"selected": None})
        else:
            health = DependencyHealth("ok", {"selected": selection.provider, "skipped": dict(selection.skipped)})
        return self._dependencies_health_report({}, {"models": health})
