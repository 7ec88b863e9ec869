"""The analyst as a model client: same events, same tools, same limits as a language model, no network of its own."""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import ClassVar

from shared.llm.analyst.findings import Findings
from shared.llm.analyst.plan import identify, lookups
from shared.llm.analyst.question import read_question
from shared.llm.analyst.writing import write
from shared.llm.base import BaseModelClient
from shared.llm.types import (
    OFFLINE_PROVIDER,
    Finished,
    ModelEvent,
    ModelInfo,
    ModelRequest,
    TextDelta,
    ToolCall,
    ToolMessage,
    UserMessage,
)
from shared.resilience.deadline import Deadline

MODEL_ID = "offline-analyst"


class OfflineAnalyst(BaseModelClient):
    """Deterministic: the same question and the same data give the same answer."""

    follows_instructions: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__(OFFLINE_PROVIDER)

    async def stream(self, request: ModelRequest, deadline: Deadline) -> AsyncGenerator[ModelEvent]:  # noqa: ARG002
        text = next(message.text for message in request.messages if isinstance(message, UserMessage))
        question = read_question(text)
        findings = Findings.read(request.messages)
        subjects = identify(question, findings)
        made = sum(isinstance(message, ToolMessage) for message in request.messages)
        if request.tools and (calls := lookups(question, subjects, findings)):
            for number, (name, arguments) in enumerate(calls, start=made + 1):
                yield ToolCall(f"look_{number}", name, json.dumps(arguments))
            yield Finished("tool_calls")
            return
        separator = ""
        for paragraph in write(question, subjects, findings):
            yield TextDelta(separator + paragraph)
            separator = "\n\n"
            # Lets a cancellation in between the paragraphs: nothing else here waits for anything.
            await asyncio.sleep(0)
        yield Finished("stop")

    async def list_models(self, deadline: Deadline) -> tuple[ModelInfo, ...]:  # noqa: ARG002 - nobody to ask
        return (ModelInfo(MODEL_ID, owned_by="stock-assistant"),)

    async def aclose(self) -> None:
        """Nothing to release."""
