"""Clients of the REST API and the WebSockets: `Client` on an asyncio loop, `SyncClient` for programs without one."""

from semantik.client.api import PATIENCE_S, Client
from semantik.client.retries import NotSent, Refused, Retries
from semantik.client.sync import SyncClient
from semantik.client.values import UNSET, FileContent, ServerEvent, Unset

__all__ = [
    "PATIENCE_S",
    "UNSET",
    "Client",
    "FileContent",
    "NotSent",
    "Refused",
    "Retries",
    "ServerEvent",
    "SyncClient",
    "Unset",
]
