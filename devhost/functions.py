"""What one indexed function is, read from the binding JSON that the runtime hands to a host."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self


class AuthLevel(IntEnum):
    """Ordered: a caller of a higher level may call everything below it."""

    ANONYMOUS = 0
    FUNCTION = 1
    ADMIN = 2


@dataclass(frozen=True)
class HttpTrigger:
    """`route` has no prefix and no outer slashes; no `methods` means every method."""

    route: str
    methods: frozenset[str]
    auth_level: AuthLevel

    def accepts(self, method: str) -> bool:
        return not self.methods or method.upper() in self.methods

    def shares_a_method_with(self, other: Self) -> bool:
        return not self.methods or not other.methods or bool(self.methods & other.methods)


@dataclass(frozen=True)
class TimerTrigger:
    """The schedule as written, unresolved; the flags carry the host's defaults where the app said nothing."""

    schedule: str
    run_on_startup: bool
    use_monitor: bool


@dataclass(frozen=True)
class Function:
    """One function; `http` and `timer` are both None for any other trigger, which only the admin route can fire."""

    name: str
    function_id: str
    trigger_type: str
    argument: str
    is_async: bool
    http: HttpTrigger | None = None
    timer: TimerTrigger | None = None


def in_host_order(functions: Sequence[Function]) -> list[Function]:
    """The host tries functions by name, ignoring case; it has no notion of a more specific route."""
    return sorted(functions, key=lambda function: function.name.lower())


def read_function(name: str, function_id: str, raw_bindings: Sequence[str], is_async: bool) -> Function:
    trigger = _find_trigger([json.loads(raw) for raw in raw_bindings])
    kind = str(trigger.get("type", "none"))
    return Function(
        name=name,
        function_id=function_id,
        trigger_type=kind,
        argument=str(trigger.get("name", "")),
        is_async=is_async,
        http=_read_http(trigger, name) if kind.lower() == "httptrigger" else None,
        timer=_read_timer(trigger) if kind.lower() == "timertrigger" else None,
    )


def _find_trigger(bindings: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return next((binding for binding in bindings if str(binding.get("type", "")).lower().endswith("trigger")), {})


def _read_http(trigger: Mapping[str, Any], name: str) -> HttpTrigger:
    route = str(trigger.get("route") or "").strip()
    return HttpTrigger(
        route=route.strip("/") or name,
        methods=frozenset(str(method).upper() for method in trigger.get("methods") or ()),
        auth_level=AuthLevel[str(trigger.get("authLevel") or "FUNCTION").upper()],
    )


def _read_timer(trigger: Mapping[str, Any]) -> TimerTrigger:
    return TimerTrigger(
        schedule=str(trigger.get("schedule", "")),
        run_on_startup=trigger.get("runOnStartup") is True,
        use_monitor=trigger.get("useMonitor") is not False,
    )
