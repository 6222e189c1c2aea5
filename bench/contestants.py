"""Engines beside one another: those that Semantik has, and those that it might have had. One thread each.

What took long to build is kept below build/bench/engines, with the processor's seconds that it took.
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

from bench.corpus import HOME
from semantik.config.settings import IndexSettings
from semantik.index.engines.registry import ENGINES
from semantik.index.vectors.rows import Rows
from semantik.index.vectors.scoring import rescore, scan

RESULTS = 10
_WORTH_KEEPING_S = 20.0
_LINKS = 16
_EFFORT_OF_BUILDING = 100

Search = Callable[[NDArray[np.float32], int], NDArray[np.int64]]
"""`search(query, effort)` gives the ten best rows; what it needs for that is the engine's affair."""


@dataclass(frozen=True)
class Contestant:
    """`efforts` are tried from the smallest on."""

    name: str
    efforts: Sequence[int]
    build: Callable[[Path, NDArray[np.float16]], None]
    open: Callable[[Path, Rows], Search]


@dataclass(frozen=True)
class Built:
    """The file of an engine for some vectors, and what it took: `seconds` of one processor."""

    path: Path
    seconds: float

    @property
    def megabytes(self) -> float:
        return self.path.stat().st_size / 1e6


def built(contestant: Contestant, vectors: NDArray[np.float16]) -> Built:
    folder = HOME / "engines"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{contestant.name}-{len(vectors)}"
    noted = path.with_suffix(".json")
    if not noted.exists() or json.loads(noted.read_text()) < _WORTH_KEEPING_S:
        begun = time.process_time()
        contestant.build(path, vectors)
        noted.write_text(json.dumps(time.process_time() - begun))
    return Built(path, json.loads(noted.read_text()))


def _own(name: str) -> Contestant:
    engine = ENGINES[name]

    def open_own(path: Path, rows: Rows) -> Search:
        finder = engine.load(path, rows)

        def search(query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
            unit = query.astype(np.float64)
            proposed = finder.propose(unit, RESULTS, effort, rows.live)
            found = (
                scan(rows, unit, RESULTS, rows.live)
                if proposed is None
                else rescore(rows, proposed, unit, RESULTS)
            )
            return found.seqs[np.argsort(-found.scores)[:RESULTS]]

        return search

    return Contestant(
        name, engine.EFFORTS, lambda path, vectors: engine.build(path, vectors, IndexSettings()), open_own
    )


def _scan() -> Contestant:
    def open_scan(path: Path, rows: Rows) -> Search:
        def search(query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
            found = scan(rows, query.astype(np.float64), RESULTS, rows.live)
            return found.seqs[np.argsort(-found.scores)[:RESULTS]]

        return search

    return Contestant("exact", (0,), lambda path, vectors: path.touch(), open_scan)


def _hnswlib() -> Contestant:
    import hnswlib

    def build(path: Path, vectors: NDArray[np.float16]) -> None:
        index = hnswlib.Index("ip", vectors.shape[1])
        index.init_index(len(vectors), M=_LINKS, ef_construction=_EFFORT_OF_BUILDING)
        for start in range(0, len(vectors), 10_000):
            index.add_items(vectors[start : start + 10_000].astype(np.float32), num_threads=1)
        index.save_index(str(path))

    def open_file(path: Path, rows: Rows) -> Search:
        index: Any = hnswlib.Index("ip", rows.vectors.shape[1])
        index.load_index(str(path))

        def search(query: NDArray[np.float32], effort: int) -> NDArray[np.int64]:
            index.set_ef(effort)
            found: NDArray[np.int64] = index.knn_query(query, RESULTS, num_threads=1)[0][0].astype(np.int64)
            return found

        return search

    return Contestant("hnswlib", (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640), build, open_file)


def _usearch() -> Contestant:
    from usearch.index import Index as Graph

    def graph(dimension: int) -> Any:
        return Graph(
            ndim=dimension, metric="ip", dtype="f16", connectivity=_LINKS, expansion_add=_EFFORT_OF_BUILDING
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
            found: NDArray[np.int64] = index.search(query.astype(np.float16), RESULTS, threads=1).keys.astype(
                np.int64
            )
            return found

        return search

    return Contestant("usearch", (10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640), build, open_file)


def contestants() -> list[Contestant]:
    """All that are installed; hnswlib and usearch are no part of Semantik."""
    found = [_scan(), *map(_own, ENGINES)]
    for make in (_hnswlib, _usearch):
        try:
            found.append(make())
        except ImportError:
            continue
    return found
