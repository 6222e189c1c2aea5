"""How an attempt to deliver something has ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Outcome:
    """`retry`: it has failed, and is worth another attempt. `gone`: the receiver wants nothing any more."""

    result: Literal["delivered", "retry", "failed", "dropped", "gone"]
    status_code: int | None = None
    error: str | None = None
