"""Types of the calls on server. Written by `make clients` from docs/openapi.yaml: do not change it by hand."""

from __future__ import annotations

from typing import Literal, TypedDict


class Health(TypedDict):
    status: Literal["ok", "degraded"]
    pool: Literal["loading", "ready"]
    mongo: bool
    redis: bool


class Status(TypedDict):
    version: str
    pid: int
    rss_bytes: int
    workers: list[StatusWorkersItem]
    isolation: StatusIsolation


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


class StatusWorkersItem(TypedDict):
    pid: int
    role: Literal["question", "batch", "tracing"]
    uss_bytes: int
