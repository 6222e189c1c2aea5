"""Merging segments and calibrating an engine on the result: pure functions of files, for the pool's processes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.index.engines.protocol import CandidateFinder, Engine, EngineSegment
from semantik.index.engines.registry import ENGINES
from semantik.index.files import checksums
from semantik.index.files.durable import failpoint, fsync
from semantik.index.ranges import Ranges
from semantik.index.segments.manifest import SegmentRecord
from semantik.index.segments.merge_policy import needs_engine
from semantik.index.segments.segment import Segment, verify_vectors, write_segment
from semantik.index.vectors.rows import Rows
from semantik.index.vectors.scoring import UNSCALE, float_blocks

_COPY_ROWS = 16_384
_SAMPLE = 200
# An engine that examines more than this share of the rows gains nothing over the exact scan.
_EFFORT_LIMIT = 0.5
# The number of results whose recall is measured.
_RESULTS = 10
_SEED = 20_260_115


def merge_segments(
    directory: Path,
    name: str,
    records: Sequence[SegmentRecord],
    tombstones: Ranges,
    dimension: int,
    settings: IndexSettings,
    shared: NDArray[np.float32] | None = None,
) -> SegmentRecord:
    """Write the folder `name` with the rows of adjacent segments that no tombstone covers; returns its record.

    From `settings.exact_below` rows on it gets the calibrated file of an engine, built with what it shares with others.
    The inputs are not changed.
    Raises Damaged when an input is damaged, OSError when the disk is full.
    """
    inputs = [Segment(directory, record, dimension) for record in records]
    for segment in inputs:
        segment.rows.mark_deleted(tombstones)
        # Otherwise damage that happened after the opening would get a valid checksum in the copy.
        for _ in verify_vectors(directory, segment.record, dimension):
            pass
    seq_range = (records[0].first, records[-1].last)
    record = write_segment(directory, name, seq_range, _live_rows(inputs))
    if not needs_engine(record.rows, settings):
        return record
    segment = Segment(directory, record, dimension)
    tried = _build_engine(directory, segment, settings, shared)
    if tried.effort or shared is None:
        return tried
    return _build_engine(directory, segment, settings, None)  # its rows are unlike the others


def _live_rows(inputs: Sequence[Segment]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
    for segment in inputs:
        rows = segment.rows
        for start in range(0, len(rows), _COPY_ROWS):
            block = slice(start, start + _COPY_ROWS)
            live = rows.live[block]
            yield rows.seqs[block][live], rows.vectors[block][live]


def _build_engine(
    directory: Path, segment: Segment, settings: IndexSettings, shared: NDArray[np.float32] | None
) -> SegmentRecord:
    engine = ENGINES[settings.engine]
    path = directory / segment.record.name / engine.FILE
    engine.build(path, segment.rows.vectors, settings, shared)
    failpoint("merge-engine")
    effort, recall = calibrate(engine, engine.load(path, segment.rows), segment.rows, settings.target_recall)
    tried = dataclasses.replace(segment.record, engine=settings.engine, recall=recall)
    if not effort:
        path.unlink()
        return tried
    fsync(path.parent)
    return dataclasses.replace(
        tried, effort=effort, engine_bytes=path.stat().st_size, engine_crc=checksums.file_crc(path)
    )


def calibrate(engine: Engine, finder: CandidateFinder, rows: Rows, target: float) -> tuple[int, float]:
    """The smallest effort with a recall@10 of at least `target`, and that recall; 0 and the best recall if none has.

    Each query lies between some vectors of the segment, which do not count as results; see `Engine.SAMPLE_WEIGHTS`.
    """
    rng = np.random.default_rng(_SEED)
    weights = np.array(engine.SAMPLE_WEIGHTS, np.float32)
    sources = rng.choice(len(rows), (min(_SAMPLE, len(rows) // len(weights)), len(weights)), replace=False)
    queries = np.tensordot(rows.vectors[sources].astype(np.float32), weights, ((1,), (0,)))
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    target = 1 - engine.MISSES * (1 - target)
    thresholds = kth_best(rows.vectors, queries, sources)
    recall = 0.0
    for effort in engine.EFFORTS:
        if effort > _EFFORT_LIMIT * len(rows):
            break
        hits = examined = 0
        for query, own, threshold in zip(queries, sources, thresholds, strict=True):
            usable = np.ones(len(rows), np.bool_)
            usable[own] = False
            its_part = EngineSegment(finder, effort, usable)
            [proposed] = engine.propose([its_part], query.astype(np.float64), _RESULTS)
            if proposed is None:
                return 0, recall
            good = rows.vectors[proposed].astype(np.float32) @ query >= threshold
            examined += len(proposed)
            hits += min(_RESULTS, int(np.count_nonzero(good)))
        recall = hits / (_RESULTS * len(sources))
        if examined > _EFFORT_LIMIT * len(rows) * len(sources):  # rows that the engine cannot tell apart
            break
        if recall >= target:
            return effort, recall
    return 0, recall


def kth_best(
    vectors: NDArray[np.float16],
    queries: NDArray[np.float32],
    excluded: NDArray[np.int64] | None = None,
) -> NDArray[np.float32]:
    """The tenth best score of each query (n), less a margin for rounding. Its `excluded` rows (n, m) do not count."""
    best = np.full((len(queries), _RESULTS), -np.inf, np.float32)
    scaled = queries.T * UNSCALE
    for start, block in float_blocks(vectors):
        scores = (block @ scaled).T
        if excluded is not None:
            query, column = np.nonzero((excluded >= start) & (excluded < start + len(block)))
            scores[query, excluded[query, column] - start] = -np.inf
        best = np.partition(np.hstack((best, scores)), -_RESULTS, axis=1)[:, -_RESULTS:]
    kth: NDArray[np.float32] = best.min(axis=1) - np.float32(1e-5)
    return kth
