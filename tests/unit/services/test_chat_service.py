"""One question and its answer, from acceptance to report."""

import asyncio
import uuid
from contextlib import aclosing

import pytest

from shared.agent.events import AnswerReport
from shared.agent.prompts import PROMPT_VERSION
from shared.app import build_app
from shared.config import ConfigLoader
from shared.errors import DependencyUnavailable, InvalidRequest
from shared.services.chat import DISCLAIMER, ChatQuestion, ChatService


@pytest.fixture
def chat() -> ChatService:
    return _chat()


def _chat(**settings: object) -> ChatService:
    tree = ConfigLoader({"MARKET_DATA_PROVIDERS": "sample"}).load()
    http = tree.http.model_copy(update=settings)
    return build_app(tree.model_copy(update={"http": http})).services.chat


def test_accepting_asks_nobody_and_names_everything(chat):
    """Ids, prompt version, the model that will answer, and who stands in."""
    turn = chat.accept(ChatQuestion("How is AAPL?"))

    assert uuid.UUID(turn.conversation_id).version == 4
    assert turn.conversation_id != turn.message_id
    assert (turn.prompt_version, turn.selection.provider) == (PROMPT_VERSION, "offline")
    assert [choice.provider for choice in turn.query.choices] == ["offline"]
    assert turn.query.question == "How is AAPL?"


def test_conversation_of_the_client_is_kept(chat):
    """Only a message gets a new id each time."""
    turns = [chat.accept(ChatQuestion("q", conversation_id="c-1")) for _ in range(2)]

    assert {turn.conversation_id for turn in turns} == {"c-1"}
    assert turns[0].message_id != turns[1].message_id


def test_symbols_in_view_are_checked_and_kept_once(chat):
    """In their neutral form and in order."""
    assert chat.accept(ChatQuestion("q", symbols=("aapl", "BRK.B", "AAPL"))).query.symbols == ("AAPL", "BRK-B")


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (ChatQuestion("q", symbols=("../x",)), "invalid_symbol"),
        (ChatQuestion("q", provider="claude"), "unknown_provider"),
        (ChatQuestion("q", provider="offline", model="gpt-x"), "unknown_model"),
    ],
)
def test_what_can_be_refused_early_is_refused_early(chat, question, code):
    """Before any frame of a stream has been sent."""
    with pytest.raises(InvalidRequest) as raised:
        chat.accept(question)

    assert code == raised.value.code


async def test_answer_and_stream_agree(chat):
    """The plain answer is the text of the streamed one."""
    text, report = await chat.answer(chat.accept(ChatQuestion("How is AAPL?")))
    async with aclosing(chat.stream(chat.accept(ChatQuestion("How is AAPL?")))) as stream:
        events = [event async for event in stream]

    assert "".join(getattr(event, "text", "") for event in events).strip() == text
    assert isinstance(events[-1], AnswerReport)
    assert events[-1].facts == report.facts


async def test_load_is_shed_when_too_many_answers_are_in_progress():
    """At the limit a question is refused before it begins, and again when one has ended it is not."""
    chat = _chat(max_concurrent_chats=1)
    turn = chat.accept(ChatQuestion("How is AAPL?"))
    stream = chat.stream(turn)
    await anext(stream)
    with pytest.raises(DependencyUnavailable) as raised:
        chat.accept(ChatQuestion("And IBM?"))
    with pytest.raises(DependencyUnavailable):
        await chat.answer(turn)
    await stream.aclose()

    assert (raised.value.code, raised.value.retry_after) == ("overloaded", 1)
    assert chat.accept(ChatQuestion("And IBM?"))


async def test_reader_who_leaves_frees_the_place(chat):
    """A closed stream is not in progress any more."""
    stream = chat.stream(chat.accept(ChatQuestion("How is AAPL?")))
    await anext(stream)
    assert (await chat.health_check())[1]["chat"]["answers_in_progress"] == 1
    await stream.aclose()
    await asyncio.sleep(0)

    assert await chat.health_check() == (True, {"chat": {"state": "ok", "required": True, "answers_in_progress": 0}})


def test_behaviour_24_disclaimer_says_information_not_advice():
    """It is a constant of the code and not a sentence that a model may leave out."""
    assert "not investment advice" in DISCLAIMER
