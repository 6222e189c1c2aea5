"""Puts what a sidecar file says of a document into what was read of it. Runs in the worker processes."""

from __future__ import annotations

from dataclasses import replace

from pipeline.extraction.content import ExtractError
from pipeline.extraction.extract import Extracted
from pipeline.extraction.file_access import Places, read
from pipeline.extraction.metadata.sidecar import MAX_BYTES, read_sidecar
from semantik.core.metadata import merged_tags


def described(extracted: Extracted, path: str, places: Places) -> Extracted:
    """With what the sidecar file at `path` states, which somebody wrote for this document and so counts more.

    One that cannot be read leaves a warning.
    """
    name = path.rpartition("/")[2]
    try:
        stated = read_sidecar(name, read(path, MAX_BYTES, places))
    except ExtractError as error:
        message = error.message.rstrip(".")
        warning = f"{name}, which describes this file, is not read: {message[:1].lower()}{message[1:]}."
        return replace(extracted, warnings=(*extracted.warnings, warning))
    return replace(
        extracted,
        title=stated.title or extracted.title,
        author=", ".join(stated.authors) or extracted.author,
        authors=stated.authors or extracted.authors,
        date=stated.date or extracted.date,
        language=stated.language or extracted.language,
        tags=merged_tags(stated.tags, extracted.tags),
    )
