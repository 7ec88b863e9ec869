"""uvicorn on a socket of our own: bound early so that a taken port fails fast, ready only once it listens."""

import asyncio
import contextlib
import errno
import importlib.util
import socket
from collections.abc import Callable, Iterator

import uvicorn
from starlette.types import ASGIApp

from devhost.errors import StartupError


def bind(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet; port 0 takes a free one. Raises StartupError."""
    try:
        family, _, _, _, address = min(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except OSError as error:
        raise StartupError(f"host {host!r} cannot be resolved ({error}); choose another with --host") from error
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind(address)
    except OSError as error:
        bound.close()
        raise port_error(host, port, error) from error
    return bound


def port_error(host: str, port: int, error: OSError) -> StartupError:
    if error.errno == errno.EADDRINUSE:
        return StartupError(
            f"port {port} on {host} is already in use; stop the other process or choose a port with --port (0 = any)"
        )
    return StartupError(f"cannot listen on {host}:{port} ({error.strerror}); choose others with --host and --port")


def base_url(host: str, bound: socket.socket) -> str:
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{bound.getsockname()[1]}"


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop when it is installed, as the Azure worker does; None is asyncio's own loop."""
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop

    return uvloop.new_event_loop


class Server(uvicorn.Server):
    """Calls `on_listening` once it accepts connections, and leaves signals to devhost."""

    def __init__(self, app: ASGIApp, on_listening: Callable[[], None], drain_seconds: int) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools" if importlib.util.find_spec("httptools") else "h11",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                # Nobody stands in front of this host, so a client's X-Forwarded-For is only a claim.
                proxy_headers=False,
                timeout_graceful_shutdown=drain_seconds,
            )
        )
        self._on_listening = on_listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_listening()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
