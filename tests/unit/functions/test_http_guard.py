"""The guard: whatever a handler does, the caller gets a well-formed answer."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import azure.functions as func
import pytest
from azurefunctions.extensions.http.fastapi import Response
from pydantic import Field

from functions.fields import RequestModel, ResponseModel
from functions.http import guard, routes
from functions.http.routes import Call, Route
from shared.app import App, build_app
from shared.config import ConfigLoader
from shared.errors import DeadlineExceeded
from shared.observability.request_context import current_request_id
from tests.unit.functions.made_requests import request

JSON = {"Content-Type": "application/json"}


class Body(RequestModel):
    text: str


class Query(RequestModel):
    limit: int = Field(default=5, ge=1, le=9)


class Answer(ResponseModel):
    value: float


@pytest.fixture
def make_app(monkeypatch: pytest.MonkeyPatch) -> Callable[..., App]:
    def make(**environ: str) -> App:
        app = build_app(ConfigLoader({"MARKET_DATA_PROVIDERS": "sample", **environ}).load())
        monkeypatch.setattr(guard, "get_app", lambda: app)
        return app

    return make


@pytest.fixture
def app(make_app: Callable[..., App]) -> App:
    return make_app()


@pytest.fixture
def route() -> Iterator[Route]:
    """A route of its own, which no document lists afterwards."""
    known = list(routes.ROUTES)
    yield Route(func.Blueprint(), name="test", path="test", tag="Test")
    routes.ROUTES[:] = known


def answering(route: Route, outcome: object, method: Any = "GET", **declared: Any) -> list[Call]:
    """Adds a handler that raises or returns ``outcome``; the calls that reach it are collected."""
    calls: list[Call] = []

    async def handler(call: Call) -> Any:
        calls.append(call)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    route.operation(method, summary="Test", **declared)(handler)
    return calls


async def serve(route: Route, method: str = "GET", **options: Any) -> Response:
    return await guard.serve(route, request(method, **options))


def problem(response: Response) -> dict[str, Any]:
    assert response.headers["content-type"] == "application/problem+json"
    return json.loads(response.body)


@pytest.mark.usefixtures("app")
async def test_model_becomes_json(route):
    """A handler that returns a model is answered as JSON, NaN as null."""
    answering(route, Answer(value=float("nan")))
    response = await serve(route)
    assert (response.status_code, json.loads(response.body)) == (200, {"value": None})
    assert response.headers["content-type"] == "application/json"


@pytest.mark.usefixtures("app")
async def test_response_is_passed_on_with_its_headers_completed(route):
    """A handler's own response keeps what it has and gets the headers of every response."""
    answering(route, Response(b"x", status_code=202, headers={"X-Own": "1"}))
    response = await serve(route)
    assert (response.status_code, response.body, response.headers["x-own"]) == (202, b"x", "1")
    assert response.headers["x-request-id"]
    assert float(response.headers["x-response-time"]) >= 0
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.usefixtures("app")
async def test_foreseen_error_keeps_its_status_and_code(route):
    """An error of the taxonomy is answered as the problem that it is."""
    answering(route, DeadlineExceeded("Too slow."))
    response = await serve(route)
    assert (response.status_code, problem(response)["code"]) == (504, "deadline_exceeded")


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "error", [ValueError("sk-secret"), KeyError("sk-secret"), RecursionError("sk-secret"), OSError()]
)
async def test_unforeseen_exception_is_a_500_without_its_text(route, error, caplog):
    """Any other exception is a 500 with an id and none of its text; the log has it under the same request."""
    answering(route, error)
    response = await serve(route, headers={"X-Request-ID": "request-0001"})
    told = problem(response)
    assert (response.status_code, told["code"], told["request_id"]) == (500, "internal_error", "request-0001")
    assert b"sk-secret" not in response.body
    assert "test failed" in caplog.text


@pytest.mark.usefixtures("app")
async def test_cancellation_of_a_handler_is_answered(route):
    """A cancellation never escapes, since the host would wait for ever: it is a 503 that may be tried again."""
    answering(route, asyncio.CancelledError())
    response = await serve(route)
    assert (response.status_code, problem(response)["code"]) == (503, "interrupted")


@pytest.mark.usefixtures("app")
async def test_handler_that_waits_for_cancelled_work_is_answered(route):
    """The same holds when the handler only waited for something that was cancelled."""

    async def handler(_: Call) -> Any:
        work = asyncio.create_task(asyncio.sleep(60))
        work.cancel()
        await work

    route.operation("GET", summary="Test")(handler)
    assert (await serve(route)).status_code == 503


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(("declared", "allow"), [(["GET"], "HEAD, GET"), (["POST", "DELETE"], "DELETE, POST")])
async def test_other_methods_are_405_and_never_reach_a_handler(route, declared, allow):
    """A method that the route does not have is 405 with the ones that it has."""
    calls = [answering(route, Answer(value=1), method) for method in declared]
    response = await serve(route, "PATCH")
    assert (405, allow) == (response.status_code, response.headers["allow"])
    assert problem(response)["code"] == "method_not_allowed"
    assert [[]] * len(declared) == calls


@pytest.mark.usefixtures("app")
async def test_HEAD_is_answered_by_GET(route):
    """HEAD runs the handler of GET."""
    calls = answering(route, Answer(value=1))
    assert (await serve(route, "HEAD")).status_code == 200
    assert len(calls) == 1


@pytest.mark.usefixtures("app")
async def test_handler_gets_checked_body_query_and_path(route):
    """A handler sees instances of its models, and the context of its request."""
    calls = answering(route, Answer(value=1), "POST", body=Body, query=Query)
    await serve(route, "POST", headers=JSON, body=[b'{"text": "hi"}'], query="limit=7")
    (call,) = calls
    assert (Body(text="hi"), Query(limit=7)) == (call.body, call.query)
    assert (call.context.client, call.context.principal.kind) == ("203.0.113.5", "anonymous")
    assert call.context.request_id == current_request_id()


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=3&limit=3", "other=1", "limit=", "limit[]=3"])
async def test_query_that_does_not_fit_is_400(route, query):
    """A query parameter that is wrong, unknown or given twice is 400."""
    calls = answering(route, Answer(value=1), query=Query)
    response = await serve(route, query=query)
    assert (response.status_code, problem(response)["code"], calls) == (400, "validation_failed", [])


@pytest.mark.usefixtures("app")
async def test_function_key_of_the_host_is_no_parameter_of_ours(route):
    """`code`, with which the host takes its keys, may come with any request."""
    calls = answering(route, Answer(value=1), query=Query)
    assert (await serve(route, query="code=host-key&code=again&limit=2")).status_code == 200
    assert calls[0].query.limit == 2


@pytest.mark.usefixtures("app")
async def test_body_that_does_not_fit_never_reaches_the_handler(route):
    """A body is read and checked before the handler runs."""
    calls = answering(route, Answer(value=1), "POST", body=Body)
    for body, status in (([b"{}"], 400), ([b"["], 400), ([b"x" * 70_000], 413)):
        assert status == (await serve(route, "POST", headers=JSON, body=body)).status_code
    assert (await serve(route, "POST", body=[b"{}"])).status_code == 415
    assert calls == []


@pytest.mark.parametrize(("limit", "size"), [("api", 65_536), ("chat", 262_144)])
@pytest.mark.usefixtures("app")
async def test_size_of_a_body_depends_on_its_route(route, limit, size):
    """64 KiB are allowed, 256 KiB for chat, and not a byte more."""
    answering(route, Answer(value=1), "POST", body=Body, limit=limit)
    fits = b'{"text": "' + b"a" * (size - 12) + b'"}'
    assert size == len(fits)
    assert (await serve(route, "POST", headers=JSON, body=[fits])).status_code == 200
    assert (await serve(route, "POST", headers=JSON, body=[fits, b" "])).status_code == 413


@pytest.mark.parametrize("given", ["short", "x" * 65, "with space", "", "a\nb-0123456"])
@pytest.mark.usefixtures("app")
async def test_request_id_that_does_not_fit_is_replaced(route, given):
    """A request id of another form is replaced by a new one, a different one each time."""
    answering(route, Answer(value=1))
    ids = {(await serve(route, headers={"X-Request-ID": given})).headers["x-request-id"] for _ in range(2)}
    assert len(ids - {given}) == 2


@pytest.mark.parametrize(("limit", "variable"), [("api", "RATE_LIMIT_API"), ("chat", "RATE_LIMIT_ANONYMOUS_CHAT")])
async def test_limits_count_before_the_work(make_app, route, limit, variable):
    """Over its limit a caller is refused before the body is read; routes without a limit never are."""
    make_app(**{variable: "1"})
    calls = answering(route, Answer(value=1), "POST", body=Body, limit=limit)
    answering(route, Answer(value=1), "GET", limit="none")
    assert (await serve(route, "POST", headers=JSON, body=[b"{}"])).status_code == 400
    response = await serve(route, "POST", headers=JSON, disconnects=True)
    assert (response.status_code, problem(response)["code"], calls) == (429, "rate_limited", [])
    assert response.headers["retry-after"] == "60"
    assert (await serve(route, "GET")).status_code == 200


async def test_anonymous_chat_is_a_setting(make_app, route):
    """Where anonymous chat is off, a chat operation is 401 and nothing else is."""
    make_app(AUTH_ANONYMOUS_CHAT="false")
    calls = answering(route, Answer(value=1), "POST", access="chat")
    answering(route, Answer(value=1), "GET")
    response = await serve(route, "POST")
    assert (response.status_code, response.headers["www-authenticate"], calls) == (401, "Bearer", [])
    assert (await serve(route, "GET")).status_code == 200


async def test_app_that_cannot_be_built_is_a_500(monkeypatch, route):
    """Even when the app itself cannot be built, the answer is a problem, without the reason."""

    def broken() -> App:
        raise RuntimeError("sk-secret")

    monkeypatch.setattr(guard, "get_app", broken)
    answering(route, Answer(value=1))
    response = await serve(route)
    assert problem(response)["status"] == 500
    assert b"sk-secret" not in response.body
