"""Every way a model provider can fail, through the whole app: one outcome, the right one, with nothing of the upstream.

Each fault is a provider of its own in the configuration, so that one app meets them all.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from tests.app.apps import SAMPLE, copy_app, running
from tests.app.client import CHAT, AppClient, Stream, problem_of, strict_json
from tests.doubles.openai_faults import FAULTS, TEXT, OpenAIFaults

QUESTION = "What does AAPL cost?"
BUDGETS = {"connect": 1, "first_token": 0.8, "idle": 0.8, "total_stream": 2, "total_json": 2}
HEARTBEAT_S = 0.1
SLACK_S = 3  # many requests at once on two busy cores
# They feed the app as fast as it reads: nothing else is measured beside them, and once is enough.
GREEDY = ("huge", "huge_line")

ANSWERED = {
    "ok": ("one two three", "stop"),
    "utf8split": (TEXT, "stop"),
    "length": ("one", "length"),
    "filter_mid": ("one", "content_filter"),
    "hang_after_finish": ("one", "stop"),
    "rst_after_finish": ("one", "stop"),
}
# What no other provider may be asked after: the request or the answer is at fault, not the provider's health.
FINAL = {
    "ctx": (422, "context_too_long"),
    "filter": (422, "content_filtered"),
    "filter_silent": (422, "content_filtered"),
    "e400": (502, "bad_request"),
    "e400_endless": (502, "bad_request"),
    "e422": (502, "bad_request"),
    "huge": (502, "too_large"),
}
REPLACED = {
    "r429_1": (503, "model_rate_limited"),
    "r429_30": (503, "model_rate_limited"),
    "r429_ms": (503, "model_rate_limited"),
    "r429_date": (503, "model_rate_limited"),
    "r429_nonsense": (503, "model_rate_limited"),
    "r429_quota": (503, "model_quota"),
    "r429_drip": (504, "model_first_token_timeout"),
    "e401": (503, "model_auth"),
    "e403": (503, "model_auth"),
    "e404": (503, None),
    "e409": (503, "model_server_error"),
    "e500": (503, "model_server_error"),
    "e529": (503, "model_server_error"),
    "noheaders": (504, "model_first_token_timeout"),
    "noft": (504, "model_first_token_timeout"),
    "heartbeats": (504, "model_first_token_timeout"),
    "drip": (504, "model_first_token_timeout"),
    "hang_mid": (504, "model_idle_timeout"),
    "rst": (502, "upstream_lost"),
    "rst_at_once": (502, "upstream_lost"),
    "cut_chunked": (502, "upstream_lost"),
    "err_mid": (502, "upstream_lost"),
    "err_object": (502, "upstream_lost"),
    "cut_in_event": (502, "truncated"),
    "clean_no_done": (502, "truncated"),
    "only_head": (502, "truncated"),
    "emptystream": (502, "empty_answer"),
    "empty_choices": (502, "empty_answer"),
    "null_content": (502, "empty_answer"),
    "badjson": (502, "upstream_malformed"),
    "notobject": (502, "upstream_malformed"),
    "deepjson": (502, "upstream_malformed"),
    "wrongct": (502, "bad_content_type"),
    "json_empty": (502, "bad_content_type"),
    "json_null": (502, "bad_content_type"),
    "json_trunc": (502, "bad_content_type"),
    "redirect": (502, "redirected"),
}
# No token boundary and no silence: only the total budget or the ceiling of bytes ends these, whichever comes first.
OVERLONG = {"drip_tokens": {"model_deadline"}, "huge_line": {"too_large", "model_first_token_timeout"}}


@dataclass(frozen=True)
class Outcome:
    """What one question gave, whole and as a stream."""

    whole: httpx2.Response
    stream: Stream
    seconds: float


@dataclass(frozen=True)
class Matrix:
    outcomes: dict[tuple[str, str], Outcome]
    hits: dict[str, int]

    def of(self, fault: str) -> list[Outcome]:
        return [outcome for (name, _), outcome in self.outcomes.items() if name == fault]


def provider(fault: str, wire: str) -> str:
    return f"{fault}-{wire}"


@contextmanager
def faulty_app(folder: Any, double: OpenAIFaults, wires: Sequence[str], *, fallback: bool) -> Iterator[AppClient]:
    providers = {
        provider(fault, wire): {"wire": wire, "base_url": double.base_url(fault), "model": "m"}
        for fault in FAULTS
        for wire in wires
    }
    overlay = {
        "http": {"heartbeat_s": HEARTBEAT_S},
        "model": {"budgets": BUDGETS, "providers": providers, "allow_fallback": fallback},
    }
    with running(copy_app(folder / "app", overlay), SAMPLE) as client:
        # The first call imports the SDK, which may take longer than these budgets.
        client.post(CHAT, {"message": "hi", "provider": provider("ok", wires[0])})
        yield client


def play(client: AppClient, double: OpenAIFaults, wires: Sequence[str]) -> Matrix:
    double.hits.clear()
    pairs = [(fault, wire) for fault in FAULTS if fault not in GREEDY for wire in wires]
    with ThreadPoolExecutor(12) as pool:
        outcomes = dict(zip(pairs, pool.map(lambda pair: ask(client, *pair), pairs), strict=True))
    if len(wires) > 1:
        outcomes |= {(fault, wires[0]): ask(client, fault, wires[0]) for fault in GREEDY}
    return Matrix(outcomes, dict(double.hits))


def ask(client: AppClient, fault: str, wire: str) -> Outcome:
    begun = time.monotonic()
    whole = client.post(CHAT, {"message": QUESTION, "provider": provider(fault, wire)})
    between = time.monotonic()
    stream = client.tell(QUESTION, provider=provider(fault, wire))
    return Outcome(whole, stream, max(between - begun, time.monotonic() - between))


@pytest.fixture(scope="module")
def matrices(tmp_path_factory: pytest.TempPathFactory) -> Callable[[bool], Matrix]:
    known: dict[bool, Matrix] = {}

    def matrix(fallback: bool) -> Matrix:
        if fallback not in known:
            wires = ("responses",) if fallback else ("responses", "chat")
            folder = tmp_path_factory.mktemp("faults")
            with OpenAIFaults() as double, faulty_app(folder, double, wires, fallback=fallback) as client:
                known[fallback] = play(client, double, wires)
        return known[fallback]

    return matrix


@pytest.fixture(scope="module")
def alone(matrices) -> Matrix:
    """No other provider may stand in."""
    return matrices(False)


@pytest.fixture(scope="module")
def backed(matrices) -> Matrix:
    """The offline analyst may stand in."""
    return matrices(True)


def test_every_fault_of_the_double_is_in_a_table():
    """No fault that the double can play is left out of this matrix."""
    assert set(FAULTS) == {*ANSWERED, *FINAL, *REPLACED, *OVERLONG}


@pytest.mark.parametrize("fault", ANSWERED)
@pytest.mark.parametrize("policy", ["alone", "backed"])
def test_odd_but_complete_answers_are_answers(request, policy, fault):
    """A provider that says all it had to say is believed, however it behaves afterwards."""
    text, finish = ANSWERED[fault]
    for outcome in request.getfixturevalue(policy).of(fault):
        answer = strict_json(outcome.whole)
        assert (text, finish, False) == (answer["response"], answer["finish"], answer["fallback"])
        assert ("done", finish, False) == tuple(outcome.stream.end[name] for name in ("event", "finish", "fallback"))
        assert text == outcome.stream.text


@pytest.mark.parametrize("fault", [*FINAL, *REPLACED])
def test_fault_without_a_stand_in_is_one_error_of_its_kind(alone, fault):
    """With fallback switched off, a fault is a problem of the right status, and an error frame with the same code."""
    status, code = {**FINAL, **REPLACED}[fault]
    for outcome in alone.of(fault):
        problem = problem_of(outcome.whole, status, code)
        end = outcome.stream.end
        assert ("error", problem["code"]) == (end["event"], end["code"])
        assert end["partial"] is bool(outcome.stream.chunks)


@pytest.mark.parametrize("fault", REPLACED)
def test_fault_is_answered_by_the_analyst_where_that_is_allowed(backed, fault):
    """A provider that fails before its first text is replaced by the offline analyst, which says that it stands in."""
    for outcome in backed.of(fault):
        answer, end = strict_json(outcome.whole), outcome.stream.end
        for account in (answer, end):
            assert tuple(account[name] for name in ("provider", "fallback", "degraded")) == ("offline", True, True)
        assert "430.47 USD" in answer["response"]
        assert answer["response"] == outcome.stream.text.strip()
        assert provider(fault, "responses") == outcome.stream.meta["provider"]


@pytest.mark.parametrize("fault", [fault for fault in FINAL if fault not in GREEDY])
def test_fault_of_the_request_itself_goes_to_nobody_else(backed, fault):
    """A refused or filtered request is an error even where the analyst could stand in."""
    for outcome in backed.of(fault):
        problem = problem_of(outcome.whole, *FINAL[fault])
        assert problem["code"] == outcome.stream.end["code"]


@pytest.mark.parametrize("fault", OVERLONG)
def test_answer_without_end_is_ended(alone, fault):
    """A provider that never comes to an end is cut off by the time or by the size of its answer."""
    for outcome in alone.of(fault):
        assert outcome.whole.status_code in {502, 504}
        assert outcome.whole.json()["code"] in OVERLONG[fault]
        assert outcome.stream.end["code"] in OVERLONG[fault]


@pytest.mark.parametrize("policy", ["alone", "backed"])
def test_every_outcome_comes_in_time(request, policy):
    """No fault holds an answer much longer than the total budget of a request."""
    outcomes = request.getfixturevalue(policy).outcomes
    late = {name: outcome.seconds for name, outcome in outcomes.items() if outcome.seconds > 2 + SLACK_S}
    assert late == {}


def test_no_provider_is_asked_twice(alone, backed):
    """Each request asks its provider once, and a redirect is not followed."""
    assert {fault: 2 if fault in GREEDY else 4 for fault in FAULTS} == alone.hits
    assert {fault: 2 for fault in FAULTS if fault not in GREEDY} == backed.hits


@pytest.mark.parametrize("fault", ["noheaders", "noft", "heartbeats", "hang_mid"])
def test_silence_of_the_provider_is_bridged_by_comments(alone, fault):
    """While the provider is silent the client gets keep-alive comments, between meta and the terminal frame."""
    for outcome in alone.of(fault):
        assert {": keep-alive"} == set(outcome.stream.comments)
        assert len(outcome.stream.comments) >= 2
        meta, *_, done = outcome.stream.content.decode().strip().split("\n\n")
        assert meta.startswith('data: {"event":"meta"')
        assert done == "data: [DONE]"


@pytest.mark.parametrize(
    ("fault", "seconds"), [("r429_1", 1), ("r429_30", 30), ("r429_ms", 2), ("r429_nonsense", None)]
)
def test_retry_after_of_the_provider_is_handed_on(alone, fault, seconds):
    """The provider's Retry-After reaches the client rounded to whole seconds, and one that makes no sense does not."""
    for outcome in alone.of(fault):
        assert seconds == outcome.whole.json().get("retry_after")
