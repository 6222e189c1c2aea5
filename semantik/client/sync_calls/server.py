"""The state of the server, and this description. Written by `make clients` from docs/openapi.yaml: do not
change it by hand.
"""

from __future__ import annotations

from typing import Any

from semantik.client.portal import Portal
from semantik.client.types.server import GetLogResult, Health, Status
from semantik.client.values import UNSET, Unset


class ServerSyncCalls(Portal):
    """The state of the server, and this description."""

    def get_health(self) -> Health:
        """Whether the server can answer."""
        return self.run(lambda client: client.get_health())

    def get_status(self) -> Status:
        """Servers, their memory, stores and queue."""
        return self.run(lambda client: client.get_status())

    def get_log(self, *, limit: int | Unset = UNSET) -> GetLogResult:
        """The last lines of this server's log."""
        return self.run(lambda client: client.get_log(limit=limit))

    def get_open_api(self) -> dict[str, Any]:
        """This description."""
        return self.run(lambda client: client.get_open_api())

    def get_metrics(self) -> str:
        """Metrics for Prometheus."""
        return self.run(lambda client: client.get_metrics())
