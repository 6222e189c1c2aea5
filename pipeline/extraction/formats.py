"""Which format a file has, judged by its bytes first and its name second. Pure; runs in the worker processes.

Also knows formats that nothing reads, so that an error can name them. Which reader reads a MIME type is the table's in
`format_reader.py`.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from dataclasses import replace
from typing import BinaryIO

from pipeline.extraction import utf_16
from pipeline.extraction.encoding import encoding_of_mark
from pipeline.extraction.file_format import Condition, Format
from pipeline.extraction.mail_formats import BY_MAIL_SUFFIX, mail_format
from pipeline.extraction.text_formats import BY_TEXT_SUFFIX, text_format

__all__ = [
    "GZIP",
    "TAR",
    "ZIP_STARTS",
    "Condition",
    "Format",
    "detect",
    "expected_name",
    "known_suffixes",
    "zip_format",
]

_OCTETS = "application/octet-stream"
_OPENXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_PDF = Format("application/pdf", "a PDF document")
_DOCX = Format(_OPENXML + "wordprocessingml.document", "a Word document")
_PPTX = Format(_OPENXML + "presentationml.presentation", "a PowerPoint presentation")
_XLSX = Format(_OPENXML + "spreadsheetml.sheet", "an Excel workbook")
_EPUB = Format("application/epub+zip", "an EPUB book")
_ODT = Format(_ODF + "text", "an OpenDocument text")
_ODS = Format(_ODF + "spreadsheet", "an OpenDocument spreadsheet")
_ODP = Format(_ODF + "presentation", "an OpenDocument presentation")
_RTF = Format("application/rtf", "an RTF document")
_ODG = Format(_ODF + "graphics", "an OpenDocument drawing")
_WORD = Format("application/msword", "an old Word document")
_VISIO = Format("application/vnd.ms-visio.drawing.main+xml", "a Visio drawing")
_XMIND = Format("application/vnd.xmind.workbook", "an XMind map")
_ANKI = Format("application/vnd.anki", "an Anki package")
_PAGES = Format("application/vnd.apple.pages", "a Pages document")
_NUMBERS = Format("application/vnd.apple.numbers", "a Numbers spreadsheet")
_KEYNOTE = Format("application/vnd.apple.keynote", "a Keynote presentation")
GZIP = Format("application/gzip", "a gzip file")
TAR = Format("application/x-tar", "a tar archive")
_BINARY = Format(_OCTETS, "binary data")
_ARCHIVE = Format("application/zip", "a ZIP archive")

_OLE = {
    ".doc": _WORD,
    ".dot": _WORD,
    ".xls": Format("application/vnd.ms-excel", "an old Excel workbook"),
    ".ppt": Format("application/vnd.ms-powerpoint", "an old PowerPoint presentation"),
    ".msg": Format("application/vnd.ms-outlook", "an Outlook message"),
}
_OLE_STREAMS = (
    ("__properties_version1.0", ".msg"),
    ("PowerPoint Document", ".ppt"),
    ("WordDocument", ".doc"),
    ("Workbook", ".xls"),
)
_ZIPPED = {
    ".docx": _DOCX, ".docm": _DOCX, ".dotx": _DOCX, ".dotm": _DOCX,
    ".pptx": _PPTX, ".pptm": _PPTX, ".ppsx": _PPTX, ".ppsm": _PPTX, ".potx": _PPTX, ".potm": _PPTX,
    ".xlsx": _XLSX, ".xlsm": _XLSX, ".xlsb": _XLSX, ".xltx": _XLSX, ".xltm": _XLSX, ".epub": _EPUB,
    ".odt": _ODT, ".ott": _ODT, ".odm": _ODT, ".ods": _ODS, ".ots": _ODS, ".odp": _ODP, ".otp": _ODP,
    ".odg": _ODG, ".otg": _ODG, ".vsdx": _VISIO, ".vsdm": _VISIO, ".vstx": _VISIO, ".xmind": _XMIND,
    ".pages": _PAGES, ".numbers": _NUMBERS, ".apkg": _ANKI, ".colpkg": _ANKI,
}  # fmt: skip
_FLAT = {".fodt": _ODT, ".fods": _ODS, ".fodp": _ODP, ".fodg": _ODG}  # OpenDocument as one XML file
_BY_SUFFIX = {".pdf": _PDF, ".rtf": _RTF, **_ZIPPED, **_FLAT, **_OLE}

_IWORK = {".numbers": _NUMBERS, ".key": _KEYNOTE}  # a text named .key is one, as keys are
_INSIDE_ZIP = {
    "word/document.xml": _DOCX,
    "ppt/presentation.xml": _PPTX,
    "xl/workbook.xml": _XLSX,
    "xl/workbook.bin": _XLSX,
    "visio/document.xml": _VISIO,
}
# The main parts by their types, for the packages that name them in another way. "addin" holds no document.
_MAIN_PART = re.compile(
    rb"(wordprocessingml|ms-word|presentationml|ms-powerpoint|spreadsheetml|ms-excel)"
    rb"\.(?:document|template|sheet|presentation|slideshow)[.\w]*\.?main(?:\+xml)?[\"']"
)
_BY_MAIN_PART = {
    b"wordprocessingml": _DOCX, b"ms-word": _DOCX, b"presentationml": _PPTX, b"ms-powerpoint": _PPTX,
    b"spreadsheetml": _XLSX, b"ms-excel": _XLSX,
}  # fmt: skip
_OPEN_DOCUMENT = re.compile(
    rb"application/vnd\.oasis\.opendocument\.(text|spreadsheet|presentation|graphics)(?:-template|-master|-web)*"
)
_BY_KIND = {b"text": _ODT, b"spreadsheet": _ODS, b"presentation": _ODP, b"graphics": _ODG}
_FLAT_START = re.compile(rb"<(?:\w+:)?document\s[^>]*?mimetype=[\"']([^\"']+)")
_MAGIC: tuple[tuple[int, bytes, Format], ...] = (
    (0, b"{\\rtf", _RTF),
    (0, b"\x1f\x8b", GZIP),
    (0, b"\x89PNG\r\n\x1a\n", Format("image/png", "a PNG image")),
    (0, b"\xff\xd8\xff", Format("image/jpeg", "a JPEG image")),
    (0, b"GIF8", Format("image/gif", "a GIF image")),
    (0, b"II*\0", Format("image/tiff", "a TIFF image")),
    (0, b"MM\0*", Format("image/tiff", "a TIFF image")),
    (0, b"II+\0", Format("image/tiff", "a TIFF image")),
    (0, b"MM\0+", Format("image/tiff", "a TIFF image")),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Format("image/jp2", "a JPEG 2000 image")),
    (8, b"WEBP", Format("image/webp", "a WebP image")),
    (0, b"AT&TFORM", Format("image/vnd.djvu", "a DjVu scan")),
    (0, b"\x7fELF", Format(_OCTETS, "a program")),
    (0, b"SQLite format 3\0", Format(_OCTETS, "an SQLite database")),
    (0, b"7z\xbc\xaf\x27\x1c", Format(_OCTETS, "a 7-Zip archive")),
    (0, b"Rar!\x1a\x07", Format(_OCTETS, "a RAR archive")),
    (0, b"\xfd7zXZ\0", Format(_OCTETS, "an xz archive")),
    (0, b"BZh91AY&SY", Format(_OCTETS, "a bzip2 archive")),
    (0, b"\x28\xb5\x2f\xfd", Format(_OCTETS, "a Zstandard archive")),
    (257, b"ustar", TAR),
    (0, b"!BDN", Format(_OCTETS, "an Outlook data file")),
    (0, b"\xcf\xad\x12\xfe", Format(_OCTETS, "a mail folder of Outlook Express")),
    (0, b"OggS", Format(_OCTETS, "an Ogg recording")),
    (0, b"ID3", Format(_OCTETS, "an MP3 recording")),
    (4, b"ftyp", Format(_OCTETS, "a video or recording")),
)
ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06")  # the latter is an archive without files
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\v\f\r\b\x1b")) + b"\x7f"
_SAMPLE = 32_768


def detect(data: bytes, suffix: str) -> Format:
    """What `data` is; `suffix` is the lower-case end of its name, with the dot, or empty."""
    if data.startswith(ZIP_STARTS):  # before PDF: the first file in an archive may be one
        return zip_format(io.BytesIO(data), suffix)
    if b"%PDF-" in data[:1024]:
        return _PDF
    if data.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        if "EncryptedPackage".encode("utf-16-le") in data:
            return Format("application/x-ole-storage", "an encrypted Office document", Condition.LOCKED)
        return _OLE.get(suffix) or _compound(data)
    for offset, magic, found in _MAGIC:
        if data.startswith(magic, offset):
            return found
    if data.startswith(b"BM") and data[6:10] == bytes(4) and len(data) > 26:  # two reserved fields
        return Format("image/bmp", "a BMP image")
    if mail := mail_format(data, suffix):
        return mail
    binary = _is_binary(data)
    flat = None if binary else _FLAT_START.search(data[:_SAMPLE])
    if flat and (document := _open_document(flat[1])):
        return document
    if suffix in _BY_SUFFIX and (
        binary or suffix not in _OLE
    ):  # .doc and .msg are common names of plain texts
        return replace(_BY_SUFFIX[suffix], condition=Condition.DAMAGED)
    if binary:
        return _BINARY
    return text_format(data, suffix)


def expected_name(suffix: str) -> str | None:
    """The format that a suffix stands for, if it stands for a document: "a PDF document"."""
    return _BY_SUFFIX[suffix].name if suffix in _BY_SUFFIX else None


def known_suffixes() -> dict[str, str]:
    """The MIME types that suffixes stand for, by suffix with its dot; not those of formats known by content alone."""
    named = {**BY_TEXT_SUFFIX, **BY_MAIL_SUFFIX, **_BY_SUFFIX, **_IWORK}
    return {suffix: found.mime for suffix, found in named.items()}


def _compound(data: bytes) -> Format:
    """A compound file whose name says nothing, by the name of its main stream."""
    for name, suffix in _OLE_STREAMS:
        if (name + "\0").encode("utf-16-le") in data:
            return _OLE[suffix]
    return Format("application/x-ole-storage", "a Microsoft compound file")


def zip_format(file: BinaryIO, suffix: str) -> Format:
    """What a file that begins like a ZIP archive is."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            for name, found in _INSIDE_ZIP.items():
                if name in names:
                    return found
            if suffix == ".xmind" and names & {"content.json", "content.xml"}:
                return _XMIND
            if any(name.endswith(".iwa") for name in names):
                locked = any(name.endswith(".iwpv2") for name in names)
                return replace(
                    _IWORK.get(suffix, _PAGES), condition=Condition.LOCKED if locked else Condition.SOUND
                )
            if "media" in names and any(name.startswith("collection.anki2") for name in names):
                return _ANKI
            declared = _start(archive, "mimetype") if "mimetype" in names else b""
            if declared.strip() == _EPUB.mime.encode():
                return _EPUB
            if "content.xml" in names and "META-INF/manifest.xml" in names:
                declared = declared or _start(archive, "META-INF/manifest.xml")
            if opened := _open_document(declared):
                return opened
            types = _start(archive, "[Content_Types].xml") if "[Content_Types].xml" in names else b""
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, ValueError, RuntimeError, EOFError):
        return replace(_ZIPPED.get(suffix, _ARCHIVE), condition=Condition.DAMAGED)
    main = _MAIN_PART.search(types)
    return _BY_MAIN_PART[main[1]] if main else _ARCHIVE


def _start(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        return file.read(_SAMPLE)


def _open_document(declared: bytes) -> Format | None:
    found = _OPEN_DOCUMENT.search(declared)
    return _BY_KIND[found[1]] if found else None


def _is_binary(data: bytes) -> bool:
    """True when more than one byte in a hundred is a control character, at the beginning or at the end."""
    if encoding_of_mark(data) not in (None, "utf-8-sig") or utf_16.unmarked(data):
        return False
    for sample in (data[:_SAMPLE], data[-_SAMPLE:]):
        if 100 * (len(sample) - len(sample.translate(None, _CONTROLS))) > len(sample):
            return True
    return False
