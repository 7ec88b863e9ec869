"""Starting the app: a configuration that cannot be used is refused at once, in one message, without a value."""

import re

import pytest

from tests.app.apps import copy_app
from tests.app.client import searched
from tests.app.host import HostProcess
from tests.canaries import CANARIES


def ended(app_dir, env: dict[str, str]) -> tuple[int, str]:
    host = HostProcess.launch(app_dir, env)
    code = host.wait(timeout=30)
    return code, searched(host.output(), "the output of a host that did not start")


def test_wrong_settings_stop_the_start_with_all_their_names(app_dir):
    """Everything that is wrong is named in one message, no value is shown, and the exit code is 1."""
    wrong = {
        "OPENAI_BASE_URL": "ftp://user:wr0ng-value@nowhere",
        "OPENAI_API_KEY": CANARIES["OPENAI_API_KEY"],
        "MODEL_PROVIDER": "wr0ng-value",
        "MODEL_FALLBACK_ORDER": "offline,wr0ng-value",
        "MODEL_ALLOW_FALLBACK": "wr0ng-value",
        "MARKET_DATA_PROVIDERS": "wr0ng-value",
        "RATE_LIMIT_ANONYMOUS_CHAT": "-1",
        "RATE_LIMIT_API": "1e3x",
        "AUTH_ANONYMOUS_CHAT": "perhaps",
        "AUTH_MODE": "wr0ng-value",
        "CORS_ALLOWED_ORIGINS": "https://wr0ng-value/path",
        "LOG_LEVEL": "wr0ng-value",
    }
    code, output = ended(app_dir, wrong)
    assert code == 1
    named = re.findall(r"(?m)^  - (\w+)", output)
    assert sorted(set(wrong) - {"OPENAI_API_KEY"}) == sorted(set(named))
    assert "wr0ng-value" not in output
    assert "ready on" not in output


@pytest.mark.parametrize("name", ["APP_ENV", "CONFIG_ENV_OVERRIDE_MODE"])
def test_misspelt_environment_is_refused(app_dir, name):
    """An environment or override mode that does not exist is an error and not silently local."""
    code, output = ended(app_dir, {name: "prd-wr0ng"})
    assert code == 1
    assert name in output
    assert "prd-wr0ng" not in output


def test_insecure_production_is_refused(app_dir):
    """Production with laptop settings does not start, and every reason is named."""
    env = {
        "APP_ENV": "production",
        "CONFIG_ENV_OVERRIDE_MODE": "all",
        "MARKET_DATA_PROVIDERS": "sample",
        "CORS_ALLOWED_ORIGINS": "*",
        "MODEL_DEBUG_PROMPT": "true",
        "LOG_LEVEL": "DEBUG",
        "OPENAI_API_KEY": CANARIES["OPENAI_API_KEY"],
        "OPENAI_BASE_URL": "http://model.example",
    }
    code, output = ended(app_dir, env)
    assert code == 1
    named = ("CORS_ALLOWED_ORIGINS", "MODEL_DEBUG_PROMPT", "MARKET_DATA_PROVIDERS", "LOG_LEVEL", "base_url")
    assert [name for name in named if name not in output] == []


def test_broken_file_is_named_with_its_line(tmp_path):
    """A configuration file that is no YAML is named with its line, without its text."""
    app = copy_app(tmp_path / "app")
    (app / "config" / "config.local.yaml").write_text("model:\n  provider: [wr0ng-value\n")
    code, output = ended(app, {})
    assert code == 1
    assert "config.local.yaml" in output
    assert "wr0ng-value" not in output


def test_unknown_setting_in_a_file_is_refused(tmp_path):
    """A setting that does not exist is an error: it would otherwise be believed to work."""
    app = copy_app(tmp_path / "app", {"http": {"hartbeat_s": 1}, "wr0ng": {}})
    code, output = ended(app, {})
    assert code == 1
    assert "http.hartbeat_s" in output
    assert "wr0ng" in output
