"""Describes functions in lines of text, the same for `--check` and for the table printed after start."""

from collections.abc import Sequence

from devhost.functions import Function


def describe(
    functions: Sequence[Function], prefix: str, base_url: str = "", disabled: frozenset[str] = frozenset()
) -> list[str]:
    """One aligned line per function: name, trigger, what fires it, who may call it, async or SYNC."""
    rows = [_cells(function, prefix, base_url, function.name in disabled) for function in functions]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cells(function: Function, prefix: str, base_url: str, is_disabled: bool) -> tuple[str, ...]:
    kind, target, level = function.trigger_type.removesuffix("Trigger"), "", ""
    if function.http is not None:
        path = "/" + f"{prefix}/{function.http.route}".lstrip("/")
        target = f"{','.join(sorted(function.http.methods)) or 'ANY'} {base_url}{path}"
        level = function.http.auth_level.name.lower()
    elif function.timer is not None:
        target = function.timer.schedule
    return (
        function.name,
        kind,
        target,
        level,
        "async" if function.is_async else "SYNC",
        "disabled" if is_disabled else "",
    )
