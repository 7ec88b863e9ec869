"""Many at once: everybody gets their own answer, and what is too much is refused at the door."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.app.apps import SAMPLE, ModelApp, copy_app, running
from tests.app.client import CHAT, STREAM, AppClient, kind_of, problem_of
from tests.doubles.openai_server import OpenAIServer, Turn

SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


def test_streams_at_once_do_not_mix(sample_app: AppClient):
    """Of 60 streams at once each is about its own symbol only, with ids that no other has."""
    wanted = [SYMBOLS[number % 5] for number in range(60)]
    with ThreadPoolExecutor(20) as pool:
        streams = list(pool.map(lambda symbol: sample_app.tell(f"How is {symbol} doing?"), wanted))
    for symbol, stream in zip(wanted, streams, strict=True):
        assert {fact["symbol"] for fact in stream.end["facts"]} == {symbol}
        assert f"({symbol})" in stream.text
        assert stream.meta["request_id"] == stream.headers["x-request-id"]
    for name in ("request_id", "message_id", "conversation_id"):
        assert len({stream.meta[name] for stream in streams}) == 60


@pytest.fixture(scope="module")
def small_app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModelApp]:
    """At most two answers at a time, by a model that does as it is told."""
    app_dir = copy_app(tmp_path_factory.mktemp("load") / "app", {"http": {"max_concurrent_chats": 2}})
    with OpenAIServer() as double, running(app_dir, {**SAMPLE, "OPENAI_BASE_URL": double.base_url}) as client:
        yield ModelApp(client, double)


def test_S10_one_stream_too_many_is_refused_at_the_door(small_app):
    """Over the limit of answers in progress the next one is 503 with Retry-After before the model is asked; when the
    others have left there is room again."""
    client, double = small_app.client, small_app.double
    double.script = Turn(text="One. Two.", hold=2)
    with client.live("hello") as first, client.live("hello") as second:
        assert [kind_of(live.frame()) for live in (first, second)] == ["meta", "meta"]
        assert double.wait(lambda: len(double.bodies) == 2, timeout=5)
        for path in (CHAT, STREAM):
            problem = problem_of(client.post(path, {"message": "hello"}), 503, "overloaded")
            assert problem["retry_after"] == 1
        assert len(double.bodies) == 2
        assert client.get("/api/health/live").status_code == 200
    assert double.wait(lambda: double.disconnects == 2)
    double.script = Turn(text="One.")
    answers = (client.post(CHAT, {"message": "hello"}) for _ in range(200))
    assert next(answer for answer in answers if answer.status_code == 200).json()["response"] == "One."
