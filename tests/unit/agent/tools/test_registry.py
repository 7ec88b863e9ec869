"""Tool calls as models make them, good and bad: each is answered, none is raised."""

import asyncio
import json
from typing import ClassVar

import pytest
from pydantic import Field

from shared.agent.facts import Fact, FactLedger
from shared.agent.tools.arguments import Symbol
from shared.agent.tools.base import ToolArguments, ToolOutput
from shared.agent.tools.registry import ToolRegistry, ToolResult, decode_arguments
from shared.errors import AppError, MarketDataUnavailable, SymbolNotFound
from shared.llm.types import ToolCall
from shared.resilience.deadline import Deadline
from tests.canaries import CANARIES, leaked
from tests.unit.fakes.clock import FakeClock
from tests.unit.fakes.ledger import ORIGIN


class EchoArguments(ToolArguments):
    symbol: Symbol
    days: int = Field(default=5, ge=1, le=9)


class EchoTool:
    """Does what its ``act`` does; records what it was given."""

    name: ClassVar[str] = "echo"
    description: ClassVar[str] = "Echoes."
    arguments = EchoArguments

    def __init__(self, act=None) -> None:
        self._act = act
        self.given: list[EchoArguments] = []
        self.cancelled = False

    async def run(self, arguments: EchoArguments, ledger: FactLedger) -> ToolOutput:
        self.given.append(arguments)
        try:
            if self._act:
                await self._act()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return ToolOutput((ledger.add(ORIGIN, "last_price", 430.47, "USD"),), {"days": arguments.days})


def raising(error: Exception):
    async def act() -> None:
        raise error

    return act


async def hang() -> None:
    await asyncio.Event().wait()


def read(result: ToolResult) -> dict:
    """What the model reads, when nothing was known before."""
    facts: dict[str, Fact] = FactLedger().absorb(result.found)
    return json.loads(result.text(facts))


async def run(
    tool: EchoTool, arguments: str, *, name: str = "echo", timeout_s: float = 5, seconds: float = 30
) -> ToolResult:
    deadline = Deadline.after(seconds, FakeClock().clock)
    return await ToolRegistry([tool], timeout_s=timeout_s).run(ToolCall("c1", name, arguments), deadline)


async def test_result_holds_facts_and_notes():
    """The model reads facts with id, unit, moment and source; the result says that it went well."""
    result = await run(EchoTool(), '{"symbol": "aapl", "days": 3}')

    assert result.ok
    assert read(result) == {
        "ok": True,
        "facts": [
            {
                "id": "f1",
                "symbol": "AAPL",
                "name": "last_price",
                "value": 430.47,
                "unit": "USD",
                "as_of": "2013-03-01T21:00:00Z",
                "source": "sample",
                "stale": True,
            }
        ],
        "notes": {"days": 3},
    }


async def test_arguments_are_checked_and_normalised():
    """A symbol reaches the tool in its neutral form; what the model wrote is kept for the report."""
    tool = EchoTool()
    result = await run(tool, '{"symbol": " brk.b"}')

    assert 0 <= result.ms < 5000
    assert tool.given == [EchoArguments(symbol="BRK-B")]
    assert result.arguments == {"symbol": " brk.b"}


async def test_facts_take_the_number_that_the_answer_gives_them():
    """Each call has its own ledger; the text shows the ids of the answer's."""
    result = await run(EchoTool(), '{"symbol": "AAPL"}')
    ledger = FactLedger()
    ledger.add(ORIGIN, "other", 1, "USD")

    assert json.loads(result.text(ledger.absorb(result.found)))["facts"][0]["id"] == "f2"


async def test_unknown_tool_is_answered_with_the_list():
    """The model is told which tools there are."""
    result = await run(EchoTool(), "{}", name="get_weather")

    assert not result.ok
    assert read(result)["error"] == {"code": "unknown_tool", "message": "There is no such tool; there are echo."}


@pytest.mark.parametrize("arguments", ["{bad", "[1]", '"x"', "null", "5", "[" * 50_000, '{"symbol": "AAPL"'])
async def test_arguments_that_are_no_object_are_answered(arguments):
    """Broken JSON, other JSON and deeply nested JSON are refused without running the tool."""
    tool = EchoTool()
    result = await run(tool, arguments)

    assert read(result)["error"]["code"] == "invalid_arguments"
    assert (tool.given, result.arguments) == ([], {})


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "symbol"),
        ({"symbol": "AAPL", "days": 10}, "days"),
        ({"symbol": "AAPL", "days": "many"}, "days"),
        ({"symbol": "AAPL", "user_id": "7"}, "user_id"),
        ({"symbol": "../etc"}, "symbol"),
        ({"symbol": ["AAPL"]}, "symbol"),
        ({"symbol": "A" * 100}, "symbol"),
        ({"symbol": {"$where": "1"}}, "symbol"),
    ],
)
async def test_wrong_arguments_are_named(arguments, field):
    """Missing, out of range, of the wrong type, unknown: the field is named and the tool does not run."""
    tool = EchoTool()
    error = read(await run(tool, json.dumps(arguments)))["error"]

    assert error["code"] == "invalid_arguments"
    assert f"{field}: " in error["message"]
    assert tool.given == []


async def test_values_of_wrong_arguments_are_not_repeated():
    """What was sent may be anything."""
    error = read(await run(EchoTool(), json.dumps({"symbol": CANARIES["OPENAI_API_KEY"], "days": "x"})))

    assert leaked(json.dumps(error)) == []


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_does_not_have_are_refused(constant):
    """Python would read them, and no client could read them back."""
    assert decode_arguments(ToolCall("c", "echo", f'{{"days": {constant}}}')) is None


def test_half_a_surrogate_pair_is_replaced():
    """It is valid JSON, and would make the whole answer impossible to encode."""
    decoded = decode_arguments(ToolCall("c", "echo", '{"symbol": "\\ud800A", "\\udfff": "\\ud83d\\ude00"}'))

    assert decoded == {"symbol": "?A", "?": "\U0001f600"}


async def test_no_arguments_are_an_empty_object():
    """Some models send nothing for a tool that needs nothing."""
    assert decode_arguments(ToolCall("c", "echo", "")) == {}


async def test_tool_that_hangs_is_stopped():
    """After its time the tool is cancelled and the model is told."""
    tool = EchoTool(hang)
    result = await run(tool, '{"symbol": "AAPL"}', timeout_s=0.01)

    assert read(result)["error"] == {"code": "tool_timeout", "message": "echo took too long."}
    assert tool.cancelled


async def test_deadline_of_the_request_is_tighter_than_the_tools_own():
    """With little time left a tool gets that little."""
    result = await run(EchoTool(hang), '{"symbol": "AAPL"}', timeout_s=60, seconds=0.01)

    assert read(result)["error"]["code"] == "tool_timeout"


@pytest.mark.parametrize(
    ("error", "document"),
    [
        (
            SymbolNotFound("HP", suggestions=["HPQ"]),
            {
                "ok": False,
                "error": {
                    "code": "symbol_not_found",
                    "message": "No instrument is listed under 'HP'. Did you mean HPQ?",
                },
                "suggestions": ["HPQ"],
            },
        ),
        (
            MarketDataUnavailable("yahoo cannot be reached."),
            {"ok": False, "error": {"code": "market_data_unavailable", "message": "yahoo cannot be reached."}},
        ),
    ],
)
async def test_behaviour_8_unknown_symbol_and_outage_read_differently(error, document):
    """Each has its own code and text, and only the unknown symbol has suggestions."""
    result = await run(EchoTool(raising(error)), '{"symbol": "AAPL"}')

    assert read(result) == document
    assert result.error is error


@pytest.mark.plants_a_secret
@pytest.mark.parametrize("error", [ValueError(CANARIES["OPENAI_API_KEY"]), ZeroDivisionError(), KeyError("x")])
async def test_defect_of_a_tool_is_answered_without_its_text(error):
    """Only cancellation gets out of a call: the model reads that the look-up failed, and nothing of the exception."""
    result = await run(EchoTool(raising(error)), '{"symbol": "AAPL"}')

    assert (result.ok, type(result.error)) == (False, AppError)
    assert read(result)["error"] == {"code": "internal_error", "message": "echo failed on our side."}


async def test_defect_of_a_tool_is_logged(caplog):
    """Somebody has to know: the type and place of the defect are in the log."""
    await run(EchoTool(raising(ZeroDivisionError())), '{"symbol": "AAPL"}')

    (record,) = [record for record in caplog.records if record.name == "shared.agent.tools.registry"]
    assert (record.levelname, record.exc_info[0]) == ("ERROR", ZeroDivisionError)


async def test_cancellation_gets_out():
    """A request that is given up takes its tools with it."""
    tool = EchoTool(hang)
    task = asyncio.create_task(run(tool, '{"symbol": "AAPL"}'))
    while not tool.given:
        await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert tool.cancelled


async def test_suggested_symbols_may_be_named():
    """0700.HK as a suggestion does not make an answer withheld."""
    result = await run(EchoTool(raising(SymbolNotFound("700.HK", suggestions=["0700.HK"]))), '{"symbol": "700.HK"}')

    assert {"700.HK", "0700.HK"} <= result.found.names


def test_specs_close_the_schema():
    """No title, no additional properties: what models may send is said exactly."""
    (spec,) = ToolRegistry([EchoTool()], timeout_s=1).specs

    assert (spec.name, spec.description) == ("echo", "Echoes.")
    assert spec.parameters["additionalProperties"] is False
    assert '"title"' not in json.dumps(spec.parameters)
    assert spec.parameters["required"] == ["symbol"]
