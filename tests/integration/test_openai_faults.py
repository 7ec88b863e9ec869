"""Every way an OpenAI-compatible provider can fail ends in exactly one outcome of the right kind, in time."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from time import monotonic

import pytest

from shared.llm.errors import ModelError
from shared.llm.openai_client import OpenAIModelClient
from shared.llm.stream_budgets import StreamBudgets
from shared.llm.types import Finished, ModelEvent, ModelRequest, TextDelta, UserMessage
from shared.resilience.deadline import Deadline
from tests.doubles.openai_faults import CANARY, TEXT, OpenAIFaults

REQUEST = ModelRequest(model="m", system="s", messages=(UserMessage("hello"),))
BUDGETS = StreamBudgets(connect_s=0.5, first_token_s=0.4, idle_s=0.3, max_bytes=300_000)
SLACK_S = 0.6  # two busy cores; the budgets themselves are what is asserted by kind

pytestmark = pytest.mark.parametrize("wire", ["responses", "chat"])

# fault, kind, whether text had been handed over
FAILURES = [
    pytest.param("r429_1", "rate_limited", False, id="L1-r429_1"),
    pytest.param("r429_30", "rate_limited", False, id="L2-r429_30"),
    pytest.param("r429_quota", "quota", False, id="L3-r429_quota"),
    pytest.param("e500", "server_error", False, id="L4-e500"),
    pytest.param("e529", "server_error", False, id="L4-e529"),
    pytest.param("e409", "server_error", False, id="L4-e409"),
    pytest.param("noheaders", "first_token_timeout", False, id="L5-noheaders"),
    pytest.param("noft", "first_token_timeout", False, id="L6-noft"),
    pytest.param("heartbeats", "first_token_timeout", False, id="L6-heartbeats"),
    pytest.param("rst", "upstream_lost", True, id="L7-rst"),
    pytest.param("rst_at_once", "upstream_lost", False, id="L7-rst_at_once"),
    pytest.param("cut_chunked", "upstream_lost", True, id="L7-cut_chunked"),
    pytest.param("clean_no_done", "truncated", True, id="L8-clean_no_done"),
    pytest.param("only_head", "truncated", False, id="L8-only_head"),
    pytest.param("cut_in_event", "truncated", True, id="L8-cut_in_event"),
    pytest.param("badjson", "upstream_malformed", True, id="L9-badjson"),
    pytest.param("notobject", "upstream_malformed", False, id="L9-notobject"),
    pytest.param("deepjson", "upstream_malformed", False, id="L9-deepjson"),
    pytest.param("wrongct", "bad_content_type", False, id="L10-wrongct"),
    pytest.param("json_empty", "bad_content_type", False, id="L10-json_empty"),
    pytest.param("json_null", "bad_content_type", False, id="L10-json_null"),
    pytest.param("json_trunc", "bad_content_type", False, id="L10-json_trunc"),
    pytest.param("drip", "first_token_timeout", False, id="L11-drip"),
    pytest.param("hang_mid", "idle_timeout", True, id="L12-hang_mid"),
    pytest.param("empty_choices", "empty_answer", False, id="L13-empty_choices"),
    pytest.param("emptystream", "empty_answer", False, id="L13-emptystream"),
    pytest.param("null_content", "empty_answer", False, id="L13-null_content"),
    pytest.param("err_mid", "upstream_lost", True, id="L14-err_mid"),
    pytest.param("err_object", "upstream_lost", True, id="L14-err_object"),
    pytest.param("filter", "content_filter", False, id="L16-filter"),
    pytest.param("ctx", "context_length", False, id="L17-ctx"),
    pytest.param("e401", "auth", False, id="L18-e401"),
    pytest.param("e403", "auth", False, id="L18-e403"),
    pytest.param("redirect", "redirected", False, id="L19-redirect"),
    pytest.param("huge", "too_large", True, id="L20-huge"),
    pytest.param("huge_line", "too_large", False, id="L20-huge_line"),
    pytest.param("e400", "bad_request", False, id="e400"),
    pytest.param("e422", "bad_request", False, id="e422"),
    pytest.param("e400_endless", "bad_request", False, id="e400_endless"),
    pytest.param("e404", "model_not_found", False, id="e404"),
]


@pytest.fixture(scope="module")
def faults() -> Iterator[OpenAIFaults]:
    with OpenAIFaults() as server:
        yield server


@asynccontextmanager
async def provider(faults, fault, wire, budgets=BUDGETS) -> AsyncGenerator[OpenAIModelClient]:
    faults.hits.clear()
    client = OpenAIModelClient(
        name="primary", api_key="sk-test", base_url=faults.base_url(fault), wire=wire, budgets=budgets
    )
    await client.warm()
    try:
        yield client
    finally:
        await client.aclose()


async def read(client: OpenAIModelClient, seconds: float = 5.0) -> list[ModelEvent]:
    return [event async for event in client.stream(REQUEST, Deadline.after(seconds))]


def said(events: list[ModelEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, TextDelta))


async def failure(client: OpenAIModelClient, seconds: float = 5.0) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await read(client, seconds)
    return caught.value


@pytest.mark.parametrize(("fault", "kind", "started"), FAILURES)
async def test_fault_ends_in_one_error_of_its_kind(faults, wire, fault, kind, started):
    """A broken provider raises one ModelError of the right kind within its budget, after one request."""
    async with provider(faults, fault, wire) as client:
        begun = monotonic()
        error = await failure(client)
        took = monotonic() - begun
    assert (kind, started, "primary") == (error.kind, error.started, error.provider)
    assert took < max(BUDGETS.first_token_s, BUDGETS.idle_s) + SLACK_S
    assert {fault: 1} == dict(faults.hits)
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("fault", ["e401", "e500", "r429_quota", "ctx", "err_mid", "wrongct", "redirect", "badjson"])
async def test_L14_upstream_text_reaches_neither_exception_nor_log(faults, wire, fault, caplog):
    """Whatever a provider writes into an error, nothing of it is in the exception or in any library's log."""
    with caplog.at_level(logging.DEBUG):
        async with provider(faults, fault, wire) as client:
            error = await failure(client)
    shown = f"{error} {error!r} {vars(error)} {client!r}"
    assert not any(secret in text for secret in (CANARY, "sk-test") for text in (shown, caplog.text))
    assert faults.url not in shown


@pytest.mark.parametrize(
    ("fault", "least", "most"),
    [("r429_1", 1, 1), ("r429_30", 30, 30), ("r429_ms", 1.5, 1.5), ("r429_date", 1e6, 1e10)],
)
async def test_L2_retry_after_is_reported_and_never_slept(faults, wire, fault, least, most):
    """Retry-After in seconds, milliseconds or as a date becomes seconds on the error, which comes at once."""
    async with provider(faults, fault, wire) as client:
        begun = monotonic()
        error = await failure(client)
        assert monotonic() - begun < 0.3
    assert error.retry_after is not None
    assert least <= error.retry_after <= most


async def test_L2_nonsense_retry_after_is_none(faults, wire):
    """A Retry-After that is neither a number nor a date is as good as none."""
    async with provider(faults, "r429_nonsense", wire) as client:
        assert (await failure(client)).retry_after is None


async def test_L1_slow_error_body_does_not_hide_its_status(faults, wire):
    """A 429 whose body never ends is still a 429 with its Retry-After."""
    budgets = StreamBudgets(first_token_s=3.0)
    async with provider(faults, "r429_drip", wire, budgets) as client:
        error = await failure(client)
    assert (error.kind, error.retry_after) == ("rate_limited", 1.0)


async def test_L11_slow_drip_of_tokens_hits_the_deadline(faults, wire):
    """Tokens that keep coming satisfy every gap budget and still end at the deadline."""
    async with provider(faults, "drip_tokens", wire) as client:
        begun = monotonic()
        error = await failure(client, seconds=0.5)
        assert monotonic() - begun < 0.5 + SLACK_S
    assert (error.kind, error.started) == ("deadline", True)


@pytest.mark.parametrize("fault", ["noheaders", "noft"])
async def test_L5_deadline_before_first_token_budget_is_named_as_such(faults, wire, fault):
    """Silence that outlasts the request itself is the deadline's fault, not the first token's."""
    async with provider(faults, fault, wire) as client:
        assert (await failure(client, seconds=0.2)).kind == "deadline"


async def test_expired_deadline_asks_nobody(faults, wire):
    """With no time left there is no request."""
    async with provider(faults, "ok", wire) as client:
        assert (await failure(client, seconds=0)).kind == "deadline"
    assert not faults.hits


async def test_refused_port_is_upstream_lost(wire):
    """A provider that is not there is a lost connection, found at once."""
    with OpenAIFaults() as gone:
        url = gone.base_url("ok")
    client = OpenAIModelClient(api_key="sk-test", base_url=url, wire=wire, budgets=BUDGETS)
    assert (await failure(client)).kind == "upstream_lost"
    await client.aclose()


@pytest.mark.parametrize(
    ("fault", "text", "reason"),
    [
        pytest.param("ok", "one two three", "stop", id="ok"),
        pytest.param("utf8split", TEXT, "stop", id="L21-utf8split"),
        pytest.param("length", "one", "length", id="L15-length"),
        pytest.param("filter_mid", "one", "content_filter", id="L16-filter_mid"),
        pytest.param("filter_silent", "", "content_filter", id="L16-filter_silent"),
        pytest.param("hang_after_finish", "one", "stop", id="hang_after_finish"),
        pytest.param("rst_after_finish", "one", "stop", id="rst_after_finish"),
    ],
)
async def test_whole_answer_ends_in_one_finished(faults, wire, fault, text, reason):
    """An answer that the wire called complete ends in exactly one Finished, whatever happens after it."""
    async with provider(faults, fault, wire) as client:
        events = await read(client)
    assert text == said(events)
    assert [reason] == [event.reason for event in events if isinstance(event, Finished)]
    assert isinstance(events[-1], Finished)


async def test_L19_redirect_target_is_never_asked(faults, wire):
    """The prompt does not go where a Location header points."""
    async with provider(faults, "redirect", wire) as client:
        await failure(client)
    assert faults.hits["ok"] == 0


@pytest.mark.parametrize("fault", ["huge", "hang_mid", "noheaders", "e400_endless"])
async def test_L20_upstream_is_closed_after_a_failure(faults, wire, fault):
    """A provider that was given up on sees its connection close within a second."""
    async with provider(faults, fault, wire) as client:
        await failure(client)
        assert await faults.until(lambda: faults.open_connections == 0, timeout=1.0)


@pytest.mark.parametrize("leave", ["aclose", "break", "cancel"])
async def test_S1_upstream_is_closed_when_the_reader_leaves(faults, wire, leave):
    """Closing the generator, or cancelling its reader, ends the generation upstream within a second."""
    budgets = StreamBudgets(first_token_s=30, idle_s=30)
    async with provider(faults, "hang_mid", wire, budgets) as client:
        before = faults.disconnects
        if leave == "break":
            async for _ in client.stream(REQUEST, Deadline.after(60)):
                break
        else:
            stream = client.stream(REQUEST, Deadline.after(60))
            assert await anext(stream) == TextDelta("one")
            if leave == "cancel":
                reader = asyncio.ensure_future(anext(stream))
                await asyncio.sleep(0)
                reader.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await reader
            else:
                await stream.aclose()
        assert await faults.until(lambda: faults.disconnects == before + 1, timeout=1.0)
        assert faults.open_connections == 0


async def test_S1_cancel_before_the_headers_closes_upstream(faults, wire):
    """A reader that is cancelled while the provider is silent leaves no connection behind."""
    async with provider(faults, "noheaders", wire, StreamBudgets(first_token_s=30)) as client:
        reader = asyncio.create_task(read(client))
        assert await faults.until(lambda: faults.hits["noheaders"] == 1)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        assert await faults.until(lambda: faults.open_connections == 0, timeout=1.0)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("e401", "auth"),
        ("e500", "server_error"),
        ("r429_1", "rate_limited"),
        ("noheaders", "first_token_timeout"),
        ("rst_at_once", "upstream_lost"),
        ("wrongct", "bad_content_type"),
        ("redirect", "redirected"),
        ("json_trunc", "upstream_lost"),
        ("json_empty", "upstream_malformed"),
    ],
)
async def test_list_models_classifies_failures(faults, wire, fault, kind):
    """The model list fails with the same kinds as a stream."""
    async with provider(faults, fault, wire) as client:
        with pytest.raises(ModelError) as caught:
            await client.list_models(Deadline.after(5))
    assert kind == caught.value.kind
    assert caught.value.__context__ is None
