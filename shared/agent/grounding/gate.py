"""Lets an answer's sentences through one by one, and holds back the ones whose figures nothing backs."""

from dataclasses import dataclass

from shared.agent.grounding.checker import GroundingChecker
from shared.agent.grounding.sentences import SentenceSplitter
from shared.agent.inert import inert


@dataclass(frozen=True, slots=True)
class Withheld:
    """A sentence that did not pass; ``numbers`` are the figures nothing backs, as written."""

    sentence: str
    numbers: tuple[str, ...]


class SentenceGate:
    """One round's text. With ``stop_at_failure`` nothing behind the first failing sentence is released either, so that
    a corrected continuation can take its place; without it only the failing sentences are dropped."""

    def __init__(self, checker: GroundingChecker, *, stop_at_failure: bool) -> None:
        self._checker = checker
        self._stop_at_failure = stop_at_failure
        self._splitter = SentenceSplitter()
        self.released = ""
        self.full_text = ""
        self.withheld: list[Withheld] = []

    def anew(self) -> "SentenceGate":
        """An empty gate of the same kind, for a round that is tried again."""
        return SentenceGate(self._checker, stop_at_failure=self._stop_at_failure)

    def feed(self, text: str) -> str:
        """The part of the answer that may leave now."""
        self.full_text += text
        return "".join(self._pass(sentence) for sentence in self._splitter.feed(text))

    def finish(self) -> str:
        """The last part; the model has said everything."""
        rest = self._splitter.flush()
        return self._pass(rest) if rest else ""

    def _pass(self, sentence: str) -> str:
        sentence = inert(sentence)
        if numbers := self._checker.unverified(sentence):
            self.withheld.append(Withheld(sentence, tuple(numbers)))
            return ""
        if self.withheld and self._stop_at_failure:
            return ""
        self.released += sentence
        return sentence
