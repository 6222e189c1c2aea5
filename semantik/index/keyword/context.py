"""What all keyword indexes share. Plain values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

RunInPool = Callable[..., Awaitable[Any]]
"""`await run_in_pool(function, *args, timeout_s=…)` is the result of an importable pure function, run in the pool."""


@dataclass(frozen=True)
class KeywordContext:
    """What all keyword indexes share; `run_in_pool` analyses many texts."""

    run_in_pool: RunInPool
    writers: Executor
    readers: Executor
