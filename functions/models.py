"""GET /api/models: which models can answer, and which one does."""

from typing import Literal

import azure.functions as func

from functions.fields import ResponseModel
from functions.http.routes import Call, Route
from shared.errors import ModelUnavailable

model_routes = func.Blueprint()

route = Route(model_routes, name="models", path="models", tag="Models")


class ModelEntry(ResponseModel):
    id: str
    capabilities: list[str]


class ProviderModel(ResponseModel):
    """``reason`` says why a provider is not available."""

    name: str
    available: bool
    reason: str | None
    default_model: str
    models: list[ModelEntry]


class SelectedModel(ResponseModel):
    provider: str
    name: str
    scope: Literal["request", "user", "default"]


class ModelsAnswer(ResponseModel):
    """``selected`` is null when no provider can be used."""

    providers: list[ProviderModel]
    selected: SelectedModel | None
    fallback_order: list[str]


@route.operation("GET", summary="Providers, their models, and the current choice", returns=ModelsAnswer)
async def models(call: Call) -> ModelsAnswer:
    """From the configuration: no provider is asked. A provider without credentials is listed with the reason."""
    service = call.app.services.models
    providers = [
        ProviderModel(
            name=item.name,
            available=item.available,
            reason=item.reason,
            default_model=item.default_model,
            models=[ModelEntry(id=model, capabilities=list(item.capabilities)) for model in item.models],
        )
        for item in service.overview()
    ]
    try:
        selection = service.selected()
        selected = SelectedModel(provider=selection.provider, name=selection.name, scope="default")
    except ModelUnavailable:
        selected = None
    return ModelsAnswer(providers=providers, selected=selected, fallback_order=list(service.fallback_order))
