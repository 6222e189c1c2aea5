"""Finished documents as the records that are written: chunks with their vectors, and fields of documents. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import cast

import numpy as np

from pipeline.compute.messages import ReadContainer, ReadDocument, ReadFailure
from pipeline.extraction.version import version_for
from pipeline.ingest.partial_document import FinishedDocument, Vector, Vectors
from semantik.core.models import Chunk, Document, Failure
from semantik.storage.mongo.document_rows import DocumentFields, recognition_queue

_OFTEN_UNSET = ("title", "pages", "failure", "author", "date", "part_count", "language")
_OFTEN_EMPTY = ("authors", "tags")


def chunk_records(read: Sequence[FinishedDocument], first_seq: int) -> Iterator[tuple[Chunk, Vector]]:
    """All chunks of documents that were read, numbered from `first_seq`."""
    seq = first_seq
    for one in read:
        assert isinstance(one.outcome, ReadDocument) and one.partial is not None
        for part, vector in zip(one.outcome.chunks, _vectors(one), strict=True):
            yield (
                Chunk(
                    seq,
                    one.document.id,
                    part.text,
                    part.start,
                    part.end,
                    part.page,
                    part.heading,
                    part.recognised,
                    part.page_label,
                    part.title,
                    one.outcome.language,
                    part.context,
                    one.partial.earlier.get((part.context, part.text)),
                ),
                vector,
            )
            seq += 1


def joined_vectors(read: Sequence[FinishedDocument]) -> Vectors:
    """The vectors of the same chunks in the same order."""
    return np.concatenate([_vectors(one) for one in read])


def document_changes(finished: Sequence[FinishedDocument], first_seq: int) -> dict[str, DocumentFields]:
    """The fields that change in each document's record, by id; the chunks of those that were read start at `first_seq`.

    Of an unchanged document no field changes.
    """
    changes: dict[str, DocumentFields] = {}
    for one in finished:
        fields: DocumentFields = {}
        if isinstance(one.outcome, ReadDocument):
            fields = _indexed(one.outcome, first_seq) | _unrecognised(one.document, one.outcome.unrecognised)
            first_seq += one.chunk_count
        elif isinstance(one.outcome, ReadContainer):
            fields = _container(one.outcome)
        elif isinstance(one.outcome, ReadFailure):
            fields = _failed(one.outcome) | _unrecognised(one.document, one.outcome.unrecognised)
            if one.outcome.mime is not None:
                fields["mime"] = one.outcome.mime
        if fields:
            fields = _without_unset(one.document, fields) | _old_chunks(one.document)
        changes[one.document.id] = fields
    return changes


def _without_unset(document: Document, fields: DocumentFields) -> DocumentFields:
    """The fields without those that stay None: most documents have few of them, and each costs the store time."""
    unset = [name for name in _OFTEN_UNSET if fields.get(name, 0) is None and getattr(document, name) is None]
    unset += [name for name in _OFTEN_EMPTY if not fields.get(name) and not getattr(document, name)]
    return cast(DocumentFields, {name: value for name, value in fields.items() if name not in unset})


def _vectors(one: FinishedDocument) -> Vectors:
    assert one.partial is not None and one.partial.vectors is not None
    return one.partial.vectors


def _old_chunks(document: Document) -> DocumentFields:
    if not document.chunk_count:
        return {}
    return {"old_first": document.first_seq, "old_count": document.chunk_count}


def _unrecognised(document: Document, pages: Sequence[int]) -> DocumentFields:
    if not pages and not document.unrecognised:
        return {}
    queue = recognition_queue(document.collection_id, document.generation) if pages else None
    return {"unrecognised": list(pages), "recognition_queue": queue}


def _indexed(read: ReadDocument, first_seq: int) -> DocumentFields:
    return {
        "status": "indexed",
        "mime": read.mime,
        "title": read.title,
        "content_hash": read.content_hash or None,
        "length": read.length,
        "pages": read.pages,
        "first_seq": first_seq,
        "chunk_count": len(read.chunks),
        "failure": None,
        "quality": dict(vars(read.quality)) if read.quality else None,
        "warned": int(read.has_warnings),
        "reader": read.reader or version_for(read.mime),
        "author": read.author,
        "date": read.date,
        "part_count": None,
        "language": read.language,
        "authors": list(read.authors),
        "tags": list(read.tags),
    }


def _container(read: ReadContainer) -> DocumentFields:
    fields: DocumentFields = {
        "status": "indexed",
        "mime": read.mime,
        "title": read.title,
        "content_hash": read.content_hash or None,
        "length": 0,
        "pages": None,
        "first_seq": -1,
        "chunk_count": 0,
        "failure": None,
        "quality": dict(vars(read.quality)) if read.quality else None,
        "warned": int(read.has_warnings),
        "reader": version_for(read.mime),
        "part_count": read.part_count,
    }
    if read.size is not None and read.modified_ns is not None:
        fields |= {"size": read.size, "modified_ns": read.modified_ns}
    return fields


def _failed(failure: ReadFailure) -> DocumentFields:
    return {
        "status": "skipped" if failure.skipped else "failed",
        "failure": asdict(Failure(failure.category, failure.message)),
        "content_hash": failure.content_hash,
        "length": 0,
        "first_seq": -1,
        "chunk_count": 0,
        "quality": None,
        "part_count": None,
        "warned": 0,
        "reader": version_for(None),
    }
