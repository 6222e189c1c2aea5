"""Groups documents into batches of files for the workers. Runs on the loop."""

from __future__ import annotations

from collections.abc import AsyncIterator

from semantik.config.settings import PoolSettings
from semantik.core.models import Document

_SINGLE_FILE_BYTES = 256 << 10  # a larger file is a batch of its own: some megabytes of text take seconds


async def file_batches(
    pages: AsyncIterator[list[Document]], limits: PoolSettings
) -> AsyncIterator[list[Document]]:
    """Batches within `limits.batch_files` and `limits.batch_bytes`, in the order of `pages` apart from large files."""
    batch: list[Document] = []
    size = 0
    async for page in pages:
        for document in page:
            if document.size > _SINGLE_FILE_BYTES:
                yield [document]
                continue
            if batch and (len(batch) == limits.batch_files or size + document.size > limits.batch_bytes):
                yield batch
                batch, size = [], 0
            batch.append(document)
            size += document.size
    if batch:
        yield batch
