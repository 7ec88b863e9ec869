"""The one way through which every request goes: whatever happens, the caller gets a well-formed answer.

An exception that escapes a handler is a bare 500 on the Functions host, and an escaped cancellation hangs the request
until the worker is restarted; so nothing escapes from here.
"""

import asyncio
import logging
from typing import Any

from azurefunctions.extensions.http.fastapi import Request, Response
from pydantic import BaseModel, ValidationError

from functions.http.context import RequestContext, context_of
from functions.http.json_body import read_json
from functions.http.principals import principal_of
from functions.http.problems import problem_response, validation_failure
from functions.http.routes import Call, Operation, Route
from shared.app import App, get_app
from shared.errors import AppError, DependencyUnavailable, InvalidRequest, MethodNotAllowed, Unauthenticated
from shared.observability.request_context import set_request_id

_log = logging.getLogger(__name__)


async def serve(route: Route, request: Request) -> Response:
    """Runs the operation that the request asks for; never raises."""
    context = context_of(request)
    set_request_id(context.request_id)
    try:
        response = await _run(route, request, context)
    except AppError as exc:
        response = problem_response(exc, context.request_id)
    except asyncio.CancelledError:
        _log.warning("%s was cancelled", route.name)
        interrupted = DependencyUnavailable("The request was interrupted. Try again.", code="interrupted")
        response = problem_response(interrupted, context.request_id)
    except Exception:  # noqa: BLE001 - the caller gets a 500 with an id, the log gets the rest
        _log.exception("%s failed", route.name)
        response = problem_response(AppError("Something went wrong on our side."), context.request_id)
    response.headers["X-Request-ID"] = context.request_id
    response.headers["X-Response-Time"] = f"{context.elapsed_ms:.1f}"
    response.headers["X-Content-Type-Options"] = "nosniff"
    _log.info("%s %s -> %d in %.1f ms", request.method, route.name, response.status_code, context.elapsed_ms)
    return response


async def _run(route: Route, request: Request, context: RequestContext) -> Response:
    operation = route.operation_for(request.method)
    if operation is None:
        allowed = route.allowed
        raise MethodNotAllowed(f"Use {' or '.join(allowed)} here, not {request.method}.", allow=allowed)
    app = get_app()
    if operation.access == "chat":
        context.principal = principal_of(request)
        if context.principal.kind == "anonymous" and not app.settings.auth.anonymous_chat:
            raise Unauthenticated("Sign in to chat: anonymous chat is switched off here.")
    _limit(operation, app, context)
    call = Call(
        app=app,
        context=context,
        request=request,
        path=dict(request.path_params),
        body=await _body(operation, app, request),
        query=_query(operation, request),
    )
    result = await operation.handler(call)
    return result if isinstance(result, Response) else json_response(result)


def json_response(model: BaseModel, status: int = 200) -> Response:
    """The model as bytes, encoded once; NaN and infinity become null."""
    headers = {"Cache-Control": "no-store"}
    return Response(
        model.model_dump_json().encode(), status_code=status, headers=headers, media_type="application/json"
    )


def _limit(operation: Operation, app: App, context: RequestContext) -> None:
    limits = app.settings.rate_limits
    if operation.limit == "api":
        app.rate_limiter.check("api", context.caller, limits.api)
    elif operation.limit == "chat":
        anonymous = context.principal.kind == "anonymous"
        name = "anonymous_chat" if anonymous else "user_chat"
        app.rate_limiter.check(name, context.caller, limits.anonymous_chat if anonymous else limits.user_chat)


async def _body(operation: Operation, app: App, request: Request) -> BaseModel | None:
    if operation.body is None:
        return None
    http = app.settings.http
    max_bytes = http.max_chat_body_bytes if operation.limit == "chat" else http.max_body_bytes
    document = await read_json(request, max_bytes=max_bytes, max_depth=http.max_json_depth)
    return _validated(operation.body, document, "body")


def _query(operation: Operation, request: Request) -> BaseModel | None:
    items = request.query_params.multi_items()
    # The host's own parameter for function keys may come with any request.
    given = {name: value for name, value in items if name != "code"}
    if operation.query is None:
        return None
    if len(given) != sum(name != "code" for name, _ in items):
        raise InvalidRequest("A query parameter is given twice.", code="validation_failed")
    return _validated(operation.query, given, "query")


def _validated(model: type[BaseModel], document: Any, where: str) -> BaseModel:
    try:
        return model.model_validate(document)
    except ValidationError as exc:
        raise validation_failure(exc, where) from None
