"""Cuts a stream of text into sentences as early as it can be sure of them."""

import re

# A sentence ends at its mark followed by white space, or at a line break; "430.47" has no space behind its point.
_END = re.compile(r"[.!?…][\"')\]*_\u201d\u2019]*(?=\s)|\n")
# Behind these a point is not an end. A wrong cut inside a sentence would only make the pieces smaller.
_ABBREVIATION = re.compile(
    r"(?:\b(?:Inc|Corp|Co|Ltd|vs|approx|ca|e\.g|i\.e|No|St|Mr|Ms|Dr|U\.S"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)|^\s*\d{1,2})\.$"
)
_MAX_LENGTH = 1200


class SentenceSplitter:
    """Feed text, get whole sentences with the white space that followed them; nothing is lost or changed."""

    def __init__(self) -> None:
        self._buffer = ""

    def feed(self, text: str) -> list[str]:
        self._buffer += text
        sentences = []
        while (end := self._end()) is not None:
            sentences.append(self._buffer[:end])
            self._buffer = self._buffer[end:]
        return sentences

    def flush(self) -> str:
        """What is left when the text has ended."""
        rest, self._buffer = self._buffer, ""
        return rest

    def _end(self) -> int | None:
        for match in _END.finditer(self._buffer):
            if not _ABBREVIATION.search(self._buffer[: match.end()]):
                return self._with_space(match.end())
        if len(self._buffer) > _MAX_LENGTH:
            # No model writes such a sentence; cutting at a space keeps memory and delay bounded.
            return (self._buffer.rfind(" ", 0, _MAX_LENGTH) + 1) or _MAX_LENGTH
        return None

    def _with_space(self, end: int) -> int | None:
        rest = self._buffer[end:]
        space = len(rest) - len(rest.lstrip())
        # White space that may go on with the next piece of the stream belongs to this sentence as far as it is known.
        return end + space
