"""System prompts are versioned files: what a model was told can be found again from an answer's ``prompt_version``."""

from functools import cache
from pathlib import Path

PROMPT_VERSION = "v1"


@cache
def system_prompt() -> str:
    return (Path(__file__).parent / f"system.{PROMPT_VERSION}.md").read_text(encoding="utf-8")
