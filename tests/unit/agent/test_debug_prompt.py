"""Prompts in the log."""

import pytest

from shared.agent.agent import AgentLimits, StockAgent
from shared.agent.tools.registry import ToolRegistry
from tests.unit.fakes.agent import ask
from tests.unit.fakes.model import ScriptedModel, says


@pytest.mark.parametrize("enabled", [True, False])
async def test_what_a_model_is_sent_is_logged_only_when_asked_for(
    enabled: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """A question is personal: it is in the log with the switch on, and nowhere without it."""
    caplog.set_level("DEBUG")
    limits = AgentLimits(max_rounds=2, max_tool_calls=2, max_output_tokens=100, debug_prompt=enabled)
    agent = StockAgent(ToolRegistry([], timeout_s=1), limits)
    await ask(ScriptedModel(says("Hello.")), question="my private question", agent=agent)
    assert ("my private question" in caplog.text) is enabled
