"""What the processes of the socket benchmark send each other: the sockets to open, and the result of a round."""

from __future__ import annotations

from array import array
from dataclasses import dataclass


@dataclass(frozen=True)
class ReaderPlan:
    """The sockets to open: number n uses `paths[n % len(paths)]`; `deflate` offers compression, as browsers do."""

    host: str
    port: int
    paths: tuple[str, ...]
    sockets: int
    deflate: bool


@dataclass(frozen=True)
class RoundResult:
    """The result of one round of messages. `latencies_ns`: sorted, from sending to receipt, one per delivery."""

    delivered: int
    wire_bytes: int
    last_ns: int
    cpu_s: float
    wall_s: float
    latencies_ns: array[int]
    lost: int
    repeated: int
    mismatched: int
    closed: tuple[str, ...]
