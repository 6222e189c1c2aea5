"""How the chunks of documents are packed into embedding tasks."""

from __future__ import annotations

from collections import deque

from pipeline.compute.messages import ReadDocument, TextChunks
from pipeline.ingest.chunk_packing import final_batch_size, pack
from pipeline.ingest.partial_document import PartialDocument
from semantik.core.models import Document, new_id


def _partial_documents(*counts: int) -> deque[PartialDocument]:
    queue: deque[PartialDocument] = deque()
    for count in counts:
        document = Document(new_id(), "c", 1, "s", "o", "/a/file.txt", 1, 1, "pending", "o", "mine")
        texts = tuple(f"chunk {number}" for number in range(count))
        chunks = TextChunks(texts, (0,) * count, (None,) * count, (None,) * count)
        read = ReadDocument(document.id, "text/plain", None, "", count, None, chunks)
        partial = PartialDocument(document, read)
        partial.start({})
        queue.append(partial)
    return queue


def test_large_files_do_not_delay_small_ones() -> None:
    queue = _partial_documents(1000, 3, 2)
    large, small, smallest = queue
    slices = pack(queue, 256)
    assert [(one.partial, len(one.positions)) for one in slices] == [
        (large, 85),
        (small, 3),
        (smallest, 2),
        (large, 166),
    ]
    assert list(queue) == [large]
    assert len(large.pending) - large.packed == 749
    assert [slices[0].positions[0], slices[3].positions[0]] == [0, 85]


def test_the_last_tasks_get_smaller_and_contain_every_chunk_once() -> None:
    queue = _partial_documents(700, 100)
    sizes, packed = [], []
    while queue:
        slices = pack(queue, final_batch_size(queue, 256, 3))
        packed += [(one.partial.document.id, position) for one in slices for position in one.positions]
        sizes.append(sum(len(one.positions) for one in slices))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 256
    assert sizes[-2] == 32
    assert len(packed) == len(set(packed)) == 800
