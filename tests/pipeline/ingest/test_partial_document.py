"""How the chunks of documents are packed into embedding tasks."""

from __future__ import annotations

from collections import deque

from pipeline.compute.messages import ReadDocument, TextChunks
from pipeline.ingest.chunk_packing import final_batch_size, pack
from pipeline.ingest.partial_document import PartialDocument
from semantik.core.models import Document, new_id


def _growing(*counts: int) -> deque[PartialDocument]:
    line: deque[PartialDocument] = deque()
    for count in counts:
        document = Document(new_id(), "c", 1, "s", "o", "/a/file.txt", 1, 1, "pending", "o", "mine")
        texts = tuple(f"passage {number}" for number in range(count))
        chunks = TextChunks(texts, (0,) * count, (None,) * count, (None,) * count)
        read = ReadDocument(document.id, "text/plain", None, "", count, None, chunks)
        growing = PartialDocument(document, read)
        growing.start({})
        line.append(growing)
    return line


def test_a_book_holds_up_no_letter() -> None:
    line = _growing(1000, 3, 2)
    book, letter, note = line
    pieces = pack(line, 256)
    assert [(piece.partial, len(piece.positions)) for piece in pieces] == [
        (book, 85),
        (letter, 3),
        (note, 2),
        (book, 166),
    ]
    assert list(line) == [book]
    assert len(book.pending) - book.packed == 749
    assert [pieces[0].positions[0], pieces[3].positions[0]] == [0, 85]


def test_the_last_tasks_become_smaller_and_hold_every_chunk_once() -> None:
    line = _growing(700, 100)
    sizes, packed = [], []
    while line:
        pieces = pack(line, final_batch_size(line, 256, 3))
        packed += [(piece.partial.document.id, number) for piece in pieces for number in piece.positions]
        sizes.append(sum(len(piece.positions) for piece in pieces))
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == 256
    assert sizes[-2] == 32
    assert len(packed) == len(set(packed)) == 800
