"""The state of the server: `GET /api/v2/health` for people and load balancers, without authentication,
`GET /api/v2/status` for administrators, and `GET /metrics` for Prometheus.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from handlers.authentication import authenticate
from handlers.base import RestHandler
from semantik import __version__
from semantik.app.metrics import CONTENT_TYPE


class HealthHandler(RestHandler):
    public = True

    async def get(self) -> None:
        state = await self.services.health.check()
        ok = state.status == "ok"
        if not ok:
            self.set_header("Retry-After", "2")
        self.reply(
            {
                "status": state.status,
                "pool": state.pool,
                "mongo": state.mongo,
                "redis": state.redis,
            },
            HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE,
        )


class StatusHandler(RestHandler):
    scope = "admin"

    async def get(self) -> None:
        usage = await self.services.health.resource_usage()
        self.reply({"version": __version__, **asdict(usage)})


class MetricsHandler(RestHandler):
    """For everybody, or with `metrics = "admin"` for administrators."""

    public = True

    async def get(self) -> None:
        if self.services.settings.metrics != "open":
            services = self.services
            await authenticate(self.request, services.settings, services.sessions, services.proxy, "admin")
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(self.services.metrics.text())
