"""Copies of the app with a configuration of their own, and the hosts that run them."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.app.client import AppClient, searched
from tests.app.host import REPOSITORY, HostProcess
from tests.doubles.openai_server import OpenAIServer

SAMPLE = {"MARKET_DATA_PROVIDERS": "sample"}
MODEL = "gpt-scripted"

_FILES = ("function_app.py", "host.json", "devhost.json")
_FOLDERS = ("functions", "shared", "config")


@dataclass(frozen=True)
class ModelApp:
    """An app whose language model is scripted by the test."""

    client: AppClient
    double: OpenAIServer


def copy_app(target: Path, overlay: Mapping[str, Any] | None = None) -> Path:
    """The app in another folder: a developer's own local.settings.json stays behind. ``overlay`` is added to
    config.local.yaml, for what no environment variable sets."""
    target.mkdir(parents=True)
    for name in _FILES:
        shutil.copy2(REPOSITORY / name, target / name)
    for name in _FOLDERS:
        # Compiled files come along: their sources keep their times.
        shutil.copytree(REPOSITORY / name, target / name)
    if overlay:
        path = target / "config" / "config.local.yaml"
        path.write_text(yaml.safe_dump(merged(yaml.safe_load(path.read_text()), overlay)))
    return target


def merged(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


@contextmanager
def running(app_dir: Path, env: Mapping[str, str], *, may_log_errors: bool = False) -> Iterator[AppClient]:
    """A host of this app; when it has stopped, everything it printed is searched for secrets and tracebacks."""
    host = HostProcess.start(app_dir, {"LOG_LEVEL": "DEBUG", **env})
    try:
        with AppClient(host.base_url) as client:
            yield client
    finally:
        code = host.stop()
    output = searched(host.output(), "the output of a host")
    assert code == 0, output
    _, found, traceback = output.partition("Traceback (most recent call last)")
    assert not found or may_log_errors, f"the app logged a traceback:\n{traceback[:3000]}"
