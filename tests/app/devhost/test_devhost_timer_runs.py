"""Timers of a running devhost: on schedule, by hand, at start and after a missed run."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.app.host import HostProcess

APP = """
import logging
import azure.functions as func

app = func.FunctionApp()
runs = {"fast": 0, "failing": 0}

@app.timer_trigger(arg_name="t", schedule="%FAST%", use_monitor=False)
async def fast(t: func.TimerRequest) -> None:
    runs["fast"] += 1
    logging.info("fast run %d", runs["fast"])

@app.timer_trigger(arg_name="t", schedule="* * * * * *")
async def failing(t: func.TimerRequest) -> None:
    runs["failing"] += 1
    raise ValueError(f"failing run {runs['failing']}")

@app.timer_trigger(arg_name="t", schedule="0 0 0 1 1 *", run_on_startup=True)
async def yearly(t: func.TimerRequest, context: func.Context) -> None:
    logging.info("yearly past_due=%s last=%s in %s", t.past_due, t.schedule_status["Last"], context.function_name)

@app.timer_trigger(arg_name="t", schedule="0 0 0 1 1 *")
def blocking(t: func.TimerRequest) -> None:
    logging.info("blocking past_due=%s", t.past_due)

@app.queue_trigger(arg_name="msg", queue_name="orders", connection="Storage")
async def orders(msg: func.QueueMessage) -> None:
    logging.info("order")

@app.generic_trigger(arg_name="payload", type="customTrigger")
async def custom(payload) -> None:
    logging.info("custom got %r", payload)
"""


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("timers")
    (directory / "function_app.py").write_text(APP)
    return directory


@pytest.fixture(scope="module")
def host(app_dir: Path) -> Iterator[HostProcess]:
    with HostProcess.start(app_dir, env={"FAST": "* * * * * *"}) as process:
        yield process


def fire(host: HostProcess, name: str, query: str = "", content: str = '{"input": ""}') -> httpx2.Response:
    return httpx2.post(f"{host.base_url}/admin/functions/{name}{query}", content=content, timeout=10)


def test_a_timer_fires_on_its_schedule(host: HostProcess) -> None:
    """A schedule from a setting fires again and again."""
    assert host.wait_for("fast run 2")


def test_a_failing_timer_keeps_its_schedule(host: HostProcess) -> None:
    """A run that raises is logged with its traceback and the next one comes."""
    assert host.wait_for(r"timer 'failing' failed: ValueError: failing run 1\n")
    assert host.wait_for(r"timer 'failing' failed: ValueError: failing run 2\n")


def test_run_on_startup(host: HostProcess) -> None:
    """runOnStartup fires once the host is up, with a status that says it never ran."""
    assert host.wait_for("yearly past_due=False last=0001-01-01T00:00:00 in yearly")


def test_firing_by_hand_answers_at_once(host: HostProcess) -> None:
    """The admin route answers 202 with an empty body and runs the function in the background."""
    response = fire(host, "Blocking")
    assert (response.status_code, response.content) == (202, b"")
    assert host.wait_for("blocking past_due=False")


def test_firing_by_hand_can_wait_for_the_outcome(host: HostProcess) -> None:
    """With wait=true the answer says how the run ended."""
    assert fire(host, "yearly", "?wait=true").json() == {"ok": True, "error": None}
    failed = fire(host, "failing", "?wait=true").json()
    assert failed["ok"] is False
    assert failed["error"].startswith("ValueError: failing run")


def test_other_triggers_get_the_input_as_json(host: HostProcess) -> None:
    """A function of any other trigger receives the text of `input` as its data."""
    assert fire(host, "custom", "?wait=true", '{"input": "{\\"n\\": 5}"}').json() == {"ok": True, "error": None}
    assert host.wait_for(r"custom got '\{\"n\": 5\}'")


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("nobody", '{"input": ""}', 404), ("fast", "", 400), ("fast", "{", 400), ("fast", "[]", 400)],
)
def test_bad_admin_requests(host: HostProcess, name: str, content: str, status: int) -> None:
    """An unknown function is 404, a body that is no JSON object is 400."""
    assert fire(host, name, content=content).status_code == status


def test_a_missed_run_is_made_up_for(app_dir: Path, tmp_path: Path) -> None:
    """A status file whose next occurrence has passed makes the timer fire at start as past due, and is updated."""
    last, missed = "2020-06-01T00:00:00+00:00", "2021-01-01T00:00:00+00:00"
    data = tmp_path / "data"
    data.mkdir()
    (data / "timers.json").write_text(json.dumps({"yearly": {"Last": last, "Next": missed, "LastUpdated": last}}))
    with HostProcess.start(app_dir, env={"FAST": "0 0 0 1 1 *"}, args=["--data-dir", str(data)]) as host:
        assert host.wait_for(f"yearly past_due=True last={last}".replace("+", r"\+"))
    status = json.loads((data / "timers.json").read_text())["yearly"]
    assert status["Last"] > missed
    assert status["Next"].endswith("-01-01T00:00:00+00:00")


def test_the_default_data_directory_is_below_the_app(host: HostProcess, app_dir: Path) -> None:
    """Statuses of monitored timers are kept in .data of the app."""
    assert host.wait_for("yearly past_due=False")
    assert set(json.loads((app_dir / ".data" / "timers.json").read_text())) >= {"yearly", "blocking"}
