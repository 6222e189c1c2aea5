"""API keys as a client uses them: create a key, call with it, and the reasons of its rejection."""

from __future__ import annotations

from typing import Any

import pytest

from semantik.client.api import Client
from semantik.client.websocket import Refused

REVOKED = "The API key is not known; it may have been revoked."
EXPIRED = "The API key has expired; create a new one."
DISABLED = "The user is disabled."


async def make_key(client: Client, **options: Any) -> tuple[str, Client]:
    """Create a key for the client's user; return its id, and a client that authenticates with it alone."""
    made = await client.call("POST", "api-keys", {"name": "A program", **options})
    return made["id"], Client(client.url, made["key"])


async def key_refusal(client: Client, method: str, path: str, body: Any = None) -> tuple[int, str]:
    """The status and reason of a call that must be rejected."""
    with pytest.raises(Refused) as refused:
        await client.call(method, path, body)
    return refused.value.status, str(refused.value)
