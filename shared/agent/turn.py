"""The state of one answer while it is being made."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.agent.events import Clarification, ToolRecord
from shared.agent.facts import FactLedger
from shared.agent.tools.registry import ToolResult
from shared.llm.base import BaseModelClient
from shared.llm.types import Message, Usage, UserMessage
from shared.market.types import Instrument


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model that may answer; the first of a sequence is the chosen one, the others are its fallbacks."""

    client: BaseModelClient
    model: str

    @property
    def provider(self) -> str:
        return self.client.name


@dataclass(slots=True)
class Turn:
    """``released`` says that text has left: from then on no other provider may answer."""

    choices: Sequence[ModelChoice]
    messages: list[Message]
    ledger: FactLedger = field(default_factory=FactLedger)
    usage: Usage = field(default_factory=Usage)
    tools: list[ToolRecord] = field(default_factory=list)
    seen_calls: set[tuple[str, str]] = field(default_factory=set)
    released: str = ""
    unverified: list[str] = field(default_factory=list)
    caveats: list[str] = field(default_factory=list)
    _at: int = 0
    _open_searches: dict[str, tuple[Instrument, ...]] = field(default_factory=dict)

    @classmethod
    def begin(cls, question: str, choices: Sequence[ModelChoice]) -> "Turn":
        return cls(choices=choices, messages=[UserMessage(question)])

    @property
    def choice(self) -> ModelChoice:
        return self.choices[self._at]

    @property
    def fell_back(self) -> bool:
        return self._at > 0

    def next_choice(self) -> bool:
        """Move on to the next model; false when there is none."""
        if self._at + 1 >= len(self.choices):
            return False
        self._at += 1
        return True

    def record(self, result: ToolResult) -> str:
        """Take over what a call has found; returns what the model is to read about it."""
        self.tools.append(ToolRecord(result.call.name, result.arguments, result.ok, result.ms))
        if result.output is not None and (caveat := result.output.notes.get("warning")):
            self.caveats = list(dict.fromkeys([*self.caveats, str(caveat)]))
        query = str(result.arguments.get("query", ""))
        if result.output is not None and not result.output.resolved:
            self._open_searches[query] = result.output.candidates
        return result.text(self.ledger.absorb(result.found))

    def unsaid_caveats(self) -> list[str]:
        """What has to be said about the data and the answer does not say: how old they are, above all."""
        said = self.released.casefold()
        return [caveat for caveat in self.caveats if not any(word in said for word in _key_words(caveat))]

    def clarification(self) -> Clarification | None:
        """The first name that stayed ambiguous: several candidates, none of which was looked up afterwards."""
        looked_up = {fact.symbol for fact in self.ledger.facts}
        for query, candidates in self._open_searches.items():
            if not looked_up.intersection(item.symbol for item in candidates):
                return Clarification(f"Which company do you mean by {query!r}?", candidates)
        return None


def _key_words(caveat: str) -> tuple[str, ...]:
    """The words by which an answer shows that it has said so in its own way."""
    return tuple(word for word in ("sample", "stale", "different sources") if word in caveat)
