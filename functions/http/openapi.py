"""The API document, generated from the models that validate requests, so that it cannot say anything else."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.http.problems import Problem
from functions.http.routes import ROUTES, Operation, Route
from shared.version import VERSION

_REF = "#/components/schemas/{model}"
_PATH_PARAMETERS = {"symbol": ("A ticker with its exchange suffix, such as AAPL, BRK-B or 0700.HK.", "AAPL")}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A repeat with the same key within 24 hours gets the first result.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
}
_HEADERS = {
    "X-Request-ID": {"description": "Names this request in the logs.", "schema": {"type": "string"}},
    "X-Response-Time": {"description": "Milliseconds until the headers were sent.", "schema": {"type": "number"}},
}
_RETRY_AFTER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
_PARAMETER = re.compile(r"{(\w+)[^}]*}")
_TAGS = {
    "Chat": "Ask a question and get an answer whose numbers have sources.",
    "Market data": "Instruments, prices, histories and indicators. Unknown symbols are 404, outages 503.",
    "Models": "Which language models can answer.",
    "Health": "For probes and load balancers.",
    "Operations": "About this deployment.",
}


@cache
def openapi_document() -> dict[str, Any]:
    """OpenAPI 3.1. Cached: routes and models do not change while the process lives."""
    routes = [route for route in ROUTES if route.documented]
    requests, responses = _models(routes)
    _, request_schemas = models_json_schema([(model, "validation") for model in requests], ref_template=_REF)
    _, response_schemas = models_json_schema([(model, "serialization") for model in responses], ref_template=_REF)
    schemas = {**request_schemas.get("$defs", {}), **response_schemas.get("$defs", {})}
    paths = {f"/{_PARAMETER.sub(r'{\1}', route.path)}": _path(route, schemas) for route in routes}
    # The models of queries have become parameters, and nothing refers to them.
    queries = {item.query.__name__ for route in routes for item in route.operations.values() if item.query}
    components = {name: schema for name, schema in schemas.items() if name not in queries}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "stock-assistant",
            "version": VERSION,
            "summary": "Answers about listed companies in which every number has a source and a moment.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api"}],
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items()],
        "paths": paths,
        "components": {"schemas": components},
    }


def _models(routes: Sequence[Route]) -> tuple[list[type[BaseModel]], list[type[BaseModel]]]:
    operations = [operation for route in routes for operation in route.operations.values()]
    requests = [model for item in operations for model in (item.body, item.query) if model is not None]
    responses = [
        model
        for item in operations
        for model in (item.returns, *item.streams, *item.answers.values())
        if model is not None
    ]
    return list(dict.fromkeys(requests)), list(dict.fromkeys([*responses, Problem]))


def _path(route: Route, schemas: Mapping[str, Any]) -> dict[str, Any]:
    path: dict[str, Any] = {
        method.lower(): _operation(route, operation, schemas) for method, operation in sorted(route.operations.items())
    }
    if names := _PARAMETER.findall(route.path):
        path["parameters"] = [
            {
                "name": name,
                "in": "path",
                "required": True,
                "description": _PATH_PARAMETERS[name][0],
                "example": _PATH_PARAMETERS[name][1],
                "schema": {"type": "string", "minLength": 1},
            }
            for name in names
        ]
    return path


def _operation(route: Route, operation: Operation, schemas: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": route.name if len(route.operations) == 1 else f"{route.name}_{operation.method.lower()}",
        "tags": [route.tag],
        "summary": operation.summary,
        "description": operation.description,
        "responses": _responses(operation),
    }
    parameters = [_IDEMPOTENCY_KEY] if operation.idempotent else []
    if operation.query is not None:
        parameters += _query_parameters(operation, schemas[operation.query.__name__])
    if parameters:
        described["parameters"] = parameters
    if operation.body is not None:
        content: dict[str, Any] = {"schema": _reference(operation.body)}
        if operation.example:
            content["example"] = dict(operation.example)
        described["requestBody"] = {"required": True, "content": {"application/json": content}}
    return described


def _responses(operation: Operation) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if operation.returns is not None:
        content["application/json"] = {"schema": _reference(operation.returns)}
    elif not operation.streams:
        kind = "object" if operation.media_type == "application/json" else "string"
        content[operation.media_type] = {"schema": {"type": kind}}
    if operation.streams:
        frames = [_reference(model) for model in operation.streams]
        content["text/event-stream"] = {"schema": {"type": "string", "x-frames": frames}}
    responses: dict[str, Any] = {"200": {"description": "OK", "headers": _HEADERS, "content": content}}
    for status, model in operation.answers.items():
        answer = {"application/json": {"schema": _reference(model)}}
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "headers": _HEADERS, "content": answer}
    common = {400} if operation.body or operation.query or operation.problems else set()
    if operation.limit != "none":
        common.add(429)
    for status in sorted({*common, *operation.problems}):
        responses[str(status)] = _problem(HTTPStatus(status).phrase, retry=status in {429, 503})
    responses["default"] = _problem("Any other failure", retry=False)
    return responses


def _problem(description: str, *, retry: bool) -> dict[str, Any]:
    return {
        "description": description,
        "headers": {**_HEADERS, **_RETRY_AFTER} if retry else _HEADERS,
        "content": {"application/problem+json": {"schema": _reference(Problem)}},
    }


def _query_parameters(operation: Operation, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    required = set(schema.get("required", ()))
    parameters = []
    for name, item in schema["properties"].items():
        parameter = {"name": name, "in": "query", "required": name in required, "schema": dict(item)}
        if description := parameter["schema"].pop("description", None):
            parameter["description"] = description
        if item.get("type") == "array":
            parameter |= {"style": "form", "explode": False}
        if operation.example and name in operation.example:
            parameter["example"] = operation.example[name]
        parameters.append(parameter)
    return parameters


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
