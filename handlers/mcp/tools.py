"""Runs a tool: checks its arguments, counts it against the user's rate, and records a refusal. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

from handlers.mcp import listings, reading, search_tools
from handlers.mcp.caller import Answer, Arguments, Caller
from handlers.mcp.inputs import INPUTS
from handlers.validation import validate
from semantik.core.errors import SemantikError, Unavailable

T = TypeVar("T")

TOOLS: Mapping[str, Callable[[Caller, Arguments], Awaitable[Answer]]] = {
    "search": search_tools.search,
    "read": reading.read,
    "similar": search_tools.similar,
    "collections": listings.collections,
    "operations": listings.operations,
}
_SEARCHES = ("search", "similar")  # every request counts as a read; these are counted as searches, too


async def run_tool(caller: Caller, name: str, arguments: Arguments) -> Answer:
    """The answer of a tool of `TOOLS`. Raises SemantikError, whose sentence is for the assistant."""

    async def run() -> Answer:
        if name in _SEARCHES:
            caller.services.rate_limiter.take("search", caller.principal.user.id)
        return await TOOLS[name](caller, validate(INPUTS[name], dict(arguments)))

    return await guarded(caller, name, arguments, run)


async def guarded(caller: Caller, what: str, arguments: Arguments, run: Callable[[], Awaitable[T]]) -> T:
    """The result of `run`, within the time that there is. A refusal is recorded. Raises SemantikError."""
    limit_s = caller.services.settings.mcp.timeout_s
    try:
        async with asyncio.timeout(limit_s):
            return await run()
    except TimeoutError as error:
        raise Unavailable(f"{what} took longer than {limit_s:g} s (mcp.timeout_s); try again.") from error
    except SemantikError as error:
        caller.note_refusal(error, what, arguments)
        raise
