"""Two templates that can match the same path."""

import pytest

from devhost.functions import AuthLevel, Function, HttpTrigger
from devhost.overlap import find_overlaps, overlap
from devhost.routes import build_routes
from devhost.templates import parse_template


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("a/b", "a/B", True),
        ("a/b", "a/c", False),
        ("a", "a/b", False),
        ("models/select", "models/{p}", True),
        ("models/select", "models/{p}/x", False),
        ("a/{x}/c", "a/b/{y}", True),
        ("a/{x}/c", "a/b/d", False),
        ("a/{x?}", "a", True),
        ("a/{x?}", "a/{y?}/{z?}", True),
        ("a/{x=1}", "a", True),
        ("a/{*rest}", "a", True),
        ("a/{*rest:minlength(2)}", "a", False),
        ("a/{*rest}", "a/b/c/{d}", True),
        ("a/{*rest}", "b/c", False),
        ("a/{*rest:regex(^x)}", "a/b/c", False),
        ("symbols/{s:regex(^(?!stream$).+)}", "symbols/stream", False),
        ("symbols/{s:regex(^(?!stream$).+)}", "symbols/streams", True),
        ("a/{n:int}", "a/b", False),
        ("a/{n:int}", "a/7", True),
        ("a/{n:int}", "a/{w:alpha}", False),
        ("a/{n:int}", "a/{b:bool}", False),
        ("a/{n:range(1,5)}", "a/{m:min(6)}", False),
        ("a/{n:range(1,5)}", "a/{m:min(5)}", True),
        ("a/{n:length(3)}", "a/{m:maxlength(2)}", False),
        ("a/{n:regex(^(x|y)$)}", "a/{m:regex(^(z|Y)$)}", True),
        ("a/{n:regex(^(x|y)$)}", "a/{m:regex(^(?!x|y))}", False),
        ("a/{n:regex(^x)}", "a/{m:regex(^y)}", True),
        ("a/v{n}", "a/w{n}", False),
        ("a/v{n}", "a/v1", True),
        ("a/v{n:int}", "a/vx", False),
        ("a/{n}.json", "a/{n}.xml", False),
        ("a/v{n}", "a/{x}", True),
    ],
)
def test_overlap(left: str, right: str, expected: bool) -> None:
    """Templates overlap unless literals or decidable constraints keep them apart, in either order."""
    first, second = parse_template(left), parse_template(right)
    assert (expected, expected) == (overlap(first, second), overlap(second, first))


def report(*functions: tuple[str, str, str]) -> list[str]:
    made = [
        Function(
            name,
            name,
            "httpTrigger",
            "req",
            is_async=True,
            http=HttpTrigger(route, frozenset(methods.split()), AuthLevel.ANONYMOUS),
        )
        for name, route, methods in functions
    ]
    routes, problems = build_routes(made, "api")
    assert problems == []
    return [str(problem) for problem in find_overlaps(routes)]


def test_an_overlap_names_both_functions_and_the_winner() -> None:
    """The message names both functions, both templates and the one the host would pick."""
    (text,) = report(("pick", "models/select", "GET POST"), ("any", "models/{p}", "POST"))
    assert "'any' (api/models/{p}) and 'pick' (api/models/select)" in text
    assert "the host picks 'any' by name" in text


def test_methods_that_do_not_meet_are_no_overlap() -> None:
    """Templates may share paths as long as they share no method."""
    assert report(("a", "models/select", "GET"), ("b", "models/{p}", "POST")) == []


def test_a_last_pure_catch_all_takes_only_the_rest() -> None:
    """A catch-all that sorts after every other function answers what nobody else does, which is no overlap."""
    assert report(("a", "x", "GET"), ("zz_not_found", "{*path}", "GET")) == []


def test_a_catch_all_in_the_middle_is_an_overlap() -> None:
    """A catch-all that sorts after some functions only is reported with each of the others."""
    texts = report(("a", "x", "GET"), ("m", "{*path}", "GET"), ("z", "y", "GET"))
    assert [("'a'" in text, "'m'" in text, "'z'" in text) for text in texts] == [
        (True, True, False),
        (False, True, True),
    ]


@pytest.mark.parametrize("catch_all", [("aa_first", "{*path}", ""), ("zz", "x/{*path}", "")])
def test_any_other_catch_all_is_an_overlap(catch_all: tuple[str, str, str]) -> None:
    """A catch-all that sorts first, or covers only a part of the paths, is reported."""
    (text,) = report(("m", "x/y", "GET"), catch_all)
    assert catch_all[0] in text
