"""What happens when a model fails: who answers instead, and when nobody may."""

from typing import get_args

import pytest

from shared.agent.events import Grounding
from shared.agent.failures import caller_error
from shared.errors import DeadlineExceeded, ModelUnavailable, Unservable, UpstreamMalformed, UpstreamRefused
from shared.llm.analyst.client import OfflineAnalyst
from shared.llm.errors import ErrorKind, ModelError
from shared.llm.types import Finished, TextDelta, ToolCall
from tests.unit.fakes.agent import ask
from tests.unit.fakes.model import ScriptedModel, call, calls, says

FINAL = {"context_length", "content_filter", "bad_request", "too_large"}
QUOTE = calls(call("get_quote", symbol="AAPL"))
TRUE = "AAPL last closed at 430.47 USD in the sample."


def failing(kind: ErrorKind, *before: TextDelta) -> list:
    return [*before, ModelError("first", kind)]


@pytest.mark.parametrize("kind", sorted({*get_args(ErrorKind)} - FINAL))
async def test_behaviour_22_next_provider_answers_before_the_first_chunk(kind):
    """Every failure that another provider can make good is made good, and the answer names who gave it."""
    first, second = ScriptedModel(failing(kind), name="first"), ScriptedModel(QUOTE, says(TRUE), name="second")
    answer = await ask(first, second)

    assert (answer.error, answer.text) == (None, TRUE)
    assert (answer.report.provider, answer.report.model, answer.report.fallback) == ("second", "second-1", True)
    assert answer.report.degraded is False


@pytest.mark.parametrize("kind", sorted(FINAL))
async def test_failure_of_the_request_itself_asks_nobody_else(kind):
    """A filtered, too long or refused request would fail elsewhere, too, or must not be tried there."""
    first, second = ScriptedModel(failing(kind), name="first"), ScriptedModel(says("No."), name="second")
    answer = await ask(first, second)

    assert answer.error is not None
    assert (second.requests, answer.text) == ([], "")


async def test_filter_that_ends_a_stream_without_text_is_an_error():
    """A round that was filtered to nothing is not an empty answer, and goes to nobody else."""
    first, second = ScriptedModel([Finished("content_filter")], name="first"), ScriptedModel(says("No."), name="second")
    answer = await ask(first, second)

    assert (answer.error.code, answer.error.status) == ("content_filtered", 422)
    assert second.requests == []


async def test_behaviour_22_after_the_first_chunk_there_is_no_second_voice():
    """Text has left: the failure is an error, and no other provider continues the sentence."""
    first = ScriptedModel(failing("upstream_lost", TextDelta("It is a sample. And")), name="first")
    second = ScriptedModel(says("No."), name="second")
    answer = await ask(first, second)

    assert (answer.text, second.requests) == ("It is a sample. ", [])
    assert isinstance(answer.error, UpstreamMalformed)


async def test_text_that_has_not_left_does_not_bind():
    """Half a sentence, and a withheld one, were seen by nobody: the next provider answers from the start."""
    first = ScriptedModel(failing("upstream_lost", TextDelta("It is $999. And it")), name="first")
    second = ScriptedModel(QUOTE, says(TRUE), name="second")
    answer = await ask(first, second)

    assert (answer.text, answer.report.grounding) == (TRUE, Grounding(ok=True))


async def test_calls_of_a_failed_round_are_not_run():
    """A tool call before the stream broke is forgotten with its round."""
    first = ScriptedModel([*QUOTE[:1], ModelError("first", "truncated")], name="first")
    second = ScriptedModel(says("Nothing to add."), name="second")
    answer = await ask(first, second)

    assert (answer.report.tools, answer.text) == ((), "Nothing to add.")


async def test_next_provider_goes_on_from_the_tool_results():
    """What was looked up before the failure is handed over, not looked up again."""
    first = ScriptedModel(QUOTE, failing("server_error"), name="first")
    second = ScriptedModel(says(TRUE), name="second")
    answer = await ask(first, second)

    assert (answer.text, len(answer.report.tools)) == (TRUE, 1)
    assert len(second.requests[0].messages) == 3


async def test_offline_analyst_stands_in_and_says_so():
    """When it answers for a model that failed, the answer is degraded."""
    answer = await ask(ScriptedModel(failing("auth"), name="first"), OfflineAnalyst())

    assert (answer.report.provider, answer.report.fallback, answer.report.degraded) == ("offline", True, True)
    assert "430.47 USD" in answer.text
    assert answer.report.grounding.ok


async def test_offline_analyst_as_the_chosen_provider_is_not_degraded():
    """Nothing failed."""
    report = (await ask(OfflineAnalyst())).report

    assert (report.provider, report.fallback, report.degraded) == ("offline", False, False)


@pytest.mark.parametrize("arguments", ["{broken", "[1]", "null", '"AAPL"', ""])
async def test_analyst_takes_over_from_a_model_that_made_bad_calls(arguments):
    """A model wrote broken arguments and then failed: the analyst reads past them."""
    first = ScriptedModel(calls(ToolCall("x", "get_quote", arguments)), failing("server_error"), name="first")
    answer = await ask(first, OfflineAnalyst())

    assert (answer.error, answer.report.provider) == (None, "offline")
    assert "430.47 USD" in answer.text


async def test_last_failure_is_the_one_that_is_told():
    """Two providers fail: the error is of the second, in our own words."""
    answer = await ask(ScriptedModel(failing("server_error"), name="a"), ScriptedModel(failing("quota"), name="b"))

    assert isinstance(answer.error, ModelUnavailable)
    assert (answer.error.code, answer.error.retryable) == ("model_quota", True)
    assert answer.events == []


async def test_failure_in_the_correction_after_text_has_left_is_an_error():
    """The reader has the first sentence; nobody else may go on from it."""
    first = ScriptedModel(says("It is a sample. It is $1."), failing("server_error"), name="first")
    second = ScriptedModel(says("No."), name="second")
    answer = await ask(first, second)

    assert (answer.text, second.requests) == ("It is a sample. ", [])
    assert answer.error is not None


ERRORS = {
    "content_filter": (Unservable, 422, "content_filtered", False),
    "context_length": (Unservable, 422, "context_too_long", False),
    "first_token_timeout": (DeadlineExceeded, 504, "model_first_token_timeout", True),
    "idle_timeout": (DeadlineExceeded, 504, "model_idle_timeout", True),
    "deadline": (DeadlineExceeded, 504, "model_deadline", True),
    "truncated": (UpstreamMalformed, 502, "truncated", True),
    "empty_answer": (UpstreamMalformed, 502, "empty_answer", True),
    "upstream_malformed": (UpstreamMalformed, 502, "upstream_malformed", True),
    "bad_content_type": (UpstreamMalformed, 502, "bad_content_type", True),
    "bad_request": (UpstreamRefused, 502, "bad_request", False),
    "redirected": (UpstreamRefused, 502, "redirected", False),
    "too_large": (UpstreamRefused, 502, "too_large", False),
    "upstream_lost": (UpstreamMalformed, 502, "upstream_lost", True),
    "rate_limited": (ModelUnavailable, 503, "model_rate_limited", True),
    "quota": (ModelUnavailable, 503, "model_quota", True),
    "auth": (ModelUnavailable, 503, "model_auth", True),
    "model_not_found": (ModelUnavailable, 503, "model_not_found", True),
    "server_error": (ModelUnavailable, 503, "model_server_error", True),
}


@pytest.mark.parametrize("kind", get_args(ErrorKind))
def test_error_of_each_failure(kind):
    """Type, status, code and retryability by kind; the provider's name is not in the text."""
    error = caller_error(ModelError("secret-vendor", kind, retry_after=7))
    expected, status, code, retryable = ERRORS[kind]

    assert (type(error), error.status, error.code, error.retryable) == (expected, status, code, retryable)
    assert "secret-vendor" not in error.detail
    assert error.retry_after == (7 if expected is ModelUnavailable else None)


def test_waiting_time_of_a_provider_is_bounded():
    """A provider that asks for a year is not quoted."""
    assert caller_error(ModelError("x", "rate_limited", retry_after=1e9)).retry_after == 3600
