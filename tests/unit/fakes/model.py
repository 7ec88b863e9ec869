"""A language model that follows a script, one entry per round."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence

from shared.llm.base import BaseModelClient
from shared.llm.types import Finished, FinishReason, ModelEvent, ModelInfo, ModelRequest, TextDelta, ToolCall, Usage
from shared.resilience.deadline import Deadline

Script = Sequence[ModelEvent | Exception]
USAGE = Usage(10, 5)


class ScriptedModel(BaseModelClient):
    """Plays one script per round; the last one again when they run out. ``hang`` waits for ever after a script."""

    def __init__(self, *rounds: Script, name: str = "scripted", hang: bool = False) -> None:
        super().__init__(name)
        self._rounds = rounds
        self._hang = hang
        self.requests: list[ModelRequest] = []
        self.closed_streams = 0

    async def stream(self, request: ModelRequest, deadline: Deadline) -> AsyncGenerator[ModelEvent]:
        script = self._rounds[min(len(self.requests), len(self._rounds) - 1)]
        self.requests.append(request)
        try:
            for step in script:
                if isinstance(step, Exception):
                    raise step
                yield step
            if self._hang:
                await asyncio.Event().wait()
        finally:
            self.closed_streams += 1

    async def list_models(self, deadline: Deadline) -> tuple[ModelInfo, ...]:
        return ()

    async def aclose(self) -> None:
        """Nothing to release."""


def says(*pieces: str, reason: FinishReason = "stop") -> list[ModelEvent]:
    return [*(TextDelta(piece) for piece in pieces), Finished(reason, USAGE)]


def calls(*wanted: ToolCall, text: str = "") -> list[ModelEvent]:
    return [*([TextDelta(text)] if text else []), *wanted, Finished("tool_calls", USAGE)]


def call(name: str, _id: str = "c1", **arguments: object) -> ToolCall:
    return ToolCall(_id, name, json.dumps(arguments))
