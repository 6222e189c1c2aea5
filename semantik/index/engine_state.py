"""What a server knows of the engine that holds its vectors, for people who look after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class EngineState:
    """The engine as the server's last look found it; `address` has no password.

    state: "checking" until the first look has ended, then "ready" or "away", which has been so `since`.
    version: what it said last; None where it has not said it.
    collections: those of this installation; None while it is not ready.
    losses: how often it went away since the server's start.
    problem: a sentence, while it is away.
    """

    name: str
    address: str
    state: Literal["checking", "ready", "away"]
    since: datetime
    version: str | None = None
    collections: int | None = None
    losses: int = 0
    problem: str | None = None
