"""Idempotency-Key: a question sent twice is answered once."""

import threading
import uuid

import pytest

from tests.app.client import CHAT, STREAM, check_problem, problem_of, stream_of
from tests.doubles.openai_server import Turn

BODY = {"message": "What does AAPL cost?"}
HELD = Turn(text="Apple is a company. ", hold=2)


@pytest.fixture
def key() -> dict[str, str]:
    return {"Idempotency-Key": f"test-{uuid.uuid4()}"}


@pytest.mark.parametrize(("path", "body"), [(CHAT, BODY), (STREAM, BODY), (CHAT, {**BODY, "stream": True})])
def test_repeat_gets_the_same_bytes_without_asking_the_model_again(model_app, key, path, body):
    """A repeat with the same key and body gets byte for byte the first result, and the model is not asked again."""
    first = model_app.client.post(path, body, headers=key)
    asked = len(model_app.double.bodies)
    second = model_app.client.post(path, body, headers=key)
    assert 200 == first.status_code == second.status_code
    assert first.content == second.content
    same = ("content-type", "cache-control")
    assert {name: first.headers[name] for name in same} == {name: second.headers[name] for name in same}
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert asked == len(model_app.double.bodies) == 2


def test_repeated_stream_is_a_whole_stream(model_app, key):
    """What a repeat gets keeps the rules of a stream and the headers that keep proxies from buffering."""
    first = stream_of(model_app.client.post(STREAM, BODY, headers=key))
    second = stream_of(model_app.client.post(STREAM, BODY, headers=key))
    assert first.frames == second.frames
    assert second.headers["x-accel-buffering"] == "no"


def test_spelling_of_the_same_body_does_not_matter(model_app, key):
    """A body that only writes out a default, or orders its fields differently, is the same request."""
    first = model_app.client.post(CHAT, BODY, headers=key)
    second = model_app.client.post(CHAT, {"symbols": [], **BODY}, headers=key)
    assert first.content == second.content


@pytest.mark.parametrize(
    ("path", "body"),
    [(CHAT, {"message": "What does MSFT cost?"}), (CHAT, {**BODY, "symbols": ["IBM"]}), (STREAM, BODY)],
)
def test_another_request_under_the_same_key_is_409(model_app, key, path, body):
    """A key that was used for another body, or for the other form of answer, is refused and nobody is asked."""
    model_app.client.post(CHAT, BODY, headers=key)
    asked = len(model_app.double.bodies)
    problem_of(model_app.client.post(path, body, headers=key), 409, "idempotency_key_reused")
    assert asked == len(model_app.double.bodies)


def test_repeat_while_a_stream_runs_is_409_and_allowed_once_it_was_left(model_app, key):
    """A repeat during the first stream is 409 in_progress; when that client has left, the key may be used again."""
    model_app.double.script = HELD
    with model_app.client.live(BODY["message"], headers=key) as live:
        live.frame()
        assert model_app.double.wait(lambda: len(model_app.double.bodies) == 1)
        problem_of(model_app.client.post(STREAM, BODY, headers=key), 409, "in_progress")
        problem_of(model_app.client.post(STREAM, {"message": "else"}, headers=key), 409, "idempotency_key_reused")
    assert len(model_app.double.bodies) == 1
    assert model_app.double.wait(lambda: model_app.double.disconnects == 1)
    model_app.double.script = Turn(text="Apple is a company.")
    assert _when_free(model_app, STREAM, key).text == "Apple is a company."


def test_repeat_while_a_plain_request_runs_is_409(model_app, key):
    """Also without a stream, a repeat during the first request is 409 in_progress."""
    model_app.double.script = HELD
    body = b'{"message": "What does AAPL cost?"}'
    head = f"POST {CHAT} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    with model_app.client.connection() as connection:
        connection.sendall(f"{head}Idempotency-Key: {key['Idempotency-Key']}\r\n\r\n".encode() + body)
        assert model_app.double.wait(lambda: len(model_app.double.bodies) == 1)
        problem_of(model_app.client.post(CHAT, BODY, headers=key), 409, "in_progress")
    assert model_app.double.wait(lambda: model_app.double.disconnects == 1)


def _when_free(model_app, path, key):
    # The release happens in the app a moment after the provider's connection is closed: the state to wait for is ours.
    for _ in range(200):
        response = model_app.client.post(path, BODY, headers=key)
        if response.status_code != 409:
            return stream_of(response)
        check_problem(409, response.headers, response.content)
    raise AssertionError("the key is still taken")


@pytest.mark.parametrize("streamed", [False, True])
def test_attempt_that_failed_may_be_repeated(model_app, key, streamed):
    """A first attempt that broke off does not use the key up: the repeat asks again and its answer is kept."""
    path = STREAM if streamed else CHAT
    model_app.double.script = Turn(text="Apple is a company. It builds telephones.", cut=10)
    failed = model_app.client.post(path, BODY, headers=key)
    assert (200 if streamed else 502) == failed.status_code
    if streamed:
        assert (stream_of(failed).end["event"], stream_of(failed).end["partial"]) == ("error", True)
    model_app.double.script = Turn(text="Apple is a company.")
    second = model_app.client.post(path, BODY, headers=key)
    third = model_app.client.post(path, BODY, headers=key)
    assert b"Apple is a company." in second.content
    assert second.content == third.content
    assert len(model_app.double.bodies) == 2


def test_many_repeats_at_once_ask_the_model_once(model_app, key):
    """Of ten simultaneous requests with one key, one is carried out; the others get its result or 409."""
    answers = []
    barrier = threading.Barrier(10)

    def send() -> None:
        barrier.wait()
        answers.append(model_app.client.post(CHAT, {"message": "hello"}, headers=key))

    threads = [threading.Thread(target=send) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    good = {answer.content for answer in answers if answer.status_code == 200}
    assert len(good) == 1
    assert {200, 409} >= {answer.status_code for answer in answers}
    assert len(model_app.double.bodies) == 1


@pytest.mark.parametrize(("length", "status"), [(1, 200), (255, 200), (256, 400), (5000, 400)])
def test_key_has_at_most_255_characters(model_app, length, status):
    """A key of 255 characters is accepted, a longer one is refused before the model is asked."""
    key = uuid.uuid4().hex[0] * length
    response = model_app.client.post(CHAT, {"message": f"hello {length}"}, headers={"Idempotency-Key": key})
    assert status == response.status_code
    if status == 400:
        problem_of(response, 400, "validation_failed")
        assert model_app.double.requests == []


def test_empty_key_is_refused(model_app):
    """An Idempotency-Key without a character is a mistake and not the absence of one."""
    problem_of(model_app.client.post(CHAT, BODY, headers={"Idempotency-Key": ""}), 400, "validation_failed")


def test_request_that_is_refused_does_not_use_the_key_up(model_app, key):
    """A body that does not validate leaves its key free for the corrected one."""
    problem_of(model_app.client.post(CHAT, {"message": ""}, headers=key), 400)
    assert model_app.client.post(CHAT, BODY, headers=key).status_code == 200
