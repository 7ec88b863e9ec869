"""The only module that drives Microsoft's runtime wheel, whose private parts may move with every version."""

import asyncio
import os
import re
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import azure_functions_runtime as wheel
from azure_functions_runtime import handle_event, http_v2

from devhost.errors import StartupError
from devhost.functions import Function, in_host_order, read_function
from devhost.protos import PROTOS, Data, Input, StatusResult

_ADVERT = re.compile(r"(?:\.? For more info, please refer|Current sys\.path: ).*")


@dataclass(frozen=True)
class LoadedApp:
    """An indexed app: its functions in host order and what importing and indexing it cost."""

    functions: tuple[Function, ...]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """How an invocation ended; `error` is None exactly when it succeeded."""

    error: str | None = None
    trace: str = ""

    @property
    def ok(self) -> bool:
        return self.error is None


async def load_app(app_dir: Path) -> LoadedApp:
    """Imports and indexes the app on the running loop, which must be the one that serves it. Raises StartupError."""
    script = os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    # The wheel would start its own HTTP server on a second port; ours feeds its coordinator directly.
    handle_event.initialize_http_server = lambda *_args, **_options: "inproc://"
    wheel.start_threadpool_executor()
    started = time.perf_counter()
    response = await _init(app_dir, script)
    seconds = time.perf_counter() - started
    if response.result.status != StatusResult.Success:
        failure = response.result.exception
        raise StartupError(f"{script} cannot be loaded: {_message(failure.message)}", _app_trace(failure.stack_trace))
    functions = await _list_functions()
    if not functions:
        reason = "has no functions" if (app_dir / script).exists() else f"is not in {app_dir}"
        raise StartupError(f"{script} {reason}; devhost needs an app with at least one function (see --app-dir)")
    if "HttpUri" not in response.capabilities and any(function.http for function in functions):
        raise StartupError(
            f"{script} has HTTP functions but does not import azurefunctions.extensions.http.fastapi; devhost serves "
            "the FastAPI request types only, so import Request and Response from there"
        )
    return LoadedApp(tuple(in_host_order(functions)), seconds)


async def invoke(function: Function, data: Data, invocation_id: str) -> Outcome:
    """Runs one function to its end. Whatever escapes from it is in the outcome; only the caller's own cancellation
    raises, and it cancels the function too."""
    call = asyncio.create_task(_call(function, data, invocation_id), name=f"invocation of {function.name}")
    try:
        await asyncio.wait({call})
    except asyncio.CancelledError:
        call.cancel()
        raise
    if call.cancelled():
        return Outcome("CancelledError escaped from the function")
    escaped = call.exception()
    return call.result() if escaped is None else Outcome(f"{type(escaped).__name__} escaped: {escaped}")


async def _call(function: Function, data: Data, invocation_id: str) -> Outcome:
    request = SimpleNamespace(
        invocation_id=invocation_id,
        function_id=function.function_id,
        input_data=[Input(function.argument, data)],
        trigger_metadata={},
        trace_context=SimpleNamespace(
            trace_parent=f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01", trace_state="", attributes={}
        ),
        retry_context=SimpleNamespace(retry_count=0, max_retry_count=0, exception=None),
    )
    try:
        response = await wheel.invocation_request(SimpleNamespace(request=SimpleNamespace(invocation_request=request)))
    except SystemExit as exit_:
        # asyncio would let it end the whole host; in Azure it does end the worker.
        return Outcome(f"the function called sys.exit({exit_.code!r}), which kills the worker in Azure")
    if response.result.status == StatusResult.Success:
        return Outcome()
    return Outcome(response.result.exception.message, response.result.exception.stack_trace)


def offer_request(invocation_id: str, request: object) -> None:
    """Hands a request to the invocation of that id; comes before `await_response`."""
    http_v2.http_coordinator.set_http_request(invocation_id, request)


async def await_response(invocation_id: str) -> Any:
    """What the handler returned, or the Exception it raised, which is returned; raises ValueError when it was None."""
    return await http_v2.http_coordinator.await_http_response_async(invocation_id)


def has_response(invocation_id: str) -> bool:
    reference = http_v2.http_coordinator._context_references.get(invocation_id)
    return reference is not None and reference.http_response_available_event.is_set()


def forget(invocation_id: str) -> None:
    """The coordinator keeps an entry per request for ever; allowed once the invocation and the waiter have ended."""
    http_v2.http_coordinator._context_references.pop(invocation_id, None)


async def _init(app_dir: Path, script: str) -> Any:
    init = SimpleNamespace(capabilities={}, function_app_directory=str(app_dir))
    properties = {"protos": PROTOS, "host": "127.0.0.1"}
    request = SimpleNamespace(request=SimpleNamespace(worker_init_request=init), properties=properties)
    try:
        return await wheel.worker_init_request(request)
    except SystemExit as exit_:
        raise StartupError(f"{script} called sys.exit({exit_.code!r}) while it was imported") from exit_


async def _list_functions() -> list[Function]:
    response = await wheel.functions_metadata_request(SimpleNamespace(request=None))
    indexed = handle_event._functions
    return [
        read_function(
            found.name, found.function_id, found.raw_bindings, indexed.get_function(found.function_id).is_async
        )
        for found in response.function_metadata_results or []
    ]


def _message(message: str) -> str:
    return "\n".join(_ADVERT.sub("", line).rstrip() for line in message.strip().splitlines())


def _app_trace(trace: str) -> str:
    """The traceback without the frames of the wheel and of importlib, which hide the app's own, and without the
    exception's message, which is said last and once."""
    kept: list[str] = []
    keep = True
    for line in trace.splitlines():
        if line.startswith('  File "'):
            keep = f"{os.sep}azure_functions_runtime{os.sep}" not in line and '"<frozen importlib' not in line
        elif not line.startswith("    "):
            keep = True
        if keep:
            kept.append(_ADVERT.sub("", line))
    frames = [number for number, line in enumerate(kept) if line.startswith('  File "')]
    end = frames[-1] + 1 if frames else 0
    while end < len(kept) and kept[end].startswith("    "):
        end += 1
    return "\n".join(kept[:end])


def put_first_on_path(app_dir: Path) -> None:
    """The app directory is the working directory and the first place for imports, as in Azure."""
    os.chdir(app_dir)
    sys.path[:] = [str(app_dir), *(entry for entry in sys.path if entry != str(app_dir))]
