"""Words from outside as plain text: what a source calls a company is data, never markup and no place to hide things.

Cleaning makes text be what it shows, no more: an instruction in plain words passes and has to be treated as data.
"""

import html
import re
import unicodedata
from typing import Final

NAME_LENGTH: Final = 120
TITLE_LENGTH: Final = 300
SUMMARY_LENGTH: Final = 1000
URL_LENGTH: Final = 2048

# Markup may take most of what comes in; whatever lies beyond is not looked at.
_MARKUP_ALLOWANCE = 8
# Honest text needs two rounds. What still changes after five was nested to outlast them.
_ROUNDS = 5

# Unicode's default-ignorable code points (zero-width, bidi, variation selectors, tags), blank letters, annotation
# marks, controls, surrogates, private use and noncharacters: shown as nothing, but read by a tokenizer.
_INVISIBLE = re.compile(
    "["
    r"\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u2800\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
    "]"
)
_UNSHOWN_ELEMENT = re.compile(r"(?is)<(script|style)\b[^<>]*>.*?</\1\s*>|<!--.*?-->")
_BLOCK_TAG = re.compile(r"(?i)</?(?:address|article|br|dd|div|dt|h[1-6]|hr|li|ol|p|section|t[dhr]|table|ul)\b[^<>]*>")
_TAG = re.compile(r"<[a-zA-Z/!?][^<>]*>")
_UNCLOSED_TAG = re.compile(r"<(?=[a-zA-Z/!?])")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*(?:\([^()]*\)[^()]*)*\)")
_LINK_SEAM = re.compile(r"\](?=[(\[:])")
_SYNTAX = re.compile(r"[<>&\[\]]")
_URL = re.compile(
    r"(?ai)https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?(?:[/?#][a-z0-9._~:/?#@!$&'()*+,;=%-]*)?"
)


def clean_text(text: str, limit: int) -> str:
    """``text`` as NFC on one line of at most ``limit`` characters, without invisible ones, HTML and Markdown links.

    Of a link the words stay and the address goes; entities become their characters. Idempotent.
    """
    text = text[: limit * _MARKUP_ALLOWANCE]
    for _ in range(_ROUNDS):
        cleaned = _round(text)
        if cleaned == text:
            break
        text = cleaned
    else:
        text = _round(_SYNTAX.sub("", text))
    # Only now, or a link around an image would lose its own seam. What is left here is a link without its end.
    text = _LINK_SEAM.sub("] ", text)
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def clean_url(text: str) -> str:
    """``text`` if it is an absolute http or https address of plain ASCII without credentials, otherwise empty."""
    text = text.strip()
    if len(text) > URL_LENGTH or not _URL.fullmatch(text):
        return ""
    # A parenthesis would end a Markdown link that somebody builds around the address.
    return text.replace("(", "%28").replace(")", "%29")


def _round(text: str) -> str:
    text = html.unescape(unicodedata.normalize("NFC", _INVISIBLE.sub("", text)))
    text = _BLOCK_TAG.sub(" ", _UNSHOWN_ELEMENT.sub(" ", text))
    text = _UNCLOSED_TAG.sub("", _TAG.sub("", text))
    return " ".join(_LINK.sub(r"\1", text).split())
