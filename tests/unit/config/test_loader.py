"""How files, environment and secret stores become one tree, and what is said when they cannot."""

import itertools
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from shared.config.environment import VARIABLES
from shared.config.loader import APP_ENV_ALIASES, CONFIG_DIR, ConfigError, ConfigLoader
from shared.config.secrets import SecretStoreUnavailable
from tests.canaries import CANARIES, leaked


class Store:
    """A secret store of 10 lines."""

    def __init__(self, **secrets: str) -> None:
        self.secrets = secrets
        self.asked: list[str] = []

    def get(self, name: str) -> str | None:
        self.asked.append(name)
        return self.secrets.get(name)


def load(environ=None, **arguments):
    return ConfigLoader(environ or {}, **arguments).load()


def problems_of(environ=None, **arguments) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as raised:
        load(environ, **arguments)
    return raised.value.problems


@pytest.fixture
def files(tmp_path):
    """A copy of the shipped base that a test may change: ``files(overlay)`` or ``files(base=...)``."""

    def write(overlay: str | None = None, *, base: str | None = None, environment: str = "local") -> Path:
        shipped = (CONFIG_DIR / "config.yaml").read_text()
        (tmp_path / "config.yaml").write_text(shipped if base is None else base)
        if overlay is not None:
            (tmp_path / f"config.{environment}.yaml").write_text(overlay)
        return tmp_path

    return write


@pytest.mark.parametrize(
    ("alias", "environment"),
    [
        ("local", "local"),
        ("dev", "local"),
        ("development", "local"),
        ("k8s", "k8s-local"),
        ("k8s-local", "k8s-local"),
        ("staging", "staging"),
        ("stage", "staging"),
        ("production", "production"),
        ("prod", "production"),
        ("  PROD ", "production"),
        ("", "local"),
        ("   ", "local"),
    ],
)
def test_every_alias_names_its_environment(alias, environment):
    """Each alias, in any case and with spaces around it, means one environment; an empty one means local."""
    assert environment == load({"APP_ENV": alias}).environment


def test_the_alias_table_is_covered():
    """The table above knows every alias of the loader."""
    assert {"local", "dev", "development", "k8s", "k8s-local", "staging", "stage", "production", "prod"} == {
        *APP_ENV_ALIASES
    }


def test_without_app_env_the_environment_is_local():
    """A laptop needs no variable at all."""
    assert load().environment == "local"


def test_misspelt_environment_is_an_error():
    """'prd' is neither production nor silently local; the message lists what there is."""
    (problem,) = problems_of({"APP_ENV": "prd"})

    assert problem.startswith("APP_ENV: unknown environment; use one of ")
    assert "production" in problem
    assert "prd," not in problem


def test_unknown_override_mode_is_an_error():
    """A misspelt mode is refused, and the message lists the three."""
    assert problems_of({"CONFIG_ENV_OVERRIDE_MODE": "some"}) == (
        "CONFIG_ENV_OVERRIDE_MODE: unknown mode; use one of all, secrets-only, none",
    )


def test_unknown_environment_and_mode_are_reported_together():
    """Two mistakes give one error with two lines."""
    assert len(problems_of({"APP_ENV": "prd", "CONFIG_ENV_OVERRIDE_MODE": "some"})) == 2


@pytest.mark.parametrize(
    ("environment", "mode"),
    [("local", "all"), ("k8s-local", "secrets-only"), ("staging", "secrets-only"), ("production", "secrets-only")],
)
def test_default_override_mode_of_each_environment(environment, mode):
    """Only a laptop takes every setting from the environment by default."""
    assert mode == load({"APP_ENV": environment}).override_mode


@pytest.mark.parametrize(
    ("mode", "model", "has_key"),
    [("all", "from-env", True), ("secrets-only", "shipped", True), ("none", "shipped", False)],
)
def test_override_mode_decides_which_variables_count(mode, model, has_key, files):
    """``all`` takes every variable, ``secrets-only`` the secret ones, ``none`` not even those."""
    settings = load(
        {
            "CONFIG_ENV_OVERRIDE_MODE": mode,
            "OPENAI_MODEL": "from-env",
            "OPENAI_API_KEY": CANARIES["OPENAI_API_KEY"],
        },
        config_dir=files("model: {providers: {openai: {model: shipped}}}"),
    )

    openai = settings.model.providers["openai"]
    assert (model, has_key) == (openai.model, openai.api_key is not None)


def test_override_mode_is_read_in_any_case():
    """The mode is a word, not a spelling test."""
    assert load({"CONFIG_ENV_OVERRIDE_MODE": " Secrets-Only "}).override_mode == "secrets-only"


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_empty_variable_means_not_set(value):
    """An app setting that exists but is empty leaves the file's value, also for a secret."""
    settings = load({"OPENAI_MODEL": value, "OPENAI_API_KEY": value, "MODEL_FALLBACK_ORDER": value})

    assert settings == load()


def test_variables_are_trimmed():
    """White space around a value is a slip of the hand."""
    settings = load({"OPENAI_MODEL": "  m1 \n", "OPENAI_API_KEY": f" {CANARIES['OPENAI_API_KEY']}\n"})

    openai = settings.model.providers["openai"]
    assert openai.model == "m1"
    assert openai.api_key.get_secret_value() == CANARIES["OPENAI_API_KEY"]


def test_list_variable_is_separated_by_commas():
    """Empty items and spaces in a list are ignored."""
    assert load({"MARKET_DATA_PROVIDERS": " sample , yahoo,,"}).market.providers == ("sample", "yahoo")


@pytest.mark.parametrize(("text", "value"), [("false", False), ("0", False), ("TRUE", True), ("1", True)])
def test_booleans_are_read_as_words(text, value):
    """'false' is not a non-empty string that counts as true."""
    assert value is load({"MODEL_ALLOW_FALLBACK": text}).model.allow_fallback


@pytest.mark.parametrize("text", ["1e3", "12.5", "many", "-1", "0x10", "10000001"])
def test_numbers_are_read_strictly(text):
    """What is not a whole number in range is refused, by the variable's name."""
    (problem,) = problems_of({"RATE_LIMIT_API": text})

    assert problem.startswith("RATE_LIMIT_API (rate_limits.api): ")


@given(text=st.text(alphabet=st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1))
def test_any_boolean_text_is_true_false_or_refused_by_name(text):
    """No text makes a boolean variable crash the loader or repeats itself in the message."""
    try:
        outcome = [load({"MODEL_ALLOW_FALLBACK": text}).model.allow_fallback]
    except ConfigError as error:
        outcome = [problem.split(" ")[0] for problem in error.problems]

    assert outcome in ([True], [False], ["MODEL_ALLOW_FALLBACK"])


def test_overlay_changes_only_what_it_names(files):
    """An overlay is merged key by key; lists are replaced as a whole."""
    config_dir = files("http: {heartbeat_s: 5}\nmodel: {fallback_order: []}\n")
    settings, shipped = load(config_dir=config_dir), load(config_dir=files())
    base = yaml.safe_load((CONFIG_DIR / "config.yaml").read_text())

    assert settings.http.heartbeat_s == 5
    assert settings.http.max_body_bytes == base["http"]["max_body_bytes"]
    assert settings.model.fallback_order == ()
    assert shipped.model.provider == settings.model.provider


def test_environment_wins_over_overlay_and_overlay_over_base(files):
    """The order is base, overlay, environment."""
    config_dir = files("rate_limits: {api: 7, user_chat: 8}\n")
    settings = load({"RATE_LIMIT_API": "9"}, config_dir=config_dir)

    assert (settings.rate_limits.api, settings.rate_limits.user_chat) == (9, 8)
    assert settings.rate_limits.anonymous_chat == 10


def test_missing_overlay_is_allowed(files):
    """An environment without a file of its own runs on the base."""
    assert load({"APP_ENV": "staging"}, config_dir=files()).environment == "staging"


def test_empty_overlay_is_allowed(files):
    """A file that only holds comments changes nothing."""
    assert load(config_dir=files("# nothing yet\n")).environment == "local"


def test_missing_base_is_named(tmp_path):
    """Without the base there is nothing to start from."""
    assert problems_of(config_dir=tmp_path) == ("config.yaml: the file is missing",)


def test_broken_yaml_names_file_and_line(files):
    """The message says where to look and repeats nothing of the file."""
    overlay = f"http:\n  heartbeat_s: 5\nmodel: [{CANARIES['OPENAI_API_KEY']}: :\n"

    (problem,) = problems_of(config_dir=files(overlay))

    assert problem.startswith("config.local.yaml, line ")
    assert problem.endswith(": not valid YAML")
    assert leaked(problem) == []


def test_python_objects_in_yaml_are_refused(files):
    """A tag that would build a Python object is not valid YAML here."""
    (problem,) = problems_of(config_dir=files("http: !!python/object/apply:os.system ['true']\n"))

    assert problem == "config.local.yaml, line 1: not valid YAML"


def test_file_that_is_not_utf8_is_named(files):
    """A file saved in another encoding is a configuration error, not a crash."""
    config_dir = files("# placeholder\n")
    (config_dir / "config.local.yaml").write_bytes(b"logging: {level: INFO} # \xff\xfe")

    assert problems_of(config_dir=config_dir) == ("config.local.yaml: not UTF-8 text",)


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text\n", "5\n"])
def test_file_that_is_not_a_mapping_is_refused(files, text):
    """A list or a word cannot be settings."""
    assert problems_of(config_dir=files(text)) == ("config.local.yaml: must hold a mapping of sections",)


@pytest.mark.parametrize(
    ("overlay", "path"),
    [
        ("http: {heartbeat: 5}", "http.heartbeat"),
        ("htpp: {heartbeat_s: 5}", "htpp"),
        ("model: {providers: {openai: {modle: x}}}", "model.providers.openai.modle"),
        ("model: {budgets: {frist_token: 5}}", "model.budgets.frist_token"),
    ],
)
def test_unknown_keys_are_refused(files, overlay, path):
    """A misspelt setting is an error at its path, not silently ignored."""
    assert path in {problem.split(":")[0] for problem in problems_of(config_dir=files(overlay))}


@pytest.mark.parametrize(
    "overlay",
    [
        "model: null",
        "model: text",
        "model: [1]",
        "model: {providers: null}",
        "model: {providers: 5}",
        "model: {providers: text}",
        "model: {providers: {openai: null}}",
        "model: {providers: {openai: [1]}}",
        "model: {providers: {1: {wire: offline, base_url: null, model: m}}}",
        "http: null",
        "market: {providers: 7}",
        "1: {a: b}",
        "logging: {level: {a: b}}",
    ],
)
@pytest.mark.parametrize("environ", [{}, {"OPENAI_MODEL": "m", "MODEL_PROVIDER": "nobody", "LOG_LEVEL": "INFO"}])
def test_any_shape_of_yaml_gives_a_configuration_error(files, overlay, environ):
    """Whatever stands where a section should be, the answer names a setting and is no traceback."""
    assert problems_of(environ, config_dir=files(overlay))


def _thirty_invalid_settings() -> tuple[dict[str, str], str]:
    """Invalid values, each a canary; 18 by variable and the rest in an overlay."""
    values = itertools.cycle(CANARIES.values())
    environ = {
        variable.name: next(values)
        for variable in VARIABLES
        if variable.name
        not in {"MODEL_NAME", "OPENAI_API_KEY", "OPENAI_MODEL", "ALPHA_VANTAGE_API_KEY", "REDIS_HOST", "REDIS_PASSWORD"}
    }
    overlay = {
        "http": dict.fromkeys(
            ("max_body_bytes", "max_chat_body_bytes", "max_json_depth", "heartbeat_s", "max_concurrent_chats"),
            next(values),
        ),
        "agent": dict.fromkeys(("max_rounds", "max_tool_calls", "tool_timeout_s"), next(values)),
        "cache": {"max_entries": next(values), "ttl_s": dict.fromkeys(("price", "historical", "search"), next(values))},
        "market": {"yahoo_timeout_s": next(values), "yahoo_workers": next(values)},
    }
    return environ, yaml.safe_dump(overlay)


def test_thirty_invalid_settings_are_one_message_without_values(files):
    """All mistakes come at once, each by its name, and no value is repeated."""
    environ, overlay = _thirty_invalid_settings()

    with pytest.raises(ConfigError) as raised:
        load(environ, config_dir=files(overlay))

    message = str(raised.value)
    expected = {*environ, "http.max_body_bytes", "agent.max_rounds", "cache.ttl_s.price", "market.yahoo_workers"}
    assert len(raised.value.problems) >= 30
    assert [name for name in sorted(expected) if name not in message] == []
    assert f"{len(raised.value.problems)} problem(s)" in message
    assert leaked(f"{message} {raised.value!r}") == []


def test_configuration_error_has_no_cause_with_values():
    """A traceback of the error does not lead to pydantic's own one, which holds the input."""
    with pytest.raises(ConfigError) as raised:
        load({"RATE_LIMIT_API": CANARIES["OPENAI_API_KEY"]})

    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("name", ["OPENAI_BASE_URL", "YAHOO_PROXY_URL", "CORS_ALLOWED_ORIGINS"])
@pytest.mark.parametrize(
    "url",
    [
        f"http://[{CANARIES['GROK_API_KEY']}]/",
        f"http://host:{CANARIES['GROK_API_KEY']}",
        f"http://user:{CANARIES['GROK_API_KEY']}@host",
        f"ftp://{CANARIES['GROK_API_KEY']}/x",
        f"{CANARIES['GROK_API_KEY']}",
        "http://",
        "http://host:70000",
    ],
    ids=["brackets", "port", "password", "scheme", "word", "no host", "port range"],
)
def test_bad_urls_are_refused_without_their_text(name, url):
    """A URL may hold a password: the message names the variable only, whatever is wrong with it."""
    (problem,) = problems_of({name: url})

    assert problem.startswith(f"{name} (")
    assert leaked(problem) == []
    assert "host" not in problem.split("must be")[0]


@pytest.mark.parametrize(
    "text",
    ["sk-one two-three", "sk-abc\ndef", "\ufeffsk-abcdef", "schlüssel", "sk-\x00abc"],
    ids=["space", "line", "BOM", "umlaut", "null"],
)
def test_api_key_that_cannot_be_sent_is_refused_by_name(text):
    """A key with a line break, a space or a byte-order mark inside fails at the start, not at every question."""
    (problem,) = problems_of({"OPENAI_API_KEY": text})

    assert problem.startswith("OPENAI_API_KEY (model.providers.openai.api_key): ")
    assert "sk-" not in problem


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES if variable.secret])
def test_every_key_is_checked_at_the_start(name):
    """Not only the first one that somebody thought of."""
    (problem,) = problems_of({name: "canary\nvalue"})

    assert problem.startswith(f"{name} (")
    assert "canary" not in problem


def test_secret_of_the_environment_wins_over_the_store():
    """The store is not even asked for what the environment holds."""
    store = Store(OPENAI_API_KEY="from-the-store")
    settings = load({"OPENAI_API_KEY": CANARIES["OPENAI_API_KEY"]}, secrets=store)

    assert settings.model.providers["openai"].api_key.get_secret_value() == CANARIES["OPENAI_API_KEY"]
    assert "OPENAI_API_KEY" not in store.asked


@pytest.mark.parametrize("mode", ["all", "secrets-only", "none"])
def test_store_is_asked_for_absent_secrets_in_every_mode(mode):
    """The override mode is about the environment: with ``none``, secrets still come from the store."""
    store = Store(OPENAI_API_KEY=CANARIES["OPENAI_API_KEY"])
    settings = load({"CONFIG_ENV_OVERRIDE_MODE": mode}, secrets=store)

    assert settings.model.providers["openai"].api_key.get_secret_value() == CANARIES["OPENAI_API_KEY"]


def test_mode_none_takes_the_stores_secret_over_the_environments():
    """With ``none`` the environment does not count, so the store's copy is the one that is used."""
    store = Store(OPENAI_API_KEY="from-the-store")
    settings = load({"CONFIG_ENV_OVERRIDE_MODE": "none", "OPENAI_API_KEY": "from-the-environment"}, secrets=store)

    assert settings.model.providers["openai"].api_key.get_secret_value() == "from-the-store"


def test_only_secrets_are_asked_of_the_store():
    """Ordinary settings never leave the process by name."""
    store = Store()
    load(secrets=store)

    assert [variable.name for variable in VARIABLES if variable.secret] == store.asked


def test_store_that_cannot_say_is_not_taken_for_an_absent_secret():
    """An outage of the store is raised, not read as 'no key'."""

    class Down:
        def get(self, name: str) -> str | None:
            raise SecretStoreUnavailable

    with pytest.raises(SecretStoreUnavailable):
        load(secrets=Down())


def test_value_from_the_store_is_named_when_it_is_bad():
    """A broken secret is reported under its variable's name without its value."""
    (problem,) = problems_of(secrets=Store(OPENAI_API_KEY="canary\nvalue"))

    assert problem.startswith("OPENAI_API_KEY ")
    assert "canary" not in problem
