"""Models to put behind the scripted stub: a sensible analyst, and ones that must not be believed."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.doubles.openai_events import Turn

Script = Callable[[dict[str, Any]], Turn]

_TICKER = re.compile(r"(?<![\w.$])[A-Z][A-Z0-9]{0,4}(?:[.\-][A-Z]{1,2})?(?![\w])")
_NOT_TICKERS = frozenset(
    {"A", "I", "AND", "OR", "USD", "EUR", "GBP", "RSI", "SMA", "ETF", "CEO", "US", "UK", "PE", "OK"}
)
_PHRASES = {"last_price": "last traded at", "last_close": "last closed at", "previous_close": "closed before at"}
_UNITS = {"percent": "%", "percentage_points": " percentage points", "ratio": "", "": ""}


@dataclass(frozen=True)
class Conversation:
    """What the last user turn asked and what tools have answered since, read from a request of either wire."""

    question: str
    tools: tuple[str, ...]
    outputs: tuple[Any, ...]

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Conversation":
        question, outputs = "", []
        for item in body.get("input", body.get("messages", ())):
            if item.get("role") == "user":
                question, outputs = _plain(item["content"]), []
            elif item.get("type") == "function_call_output":
                outputs.append(_parsed(item["output"]))
            elif item.get("role") == "tool":
                outputs.append(_parsed(item["content"]))
        tools = tuple(tool.get("function", tool)["name"] for tool in body.get("tools", ()))
        return cls(question, tools, tuple(outputs))

    @property
    def symbols(self) -> list[str]:
        found = (match for match in _TICKER.findall(self.question) if match not in _NOT_TICKERS)
        return list(dict.fromkeys(found))

    @property
    def facts(self) -> list[dict[str, Any]]:
        return [
            fact
            for output in self.outputs
            if isinstance(output, dict)
            for fact in output.get("facts") or ()
            if isinstance(fact, dict)
        ]


def analyst(body: dict[str, Any]) -> Turn:
    """Asks ``get_quote`` for each symbol of the question, then says what the tools said and nothing else."""
    talk = Conversation.of(body)
    if not talk.outputs and talk.symbols and "get_quote" in talk.tools:
        return Turn(tools=tuple(("get_quote", {"symbol": symbol}) for symbol in talk.symbols))
    sentences = [_sentence(fact) for fact in talk.facts if _is_number(fact.get("value"))]
    if sentences:
        return Turn(text=" ".join(sentences))
    if talk.outputs:
        return Turn(text="I could not get any figures for that right now.")
    return Turn(text="Ask me about a stock by its symbol, for example AAPL.")


def invents(sentence: str = "AAPL last traded at 999.99 USD.") -> Script:
    """A model that states ``sentence`` whatever the tools say, after asking them as the analyst would."""

    def script(body: dict[str, Any]) -> Turn:
        turn = analyst(body)
        return turn if turn.tools else Turn(text=sentence)

    return script


def invents_without_tools(sentence: str = "AAPL last traded at 999.99 USD.") -> Script:
    """A model that never asks a tool and knows a price all the same."""
    return lambda _: Turn(text=sentence)


def never_stops(body: dict[str, Any]) -> Turn:
    """A model that asks for another quote in every round."""
    name = next(iter(Conversation.of(body).tools), "get_quote")
    return Turn(tools=((name, {"symbol": "AAPL"}),))


def obeys_tool_text(name: str, arguments: dict[str, Any]) -> Script:
    """A model that makes this call as soon as any tool output says 'ignore', however harmless the question was."""

    def script(body: dict[str, Any]) -> Turn:
        talk = Conversation.of(body)
        ordered = any("ignore" in json.dumps(output).lower() for output in talk.outputs)
        return Turn(tools=((name, arguments),)) if ordered and len(talk.outputs) < 2 else analyst(body)

    return script


def _sentence(fact: dict[str, Any]) -> str:
    name = str(fact.get("name", "value"))
    # A period in a name, as in average_volume_20d, would read as one more figure.
    words = " ".join(word for word in name.split("_") if not any(map(str.isdigit, word)))
    unit = str(fact.get("currency") or fact.get("unit") or "")
    said = _UNITS.get(unit, f" {unit}")
    return f"{fact.get('symbol', 'It')} {_PHRASES.get(name, f'has a {words} of')} {fact['value']}{said}."


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _plain(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", "")) for part in content or ())


def _parsed(output: Any) -> Any:
    try:
        return json.loads(output)
    except (TypeError, ValueError):
        return output
