"""The host's admin endpoints, which fire a function by hand without waiting for its trigger."""

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from devhost import runtime
from devhost.functions import Function
from devhost.protos import Data
from devhost.timers import TimerService

_TRUE = {"1", "true", "yes"}


class AdminApi:
    """Answers below `/admin`; the caller has checked the key. `invocations` are the runs nobody waits for."""

    def __init__(self, functions: Sequence[Function], timers: TimerService, disabled: frozenset[str]) -> None:
        self._functions = functions
        self._timers = timers
        self._disabled = disabled
        self.invocations: set[asyncio.Task[runtime.Outcome]] = set()

    async def answer(self, request: Request, path: str) -> Response:
        parts = path.strip("/").lower().split("/")
        match (request.method, parts):
            case ("GET", ["admin", "host", "status"]):
                return JSONResponse({"state": "Running"})
            case ("GET", ["admin", "functions"]):
                return JSONResponse([self._describe(function) for function in self._functions])
            case ("POST", ["admin", "functions", name]):
                return await self._run(request, name)
            case _:
                return Response(status_code=404)

    def _describe(self, function: Function) -> dict[str, Any]:
        return {
            "name": function.name,
            "trigger": function.trigger_type,
            "route": function.http.route if function.http else None,
            "methods": sorted(function.http.methods) if function.http else None,
            "schedule": function.timer.schedule if function.timer else None,
            "isDisabled": function.name in self._disabled,
        }

    async def _run(self, request: Request, name: str) -> Response:
        function = next((each for each in self._functions if each.name.lower() == name), None)
        if function is None:
            return Response(status_code=404)
        if function.http is not None:
            return PlainTextResponse(f"{function.name} is an HTTP function; call its route instead", status_code=400)
        body = await _read_object(request)
        if body is None:
            return PlainTextResponse('The body must be a JSON object such as {"input": ""}', status_code=400)
        task = asyncio.create_task(runtime.invoke(function, self._data(function, body), str(uuid.uuid4())))
        self.invocations.add(task)
        task.add_done_callback(self.invocations.discard)
        if request.query_params.get("wait", "").lower() not in _TRUE:
            return Response(status_code=202)
        outcome = await task
        return JSONResponse({"ok": outcome.ok, "error": outcome.error})

    def _data(self, function: Function, body: Mapping[str, Any]) -> Data:
        if function.timer is not None:
            return Data("json", self._timers.payload_for(function))
        given = body.get("input", "")
        return Data("json", given if isinstance(given, str) else json.dumps(given))


async def _read_object(request: Request) -> dict[str, Any] | None:
    try:
        body = json.loads(await request.body())
    except ValueError:
        return None
    return body if isinstance(body, dict) else None
