"""Which servers share the database, and whether each is alive; where its stores are, without secrets."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta

import psutil

from semantik.storage.mongo.instances import Instance


@dataclass(frozen=True)
class InstanceState:
    """`state` is "alive", "silent" (no heartbeat any more) or "gone" (its process has ended)."""

    instance: Instance
    state: str
    seen_s: float


def instance_state(instance: Instance, moment: datetime) -> InstanceState:
    seen = max(moment - instance.seen_at, timedelta(0))
    state = "silent" if instance.is_silent(moment) else "alive"
    if instance.host == socket.gethostname() and not psutil.pid_exists(instance.pid):
        state = "gone"
    return InstanceState(instance, state, seen.total_seconds())


def store_address(url: str) -> str:
    """ "embedded", or a URL without user, password and options, as any of them may be secret."""
    if not url:
        return "embedded"
    return re.sub(r"//.*@", "//", url.partition("?")[0])
