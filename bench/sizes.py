"""How much the benchmarks do: all of it, or with `make bench QUICK=1` a part that takes minutes."""

from __future__ import annotations

import os

VARIABLE = "SEMANTIK_BENCH_QUICK"
QUICK = os.environ.get(VARIABLE) == "1"


def sized(full: int, quick: int) -> int:
    """The size for this run."""
    return quick if QUICK else full
