"""The user for whom tasks are given to the pool, so that it can be fair between users. Runs on the loop."""

from __future__ import annotations

from contextvars import ContextVar

current_owner: ContextVar[str] = ContextVar("current_owner", default="")
"""The id of the user whose operation runs in this context and in the tasks that come from it; empty for the server."""
