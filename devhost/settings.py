"""Reads host.json, local.settings.json and devhost.json once, so that nothing else parses a configuration file."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from devhost.errors import StartupError
from devhost.schedules import parse_time_span

DEFAULT_PORT = 7071
_JOB_HOST = "azurefunctionsjobhost__"
# The .NET host and Core Tools read these files with a parser that skips comments.
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)


@dataclass(frozen=True)
class HostSettings:
    """host.json after environment overrides; `only_functions` None means all of them."""

    route_prefix: str = "api"
    function_timeout: timedelta | None = None
    only_functions: frozenset[str] | None = None


@dataclass(frozen=True)
class LocalSettings:
    """local.settings.json; `values` hold secrets and are never printed."""

    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    port: int = DEFAULT_PORT
    cors_origins: tuple[str, ...] = ()
    cors_credentials: bool = False


def load_host_settings(app_dir: Path, environ: Mapping[str, str]) -> HostSettings:
    path = app_dir / "host.json"
    content = _read_object(path)
    overrides = {name.lower(): value for name, value in environ.items() if name.lower().startswith(_JOB_HOST)}
    http = _section(_section(content, "extensions", path), "http", path)
    prefix = overrides.get(f"{_JOB_HOST}extensions__http__routeprefix", http.get("routePrefix", "api"))
    if not isinstance(prefix, str):
        raise StartupError(f"{path.name}: 'extensions.http.routePrefix' must be a string, found {prefix!r}")
    return HostSettings(
        route_prefix=prefix.strip("/"),
        function_timeout=_timeout(content.get("functionTimeout"), path),
        only_functions=_only_functions(content.get("functions"), overrides, path),
    )


def load_local_settings(app_dir: Path) -> LocalSettings:
    path = app_dir / "local.settings.json"
    content = _read_object(path)
    if content.get("IsEncrypted") is True:
        raise StartupError(f"{path.name} is encrypted, which devhost cannot read; run 'func settings decrypt' first")
    host = _section(content, "Host", path)
    return LocalSettings(
        values=_values(_section(content, "Values", path), path),
        port=_port(host.get("LocalHttpPort", DEFAULT_PORT), path),
        cors_origins=cors_origins(str(host.get("CORS") or "")),
        cors_credentials=host.get("CORSCredentials") is True,
    )


def cors_origins(text: str) -> tuple[str, ...]:
    """The origins of a comma list, without the slash that browsers never send."""
    return tuple(origin.strip().rstrip("/") for origin in text.split(",") if origin.strip())


def load_welcome(app_dir: Path) -> tuple[str, ...]:
    """Lines the app wants printed once it is served; `{base_url}` stands for the address."""
    path = app_dir / "devhost.json"
    lines = _read_object(path).get("welcome", [])
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise StartupError(f"{path.name}: 'welcome' must be a list of strings")
    return tuple(lines)


def _read_object(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        content = json.loads(_COMMENT.sub(_blank_comment, text))
    except json.JSONDecodeError as error:
        raise StartupError(
            f"{path.name} is not valid JSON: {error.msg} at line {error.lineno} column {error.colno}"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise StartupError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise StartupError(f"{path.name} must hold a JSON object")
    return content


def _blank_comment(found: re.Match[str]) -> str:
    """Spaces for a comment keep the positions in error messages right."""
    return found.group(1) or re.sub(r"[^\n]", " ", found.group(0))


def _section(content: Mapping[str, Any], name: str, path: Path) -> Mapping[str, Any]:
    section = content.get(name) or {}
    if not isinstance(section, dict):
        raise StartupError(f"{path.name}: {name!r} must be an object")
    return section


def _values(section: Mapping[str, Any], path: Path) -> dict[str, str]:
    """Strings as Core Tools read them: null is left out, numbers and booleans keep their JSON text."""
    values = {}
    for name, value in section.items():
        if isinstance(value, (dict, list)):
            raise StartupError(f"{path.name}: 'Values' entry {name!r} must be a string, not an object or a list")
        if value is not None:
            values[name] = value if isinstance(value, str) else json.dumps(value)
    return values


def _port(value: object, path: Path) -> int:
    if isinstance(value, bool) or not str(value).isdecimal() or int(str(value)) > 65535:
        raise StartupError(f"{path.name}: 'Host.LocalHttpPort' must be a port number, found {value!r}")
    return int(str(value))


def _timeout(value: object, path: Path) -> timedelta | None:
    if value is None or str(value) in {"-1", "-00:00:01"}:
        return None
    span = parse_time_span(str(value))
    if span is None:
        raise StartupError(f"{path.name}: 'functionTimeout' must look like '00:05:00' or '-1', found {value!r}")
    return span


def _only_functions(listed: object, overrides: Mapping[str, str], path: Path) -> frozenset[str] | None:
    prefix = f"{_JOB_HOST}functions__"
    chosen = [value for name, value in overrides.items() if name.startswith(prefix) and value]
    if not chosen and listed is not None:
        if not isinstance(listed, list):
            raise StartupError(f"{path.name}: 'functions' must be a list of function names")
        chosen = [str(name) for name in listed]
    return frozenset(name.lower() for name in chosen) or None
