"""Which way dependencies point, read from the source of every module."""

import ast
import tomllib
from pathlib import Path

import pytest

from shared.version import VERSION

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "shared").rglob("*.py"))
FORBIDDEN = (
    "azure.functions",
    "azurefunctions",
    "fastapi",
    "starlette",
    "functions",
    "devhost",
    "function_app",
    "tests",
)
ONE_ROOT = {"shared/app.py"}


def _imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {str(node.module)}
    return found


def _names(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=_names)
def test_service_layer_knows_no_trigger(path):
    """Nothing in shared/ imports Azure Functions, a web framework, a trigger or the development host."""
    offending = {
        name for name in _imports(path) for banned in FORBIDDEN if name == banned or name.startswith(f"{banned}.")
    }

    assert offending == set()


@pytest.mark.parametrize("path", [path for path in MODULES if _names(path) not in ONE_ROOT], ids=_names)
def test_composition_root_is_imported_by_no_part(path):
    """Only triggers and tests ask for the whole app; a part gets what it needs."""
    assert {name for name in _imports(path) if name.startswith("shared.app")} == set()


def test_rules_see_what_they_forbid(tmp_path):
    """The reader of imports finds plain, from, nested and dotted ones."""
    module = tmp_path / "module.py"
    module.write_text("import devhost.host\ndef f():\n    from azure import functions\n    from starlette.x import y\n")

    assert {"devhost.host", "azure.functions", "starlette.x", "starlette.x.y"} <= _imports(module)


def _exception_texts(source: str) -> list[int]:
    """Lines where an error is raised with the text of a caught exception: in an f-string, or by str or repr."""
    lines = set()
    handlers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler) and node.name]
    for handler in handlers:
        for node in (part for item in ast.walk(handler) if isinstance(item, ast.Raise) for part in ast.walk(item)):
            texts = [node.value] if isinstance(node, ast.FormattedValue) else []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"str", "repr"}:
                texts = node.args
            lines |= {text.lineno for text in texts if isinstance(text, ast.Name) and text.id == handler.name}
    return sorted(lines)


@pytest.mark.parametrize("path", MODULES, ids=_names)
def test_no_message_is_built_from_an_exception(path):
    """What an exception says is for logs: it may hold a key, a host name or somebody's question."""
    assert _exception_texts(path.read_text(encoding="utf-8")) == []


def test_rule_about_exceptions_sees_what_it_forbids():
    """In an f-string and by str; an attribute of our own errors is fine."""
    head = "try:\n    f()\nexcept E as exc:\n"

    assert _exception_texts(f"{head}    raise X(f'{{exc}}')\n") == [4]
    assert _exception_texts(f"{head}    if x:\n        raise X(a, b=str(exc)) from None\n") == [5]
    assert _exception_texts(f"{head}    raise X(exc.detail, f'{{exc.code}}') from exc\n") == []


def test_version_is_that_of_the_package():
    """What health reports is what pyproject.toml says."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
