"""What must be true of what a REINDEX has built before it is searched. Runs on the loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.compute.messages import ModelSpec
from pipeline.context.context import OperationContext
from semantik.core.errors import Invalid
from semantik.core.models import Filters
from semantik.index import VectorIndex

_MOST_LOST = 0.1  # of the documents that can be found now
_AMONG = 10
_SURE = 0.99  # a passage that stands in a collection many times finds one of them


async def validate(run: OperationContext) -> dict[str, Any]:
    """Check the operation's generation against the one that is searched; returns what was checked.

    Raises Invalid, with what is wrong.
    """
    documents, chunks = run.deps.store.documents, run.deps.store.chunks
    before, after = (
        await documents.counts_of(run.collection.current),
        await documents.counts_of(run.generation),
    )
    if after.total != before.total or after.pending:
        raise Invalid(
            f"The REINDEX has {after.total} documents, {after.pending} of them unread, where {before.total} are "
            "expected; what is searched stays as it was."
        )
    lost = before.indexed - after.indexed
    failed = min(lost, max(0, after.failed - before.failed))
    if lost > _MOST_LOST * before.indexed:
        raise Invalid(
            f"{lost} of {before.indexed} documents that are found now would be lost, since their files have changed "
            f"and cannot be read any more ({failed}; the operation's failures tell why), or are empty now "
            f"({lost - failed}); what is searched stays as it was. If that is right, scan the folders again first "
            "(append)."
        )
    stored = await chunks.count(run.generation)
    index = await run.deps.vectors.get_synced_vectors(run.generation)
    vectors = index.stats().vectors if index else 0
    if not after.chunks == stored == vectors:
        raise Invalid(
            f"The REINDEX has made {after.chunks} passages, of which {stored} are stored and {vectors} can be "
            "searched; what is searched stays as it was."
        )
    sampled = await _search_again(run, index) if index and vectors else 0
    return {"documents": after.indexed, "chunks": after.chunks, "failed": after.failed, "sampled": sampled}


async def _search_again(run: OperationContext, index: VectorIndex) -> int:
    """Ask for some passages by their own text; each must be found. Returns how many were asked for."""
    generation = run.generation
    spans = await run.deps.store.documents.spans(generation, Filters())
    total = int((spans[:, 1] - spans[:, 0]).sum())
    number = min(run.deps.settings.reindex.sample, total)
    ends = np.cumsum(spans[:, 1] - spans[:, 0])
    places = np.unique(np.linspace(0, total - 1, number, dtype=np.int64)) if number else np.empty(0, np.int64)
    which = np.searchsorted(ends, places, side="right")
    seqs = [int(seq) for seq in spans[which, 1] - (ends[which] - places)]
    found = await run.deps.store.chunks.by_seqs(run.collection.id, seqs)
    if lacking := [seq for seq in seqs if seq not in found]:
        raise Invalid(
            f"The REINDEX lacks its own passage number {lacking[0]}; what is searched stays as it was."
        )
    texts = [found[seq].text for seq in seqs]
    vectors = await run.deps.pool.embed(ModelSpec(generation.model, generation.precision), texts)
    for seq, text, vector in zip(seqs, texts, vectors, strict=True):
        hits = await index.nearest(vector.astype(np.float32), _AMONG)
        if not any(hit.seq == seq or hit.score > _SURE for hit in hits):
            raise Invalid(
                f"The REINDEX does not find its own passage “{text[:60]}…”; what is searched stays as it was."
            )
    return len(seqs)
