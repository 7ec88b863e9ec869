"""Health, configuration, the list of models, and the page that shows the API."""

import json
import re

from tests.app.apps import MODEL
from tests.app.client import AppClient
from tests.app.figures import MOMENT
from tests.canaries import CANARIES


def test_health_has_its_shape(sample_app: AppClient):
    """Health tells status, message, version, time and one state for each dependency, and nothing else."""
    health = sample_app.document("/api/health")
    assert {"status", "message", "version", "timestamp", "checks"} == set(health)
    assert health["checks"] == {
        "database": "off",
        "cache": "off",
        "models": "ok",
        "market_data": "ok",
        "secrets": "off",
    }
    assert health["status"] == "healthy"
    assert MOMENT.fullmatch(health["timestamp"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", health["version"])


def test_health_asks_no_model(model_app):
    """Health never calls a provider: that would cost."""
    for _ in range(3):
        assert model_app.client.document("/api/health")["checks"]["models"] == "ok"
    model_app.client.document("/api/models")
    assert model_app.double.requests == []


def test_live_says_one_word(sample_app):
    """Liveness is one word and is not counted against any limit."""
    assert sample_app.document("/api/health/live") == {"status": "alive"}


def test_config_shows_what_is_safe_and_nothing_else(model_app):
    """The public settings have a fixed list of fields; neither a key nor an address of a provider is among them."""
    config = model_app.client.document("/api/config")
    assert {"environment", "version", "auth", "model", "market", "limits"} == set(config)
    assert {"mode", "anonymous_chat"} == set(config["auth"])
    assert {"provider", "providers", "allow_fallback", "fallback_order"} == set(config["model"])
    assert {"providers"} == set(config["market"])
    limits = {"anonymous_chat", "user_chat", "api", "max_body_bytes", "max_chat_body_bytes"}
    assert limits == set(config["limits"])
    assert (config["limits"]["max_body_bytes"], config["limits"]["max_chat_body_bytes"]) == (65_536, 262_144)
    assert tuple(config["limits"][name] for name in ("anonymous_chat", "user_chat", "api")) == (1200, 1200, 60_000)
    text = json.dumps(config)
    assert CANARIES["OPENAI_API_KEY"] not in text
    assert "http" not in text
    assert "key" not in text.lower()


def test_models_lists_providers_and_the_choice(model_app):
    """The list of models has each provider with its models, the one that would answer, and the order of stand-ins."""
    models = model_app.client.document("/api/models")
    assert {"providers", "selected", "fallback_order"} == set(models)
    assert models["selected"] == {"provider": "openai", "name": MODEL, "scope": "default"}
    assert models["fallback_order"] == ["offline"]
    for provider in models["providers"]:
        assert {"name", "available", "reason", "default_model", "models"} == set(provider)
        assert (provider["available"], None) == (True, provider["reason"])
        assert provider["default_model"] in {model["id"] for model in provider["models"]}
        assert all({"id", "capabilities"} == set(model) for model in provider["models"])


def test_provider_without_a_key_says_what_is_missing(sample_app):
    """A provider without credentials is listed as not available, and the reason names the variable to set."""
    models = sample_app.document("/api/models")
    openai = next(provider for provider in models["providers"] if provider["name"] == "openai")
    assert (openai["available"], openai["reason"]) == (False, "no credentials: set OPENAI_API_KEY")
    assert models["selected"]["provider"] == "offline"


def test_reference_page_needs_nothing_from_elsewhere(sample_app):
    """The interactive page is HTML that may talk to this API only and loads nothing from another host."""
    response = sample_app.get("/api/reference")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert not re.search(r"(src|href)=[\"']?(https?:)?//", response.text)


def test_every_response_forbids_guessing_of_types(sample_app):
    """Answers, errors and streams alike carry an id, a duration and nosniff."""
    responses = [
        sample_app.get("/api/health"),
        sample_app.get("/api/nowhere"),
        sample_app.get("/api/reference"),
        sample_app.post("/api/chat", {}),
        sample_app.post("/api/chat/stream", {"message": "hello"}),
    ]
    assert {"nosniff"} == {response.headers["x-content-type-options"] for response in responses}
    assert all(re.fullmatch(r"\d+\.\d", response.headers["x-response-time"]) for response in responses)
    assert len({response.headers["x-request-id"] for response in responses}) == 5
