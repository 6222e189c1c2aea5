"""Metrics for Prometheus: one registry per server. Sockets count on their hot path in plain integers, read on demand.

Knows no sockets and no stores. Names and labels are part of the published protocol
(docs/reference/websocket-api.md). Runs on the loop.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from semantik.index import EngineState
from semantik.progress import MessageBatch, parse_stream_id

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_MESSAGE_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
_LAG_S = (0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_CONNECTION_S = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600)


class _SentCollector:
    """Exports the counters of sent messages, read at each scrape."""

    def __init__(self, counts: Callable[[], tuple[int, int]]) -> None:
        self._counts = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        messages, size = self._counts()
        yield CounterMetricFamily("websocket_messages_sent", "Messages sent to clients", value=messages)
        yield CounterMetricFamily("websocket_bytes_sent", "Bytes of messages sent to clients", value=size)


class _EngineCollector:
    """Exports what is known of the engine of vectors at each scrape; nothing without one."""

    def __init__(self, state: Callable[[], EngineState | None]) -> None:
        self._state = state

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        known = self._state()
        if known is None:
            return
        if known.state != "checking":
            up = GaugeMetricFamily(
                "vector_engine_up", "Whether the engine of vectors answers", labels=["engine"]
            )
            up.add_metric([known.name], known.state == "ready")
            yield up
        lost = CounterMetricFamily(
            "vector_engine_losses", "How often the engine of vectors went away", labels=["engine"]
        )
        lost.add_metric([known.name], known.losses)
        yield lost


class MetricsRegistry:
    """`sent()` returns the messages and the bytes sent to clients so far."""

    def __init__(self, sent: Callable[[], tuple[int, int]]) -> None:
        registry = self._registry = CollectorRegistry()
        registry.register(_SentCollector(sent))
        self._connections = Counter(
            "websocket_connections",
            "WebSocket connections, and how they ended",
            ["operation_type", "status"],
            registry=registry,
        )
        self._active = Gauge(
            "websocket_active_connections", "WebSockets open now", ["operation_type"], registry=registry
        )
        self._message_s = Histogram(
            "websocket_message_duration_seconds",
            "Time to handle a client's message",
            ["message_type"],
            buckets=_MESSAGE_S,
            registry=registry,
        )
        self._connection_s = Histogram(
            "websocket_connection_duration_seconds",
            "How long connections were open",
            ["operation_type"],
            buckets=_CONNECTION_S,
            registry=registry,
        )
        self._lag_s = Histogram(
            "websocket_hub_lag_seconds",
            "From a message's place in the stream to its last socket",
            buckets=_LAG_S,
            registry=registry,
        )
        self._slow = Counter(
            "websocket_slow_readers_dropped", "Sockets closed for reading too slowly", registry=registry
        )
        self._resumes = Counter(
            "websocket_resumes", "Connections that resumed after a message", registry=registry
        )
        self._authentication_failures = Counter(
            "websocket_authentication_failures",
            "Connections refused without a valid token",
            registry=registry,
        )

        tasks = Gauge("asyncio_tasks", "Tasks of the server's loop", registry=registry)
        tasks.set_function(lambda: len(asyncio.all_tasks()))

    def add_engine(self, state: Callable[[], EngineState | None]) -> None:
        """`state()` is what is known of the engine of vectors, without a look; None without one."""
        self._registry.register(_EngineCollector(state))

    def text(self) -> bytes:
        """All metrics in Prometheus' text format; call it on the loop."""
        return generate_latest(self._registry)

    @contextmanager
    def connection(self, operation_type: str) -> Iterator[None]:
        """While inside, an admitted connection is open: from its first message to its end."""
        self._connections.labels(operation_type, "connected").inc()
        active = self._active.labels(operation_type)
        active.inc()
        started = time.monotonic()
        try:
            yield
        finally:
            active.dec()
            self._connection_s.labels(operation_type).observe(time.monotonic() - started)

    def connection_ended(self, operation_type: str, status: str) -> None:
        """How a connection ended: completed, refused, limited, slow, unavailable, failed, shutdown or left."""
        self._connections.labels(operation_type, status).inc()
        if status == "slow":
            self._slow.inc()

    def connection_resumed(self) -> None:
        self._resumes.inc()

    def authentication_failed(self) -> None:
        self._authentication_failures.inc()

    def message_handled(self, kind: str, seconds: float) -> None:
        """A client's message was handled in this time."""
        self._message_s.labels(kind).observe(seconds)

    def observe_batch(self, batch: MessageBatch) -> None:
        """A batch has reached its last socket, some time after its last message was added to the stream."""
        added_ms, _ = parse_stream_id(batch.messages[-1].id)
        self._lag_s.observe(max(0.0, time.time() - added_ms / 1000))
