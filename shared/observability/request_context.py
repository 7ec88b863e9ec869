"""The id of the request that is being served, for log records written far from the handler."""

from contextvars import ContextVar

_request_id: ContextVar[str | None] = ContextVar("request_id", default=None)


def set_request_id(request_id: str) -> None:
    """Must be set again inside a stream's generator: it runs in another task than the handler that made it."""
    _request_id.set(request_id)


def current_request_id() -> str | None:
    return _request_id.get()
