"""Speaks HTTP to a running app and searches every answer for secrets before a test sees it."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any, Self
from urllib.parse import urlsplit

import httpx2

from tests.canaries import leaked

CHAT = "/api/chat"
STREAM = "/api/chat/stream"
_TERMINAL = ("done", "error")


def searched(text: str, where: str) -> str:
    """``text`` itself, when it shows no secret."""
    assert leaked(text) == [], f"a secret is shown in {where}"
    return text


@dataclass(frozen=True)
class Stream:
    """A whole event stream that keeps the rules of every stream: ``parse`` refuses what breaks one."""

    headers: Mapping[str, str]
    content: bytes
    frames: tuple[dict[str, Any], ...]

    @classmethod
    def parse(cls, headers: Mapping[str, str], content: bytes) -> Self:
        *events, tail = content.decode("utf-8").split("\n\n")
        assert tail == "", "the last event is cut"
        data = [event for event in events if not event.startswith(":")]
        assert all("\n" not in event and event.startswith("data: ") for event in data), "an event is named or has lines"
        *payloads, last = [event.removeprefix("data: ") for event in data]
        assert last == "[DONE]"
        frames = tuple(json.loads(payload, parse_constant=_no_constant) for payload in payloads)
        kinds = [kind_of(frame) for frame in frames]
        assert kinds[0] == "meta"
        assert kinds.count("meta") == 1
        assert [kind for kind in kinds if kind in _TERMINAL] == [kinds[-1]], (
            f"not one terminal frame at the end: {kinds}"
        )
        return cls(headers, content, frames)

    @property
    def meta(self) -> dict[str, Any]:
        return self.frames[0]

    @property
    def tools(self) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if kind_of(frame) == "tool"]

    @property
    def chunks(self) -> list[str]:
        return [frame["chunk"] for frame in self.frames if kind_of(frame) == "chunk"]

    @property
    def text(self) -> str:
        return "".join(self.chunks)

    @property
    def end(self) -> dict[str, Any]:
        return self.frames[-1]

    @property
    def comments(self) -> list[str]:
        return [event for event in self.content.decode().split("\n\n") if event.startswith(":")]


def kind_of(frame: dict[str, Any]) -> str:
    return "chunk" if set(frame) == {"chunk"} else str(frame["event"])


class LiveStream:
    """A stream that is read frame by frame, as a browser would."""

    def __init__(self, response: httpx2.Response) -> None:
        self.response = response
        self.received = b""
        self._bytes = response.iter_raw()

    def frame(self) -> dict[str, Any]:
        """The next frame; comments are passed over."""
        while True:
            event, found, rest = self.received.partition(b"\n\n")
            if not found:
                self.received += next(self._bytes)
                continue
            self.received = rest
            if event.startswith(b"data: "):
                return json.loads(searched(event.decode(), "a frame").removeprefix("data: "))

    def until(self, kind: str) -> dict[str, Any]:
        """The next frame of this kind."""
        while kind_of(frame := self.frame()) != kind:
            continue
        return frame


class AppClient:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self._http = httpx2.Client(base_url=base_url, timeout=20)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        response = self._http.request(method, path, **options)
        searched(f"{response.headers} {response.text}", f"{method} {path}")
        return response

    def get(self, path: str, **options: Any) -> httpx2.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, body: object, **options: Any) -> httpx2.Response:
        return self.request("POST", path, json=body, **options)

    def document(self, path: str, **options: Any) -> Any:
        """The JSON of a GET that succeeds."""
        response = self.get(path, **options)
        assert response.status_code == 200, response.text
        return strict_json(response)

    def ask(self, message: str, **fields: object) -> dict[str, Any]:
        """The whole answer to a question that is answered."""
        response = self.post(CHAT, {"message": message, **fields})
        assert response.status_code == 200, response.text
        return strict_json(response)

    def tell(self, message: str, *, headers: Mapping[str, str] | None = None, **fields: object) -> Stream:
        """The whole stream that answers a question."""
        response = self.post(STREAM, {"message": message, **fields}, headers=headers)
        return stream_of(response)

    @contextmanager
    def live(self, message: str, *, headers: Mapping[str, str] | None = None, **fields: object) -> Iterator[LiveStream]:
        """A stream that may be left at any point."""
        with self._http.stream("POST", STREAM, json={"message": message, **fields}, headers=headers) as response:
            searched(str(response.headers), "the headers of a stream")
            assert response.status_code == 200
            yield LiveStream(response)

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """A socket to the app, for what no HTTP client would send."""
        parts = urlsplit(self.base_url)
        with socket.create_connection((parts.hostname, parts.port), timeout=20) as connection:
            yield connection

    def raw(self, request: bytes) -> "RawAnswer":
        """The answer to these bytes on a connection of their own."""
        with self.connection() as connection:
            connection.sendall(request)
            return RawAnswer.read(connection, method=request.split(b" ", 1)[0].decode("latin-1"))


@dataclass(frozen=True)
class RawAnswer:
    status: int
    headers: dict[str, str]
    content: bytes

    @classmethod
    def read(cls, connection: socket.socket, *, method: str = "POST") -> Self:
        response = HTTPResponse(connection, method=method)
        response.begin()
        content = response.read()
        headers = {name.lower(): value for name, value in response.getheaders()}
        searched(f"{headers} {content.decode('utf-8', 'replace')}", "a raw answer")
        return cls(response.status, headers, content)

    @property
    def document(self) -> Any:
        return json.loads(self.content)


def stream_of(response: httpx2.Response) -> Stream:
    assert response.status_code == 200, response.text
    return Stream.parse(response.headers, response.content)


def strict_json(response: httpx2.Response) -> Any:
    """JSON as the standard has it: neither NaN nor infinity."""
    assert response.headers["content-type"] == "application/json"
    return json.loads(response.content, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


PROBLEM = {"type", "title", "status", "detail", "code", "request_id", "error"}


def check_problem(status: int, headers: Mapping[str, str], content: bytes) -> dict[str, Any]:
    """The problem document of an error response, whatever the error is."""
    assert headers["content-type"] == "application/problem+json", content
    problem = json.loads(content, parse_constant=_no_constant)
    assert problem.keys() >= PROBLEM
    assert problem.keys() <= PROBLEM | {"errors", "retry_after", "suggestions"}
    assert problem["status"] == status
    assert problem["error"] == problem["detail"] != ""
    assert problem["request_id"] == headers["x-request-id"]
    assert float(headers["x-response-time"]) >= 0
    assert ("retry_after" in problem) == ("retry-after" in headers)
    if "retry_after" in problem:
        assert int(headers["retry-after"]) == problem["retry_after"] >= 1
    return problem


def problem_of(response: httpx2.Response, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem that this response is; fails when it is another one."""
    assert response.status_code == status, response.text
    problem = check_problem(status, response.headers, response.content)
    assert code in {None, problem["code"]}, problem
    return problem
