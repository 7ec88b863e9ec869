"""Problem documents: the same shape for every error, and nothing in them that a client sent."""

import json
import math

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from functions.http.problems import problem_response, validation_failure
from shared import errors
from shared.errors import AppError, FieldError

REQUIRED = {"type", "title", "status", "detail", "code", "request_id", "error"}


def kinds(base: type[AppError] = AppError) -> list[type[AppError]]:
    return [base, *(kind for child in base.__subclasses__() for kind in kinds(child))]


def made(kind: type[AppError], detail: str = "What happened.") -> AppError:
    if kind is errors.MethodNotAllowed:
        return errors.MethodNotAllowed(detail, allow=("HEAD", "GET"))
    if kind is errors.SymbolNotFound:
        return errors.SymbolNotFound("AAPL", suggestions=("MSFT",))
    if issubclass(kind, errors.InvalidRequest) and kind.__init__ is not AppError.__init__:
        return kind()
    return kind(detail)


@pytest.mark.parametrize(
    "kind", [kind for kind in kinds() if kind.__module__.startswith("shared.")], ids=lambda k: k.__name__
)
def test_every_error_is_a_problem_document(kind):
    """Each error of the taxonomy becomes a document with all required members, and its own status and code."""
    error = made(kind)
    response = problem_response(error, "request-0001")
    problem = json.loads(response.body)
    assert problem.keys() >= REQUIRED
    assert (error.status, error.code, error.title) == (problem["status"], problem["code"], problem["title"])
    assert error.status == response.status_code
    assert error.detail == problem["detail"] == problem["error"]
    assert problem["request_id"] == "request-0001"
    assert f"/problems/{error.code}" == problem["type"]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    assert 400 <= problem["status"] < 600


@pytest.mark.parametrize(
    ("error", "name", "value"),
    [
        (errors.MethodNotAllowed("x", allow=("HEAD", "GET")), "allow", "HEAD, GET"),
        (errors.Unauthenticated("x"), "www-authenticate", "Bearer"),
        (errors.RateLimited("x", retry_after=7), "retry-after", "7"),
        (errors.RateLimited("x", retry_after=0.2), "retry-after", "1"),
        (errors.DependencyUnavailable("x", retry_after=1.6), "retry-after", "2"),
    ],
)
def test_headers_that_belong_to_an_error(error, name, value):
    """405 has Allow, 401 a challenge, and a time to wait is whole seconds, at least one, in header and document."""
    response = problem_response(error, "request-0001")
    assert value == response.headers[name]
    problem = json.loads(response.body)
    assert (int(value) if name == "retry-after" else None) == problem.get("retry_after")


def test_optional_members_are_left_out():
    """What does not apply is absent, and not null."""
    assert json.loads(problem_response(AppError("x"), "r").body).keys() == REQUIRED


def test_field_errors_and_suggestions_are_told():
    """Errors of fields are a list of field and message; an unknown symbol has suggestions, if only an empty list."""
    error = errors.InvalidRequest("x", errors=[FieldError("message", "is empty")])
    assert json.loads(problem_response(error, "r").body)["errors"] == [{"field": "message", "message": "is empty"}]
    for suggestions in ((), ("AAPL", "MSFT")):
        error = errors.SymbolNotFound("APPLE", suggestions=suggestions)
        assert list(suggestions) == json.loads(problem_response(error, "r").body)["suggestions"]


@pytest.mark.parametrize("detail", ["ümläut 株価 📈", "a\ud800b", 'quote " \\ \n\x00', "\u2028"])
def test_any_detail_can_be_sent(detail):
    """No text can make the error response itself fail."""
    problem = json.loads(problem_response(AppError(detail), "r").body.decode("utf-8"))
    assert detail.replace("\ud800", "?") == problem["detail"]


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: int = Field(ge=1, le=3)


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=2, pattern="^[a-z]+$")
    inner: list[Inner] = []
    ratio: float = 1


def failure(document: object) -> errors.InvalidRequest:
    with pytest.raises(ValidationError) as caught:
        Model.model_validate(document)
    return validation_failure(caught.value, "body")


SECRET = "sk-secret-value"


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        ({"name": SECRET}, ["name"]),
        ({"name": [SECRET]}, ["name"]),
        ({}, ["name"]),
        ({"name": "ab", "inner": [{"count": 1}, {"count": SECRET}]}, ["inner.1.count"]),
        ({"name": "ab", "inner": [{"count": 9}]}, ["inner.0.count"]),
        ({"name": "ab", "ratio": SECRET}, ["ratio"]),
        ({"name": "ab", "other": SECRET}, ["other"]),
        (SECRET, ["body"]),
        (None, ["body"]),
        ({"name": "ab", f"<b>{SECRET}</b>": 1}, ["(other)"]),
        ({"name": "ab", "x" * 41: 1}, ["(other)"]),
        ({"name": "ab", "a\nb": 1}, ["(other)"]),
        ({"name": "ab", "ключ": 1}, ["(other)"]),
    ],
    ids=lambda value: str(value)[:30],
)
def test_validation_names_the_fields_and_repeats_no_value(document, fields):
    """A request that does not fit is answered with the names of its fields; what was sent in them is not repeated."""
    error = failure(document)
    assert (error.code, error.status) == ("validation_failed", 400)
    assert fields == [item.field for item in error.errors]
    shown = problem_response(error, "r").body.decode()
    assert SECRET not in shown
    assert "Model" not in shown


def test_number_of_field_errors_is_bounded():
    """However many fields are wrong, the document stays small."""
    error = failure({f"field{number}": 1 for number in range(5000)})
    assert len(error.errors) == 20
    assert len(problem_response(error, "r").body) < 4000


def test_infinite_time_to_wait_is_no_failure():
    """A time to wait is rounded, however long it is."""
    response = problem_response(errors.RateLimited("x", retry_after=1e9), "r")
    assert math.isclose(1e9, int(response.headers["retry-after"]))
