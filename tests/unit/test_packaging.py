"""What is deployed, and what the repository must not hold."""

import re
import subprocess
from pathlib import Path

import pytest

from shared.config.environment import VARIABLES

ROOT = Path(__file__).resolve().parents[2]


def tracked() -> list[str]:
    run = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if run.returncode:
        pytest.skip("not a git checkout")
    return run.stdout.splitlines()


def left_out(paths: list[str]) -> set[str]:
    """The paths that .funcignore keeps out of a deployment; its syntax is that of .gitignore."""
    command = ["git", "-c", "core.excludesFile=.funcignore", "check-ignore", "--no-index", "--stdin"]
    run = subprocess.run(command, cwd=ROOT, input="\n".join(paths), capture_output=True, text=True, check=False)
    return set(run.stdout.splitlines())


def test_a_deployment_has_all_that_the_app_needs() -> None:
    """Code, prompts, sample, page, configuration and locked requirements are not ignored."""
    needed = [path for path in tracked() if path.startswith(("shared/", "functions/", "config/"))]
    assert any(path.endswith("system.v1.md") for path in needed)
    assert left_out([*needed, "function_app.py", "host.json", "requirements.txt"]) == set()


def test_a_deployment_has_nothing_of_development() -> None:
    """Tests, the development host, examples and local settings stay at home."""
    unneeded = [
        path for path in tracked() if path.startswith(("tests/", "devhost/", "examples/", "benchmarks/", "docs/"))
    ]
    assert left_out([*unneeded, "local.settings.json"]) == {*unneeded, "local.settings.json"}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt", "requirements-uv.txt"])
def test_locked_requirements_name_hashes_and_no_hosts(name: str) -> None:
    """Every pin has a hash; no address of a package index is in the file."""
    text = (ROOT / name).read_text()
    pins = re.split(r"\n(?=[a-z0-9])", text[text.index("==") - 40 :])
    assert all("--hash=sha256:" in pin for pin in pins if "==" in pin)
    assert "://" not in text


def test_there_is_no_second_lock() -> None:
    """uv.lock would write download addresses into the repository."""
    assert not (ROOT / "uv.lock").exists()


def test_every_environment_variable_is_documented() -> None:
    """docs/configuration.md names each variable that the loader knows, and the README only names known ones."""
    documented = (ROOT / "docs" / "configuration.md").read_text()
    assert [item.name for item in VARIABLES if f"`{item.name}`" not in documented] == []
    known = {item.name for item in VARIABLES} | {"APP_ENV", "CONFIG_ENV_OVERRIDE_MODE"}
    named = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", (ROOT / "README.md").read_text()))
    assert named <= known
