"""The event reader on its own: bytes may be cut anywhere, and nothing is lost, glued or decoded too early."""

import json
from itertools import pairwise
from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from shared.llm.sse_reader import SseReader


def read(*chunks: bytes) -> list[bytes]:
    reader = SseReader()
    payloads = [payload for chunk in chunks for payload in reader.feed(chunk)]
    return payloads + reader.finish()


def test_only_data_lines_count():
    """Comments, ids, retry hints and event names are dropped."""
    assert read(b": hi\nevent: x\nid: 7\nretry: 1\ndata: one\n\ndata:two\n\n") == [b"one", b"two"]


def test_several_data_lines_are_one_payload():
    """The lines of one event are joined by a line feed."""
    assert read(b"data: a\ndata: b\n\n") == [b"a\nb"]


def test_an_event_is_whole_at_its_blank_line():
    """A payload is not handed over before its event is closed."""
    reader = SseReader()
    assert reader.feed(b"data: one\n") == []
    assert reader.feed(b"\n") == [b"one"]


def test_end_of_stream_closes_the_last_event():
    """Servers that end without a blank line, or without a line end, are understood."""
    assert read(b"data: one\n") == [b"one"]
    assert read(b"data: [DONE]") == [b"[DONE]"]
    assert read(b"data: one\r") == [b"one"]


def test_nothing_is_nothing():
    """Neither an empty stream nor blank lines make an event."""
    assert read() == []
    assert read(b"\n\n\r\n\n") == []


@given(
    texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), max_size=6),
    end=st.sampled_from(["\n", "\r\n", "\r"]),
    cuts=st.lists(st.integers(0, 400), max_size=12),
)
def test_L21_any_cut_gives_the_same_payloads(texts, end, cuts):
    """However a stream is cut, inside a character, a CRLF or a name, the payloads are the same."""
    stream = "".join(f"event: e{end}data: {json.dumps(text, ensure_ascii=False)}{end}{end}" for text in texts)
    data = stream.encode()
    borders = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    chunks = [data[start:stop] for start, stop in pairwise(borders)]
    assert [json.loads(payload) for payload in read(*chunks)] == texts


def test_work_is_linear_in_a_line_that_never_ends():
    """A megabyte in small pieces without a line end costs far less than a second."""
    reader = SseReader()
    begun = process_time()
    for _ in range(20_000):
        reader.feed(b"x" * 50)
    assert process_time() - begun < 0.5
