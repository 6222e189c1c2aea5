"""What a REINDEX checks: the disk before it starts, and its generation before that is searched. Runs on the loop."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import numpy as np

from pipeline.compute.messages import ModelSpec
from pipeline.context.context import OperationContext
from semantik.core.errors import Invalid
from semantik.core.models import Filters
from semantik.index import VectorRetriever

_CHUNK_BYTES = 4096  # an upper estimate of a chunk's size in MongoDB and in the index
_MAX_LOST_SHARE = 0.1  # of the documents that can be found now
_SAMPLE_HITS = 10
_SAME_TEXT_SCORE = 0.99  # the search may return another chunk with the same text


async def check_disk_space(context: OperationContext) -> None:
    """Raises Invalid if the new generation would fill the disk. A MongoDB set by `mongo_url` has a disk of its own."""
    settings = context.deps.settings
    chunks = context.collection.current.counts.chunks
    needed = chunks * _CHUNK_BYTES // (4 if settings.mongo_url else 1)
    free = (await asyncio.to_thread(shutil.disk_usage, settings.data)).free
    if free < needed:
        raise Invalid(
            f"A REINDEX needs about {needed >> 20} MiB beside what is searched meanwhile, and {free >> 20} MiB are "
            f"free on the disk of {settings.data}: make room first."
        )


async def validate(context: OperationContext) -> dict[str, Any]:
    """Check the operation's generation against the one that is searched; returns what was checked.

    Raises Invalid, with the reason.
    """
    documents, chunks = context.deps.store.documents, context.deps.store.chunks
    before = await documents.counts_of(context.collection.current)
    after = await documents.counts_of(context.generation)
    # Not parts: an archive may hold others by now.
    files, expected = [
        await documents.count_files(one) for one in (context.generation, context.collection.current)
    ]
    if files != expected or after.pending:
        raise Invalid(
            f"The REINDEX has {files} documents where {expected} are expected, and {after.pending} are unread; what is "
            "searched stays as it was."
        )
    # An archive may also hold fewer parts by now: those are not lost.
    lost = before.indexed - after.indexed - max(0, before.total - after.total)
    failed = min(lost, max(0, after.failed - before.failed))
    if lost > _MAX_LOST_SHARE * before.indexed:
        raise Invalid(
            f"{lost} of {before.indexed} documents that are found now would be lost, since their files have changed "
            f"and cannot be read any more ({failed}; the operation's failures tell why), or are empty now "
            f"({lost - failed}); what is searched stays as it was. If that is right, scan the folders again first "
            "(append)."
        )
    stored = await chunks.count(context.generation)
    index = await context.deps.index_sync.get_synced_vectors(context.generation)
    vectors = await index.count() if index else 0
    if not after.chunks == stored == vectors:
        raise Invalid(
            f"The REINDEX has made {after.chunks} chunks, of which {stored} are stored and {vectors} can be "
            "searched; what is searched stays as it was."
        )
    sampled = await _search_sample(context, index) if index and vectors else 0
    return {"documents": after.indexed, "chunks": after.chunks, "failed": after.failed, "sampled": sampled}


async def _search_sample(context: OperationContext, index: VectorRetriever) -> int:
    """Search for a sample of chunks by their own texts; each must be found. Returns the size of the sample."""
    generation = context.generation
    seqs = await _sample_seqs(context)
    found = await context.deps.store.chunks.by_seqs(context.collection.id, seqs)
    if missing := [seq for seq in seqs if seq not in found]:
        raise Invalid(
            f"The REINDEX lacks its own chunk number {missing[0]}; what is searched stays as it was."
        )
    texts = [found[seq].embedded for seq in seqs]
    vectors = await context.deps.pool.embed(ModelSpec(generation.model, generation.precision), texts)
    for seq, text, vector in zip(seqs, texts, vectors, strict=True):
        hits = await index.nearest(vector.astype(np.float32), _SAMPLE_HITS)
        if not any(hit.seq == seq or hit.score > _SAME_TEXT_SCORE for hit in hits):
            raise Invalid(
                f"The REINDEX does not find its own chunk “{text[:60]}…”; what is searched stays as it was."
            )
    return len(seqs)


async def _sample_seqs(context: OperationContext) -> list[int]:
    """At most `reindex.sample` seqs, evenly spread over all chunks that documents hold."""
    spans = await context.deps.store.documents.spans(context.generation, Filters())
    ends = np.cumsum(spans[:, 1] - spans[:, 0])
    total = int(ends[-1]) if len(ends) else 0
    count = min(context.deps.settings.reindex.sample, total)
    if not count:
        return []
    ranks = np.unique(np.linspace(0, total - 1, count, dtype=np.int64))
    rows = np.searchsorted(ends, ranks, side="right")
    return [int(seq) for seq in spans[rows, 1] - (ends[rows] - ranks)]
