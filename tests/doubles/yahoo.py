"""Yahoo Finance on loopback, at the level of the wire, so that the real yfinance and its real HTTP client are tested.

It is a CONNECT proxy that ends TLS with a private authority: every Yahoo host is answered here. Start it by hand with
``python -m tests.doubles.yahoo`` and give the application the printed variables.
"""

import argparse
import contextlib
import json
import signal
import socket
import ssl
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self, TypedDict
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.doubles import certificates, yahoo_answers
from tests.doubles.yahoo_listings import Listing, default_listings

HOSTS = (
    "fc.yahoo.com",
    "query1.finance.yahoo.com",
    "query2.finance.yahoo.com",
    "finance.yahoo.com",
    "guce.yahoo.com",
    "consent.yahoo.com",
    "streamer.finance.yahoo.com",
)
CRUMB = "crumb.of.the.double"
COOKIE = "d=AQABBDouble&S=AQAAAg"
HTML = "text/html; charset=utf-8"


class Fault(TypedDict, total=False):
    """What goes wrong with the next ``times`` requests (default 1). ``delay`` alone is followed by the real answer."""

    status: int
    body: str
    ctype: str
    delay: float
    drop: bool
    times: int


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was seen; ``cookie`` says whether A3 came along, ``status`` 0 that no answer was sent."""

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    cookie: bool
    user_agent: str
    status: int
    at: datetime

    def __str__(self) -> str:
        return f"{self.host}{self.path}"


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    ctype: str = "application/json;charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


class YahooDouble:
    """``now`` fixes the data: every listing ends with the newest session that has begun by then.

    ``faults`` maps a prefix of host and path to a ``Fault``; ``latency`` holds every answer back. ``reset`` clears the
    log and the faults and restores the listings. Nothing outlives ``close``: delayed answers are let go.
    """

    def __init__(self, *, now: datetime | None = None, port: int = 0) -> None:
        self.now = now or datetime.now(UTC)
        self.faults: dict[str, Fault] = {}
        self.requests: list[Request] = []
        self.listings: dict[str, Listing] = {}
        self.in_flight = 0
        self.max_in_flight = 0
        self.latency = 0.0
        self.check_crumb = True
        self.changed = threading.Condition()
        self._released = threading.Event()
        self._folder = tempfile.TemporaryDirectory(prefix="yahoo-double-")
        issued = certificates.issue(Path(self._folder.name), HOSTS)
        self.ca_file = str(issued.ca_file)
        self.tls = _tls_context(issued.chain_file)
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.reset()

    @property
    def proxy_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def environment(self) -> dict[str, str]:
        """What a process needs from its start: the HTTP client reads the authority when it is imported."""
        names = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
        return {**dict.fromkeys(names, self.ca_file), "YAHOO_PROXY_URL": self.proxy_url}

    def reset(self) -> None:
        """Lets delayed answers go and waits until no request is in flight, so that none is logged afterwards."""
        self._released.set()
        with self.changed:
            self.changed.wait_for(lambda: self.in_flight == 0, timeout=5)
            self._released.clear()
            self.requests.clear()
            self.faults.clear()
            self.listings = default_listings(self.now)
            self.max_in_flight = 0
            self.latency = 0.0
            self.check_crumb = True

    def paths(self) -> list[str]:
        """Host and path of every request that was answered or dropped, in order."""
        with self.changed:
            return [str(request) for request in self.requests]

    def wait_for_in_flight(self, count: int, timeout: float = 10) -> None:
        """Blocks until ``count`` requests are being held; raises TimeoutError otherwise."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.in_flight >= count, timeout):
                raise TimeoutError(f"{self.in_flight} requests in flight, not {count}")

    def start(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        self._released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.disconnect()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()

    def hold(self, seconds: float) -> None:
        """A delay that ends early when the double is reset or closed."""
        if seconds > 0:
            self._released.wait(seconds)

    def take_fault(self, target: str) -> Fault:
        with self.changed:
            for prefix, fault in self.faults.items():
                if target.startswith(prefix) and (left := fault.get("times", 1)) > 0:
                    fault["times"] = left - 1
                    return fault
        return {}

    def entered(self) -> None:
        with self.changed:
            self.in_flight += 1
            self.max_in_flight = max(self.max_in_flight, self.in_flight)
            self.changed.notify_all()

    def left(self, request: Request) -> None:
        with self.changed:
            self.requests.append(request)
            self.in_flight -= 1
            self.changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], double: YahooDouble) -> None:
        super().__init__(address, _Handler)
        self.double = double
        self._connections: set[socket.socket] = set()
        self._idle = threading.Condition()

    def connected(self, connection: socket.socket) -> None:
        with self._idle:
            self._connections.add(connection)

    def disconnected(self, connection: socket.socket) -> None:
        with self._idle:
            self._connections.discard(connection)
            self._idle.notify_all()

    def disconnect(self) -> None:
        """Ends kept-alive connections, whose handlers wait for a next request, and waits for the handlers."""
        with self._idle:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._idle.wait_for(lambda: not self._connections, timeout=5)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gives up is part of the tests, not worth a traceback."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    host = ""

    def do_CONNECT(self) -> None:
        self.host = self.path.rpartition(":")[0]
        self.send_response_only(200, "Connection established")
        self.end_headers()
        self.wfile.flush()
        try:
            self.connection = self.server.double.tls.wrap_socket(self.connection, server_side=True)
        except OSError:
            self.close_connection = True
            return
        self.server.connected(self.connection)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb")

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.close()
            self.server.disconnected(self.connection)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """The request log of the double replaces the lines on stderr."""

    def _serve(self) -> None:
        double, answer = self.server.double, None
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        double.entered()
        try:
            answer = self._answer(body)
        finally:
            # Before the answer is sent: who has it may rely on finding its request in the log.
            double.left(self._record(answer.status if answer else 0))
        try:
            if answer:
                self._send(answer)
            else:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            self.close_connection = True

    def _answer(self, body: bytes) -> _Answer | None:
        """None stands for a dropped connection."""
        double, url = self.server.double, urlsplit(self.path)
        fault = double.take_fault(f"{self.host}{url.path}")
        double.hold(double.latency + fault.get("delay", 0.0))
        if fault.get("drop"):
            return None
        if "status" in fault or "body" in fault:
            text = fault.get("body", "Too Many Requests")
            return _Answer(fault.get("status", 200), text.encode(), fault.get("ctype", HTML))
        query = dict(parse_qsl(url.query))
        return _route(double, self.host, unquote(url.path), query, body, has_cookie=self._has_cookie())

    def _send(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        for name, value in (("Content-Type", answer.ctype), *answer.headers):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)
        self.wfile.flush()

    def _has_cookie(self) -> bool:
        return f"A3={COOKIE}" in self.headers.get("Cookie", "")

    def _record(self, status: int) -> Request:
        url = urlsplit(self.path)
        return Request(
            method=self.command,
            host=self.host,
            path=url.path,
            query=dict(parse_qsl(url.query)),
            cookie=self._has_cookie(),
            user_agent=self.headers.get("User-Agent", ""),
            status=status,
            at=datetime.now(UTC),
        )


def _route(
    double: YahooDouble, host: str, path: str, query: dict[str, str], body: bytes, *, has_cookie: bool
) -> _Answer:
    if host == "fc.yahoo.com":
        return _Answer(404, b"<html>Not Found</html>", HTML, (("Set-Cookie", _cookie()),))
    if host in {"consent.yahoo.com", "guce.yahoo.com"} or path.startswith("/consent"):
        return _Answer(200, b"<html><body>Consent</body></html>", HTML)
    if path == "/v1/test/getcrumb":
        return _Answer(200, CRUMB.encode(), "text/plain") if has_cookie else _Answer(401, b"", "text/plain")
    if path.startswith(("/v10/finance/quoteSummary/", "/v7/finance/quote")):
        allowed = not double.check_crumb or (has_cookie and query.get("crumb") == CRUMB)
        return _protected(double, path, query) if allowed else _json(yahoo_answers.BAD_CRUMB, 401)
    return _public(double, path, query, body)


def _protected(double: YahooDouble, path: str, query: dict[str, str]) -> _Answer:
    if path.startswith("/v7/"):
        wanted = query.get("symbols", "").split(",")
        return _json(
            yahoo_answers.quotes((double.listings[name] for name in wanted if name in double.listings), double.now)
        )
    listing = double.listings.get(_last_segment(path))
    if listing is None:
        return _json(yahoo_answers.NO_SUMMARY, 404)
    answer = yahoo_answers.quote_summary(listing, query.get("modules", "").split(","), double.now)
    return _json(answer) if answer["quoteSummary"]["result"][0] else _json(yahoo_answers.NO_FUNDAMENTALS, 404)


def _public(double: YahooDouble, path: str, query: dict[str, str], body: bytes) -> _Answer:
    listing = double.listings.get(_last_segment(path))
    if path.startswith("/v8/finance/chart/"):
        if listing is None:
            return _json(yahoo_answers.NOT_LISTED, 404)
        return _json(yahoo_answers.chart(listing, query, double.now))
    if path == "/v1/finance/search":
        return _json(yahoo_answers.search(double.listings.values(), query))
    if path.lower() == "/v1/finance/lookup":
        return _json(yahoo_answers.lookup(double.listings.values(), query))
    if "/fundamentals-timeseries/" in path:
        return _json(yahoo_answers.fundamentals(listing, query))
    if path == "/xhr/ncp":
        wanted = json.loads(body or b"{}").get("serviceConfig", {})
        listing = double.listings.get(str(next(iter(wanted.get("s", [])), "")))
        return _json(yahoo_answers.news(listing, double.now, int(wanted.get("snippetCount", 10))))
    return _json(yahoo_answers.NO_SUCH_PAGE, 404)


def _last_segment(path: str) -> str:
    return path.rstrip("?").rpartition("/")[2]


def _json(payload: Mapping[str, Any], status: int = 200) -> _Answer:
    return _Answer(status, json.dumps(payload).encode())


def _cookie() -> str:
    expires = datetime.now(UTC) + timedelta(days=365)
    return (
        f"A3={COOKIE}; Expires={expires:%a, %d %b %Y %H:%M:%S GMT}; Domain=.yahoo.com; Path=/; "
        "SameSite=None; Secure; HttpOnly"
    )


def _tls_context(chain_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain_file)
    context.set_alpn_protocols(["http/1.1"])
    return context


def main() -> None:
    """Serve until SIGTERM or SIGINT, for trying the application by hand."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="default: any free port")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with YahooDouble(port=parser.parse_args().port) as double:
        for name, value in double.environment().items():
            print(f"{name}={value}", flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
