"""Reading tool results back from a conversation, whoever made the calls."""

import json

from shared.llm.analyst.findings import Finding, Findings
from shared.llm.types import AssistantMessage, ToolCall, ToolMessage, UserMessage


def read(*calls: tuple[str, str, str]) -> Findings:
    """From (tool, arguments, output) in order."""
    made = tuple(ToolCall(f"c{number}", name, arguments) for number, (name, arguments, _) in enumerate(calls))
    answers = [ToolMessage(f"c{number}", name, output) for number, (name, _, output) in enumerate(calls)]
    return Findings.read([UserMessage("q"), AssistantMessage("", made), *answers])


def test_result_is_found_by_tool_and_arguments():
    """The order of keys does not matter, other arguments do."""
    findings = read(("compare", '{"symbols": ["A", "B"], "period": "1y"}', '{"ok": true}'))

    assert findings.of("compare", period="1y", symbols=["A", "B"]).ok
    assert findings.of("compare", symbols=["A", "B"]) is None
    assert findings.of("get_quote", symbol="A") is None


def test_refusal_of_a_repetition_does_not_hide_the_result():
    """A model that asks twice has still been answered once."""
    refused = json.dumps({"ok": False, "error": {"code": "repeated_call", "message": "x"}})
    findings = read(("get_quote", '{"symbol": "A"}', '{"ok": true}'), ("get_quote", '{"symbol": "A"}', refused))

    assert findings.of("get_quote", symbol="A").ok


def test_broken_arguments_of_another_model_are_read_past():
    """Its other calls still count."""
    findings = read(
        ("get_quote", "{broken", '{"ok": false}'),
        ("get_quote", "[" * 50_000, '{"ok": false}'),
        ("get_quote", '{"symbol": "A"}', '{"ok": true}'),
    )

    assert findings.of("get_quote", symbol="A").ok


def test_values_are_found_by_name_and_symbol():
    """Of several symbols the named one; none is None."""
    facts = [{"name": "x", "symbol": "A", "value": 1}, {"name": "x", "symbol": "B", "value": 2}]
    finding = Finding({"ok": True, "facts": facts})

    assert (finding.value("x"), finding.value("x", "B"), finding.value("x", "C"), finding.value("y")) == (
        1.0,
        2.0,
        None,
        None,
    )
    assert (finding.fact("x"), finding.fact("y")) == (facts[0], {})


def test_error_is_told_by_code_and_message():
    """Without an error both are empty."""
    failed = Finding({"ok": False, "error": {"code": "c", "message": "m"}})

    assert (failed.error_code, failed.error_message, failed.ok) == ("c", "m", False)
    assert (Finding({}).error_code, Finding({}).error_message, Finding({}).notes) == (None, "", {})
