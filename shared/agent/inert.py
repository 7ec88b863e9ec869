"""Takes out of a model's text what could act or hide in a reader's window: links, images, HTML, invisible characters.

A model may have been talked into putting data into an address that a front end loads or a person clicks.
"""

import re

# Controls, zero-width and bidi marks, variation selectors, Unicode tags, private use: seen by no reader.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0e\ufeff\ufff0-\ufffb\U000e0000-\U000e0fff\ud800-\udfff\ue000-\uf8ff]"
)
_LINK = re.compile(r"!?\[([^\[\]\n]*)\](?:\([^()\n]*(?:\([^()\n]*\)[^()\n]*)*\)?|\[[^\[\]\n]*\])")
_DEFINITION = re.compile(r"^\s*\[[^\[\]\n]+\]:\s*\S+", re.MULTILINE)
_TAG = re.compile(r"</?[a-zA-Z!?][^<>]*>?")
_ADDRESS = re.compile(
    r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.|\b(?:javascript|data|mailto):)[^\s<>\"')\]]+", re.IGNORECASE
)


def inert(text: str) -> str:
    """``text`` with the words of its links and without their addresses; line breaks and emphasis stay."""
    text = _INVISIBLE.sub("", text)
    if not any(mark in text for mark in ("<", "[", ":", "www.")):
        return text
    text = _DEFINITION.sub("", _LINK.sub(r"\1", text))
    return _ADDRESS.sub("[address removed]", _TAG.sub("", text))
