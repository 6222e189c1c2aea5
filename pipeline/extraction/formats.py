"""What a file is, judged by its bytes first and its name second. Pure; runs in the worker processes."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from enum import Enum

from pipeline.extraction.encoding import declared


class Kind(Enum):
    """How a file is read: TEXT and MARKDOWN as they are, DOCUMENT, PAGES and HTML by the extractor, the rest not."""

    TEXT = 1
    MARKDOWN = 2
    HTML = 3
    DOCUMENT = 4
    PAGES = 5
    GZIP = 6
    PICTURE = 7
    DAMAGED = 8
    LOCKED = 9
    BINARY = 10


@dataclass(frozen=True)
class Format:
    """`name` reads well after "This is": "a PDF document"."""

    kind: Kind
    mime: str
    name: str


_OPENXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_PDF = Format(Kind.PAGES, "application/pdf", "a PDF document")
_DOCX = Format(Kind.DOCUMENT, _OPENXML + "wordprocessingml.document", "a Word document")
_PPTX = Format(Kind.PAGES, _OPENXML + "presentationml.presentation", "a PowerPoint presentation")
_XLSX = Format(Kind.DOCUMENT, _OPENXML + "spreadsheetml.sheet", "an Excel workbook")
_EPUB = Format(Kind.DOCUMENT, "application/epub+zip", "an EPUB book")
_ODT = Format(Kind.DOCUMENT, _ODF + "text", "an OpenDocument text")
_ODS = Format(Kind.DOCUMENT, _ODF + "spreadsheet", "an OpenDocument spreadsheet")
_ODP = Format(Kind.BINARY, _ODF + "presentation", "an OpenDocument presentation")
_RTF = Format(Kind.DOCUMENT, "application/rtf", "an RTF document")
_GZIP = Format(Kind.GZIP, "application/gzip", "a gzip file")
_BINARY = Format(Kind.BINARY, "application/octet-stream", "binary data")
_ARCHIVE = Format(Kind.BINARY, "application/zip", "a ZIP archive")

_OLE = {
    ".doc": Format(Kind.DOCUMENT, "application/msword", "an old Word document"),
    ".xls": Format(Kind.DOCUMENT, "application/vnd.ms-excel", "an old Excel workbook"),
    ".ppt": Format(Kind.DOCUMENT, "application/vnd.ms-powerpoint", "an old PowerPoint presentation"),
    ".msg": Format(Kind.DOCUMENT, "application/vnd.ms-outlook", "an Outlook message"),
}
_ZIPPED = {
    ".docx": _DOCX, ".docm": _DOCX, ".dotx": _DOCX, ".pptx": _PPTX, ".pptm": _PPTX, ".ppsx": _PPTX,
    ".xlsx": _XLSX, ".xlsm": _XLSX, ".xlsb": _XLSX, ".epub": _EPUB, ".odt": _ODT, ".ods": _ODS, ".odp": _ODP,
}  # fmt: skip
_TEXTUAL = {
    ".md": Format(Kind.MARKDOWN, "text/markdown", "a Markdown text"),
    ".markdown": Format(Kind.MARKDOWN, "text/markdown", "a Markdown text"),
    ".html": Format(Kind.HTML, "text/html", "an HTML page"),
    ".htm": Format(Kind.HTML, "text/html", "an HTML page"),
    ".xhtml": Format(Kind.HTML, "text/html", "an HTML page"),
    ".eml": Format(Kind.DOCUMENT, "message/rfc822", "an e-mail"),
    ".ipynb": Format(Kind.DOCUMENT, "application/x-ipynb+json", "a Jupyter notebook"),
    ".fb2": Format(Kind.DOCUMENT, "application/x-fictionbook+xml", "a FictionBook"),
    ".rst": Format(Kind.TEXT, "text/x-rst", "a text"),
    ".csv": Format(Kind.TEXT, "text/csv", "a text"),
    ".json": Format(Kind.TEXT, "application/json", "a text"),
    ".xml": Format(Kind.TEXT, "application/xml", "a text"),
    ".py": Format(Kind.TEXT, "text/x-python", "a text"),
}
_TEXT = Format(Kind.TEXT, "text/plain", "a text")
_CLAIMS = {".pdf": _PDF, ".rtf": _RTF, **_ZIPPED, **_OLE}

_INSIDE_ZIP = {
    "word/document.xml": _DOCX,
    "ppt/presentation.xml": _PPTX,
    "xl/workbook.xml": _XLSX,
    "xl/workbook.bin": _XLSX,
}
_MAGIC: tuple[tuple[int, bytes, Kind, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n", Kind.PICTURE, "a PNG image"),
    (0, b"\xff\xd8\xff", Kind.PICTURE, "a JPEG image"),
    (0, b"GIF8", Kind.PICTURE, "a GIF image"),
    (0, b"II*\0", Kind.PICTURE, "a TIFF image"),
    (0, b"MM\0*", Kind.PICTURE, "a TIFF image"),
    (8, b"WEBP", Kind.PICTURE, "a WebP image"),
    (0, b"AT&TFORM", Kind.PICTURE, "a DjVu scan"),
    (0, b"\x7fELF", Kind.BINARY, "a program"),
    (0, b"SQLite format 3\0", Kind.BINARY, "an SQLite database"),
    (0, b"7z\xbc\xaf\x27\x1c", Kind.BINARY, "a 7-Zip archive"),
    (0, b"Rar!\x1a\x07", Kind.BINARY, "a RAR archive"),
    (0, b"\xfd7zXZ\0", Kind.BINARY, "an xz archive"),
    (0, b"BZh91AY&SY", Kind.BINARY, "a bzip2 archive"),
    (0, b"\x28\xb5\x2f\xfd", Kind.BINARY, "a Zstandard archive"),
    (257, b"ustar", Kind.BINARY, "a tar archive"),
    (0, b"OggS", Kind.BINARY, "an Ogg recording"),
    (0, b"ID3", Kind.BINARY, "an MP3 recording"),
    (4, b"ftyp", Kind.BINARY, "a video or recording"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b")) + b"\x7f"
_SAMPLE = 32_768


def detect(data: bytes, suffix: str) -> Format:
    """What `data` is; `suffix` is the lower-case end of its name, with the dot, or empty.

    DAMAGED stands for a file that its name or first bytes promise and the rest does not keep.
    """
    if b"%PDF-" in data[:1024]:
        return _PDF
    if data.startswith(b"PK\x03\x04"):
        return _zip(data, suffix)
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            return Format(Kind.LOCKED, "application/x-ole-storage", "an encrypted Office document")
        return _OLE.get(suffix, Format(Kind.BINARY, "application/x-ole-storage", "a Microsoft compound file"))
    if data.startswith(b"{\\rtf"):
        return _RTF
    if data.startswith(b"\x1f\x8b"):
        return _GZIP
    for offset, magic, kind, name in _MAGIC:
        if data.startswith(magic, offset):
            return Format(kind, "application/octet-stream", name)
    binary = _is_binary(data)
    if suffix in _CLAIMS and (binary or suffix not in _OLE):  # .doc and .msg are common names of plain texts
        return Format(Kind.DAMAGED, _CLAIMS[suffix].mime, _CLAIMS[suffix].name)
    if binary:
        return _BINARY
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if suffix not in _TEXTUAL and start.startswith((b"<!doctype html", b"<html")):
        return _TEXTUAL[".html"]
    return _TEXTUAL.get(suffix, _TEXT)


def claim(suffix: str) -> str | None:
    """What a name's end promises, when it promises a document: "a PDF document"."""
    return _CLAIMS[suffix].name if suffix in _CLAIMS else None


def _zip(data: bytes, suffix: str) -> Format:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = set(archive.namelist())
            for name, found in _INSIDE_ZIP.items():
                if name in names:
                    return found
            declared = archive.open("mimetype").read(100).strip() if "mimetype" in names else b""
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, RuntimeError):
        promised = _ZIPPED.get(suffix, _ARCHIVE)
        return Format(Kind.DAMAGED, promised.mime, promised.name)
    mime = declared.decode("ascii", "replace")
    return next((each for each in (_EPUB, _ODT, _ODS, _ODP) if each.mime == mime), _ARCHIVE)


def _is_binary(data: bytes) -> bool:
    """True when more than one byte in a hundred is a control character, at the beginning or at the end."""
    if declared(data) not in (None, "utf-8-sig"):
        return False
    for sample in (data[:_SAMPLE], data[-_SAMPLE:]):
        if 100 * (len(sample) - len(sample.translate(None, _CONTROLS))) > len(sample):
            return True
    return False
