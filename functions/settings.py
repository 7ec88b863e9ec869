"""GET /api/config: what a front end has to know about this deployment, and nothing that is secret."""

import azure.functions as func

from functions.fields import ResponseModel
from functions.http.routes import Call, Route
from shared.version import VERSION

settings_routes = func.Blueprint()

route = Route(settings_routes, name="config", path="config", tag="Operations")


class ConfigAuth(ResponseModel):
    mode: str
    anonymous_chat: bool


class ConfigModel(ResponseModel):
    provider: str
    providers: list[str]
    allow_fallback: bool
    fallback_order: list[str]


class ConfigMarket(ResponseModel):
    providers: list[str]


class ConfigLimits(ResponseModel):
    """Requests per minute and caller, 0 for none; sizes in bytes."""

    anonymous_chat: int
    user_chat: int
    api: int
    max_body_bytes: int
    max_chat_body_bytes: int


class ConfigAnswer(ResponseModel):
    environment: str
    version: str
    auth: ConfigAuth
    model: ConfigModel
    market: ConfigMarket
    limits: ConfigLimits


@route.operation("GET", summary="Safe settings", returns=ConfigAnswer)
async def config(call: Call) -> ConfigAnswer:
    """The settings that are no secret. Built field by field: a new setting is not public by default."""
    settings = call.app.settings
    return ConfigAnswer(
        environment=settings.environment,
        version=VERSION,
        auth=ConfigAuth(mode=settings.auth.mode, anonymous_chat=settings.auth.anonymous_chat),
        model=ConfigModel(
            provider=settings.model.provider,
            providers=list(settings.model.providers),
            allow_fallback=settings.model.allow_fallback,
            fallback_order=list(settings.model.fallback_order),
        ),
        market=ConfigMarket(providers=list(settings.market.providers)),
        limits=ConfigLimits(
            anonymous_chat=settings.rate_limits.anonymous_chat,
            user_chat=settings.rate_limits.user_chat,
            api=settings.rate_limits.api,
            max_body_bytes=settings.http.max_body_bytes,
            max_chat_body_bytes=settings.http.max_chat_body_bytes,
        ),
    )
