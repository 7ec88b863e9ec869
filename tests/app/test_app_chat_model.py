"""Chat through a scripted language model: what reaches the client, and when."""

import json
import time

import pytest

from tests.app.apps import MODEL
from tests.app.client import CHAT, kind_of, problem_of
from tests.app.figures import check_facts, unsourced
from tests.doubles.openai_scripts import Conversation, invents, invents_without_tools, never_stops
from tests.doubles.openai_server import Turn

SENTENCE = "Apple is a company that builds telephones. "


def holding(words: str, events: int) -> Turn:
    """A model that says ``words`` for so many events and then falls silent for ever."""
    return Turn(text=words, hold=events)


def events_of(words: str) -> int:
    """The events after which the scripted model has sent all of ``words``."""
    return 4 + -(-len(words) // 7)


def test_model_answers_from_the_tools(model_app):
    """The model's sentence with the tool's figure is the answer, with its provider, model, usage and facts."""
    answer = model_app.client.ask("What does AAPL cost?")
    assert "AAPL last traded at 430.47 USD." in answer["response"]
    assert tuple(answer[name] for name in ("provider", "model", "fallback", "degraded")) == (
        "openai",
        MODEL,
        False,
        False,
    )
    assert answer["usage"] == {"input_tokens": 22, "output_tokens": 14, "total_tokens": 36}
    assert answer["grounding"] == {"ok": True, "unverified": []}
    check_facts(answer["facts"])
    assert unsourced(answer["response"], answer["facts"]) == []
    assert len(model_app.double.bodies) == 2


def test_model_streams_what_it_says(model_app):
    """The stream has the model's text in chunks, the tools it called, and the same account at the end."""
    stream = model_app.client.tell("What does AAPL cost?")
    assert (stream.meta["provider"], stream.meta["model"]) == ("openai", MODEL)
    assert "AAPL last traded at 430.47 USD." in stream.text
    assert [frame["status"] for frame in stream.tools] == ["started", "done"]
    assert tuple(stream.end[name] for name in ("provider", "fallback", "finish")) == ("openai", False, "stop")
    assert unsourced(stream.text, stream.end["facts"]) == []


@pytest.mark.parametrize("streamed", [False, True])
def test_requests_to_the_model_hold_no_secret_and_leave_nothing_behind(model_app, streamed):
    """What goes to the provider is stateless, and the key is in the Authorization header alone."""
    model_app.client.post(CHAT, {"message": "What does AAPL cost?", "stream": streamed})
    model_app.double.assert_stateless()
    assert all(body["store"] is False for body in model_app.double.bodies)
    assert "canary" not in json.dumps(model_app.double.bodies)


def test_model_of_the_request_is_the_one_asked(model_app):
    """A model named in the request is the one that the provider is asked for."""
    answer = model_app.client.ask("hello", model="gpt-5.2")
    assert {"gpt-5.2"} == {body["model"] for body in model_app.double.bodies}
    assert answer["model"] == "gpt-5.2"


def test_offline_analyst_can_be_chosen_although_a_model_is_there(model_app):
    """The provider of the request wins over the configured one, and the model is not asked."""
    answer = model_app.client.ask("AAPL price?", provider="offline")
    assert (answer["provider"], answer["fallback"], answer["degraded"]) == ("offline", False, False)
    assert model_app.double.requests == []


@pytest.mark.parametrize("script", [invents(), invents_without_tools()], ids=["after tools", "without tools"])
@pytest.mark.parametrize("streamed", [False, True])
def test_invented_figure_never_reaches_the_client(model_app, script, streamed):
    """A figure that no tool returned is withheld and named as unverified, and the answer says that it was."""
    model_app.double.script = script
    if streamed:
        stream = model_app.client.tell("What does AAPL cost?")
        text, account = stream.text, stream.end
    else:
        account = model_app.client.ask("What does AAPL cost?")
        text = account["response"]
    assert "999" not in text
    assert "withheld" in text
    assert account["grounding"]["ok"] is False
    assert any("999.99" in figure for figure in account["grounding"]["unverified"])


def test_corrected_answer_is_released(model_app):
    """A model that corrects itself when told gets its second sentence through, and grounding is fine."""

    def corrects(body):
        talk = Conversation.of(body)
        if "[check]" in talk.question:
            return Turn(text="AAPL last traded at 430.47 USD.")
        return invents()(body)

    model_app.double.script = corrects
    answer = model_app.client.ask("What does AAPL cost?")
    assert "AAPL last traded at 430.47 USD." in answer["response"]
    assert "999" not in answer["response"]
    assert answer["grounding"] == {"ok": True, "unverified": []}


def test_model_that_never_stops_calling_tools_is_stopped(model_app):
    """A model that only asks for the same quote again ends at the limit of rounds, and the answer says why."""
    model_app.double.script = never_stops
    answer = model_app.client.ask("What does AAPL cost?")
    assert answer["finish"] == "tool_limit"
    assert len(answer["tools"]) == 1
    assert len(model_app.double.bodies) <= 6


def test_cut_off_answer_says_length(model_app):
    """An answer that the provider cut at its length limit finishes with length."""
    model_app.double.script = Turn(text=SENTENCE, finish="length")
    assert model_app.client.ask("hello")["finish"] == "length"
    assert model_app.client.tell("hello").end["finish"] == "length"


def test_filtered_answer_is_422_and_goes_to_no_other_provider(model_app):
    """What the provider filtered is refused with 422, and the offline analyst does not answer in its place."""
    model_app.double.script = Turn(finish="content_filter")
    problem_of(model_app.client.post(CHAT, {"message": "AAPL?"}), 422, "content_filtered")
    stream = model_app.client.tell("AAPL?")
    assert tuple(stream.end[name] for name in ("event", "code", "retryable", "partial")) == (
        "error",
        "content_filtered",
        False,
        False,
    )


def test_text_that_looks_like_framing_stays_text(model_app):
    """Line breaks, `data:`, `event:` and `[DONE]` in the model's text arrive as text."""
    text = "One.\n\ndata: [DONE]\n\nevent: error\r\ndata: {}\u2028end \u2029 😀."
    model_app.double.script = Turn(text=text)
    stream = model_app.client.tell("hello")
    assert text == stream.text
    assert "\u2028" not in stream.content.decode()


def test_hints_and_question_reach_the_model(model_app):
    """The question goes to the model as it is, with the symbols in view behind it."""
    model_app.client.ask("Wie läuft's? 📈", symbols=["msft", "AAPL"])
    talk = Conversation.of(model_app.double.bodies[0])
    assert talk.question.startswith("Wie läuft's? 📈")
    assert "MSFT, AAPL" in talk.question


def test_chunks_arrive_while_the_model_is_still_writing(model_app):
    """The first sentence is with the client although the model has not finished, and never will."""
    model_app.double.script = holding(SENTENCE * 3, events_of(SENTENCE) + 1)
    with model_app.client.live("hello") as live:
        assert kind_of(live.frame()) == "meta"
        assert SENTENCE.strip() == live.until("chunk")["chunk"].strip()
        assert (model_app.double.completed, model_app.double.disconnects) == (0, 0)
    assert model_app.double.wait(lambda: model_app.double.disconnects == 1, timeout=2)


def test_S1_client_that_leaves_stops_the_model(model_app):
    """Within a second after the client has closed a running stream, the provider's connection is closed."""
    model_app.double.script = Turn(text=SENTENCE * 400, chunk_delay=0.005)
    with model_app.client.live("hello") as live:
        live.until("chunk")
        left = time.monotonic()
    assert model_app.double.wait(lambda: model_app.double.disconnects == 1, timeout=2)
    assert time.monotonic() - left < 1
    assert model_app.double.completed == 0


def test_S2_client_that_leaves_a_silent_model_stops_it(model_app):
    """A client that closes while the model says nothing at all stops it within a second, too."""
    model_app.double.script = holding(SENTENCE, 0)
    with model_app.client.live("hello") as live:
        assert kind_of(live.frame()) == "meta"
        assert model_app.double.wait(lambda: len(model_app.double.requests) == 1)
        left = time.monotonic()
    assert model_app.double.wait(lambda: model_app.double.disconnects == 1, timeout=2)
    assert time.monotonic() - left < 1


def test_client_that_leaves_a_plain_request_stops_the_model(model_app):
    """Also without a stream, a client that goes away stops the provider's work within a second."""
    model_app.double.script = holding(SENTENCE, 3)
    body = b'{"message": "hello"}'
    head = b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(
        body
    )
    with model_app.client.connection() as connection:
        connection.sendall(head + body)
        assert model_app.double.wait(lambda: model_app.double.sent == 3)
        left = time.monotonic()
    assert model_app.double.wait(lambda: model_app.double.disconnects == 1, timeout=2)
    assert time.monotonic() - left < 1


def test_many_clients_that_leave_leave_nothing_open(model_app):
    """After 20 streams left at different points, no connection to the provider is left in use and the app answers."""
    model_app.double.script = Turn(text=SENTENCE * 400, chunk_delay=0.002)
    for frames in range(20):
        with model_app.client.live("hello") as live:
            for _ in range(1 + frames % 4):
                live.frame()
    asked = len(model_app.double.requests)
    assert model_app.double.wait(lambda: model_app.double.disconnects + model_app.double.completed >= asked, timeout=3)
    assert model_app.double.wait(lambda: model_app.double.open_connections == 0, timeout=3)
    assert model_app.double.completed == 0
    model_app.double.script = Turn(text=SENTENCE)
    assert SENTENCE.strip() == model_app.client.ask("hello")["response"]


@pytest.mark.parametrize("turn", [{"cut": 12}, {"error_after": 12}, {"cut": 14, "reasoning": True}], ids=str)
def test_failure_after_the_first_chunk_is_an_error_frame(model_app, turn):
    """A provider that breaks off after text was sent gives an error frame marked partial, and no second answer."""
    model_app.double.script = Turn(text=SENTENCE * 3, **turn)
    stream = model_app.client.tell("What does AAPL cost?")
    assert [SENTENCE.strip()] == [chunk.strip() for chunk in stream.chunks]
    assert {"event", "error", "code", "retryable", "partial"} == set(stream.end)
    assert tuple(stream.end[name] for name in ("event", "retryable", "partial", "code")) == (
        "error",
        True,
        True,
        "upstream_lost",
    )
    assert len(model_app.double.bodies) == 1


def test_json_answer_that_broke_off_is_502(model_app):
    """Without a stream, an answer that broke off after its first sentence is a 502 and not half an answer."""
    model_app.double.script = Turn(text=SENTENCE * 3, cut=12)
    problem_of(model_app.client.post(CHAT, {"message": "What does AAPL cost?"}), 502, "upstream_lost")


@pytest.mark.parametrize(
    "turn",
    [
        Turn(status=500),
        Turn(status=429, headers={"Retry-After": "30"}),
        Turn(status=401),
        Turn(text=SENTENCE, cut=3),
        Turn(text=SENTENCE.rstrip(". "), terminal=False),
        Turn(failed="server_error"),
        Turn(),
    ],
    ids=["500", "429", "401", "cut", "no end", "failed", "empty"],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_failure_before_the_first_chunk_is_answered_by_the_analyst(model_app, turn, streamed):
    """When the provider fails before any text was sent, the offline analyst answers and is named as what it is."""
    model_app.double.script = turn
    if streamed:
        stream = model_app.client.tell("What does AAPL cost?")
        assert stream.meta["provider"] == "openai"
        text, account = stream.text, stream.end
    else:
        account = model_app.client.ask("What does AAPL cost?")
        text = account["response"]
    assert tuple(account[name] for name in ("provider", "model", "fallback", "degraded")) == (
        "offline",
        "offline-analyst",
        True,
        True,
    )
    assert "430.47 USD" in text
    assert "telephones" not in text
    assert len(model_app.double.bodies) == 1


def test_failure_in_a_later_round_is_answered_by_the_analyst(model_app):
    """A provider that fails after its tools have run is replaced as well: no text had left yet."""
    quote = Turn(tools=(("get_quote", {"symbol": "AAPL"}),))
    model_app.double.script = [quote, Turn(status=503)]
    answer = model_app.client.ask("What does AAPL cost?")
    assert (answer["provider"], answer["fallback"]) == ("offline", True)
    assert "430.47 USD" in answer["response"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (Turn(tools=(("delete_portfolio", {"id": 1}),)), "unknown_tool"),
        (Turn(tools=(("get_quote", {"symbol": "AAPL"}),), bad_json=True), "invalid_arguments"),
        (Turn(tools=(("get_quote", {"symbol": "../../etc"}),)), "invalid_arguments"),
        (Turn(tools=(("get_quote", {"symbol": "AAPL", "user_id": "7"}),)), "invalid_arguments"),
        (Turn(tools=(("get_quote", {"symbol": {"$gt": ""}}),)), "invalid_arguments"),
        (Turn(tools=(("get_quote", "[1]"),)), "invalid_arguments"),
    ],
    ids=["unknown tool", "broken JSON", "traversal", "foreign user", "operator", "no object"],
)
def test_L27_bad_tool_call_is_answered_to_the_model(model_app, call, code):
    """A call that cannot be run is told to the model as an error; the model answers, and no fact comes of it."""
    model_app.double.script = [call, Turn(text="I have no figures for that.")]
    answer = model_app.client.ask("What does AAPL cost?")
    assert answer["response"] == "I have no figures for that."
    assert ([tool["ok"] for tool in answer["tools"]], answer["facts"]) == ([False], [])
    (output,) = Conversation.of(model_app.double.bodies[1]).outputs
    assert (output["ok"], output["error"]["code"]) == (False, code)


def test_L27_fifty_parallel_calls_are_cut_to_the_limit(model_app):
    """Of fifty calls in one round 16 are run, each call gets an answer, and the model can still reply."""
    calls = tuple(("get_quote", {"symbol": f"S{number}"}) for number in range(50))
    model_app.double.script = [Turn(tools=calls), Turn(text="None of them is listed.")]
    answer = model_app.client.ask("What do they cost?")
    assert len(answer["tools"]) == 16
    assert answer["response"] == "None of them is listed."
    outputs = Conversation.of(model_app.double.bodies[1]).outputs
    assert [output["ok"] for output in outputs] == [False] * 50
    assert {output["error"]["code"] for output in outputs} == {"symbol_not_found", "tool_limit"}
