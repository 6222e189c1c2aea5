"""Merging segments and calibrating Annoy on the result: pure functions of files, for the pool's children."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantik.index import check, forest
from semantik.index.durable import failpoint, sync
from semantik.index.manifest import SegmentRecord
from semantik.index.ranges import Ranges
from semantik.index.rows import UNSCALE, Rows, blocks
from semantik.index.segment import CALIBRATED_FOR, FOREST, Segment, compare_vectors, write_segment
from semantik.index.tiers import deserves_forest
from semantik.settings import Index as IndexSettings

_COPY_ROWS = 16_384
_SAMPLE = 200
# Length of the noise that makes a sample vector a question of its own: their cosine is then 0.96.
_NOISE = 0.3
_LADDER = (
    100,
    250,
    500,
    1000,
    2000,
    3000,
    5000,
    7500,
    10_000,
    15_000,
    20_000,
    30_000,
    50_000,
    75_000,
    100_000,
)
# Looking at more than this share of the rows through Annoy gains nothing over the exact scan.
_LADDER_LIMIT = 0.5
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

    From `settings.exact_below` rows on it gets a calibrated Annoy file. The inputs stay as they are.
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
    if not deserves_forest(record.rows, settings):
        return record
    return _with_forest(home, Segment(home, record, dimension), settings)


def _live(inputs: Sequence[Segment]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
    for segment in inputs:
        rows = segment.rows
        for start in range(0, len(rows), _COPY_ROWS):
            keep = slice(start, start + _COPY_ROWS)
            yield rows.seqs[keep][rows.live[keep]], rows.vectors[keep][rows.live[keep]]


def _with_forest(home: Path, segment: Segment, settings: IndexSettings) -> SegmentRecord:
    path = home / segment.record.name / FOREST
    vectors = segment.rows.vectors
    forest.build(path, vectors, settings.trees)
    failpoint("merge-forest")
    search_k, recall = calibrate(forest.Forest(path, vectors.shape[1]), segment.rows, settings.target_recall)
    if not search_k:
        path.unlink()
        return dataclasses.replace(segment.record, recall=recall)
    sync(path.parent)
    return dataclasses.replace(
        segment.record,
        forest_bytes=path.stat().st_size,
        forest_crc=check.crc_of(path),
        search_k=search_k,
        recall=recall,
    )


def calibrate(built: forest.Forest, rows: Rows, target: float) -> tuple[int, float]:
    """The smallest search_k with recall@10 of at least `target`, and that recall; 0 and the best if none has.

    The questions are vectors of the segment with noise added; each one's own vector is no answer to it.
    """
    chance = np.random.default_rng(_SEED)
    own = np.sort(chance.choice(len(rows), min(_SAMPLE, len(rows)), replace=False))
    queries = rows.vectors[own].astype(np.float32)
    noise = chance.standard_normal(queries.shape, dtype=np.float32)
    queries += _NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    queries /= np.linalg.norm(queries, axis=1, keepdims=True)
    tenth = _tenth_best(rows.vectors, queries, own)
    recall = 0.0
    for search_k in _LADDER:
        if search_k > _LADDER_LIMIT * len(rows):
            break
        hits = 0
        for query, self_row, least in zip(queries, own, tenth, strict=True):
            found = built.propose(query, CALIBRATED_FOR + 1, search_k)
            found = found[found != self_row][:CALIBRATED_FOR]
            hits += int((rows.vectors[found].astype(np.float32) @ query >= least).sum())
        recall = hits / (CALIBRATED_FOR * len(own))
        if recall >= target:
            return search_k, recall
    return 0, recall


def _tenth_best(
    vectors: NDArray[np.float16], queries: NDArray[np.float32], own: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Each query's tenth best score over all rows but its own, less what rounding may differ by."""
    best = np.full((len(queries), CALIBRATED_FOR), -np.inf, np.float32)
    scaled = queries.T * UNSCALE
    for start, block in blocks(vectors):
        scores = (block @ scaled).T
        here = (own >= start) & (own < start + len(block))
        scores[here, own[here] - start] = -np.inf
        best = np.partition(np.hstack((best, scores)), -CALIBRATED_FOR, axis=1)[:, -CALIBRATED_FOR:]
    least: NDArray[np.float32] = best.min(axis=1) - np.float32(1e-5)
    return least
