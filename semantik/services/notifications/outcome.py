"""How an attempt to deliver something has ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Outcome:
    """`retry`: it has failed, and is worth another attempt. `gone`: the receiver wants nothing any more.

    `retry_after_s`: the receiver wants nothing for so long.
    """

    result: Literal["delivered", "retry", "failed", "dropped", "gone"]
    status_code: int | None = None
    error: str | None = None
    retry_after_s: float = 0.0
