"""From an open file, or a part of a container, to chunks: what a worker does with each file of a batch.

Imports the readers and the splitter, so only worker processes import it, and only when the first file comes.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import partial
from typing import Any, BinaryIO, Self

from pipeline.compute.messages import (
    ChunkingOptions,
    FileTask,
    Outcome,
    ReadDocument,
    ReadFailure,
    ReadUnchanged,
    TextChunks,
)
from pipeline.extraction import chunker, extract
from pipeline.extraction.container_format import container_format
from pipeline.extraction.document_quality import document_quality
from pipeline.extraction.file_access import Places
from pipeline.extraction.metadata.description import described
from pipeline.extraction.part import ContainerLimits
from pipeline.extraction.recognition.installation import recognition
from pipeline.extraction.recognition.page_texts import Pictures
from pipeline.workers.container_listing import list_parts
from pipeline.workers.open_files import OpenFiles, suffix_of
from pipeline.workers.read_options import ReadOptions
from semantik.analysis import detect_language

_SAMPLE = 1300  # characters


class FileReader:
    """Use as `with FileReader(…) as reader` for one batch: the containers that its parts are in stay open inside.

    `tokenizer` is a `tokenizers.Tokenizer`; a chunk may have at most `max_chunk_tokens` of its tokens.
    """

    def __init__(
        self, tokenizer: Any, max_chunk_tokens: int, options: ChunkingOptions, read_options: ReadOptions
    ) -> None:
        self._tokenizer = tokenizer
        self._sizes = options.chunk_size, options.chunk_overlap, max_chunk_tokens
        self._options = read_options
        self._open_files = OpenFiles(read_options.forbidden, read_options.max_file_bytes)

    def __enter__(self) -> Self:
        self._open_files.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._open_files.__exit__(*error)

    def read(self, file: FileTask) -> Outcome:
        """The chunks of a file or part, or the parts of a container. Raises ExtractError."""
        with self._open_files.open(file) as (opened, name):
            container = container_format(opened, suffix_of(name))
            if container is None:
                return self._read_document(file, opened, name)
            options = self._options
            limits = ContainerLimits(
                options.max_container_parts, options.max_container_bytes, options.exclude
            )
            return list_parts(file, opened, container, limits)

    def _read_document(
        self, file: FileTask, opened: BinaryIO, name: str
    ) -> ReadDocument | ReadFailure | ReadUnchanged:
        size_limit = self._options.max_file_bytes
        data = extract.read_open(opened, size_limit)
        content_hash = hashlib.sha256(data).hexdigest()
        if content_hash == file.known_hash:
            return ReadUnchanged(file.document_id)
        try:
            extracted = extract.extract(
                name, data, size_limit, self._options.reading, partial(self._pictures, file, content_hash)
            )
        except extract.NoText as error:
            return _no_text(file.document_id, content_hash, error)
        if file.sidecar is not None:
            extracted = described(extracted, file.sidecar, Places(file.roots, self._options.forbidden))
        split = chunker.split(extracted, self._tokenizer, *self._sizes)
        if not split.chunks:
            raise extract.ExtractError("empty", "There is no language in this file, only encoded data.", True)
        return ReadDocument(
            file.document_id,
            extracted.mime,
            extracted.title,
            content_hash,
            len(extracted.text),
            extracted.pages[-1][0] if extracted.pages else None,
            _chunks(extracted, split),
            document_quality(extracted, split, self._tokenizer),
            extracted.author,
            extracted.date,
            unrecognised=extracted.unrecognised,
            language=extracted.language or _language(extracted.text),
            authors=extracted.authors,
            tags=extracted.tags,
        )

    def _pictures(self, file: FileTask, content_hash: str) -> Pictures:
        """What is known of the file's pages without text, if it is the file whose pages were recognised."""
        ocr = self._options.ocr
        found = self._options.recognition or recognition(ocr, self._options.ocr_languages)
        reason = "its text is still to be recognised" if found.is_ready else found.reason
        known = file.recognised
        if known is None or known.content_hash != content_hash:
            return Pictures(reason=reason, required=ocr == "on" and not found.is_ready)
        return Pictures(dict(known.texts), reason, known.warnings)


def _no_text(document_id: str, content_hash: str, error: extract.NoText) -> ReadFailure:
    return ReadFailure(
        document_id,
        error.category,
        error.message,
        error.skipped,
        error.unrecognised,
        content_hash,
        error.mime,
    )


def _language(text: str) -> str | None:
    """The language of most of a text: of a long one, of its beginning, middle and end, since any may be a preface."""
    if len(text) > 3 * _SAMPLE:
        starts = 0, (len(text) - _SAMPLE) // 2, len(text) - _SAMPLE
        text = "\n".join(text[start : start + _SAMPLE] for start in starts)
    return detect_language(text)


def _chunks(extracted: extract.Extracted, split: chunker.Split) -> TextChunks:
    """The chunks, with the labels of their pages; those of recognised pages, or of a picture, are marked."""
    chunks = TextChunks.from_chunks(split.chunks)
    if extracted.page_labels:
        labels = tuple(extracted.page_labels.get(page) if page else None for page in chunks.pages)
        chunks = replace(chunks, page_labels=labels)
    if not extracted.recognised:
        return chunks
    recognised = set(extracted.recognised)
    return replace(
        chunks, recognised=tuple(not extracted.pages or page in recognised for page in chunks.pages)
    )
