"""Groups documents into batches: files for the workers, and finished documents for the writer. Runs on the loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from pipeline.ingest.partial_document import FinishedDocument
from semantik.config.settings import PoolSettings
from semantik.core.models import Document

MAX_DOCUMENTS = 128  # written together: each write takes ten commands, whatever the number of documents
_MAX_CHUNKS = 4000  # written together, at least one document
_MAX_PARTS = 128  # of one container in a batch
_SMALL_BATCH_BYTES = 64 << 10  # with less, a batch is read in a fraction of a second, however many its files
_MAX_LARGER_FILES = 16  # in a batch with more
_SINGLE_FILE_BYTES = 256 << 10  # a larger file is a batch of its own: some megabytes of text take seconds


async def file_batches(
    pages: AsyncIterator[list[Document]], limits: PoolSettings
) -> AsyncIterator[list[Document]]:
    """Batches within `limits.batch_files` and `limits.batch_bytes`, in the order of `pages` except for large files.

    A batch that is not small has 16 files at most.
    """
    batch: list[Document] = []
    size = 0
    async for page in pages:
        for document in page:
            if document.size > _SINGLE_FILE_BYTES:
                yield [document]
                continue
            if batch and (
                len(batch) >= _max_files(batch[-1], document, size, limits)
                or size + document.size > limits.batch_bytes
            ):
                yield batch
                batch, size = [], 0
            batch.append(document)
            size += document.size
    if batch:
        yield batch


def _max_files(last: Document, document: Document, size: int, limits: PoolSettings) -> int:
    """A batch opens a container once, however many of its parts it reads. `size` are the bytes of the batch so far."""
    if document.is_part and document.container_id == last.container_id:
        return _MAX_PARTS
    is_small = size + document.size <= _SMALL_BATCH_BYTES
    return limits.batch_files if is_small else min(_MAX_LARGER_FILES, limits.batch_files)


async def finished_batches(
    queue: asyncio.Queue[FinishedDocument | None],
) -> AsyncIterator[list[FinishedDocument]]:
    """What is in the queue each time, within the limits, until None comes in."""
    more = True
    while more:
        batch: list[FinishedDocument] = []
        chunks = 0
        item = await queue.get()
        while item is not None:
            batch.append(item)
            chunks += item.chunk_count
            if queue.empty() or len(batch) == MAX_DOCUMENTS or chunks >= _MAX_CHUNKS:
                break
            item = queue.get_nowait()
        more = item is not None
        if batch:
            yield batch
