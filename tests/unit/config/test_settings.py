"""The tree itself: frozen, closed, and silent about its secrets."""

import json

import pytest
from pydantic import BaseModel, ValidationError

from shared.config import ConfigError, ConfigLoader, Settings
from tests.canaries import CANARIES, leaked


@pytest.fixture
def settings() -> Settings:
    return ConfigLoader({"OPENAI_API_KEY": CANARIES["OPENAI_API_KEY"]}).load()


def _sections(node: BaseModel, path: str = "settings"):
    yield path, node
    for name in type(node).model_fields:
        value = getattr(node, name)
        children = value.items() if isinstance(value, dict) else [(name, value)]
        for key, child in children:
            if isinstance(child, BaseModel):
                yield from _sections(child, f"{path}.{key}")


def test_no_section_can_be_changed(settings):
    """Assignment to any field of any section is refused."""
    sections = dict(_sections(settings))

    assert len(sections) > 12
    for section in sections.values():
        name = next(iter(type(section).model_fields))
        with pytest.raises(ValidationError, match="frozen"):
            setattr(section, name, getattr(section, name))


def test_secrets_print_as_stars(settings):
    """Neither text, repr, dump nor JSON of the tree shows a key."""
    shown = [str(settings), repr(settings), str(settings.model_dump()), settings.model_dump_json()]

    assert [leaked(text) for text in shown] == [[], [], [], []]
    assert json.loads(shown[3])["model"]["providers"]["openai"]["api_key"] == "**********"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"MODEL_PROVIDER": "claude"}, "not a configured provider; use one of offline, openai"),
        ({"MODEL_FALLBACK_ORDER": "offline,gork"}, "not a configured provider; use one of offline, openai"),
    ],
)
def test_provider_names_must_be_configured(environ, message):
    """A name that no provider has is refused, with the known ones."""
    with pytest.raises(ConfigError) as raised:
        ConfigLoader(environ).load()

    assert [problem.split(": ")[1] for problem in raised.value.problems] == [message]
    assert raised.value.problems[0].startswith(next(iter(environ)))


def test_fallback_order_names_each_provider_once():
    """A repetition would only ask the same provider twice."""
    assert ConfigLoader({"MODEL_FALLBACK_ORDER": "offline,offline,openai"}).load().model.fallback_order == (
        "offline",
        "openai",
    )


@pytest.mark.parametrize("origin", ["https://a.example", "http://localhost:3000", "*"])
def test_exact_origins_are_accepted(origin):
    """A scheme, a host and maybe a port; or everything."""
    assert ConfigLoader({"CORS_ALLOWED_ORIGINS": origin}).load().http.cors_allowed_origins == (origin,)


@pytest.mark.parametrize("origin", ["https://a.example/", "https://a.example/x", "a.example", "https://", "null"])
def test_other_origins_are_refused(origin):
    """With a path or without a scheme it would never equal what a browser sends."""
    with pytest.raises(ConfigError, match="CORS_ALLOWED_ORIGINS"):
        ConfigLoader({"CORS_ALLOWED_ORIGINS": origin}).load()
