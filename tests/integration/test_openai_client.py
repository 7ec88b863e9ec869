"""The OpenAI client against a scripted provider: events, tools, history and connections on both wires."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import asynccontextmanager

import pytest

from shared.llm.errors import ModelError
from shared.llm.openai_client import OpenAIModelClient
from shared.llm.types import (
    AssistantMessage,
    Finished,
    ModelEvent,
    ModelInfo,
    ModelRequest,
    TextDelta,
    ToolCall,
    ToolMessage,
    ToolSpec,
    Usage,
    UserMessage,
)
from shared.resilience.deadline import Deadline
from tests.doubles.openai_scripts import analyst
from tests.doubles.openai_server import OpenAIServer, Turn

SYMBOL = {"type": "string", "description": "a ticker"}
QUOTE = ToolSpec(
    "get_quote",
    "Last price.",
    {"type": "object", "properties": {"symbol": SYMBOL}, "required": ["symbol"], "additionalProperties": False},
)
LOOSE = ToolSpec(
    "compare",
    "Two or more.",
    {"type": "object", "properties": {"days": {"type": "integer", "default": 30}}, "additionalProperties": False},
)
WIRES = pytest.mark.parametrize("wire", ["responses", "chat"])


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running
        running.assert_stateless()


@asynccontextmanager
async def connected(server, wire="responses", **options):
    client = OpenAIModelClient(
        api_key=options.pop("api_key", "sk-test"), base_url=server.base_url, wire=wire, **options
    )
    try:
        yield client
    finally:
        await client.aclose()


def asked(*messages, tools=(), **more) -> ModelRequest:
    return ModelRequest(model="m-1", system="be brief", messages=messages or (UserMessage("hi"),), tools=tools, **more)


async def read(client, request=None, seconds=5.0) -> list[ModelEvent]:
    return [event async for event in client.stream(request or asked(), Deadline.after(seconds))]


def said(events) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def calls(events) -> list[ToolCall]:
    return [event for event in events if isinstance(event, ToolCall)]


@WIRES
async def test_text_comes_in_pieces_and_ends_with_usage(server, wire):
    """Text arrives as deltas, none of them empty, and one Finished carries the provider's token counts."""
    server.script = Turn(text="AAPL last traded at 430.47 USD.", usage=(120, 9))
    async with connected(server, wire) as client:
        events = await read(client)
    deltas = events[:-1]
    assert all(isinstance(event, TextDelta) and event.text for event in deltas)
    assert len(deltas) > 1
    assert said(events) == "AAPL last traded at 430.47 USD."
    assert events[-1] == Finished("stop", Usage(120, 9))


@WIRES
async def test_one_delta_is_delivered_before_the_next_is_sent(server, wire):
    """Text is handed over as it arrives: the first delta is out while the provider is still holding the rest."""
    server.script = Turn(text="x" * 70, hold=8)
    async with connected(server, wire) as client:
        stream = client.stream(asked(), Deadline.after(5))
        assert await anext(stream) == TextDelta("x" * 7)
        assert server.completed == 0
        await stream.aclose()
        assert await server.until(lambda: server.disconnects == 1, timeout=1.0)


@WIRES
async def test_L27_parallel_tool_calls_arrive_whole_and_in_order(server, wire):
    """Arguments split over many events come back as one text per call, each with the provider's call id."""
    server.script = Turn(
        text="Let me see.", tools=(("get_quote", {"symbol": "AAPL"}), ("get_quote", {"symbol": "MSFT"}))
    )
    async with connected(server, wire) as client:
        events = await read(client, asked(tools=(QUOTE,)))
    assert calls(events) == [
        ToolCall("call_1_0", "get_quote", '{"symbol": "AAPL"}'),
        ToolCall("call_1_1", "get_quote", '{"symbol": "MSFT"}'),
    ]
    assert said(events) == "Let me see."
    assert events[-1] == Finished("tool_calls", Usage(11, 7))


@WIRES
async def test_L27_fifty_parallel_calls_keep_their_ids_apart(server, wire):
    """Fifty calls in one round are fifty calls with fifty ids."""
    server.script = Turn(tools=tuple(("get_quote", {"symbol": f"S{k}"}) for k in range(50)))
    async with connected(server, wire) as client:
        found = calls(await read(client, asked(tools=(QUOTE,))))
    assert [json.loads(call.arguments)["symbol"] for call in found] == [f"S{k}" for k in range(50)]
    assert len({call.id for call in found}) == 50


@WIRES
async def test_L27_broken_arguments_pass_through_raw(server, wire):
    """Arguments that are no JSON are the agent's to answer, so they are not touched."""
    server.script = Turn(tools=(("get_quote", {}),), bad_json=True)
    async with connected(server, wire) as client:
        assert [call.arguments for call in calls(await read(client))] == ["{broken"]


@WIRES
async def test_tool_calls_of_a_cut_answer_are_dropped(server, wire):
    """An answer cut at its length hands over no tool call, because the last one may be cut, too."""
    server.script = Turn(text="I will", tools=(("get_quote", {"symbol": "AAPL"}),), finish="length")
    async with connected(server, wire) as client:
        events = await read(client)
    assert calls(events) == []
    assert events[-1].reason == "length"


@WIRES
async def test_L8_tool_call_of_a_truncated_stream_is_never_handed_over(server, wire):
    """Without its end a stream yields no tool call, complete as it may look."""
    server.script = Turn(tools=(("get_quote", {"symbol": "AAPL"}),), terminal=False, done_marker=False)
    events = []
    async with connected(server, wire) as client:
        with pytest.raises(ModelError, match="truncated"):
            async for event in client.stream(asked(), Deadline.after(5)):
                events.append(event)
    assert events == []


@WIRES
@pytest.mark.parametrize("oddity", [{"unknown_events": True}, {"event_lines": False}, {"reasoning": True}])
async def test_oddities_of_servers_change_nothing(server, wire, oddity):
    """Unknown events, missing event lines and hidden reasoning leave text, calls and end as they are."""
    server.script = Turn(text="Fine.", tools=(("get_quote", {"symbol": "AAPL"}),), **oddity)
    async with connected(server, wire) as client:
        events = await read(client)
    assert said(events) == "Fine."
    assert len(calls(events)) == 1
    assert events[-1] == Finished("tool_calls", Usage(11, 7))


async def test_chat_without_done_marker_is_complete(server):
    """A finish_reason alone makes a Chat answer complete."""
    server.script = Turn(text="Fine.", done_marker=False)
    async with connected(server, "chat") as client:
        assert (await read(client))[-1] == Finished("stop", Usage(11, 7))


@pytest.mark.parametrize(
    ("code", "kind"),
    [("server_error", "server_error"), ("rate_limit_exceeded", "rate_limited"), ("new_code", "server_error")],
)
async def test_L14_response_failed_is_classified_by_its_code(server, code, kind):
    """``response.failed`` raises by its error code; the SDK would hand it over as an ordinary event."""
    server.script = Turn(failed=code)
    async with connected(server) as client:
        with pytest.raises(ModelError) as caught:
            await read(client)
    assert caught.value.kind == kind


@WIRES
async def test_L14_error_event_before_text_has_not_started(server, wire):
    """An error event ahead of all text leaves the way to another provider open."""
    server.script = Turn(text="never", error_after=1)
    async with connected(server, wire) as client:
        with pytest.raises(ModelError) as caught:
            await read(client)
    assert (caught.value.kind, caught.value.started, caught.value.may_fall_back) == ("upstream_lost", False, True)


@WIRES
async def test_L7_cut_after_text_has_started(server, wire):
    """A connection cut in the middle of the text says that something had been handed over."""
    server.script = Turn(text="a long answer that is cut", cut=5)
    async with connected(server, wire) as client:
        with pytest.raises(ModelError) as caught:
            await read(client)
    assert (caught.value.kind, caught.value.started) == ("upstream_lost", True)


HISTORY = (
    UserMessage("AAPL?"),
    AssistantMessage(
        "Looking.", (ToolCall("c1", "get_quote", '{"symbol": "AAPL"}'), ToolCall("c2", "compare", "{oops"))
    ),
    ToolMessage("c1", "get_quote", '{"ok": true}'),
    ToolMessage("c2", "compare", '{"ok": false}'),
    AssistantMessage("430.47 USD."),
    UserMessage("and MSFT? \ud800"),
)


async def test_history_on_the_responses_wire(server):
    """The neutral history becomes input items without any id but our own call ids, and nothing is stored."""
    async with connected(server) as client:
        await read(client, asked(*HISTORY, tools=(QUOTE, LOOSE), max_output_tokens=300))
    body = server.bodies[0]
    assert body["input"] == [
        {"type": "message", "role": "user", "content": "AAPL?"},
        {"type": "message", "role": "assistant", "content": "Looking."},
        {"type": "function_call", "call_id": "c1", "name": "get_quote", "arguments": '{"symbol": "AAPL"}'},
        {"type": "function_call", "call_id": "c2", "name": "compare", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c1", "output": '{"ok": true}'},
        {"type": "function_call_output", "call_id": "c2", "output": '{"ok": false}'},
        {"type": "message", "role": "assistant", "content": "430.47 USD."},
        {"type": "message", "role": "user", "content": "and MSFT? ?"},
    ]
    assert (body["model"], body["instructions"], body["store"], body["stream"]) == ("m-1", "be brief", False, True)
    assert body["max_output_tokens"] == 300
    assert "temperature" not in body
    assert [(tool["type"], tool["name"], tool["strict"]) for tool in body["tools"]] == [
        ("function", "get_quote", True),
        ("function", "compare", False),
    ]


async def test_history_on_the_chat_wire(server):
    """The same history becomes chat messages, with nested tools and a request for token counts."""
    async with connected(server, "chat") as client:
        await read(client, asked(*HISTORY, tools=(QUOTE, LOOSE), max_output_tokens=300))
    body = server.bodies[0]
    first, second = (
        {"id": "c1", "type": "function", "function": {"name": "get_quote", "arguments": '{"symbol": "AAPL"}'}},
        {"id": "c2", "type": "function", "function": {"name": "compare", "arguments": "{}"}},
    )
    assert body["messages"] == [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "AAPL?"},
        {"role": "assistant", "content": "Looking.", "tool_calls": [first, second]},
        {"role": "tool", "tool_call_id": "c1", "content": '{"ok": true}'},
        {"role": "tool", "tool_call_id": "c2", "content": '{"ok": false}'},
        {"role": "assistant", "content": "430.47 USD."},
        {"role": "user", "content": "and MSFT? ?"},
    ]
    assert body["stream_options"] == {"include_usage": True}
    assert body["max_completion_tokens"] == 300
    assert [tool["function"].get("strict") for tool in body["tools"]] == [True, None]


@WIRES
async def test_a_round_trip_with_tools_answers_from_their_output(server, wire):
    """Calls, their outputs and the answer fit together over two rounds."""
    server.script = analyst
    question = UserMessage("How are AAPL and BRK-B doing?")
    async with connected(server, wire) as client:
        wanted = calls(await read(client, asked(question, tools=(QUOTE,))))
        outputs = tuple(
            ToolMessage(call.id, call.name, json.dumps({"ok": True, "facts": [fact(json.loads(call.arguments))]}))
            for call in wanted
        )
        history = (question, AssistantMessage(tool_calls=tuple(wanted)), *outputs)
        answer = said(await read(client, asked(*history, tools=(QUOTE,))))
    assert answer == "AAPL last traded at 430.47 USD. BRK-B last traded at 430.47 USD."


def fact(arguments) -> dict:
    return {"id": "f", "symbol": arguments["symbol"], "name": "last_price", "value": 430.47, "currency": "USD"}


@WIRES
async def test_connection_is_used_again_after_a_whole_answer(server, wire):
    """Ten answers in a row take one connection."""
    server.script = Turn(text="Fine.")
    async with connected(server, wire) as client:
        for _ in range(10):
            await read(client)
        assert (server.open_connections, server.completed) == (1, 10)


@WIRES
async def test_fifty_streams_at_once_keep_apart(server, wire):
    """Concurrent streams of one client each get their own answer."""
    server.script = lambda body: Turn(text=f"answer to {body['model']}")
    async with connected(server, wire) as client:
        requests = [ModelRequest(f"m{k}", "s", (UserMessage("hi"),)) for k in range(50)]
        answers = await asyncio.gather(*(read(client, request) for request in requests))
    assert [said(events) for events in answers] == [f"answer to m{k}" for k in range(50)]


async def test_list_models(server):
    """The provider's own list comes back as ModelInfo."""
    async with connected(server) as client:
        models = await client.list_models(Deadline.after(5))
    assert models[0] == ModelInfo("gpt-scripted", 1_780_000_000, "scripted")
    assert len(models) == 2


async def test_async_key_is_asked_for_each_request(server):
    """A key that is an async callable is fetched again for every request, as expiring tokens need."""
    keys = iter(["first", "second"])

    async def key() -> str:
        return next(keys)

    server.script = Turn(text="Fine.")
    async with connected(server, api_key=key) as client:
        await read(client)
        await read(client)
    assert [request.headers["authorization"] for request in server.requests] == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize("bad", ["", "kéy", "two\nlines"])
async def test_unusable_key_is_an_auth_error_before_any_request(server, bad):
    """A credential that fails, or gives what no header can carry, is an auth error without a request."""

    async def key() -> str:
        return bad

    async with connected(server, api_key=key) as client:
        with pytest.raises(ModelError, match="auth"):
            await read(client)
    assert server.requests == []
    with pytest.raises(ValueError, match="api_key of 'openai'"):
        OpenAIModelClient(api_key=bad)


async def test_environment_of_the_sdk_is_not_sent_to_other_providers(server, monkeypatch):
    """Organisation and project ids that the SDK finds in the environment stay out of the request."""
    for name in ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(name, "acme")
    server.script = Turn(text="Fine.")
    async with connected(server) as client:
        await read(client)
    assert "acme" not in str(server.requests[0].headers)


async def test_aclose_is_idempotent_and_final(server):
    """A closed client closes again without complaint, releases its connections and takes no more requests."""
    server.script = Turn(text="Fine.")
    async with connected(server) as client:
        await read(client)
        await client.aclose()
        await client.aclose()
        assert await server.until(lambda: server.open_connections == 0, timeout=1.0)
        with pytest.raises(RuntimeError, match="closed"):
            await read(client)


def test_client_refuses_another_event_loop(server):
    """A client that is used on a second loop says so instead of hanging on the first one's sockets."""
    server.script = Turn(text="Fine.")
    client = OpenAIModelClient(api_key="sk-test", base_url=server.base_url)

    async def once() -> None:
        await read(client)
        await client.aclose()

    asyncio.run(once())
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(once())


def test_repr_shows_name_and_host_only():
    """Neither key nor path nor credentials of a base URL are shown."""
    client = OpenAIModelClient(name="grok", api_key="sk-secret", base_url="https://user:pw@api.x.ai/v1?key=k")
    assert repr(client) == "OpenAIModelClient(name='grok', host='api.x.ai')"


def test_module_import_does_not_load_the_sdk():
    """Importing and building a client costs neither openai nor httpx2."""
    code = (
        "import sys; from shared.llm.openai_client import OpenAIModelClient as C; C(api_key='k');"
        "print([m for m in ('openai', 'httpx2', 'httpx', 'pydantic', 'anyio') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


async def test_auto_takes_chat_where_the_server_has_no_responses_and_stays_with_it():
    """A 404 on the first wire costs one request, once."""
    with OpenAIServer([Turn(status=404), Turn(text="Hello.")]) as server:
        async with connected(server, wire="auto") as client:
            assert said(await read(client)) == "Hello."
            assert said(await read(client)) == "Hello."
        paths = [request.path.rpartition("/v1/")[2] for request in server.requests]
    assert paths == ["responses", "chat/completions", "chat/completions"]


async def test_auto_stays_with_responses_once_it_has_worked():
    """A model that disappears later is not taken for a missing wire."""
    with OpenAIServer([Turn(text="Hello."), Turn(status=404)]) as server:
        async with connected(server, wire="auto") as client:
            await read(client)
            with pytest.raises(ModelError, match="model_not_found"):
                await read(client)
        assert len(server.requests) == 2
