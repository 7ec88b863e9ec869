"""GET /api/health and /api/health/live: may traffic come here, and is the process alive."""

from typing import Literal

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Response

from functions.fields import ResponseModel, UtcMoment
from functions.http.guard import json_response
from functions.http.routes import Call, Route
from shared.services.base import CheckState
from shared.version import VERSION

health_routes = func.Blueprint()

health_route = Route(health_routes, name="health", path="health", tag="Health")
live_route = Route(health_routes, name="health_live", path="health/live", tag="Health")


class HealthChecks(ResponseModel):
    """``off`` means not configured."""

    database: CheckState
    cache: CheckState
    models: CheckState
    market_data: CheckState
    secrets: CheckState


class HealthAnswer(ResponseModel):
    status: Literal["healthy", "degraded", "unhealthy"]
    message: str
    version: str
    timestamp: UtcMoment
    checks: HealthChecks


class LiveAnswer(ResponseModel):
    status: Literal["alive"] = "alive"


@health_route.operation(
    "GET", summary="Fitness to answer", returns=HealthAnswer, limit="none", answers={503: HealthAnswer}
)
async def health(call: Call) -> Response:
    """200 while the app can answer, `degraded` when something stands in for an optional dependency; 503 with the same
    body when a required dependency is down. Results are kept for five seconds and cost no quota."""
    report = await call.app.services.health.check()
    answer = HealthAnswer(
        status=report.status,
        message=report.message,
        version=VERSION,
        timestamp=call.app.clock.now(),
        checks=HealthChecks.model_validate(report.checks),
    )
    return json_response(answer, 503 if report.status == "unhealthy" else 200)


@live_route.operation("GET", summary="Sign of life", returns=LiveAnswer, limit="none")
async def live(call: Call) -> LiveAnswer:  # noqa: ARG001 - nothing about the request or the app matters
    """200 whatever the dependencies do; touches none of them."""
    return LiveAnswer()
