"""CORS as the platform does it in Azure: before routing and keys, without touching the body of a stream."""

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class CorsPolicy:
    """`origins` may hold `*`; no origins means no CORS at all."""

    origins: tuple[str, ...]
    credentials: bool = False

    def headers_for(self, origin: str) -> dict[str, str]:
        """The response headers that let `origin` read the answer; empty when it may not."""
        everyone = "*" in self.origins
        if not everyone and origin.lower() not in {allowed.lower() for allowed in self.origins}:
            return {}
        if everyone and not self.credentials:
            return {"access-control-allow-origin": "*"}
        headers = {"access-control-allow-origin": origin, "vary": "Origin"}
        return headers | ({"access-control-allow-credentials": "true"} if self.credentials else {})


class CorsLayer:
    """Plain ASGI: Starlette's BaseHTTPMiddleware would stand between a stream and its client's disconnect."""

    def __init__(self, app: ASGIApp, policy: CorsPolicy) -> None:
        self._app = app
        self._policy = policy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        origin = headers.get("origin")
        if origin is None:
            await self._app(scope, receive, send)
            return
        granted = self._policy.headers_for(origin)
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await _answer_preflight(headers, granted, send)
            return

        async def send_with_cors(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(MutableHeaders(scope=message), granted)
            await send(message)

        await self._app(scope, receive, send_with_cors)


async def _answer_preflight(request: Headers, granted: dict[str, str], send: Send) -> None:
    """204 for everybody; a browser takes missing headers for a refusal."""
    message: Message = {"type": "http.response.start", "status": 204, "headers": []}
    headers = MutableHeaders(scope=message)
    if granted:
        _add(headers, granted)
        headers["access-control-allow-methods"] = request["access-control-request-method"]
        asked = request.get("access-control-request-headers")
        if asked:
            headers["access-control-allow-headers"] = asked
    await send(message)
    await send({"type": "http.response.body", "body": b""})


def _add(headers: MutableHeaders, granted: dict[str, str]) -> None:
    for name, value in granted.items():
        if name == "vary":
            headers.add_vary_header(value)
        else:
            headers[name] = value
