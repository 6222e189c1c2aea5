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

from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.formats import Format
from pipeline.extraction.readers.delimited import DelimitedReader
from pipeline.extraction.readers.doc import DocReader
from pipeline.extraction.readers.docbook import DocBookReader
from pipeline.extraction.readers.docx import DocxReader
from pipeline.extraction.readers.email import (
    AppleMailReader,
    EmailReader,
    MailboxTextReader,
    OutlookReader,
    SignedFileReader,
)
from pipeline.extraction.readers.epub import EpubReader
from pipeline.extraction.readers.fictionbook import FictionBookReader
from pipeline.extraction.readers.html import HtmlReader
from pipeline.extraction.readers.json_text import JsonReader
from pipeline.extraction.readers.markup import MARKUP_READERS
from pipeline.extraction.readers.notebook import NotebookReader
from pipeline.extraction.readers.odt import OdtReader
from pipeline.extraction.readers.pdf import PdfReader
from pipeline.extraction.readers.personal import CalendarReader, ContactReader
from pipeline.extraction.readers.picture import PictureReader
from pipeline.extraction.readers.presentation import (
    OldPresentationReader,
    OpenPresentationReader,
    PresentationReader,
)
from pipeline.extraction.readers.rtf import RtfReader
from pipeline.extraction.readers.source_code import SourceCodeReader
from pipeline.extraction.readers.spreadsheet import (
    ExcelXmlReader,
    OldWorkbookReader,
    OpenSpreadsheetReader,
    WorkbookReader,
)
from pipeline.extraction.readers.subtitles import SubtitleReader
from pipeline.extraction.readers.text import MarkdownReader, TextReader
from pipeline.extraction.readers.web_archive import WebArchiveReader
from pipeline.extraction.readers.xml_text import XmlReader
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
_text, _subtitles, _picture = TextReader(), SubtitleReader(), PictureReader()
_open_presentation = OpenPresentationReader()
_PICTURES = ("png", "jpeg", "gif", "tiff", "webp", "bmp", "jp2")

READERS: Mapping[str, FormatReader] = {
    "text/plain": _text,
    "text/csv": DelimitedReader(),
    **MARKUP_READERS,
    "text/vtt": _subtitles,
    "application/x-subrip": _subtitles,
    "text/x-ssa": _subtitles,
    **dict.fromkeys((f"text/x-{language}" for language in SOURCE_CODE), SourceCodeReader()),
    "application/json": JsonReader(),
    "application/xml": XmlReader(),
    **{f"image/{name}": _picture for name in _PICTURES},
    "text/markdown": MarkdownReader(),
    "text/html": HtmlReader(),
    "message/rfc822": EmailReader(),
    "message/x-emlx": AppleMailReader(),
    "application/mbox": MailboxTextReader(),
    "application/pkcs7-mime": SignedFileReader(),
    "text/calendar": CalendarReader(),
    "text/vcard": ContactReader(),
    "application/pdf": PdfReader(),
    _OPENXML + "presentationml.presentation": PresentationReader(),
    _ODF + "presentation": _open_presentation,
    _ODF + "graphics": _open_presentation,
    _OPENXML + "wordprocessingml.document": DocxReader(lambda data, detected: _inside(data, detected)),
    _OPENXML + "spreadsheetml.sheet": WorkbookReader(),
    _ODF + "text": OdtReader(),
    _ODF + "spreadsheet": OpenSpreadsheetReader(),
    "application/epub+zip": EpubReader(),
    "application/rtf": RtfReader(),
    "application/msword": DocReader(),
    "application/vnd.ms-excel": OldWorkbookReader(),
    "application/x-spreadsheetml+xml": ExcelXmlReader(),
    "application/vnd.ms-powerpoint": OldPresentationReader(),
    "application/vnd.ms-outlook": OutlookReader(),
    "application/x-ipynb+json": NotebookReader(),
    "application/x-fictionbook+xml": FictionBookReader(),
    "application/docbook+xml": DocBookReader(),
    "multipart/related": WebArchiveReader(),
}


def _inside(data: bytes, detected: Format) -> Content:
    """The content of a file inside another one. Raises ExtractError."""
    reader = READERS.get(detected.mime)
    if reader is None:
        raise ExtractError("unsupported", f"It is {detected.name}, and no text can be read from it.")
    return reader.read(data, detected)
