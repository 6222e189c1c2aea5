"""The settings of what assistants use: the MCP server. Part of `Settings`; see `settings.py`."""

from __future__ import annotations

from dataclasses import dataclass

from semantik.config.fields import ANY, at_least, between, reloadable

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
