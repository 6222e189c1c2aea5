"""Opens a PDF document with PDFium, and reads what it says of itself. Runs in the worker processes."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from pipeline.extraction.content import Attachment, ExtractError
from pipeline.extraction.pdf.annotations import utf16
from pipeline.extraction.pdf.titles import is_none, title_of
from semantik.core.metadata import clean_tags, split_tags

_MAX_ATTACHMENTS = 200
_MAX_ATTACHMENT_BYTES = 64 << 20
_PASSWORD_ERROR, _SECURITY_ERROR = 4, 5
_DATE = re.compile(r"(?:D:)?(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:(Z)|([+-])(\d\d)'?(\d\d)?)?")
_ISO_DATE = re.compile(r"\d{4}(?:-\d\d(?:-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?")
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_XMP = "{http://ns.adobe.com/xap/1.0/}"
_MAX_XMP = 1 << 20


class PdfDocument:
    """An open document; a context manager. `data` must not change while it is open.

    Raises ExtractError where it is encrypted or damaged.
    """

    def __init__(self, data: bytes) -> None:
        import pypdfium2.raw as raw  # loads and sets up the library

        self.raw: Any = raw
        self._data = data
        self.handle = raw.FPDF_LoadMemDocument64(data, len(data), None)
        if not self.handle:
            raise _refusal(raw.FPDF_GetLastError())
        self.page_count: int = raw.FPDF_GetPageCount(self.handle)
        self.has_attachments: bool = raw.FPDFDoc_GetAttachmentCount(self.handle) > 0
        self.is_tagged: bool = raw.FPDFCatalog_IsTagged(self.handle) != 0
        self.form: Any = None
        if raw.FPDF_GetFormType(self.handle) != raw.FORMTYPE_NONE:
            self._form_info = raw.FPDF_FORMFILLINFO(version=2)
            self.form = raw.FPDFDOC_InitFormFillEnvironment(self.handle, self._form_info)

    def __enter__(self) -> PdfDocument:
        return self

    def __exit__(self, *_: object) -> None:
        if self.form:
            self.raw.FPDFDOC_ExitFormFillEnvironment(self.form)
        self.raw.FPDF_CloseDocument(self.handle)

    def label(self, page: int) -> str | None:
        """The label of a page, by its index, where it is not its number."""
        label = utf16(self.raw.FPDF_GetPageLabel, self.handle, page)
        return label if label and label != str(page + 1) else None

    def metadata(self) -> tuple[str | None, str | None, str | None]:
        """Title, author and date of the document, from its information dictionary or its XMP packet."""
        title, author = (self._meta(key) for key in (b"Title", b"Author"))
        date = _iso_date(self._meta(b"CreationDate")) or _iso_date(self._meta(b"ModDate"))
        if not (title and author and date):
            found = _xmp(self._data)
            title, author, date = title or found[0], author or found[1], date or found[2]
        return title_of(title) or None, None if is_none(author) else author, date or None

    def keywords(self) -> tuple[str, ...]:
        """The keywords of the information dictionary, else of the XMP packet."""
        stated = split_tags(self._meta(b"Keywords"))
        return stated or clean_tags(_items(_xmp_root(self._data), _DC + "subject"))

    def attachments(self) -> Iterator[Attachment]:
        """The files of the document's list of embedded files."""
        raw = self.raw
        for at in range(min(raw.FPDFDoc_GetAttachmentCount(self.handle), _MAX_ATTACHMENTS)):
            attachment = raw.FPDFDoc_GetAttachment(self.handle, at)
            if attachment:
                yield self._attachment(attachment)

    def attached_to_page(self, page: int, annotations: list[int]) -> Iterator[Attachment]:
        """The files of the annotations of a page, by their indexes."""
        raw = self.raw
        opened = raw.FPDF_LoadPage(self.handle, page)
        if not opened:
            return
        try:
            for at in annotations:
                annotation = raw.FPDFPage_GetAnnot(opened, at)
                if annotation:
                    attachment = raw.FPDFAnnot_GetFileAttachment(annotation)
                    if attachment:
                        yield self._attachment(attachment)
                    raw.FPDFPage_CloseAnnot(annotation)
        finally:
            raw.FPDF_ClosePage(opened)

    def xfa_data(self) -> str | None:
        """The values of a dynamic form of XML, a line each; None where the document is none."""
        raw = self.raw
        if raw.FPDF_GetFormType(self.handle) not in (raw.FORMTYPE_XFA_FULL, raw.FORMTYPE_XFA_FOREGROUND):
            return None
        for at in range(min(raw.FPDF_GetXFAPacketCount(self.handle), 50)):
            name = _narrow(raw.FPDF_GetXFAPacketName, self.handle, at)
            if name == b"datasets":
                return _values(_content(raw, self.handle, at))
        return ""

    def _attachment(self, attachment: Any) -> Attachment:
        raw = self.raw
        name = utf16(raw.FPDFAttachment_GetName, attachment)
        size = ctypes.c_ulong()
        if (
            not raw.FPDFAttachment_GetFile(attachment, None, 0, size)
            or not 0 < size.value <= _MAX_ATTACHMENT_BYTES
        ):
            return Attachment(name or "file", b"")
        buffer = ctypes.create_string_buffer(size.value)
        raw.FPDFAttachment_GetFile(attachment, buffer, size.value, size)
        return Attachment(name.replace("\\", "/").rpartition("/")[2] or "file", buffer.raw[: size.value])

    def _meta(self, key: bytes) -> str:
        text = utf16(self.raw.FPDF_GetMetaText, self.handle, key)
        return " ".join(text.replace("\x00", " ").split())[:1000]


def _refusal(error: int) -> ExtractError:
    if error in (_PASSWORD_ERROR, _SECURITY_ERROR):
        return ExtractError(
            "corrupt", "This is a PDF document that is encrypted and cannot be read without its password."
        )
    return ExtractError("corrupt", "This is a PDF document that is damaged and cannot be read.")


def _iso_date(text: str) -> str:
    """A date of the information dictionary, like D:20260314093000+01'00', in ISO 8601; empty if it is none."""
    found = _DATE.match(text)
    if found is None:
        return text if _ISO_DATE.fullmatch(text) else ""
    year, month, day, hour, minute, second, utc, sign, zone_hours, zone_minutes = found.groups()
    if not (1 <= int(month or 1) <= 12 and 1 <= int(day or 1) <= 31 and int(year) > 1900):
        return ""
    date = "-".join(part for part in (year, month, day) if part)
    if not (day and hour and minute):
        return date
    zone = "Z" if utc else f"{sign}{zone_hours}:{zone_minutes or '00'}" if sign else ""
    return f"{date}T{hour}:{minute}:{second or '00'}{zone}"


def _xmp(data: bytes) -> tuple[str, str, str]:
    """Title, author and date of the first XMP packet that is not compressed; empty strings where it has none."""
    root = _xmp_root(data)
    if root is None:
        return "", "", ""
    title, author = (_first_item(root, _DC + tag) for tag in ("title", "creator"))
    dates = [node.text or "" for node in root.iter(_XMP + "CreateDate")]
    dates += [node.get(_XMP + "CreateDate", "") for node in root.iter(_RDF + "Description")]
    return title, author, next((date for date in dates if _ISO_DATE.fullmatch(date)), "")


def _xmp_root(data: bytes) -> ElementTree.Element | None:
    start = data.find(b"<x:xmpmeta")
    end = data.find(b"</x:xmpmeta>", start)
    if start < 0 or not start < end < start + _MAX_XMP or b"<!" in data[start:end]:
        return None
    try:
        return ElementTree.fromstring(data[start : end + len(b"</x:xmpmeta>")])
    except (ElementTree.ParseError, ValueError):
        return None


def _first_item(root: ElementTree.Element, tag: str) -> str:
    return " ".join(next(_items(root, tag), "").split())


def _items(root: ElementTree.Element | None, tag: str) -> Iterator[str]:
    if root is not None:
        yield from (item.text or "" for node in root.iter(tag) for item in node.iter(_RDF + "li"))


def _narrow(function: Any, *arguments: Any) -> bytes:
    size = function(*arguments, None, 0)
    if not 0 < size < 1000:
        return b""
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, buffer, size)
    return buffer.raw.rstrip(b"\x00")


def _content(raw: Any, document: Any, packet: int) -> bytes:
    size = ctypes.c_ulong()
    if not raw.FPDF_GetXFAPacketContent(document, packet, None, 0, size) or not 0 < size.value < 8 << 20:
        return b""
    buffer = ctypes.create_string_buffer(size.value)
    raw.FPDF_GetXFAPacketContent(document, packet, buffer, size.value, size)
    return buffer.raw


def _values(xml: bytes) -> str:
    """The leaves of an XML document as "name: value"."""
    if b"<!" in xml:
        return ""
    try:
        root = ElementTree.fromstring(xml.rstrip(b"\x00"))
    except (ElementTree.ParseError, ValueError):
        return ""
    lines = []
    for node in root.iter():
        text = " ".join((node.text or "").split())
        if text and not len(node):
            lines.append(f"{node.tag.rpartition('}')[2]}: {text}")
    return "\n".join(lines)
