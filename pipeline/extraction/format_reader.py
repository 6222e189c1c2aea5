"""The seam for file formats: what a reader is, and the one table that says which reader reads which MIME type.

To add a format, or to replace the reader of one:

1. Write a class with the members of `FormatReader` in a module of `pipeline/extraction/readers`. It gets the bytes of
   the whole file and returns a `Content`, or raises `ExtractError` with a sentence for a person; every other exception
   is a bug. It runs in a worker process with a time limit and may be killed, so it leaves nothing behind on the disk.
   Import a large library inside `read`: the server loads this table too, for the versions, and must stay small.
2. Put an instance into `READERS` below, under each MIME type that it reads.
3. See that `formats.detect` returns those MIME types; most formats need one line in one of its tables.
4. Add a small valid file to `tests/pipeline/extraction/test_readers.py`, which runs every reader of the table on it and
   on damaged files.

A reader whose text changes for the same file raises its `version`; one that depends on a library names it in
`libraries`. `version.py` makes the stored reader version from both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from pipeline.extraction.content import Content
from pipeline.extraction.formats import Format
from pipeline.extraction.readers.doc import DocReader
from pipeline.extraction.readers.docx import DocxReader
from pipeline.extraction.readers.email import AppleMailReader, EmailReader, MailboxTextReader, OutlookReader
from pipeline.extraction.readers.html import HtmlReader
from pipeline.extraction.readers.odt import OdtReader
from pipeline.extraction.readers.office import OfficeReader
from pipeline.extraction.readers.pdf import PdfReader
from pipeline.extraction.readers.personal import CalendarReader, ContactReader
from pipeline.extraction.readers.presentation import OpenPresentationReader, PresentationReader
from pipeline.extraction.readers.rtf import RtfReader
from pipeline.extraction.readers.spreadsheet import OpenSpreadsheetReader, WorkbookReader
from pipeline.extraction.readers.text import MarkdownReader, TextReader
from pipeline.extraction.text_formats import SOURCE_CODE


class FormatReader(Protocol):
    """Makes text of files of one or more formats. It keeps no state between files."""

    @property
    def name(self) -> str:
        """Unique in the table; part of the stored reader version."""

    @property
    def version(self) -> int:
        """Starts with 1, and goes up whenever the reader makes another text of the same file."""

    @property
    def libraries(self) -> tuple[str, ...]:
        """The distributions that decide what text comes out; their versions are part of the reader version."""

    def read(self, data: bytes, detected: Format) -> Content:
        """The content of a file whose format is `detected`. Raises ExtractError."""


_OPENXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_office, _text = OfficeReader(), TextReader()

READERS: Mapping[str, FormatReader] = {
    "text/plain": _text,
    "text/csv": _text,
    "text/x-rst": _text,
    "text/org": _text,
    "text/asciidoc": _text,
    "text/x-tex": _text,
    "text/x-bibtex": _text,
    "text/troff": _text,
    "text/vtt": _text,
    "application/x-subrip": _text,
    "text/x-ssa": _text,
    **{f"text/x-{language}": _text for language in SOURCE_CODE},
    "application/json": _text,
    "application/xml": _text,
    "text/markdown": MarkdownReader(),
    "text/html": HtmlReader(),
    "message/rfc822": EmailReader(),
    "message/x-emlx": AppleMailReader(),
    "application/mbox": MailboxTextReader(),
    "text/calendar": CalendarReader(),
    "text/vcard": ContactReader(),
    "application/pdf": PdfReader(),
    _OPENXML + "presentationml.presentation": PresentationReader(),
    _ODF + "presentation": OpenPresentationReader(),
    _OPENXML + "wordprocessingml.document": DocxReader(),
    _OPENXML + "spreadsheetml.sheet": WorkbookReader(),
    _ODF + "text": OdtReader(),
    _ODF + "spreadsheet": OpenSpreadsheetReader(),
    "application/epub+zip": _office,
    "application/rtf": RtfReader(),
    "application/msword": DocReader(),
    "application/vnd.ms-excel": _office,
    "application/vnd.ms-powerpoint": _office,
    "application/vnd.ms-outlook": OutlookReader(),
    "application/x-ipynb+json": _office,
    "application/x-fictionbook+xml": _office,
}
