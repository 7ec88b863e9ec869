"""What a cold start may not load: an import that creeps in costs every first request."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = (
    "pandas",
    "numpy",
    "yfinance",
    "curl_cffi",
    "openai",
    "httpx",
    "httpx2",
    "azure.identity",
    "azure.keyvault",
    "pymongo",
    "redis",
    "aiohttp",
    "google.protobuf",
    "peewee",
    "hypothesis",
)
# Opened sockets would mean that importing needs the network.
PROGRAM = """
import json, socket, sys
def refuse(*args, **kwargs):
    raise AssertionError("the network was used during import")
socket.socket.connect = socket.getaddrinfo = refuse
import {module}
{then}
print(json.dumps(sorted(sys.modules)))
"""


def _loaded(module: str, then: str = "") -> set[str]:
    """The modules of a fresh process after an import."""
    environment = {key: value for key, value in os.environ.items() if key in {"PATH", "HOME", "LANG"}}
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module, then=then)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def function_app() -> set[str]:
    return _loaded("function_app")


@pytest.fixture(scope="module")
def built() -> set[str]:
    return _loaded("shared.app", "app = shared.app.get_app(); app.services.health; app.services.symbols")


@pytest.mark.parametrize("package", HEAVY)
def test_indexing_the_app_does_not_load(package, function_app):
    """The host imports function_app to find the functions; nothing heavy comes with it."""
    assert {name for name in function_app if name == package or name.startswith(f"{package}.")} == set()


@pytest.mark.parametrize("package", HEAVY)
def test_building_the_app_does_not_load(package, built):
    """Wiring connects to nothing and imports nothing heavy."""
    assert {name for name in built if name == package or name.startswith(f"{package}.")} == set()


def test_the_check_sees_what_is_loaded(function_app):
    """The list of modules is that of the child, and not empty."""
    assert {"function_app", "azure.functions", "pydantic", "yaml"} <= function_app
    assert "pytest" not in function_app


def test_service_layer_needs_no_trigger(built):
    """The whole app of the service layer is built without Azure Functions or a web framework."""
    foreign = ("azure.functions", "azurefunctions", "fastapi", "starlette", "functions", "devhost")

    assert {name for name in built if name.startswith(foreign)} == set()
