"""Limits per caller, and who may chat at all."""

import pytest

from tests.app.client import CHAT, STREAM, problem_of


def test_third_question_over_a_limit_of_two_is_429(start_app):
    """Over the limit of questions the answer is 429 with the time to wait, on both routes together."""
    app = start_app(RATE_LIMIT_ANONYMOUS_CHAT="2")
    assert app.ask("hello")["response"]
    assert app.tell("hello").end["event"] == "done"
    for path in (CHAT, STREAM):
        problem = problem_of(app.post(path, {"message": "hello"}), 429, "rate_limited")
        assert 1 <= problem["retry_after"] <= 30
        assert "2 requests per minute" in problem["detail"]
    assert app.get("/api/symbols/AAPL/quote").status_code == 200


def test_refused_body_counts_as_a_question(start_app):
    """The limit counts requests and not answers, so that it also bounds what costs nothing but work."""
    app = start_app(RATE_LIMIT_ANONYMOUS_CHAT="1")
    problem_of(app.post(CHAT, {}), 400)
    problem_of(app.post(CHAT, {"message": "hello"}), 429, "rate_limited")


def test_limit_of_the_other_routes_spares_health(start_app):
    """The limit of the API holds for data routes together, and never for health."""
    app = start_app(RATE_LIMIT_API="3")
    for path in ("/api/models", "/api/config", "/api/symbols?q=apple"):
        assert app.get(path).status_code == 200
    problem_of(app.get("/api/quotes?symbols=AAPL"), 429, "rate_limited")
    assert app.get("/api/health").status_code == 200
    assert app.get("/api/health/live").status_code == 200
    assert app.ask("hello")["response"]


def test_limit_of_zero_is_none(start_app):
    """A limit of 0 means that there is none."""
    app = start_app(RATE_LIMIT_ANONYMOUS_CHAT="0", RATE_LIMIT_API="0")
    assert [app.get("/api/models").status_code for _ in range(20)] == [200] * 20


def test_anonymous_chat_can_be_switched_off(start_app):
    """With anonymous chat off, both chat routes are 401 with a challenge, and everything public stays public."""
    app = start_app(AUTH_ANONYMOUS_CHAT="false")
    for path in (CHAT, STREAM):
        response = app.post(path, {"message": "hello"})
        problem_of(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == "Bearer"
    for path in ("/api/health", "/api/models", "/api/config", "/api/symbols/AAPL/quote", "/api/openapi.json"):
        assert app.get(path).status_code == 200
    assert app.document("/api/config")["auth"]["anonymous_chat"] is False


@pytest.mark.parametrize("header", ["Authorization", "X-Authorization"])
@pytest.mark.parametrize("value", ["Bearer abc.def.ghi", "Basic dXNlcjpwYXNz", "x"])
def test_token_that_cannot_be_verified_is_refused(sample_app, header, value):
    """A token is not ignored where none can be verified: who believes to be signed in learns that this is not so."""
    response = sample_app.post(CHAT, {"message": "hello"}, headers={header: value})
    problem_of(response, 401, "unauthenticated")
    assert response.headers["www-authenticate"] == "Bearer"
    assert value not in response.text


def test_claimed_principal_is_not_believed(start_app):
    """A client principal header, which only a front end may set, does not open chat."""
    app = start_app(AUTH_ANONYMOUS_CHAT="false")
    headers = {"X-MS-CLIENT-PRINCIPAL": "eyJ1c2VyUm9sZXMiOlsiYWRtaW4iXX0=", "X-MS-CLIENT-PRINCIPAL-ID": "admin"}
    problem_of(app.post(CHAT, {"message": "hello"}, headers=headers), 401)


def test_without_fallback_and_without_a_key_chat_is_503(start_app):
    """When no model may answer, chat is 503 before any frame is sent, with the reason."""
    app = start_app(MODEL_ALLOW_FALLBACK="false")
    for path in (CHAT, STREAM):
        problem = problem_of(app.post(path, {"message": "hello"}), 503, "model_unavailable")
        assert "OPENAI_API_KEY" in problem["detail"]
    models = app.document("/api/models")
    assert models["selected"] is None
    health = app.document("/api/health")
    assert (health["status"], health["checks"]["models"]) == ("degraded", "down")
    assert app.ask("hello", provider="offline")["provider"] == "offline"
