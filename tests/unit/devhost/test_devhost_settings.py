"""host.json, local.settings.json and devhost.json."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest

from devhost.environment import fill_environment, is_disabled
from devhost.errors import StartupError
from devhost.settings import HostSettings, load_host_settings, load_local_settings, load_welcome


def write(directory: Path, name: str, content: object) -> Path:
    (directory / name).write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return directory


def test_both_files_may_be_absent(tmp_path: Path) -> None:
    """Without files the defaults hold: prefix api, port 7071, no CORS, no settings."""
    local = load_local_settings(tmp_path)
    assert HostSettings("api", None, None) == load_host_settings(tmp_path, {})
    assert (local.values, local.port, local.cors_origins, local.cors_credentials) == ({}, 7071, (), False)
    assert load_welcome(tmp_path) == ()


def test_comments_are_skipped_as_the_host_does(tmp_path: Path) -> None:
    """Comments are no part of the JSON, but a URL in a string is no comment."""
    text = '{ // port\n "Host": {"LocalHttpPort": 7100, /* x */ "CORS": "http://a//b"} }'
    local = load_local_settings(write(tmp_path, "local.settings.json", text))
    assert (local.port, local.cors_origins) == (7100, ("http://a//b",))


@pytest.mark.parametrize("name", ["host.json", "local.settings.json", "devhost.json"])
def test_bad_json_is_named_with_its_position(tmp_path: Path, name: str) -> None:
    """A syntax error names the file, the line and the column, unmoved by a comment before it."""
    write(tmp_path, name, '{\n  "a": 1, /* b */ c\n}')
    with pytest.raises(StartupError, match=rf"^{name} is not valid JSON: .* at line 2 column 19"):
        load_host_settings(tmp_path, {})
        load_local_settings(tmp_path)
        load_welcome(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("host.json", [], "must hold a JSON object"),
        ("host.json", {"extensions": {"http": {"routePrefix": 3}}}, "'extensions.http.routePrefix' must be a string"),
        ("host.json", {"extensions": "x"}, "'extensions' must be an object"),
        ("host.json", {"functionTimeout": "soon"}, "'functionTimeout' must look like"),
        ("host.json", {"functions": "a"}, "'functions' must be a list"),
        ("local.settings.json", {"IsEncrypted": True}, "is encrypted"),
        ("local.settings.json", {"Values": {"A": {"b": "sesame"}}}, "'Values' entry 'A' must be a string"),
        ("local.settings.json", {"Host": {"LocalHttpPort": "high"}}, "must be a port number"),
        ("local.settings.json", {"Host": {"LocalHttpPort": 70000}}, "must be a port number"),
        ("devhost.json", {"welcome": "hi"}, "'welcome' must be a list of strings"),
    ],
)
def test_wrong_shapes_are_named(tmp_path: Path, name: str, content: object, words: str) -> None:
    """A value of the wrong shape is an error that names the key and never quotes a setting's value."""
    write(tmp_path, name, content)
    with pytest.raises(StartupError) as caught:
        load_host_settings(tmp_path, {})
        load_local_settings(tmp_path)
        load_welcome(tmp_path)
    assert words in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_route_prefix_and_its_override(tmp_path: Path) -> None:
    """The environment's prefix wins over host.json's, may be empty, and its name is compared without case."""
    write(tmp_path, "host.json", {"extensions": {"http": {"routePrefix": "/v1/"}}})
    override = {"AzureFunctionsJobHost__extensions__http__RoutePrefix": ""}
    assert (
        load_host_settings(tmp_path, {}).route_prefix,
        load_host_settings(tmp_path, override).route_prefix,
    ) == ("v1", "")


def test_function_timeout(tmp_path: Path) -> None:
    """functionTimeout is a time span, and -1 is none."""
    limited = load_host_settings(write(tmp_path, "host.json", {"functionTimeout": "00:10:00"}), {})
    endless = load_host_settings(write(tmp_path, "host.json", {"functionTimeout": "-1"}), {})
    assert (timedelta(minutes=10), None) == (limited.function_timeout, endless.function_timeout)


def test_only_some_functions(tmp_path: Path) -> None:
    """host.json lists the functions to load, and the variables of `func --functions` replace that list."""
    write(tmp_path, "host.json", {"functions": ["A"]})
    override = {"AzureFunctionsJobHost__functions__0": "B", "AzureFunctionsJobHost__functions__1": "c"}
    assert load_host_settings(tmp_path, {}).only_functions == {"a"}
    assert load_host_settings(tmp_path, override).only_functions == {"b", "c"}


def test_values_fill_only_gaps(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A value is taken where the variable is unset or empty; null is skipped, "" is set, an empty name warns."""
    values = {
        "SET": "file",
        "EMPTY": "file",
        "NEW": "file",
        "NULL": None,
        "BLANK": "",
        "NUMBER": 5,
        "YES": True,
        "": "x",
    }
    local = load_local_settings(write(tmp_path, "local.settings.json", {"Values": values}))
    environ = {"SET": "shell", "EMPTY": ""}
    with caplog.at_level(logging.WARNING):
        fill_environment(environ, local.values, tmp_path)
    assert {
        "SET": "shell",
        "EMPTY": "file",
        "NEW": "file",
        "BLANK": "",
        "NUMBER": "5",
        "YES": "true",
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsScriptRoot": str(tmp_path),
        "PYTHON_ENABLE_INIT_INDEXING": "1",
    } == environ
    assert "empty name" in caplog.text


def test_secrets_are_not_in_the_repr(tmp_path: Path) -> None:
    """The settings object can be logged without its values."""
    local = load_local_settings(write(tmp_path, "local.settings.json", {"Values": {"KEY": "sesame"}}))
    assert "sesame" not in repr(local)


def test_cors_settings(tmp_path: Path) -> None:
    """CORS is a comma list whose entries lose blanks and trailing slashes."""
    host = {"CORS": "http://a:3000/, https://b", "CORSCredentials": True}
    local = load_local_settings(write(tmp_path, "local.settings.json", {"Host": host}))
    assert (local.cors_origins, local.cors_credentials) == (("http://a:3000", "https://b"), True)


@pytest.mark.parametrize(
    ("value", "expected"), [("true", True), ("1", True), ("TRUE", True), ("false", False), ("", False)]
)
def test_disabled_functions(value: str, expected: bool) -> None:
    """AzureWebJobs.<name>.Disabled switches a function off, whatever the case of its name."""
    assert expected == is_disabled("Nightly", {"AzureWebJobs.nightly.Disabled": value})
