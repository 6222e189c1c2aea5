"""Types of the calls on server. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Literal, TypedDict


class GetLogResult(TypedDict):
    items: list[LogLine]


class Health(TypedDict):
    status: Literal["ok", "degraded"]
    pool: Literal["loading", "ready"]
    mongo: bool
    redis: bool
    engine: Literal["checking", "ready", "away"] | None


class Instance(TypedDict):
    id: str
    host: str
    pid: int
    url: str
    version: str
    state: Literal["alive", "silent", "gone"]
    started_at: str
    seen_at: str
    workers: int
    pool: Literal["loading", "ready"]
    running: int
    label: str | None
    roots: list[str]
    models: list[str]
    device: str
    peer_url: str | None
    load: float
    free_bytes: int
    refused: int


class LogLine(TypedDict):
    at: str
    level: Literal["debug", "info", "warning", "error", "critical"]
    logger: str
    message: str


class RemoteWorker(TypedDict):
    name: str
    host: str
    tasks: int
    running: int
    seen_s: float


class Status(TypedDict):
    version: str
    python: str
    platform: str
    stores: StatusStores
    queue: StatusQueue
    instances: list[Instance]
    cluster: StatusCluster | None
    engine: StatusEngine | None
    pid: int
    rss_bytes: int
    workers: list[StatusWorkersItem]
    isolation: StatusIsolation


class StatusCluster(TypedDict):
    """The Dask cluster of this server, or null where `pool.scheduler` names none."""

    scheduler: str
    connected: bool
    workers: list[RemoteWorker]


class StatusEngine(TypedDict):
    """The engine of vectors that servers share, as this server's last look, some seconds ago, found it; null
    where `index.engine` names none.
    """

    name: Literal["milvus"]
    address: str
    state: Literal["checking", "ready", "away"]
    since: str
    version: str | None
    collections: int | None
    losses: int
    problem: str | None


class StatusIsolation(TypedDict):
    """What the workers that read files cannot do: true where it is taken from them, null before the first of
    them has started.
    """

    mode: Literal["auto", "require", "off"]
    network: bool | None
    files: bool | None
    signals: bool | None
    privileges: bool | None
    system_calls: bool | None
    problems: list[str]


class StatusQueue(TypedDict):
    running: int
    waiting: int
    longest_wait_s: float


class StatusStores(TypedDict):
    mongo: StoreState
    redis: StoreState


class StatusWorkersItem(TypedDict):
    pid: int
    role: Literal["question", "batch", "tracing"]
    uss_bytes: int


class StoreState(TypedDict):
    where: str
    answers: bool
    memory_bytes: int | None
