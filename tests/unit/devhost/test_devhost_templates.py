"""Route templates: what they match and what is refused."""

import pytest

from devhost.constraints import TemplateError
from devhost.templates import parse_template


@pytest.mark.parametrize(
    ("template", "path", "expected"),
    [
        ("api/hello", "/api/hello", {}),
        ("api/hello", "/API/Hello/", {}),
        ("api/hello", "/api/hello//", None),
        ("api/hello", "/api/hello/x", None),
        ("api/{id}", "/api/42", {"id": "42"}),
        ("api/{id}", "/api/", None),
        ("api/{id}", "/api/a/b", None),
        ("api/{id?}", "/api", {}),
        ("api/{id?}", "/api/7", {"id": "7"}),
        ("api/{id:int?}", "/api", {}),
        ("api/{id:int?}", "/api/x", None),
        ("api/{a?}/{b?}", "/api/1/2", {"a": "1", "b": "2"}),
        ("api/{a?}/{b?}", "/api/1", {"a": "1"}),
        ("api/{a=x}/{b=y}", "/api", {"a": "x", "b": "y"}),
        ("api/{a=x}/{b}", "/api", None),
        ("api/{n:int=5}", "/api", {"n": "5"}),
        ("api/{*rest}", "/api/a/b/", {"rest": "a/b/"}),
        ("api/{**rest}", "/api/a", {"rest": "a"}),
        ("api/{*rest}", "/api", {}),
        ("api/{*rest:minlength(3)}", "/api", None),
        ("api/{*rest:minlength(3)}", "/api/a/b", {"rest": "a/b"}),
        ("api/v{major}.{minor}", "/api/v1.2", {"major": "1", "minor": "2"}),
        ("api/v{major}.{minor}", "/api/v1.2.3", {"major": "1.2", "minor": "3"}),
        ("api/{name}.{ext?}", "/api/report", {"name": "report"}),
        ("api/{name}.{ext?}", "/api/a.b.pdf", {"name": "a.b", "ext": "pdf"}),
        ("api/{{id}}", "/api/{id}", {}),
        ("{a}", "/x", {"a": "x"}),
        ("api/{x}.json", "/api/a.json", {"x": "a"}),
        ("api/{x}+json", "/api/ajson", None),
        ("api/{x}", "/api/a b\nc", {"x": "a b\nc"}),
    ],
)
def test_match(template: str, path: str, expected: dict[str, str] | None) -> None:
    """A template matches the paths ASP.NET Core would match, and its values are strings."""
    assert expected == parse_template(template).match(path)


@pytest.mark.parametrize(
    ("constraint", "accepted", "refused"),
    [
        ("int", ["1", "-5", "+7", "2147483647"], ["x", "1.5", "2147483648", "१"]),
        ("long", ["2147483648", "-9223372036854775808"], ["9223372036854775808"]),
        ("bool", ["true", "FALSE"], ["1", "yes"]),
        (
            "guid",
            ["0f8fad5b-d9cb-469f-a165-70867728950e", "0F8FAD5BD9CB469FA16570867728950E"],
            ["0f8fad5b-d9cb", "xf8fad5b-d9cb-469f-a165-70867728950e"],
        ),
        ("alpha", ["abC"], ["ab1", "é"]),
        ("decimal", ["1.5", "-1", "1,000.5", ".5"], ["1e5", "."]),
        ("double", ["1e5", "-2.5", "NaN"], ["x", "e5"]),
        ("float", ["1e5"], ["x"]),
        ("datetime", ["2026-01-31", "2026-01-31T10:00:00Z", "01-31-2026"], ["2026-13-01", "soon"]),
        ("required", ["x"], []),
        ("min(5)", ["5", "99"], ["4", "x"]),
        ("max(5)", ["5", "-9"], ["6"]),
        ("range(2,4)", ["2", "4"], ["1", "5"]),
        ("length(3)", ["abc"], ["ab", "abcd"]),
        ("length(2,3)", ["ab", "abc"], ["a", "abcd"]),
        ("minlength(2)", ["ab"], ["a"]),
        ("maxlength(2)", ["ab"], ["abc"]),
        ("regex(^a|b$)", ["Axx", "xxB"], ["xx"]),
        ("regex(^[a-z]{{2,3}}$)", ["ab", "ABC"], ["a", "abcd"]),
        ("regex(^(?!stream$).+)", ["strea", "streams"], ["stream", "STREAM"]),
        ("regex(^(?<y>\\d)$)", ["1"], ["x"]),
        ("int:min(1)", ["1"], ["0", "x"]),
        ("regex(^(a:b|c=d)$):maxlength(3)", ["a:b", "c=d"], ["a:"]),
    ],
)
def test_constraints(constraint: str, accepted: list[str], refused: list[str]) -> None:
    """Each constraint takes what ASP.NET Core takes; a refused value is no match."""
    template = parse_template(f"api/{{p:{constraint}}}")
    assert [{"p": value} for value in accepted] == [template.match(f"/api/{value}") for value in accepted]
    assert [None for _ in refused] == [template.match(f"/api/{value}") for value in refused]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("api/{id", "not closed"),
        ("api/id}", "unexpected '}'"),
        ("api/a?b", "unexpected '?'"),
        ("api/{a{b}", "must be doubled"),
        ("api//x", "empty segment"),
        ("api/{}", "name is empty"),
        ("api/{a/b}", "not a route parameter"),
        ("api/{a}{b}", "without text between"),
        ("api/{a}/{A}", "'a' more than once"),
        ("api/{*rest}/x", "not the whole last segment"),
        ("api/x{*rest}", "not the whole last segment"),
        ("api/{*rest?}", "cannot be optional"),
        ("api/{a=1?}", "cannot be optional"),
        ("api/{a?}x", "before other text"),
        ("api/x{a?}", "must follow a '.'"),
        ("api/{a:nope}", "'nope' is unknown"),
        ("api/{a:int(3)}", "'int(3)' is unknown"),
        ("api/{a:range(1)}", "wrong number of arguments"),
        ("api/{a:min(x)}", "takes whole numbers"),
        ("api/{a:regex}", "needs a pattern"),
        ("api/{a:regex([)}", "not a regular expression"),
        ("api/{a:min(1}", "unbalanced parenthesis"),
        ("api/{a:}", "constraint ''"),
    ],
)
def test_refused_templates(template: str, words: str) -> None:
    """What the host would not register is refused in words that say why."""
    with pytest.raises(TemplateError) as caught:
        parse_template(template)
    assert words in str(caught.value)
