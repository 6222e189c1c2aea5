"""The throughput of an INDEX of many small documents: 10 000 and 100 000 compared with 1 000."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import corpus, indexed_data
from bench.results import Result

_SMALL, _MEDIUM, _LARGE = 1_000, 10_000, 100_000
_ROUNDS = 3


def measure() -> Iterator[Result]:
    """Chunks per second from start to end of the operation. The small INDEX runs before and after each larger one, to
    average out changes of the machine's load. The data folder of 100 000 is kept for other measures."""
    small_rates = [_index(_SMALL) for _ in range(_ROUNDS)]
    medium_rate = _index(_MEDIUM)
    small_rates += [_index(_SMALL) for _ in range(_ROUNDS)]
    yield _result(_MEDIUM, medium_rate, small_rates)
    large_rate = _rate(indexed_data.build(_LARGE))
    small_rates += [_index(_SMALL) for _ in range(_ROUNDS)]
    yield _result(_LARGE, large_rate, small_rates)


def _index(count: int) -> float:
    with tempfile.TemporaryDirectory(dir=corpus.WORK_FOLDER) as folder:
        return _rate(indexed_data.build(count, Path(folder)))


def _rate(data_set: indexed_data.IndexedData) -> float:
    result = data_set.record["result"]
    return float(result["chunks"] / result["duration_s"])


def _result(count: int, rate: float, small_rates: list[float]) -> Result:
    return Result(
        f"INDEX of {count} documents",
        rate,
        "chunks/s",
        statistics.median(small_rates),
        f"{_SMALL} documents",
        minimum=0.9,
        note=f"small files, end to end; {_SMALL} documents: "
        f"{min(small_rates):.0f} to {max(small_rates):.0f} chunks/s",
    )
