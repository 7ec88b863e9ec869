"""HTTP through a running devhost: routing, streaming, disconnects, errors and the requests a handler sees."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.app.host import HostProcess

APP = """
import asyncio, os, sys
import azure.functions as func
from azurefunctions.extensions.http.fastapi import JSONResponse, Request, Response, StreamingResponse
from fastapi import HTTPException

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
state = {}
gates = {}

def gate(name):
    return gates.setdefault(name, asyncio.Event())

@app.route(route="echo/{id:int}/{opt?}", methods=["GET", "POST"])
async def echo(req: Request) -> JSONResponse:
    return JSONResponse({"values": dict(req.path_params), "headers": req.headers.items(), "url": str(req.url)})

@app.route(route="path/{value}")
async def path(req: Request) -> JSONResponse:
    return JSONResponse(dict(req.path_params))

@app.route(route="state")
async def read_state(req: Request) -> JSONResponse:
    return JSONResponse(state)

@app.route(route="release/{name}", methods=["POST"])
async def release(req: Request) -> JSONResponse:
    gate(req.path_params["name"]).set()
    return JSONResponse({})

@app.route(route="stream/{name}")
async def stream(req: Request) -> StreamingResponse:
    name = req.path_params["name"]
    async def chunks():
        state[name] = "open"
        try:
            yield "first\\n"
            await gate(name).wait()
            yield "second\\n"
            state[name] = "done"
        finally:
            if state[name] == "open":
                state[name] = "cancelled"
    return StreamingResponse(chunks(), media_type="text/event-stream")

@app.route(route="upload/{name}", methods=["POST"])
async def upload(req: Request) -> JSONResponse:
    size = 0
    async for chunk in req.stream():
        size += len(chunk)
        state[req.path_params["name"]] = size
    return JSONResponse({"size": size})

@app.route(route="unread", methods=["POST"])
async def unread(req: Request) -> JSONResponse:
    return JSONResponse({"read": False})

@app.route(route="watch/{name}")
async def watch(req: Request) -> JSONResponse:
    name = req.path_params["name"]
    state[name] = "waiting"
    while not await req.is_disconnected():
        await asyncio.sleep(0.01)
    state[name] = "left"
    return JSONResponse({})

@app.route(route="boom")
async def boom(req: Request) -> JSONResponse:
    raise RuntimeError("secret detail")

@app.route(route="boom-late")
async def boom_late(req: Request) -> StreamingResponse:
    async def chunks():
        yield "begun\\n"
        raise RuntimeError("too late")
    return StreamingResponse(chunks())

@app.route(route="teapot")
async def teapot(req: Request) -> JSONResponse:
    raise HTTPException(418, "short and stout", {"x-pot": "tea"})

@app.route(route="none")
async def none(req: Request):
    return None

@app.route(route="dict")
async def plain_dict(req: Request) -> dict:
    return {"plain": True}

@app.route(route="hang")
async def hang(req: Request) -> JSONResponse:
    raise asyncio.CancelledError

@app.route(route="exit")
async def leave(req: Request) -> JSONResponse:
    sys.exit(3)

@app.route(route="entries")
async def entries(req: Request) -> JSONResponse:
    coordinator = sys.modules["azure_functions_runtime.http_v2"].http_coordinator
    return JSONResponse({"entries": len(coordinator._context_references)})

@app.route(route="off")
async def switched_off(req: Request) -> Response:
    return Response("on")

@app.route(route="settings/{name}")
async def settings(req: Request) -> JSONResponse:
    return JSONResponse({"value": os.environ.get(req.path_params["name"]), "cwd": os.getcwd()})
"""


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("http")
    (directory / "function_app.py").write_text(APP)
    values = {"AzureWebJobs.switched_off.Disabled": "true", "FROM_FILE": "file", "FROM_BOTH": "file"}
    (directory / "local.settings.json").write_text(json.dumps({"Values": values}))
    return directory


@pytest.fixture(scope="module")
def host(app_dir: Path) -> Iterator[HostProcess]:
    with HostProcess.start(app_dir, env={"FROM_BOTH": "shell"}) as process:
        yield process


@pytest.fixture
def client(host: HostProcess) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=host.base_url, timeout=10) as http:
        yield http


def until(condition: Callable[[], Any], timeout: float = 5) -> None:
    """Polls for a state of the app; fails when it never comes."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "the awaited state never came"
        time.sleep(0.01)


def state_of(client: httpx2.Client, name: str) -> object:
    return client.get("/api/state").json().get(name)


def test_route_values_are_strings(client: httpx2.Client) -> None:
    """A value of an int parameter arrives as text, and an omitted optional one is absent."""
    assert client.get("/api/echo/42").json()["values"] == {"id": "42"}
    assert client.get("/api/echo/42/x").json()["values"] == {"id": "42", "opt": "x"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("GET", "/api/nothing"), ("GET", "/api/echo/x"), ("PUT", "/api/echo/1"), ("HEAD", "/api/echo/1")],
)
def test_no_match_is_an_empty_404(client: httpx2.Client, method: str, path: str) -> None:
    """An unknown path, a refused constraint and a wrong method all are 404 with an empty body."""
    response = client.request(method, path)
    assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_the_workers_own_pages_stay_behind_the_routes(client: httpx2.Client, path: str) -> None:
    """Below a prefix, FastAPI's pages in the worker are not reachable, as in Azure."""
    assert client.get(path).status_code == 404


def test_values_are_decoded_but_slashes_are_not(client: httpx2.Client) -> None:
    """Escapes in a route value are decoded except %2F, which stays part of one segment."""
    assert client.get("/api/path/a%20b%2Fc%C3%A9").json() == {"value": "a b%2Fcé"}


def test_headers_the_host_adds(client: httpx2.Client) -> None:
    """The invocation id is the host's own, once, and the X-Forwarded headers name the public address."""
    response = client.get("/api/echo/1", headers={"x-ms-invocation-id": "mine", "host": "shop.example:99"})
    headers = response.json()["headers"]
    ids = [value for name, value in headers if name == "x-ms-invocation-id"]
    assert (len(ids), "mine" in ids) == (1, False)
    assert ["x-forwarded-host", "shop.example:99"] in headers
    assert ["x-forwarded-for", "127.0.0.1"] in headers
    assert ["x-forwarded-proto", "http"] in headers


def test_settings_reach_the_app(client: httpx2.Client, app_dir: Path) -> None:
    """local.settings.json fills the environment, the shell wins, and the app runs in its own directory."""
    answers = {name: client.get(f"/api/settings/{name}").json() for name in ("FROM_FILE", "FROM_BOTH")}
    assert {name: answer["value"] for name, answer in answers.items()} == {"FROM_FILE": "file", "FROM_BOTH": "shell"}
    assert answers["FROM_FILE"]["cwd"] == str(app_dir)
    assert client.get("/api/settings/AZURE_FUNCTIONS_ENVIRONMENT").json()["value"] == "Development"


def test_a_disabled_function_has_no_route(client: httpx2.Client) -> None:
    """AzureWebJobs.<name>.Disabled takes the function's route away."""
    assert client.get("/api/off").status_code == 404


def test_plain_return_values_are_serialised(client: httpx2.Client) -> None:
    """A dict becomes JSON, as the worker's FastAPI makes it."""
    assert client.get("/api/dict").json() == {"plain": True}


def test_a_response_streams_chunk_by_chunk(client: httpx2.Client) -> None:
    """The first chunk arrives while the generator still waits for something the client does afterwards."""
    with client.stream("GET", "/api/stream/download") as response:
        lines = response.iter_lines()
        assert next(lines) == "first"
        assert state_of(client, "download") == "open"
        client.post("/api/release/download")
        assert next(lines) == "second"
    assert response.headers["content-type"].startswith("text/event-stream")


def test_a_request_streams_chunk_by_chunk(client: httpx2.Client) -> None:
    """The handler has the first chunk before the client sends the second."""

    def body() -> Iterator[bytes]:
        yield b"12345"
        until(lambda: state_of(client, "up") == 5)
        yield b"678"

    with httpx2.Client(base_url=client.base_url, timeout=10) as sender:
        assert sender.post("/api/upload/up", content=body()).json() == {"size": 8}


def test_a_big_body_passes_whether_it_is_read_or_not(client: httpx2.Client) -> None:
    """30 MB go through, counted by one handler and ignored by another."""
    body = b"x" * 30_000_000
    assert client.post("/api/upload/big", content=body).json() == {"size": 30_000_000}
    assert client.post("/api/unread", content=body).json() == {"read": False}


def test_a_client_that_leaves_cancels_the_generator(client: httpx2.Client) -> None:
    """Closing the connection in mid-stream cancels the generator, whose clean-up runs."""
    with client.stream("GET", "/api/stream/left") as response:
        assert next(response.iter_lines()) == "first"
    until(lambda: state_of(client, "left") == "cancelled")


def test_a_waiting_handler_sees_that_the_client_left(host: HostProcess, client: httpx2.Client) -> None:
    """The handler itself is not cancelled, but req.is_disconnected() turns true."""
    impatient = threading.Thread(target=_leave_early, args=(f"{host.base_url}/api/watch/w",))
    impatient.start()
    until(lambda: state_of(client, "w") == "left")
    impatient.join()


def _leave_early(url: str) -> None:
    with pytest.raises(httpx2.ReadTimeout):
        httpx2.get(url, timeout=0.3)


def test_an_unhandled_error_is_a_bare_500(host: HostProcess, client: httpx2.Client) -> None:
    """The client learns nothing but 500, the log has the function's name and its own frames only."""
    response = client.get("/api/boom")
    assert (response.status_code, response.text) == (500, "Internal Server Error")
    assert host.wait_for("function 'boom' failed")
    assert host.wait_for("RuntimeError: secret detail")
    logged = host.output().split("function 'boom' failed")[1].split("RuntimeError: secret detail")[0]
    assert "in boom" in logged
    assert "routing.py" not in logged


def test_the_connection_survives_a_500(client: httpx2.Client) -> None:
    """An error does not cost the client its kept-alive connection, as behind the Azure host."""
    connection = client.get("/api/boom").extensions["network_stream"].get_extra_info("client_addr")
    assert client.get("/api/dict").extensions["network_stream"].get_extra_info("client_addr") == connection


def test_an_error_in_mid_stream_cuts_the_connection(host: HostProcess, client: httpx2.Client) -> None:
    """After the first chunk a status can no longer tell, so the body ends without its end."""
    with pytest.raises(httpx2.RemoteProtocolError), client.stream("GET", "/api/boom-late") as response:
        assert response.status_code == 200
        list(response.iter_lines())
    assert host.wait_for("function 'boom_late' failed after its response had begun")
    assert host.wait_for("RuntimeError: too late")


def test_http_exceptions_are_responses(client: httpx2.Client) -> None:
    """fastapi.HTTPException sets status, detail and headers."""
    response = client.get("/api/teapot")
    assert (response.status_code, response.json()) == (418, {"detail": "short and stout"})
    assert response.headers["x-pot"] == "tea"


def test_returning_none_is_a_500(client: httpx2.Client) -> None:
    """The worker has no response for None."""
    assert client.get("/api/none").status_code == 500


@pytest.mark.parametrize(
    ("path", "why"),
    [("hang", r"CancelledError escaped"), ("exit", r"sys\.exit\(3\), which kills the worker in Azure")],
)
def test_a_handler_that_never_answers_is_called_out(
    host: HostProcess, client: httpx2.Client, path: str, why: str
) -> None:
    """What would hang in Azure is a 500 here and a log line that says so; the host lives on."""
    assert client.get(f"/api/{path}").status_code == 500
    assert host.wait_for(rf"ended without a response \(.*{why}.*would hang in Azure")
    assert client.get("/api/dict").status_code == 200


def test_no_request_leaves_an_entry_behind(client: httpx2.Client) -> None:
    """After any number of requests, failed ones included, only the one that counts is in the coordinator."""
    for path in ["dict", "boom", "none", "hang", "teapot"] * 10:
        client.get(f"/api/{path}")
    assert client.get("/api/entries").json() == {"entries": 1}


def test_admin_paths_never_reach_a_function(client: httpx2.Client) -> None:
    """Everything else below /admin and /runtime is 404."""
    answers = [client.get(path).status_code for path in ("/admin", "/admin/x", "/runtime/y", "/Admin/functions/echo")]
    assert answers == [404, 404, 404, 404]


def test_host_status_and_function_list(client: httpx2.Client) -> None:
    """The host says it is running, and lists its functions in routing order, disabled ones included."""
    assert client.get("/admin/host/status").json() == {"state": "Running"}
    functions = client.get("/admin/functions").json()
    names = [function["name"] for function in functions]
    assert names == sorted(names, key=str.lower)
    assert {f["name"]: f["isDisabled"] for f in functions}["switched_off"] is True


def test_an_http_function_is_not_fired_by_hand(client: httpx2.Client) -> None:
    """Without a request an HTTP function would wait for ever, so the admin route refuses it."""
    response = client.post("/admin/functions/echo", json={"input": ""})
    assert (response.status_code, "call its route" in response.text) == (400, True)
