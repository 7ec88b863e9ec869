"""Requests without a server."""

from collections.abc import Iterable

from azurefunctions.extensions.http.fastapi import Request
from starlette.requests import Request as StarletteRequest


def request(
    method: str = "POST",
    path: str = "/api/test",
    *,
    headers: dict[str, str] | None = None,
    body: Iterable[bytes] = (),
    query: str = "",
    disconnects: bool = False,
) -> Request:
    """A request whose body comes in these pieces, and whose client leaves afterwards if it ``disconnects``."""
    messages = [{"type": "http.request", "body": piece, "more_body": True} for piece in body]
    messages.append({"type": "http.disconnect"} if disconnects else {"type": "http.request", "more_body": False})

    async def receive() -> dict:
        return messages.pop(0)

    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()],
        "client": ("203.0.113.5", 40_000),
        "path_params": {},
    }
    return StarletteRequest(scope, receive)
