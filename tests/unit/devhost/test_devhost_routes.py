"""Which function answers, and which routes are refused at start."""

import pytest

from devhost.functions import AuthLevel, Function, HttpTrigger, read_function
from devhost.routes import Router, build_routes


def http(name: str, route: str, *methods: str) -> Function:
    trigger = HttpTrigger(route, frozenset(methods), AuthLevel.ANONYMOUS)
    return Function(name, name, "httpTrigger", "req", is_async=True, http=trigger)


def who_answers(functions: list[Function], method: str, path: str) -> str | None:
    routes, _ = build_routes(functions, "api")
    match = Router(routes).match(method, path)
    return match.function.name if match else None


def test_the_alphabet_decides_and_not_the_more_specific_route() -> None:
    """A parameter route wins over a literal one when its function's name comes first, ignoring case."""
    functions = [http("List", "products/list"), http("details", "products/{id}")]
    assert who_answers(functions, "GET", "/api/products/list") == "details"


def test_a_failed_constraint_lets_the_next_route_try() -> None:
    """A value that its constraint refuses is no match, so a later function answers."""
    functions = [http("a", "x/{id:int}"), http("b", "x/{name}")]
    assert (who_answers(functions, "GET", "/api/x/7"), who_answers(functions, "GET", "/api/x/y")) == ("a", "b")


def test_the_method_is_part_of_the_match() -> None:
    """Two functions share a path by method, and a method nobody has is no match; GET does not imply HEAD."""
    functions = [http("read", "x", "GET"), http("write", "x", "POST")]
    answers = [who_answers(functions, method, "/api/x") for method in ("GET", "POST", "DELETE", "HEAD")]
    assert answers == ["read", "write", None, None]


def test_no_methods_means_all() -> None:
    """A function without methods answers every one."""
    assert who_answers([http("f", "x")], "PURGE", "/api/x") == "f"


@pytest.mark.parametrize("route", ["admin", "admin/x", "admin_stats", "RuntimeInfo"])
def test_reserved_prefixes_are_refused(route: str) -> None:
    """A route whose text begins with admin or runtime is refused even though it is below the prefix."""
    routes, problems = build_routes([http("f", route)], "api")
    assert routes == []
    assert "conflicts with one or more built in routes" in str(problems[0])


def test_equal_templates_with_a_common_method_conflict() -> None:
    """The later function of two equal templates is refused, and the message names the earlier one."""
    routes, problems = build_routes([http("b", "X/{id}", "GET"), http("a", "x/{ID}")], "api")
    assert [route.function.name for route in routes] == ["a"]
    assert str(problems[0]).startswith("function 'b'")
    assert "defined by function 'a'" in str(problems[0])


def test_equal_templates_with_different_methods_live_together() -> None:
    """Methods that do not meet make equal templates legal."""
    routes, problems = build_routes([http("a", "x", "GET"), http("b", "x", "POST")], "api")
    assert (len(routes), problems) == (2, [])


def test_an_unparsable_template_costs_only_its_own_function() -> None:
    """A bad template is a problem of its function, the others keep their routes."""
    routes, problems = build_routes([http("bad", "x/{id"), http("good", "y")], "api")
    assert ([route.function.name for route in routes], problems[0].function) == (["good"], "bad")


@pytest.mark.parametrize("prefix", ["", "v1/inner"])
def test_the_prefix_may_be_empty_or_longer(prefix: str) -> None:
    """The route prefix is taken as it is, with no slash left over."""
    routes, _ = build_routes([http("f", "x")], prefix)
    match = Router(routes).match("GET", f"/{prefix}/x".replace("//", "/"))
    assert match is not None


@pytest.mark.parametrize("route", ["", "   ", None])
def test_a_blank_route_is_the_function_name(route: str | None) -> None:
    """A missing, empty or blank route means the function's name."""
    binding = '{"type": "httpTrigger", "name": "req", "route": %s}' % ("null" if route is None else f'"{route}"')
    function = read_function("Ping", "id", [binding], is_async=True)
    assert function.http is not None
    assert function.http.route == "Ping"


def test_defaults_of_a_binding_without_options() -> None:
    """Without options a function needs a key, takes every method, and a timer keeps a monitor."""
    web = read_function("f", "1", ['{"type": "httpTrigger", "name": "req"}'], is_async=True).http
    timer = read_function("t", "2", ['{"type": "timerTrigger", "schedule": "0 * * * * *"}'], is_async=True).timer
    assert web is not None
    assert timer is not None
    assert (web.auth_level, web.methods) == (AuthLevel.FUNCTION, frozenset())
    assert (timer.run_on_startup, timer.use_monitor) == (False, True)
