"""How the server is: `GET /api/v2/health` for people and load balancers, without sign-in, `GET /api/v2/status` for
administrators, and `GET /metrics` for Prometheus.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from handlers.base import RestHandler, authenticate
from semantik import __version__
from semantik.app.metrics import CONTENT_TYPE
from semantik.core.errors import Forbidden


class HealthHandler(RestHandler):
    public = True

    async def get(self) -> None:
        state = await self.services.health.look()
        good = state.status == "ok"
        if not good:
            self.set_header("Retry-After", "2")
        self.reply(
            {
                "status": state.status,
                "version": __version__,
                "pool": state.pool,
                "mongo": state.mongo,
                "redis": state.redis,
            },
            HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE,
        )


class StatusHandler(RestHandler):
    scope = "admin"

    async def get(self) -> None:
        self.reply(asdict(await self.services.health.use(self.principal.user)))


class MetricsHandler(RestHandler):
    """Open to anybody, or with `metrics = "admin"` to administrators."""

    public = True

    async def get(self) -> None:
        if self.services.settings.metrics != "open":
            principal = await authenticate(self.request, self.services, "admin")
            if not principal.user.is_admin:
                raise Forbidden("Only an administrator may read the metrics.")
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(self.services.metrics.text())
