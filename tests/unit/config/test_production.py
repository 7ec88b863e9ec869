"""Each setting that is fine on a laptop and must stop a production start."""

import pytest

from shared.config.loader import ConfigError, ConfigLoader

CASES = [
    (
        {"ALPHA_VANTAGE_BASE_URL": "http://quotes.example", "ALPHA_VANTAGE_API_KEY": "k-123456"},
        "ALPHA_VANTAGE_BASE_URL: http://",
    ),
    ({"CORS_ALLOWED_ORIGINS": "https://a.example,*"}, "CORS_ALLOWED_ORIGINS: '*'"),
    ({"CORS_ALLOWED_ORIGINS": "http://a.example"}, "CORS_ALLOWED_ORIGINS: http://"),
    ({"MODEL_DEBUG_PROMPT": "true"}, "MODEL_DEBUG_PROMPT: "),
    ({"MARKET_DATA_PROVIDERS": "yahoo,sample"}, "MARKET_DATA_PROVIDERS: "),
    ({"YAHOO_PROXY_URL": "http://proxy:8080"}, "YAHOO_PROXY_URL: "),
    ({"LOG_LEVEL": "DEBUG"}, "LOG_LEVEL: DEBUG"),
    ({"OPENAI_BASE_URL": "http://models.example", "OPENAI_API_KEY": "k-123456"}, "model.providers.openai.base_url: "),
    ({"OPENAI_BASE_URL": "HTTP://models.example", "OPENAI_API_KEY": "k-123456"}, "model.providers.openai.base_url: "),
]


def _load(environ):
    return ConfigLoader({"CONFIG_ENV_OVERRIDE_MODE": "all", **environ}).load()


@pytest.mark.parametrize(("environ", "start"), CASES)
def test_insecure_setting_is_refused_in_production(environ, start):
    """Production does not start with it, and the message names the variable."""
    with pytest.raises(ConfigError) as raised:
        _load({"APP_ENV": "production", **environ})

    assert [problem.startswith(start) for problem in raised.value.problems] == [True]
    assert "k-123456" not in str(raised.value)


@pytest.mark.parametrize("environ", [case[0] for case in CASES])
@pytest.mark.parametrize("environment", ["local", "k8s-local", "staging"])
def test_the_same_setting_is_fine_elsewhere(environ, environment):
    """No other environment refuses it."""
    assert _load({"APP_ENV": environment, **environ}).environment == environment


def test_all_insecure_settings_are_reported_at_once():
    """One start attempt is enough to see the whole list."""
    environ = {
        "CORS_ALLOWED_ORIGINS": "*",
        "MODEL_DEBUG_PROMPT": "1",
        "MARKET_DATA_PROVIDERS": "sample",
        "LOG_LEVEL": "DEBUG",
    }
    with pytest.raises(ConfigError) as raised:
        _load({"APP_ENV": "production", **environ})

    assert {*environ} == {problem.split(":")[0] for problem in raised.value.problems}


def test_shipped_production_configuration_starts():
    """The files as they are pass their own check, and switch anonymous chat off."""
    settings = ConfigLoader({"APP_ENV": "production"}).load()

    assert settings.auth.anonymous_chat is False
    assert settings.market.providers == ("yahoo", "alpha_vantage")
    assert (settings.rate_limits.anonymous_chat, settings.rate_limits.user_chat, settings.rate_limits.api) == (
        10,
        60,
        600,
    )


def test_clear_text_url_without_a_key_is_allowed():
    """A model server of one's own in the same network needs neither key nor TLS."""
    settings = _load({"APP_ENV": "production", "OPENAI_BASE_URL": "http://models.internal"})

    assert settings.model.providers["openai"].base_url == "http://models.internal"
