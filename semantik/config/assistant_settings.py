"""The settings of the MCP server, and of answers by a language model. Part of `Settings`; see `settings.py`."""

from __future__ import annotations

from dataclasses import dataclass

import voluptuous as vol

from semantik.config.fields import ANY, at_least, between, empty_or, reloadable

MIN_ANSWER_BYTES = 10_000
MAX_ANSWER_BYTES = 1_000_000


@dataclass(frozen=True)
class McpSettings:
    """The MCP server at /mcp, through which assistants search and read."""

    enabled: bool = reloadable(True, ANY, "Whether there is one; it answers users and API keys only.")
    answer_bytes: int = reloadable(
        50_000,
        between(MIN_ANSWER_BYTES, MAX_ANSWER_BYTES),
        "Bytes of an answer at most, unless the assistant asks for another number; the rest is on further pages.",
    )
    requests: int = reloadable(200, at_least(1), "Requests that are answered at the same time.")
    timeout_s: float = reloadable(60.0, at_least(1), "A tool that takes longer is given up.")


@dataclass(frozen=True)
class AnswerSettings:
    """Answers that a language model writes from passages; off unless `url` names its endpoint."""

    url: str = reloadable(
        "",
        empty_or(vol.Match(r"https?://[^\s?#]+\Z"), "an http:// or https:// URL"),
        "An OpenAI-compatible endpoint, as http://127.0.0.1:11434/v1; it gets questions and passages. Empty: none.",
    )
    model: str = reloadable("", ANY, "The model's name there; empty: the endpoint has only one.")
    api_key: str = reloadable("", ANY, "The key of the endpoint; empty: it needs none.")
    passages: int = reloadable(8, between(1, 50), "Passages that an answer is made from at most.")
    context_bytes: int = reloadable(
        24_000, between(1000, 10_000_000), "Bytes of these passages at most: as much as the model reads well."
    )
    max_tokens: int = reloadable(800, between(10, 100_000), "Tokens of an answer at most.")
    concurrent: int = reloadable(2, between(1, 1000), "Answers that are written at the same time.")
    silence_s: float = reloadable(
        60.0, at_least(0.1), "An endpoint that sends nothing for this long is given up."
    )
    timeout_s: float = reloadable(300.0, at_least(1), "Seconds for a whole answer.")
