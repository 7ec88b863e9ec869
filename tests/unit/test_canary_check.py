"""Proof that the check behind every test finds what it is there to find."""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from shared.config import ConfigLoader
from tests.canaries import CANARIES, UPSTREAM_CANARIES, leaked

pytestmark = pytest.mark.plants_a_secret
KEY = CANARIES["OPENAI_API_KEY"]


def _traceback() -> str:
    try:
        raise RuntimeError(f"refused {KEY}")
    except RuntimeError:
        return traceback.format_exc()


SHAPES = {
    "plain": KEY,
    "url": f"GET https://x.example/?apikey={KEY}&a=b",
    "bearer": f"Authorization: Bearer {KEY}",
    "header dict": str({"api-key": KEY}),
    "header bytes": str([(b"api-key", KEY.encode())]),
    "json": json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}),
    "url password": f"redis://:{CANARIES['REDIS_PASSWORD']}@cache:6379",
    "exception": repr(ValueError(KEY)),
    "traceback": _traceback(),
    "environment": str({"GROK_API_KEY": CANARIES["GROK_API_KEY"]}),
    "secret value": str(
        ConfigLoader({"OPENAI_API_KEY": KEY}).load().model.providers["openai"].api_key.get_secret_value()
    ),
    "upstream": f"upstream said {UPSTREAM_CANARIES[0]}",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_planted_leak_is_found(shape):
    """Twelve shapes of a leaked secret are each recognised."""
    assert len(leaked(SHAPES[shape])) == 1


def test_clean_text_is_not_reported():
    """Stars and names of secrets are no leak."""
    assert leaked("OPENAI_API_KEY=*** Bearer *** SecretStr('**********')") == []


def test_every_canary_is_looked_for():
    """Each secret of the list is found, under its own name."""
    assert [leaked(value) for value in CANARIES.values()] == [[name] for name in CANARIES]


LEAKS = f"""
import logging, os, sys

def test_log_message(): logging.getLogger("shared").debug({KEY!r})
def test_log_argument(): logging.getLogger("x").debug("%.3s", {KEY!r})
def test_stdout(): print({KEY!r})
def test_stderr(): sys.stderr.write({KEY!r})
def test_descriptor(): os.write(1, {KEY.encode()!r})
def test_nothing(): print("clean")
"""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> str:
    """What pytest reports about tests that leak, under the conftest of this suite."""
    root, folder = Path(__file__).parents[2], tmp_path_factory.mktemp("leaks")
    (folder / "conftest.py").write_text((root / "tests/conftest.py").read_text())
    (folder / "test_leak.py").write_text(LEAKS)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-rA",
        "-p",
        "no:cacheprovider",
        "-c",
        str(root / "pyproject.toml"),
    ]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    run = subprocess.run(
        [*command, f"--rootdir={folder}", str(folder)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.stdout


@pytest.mark.parametrize(
    "name",
    [
        "log_message",
        "log_argument",
        "stdout",
        "stderr",
        "descriptor",
    ],
)
def test_a_test_that_leaks_fails(name, outcome):
    """The fixture that watches every test turns a leak on any channel into an error of that test."""
    assert f"ERROR test_leak.py::test_{name}" in outcome


def test_a_test_that_does_not_leak_passes(outcome):
    """The fixture has nothing against ordinary output."""
    assert "PASSED test_leak.py::test_nothing" in outcome
    assert "ERROR test_leak.py::test_nothing" not in outcome
