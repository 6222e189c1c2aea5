"""`GET /api/v2/health`: for people and load balancers, without sign-in. `GET /api/v2/status`: for administrators."""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus

from handlers.base import Handler
from semantik import __version__


class Health(Handler):
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


class Status(Handler):
    async def get(self) -> None:
        self.reply(asdict(await self.services.health.use(self.principal.user)))
