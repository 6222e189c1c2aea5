"""Merging segments and calibrating the engine on the result: pure functions of files, for the pool's children."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.config.settings import IndexSettings
from semantik.index.engines.registry import ENGINES, CandidateFinder, Engine
from semantik.index.files import checksums
from semantik.index.files.durable import failpoint, sync
from semantik.index.files.manifest import SegmentRecord
from semantik.index.segments.merge_policy import deserves_engine
from semantik.index.segments.ranges import Ranges
from semantik.index.segments.rows import UNSCALE, Rows, blocks
from semantik.index.segments.segment import Segment, compare_vectors, write_segment

_COPY_ROWS = 16_384
_SAMPLE = 200
# A question is made of two passages, with so much of the second. Such questions are about as hard for an engine as real
# ones, so that it finds later what its calibration promised. Less than 1, so that opposite ones do not cancel out.
_SECOND = np.float32(0.9)
# Looking at more than this share of the rows through an engine gains nothing over the exact scan.
_EFFORT_LIMIT = 0.5
# The number of results whose recall is measured.
_RESULTS = 10
_SEED = 20_260_115


def merge_segments(
    home: Path,
    name: str,
    records: Sequence[SegmentRecord],
    tombstones: Ranges,
    dimension: int,
    settings: IndexSettings,
) -> SegmentRecord:
    """Write the folder `name` with the rows of neighbouring segments that no tombstone covers; its record.

    From `settings.exact_below` rows on it gets the file of an engine, calibrated. The inputs stay as they are.
    Raises Damaged when an input is, OSError when the disk is full.
    """
    inputs = [Segment(home, record, dimension) for record in records]
    for segment in inputs:
        segment.rows.bury(tombstones)
        # Else damage that came after the opening would get a good checksum with the copy.
        for _ in compare_vectors(home, segment.record, dimension):
            pass
    covers = (records[0].first, records[-1].last)
    record = write_segment(home, name, covers, _live(inputs))
    if not deserves_engine(record.rows, settings):
        return record
    return _with_engine(home, Segment(home, record, dimension), settings)


def _live(inputs: Sequence[Segment]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
    for segment in inputs:
        rows = segment.rows
        for start in range(0, len(rows), _COPY_ROWS):
            keep = slice(start, start + _COPY_ROWS)
            yield rows.seqs[keep][rows.live[keep]], rows.vectors[keep][rows.live[keep]]


def _with_engine(home: Path, segment: Segment, settings: IndexSettings) -> SegmentRecord:
    engine = ENGINES[settings.engine]
    path = home / segment.record.name / engine.FILE
    engine.build(path, segment.rows.vectors, settings)
    failpoint("merge-engine")
    effort, recall = calibrate(engine, engine.load(path, segment.rows), segment.rows, settings.target_recall)
    tried = dataclasses.replace(segment.record, engine=settings.engine, recall=recall)
    if not effort:
        path.unlink()
        return tried
    sync(path.parent)
    return dataclasses.replace(
        tried, effort=effort, engine_bytes=path.stat().st_size, engine_crc=checksums.crc_of(path)
    )


def calibrate(engine: Engine, finder: CandidateFinder, rows: Rows, target: float) -> tuple[int, float]:
    """The smallest effort with recall@10 of at least `target`, and that recall; 0 and the best if none has.

    The questions lie between two vectors of the segment, which are no answers to them.
    """
    chance = np.random.default_rng(_SEED)
    own = chance.choice(len(rows), (min(_SAMPLE, len(rows) // 2), 2), replace=False)
    first, second = (rows.vectors[column].astype(np.float32) for column in own.T)
    queries = first + _SECOND * second
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    tenth = kth_best(rows.vectors, queries, own)
    recall = 0.0
    for effort in engine.EFFORTS:
        if effort > _EFFORT_LIMIT * len(rows):
            break
        hits = 0
        for query, made_of, least in zip(queries, own, tenth, strict=True):
            others = np.ones(len(rows), np.bool_)
            others[made_of] = False
            found = finder.propose(query.astype(np.float64), _RESULTS, effort, others)
            if found is None:
                return 0, recall
            near = rows.vectors[found].astype(np.float32) @ query >= least
            hits += min(_RESULTS, int(np.count_nonzero(near)))
        recall = hits / (_RESULTS * len(own))
        if recall >= target:
            return effort, recall
    return 0, recall


def kth_best(
    vectors: NDArray[np.float16], queries: NDArray[np.float32], own: NDArray[np.int64] | None = None
) -> NDArray[np.float32]:
    """Each query's tenth best score, less what rounding may differ by; of its `own` rows (n, few) none counts."""
    best = np.full((len(queries), _RESULTS), -np.inf, np.float32)
    scaled = queries.T * UNSCALE
    for start, block in blocks(vectors):
        scores = (block @ scaled).T
        if own is not None:
            asked, place = np.nonzero((own >= start) & (own < start + len(block)))
            scores[asked, own[asked, place] - start] = -np.inf
        best = np.partition(np.hstack((best, scores)), -_RESULTS, axis=1)[:, -_RESULTS:]
    least: NDArray[np.float32] = best.min(axis=1) - np.float32(1e-5)
    return least
