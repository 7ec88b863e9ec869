"""The front of the host as one ASGI app: admin routes, matching, keys and headers, then the worker's own web app."""

import asyncio
import logging
import re
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from devhost.admin import AdminApi
from devhost.functions import AuthLevel
from devhost.invocation import answer, handler_part
from devhost.keys import Keys, presented_key
from devhost.routes import Match, Router

_log = logging.getLogger("devhost")
_access_log = logging.getLogger("devhost.access")
_MATCH = "devhost.match"
_INVOCATION = "x-ms-invocation-id"


def build_worker_app() -> ASGIApp:
    """The extension's own FastAPI app, as the worker builds it; import of the extension switches HTTP streams on, so
    this must not be called before the app is loaded."""
    from azurefunctions.extensions.http.fastapi import Request as ExtensionRequest
    from azurefunctions.extensions.http.fastapi import WebApp

    web = WebApp()

    async def handle(request: ExtensionRequest) -> Any:
        match: Match = request.scope[_MATCH]
        return await answer(match.function, request, match.values, request.headers[_INVOCATION])

    web.route(handle)
    app: ASGIApp = web.get_app()
    return app


@dataclass(frozen=True)
class Gateway:
    """`keys` None leaves every function open, as `func start` does; `worker` None means there are no HTTP functions."""

    router: Router
    worker: ASGIApp | None
    admin: AdminApi
    keys: Keys | None = None
    function_timeout: timedelta | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = request_path(scope)
        if path.lstrip("/").lower().split("/")[0] in {"admin", "runtime"}:
            response = await self._answer_admin(Request(scope, receive), path)
            await response(scope, receive, send)
            return
        match = self.router.match(scope["method"], path)
        if match is None or self.worker is None:
            await Response(status_code=404)(scope, receive, send)
        elif not self._allows(scope, match.trigger.auth_level):
            await Response(status_code=401)(scope, receive, send)
        else:
            await self._invoke(self.worker, match, scope, receive, send)

    async def _answer_admin(self, request: Request, path: str) -> Response:
        if not self._allows(request.scope, AuthLevel.ADMIN):
            return Response(status_code=401)
        return await self.admin.answer(request, path)

    def _allows(self, scope: Scope, needed: AuthLevel) -> bool:
        if self.keys is None:
            return True
        key = presented_key(Headers(scope=scope), QueryParams(scope["query_string"]))
        return self.keys.level_of(key) >= needed

    async def _invoke(self, worker: ASGIApp, match: Match, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, _MATCH: match, "headers": list(scope["headers"])}
        _set_host_headers(scope)
        exchange = _Exchange(send)
        watch = self._watch_timeout(match)
        started = time.perf_counter()
        try:
            await worker(scope, receive, exchange.send)
        except Exception as error:
            if not exchange.complete:
                _log.error(
                    "function %r failed after its response had begun; the connection is cut", match.function.name
                )
                raise
            _log.error("function %r failed", match.function.name, exc_info=handler_part(error))
        finally:
            if watch:
                watch.cancel()
            seconds = time.perf_counter() - started
            _access_log.info(
                "%s %s -> %s by %s in %.3f s",
                scope["method"],
                scope["path"],
                exchange.status,
                match.function.name,
                seconds,
            )

    def _watch_timeout(self, match: Match) -> asyncio.TimerHandle | None:
        """Azure would end the invocation, stream included, and restart the worker; here it is only said."""
        if self.function_timeout is None:
            return None
        limit = self.function_timeout
        message = "function %r runs longer than functionTimeout (%s); Azure would restart the worker now"
        return asyncio.get_running_loop().call_later(
            limit.total_seconds(), _log.warning, message, match.function.name, limit
        )


class _Exchange:
    """Remembers how far a response got, since only a complete one may swallow the handler's exception."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status: int | None = None
        self.complete = False

    async def send(self, message: Message) -> None:
        await self._send(message)
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)


def request_path(scope: Scope) -> str:
    """The decoded path with %2F left as it is, as Kestrel gives it to the host's routing."""
    raw = scope.get("raw_path") or scope["path"].encode()
    return unquote(re.sub("%2f", "%252F", raw.decode("latin-1"), flags=re.IGNORECASE))


def _set_host_headers(scope: Scope) -> None:
    """A client's own invocation id must never reach the worker: it would wait for the wrong invocation."""
    headers = MutableHeaders(scope=scope)
    host = headers.get("host", "")
    headers[_INVOCATION] = str(uuid.uuid4())
    client = scope.get("client")
    headers.setdefault("x-forwarded-for", client[0] if client else "")
    headers.setdefault("x-forwarded-host", host)
    headers.setdefault("x-forwarded-proto", scope["scheme"])
