"""Puts local settings into the process environment, because that is where an app finds its settings in Azure."""

import logging
from collections.abc import Mapping, MutableMapping
from pathlib import Path

_log = logging.getLogger("devhost")


def fill_environment(environ: MutableMapping[str, str], values: Mapping[str, str], app_dir: Path) -> None:
    """The surrounding environment wins: a value is taken only where the variable is unset or empty."""
    for name, value in values.items():
        if not name:
            _log.warning("local.settings.json: an entry of 'Values' has an empty name and is skipped")
        elif not environ.get(name):
            environ[name] = value
    for name, value in _host_variables(app_dir).items():
        if not environ.get(name):
            environ[name] = value


def is_disabled(function_name: str, environ: Mapping[str, str]) -> bool:
    wanted = f"azurewebjobs.{function_name}.disabled".lower()
    return any(name.lower() == wanted and value.strip().lower() in {"true", "1"} for name, value in environ.items())


def _host_variables(app_dir: Path) -> dict[str, str]:
    """What the Azure host sets for every worker, as far as an app can see it."""
    return {
        "AZURE_FUNCTIONS_ENVIRONMENT": "Development",
        "FUNCTIONS_WORKER_RUNTIME": "python",
        "AzureWebJobsScriptRoot": str(app_dir),
        "PYTHON_ENABLE_INIT_INDEXING": "1",
    }
