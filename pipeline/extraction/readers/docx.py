"""Word documents (DOCX and its macro and template variants) as Markdown. Runs in the worker processes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from pipeline.extraction import formats, markdown
from pipeline.extraction.content import Attachment, Content, ExtractError
from pipeline.extraction.docx.blocks import BlockReader, header_text
from pipeline.extraction.docx.document import Document
from pipeline.extraction.docx.styles import is_on, value
from pipeline.extraction.file_format import Format
from pipeline.extraction.format_reader import read_inside
from pipeline.extraction.markdown_writer import MarkdownWriter
from pipeline.extraction.opc import Package, R, W

_MAX_NESTED = 3  # Word documents inside Word documents
_TOO_DEEP = "The document nests its parts too deeply to be read."


class DocxReader:
    """The text as it is seen when all changes are accepted: notes at their marks, headers first, footers last."""

    def read(self, data: bytes, detected: Format) -> Content:
        return _read(data, 0)


def _read(data: bytes, nested: int) -> Content:
    def chunk(inner: bytes, suffix: str) -> str:
        return _chunk(inner, suffix, nested + 1)

    try:
        package = Package(data)
        document = Document(package, chunk)
        writer = MarkdownWriter()
        reader = BlockReader(document, document.main)
        reader.read(document.blocks(), writer)
        whole = MarkdownWriter()
        for text in _once(document, reader.sections, "header"):
            whole.markdown(text)
        whole.extend(writer)
        for text in _once(document, reader.sections, "footer"):
            whole.markdown(text)
    except RecursionError as error:
        raise ExtractError("too_large", _TOO_DEEP) from error
    properties = package.properties()
    title = properties.title or markdown.title(writer.text())
    return Content(
        whole.text(),
        title,
        markdown=True,
        attachments=_objects(document),
        warnings=tuple(document.warnings),
        author=properties.author,
        tags=properties.tags,
        date=properties.date,
    )


def _objects(document: Document) -> Iterator[Attachment]:
    """The workbooks, presentations and documents that are embedded, of which the page shows a picture."""
    for part in document.package.related(document.main, "package"):
        try:
            yield Attachment(posixpath.basename(part), document.package.zip.read(part))
        except ExtractError:
            yield Attachment(posixpath.basename(part), b"")


def _once(document: Document, sections: list[Element], kind: str) -> list[str]:
    """The different texts of the headers or footers that the sections show."""
    settings = document.settings
    even = settings.find(f"{W}evenAndOddHeaders") if settings is not None else None
    shows_even = even is not None and is_on(value(even))
    parts: dict[str, None] = {}
    for section in sections:
        first = section.find(f"{W}titlePg")
        for reference in section.findall(f"{W}{kind}Reference"):
            place = reference.get(f"{W}type", "default")
            if (place == "even" and not shows_even) or (
                place == "first" and (first is None or not is_on(value(first)))
            ):
                continue
            relation = document.package.relations(document.main).get(reference.get(f"{R}id", ""))
            if relation is not None and not relation.external:
                parts[relation.target] = None
    texts: dict[str, None] = {}
    for part in parts:
        try:
            text = header_text(document, part)
        except ExtractError as error:
            document.warn(f"A {kind} of the document cannot be read: {error.message}")
        else:
            if any(character.isalpha() for character in text):  # else a page number
                texts[text] = None
    return list(texts)


def _chunk(data: bytes, suffix: str, nested: int) -> str:
    """The Markdown of a file inside a document. Raises ExtractError."""
    detected = formats.detect(data, suffix)
    if detected.mime.endswith("wordprocessingml.document"):
        if nested > _MAX_NESTED:
            raise ExtractError("too_large", _TOO_DEEP)
        return _read(data, nested).text
    if detected.condition is not formats.Condition.SOUND:
        raise ExtractError("unsupported", f"It is {detected.name}.")
    content = read_inside(data, detected)
    return content.text if content.markdown else markdown.literal(content.text)
