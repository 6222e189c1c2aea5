"""The engines that are compared: those of Semantik, and alternatives that it does not use. One thread each.

Index files that took long to build are kept below build/bench/engines, with the CPU seconds of their build.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.corpus import WORK_FOLDER
from semantik.config.settings import IndexSettings
from semantik.index.engines.protocol import EngineSegment
from semantik.index.engines.registry import ENGINES
from semantik.index.vectors.rows import Rows
from semantik.index.vectors.scoring import Picked, nearest, scan

TOP_K = 10
_CACHE_ABOVE_S = 20.0
_GRAPH_LINKS = 16
_BUILD_EFFORT = 100

Search = Callable[[NDArray[np.float32], int], NDArray[np.int64]]
"""`search(query, effort)` returns the rows of the ten best vectors, best first; `effort` is specific to the engine."""


@dataclass(frozen=True)
class Competitor:
    """An engine; `efforts` are tried from the smallest on."""

    name: str
    efforts: Sequence[int]
    build: Callable[[Path, NDArray[np.float16]], None]
    open: Callable[[Path, Rows], Search]


@dataclass(frozen=True)
class BuiltIndex:
    """The index file of an engine, and the CPU seconds of its build."""

    path: Path
    seconds: float

    @property
    def megabytes(self) -> float:
        return self.path.stat().st_size / 1e6


def build_cached(competitor: Competitor, vectors: NDArray[np.float16]) -> BuiltIndex:
    """Build the index of (n, dimension) vectors, or return the one of an earlier run."""
    folder = WORK_FOLDER / "engines"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{competitor.name}-{len(vectors)}"
    build_time = path.with_suffix(".json")
    if not build_time.exists() or json.loads(build_time.read_text()) < _CACHE_ABOVE_S:
        started = time.process_time()
        competitor.build(path, vectors)
        build_time.write_text(json.dumps(time.process_time() - started))
    return BuiltIndex(path, json.loads(build_time.read_text()))


def _semantik_engine(name: str) -> Competitor:
    engine = ENGINES[name]

    def open_engine(path: Path, rows: Rows) -> Search:
        engine_index = engine.load(path, rows)

        def search(query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
            unit_query = query.astype(np.float64)
            its_part = EngineSegment(engine_index, effort, rows.live)
            [candidates] = engine.propose([its_part], unit_query, TOP_K)
            picked = (
                scan(rows, unit_query, TOP_K, rows.live) if candidates is None else Picked(rows, candidates)
            )
            found = nearest([picked], unit_query, TOP_K)
            return found.seqs[np.argsort(-found.scores)[:TOP_K]]

        return search

    return Competitor(
        name, engine.EFFORTS, lambda path, vectors: engine.build(path, vectors, IndexSettings()), open_engine
    )


def _scan() -> Competitor:
    def open_scan(path: Path, rows: Rows) -> Search:
        def search(query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
            unit_query = query.astype(np.float64)
            found = nearest([scan(rows, unit_query, TOP_K, rows.live)], unit_query, TOP_K)
            return found.seqs[np.argsort(-found.scores)[:TOP_K]]

        return search

    return Competitor("exact", (0,), lambda path, vectors: path.touch(), open_scan)


def _hnswlib() -> Competitor:
    import hnswlib

    def build(path: Path, vectors: NDArray[np.float16]) -> None:
        index = hnswlib.Index("ip", vectors.shape[1])
        index.init_index(len(vectors), M=_GRAPH_LINKS, ef_construction=_BUILD_EFFORT)
        for start in range(0, len(vectors), 10_000):
            index.add_items(vectors[start : start + 10_000].astype(np.float32), num_threads=1)
        index.save_index(str(path))

    def open_file(path: Path, rows: Rows) -> Search:
        index: Any = hnswlib.Index("ip", rows.vectors.shape[1])
        index.load_index(str(path))

        def search(query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
            index.set_ef(effort)
            found: NDArray[np.int64] = index.knn_query(query, TOP_K, num_threads=1)[0][0].astype(np.int64)
            return found

        return search

    return Competitor("hnswlib", (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640), build, open_file)


def _usearch() -> Competitor:
    from usearch.index import Index as Graph

    def graph(dimension: int) -> Any:
        return Graph(
            ndim=dimension, metric="ip", dtype="f16", connectivity=_GRAPH_LINKS, expansion_add=_BUILD_EFFORT
        )

    def build(path: Path, vectors: NDArray[np.float16]) -> None:
        index = graph(vectors.shape[1])
        for start in range(0, len(vectors), 10_000):
            block = np.ascontiguousarray(vectors[start : start + 10_000])
            index.add(np.arange(start, start + len(block)), block, threads=1)
        index.save(str(path))

    def open_file(path: Path, rows: Rows) -> Search:
        index = graph(rows.vectors.shape[1])
        index.view(str(path))

        def search(query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
            index.expansion_search = effort
            found: NDArray[np.int64] = index.search(query.astype(np.float16), TOP_K, threads=1).keys.astype(
                np.int64
            )
            return found

        return search

    return Competitor("usearch", (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640), build, open_file)


def installed_competitors() -> list[Competitor]:
    """All engines that are installed; hnswlib and usearch are not dependencies of Semantik."""
    found = [_scan(), *map(_semantik_engine, ENGINES)]
    for create in (_hnswlib, _usearch):
        try:
            found.append(create())
        except ImportError:
            continue
    return found
