"""Decides which function answers a request: by function name, method and template, with none of its own opinions."""

from collections.abc import Sequence
from dataclasses import dataclass

from devhost.constraints import TemplateError
from devhost.errors import Problem
from devhost.functions import Function, HttpTrigger, in_host_order
from devhost.templates import Template, parse_template

# A string prefix, not a path segment: the host refuses `admin_stats` as well.
_RESERVED_PREFIXES = ("admin", "runtime")


@dataclass(frozen=True)
class Route:
    """An HTTP function with its full template, prefix included."""

    function: Function
    trigger: HttpTrigger
    template: Template


@dataclass(frozen=True)
class Match:
    """The function that answers and its route values."""

    function: Function
    trigger: HttpTrigger
    values: dict[str, str]


class Router:
    """Tries its routes in order; the first whose method and template fit wins, even if a later one is more specific."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = list(routes)

    def match(self, method: str, path: str) -> Match | None:
        for route in self._routes:
            if route.trigger.accepts(method):
                values = route.template.match(path)
                if values is not None:
                    return Match(route.function, route.trigger, values)
        return None


def build_routes(functions: Sequence[Function], prefix: str) -> tuple[list[Route], list[Problem]]:
    """Routes in host order, without those the host would refuse; each refusal is a problem."""
    routes: list[Route] = []
    problems: list[Problem] = []
    for function in in_host_order(functions):
        if function.http is None:
            continue
        refusal = _refusal(function.http, routes)
        try:
            template = parse_template(f"{prefix}/{function.http.route}")
        except TemplateError as error:
            refusal = refusal or str(error)
        if refusal:
            problems.append(Problem(function.name, refusal))
        else:
            routes.append(Route(function, function.http, template))
    return routes, problems


def _refusal(trigger: HttpTrigger, earlier: Sequence[Route]) -> str | None:
    bare = trigger.route.lower()
    if bare.startswith(_RESERVED_PREFIXES):
        return (
            f"route {trigger.route!r}: The specified route conflicts with one or more built in routes. "
            "A route must not begin with 'admin' or 'runtime'."
        )
    for other in earlier:
        if other.trigger.route.lower() == bare and trigger.shares_a_method_with(other.trigger):
            return (
                f"route {trigger.route!r}: The route specified conflicts with the route defined by function "
                f"'{other.function.name}'."
            )
    return None
