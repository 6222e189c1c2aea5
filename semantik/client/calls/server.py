"""The state of the server, and this description. Written by `make clients` from docs/openapi.yaml: do not
change it by hand.
"""

from __future__ import annotations

from typing import Any

from semantik.client.transport import Transport
from semantik.client.types.server import GetLogResult, Health, Status
from semantik.client.values import UNSET, Unset


class ServerCalls(Transport):
    """The state of the server, and this description."""

    async def get_health(self) -> Health:
        """Whether the server can answer.

        Raises Refused (421, 429, 503) and Unavailable.
        """
        answer: Health = await self.read_json("GET", "health", repeatable=False)
        return answer

    async def get_status(self) -> Status:
        """Servers, their memory, stores and queue.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        answer: Status = await self.read_json("GET", "status")
        return answer

    async def get_log(self, *, limit: int | Unset = UNSET) -> GetLogResult:
        """The last lines of this server's log.

        Raises Refused (401, 403, 421, 422, 429, 503) and Unavailable.
        """
        answer: GetLogResult = await self.read_json("GET", "status/log", query={"limit": limit})
        return answer

    async def get_open_api(self) -> dict[str, Any]:
        """This description.

        Raises Refused (421, 429) and Unavailable.
        """
        answer: dict[str, Any] = await self.read_json("GET", "openapi.json")
        return answer

    async def get_metrics(self) -> str:
        """Metrics for Prometheus.

        Needs no sign-in unless `metrics = "admin"` is set.

        Raises Refused (401, 403, 421, 429, 503) and Unavailable.
        """
        answer: str = await self.read_text("GET", "../../metrics")
        return answer
