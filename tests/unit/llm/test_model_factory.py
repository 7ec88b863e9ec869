"""Which model answers, which ones stand in for it, and what is said about those that cannot."""

import pytest

from shared.config import ConfigLoader
from shared.config.settings import ModelProviderSettings, ModelSettings
from shared.errors import InvalidRequest, ModelUnavailable
from shared.llm.analyst.client import OfflineAnalyst
from shared.llm.factory import ModelClientFactory
from shared.llm.openai_client import OpenAIModelClient
from tests.canaries import CANARIES, leaked

KEY = CANARIES["OPENAI_API_KEY"]


def factory(environ: dict[str, str] | None = None, **changes: object) -> ModelClientFactory:
    """Of the shipped configuration with ``changes`` to its model section, and a keyless provider 'local' beside it."""
    settings = ConfigLoader(environ or {}).load().model
    local = ModelProviderSettings(wire="chat", base_url="http://127.0.0.1:11434/v1", model="llama")
    providers = {**settings.providers, "local": local}
    return ModelClientFactory(ModelSettings.model_construct(**{**dict(settings), "providers": providers, **changes}))


def test_provider_without_credentials_says_what_is_missing():
    """A key, a base URL, or no need for either makes a provider available."""
    models = factory()

    assert models.availability("openai").reason == "no credentials: set OPENAI_API_KEY"
    assert [models.availability(name).available for name in ("openai", "offline", "local")] == [False, True, True]
    assert factory({"OPENAI_API_KEY": KEY}).availability("openai").available
    assert factory({"OPENAI_BASE_URL": "http://x.example"}).availability("openai").available


def test_configured_provider_answers_by_default():
    """With a key it is the first choice, with its own model."""
    models = factory({"OPENAI_API_KEY": KEY, "OPENAI_MODEL": "m1"})
    selection = models.select()

    assert (selection.provider, selection.name, selection.scope, selection.skipped) == ("openai", "m1", "default", {})


def test_provider_without_credentials_is_passed_over_with_a_reason():
    """The offline analyst answers, and it is said why."""
    selection = factory().select()

    assert (selection.provider, selection.name) == ("offline", "offline-analyst")
    assert selection.skipped == {"openai": "no credentials: set OPENAI_API_KEY"}


@pytest.mark.parametrize(
    ("provider", "model", "expected"),
    [
        ("local", None, ("local", "llama", "request")),
        ("local", "other", ("local", "other", "request")),
        (None, "other", ("openai", "other", "request")),
        (None, None, ("openai", "m1", "default")),
        ("offline", None, ("offline", "offline-analyst", "request")),
        ("offline", "offline-analyst", ("offline", "offline-analyst", "request")),
    ],
)
def test_choice_of_the_request_comes_first(provider, model, expected):
    """Provider and model of one question override the configuration."""
    selection = factory({"OPENAI_API_KEY": KEY, "OPENAI_MODEL": "m1"}).select(provider, model)

    assert expected == (selection.provider, selection.name, selection.scope)


def test_configured_name_belongs_to_the_configured_provider():
    """MODEL_NAME does not become the model of another provider."""
    models = factory({"OPENAI_API_KEY": KEY, "MODEL_NAME": "m2"})

    assert (models.select().name, models.select("local").name) == ("m2", "llama")


def test_model_of_the_request_does_not_follow_to_a_stand_in():
    """Asked for a model of a provider without credentials: the stand-in answers with its own."""
    selection = factory().select("openai", "gpt-x")

    assert (selection.provider, selection.name) == ("offline", "offline-analyst")
    assert "openai" in selection.skipped


@pytest.mark.parametrize("call", ["select", "get_client", "availability"])
def test_unknown_provider_is_an_invalid_request(call):
    """With the list of those that exist."""
    with pytest.raises(InvalidRequest) as raised:
        getattr(factory(), call)("claude")

    assert (raised.value.code, raised.value.detail) == (
        "unknown_provider",
        "There is no such provider; use one of local, offline, openai.",
    )


def test_offline_analyst_has_one_model():
    """Another name for it is a mistake of the request."""
    with pytest.raises(InvalidRequest) as raised:
        factory().select("offline", "gpt-x")

    assert raised.value.code == "unknown_model"


def test_nothing_is_left_without_fallback():
    """No key and no stand-in: the error names what is missing."""
    models = factory(allow_fallback=False)
    with pytest.raises(ModelUnavailable) as raised:
        models.select()

    assert raised.value.detail == "No model provider can be used (openai: no credentials: set OPENAI_API_KEY)."


def test_fallback_sequence_begins_with_the_choice():
    """Then the configured order, without the choice again and without those that have no credentials."""
    models = factory({"OPENAI_API_KEY": KEY, "OPENAI_MODEL": "m1"}, fallback_order=("local", "openai", "offline"))
    sequence = [(client.name, model) for client, model in models.get_fallback_sequence(models.select())]
    keyless = factory(fallback_order=("openai", "local", "offline"))

    assert sequence == [("openai", "m1"), ("local", "llama"), ("offline", "offline-analyst")]
    assert [client.name for client, _ in keyless.get_fallback_sequence(keyless.select("local"))] == ["local", "offline"]


def test_model_of_the_request_is_kept_in_the_sequence():
    """The stand-ins answer with their own default."""
    models = factory({"OPENAI_API_KEY": KEY})

    assert [model for _, model in models.get_fallback_sequence(models.select(None, "m9"))] == ["m9", "offline-analyst"]


def test_without_fallback_the_choice_is_alone():
    """Nobody stands in."""
    models = factory({"OPENAI_API_KEY": KEY}, allow_fallback=False)

    assert len(models.get_fallback_sequence(models.select())) == 1


async def test_client_is_built_once_and_again_after_clearing():
    """One client per provider; clearing closes it."""
    models = factory({"OPENAI_API_KEY": KEY})
    client = models.get_client("openai")
    assert client is models.get_client("openai")
    await models.clear_cache()

    assert models.get_client("openai") is not client
    assert isinstance(models.get_client("offline"), OfflineAnalyst)
    assert isinstance(client, OpenAIModelClient)
    await models.clear_cache()


def test_client_without_credentials_is_refused():
    """By name and with the way out."""
    with pytest.raises(ModelUnavailable, match="set OPENAI_API_KEY"):
        factory().get_client("openai")


def test_key_is_in_no_repr():
    """Neither of the factory nor of a client."""
    models = factory({"OPENAI_API_KEY": KEY})

    assert leaked(f"{models!r} {models.get_client('openai')!r} {models.select()!r}") == []
