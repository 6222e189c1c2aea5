"""The state of the server: `GET /api/v2/health` for people and load balancers, without authentication,
`GET /api/v2/status` and `GET /api/v2/status/log` for administrators, and `GET /metrics` for Prometheus.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

import voluptuous as vol

from handlers.authentication import authenticate
from handlers.base import RestHandler
from handlers.fields import integer_parameter
from handlers.serializers import timestamp_json
from semantik import __version__
from semantik.app.instances import InstanceState
from semantik.app.metrics import CONTENT_TYPE
from semantik.app.recent_log import LogLine
from semantik.index import EngineState
from semantik.services.system import SystemState

_LOG = vol.Schema({vol.Optional("limit", default="100"): integer_parameter(1, 500)})


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
                "engine": state.engine,
            },
            HTTPStatus.OK if ok else HTTPStatus.SERVICE_UNAVAILABLE,
        )


class StatusHandler(RestHandler):
    scope = "admin"

    async def get(self) -> None:
        services = self.services
        usage, system = await asyncio.gather(services.health.resource_usage(), services.system.state())
        self.reply(
            {
                "version": __version__,
                **asdict(usage),
                "engine": _engine_json(services.health.engine),
                **_system_json(system),
            }
        )


class LogHandler(RestHandler):
    """The last lines of this server's log; they name files and addresses, so they are for administrators."""

    scope = "admin"

    async def get(self) -> None:
        self.reply(
            {"items": [_log_line_json(line) for line in self.services.system.log(self.query(_LOG)["limit"])]}
        )


class MetricsHandler(RestHandler):
    """For everybody, or with `metrics = "admin"` for administrators."""

    public = True

    async def get(self) -> None:
        if self.services.settings.metrics != "open":
            services = self.services
            await authenticate(self.request, services.settings, services.sessions, services.proxy, "admin")
        self.set_header("Content-Type", CONTENT_TYPE)
        self.write(self.services.metrics.text())


def _system_json(system: SystemState) -> dict[str, Any]:
    return {
        "python": system.python,
        "platform": system.platform,
        "stores": {"mongo": asdict(system.mongo), "redis": asdict(system.redis)},
        "queue": asdict(system.queue),
        "instances": [_instance_json(each) for each in system.instances],
    }


def _engine_json(state: EngineState | None) -> dict[str, Any] | None:
    return None if state is None else {**asdict(state), "since": timestamp_json(state.since)}


def _instance_json(state: InstanceState) -> dict[str, Any]:
    one = state.instance
    return {
        "id": one.id,
        "host": one.host,
        "pid": one.pid,
        "url": one.url,
        "version": one.version,
        "state": state.state,
        "started_at": timestamp_json(one.started_at),
        "seen_at": timestamp_json(one.seen_at),
        "workers": one.workers,
        "pool": one.pool,
        "running": one.running,
        "label": one.label or None,
        "roots": list(one.roots),
        "models": list(one.models),
        "device": one.device,
        "peer_url": one.peer_url or None,
        "load": one.load,
        "free_bytes": one.free_bytes,
        "refused": len(one.refused),
    }


def _log_line_json(line: LogLine) -> dict[str, Any]:
    return {
        "at": timestamp_json(line.at),
        "level": line.level,
        "logger": line.logger,
        "message": line.message,
    }
