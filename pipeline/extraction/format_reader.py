"""The seam for file formats: what a reader is, and the one table that says which reader reads which MIME type.

To add a format, or to replace the reader of one:

1. Write a class with the method of `FormatReader` in a module of `pipeline/extraction/readers`. It gets the bytes of
   the whole file and returns a `Content`, or raises `ExtractError` with a sentence for a person; every other exception
   is a bug. It runs in a worker process with a time limit and may be killed, so it leaves nothing behind on the disk.
2. Put it into `READERS` below, under each MIME type that it reads, as "module:class": the module is imported when the
   first such file comes. The server loads this table too, for the versions, and must stay small.
3. See that `formats.detect` returns those MIME types; most formats need one line in one of its tables.
4. Add a small valid file to `tests/pipeline/extraction/test_readers.py`, which runs every reader of the table on it and
   on damaged files.

A reader whose text changes for the same file gets a higher version here; one that depends on a library names it.
`version.py` makes the stored reader version from both.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Protocol, cast

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.file_format import Format
from pipeline.extraction.text_formats import SOURCE_CODE


class FormatReader(Protocol):
    """Makes text of files of one or more formats. It keeps no state between files."""

    def read(self, data: bytes, detected: Format) -> Content:
        """The content of a file whose format is `detected`. Raises ExtractError."""


@dataclass(frozen=True)
class Reader:
    """An entry of the table.

    name: unique in the table; part of the stored reader version, as are the other fields.
    version: starts with 1, and goes up whenever the reader makes another text of the same file.
    target: the module in `pipeline.extraction.readers`, and what makes the reader there: "pdf:PdfReader".
    libraries: the distributions that decide what text comes out.
    """

    name: str
    version: int
    target: str
    libraries: tuple[str, ...] = ()

    def read(self, data: bytes, detected: Format) -> Content:
        """The content of a file whose format is `detected`. Raises ExtractError."""
        return _loaded(self.target).read(data, detected)


@cache
def _loaded(target: str) -> FormatReader:
    module, _, name = target.partition(":")
    return cast(
        FormatReader, getattr(importlib.import_module(f"pipeline.extraction.readers.{module}"), name)()
    )


_OPENXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_PICTURES = ("png", "jpeg", "gif", "tiff", "webp", "bmp", "jp2")
_source_code = Reader("source-code", 1, "source_code:SourceCodeReader")
_subtitles = Reader("subtitles", 2, "subtitles:SubtitleReader")
_picture = Reader("picture", 1, "picture:PictureReader")
_open_presentation = Reader("open_presentation", 3, "presentation:OpenPresentationReader")

READERS: Mapping[str, Reader] = {
    "text/plain": Reader("text", 3, "text:TextReader"),
    "text/csv": Reader("delimited", 3, "delimited:DelimitedReader", ("charset-normalizer",)),
    "text/troff": Reader("man-page", 1, "markup:man_page"),
    "text/x-rst": Reader("restructured-text", 4, "markup:restructured_text"),
    "text/org": Reader("org", 4, "markup:org"),
    "text/x-tex": Reader("latex", 6, "markup:latex"),
    "text/x-bibtex": Reader("bibtex", 1, "markup:bibtex"),
    "text/asciidoc": Reader("asciidoc", 6, "markup:asciidoc"),
    "text/vtt": _subtitles,
    "application/x-subrip": _subtitles,
    "text/x-ssa": _subtitles,
    **dict.fromkeys(
        (f"text/x-{language}" for language in SOURCE_CODE),
        Reader("source-code", 1, "source_code:SourceCodeReader"),
    ),
    "application/json": Reader("json", 4, "json_text:JsonReader", ("selectolax",)),
    "application/xml": Reader("xml", 4, "xml_text:XmlReader", ("selectolax",)),
    **dict.fromkeys((f"image/{name}" for name in _PICTURES), _picture),
    "text/markdown": Reader("markdown", 5, "text:MarkdownReader", ("selectolax",)),
    "text/html": Reader("html", 6, "html:HtmlReader", ("selectolax",)),
    "message/rfc822": Reader("email", 7, "email:EmailReader", ("selectolax",)),
    "message/x-emlx": Reader("emlx", 6, "email:AppleMailReader", ("selectolax",)),
    "application/mbox": Reader("mailbox", 6, "email:MailboxTextReader", ("selectolax",)),
    "application/pkcs7-mime": Reader("signed", 6, "email:SignedFileReader", ("selectolax",)),
    "text/calendar": Reader("calendar", 1, "personal:CalendarReader", ("selectolax",)),
    "text/vcard": Reader("contacts", 1, "personal:ContactReader"),
    "application/pdf": Reader("pdf", 5, "pdf:PdfReader", ("pypdf", "pypdfium2")),
    _OPENXML + "presentationml.presentation": Reader("presentation", 5, "presentation:PresentationReader"),
    "application/vnd.ms-visio.drawing.main+xml": Reader("visio", 1, "presentation:VisioReader"),
    **dict.fromkeys(
        (f"application/vnd.apple.{name}" for name in ("pages", "numbers", "keynote")),
        Reader("iwork", 1, "iwork:IWorkReader"),
    ),
    "application/vnd.anki": Reader("anki", 1, "anki:AnkiReader", ("selectolax",)),
    "application/vnd.xmind.workbook": Reader("xmind", 1, "mind_map:XMindReader"),
    _ODF + "presentation": _open_presentation,
    _ODF + "graphics": _open_presentation,
    _OPENXML + "wordprocessingml.document": Reader("docx", 5, "docx:DocxReader"),
    _OPENXML + "spreadsheetml.sheet": Reader("workbook", 6, "spreadsheet:WorkbookReader"),
    _ODF + "text": Reader("odt", 4, "odt:OdtReader"),
    _ODF + "spreadsheet": Reader("open_spreadsheet", 5, "spreadsheet:OpenSpreadsheetReader"),
    "application/epub+zip": Reader("epub", 3, "epub:EpubReader", ("selectolax",)),
    "application/rtf": Reader("rtf", 4, "rtf:RtfReader"),
    "application/msword": Reader("doc", 4, "doc:DocReader", ("olefile",)),
    "application/vnd.ms-excel": Reader(
        "old_workbook", 4, "spreadsheet:OldWorkbookReader", ("xlrd", "olefile")
    ),
    "application/x-spreadsheetml+xml": Reader("excel_xml", 4, "spreadsheet:ExcelXmlReader"),
    "application/vnd.ms-powerpoint": Reader(
        "old_presentation", 2, "presentation:OldPresentationReader", ("olefile",)
    ),
    "application/vnd.ms-outlook": Reader("outlook", 5, "email:OutlookReader", ("olefile", "selectolax")),
    "application/x-ipynb+json": Reader("notebook", 2, "notebook:NotebookReader", ("selectolax",)),
    "application/x-fictionbook+xml": Reader(
        "fictionbook", 3, "fictionbook:FictionBookReader", ("selectolax",)
    ),
    "application/docbook+xml": Reader("docbook", 4, "docbook:DocBookReader", ("selectolax",)),
    "application/jats+xml": Reader("jats", 1, "article:JatsReader", ("selectolax",)),
    "application/tei+xml": Reader("tei", 1, "article:TeiReader", ("selectolax",)),
    "multipart/related": Reader("web-archive", 3, "web_archive:WebArchiveReader", ("selectolax",)),
}


def read_inside(data: bytes, detected: Format) -> Content:
    """The content of a file inside another one. Raises ExtractError."""
    reader = READERS.get(detected.mime)
    if reader is None:
        raise ExtractError("unsupported", f"It is {detected.name}, and no text can be read from it.")
    return reader.read(data, detected)
