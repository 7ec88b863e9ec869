"""Where the loop ends: rounds, calls, time, and a reader who goes away."""

import asyncio
import json

import pytest

from shared.agent.agent import AgentQuery
from shared.agent.events import AnswerChunk, ToolProgress
from shared.agent.turn import ModelChoice
from shared.errors import DeadlineExceeded
from shared.resilience.deadline import Deadline
from tests.unit.fakes.agent import an_agent, ask
from tests.unit.fakes.clock import FakeClock
from tests.unit.fakes.model import ScriptedModel, call, calls, says
from tests.unit.fakes.source import CountingSource, a_market, a_quote

LIMIT_NOTE = "I stopped here because the limit of data requests for one question was reached."


class Insatiable(ScriptedModel):
    """Asks for another indicator in every round, whatever it gets."""

    async def stream(self, request, deadline):
        number = len(self.requests)
        self._rounds = (calls(call("get_indicators", f"c{number}", symbol="AAPL", names=[f"sma{number + 2}"])),)
        async for event in super().stream(request, deadline):
            yield event


async def test_behaviour_20_endless_tools_stop_at_the_limit_of_rounds():
    """After the last round the answer ends with the reason; the last request offers no tools."""
    model = Insatiable()
    answer = await ask(model, agent=an_agent(rounds=4))

    assert len(model.requests) == 4
    assert [bool(request.tools) for request in model.requests] == [True, True, True, False]
    assert answer.report.finish == "tool_limit"
    assert answer.text.endswith(LIMIT_NOTE)
    assert len(answer.report.tools) == 3


async def test_behaviour_20_calls_are_limited_across_rounds():
    """The third call and those after it are refused; the model reads why."""
    wanted = [
        call("get_quote", f"c{number}", symbol=symbol) for number, symbol in enumerate(["AAPL", "IBM", "MSFT", "FB"])
    ]
    model = ScriptedModel(calls(*wanted), says("In the sample."))
    answer = await ask(model, agent=an_agent(tool_calls=2))
    outputs = [json.loads(message.output) for message in model.requests[1].messages[2:]]

    assert [output["ok"] for output in outputs] == [True, True, False, False]
    assert {output["error"]["code"] for output in outputs[2:]} == {"tool_limit"}
    assert [tool.arguments["symbol"] for tool in answer.report.tools] == ["AAPL", "IBM"]


async def test_behaviour_20_repeated_call_is_refused():
    """The same tool with the same arguments, in any order of keys, is run once."""
    source = CountingSource()
    source.quotes["AAPL"] = a_quote()
    model = ScriptedModel(
        calls(call("get_quote", symbol="AAPL")),
        calls(call("get_quote", "c2", symbol="AAPL")),
        says("Done."),
    )
    answer = await ask(model, agent=an_agent(a_market(source)))

    assert '"code": "repeated_call"' in model.requests[2].messages[-1].output
    assert (len(answer.report.tools), source.count["quote"]) == (1, 1)
    assert answer.progress == [("get_quote", "started"), ("get_quote", "done")]


async def test_behaviour_20_order_of_arguments_makes_no_new_call():
    """JSON objects have no order."""
    from shared.llm.types import ToolCall

    model = ScriptedModel(
        calls(
            ToolCall("a", "get_history_summary", '{"symbol": "AAPL", "period": "1y"}'),
            ToolCall("b", "get_history_summary", '{"period": "1y", "symbol": "AAPL"}'),
        ),
        says("Done."),
    )

    assert len((await ask(model)).report.tools) == 1


async def test_correction_needs_a_round():
    """With no round left the failing sentence is withheld at once."""
    model = ScriptedModel(says("It is $1."))
    answer = await ask(model, agent=an_agent(rounds=1))

    assert (len(model.requests), answer.report.grounding.unverified) == (1, ("$1",))


async def test_time_that_runs_out_during_the_tools_ends_the_answer():
    """The tools are stopped, the caller gets a timeout, and no further model call is made."""
    source = CountingSource()
    source.held.clear()
    model = ScriptedModel(calls(call("get_quote", symbol="AAPL")), says("Never."))
    answer = await ask(model, agent=an_agent(a_market(source)), deadline=Deadline.after(0.02))

    assert isinstance(answer.error, DeadlineExceeded)
    assert len(model.requests) == 1
    source.held.set()


async def test_tool_that_hangs_costs_its_own_time_only():
    """The model reads that the tool took too long and answers without it."""
    source = CountingSource()
    source.held.clear()
    model = ScriptedModel(calls(call("get_quote", symbol="AAPL")), says("The source does not answer."))
    answer = await ask(model, agent=an_agent(a_market(source), timeout_s=0.01))

    assert '"code": "tool_timeout"' in model.requests[1].messages[-1].output
    assert answer.text == "The source does not answer."
    source.held.set()


async def _open(model: ScriptedModel, agent=None, clock: FakeClock | None = None):
    query = AgentQuery("How is AAPL?", [ModelChoice(model, "m")])
    return (agent or an_agent()).process_query_streaming(query, Deadline.after(30))


async def test_behaviour_21_closing_the_stream_closes_the_model():
    """A reader who leaves after the first sentence stops the model's stream."""
    model = ScriptedModel([*says("One sentence. ", "Another ")[:2]], hang=True)
    events = await _open(model)
    first = await anext(events)
    assert (first, model.closed_streams) == (AnswerChunk("One sentence. "), 0)
    await events.aclose()

    assert model.closed_streams == 1


async def test_behaviour_21_closing_the_stream_stops_running_tools():
    """A reader who leaves while a tool runs takes the tool along."""
    cancelled = asyncio.Event()

    class Hanging:
        name = "first"
        entered = asyncio.Event()

        async def quote(self, symbol: str):
            self.entered.set()
            await asyncio.Event().wait()

    class Market:
        async def quote(self, symbol: str):
            try:
                await Hanging().quote(symbol)
            except asyncio.CancelledError:
                cancelled.set()
                raise

    model = ScriptedModel(calls(call("get_quote", symbol="AAPL")), says("Never."))
    events = await _open(model, an_agent(Market()))
    assert await anext(events) == ToolProgress("get_quote", "started", "AAPL")
    waiting = asyncio.create_task(anext(events))
    await Hanging.entered.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await events.aclose()

    assert cancelled.is_set()
    assert len(model.requests) == 1


async def test_behaviour_21_reader_who_leaves_between_calls_stops_them():
    """Tools that were started before the stream was closed do not run on behind its back."""
    source = CountingSource()
    source.held.clear()
    before = asyncio.all_tasks()
    wanted = [call("get_quote", f"c{number}", symbol=symbol) for number, symbol in enumerate(("AAPL", "IBM"))]
    events = await _open(ScriptedModel(calls(*wanted), says("Never.")), an_agent(a_market(source)))
    await anext(events)
    await anext(events)
    await asyncio.sleep(0)
    await events.aclose()
    source.held.set()
    for _ in range(5):
        await asyncio.sleep(0)

    assert asyncio.all_tasks() == before


async def test_questions_do_not_see_each_other():
    """Twenty questions at once: each report holds its own facts."""
    symbols = ["AAPL", "IBM", "MSFT", "FB"] * 5
    agent = an_agent()
    models = [ScriptedModel(calls(call("get_quote", symbol=symbol)), says("In the sample.")) for symbol in symbols]
    answers = await asyncio.gather(*(ask(model, agent=agent) for model in models))

    assert [{fact.symbol for fact in answer.report.facts} for answer in answers] == [{symbol} for symbol in symbols]
