"""Requests made up from the API document, good and bad: every response is one that the document describes."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.app.client import AppClient, searched

# Symbols and names of indicators have rules that a schema cannot say; the host answers methods that it does not know.
# The frames of a stream are compared with their schemas in test_app_openapi.
CONFIG = """
hooks = "request_hooks"

[checks]
positive_data_acceptance.enabled = false
unsupported_method.enabled = false

[[operations]]
include-path-regex = "^/chat|/stream$"
checks.response_schema_conformance.enabled = false
"""

# A path with an encoded line break ends in the web framework of the worker, before any function: a 404 of its own.
HOOKS = """
from urllib.parse import unquote

import schemathesis

@schemathesis.hook
def filter_path_parameters(context, path_parameters):
    return not any("\\n" in unquote(str(value)) for value in (path_parameters or {}).values())
"""


def run(app: AppClient, folder: Path) -> tuple[int, str, dict]:
    """One run with a fixed seed, so that it finds the same every time."""
    config, report = folder / "schemathesis.toml", folder / "report.json"
    config.write_text(CONFIG)
    (folder / "request_hooks.py").write_text(HOOKS)
    program = "from schemathesis.cli import schemathesis; schemathesis()"
    command = [sys.executable, "-c", program, "--config-file", str(config), "run", f"{app.base_url}/api/openapi.json"]
    options = {
        "--url": f"{app.base_url}/api",
        "--phases": "examples,coverage,fuzzing",
        "--max-examples": "100",
        "--seed": "1",
        "--generation-database": "none",
        "--report": "json",
        "--report-json-path": str(report),
    }
    arguments = [part for option in options.items() for part in option]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run(
        [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True, timeout=100, check=False
    )
    return done.returncode, searched(f"{done.stdout}{done.stderr}", "a report"), json.loads(report.read_text())


def test_every_generated_request_gets_a_documented_response(start_app, tmp_path):
    """Over a thousand requests, valid and not, give no 5xx, and only documented statuses, types, headers and bodies."""
    app = start_app(RATE_LIMIT_ANONYMOUS_CHAT="0", RATE_LIMIT_API="0")
    code, output, report = run(app, tmp_path)
    assert code == 0, output[-6000:]
    assert 0 == report["test_cases"]["with_failures"] == report["operations"]["errored"]
    assert report["operations"]["tested"] == report["operations"]["total"] >= 14
    assert report["test_cases"]["generated"] > 1000
