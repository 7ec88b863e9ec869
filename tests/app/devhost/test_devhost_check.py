"""`devhost --check` on good and bad apps."""

import json
from pathlib import Path

import pytest

from tests.app.host import HostProcess

HEAD = """
import functools, time
import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""
GOOD = (
    HEAD
    + """
EVERY = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]

@app.route(route="symbols/stream", methods=EVERY)
async def stream(req: Request) -> Response:
    return Response()

@app.route(route="symbols/{symbol:regex(^(?!stream$).+)}", methods=EVERY)
async def one(req: Request) -> Response:
    return Response()

@app.route(route="{*path}", methods=EVERY)
async def zz_not_found(req: Request) -> Response:
    return Response(status_code=404)

@app.timer_trigger(arg_name="t", schedule="%NIGHTLY%")
def nightly(t: func.TimerRequest) -> None:
    print("ran")
"""
)
BAD = (
    HEAD
    + """
def wrap(handler):
    @functools.wraps(handler)
    def call(req):
        return handler(req)
    return call

@app.route(route="admin_stats")
async def reserved(req: Request) -> Response: ...

@app.route(route="same/{a}", methods=["GET"])
async def first(req: Request) -> Response: ...

@app.route(route="Same/{A}")
async def second(req: Request) -> Response: ...

@app.route(route="twin1")
async def Twin(req: Request) -> Response: ...

@app.route(route="twin2")
async def twin(req: Request) -> Response: ...

@app.route(route="broken/{id")
async def unclosed(req: Request) -> Response: ...

@app.route(route="sync")
def sync(req: Request) -> Response: ...

@app.route(route="generator")
async def generator(req: Request):
    yield "x"

@app.route(route="wrapped")
@wrap
async def wrapped(req: Request) -> Response: ...

@app.route(route="models/select", methods=["GET", "POST"])
async def models_select(req: Request) -> Response: ...

@app.route(route="models/{p}", methods=["POST"])
async def models(req: Request) -> Response: ...

@app.timer_trigger(arg_name="t", schedule="0 0 0 * * 7")
async def weekday(t: func.TimerRequest) -> None: ...

@app.timer_trigger(arg_name="t", schedule="%ABSENT%")
async def absent(t: func.TimerRequest) -> None: ...

time.sleep(0.3)
"""
)


def check(directory: Path, *args: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    host = HostProcess.launch(directory, env=env, args=["--check", *args])
    return host.wait(), host.output()


def write(directory: Path, text: str, prefix: str | None = None) -> Path:
    (directory / "function_app.py").write_text(text)
    if prefix is not None:
        (directory / "host.json").write_text(json.dumps({"extensions": {"http": {"routePrefix": prefix}}}))
    return directory


def test_a_good_app_passes(tmp_path: Path) -> None:
    """Exit code 0, one line per function, nothing fired; constraints and a last catch-all are no overlap."""
    code, output = check(write(tmp_path, GOOD), env={"NIGHTLY": "0 0 3 * * *"})
    assert code == 0, output
    lines = output.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [
        ["nightly", "timer"],
        ["one", "http"],
        ["stream", "http"],
        ["zz_not_found", "http"],
    ]
    assert lines[0].split()[-1] == "SYNC"
    assert lines[2].split()[2:] == [
        "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT",
        "/api/symbols/stream",
        "anonymous",
        "async",
    ]
    assert lines[4].startswith("devhost: OK, 4 functions indexed in ")
    assert not (tmp_path / ".data").exists()


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> str:
    code, output = check(write(tmp_path_factory.mktemp("bad"), BAD), "--max-import-seconds", "0.3")
    assert code == 1
    return output


@pytest.mark.parametrize(
    "message",
    [
        "function 'reserved': route 'admin_stats': The specified route conflicts with one or more built in routes.",
        "function 'second': route 'Same/{A}': The route specified conflicts with the route defined by function 'first'",
        "function 'Twin': the name differs from another function's only in case",
        "function 'twin': the name differs from another function's only in case",
        "function 'unclosed': route 'api/broken/{id' has a parameter that is not closed",
        "function 'sync': the HTTP handler is not an 'async def'",
        "function 'generator': the HTTP handler is not an 'async def'",
        "function 'wrapped': the HTTP handler is not an 'async def'",
        "functions 'models' (api/models/{p}) and 'models_select' (api/models/select) can both answer",
        "function 'weekday': schedule '0 0 0 * * 7': 7 is outside 0-6 of the day of week field",
        "function 'absent': schedule '%ABSENT%' names the setting 'ABSENT', which is not set",
        "s, more than 0.3 s; import heavy modules later",
    ],
)
def test_each_problem_is_named(bad: str, message: str) -> None:
    """Every problem of a bad app has a line of its own that names the function."""
    assert message in bad


def test_nothing_else_is_reported(bad: str) -> None:
    """There are exactly the problems above, so no false alarm hides among them."""
    assert bad.count("devhost: problem: ") == 12
    assert "devhost: 12 problem(s), 13 functions indexed in " in bad


def test_the_first_indexing_error_is_shown(tmp_path: Path) -> None:
    """A signature the runtime refuses takes the app down, with the runtime's own words."""
    text = HEAD + '@app.route(route="x")\nasync def x(req: Request, db=None) -> Response: ...\n'
    code, output = check(write(tmp_path, text))
    assert code == 1
    assert "cannot load the x function: the following parameters are declared in Python but not" in output


def test_no_functions_is_a_failure(tmp_path: Path) -> None:
    """A directory without an app fails, although the runtime indexes it without complaint."""
    code, output = check(tmp_path)
    assert (code, "function_app.py is not in" in output) == (1, True)


def test_the_workers_pages_and_unknown_verbs(tmp_path: Path) -> None:
    """Without a prefix a route must keep off FastAPI's pages, and QUERY never reaches a function."""
    text = HEAD + (
        '@app.route(route="docs")\nasync def manual(req: Request) -> Response: ...\n'
        '@app.route(route="find", methods=["QUERY"])\nasync def find(req: Request) -> Response: ...\n'
    )
    code, output = check(write(tmp_path, text, prefix=""))
    assert code == 1
    assert "function 'manual': the route covers '/docs'" in output
    assert "function 'find': method QUERY never reaches the function" in output
    assert output.count("devhost: problem: ") == 2
