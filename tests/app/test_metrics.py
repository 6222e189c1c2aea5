"""`/metrics`: the published names and labels, correct values, and label values that clients cannot create."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from support.api import new_user
from support.clients import EventStream, closing, connect, rest, until
from support.fake_operation import fake_operation
from support.server import Serving
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

pytestmark = pytest.mark.gen_test

_OPEN = ("--auth-registration", "open", "--progress-linger-s", "0.2")
_STATUSES = {
    "connected",
    "completed",
    "refused",
    "limited",
    "slow",
    "unavailable",
    "failed",
    "shutdown",
    "left",
}


async def _fetch(serving: Serving, token: str = "") -> HTTPResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return await AsyncHTTPClient().fetch(f"{serving.url}/metrics", headers=headers, raise_error=False)


class _Metrics:
    """The parsed text of /metrics: `value(name, **labels)` returns 0 for a missing sample."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }

    def value(self, name: str, **labels: str) -> float:
        return self.samples.get((name, frozenset(labels.items())), 0.0)

    def labels(self, name: str, label: str) -> set[str]:
        return {dict(labels)[label] for key, labels in self.samples if key == name}


async def _read(serving: Serving) -> _Metrics:
    response = await _fetch(serving)
    assert response.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return _Metrics(response.body.decode())


async def _read_until(serving: Serving, condition: Callable[[_Metrics], Any]) -> _Metrics:
    """Read the metrics until the condition holds. Only the deadline of the test bounds it."""
    while not condition(metrics := await _read(serving)):
        pass
    return metrics


async def test_connections_are_counted_while_open_and_by_final_status(
    start: Callable[..., Serving],
) -> None:
    serving = start(*_OPEN, "--sockets-per-user", "3")
    client = await new_user(serving)
    total, active = "websocket_connections_total", "websocket_active_connections"
    async with fake_operation(serving, client) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        one, every = await connect(serving, path, query), await connect(serving, "/ws/operations", query)
        stream = EventStream(serving, operation.id, {"Authorization": f"Bearer {client.token}"})
        for socket in (one, every):
            await until(socket, "operation_started")
        await stream.until("operation_started")
        metrics = await _read(serving)
        assert metrics.value(active, operation_type="index") == 2  # the event stream counts as well
        assert metrics.value(active, operation_type="all") == 1
        assert metrics.value(total, operation_type="index", status="connected") == 2

        await closing(await connect(serving, path, query))
        bearer = {"Authorization": f"Bearer {client.token}"}
        url = f"{serving.url}/api/v2/operations/{operation.id}/events"
        response = await AsyncHTTPClient().fetch(url, headers=bearer, raise_error=False)
        assert response.code == 429
        metrics = await _read(serving)
        assert metrics.value(total, operation_type="index", status="limited") == 2

        every.close()
        stream.leave()
        await _read_until(serving, lambda m: m.value(active, operation_type="index") == 1)
        await _read_until(serving, lambda m: m.value(active, operation_type="all") == 0)
        await _read_until(serving, lambda m: m.value(total, operation_type="index", status="left") == 1)
        await _read_until(serving, lambda m: m.value(total, operation_type="all", status="left") == 1)

        second_stream = EventStream(serving, operation.id, bearer)
        await second_stream.until("operation_started")
        await operation.end()
        await rest(one)
        await second_stream.rest()
        ended = {"operation_type": "index", "status": "completed"}
        metrics = await _read_until(serving, lambda m: m.value(total, **ended) == 2)
        assert metrics.value(active, operation_type="index") == 0
        assert metrics.value("websocket_connection_duration_seconds_count", operation_type="index") == 3
        assert metrics.value("websocket_connection_duration_seconds_sum", operation_type="index") > 0
        assert metrics.labels(total, "status") <= _STATUSES


async def test_sent_messages_are_counted_once_per_recipient(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN)
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        sockets = [await connect(serving, path, query) for _ in range(3)]
        for socket in sockets:
            await until(socket, "presence", watchers=3)
        before = await _read(serving)
        for number in range(50):
            await operation.publish("error", message=f"{number} " + "x" * 1000, fatal=False)
        for socket in sockets:
            await until(socket, "error", message="49 " + "x" * 1000)
        after = await _read(serving)

        def increase(name: str) -> float:
            return after.value(name) - before.value(name)

        assert increase("websocket_messages_sent_total") == 150
        assert 150 * 1000 < increase("websocket_bytes_sent_total") < 150 * 3000
        assert 0 < increase("websocket_hub_lag_seconds_count") <= 50
        assert after.value("websocket_hub_lag_seconds_sum") < 50
        stream = EventStream(serving, operation.id, {"Authorization": f"Bearer {client.token}"})
        await stream.until("error")
        latest = await _read(serving)
        assert latest.value("websocket_messages_sent_total") > after.value("websocket_messages_sent_total")
        stream.leave()


async def test_resumes_refusals_and_authentication_failures_are_counted(
    start: Callable[..., Serving],
) -> None:
    serving = start(*_OPEN)
    client = await new_user(serving)
    async with fake_operation(serving, client) as operation:
        path, query = f"/ws/operations/{operation.id}", {"token": client.token}
        last = await operation.progress.last_id(operation.id)
        for since in (last, "$"):
            await until(await connect(serving, path, query | {"since": since}), "current_state")
        pairs = {"since": f"{operation.id}:{last}"}
        await until(await connect(serving, "/ws/operations", query | pairs), "current_state")
        stream = EventStream(
            serving, operation.id, {"Authorization": f"Bearer {client.token}", "Last-Event-ID": last}
        )
        await stream.until("current_state")
        metrics = await _read(serving)
        assert metrics.value("websocket_resumes_total") == 3
        assert metrics.value("websocket_authentication_failures_total") == 0

        for token in ("", "garbage"):
            await closing(await connect(serving, path, {"token": token} if token else None))
            url = f"{serving.url}/api/v2/operations/{operation.id}/events"
            headers = {"Authorization": f"Bearer {token}"} if token else {}
            assert (await AsyncHTTPClient().fetch(url, headers=headers, raise_error=False)).code == 401
        # Authenticated, so it counts as no authentication failure.
        await closing(await connect(serving, "/ws/operations/nothing", query))
        metrics = await _read(serving)
        assert metrics.value("websocket_authentication_failures_total") == 4
        refused = {"operation_type": "unknown", "status": "refused"}
        assert metrics.value("websocket_connections_total", **refused) == 5
        assert metrics.value("websocket_slow_readers_dropped_total") == 0


async def test_clients_cannot_create_label_values(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN)
    client = await new_user(serving)
    socket = await connect(serving, "/ws/operations", {"token": client.token})
    messages = [
        "ping",
        '{"type": "dance"}',
        '{"action": "scan me"}',
        "{",
        '{"type": ["x"]}',
        '{"type": "ping", "a": 1}',
    ]
    for message in messages:
        await socket.write_message(message)
    for _ in messages[1:]:
        await until(socket, "error")
    for number in range(5):
        await closing(await connect(serving, f"/ws/operations/made-up-{number}", {"token": client.token}))
    metrics = await _read(serving)
    name = "websocket_message_duration_seconds_count"
    assert metrics.value(name, message_type="ping") == 1
    assert metrics.value(name, message_type="invalid") == 5
    assert metrics.labels(name, "message_type") == {"ping", "invalid"}
    assert metrics.labels("websocket_connections_total", "operation_type") == {"unknown", "all"}
    names = {label for _, labels in metrics.samples for label, _ in labels}
    assert names <= {"operation_type", "status", "message_type", "le"}


async def test_closed_metrics_are_readable_only_by_administrators(start: Callable[..., Serving]) -> None:
    serving = start(*_OPEN, "--metrics", "admin")
    admin, other = await new_user(serving), await new_user(serving)  # the first is the administrator
    for token, status in [("", 401), ("x", 401), (other.token, 403), (admin.token, 200)]:
        response = await _fetch(serving, token)
        assert response.code == status
        if status != 200:
            assert json.loads(response.body)["detail"] and b"websocket" not in response.body
