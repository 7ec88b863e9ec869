"""What every model client is to the agent."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from typing import ClassVar

from shared.llm.types import ModelEvent, ModelInfo, ModelRequest
from shared.resilience.deadline import Deadline


class BaseModelClient(ABC):
    """One provider. Clients are shared by all requests of an event loop and hold no state of a conversation."""

    follows_instructions: ClassVar[bool] = True
    """Whether it can be asked to correct what it wrote; one that follows rules would write the same again."""

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def stream(self, request: ModelRequest, deadline: Deadline) -> AsyncGenerator[ModelEvent]:
        """One round of the model: text as it comes, complete tool calls, and exactly one ``Finished`` at the end.

        Raises ``ModelError`` for everything that is not a complete answer, a broken or silent stream included. Closing
        the generator, or cancelling the task that reads it, closes the upstream connection.
        """

    @abstractmethod
    async def list_models(self, deadline: Deadline) -> tuple[ModelInfo, ...]:
        """The models this provider offers now. Raises ``ModelError``."""

    @abstractmethod
    async def aclose(self) -> None:
        """Release connections; idempotent."""
