"""Coming up and going down: the ready line, start-up errors, signals and the drain."""

import json
import signal
import socket
import threading
import time
from pathlib import Path

import httpx2
import pytest

from tests.app.host import HostError, HostProcess

HEAD = """
import asyncio, pathlib, time
import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response, StreamingResponse

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)
"""
APP = (
    HEAD
    + """
@app.route(route="stream")
async def stream(req: Request) -> StreamingResponse:
    async def chunks():
        try:
            yield "first\\n"
            while not pathlib.Path("finish").exists():
                await asyncio.sleep(0.01)
            yield "second\\n"
        finally:
            print("generator ended")
    return StreamingResponse(chunks())

@app.route(route="block")
async def block(req: Request) -> Response:
    print("blocking")
    time.sleep(60)
    return Response()

@app.timer_trigger(arg_name="t", schedule="0 0 0 1 1 *", run_on_startup=True, use_monitor=False)
async def patient(t: func.TimerRequest) -> None:
    print("timer begun")
    try:
        await asyncio.Event().wait()
    finally:
        print("timer ended")
"""
)


def write(directory: Path, text: str = APP, **files: object) -> Path:
    (directory / "function_app.py").write_text(text)
    for name, content in files.items():
        path = directory / f"{name.replace('_', '.')}.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return directory


class OpenStream:
    """A client that has the first line of the endless stream and collects the rest in a thread."""

    def __init__(self, base_url: str) -> None:
        self.lines: list[str] = []
        self.error: Exception | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=self._read, args=(f"{base_url}/api/stream",))
        self._thread.start()
        assert self._begun.wait(10)

    def _read(self, url: str) -> None:
        try:
            with httpx2.stream("GET", url, timeout=30) as response:
                for line in response.iter_lines():
                    self.lines.append(line)
                    self._begun.set()
        except httpx2.HTTPError as error:
            self.error = error

    def join(self) -> "OpenStream":
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self


@pytest.fixture
def app_dir(tmp_path: Path) -> Path:
    return write(tmp_path)


def test_the_ready_line_welcome_and_table(tmp_path: Path) -> None:
    """The ready line comes once and its address answers; the app's own welcome lines and the function table follow."""
    welcome = {"welcome": ["try {base_url}/api/stream", "and {enjoy}"]}
    values = {"Values": {"TOKEN": "sesame"}}
    directory = write(tmp_path, devhost=welcome, local_settings=values)
    with HostProcess.start(directory, args=["--verbose"]) as host:
        httpx2.get(f"{host.base_url}/api/nothing?code=sesame")
        assert host.wait_for(rf"(?m)^try {host.base_url}/api/stream$")
        assert host.wait_for(r"(?m)^and \{enjoy\}$")
        assert host.wait_for(rf"stream +http +ANY {host.base_url}/api/stream +anonymous +async")
        assert host.wait_for(r"patient +timer +0 0 0 1 1 \* +async")
    assert host.output().count("devhost: ready on ") == 1
    assert "sesame" not in host.output()


def test_a_running_stream_is_finished_before_the_exit(app_dir: Path) -> None:
    """After SIGTERM a stream in flight delivers its rest, a running timer is cancelled first, the exit code is 0."""
    with HostProcess.start(app_dir) as host:
        assert host.wait_for("timer begun")
        client = OpenStream(host.base_url)
        host.signal(signal.SIGTERM)
        assert host.wait_for("timer ended")
        until_refused(host.base_url)
        assert client.lines == ["first"]
        (app_dir / "finish").touch()
        assert host.wait() == 0
    assert (client.join().lines, client.error) == (["first", "second"], None)


def until_refused(base_url: str) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            httpx2.get(f"{base_url}/api/nothing")
        except httpx2.TransportError:
            return
    pytest.fail("the host still takes new connections")


def test_the_drain_is_bounded(app_dir: Path) -> None:
    """A stream that outlasts --drain-seconds is cancelled with its clean-up, and the exit code is still 0."""
    with HostProcess.start(app_dir, args=["--drain-seconds", "0"]) as host:
        client = OpenStream(host.base_url)
        host.signal(signal.SIGINT)
        assert host.wait() == 0
    assert "generator ended" in host.output()
    assert client.join().lines == ["first"]


def test_a_second_signal_ends_a_drain(app_dir: Path) -> None:
    """The second signal does not wait for the drain."""
    with HostProcess.start(app_dir, args=["--drain-seconds", "300"]) as host:
        client = OpenStream(host.base_url)
        host.signal(signal.SIGTERM)
        assert host.wait_for("stopping; running requests have 300 s")
        host.signal(signal.SIGTERM)
        assert host.wait() == 128 + signal.SIGTERM
    client.join()


def test_two_signals_end_a_blocked_loop(app_dir: Path) -> None:
    """Even while a handler blocks the event loop, the second signal ends the process."""
    with HostProcess.start(app_dir) as host:
        client = threading.Thread(target=_expect_no_answer, args=(f"{host.base_url}/api/block",))
        client.start()
        assert host.wait_for("blocking")
        host.signal(signal.SIGINT)
        host.signal(signal.SIGTERM)
        assert host.wait() in {128 + signal.SIGINT, 128 + signal.SIGTERM}
        client.join()


def _expect_no_answer(url: str) -> None:
    with pytest.raises(httpx2.HTTPError):
        httpx2.get(url, timeout=30)


def test_a_signal_during_the_import_ends_the_start(tmp_path: Path) -> None:
    """Before the ready line there is nothing to drain: one signal ends the process with the signal's code."""
    host = HostProcess.launch(write(tmp_path, HEAD + "print('importing')\ntime.sleep(60)\n"))
    assert host.wait_for("importing")
    host.signal(signal.SIGTERM)
    assert host.wait() == 128 + signal.SIGTERM
    assert host.output().endswith("devhost: stopped before it was ready\n")


def failure(app_dir: Path, port: int = 0) -> str:
    host = HostProcess.launch(app_dir, port=port)
    assert host.wait() == 1
    assert "devhost: ready on" not in host.output()
    return host.output()


def test_a_taken_port_is_named(app_dir: Path) -> None:
    """A port in use is one line with the port and the way out, before the app is even imported."""
    with HostProcess.start(app_dir) as host:
        port = host.base_url.rsplit(":", 1)[1]
        output = failure(app_dir, port=int(port))
    assert output == (
        f"devhost: port {port} on 127.0.0.1 is already in use; "
        "stop the other process or choose a port with --port (0 = any)\n"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + "def broken():\n    raise LookupError('no such thing')\nbroken()\n", "LookupError: no such thing"),
        (HEAD + "import not_installed_anywhere\n", "No module named 'not_installed_anywhere'"),
        (HEAD + "raise SystemExit(4)\n", "called sys.exit(4) while it was imported"),
        (HEAD, "function_app.py has no functions"),
    ],
)
def test_a_broken_app_is_shown(tmp_path: Path, text: str, expected: str) -> None:
    """An app that cannot be imported ends the host with the app's own error in the last line."""
    output = failure(write(tmp_path, text))
    assert expected in output.splitlines()[-1]


def test_the_traceback_is_the_apps(tmp_path: Path) -> None:
    """The traceback of a broken app names its file and leaves out the frames of the runtime."""
    output = failure(write(tmp_path, HEAD + "def broken():\n    raise LookupError('no such thing')\nbroken()\n"))
    assert 'function_app.py", line 9, in <module>' in output
    assert "azure_functions_runtime" not in output


def test_a_missing_app_is_named(tmp_path: Path) -> None:
    """A directory without function_app.py is not an app without functions but a wrong directory."""
    assert f"function_app.py is not in {tmp_path}" in failure(tmp_path)
    assert "is not a directory" in failure(tmp_path / "nowhere")


def test_the_classic_http_model_is_refused(tmp_path: Path) -> None:
    """HTTP functions without the FastAPI extension are refused with the import that is missing."""
    text = """
import azure.functions as func
app = func.FunctionApp()
@app.route(route="x")
async def x(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse("x")
"""
    assert "does not import azurefunctions.extensions.http.fastapi" in failure(write(tmp_path, text))


def test_bad_json_ends_the_start(tmp_path: Path) -> None:
    """A broken host.json is named with the position of the error."""
    output = failure(write(tmp_path, host='{"version": }'))
    assert output.startswith("devhost: host.json is not valid JSON: Expecting value at line 1 column 13")


def test_a_refused_function_does_not_stop_the_others(tmp_path: Path) -> None:
    """A function the host would not load is named at start, and the rest is served."""
    text = (
        APP
        + """
@app.route(route="admin/x")
async def mine(req: Request) -> Response:
    return Response()
"""
    )
    with HostProcess.start(write(tmp_path, text)) as host:
        assert host.wait_for("not loaded: function 'mine': route 'admin/x'")
        assert host.wait_for(r"stream +http +ANY")
        assert "mine  " not in host.output()


def test_only_the_chosen_functions_are_loaded(tmp_path: Path) -> None:
    """The variables that `func --functions` sets leave only the named functions."""
    directory = write(tmp_path)
    with HostProcess.start(directory, env={"AzureFunctionsJobHost__functions__0": "STREAM"}) as host:
        names = [function["name"] for function in httpx2.get(f"{host.base_url}/admin/functions").json()]
    assert names == ["stream"]


def test_of_names_that_differ_in_case_one_is_served(tmp_path: Path) -> None:
    """The host needs unique names, so one of two is served and both are named."""
    text = HEAD + "".join(
        f'@app.route(route="{route}")\nasync def {name}(req: Request) -> Response:\n    return Response("{name}")\n'
        for route, name in (("x", "twin"), ("y", "Twin"))
    )
    with HostProcess.start(write(tmp_path, text)) as host:
        assert host.wait_for("not unique: function 'twin'")
        assert host.wait_for("not unique: function 'Twin'")
        assert [httpx2.get(f"{host.base_url}/api/{route}").status_code for route in "xy"] == [200, 404]


def test_the_port_of_the_settings_file_is_used(tmp_path: Path) -> None:
    """Without --port the host listens where Host.LocalHttpPort says."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    directory = write(tmp_path, local_settings={"Host": {"LocalHttpPort": port}})
    with HostProcess.start(directory, port=None) as host:
        assert host.base_url == f"http://127.0.0.1:{port}"


def test_a_request_beyond_function_timeout_is_called_out(tmp_path: Path) -> None:
    """functionTimeout covers the whole stream; devhost warns where Azure would restart the worker."""
    directory = write(tmp_path, host={"functionTimeout": "00:00:01"})
    with HostProcess.start(directory, args=["--drain-seconds", "0"]) as host:
        client = OpenStream(host.base_url)
        assert host.wait_for(r"function 'stream' runs longer than functionTimeout \(0:00:01\)")
    client.join()


def test_host_error_shows_what_was_printed(tmp_path: Path) -> None:
    """The test helper's own failure carries the output of the host, so that a failing test explains itself."""
    with pytest.raises(HostError, match=r"function_app\.py is not in"):
        HostProcess.start(tmp_path)
