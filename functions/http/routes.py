"""Declares an HTTP path once: its function for the host, its operations by method, and what the API document says."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response
from pydantic import BaseModel

from functions.http.context import RequestContext
from shared.app import App

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Limit = Literal["none", "api", "chat"]
Access = Literal["public", "chat"]

# The host answers 404 where a method is not part of the route; taking all of them lets the guard answer 405 with Allow.
# TRACE and unknown methods stay with the host.
_HOST_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Call[Body = None, Query = None]:
    """A request that has passed every check. ``body`` and ``query`` are instances of the operation's models."""

    app: App
    context: RequestContext
    request: Request
    path: Mapping[str, str]
    body: Body
    query: Query


type Result = Response | BaseModel
Handler = Callable[[Call[Any, Any]], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of a path. ``returns`` is the model of the 200 response, None where it is not JSON (``media_type``).
    ``streams`` names the frame models of an event stream, ``problems`` the error statuses beyond the common ones,
    ``answers`` the models of other statuses that are no errors. ``idempotent`` operations take an Idempotency-Key."""

    method: Method
    handler: Handler
    summary: str
    description: str
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    returns: type[BaseModel] | None
    media_type: str
    streams: tuple[type[BaseModel], ...]
    limit: Limit
    access: Access
    problems: tuple[int, ...]
    answers: Mapping[int, type[BaseModel]]
    example: Mapping[str, object] | None
    idempotent: bool


@dataclass(slots=True)
class Route:
    """A path of the API. Creating it registers one function called ``name`` on the blueprint.

    The host matches paths in alphabetical order of function names, so no two routes may overlap; the index check of the
    development host fails when they do.
    """

    blueprint: func.Blueprint
    name: str
    path: str
    tag: str
    documented: bool = True
    operations: dict[str, Operation] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Imported here: the guard reads routes.
        from functions.http.guard import serve

        async def endpoint(req: Request) -> Response:
            return await serve(self, req)

        endpoint.__name__ = endpoint.__qualname__ = self.name
        register = self.blueprint.route(
            route=self.path, methods=list(_HOST_METHODS), auth_level=func.AuthLevel.ANONYMOUS
        )
        register(endpoint)
        ROUTES.append(self)

    def operation(
        self,
        method: Method,
        *,
        summary: str,
        body: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        returns: type[BaseModel] | None = None,
        media_type: str = "application/json",
        streams: tuple[type[BaseModel], ...] = (),
        limit: Limit = "api",
        access: Access = "public",
        problems: tuple[int, ...] = (),
        answers: Mapping[int, type[BaseModel]] | None = None,
        idempotent: bool = False,
        example: Mapping[str, object] | None = None,
    ) -> Callable[[Callable[[Call[Any, Any]], Awaitable[Result]]], Handler]:
        """Adds a method; the decorated handler's docstring becomes its description."""

        def add(handler: Handler) -> Handler:
            self.operations[method] = Operation(
                method=method,
                handler=handler,
                summary=summary,
                description=(handler.__doc__ or "").strip(),
                body=body,
                query=query,
                returns=returns,
                media_type=media_type,
                streams=streams,
                limit=limit,
                access=access,
                problems=problems,
                answers=answers or {},
                example=example,
                idempotent=idempotent,
            )
            return handler

        return add

    @property
    def allowed(self) -> tuple[str, ...]:
        methods = sorted(self.operations)
        return ("HEAD", *methods) if "GET" in self.operations else tuple(methods)

    def operation_for(self, method: str) -> Operation | None:
        """HEAD is answered by GET; the server leaves the body out."""
        return self.operations.get("GET" if method == "HEAD" else method)


ROUTES: list[Route] = []
"""Every route, in the order of declaration; what the API document is made from."""
