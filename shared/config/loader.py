"""ConfigLoader: YAML base, overlay of the environment, environment variables, then secrets; wrong input fails once,
with everything that is wrong in one message."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import yaml
from pydantic import ValidationError

from shared.config.environment import VARIABLES, Variable, process_environment
from shared.config.production import insecure_settings
from shared.config.secrets import NoSecretSource, SecretSource
from shared.config.settings import Environment, OverrideMode, Settings

CONFIG_DIR = Path(__file__).resolve().parents[2] / "config"

APP_ENV_ALIASES: Mapping[str, Environment] = {
    "local": "local",
    "dev": "local",
    "development": "local",
    "k8s": "k8s-local",
    "k8s-local": "k8s-local",
    "staging": "staging",
    "stage": "staging",
    "production": "production",
    "prod": "production",
}
OVERRIDE_MODES: tuple[OverrideMode, ...] = ("all", "secrets-only", "none")


class ConfigError(Exception):
    """The configuration cannot be used. ``problems`` names each setting and what is wrong; values never appear."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"The configuration has {len(problems)} problem(s):\n{lines}")


class ConfigLoader:
    """Builds ``Settings``. ``environ``, ``config_dir`` and ``secrets`` are arguments so that tests need no patching."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        config_dir: Path = CONFIG_DIR,
        secrets: SecretSource | None = None,
    ) -> None:
        self._environ = process_environment() if environ is None else environ
        self._config_dir = config_dir
        self._secrets = secrets or NoSecretSource()

    def load(self) -> Settings:
        """Raises ``ConfigError`` with every problem found, insecure production settings included."""
        environment, mode = self._environment_and_mode()
        tree = _read_yaml(self._config_dir / "config.yaml", required=True)
        overlay = _read_yaml(self._config_dir / f"config.{environment}.yaml", required=False)
        origins: dict[str, str] = {}
        tree = _merge(tree, overlay)
        for variable in VARIABLES:
            self._apply(tree, variable, mode, origins)
        tree |= {"environment": environment, "override_mode": mode}
        settings = _validate(tree, origins)
        if problems := insecure_settings(settings):
            raise ConfigError(problems)
        return settings

    def _environment_and_mode(self) -> tuple[Environment, OverrideMode]:
        problems = []
        environment = APP_ENV_ALIASES.get(self._environ.get("APP_ENV", "").strip().lower() or "local")
        if environment is None:
            problems.append(f"APP_ENV: unknown environment; use one of {', '.join(sorted(APP_ENV_ALIASES))}")
        wanted = self._environ.get("CONFIG_ENV_OVERRIDE_MODE", "").strip().lower()
        if wanted and wanted not in OVERRIDE_MODES:
            problems.append(f"CONFIG_ENV_OVERRIDE_MODE: unknown mode; use one of {', '.join(OVERRIDE_MODES)}")
        if problems or environment is None:
            raise ConfigError(problems)
        default: OverrideMode = "all" if environment == "local" else "secrets-only"
        return environment, cast("OverrideMode", wanted) if wanted else default

    def _apply(self, tree: dict[str, Any], variable: Variable, mode: OverrideMode, origins: dict[str, str]) -> None:
        counts = mode == "all" or (mode == "secrets-only" and variable.secret)
        # An app setting that exists but is empty means "not set", as in the Functions host.
        raw = self._environ.get(variable.name, "").strip() if counts else ""
        if not raw and variable.secret:
            raw = (self._secrets.get(variable.name) or "").strip()
        if raw:
            _set(tree, variable.path, variable.parse(raw))
            origins[variable.path] = variable.name


def _read_yaml(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise ConfigError([f"{path.name}: the file is missing"])
        return {}
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise ConfigError([f"{path.name}: not UTF-8 text"]) from None
    except yaml.YAMLError as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ConfigError([f"{path.name}{where}: not valid YAML"]) from None
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise ConfigError([f"{path.name}: must hold a mapping of sections"])
    return loaded


def _merge(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = _merge(merged[key], value) if both else value
    return merged


def _set(tree: dict[str, Any], path: str, value: object) -> None:
    *parents, leaf = path.split(".")
    node: object = tree
    for name in parents:
        node = node.setdefault(name, {}) if isinstance(node, dict) else None
    # Where a file has something else than a section, the check of the tree says so.
    if isinstance(node, dict):
        node[leaf] = value


def _validate(tree: dict[str, Any], origins: Mapping[str, str]) -> Settings:
    model = tree.get("model")
    providers = model.get("providers") if isinstance(model, dict) else None
    names = tuple(map(str, providers)) if isinstance(providers, dict) else ()
    try:
        return Settings.model_validate(tree, context={"model_providers": names})
    except ValidationError as exc:
        # include_input=False: the input of a failing secret is a secret.
        errors = exc.errors(include_url=False, include_input=False, include_context=False)
        raise ConfigError([_describe(error["loc"], error["msg"], origins) for error in errors]) from None


def _describe(loc: tuple[int | str, ...], message: str, origins: Mapping[str, str]) -> str:
    path = ".".join(str(part) for part in loc)
    message = message.removeprefix("Value error, ")
    for known, variable in origins.items():
        if path == known or path.startswith(f"{known}."):
            return f"{variable} ({known}): {message}"
    return f"{path}: {message}"
