"""Which models there are, which one answers, and which ones stand in for it."""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.config.settings import ModelProviderSettings, ModelSettings
from shared.errors import InvalidRequest, ModelUnavailable
from shared.llm.base import BaseModelClient
from shared.llm.types import OFFLINE_PROVIDER


@dataclass(frozen=True, slots=True)
class Availability:
    """``reason`` says why a provider cannot be used; None when it can."""

    available: bool
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Selection:
    """The model that is to answer. ``skipped`` explains each provider that was wanted first and passed over."""

    provider: str
    name: str
    scope: str
    skipped: Mapping[str, str]


class ModelClientFactory:
    """Builds clients once per provider and keeps them; nothing is connected or imported before the first call."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._clients: dict[str, BaseModelClient] = {}

    @property
    def providers(self) -> Mapping[str, ModelProviderSettings]:
        return self._settings.providers

    @property
    def fallback_order(self) -> tuple[str, ...]:
        return self._settings.fallback_order

    def availability(self, provider: str) -> Availability:
        """From the configuration alone; asks nobody."""
        settings = self._known(provider)
        if settings.wire == "offline" or settings.api_key or settings.base_url:
            return Availability(available=True)
        return Availability(available=False, reason=f"no credentials: set {provider.upper()}_API_KEY")

    def get_client(self, provider: str) -> BaseModelClient:
        """The client of a provider. Raises InvalidRequest for an unknown one, ModelUnavailable without credentials."""
        availability = self.availability(provider)
        if not availability.available:
            raise ModelUnavailable(f"The provider {provider!r} cannot be used: {availability.reason}.")
        if provider not in self._clients:
            self._clients[provider] = self._build(provider)
        return self._clients[provider]

    def select(self, provider: str | None = None, model: str | None = None) -> Selection:
        """The request's choice, else the configured one; a provider without credentials is passed over, with a reason.

        Raises ModelUnavailable when nothing is left.
        """
        wanted = [self._settings.provider]
        if provider is not None:
            self._known(provider)
            wanted.insert(0, provider)
        if self._settings.allow_fallback:
            wanted += self._settings.fallback_order
        skipped: dict[str, str] = {}
        for name in dict.fromkeys(wanted):
            availability = self.availability(name)
            if availability.available:
                scope = "request" if name == provider or (model and not skipped) else "default"
                return Selection(name, self._model(name, model if name == wanted[0] else None), scope, skipped)
            skipped[name] = availability.reason or "unavailable"
        reasons = "; ".join(f"{name}: {reason}" for name, reason in skipped.items())
        raise ModelUnavailable(f"No model provider can be used ({reasons}).")

    def get_fallback_sequence(self, selection: Selection) -> tuple[tuple[BaseModelClient, str], ...]:
        """The selected client and its stand-ins in order, each with its model, without repetitions."""
        names = [selection.provider]
        if self._settings.allow_fallback:
            names += [name for name in self._settings.fallback_order if self.availability(name).available]
        return tuple(
            (
                self.get_client(name),
                selection.name if name == selection.provider else self._settings.providers[name].model,
            )
            for name in dict.fromkeys(names)
        )

    async def clear_cache(self) -> None:
        """Close all clients; the next call builds new ones."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    def _known(self, provider: str) -> ModelProviderSettings:
        try:
            return self._settings.providers[provider]
        except KeyError:
            known = ", ".join(sorted(self._settings.providers))
            raise InvalidRequest(f"There is no such provider; use one of {known}.", code="unknown_provider") from None

    def _model(self, provider: str, wanted: str | None) -> str:
        settings = self._settings.providers[provider]
        if wanted is None:
            configured = self._settings.name if provider == self._settings.provider else None
            return configured or settings.model
        if provider == OFFLINE_PROVIDER and wanted != settings.model:
            raise InvalidRequest(f"The offline analyst has one model, {settings.model!r}.", code="unknown_model")
        return wanted

    def _build(self, provider: str) -> BaseModelClient:
        settings = self._settings.providers[provider]
        if settings.wire == "offline":
            from shared.llm.analyst.client import OfflineAnalyst

            return OfflineAnalyst()
        from shared.llm.openai_client import OpenAIModelClient
        from shared.llm.stream_budgets import StreamBudgets

        budgets = self._settings.budgets
        # OpenAI itself has both wires: a 404 there is about the model, and a second try would be wasted.
        wire = "responses" if settings.wire == "auto" and settings.base_url is None else settings.wire
        return OpenAIModelClient(
            name=provider,
            # Servers that need no key still want the header; any non-empty value will do.
            api_key=settings.api_key.get_secret_value() if settings.api_key else "unused",
            base_url=settings.base_url,
            wire=wire,
            budgets=StreamBudgets(connect_s=budgets.connect, first_token_s=budgets.first_token, idle_s=budgets.idle),
        )
