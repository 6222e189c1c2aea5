"""`semantik-extract`: prints what is read of files, without a server: text, pages, warnings, chunks.

Reads in this process, with the readers and the settings of the server.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.compute.messages import ModelSpec, TextChunk
from pipeline.extraction import extract
from pipeline.extraction.content import ExtractError
from pipeline.extraction.part import ContainerLimits
from pipeline.extraction.reading_options import ReadingOptions
from pipeline.extraction.recognition.installation import recognition
from pipeline.extraction.recognition.whole_file import recognised_pages
from pipeline.workers.contained_files import contained_files
from semantik import __version__
from semantik.commands.cli_common import FAILED, print_output, report_error
from semantik.config.loader import load
from semantik.config.settings import DocumentSettings, Settings
from semantik.core.errors import SemantikError
from semantik.core.models import Quality

_PROG = "semantik-extract"


@dataclass(frozen=True)
class _Reading:
    """What was read of a file: `extracted` or `error`; chunks and quality where they were asked for."""

    path: str
    extracted: extract.Extracted | None = None
    error: str | None = None
    chunks: tuple[TextChunk, ...] = ()
    quality: Quality | None = None


def main(argv: list[str]) -> int:
    """Print it, and return the exit status: 0 all files were read, 1 one was not, 2 usage error."""
    arguments = parser().parse_args(argv)
    try:
        settings = load(arguments.config)
        readings = _read(arguments.files, settings, arguments.chunks)
        if arguments.json:
            read = list(readings)
            print_output(json.dumps([_json(one) for one in read], indent=2, ensure_ascii=False))
            return FAILED if any(one.error for one in read) else 0
        failed = 0
        for one in readings:
            print_output(_text(one, arguments.chunks))
            failed += one.error is not None
        return FAILED if failed else 0
    except SemantikError as error:
        return report_error(_PROG, error)


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=_PROG,
        description="Print what is read of files: format, title, pages, warnings and text; of an archive or a mailbox, "
        "of each document in it. No server is needed. "
        "Exit status 0: every file was read; 1: a file was not read; 2: usage error.",
    )
    made.add_argument("--version", action="version", version=f"semantik {__version__}")
    made.add_argument("--config", type=Path, metavar="FILE", help="the server's configuration file")
    made.add_argument("--chunks", action="store_true", help="print the chunks and the quality, too")
    made.add_argument("--json", action="store_true", help="print JSON")
    made.add_argument("files", nargs="+", metavar="FILE", help="a file to read")
    return made


def _read(paths: list[str], settings: Settings, with_chunks: bool) -> Iterator[_Reading]:
    splitter = _Splitter(settings) if with_chunks else None
    limit = settings.documents.max_file_bytes
    options = ReadingOptions(settings.documents.hidden_sheets)
    limits = ContainerLimits(
        settings.documents.max_container_parts,
        settings.documents.max_container_bytes,
        settings.documents.exclude,
    )
    for given in paths:
        if not Path(given).exists():
            yield _Reading(given, error="There is no such file.")
            continue
        for path, name, data in contained_files(given, limit, limits):
            if isinstance(data, ExtractError):
                yield _Reading(path, error=data.message)
                continue
            try:
                extracted = _extracted(name, data, options, settings.documents)
            except ExtractError as error:
                yield _Reading(path, error=error.message)
                continue
            yield splitter.split(path, extracted) if splitter else _Reading(path, extracted)


def _extracted(
    name: str, data: bytes, options: ReadingOptions, documents: DocumentSettings
) -> extract.Extracted:
    """What is read of a file, with the recognised text of its pictures. Raises ExtractError."""
    found = recognition(documents.ocr, documents.ocr_languages)
    pictures = extract.Pictures(reason=found.reason)
    try:
        extracted = extract.extract(name, data, documents.max_file_bytes, options, lambda: pictures)
        mime, unrecognised = extracted.mime, extracted.unrecognised
    except extract.NoText as error:
        if not (error.unrecognised and found.is_ready):
            raise
        mime, unrecognised = error.mime, error.unrecognised
    if unrecognised and found.is_ready:
        pictures = recognised_pages(data, mime, unrecognised, found, documents.ocr_page_timeout_s)
        extracted = extract.extract(name, data, documents.max_file_bytes, options, lambda: pictures)
    return extracted


class _Splitter:
    """Splits texts with the model and the sizes of the settings. Raises Invalid when the model cannot be loaded."""

    def __init__(self, settings: Settings) -> None:
        from pipeline.embedding import model

        self._sizes = settings.embedding.chunk_size, settings.embedding.chunk_overlap
        self._model = model.load(ModelSpec(settings.embedding.model, "float32"))

    def split(self, path: str, extracted: extract.Extracted) -> _Reading:
        from pipeline.extraction import chunker
        from pipeline.extraction.document_quality import document_quality

        tokenizer = self._model.tokenizer
        split = chunker.split(extracted, tokenizer, *self._sizes, self._model.info.max_chunk_tokens)
        quality = document_quality(extracted, split, tokenizer)
        return _Reading(path, extracted, chunks=split.chunks, quality=quality)


def _text(one: _Reading, with_chunks: bool) -> str:
    if one.extracted is None:
        print(f"{_PROG}: {one.path}: {one.error}", file=sys.stderr)
        return f"== {one.path}\nnot read: {one.error}\n"
    lines = [
        f"== {one.path}",
        *(f"{name + ':':10} {value}" for name, value in _facts(one.extracted, one.quality)),
    ]
    warnings = one.quality.warnings if one.quality else one.extracted.warnings
    lines += [f"warning:   {warning}" for warning in warnings]
    if with_chunks:
        for number, chunk in enumerate(one.chunks, 1):
            page = f"page {chunk.page}" if chunk.page is not None else ""
            place = [page, chunk.title or "", chunk.heading or ""]
            where = " · ".join([f"characters {chunk.start}-{chunk.end}", *filter(None, place)])
            lines += ["", f"-- chunk {number} of {len(one.chunks)} · {where}", chunk.text]
    else:
        lines += ["", one.extracted.text]
    return "\n".join([*lines, ""])


def _facts(extracted: extract.Extracted, quality: Quality | None) -> Iterator[tuple[str, str]]:
    yield "format", extracted.mime
    stated = (
        ("title", extracted.title),
        ("author", extracted.author),
        ("date", extracted.date),
        ("language", extracted.language),
        ("tags", ", ".join(extracted.tags)),
    )
    for name, value in stated:
        if value:
            yield name, value
    if extracted.pages:
        yield "pages", str(extracted.pages[-1][0])
    if extracted.recognised:
        yield "recognised", f"text of pages: {len(extracted.recognised):,}"
    yield "text", f"{len(extracted.text):,} characters"
    if quality:
        yield "unknown", f"{quality.unknown_share:.1%} of the words cannot be read by the model"
        yield "left out", f"{quality.left_out:,} characters carry no language"


def _json(one: _Reading) -> dict[str, Any]:
    if one.extracted is None:
        return {"path": one.path, "error": one.error}
    extracted = one.extracted
    return {
        "path": one.path,
        "mime": extracted.mime,
        "title": extracted.title,
        "author": extracted.author,
        "authors": list(extracted.authors),
        "tags": list(extracted.tags),
        "language": extracted.language,
        "date": extracted.date,
        "pages": [{"number": number, "start": start} for number, start in extracted.pages],
        "page_labels": {str(number): label for number, label in extracted.page_labels.items()},
        "recognised_pages": list(extracted.recognised),
        "warnings": list(extracted.warnings),
        "text": extracted.text,
        "quality": asdict(one.quality) if one.quality else None,
        "chunks": [asdict(chunk) for chunk in one.chunks],
    }
