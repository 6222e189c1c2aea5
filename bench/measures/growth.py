"""How fast an INDEX of many small documents goes: 10 000 and 100 000 of them beside 1 000."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import corpus, indexed
from bench.figures import Figure

_FEW, _MORE, _MOST = 1_000, 10_000, 100_000
_ROUNDS = 3


def measure() -> Iterator[Figure]:
    """Chunks a second from the operation's start to its end; few before and after many, so that both have the same
    neighbours. The 100 000 stay, for the measurements that want them."""
    few = [_index(_FEW) for _ in range(_ROUNDS)]
    more = _index(_MORE)
    few += [_index(_FEW) for _ in range(_ROUNDS)]
    yield _figure(_MORE, more, few)
    most = _rate(indexed.make(_MOST))
    few += [_index(_FEW) for _ in range(_ROUNDS)]
    yield _figure(_MOST, most, few)


def _index(count: int) -> float:
    with tempfile.TemporaryDirectory(dir=corpus.HOME) as folder:
        return _rate(indexed.make(count, Path(folder)))


def _rate(made: indexed.Indexed) -> float:
    result = made.record["result"]
    return float(result["chunks"] / result["duration_s"])


def _figure(count: int, ours: float, few: list[float]) -> Figure:
    return Figure(
        f"INDEX of {count} documents",
        ours,
        "chunks/s",
        statistics.median(few),
        f"{_FEW} documents",
        least=0.9,
        note=f"small files, from end to end; {_FEW} went from {min(few):.0f} to {max(few):.0f} chunks/s",
    )
