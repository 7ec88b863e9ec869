"""`--check`: indexes the app and names everything that would go wrong in Azure, without serving it."""

from collections import Counter
from collections.abc import Mapping, Sequence

from devhost.errors import Problem
from devhost.functions import Function
from devhost.overlap import find_overlaps
from devhost.routes import Route, build_routes
from devhost.runtime import LoadedApp
from devhost.timers import build_timers

# What the extension's catch-all accepts; for any other verb the client gets 405 and the invocation waits for ever.
_FORWARDED_METHODS = frozenset("GET POST PUT DELETE OPTIONS HEAD PATCH TRACE".split())  # noqa: SIM905
# FastAPI's own pages in the worker come before any function.
_WORKER_PATHS = ("/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect")


def find_problems(app: LoadedApp, prefix: str, settings: Mapping[str, str], max_import_seconds: float) -> list[Problem]:
    """Everything that `--check` fails on, once the app has been indexed."""
    routes, refused = build_routes(app.functions, prefix)
    _, unscheduled = build_timers(app.functions, settings)
    return [
        *_find_slow_import(app, max_import_seconds),
        *find_name_clashes(app.functions),
        *refused,
        *unscheduled,
        *_find_sync_handlers(app.functions),
        *_find_lost_methods(app.functions),
        *_find_worker_pages(routes),
        *find_overlaps(routes),
    ]


def find_name_clashes(functions: Sequence[Function]) -> list[Problem]:
    """The SDK compares names with case, the host without."""
    counts = Counter(function.name.lower() for function in functions)
    return [
        Problem(function.name, "the name differs from another function's only in case; the host needs unique names")
        for function in functions
        if counts[function.name.lower()] > 1
    ]


def _find_slow_import(app: LoadedApp, limit: float) -> list[Problem]:
    if app.seconds <= limit:
        return []
    text = f"importing and indexing the app took {app.seconds:.2f} s, more than {limit:g} s; import heavy modules later"
    return [Problem(None, text)]


def _find_sync_handlers(functions: Sequence[Function]) -> list[Problem]:
    text = (
        "the HTTP handler is not an 'async def' that returns a response (a plain def, an async generator, or a "
        "decorator with a sync wrapper); it would run on a thread pool"
    )
    return [Problem(function.name, text) for function in functions if function.http and not function.is_async]


def _find_lost_methods(functions: Sequence[Function]) -> list[Problem]:
    return [
        Problem(function.name, f"method {method} never reaches the function; the worker answers it with 405")
        for function in functions
        if function.http
        for method in sorted(function.http.methods - _FORWARDED_METHODS)
    ]


def _find_worker_pages(routes: Sequence[Route]) -> list[Problem]:
    text = (
        "the route covers {!r}, which the worker's own FastAPI pages answer first; use a route prefix or another route"
    )
    return [
        Problem(route.function.name, text.format(path))
        for route in routes
        for path in _WORKER_PATHS
        if route.trigger.accepts("GET") and route.template.match(path) is not None
    ]
