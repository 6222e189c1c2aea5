"""Every reader: small valid files, damaged files, and the stored reader version."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import xlwt
from support import anki_files, iwork_files
from support.compound import Outlook
from support.diagrams import visio, xmind
from support.extracted import NOISE, PNG, zipped
from support.old_word import OldWord
from support.powerpoint import OldSlide, powerpoint
from support.scans import encoded, page
from support.server import SAMPLES

from pipeline.extraction import formats
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.format_reader import READERS
from pipeline.extraction.formats import Condition
from pipeline.extraction.text_formats import SOURCE_CODE

CATEGORIES = {"unsupported", "corrupt", "too_large", "internal", "empty"}
_OFFICE = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."


def _sample(name: str) -> tuple[str, bytes]:
    return name, (SAMPLES / name).read_bytes()


def _open_document(kind: str, body: str) -> bytes:
    namespace = "urn:oasis:names:tc:opendocument:xmlns:"
    namespaces = " ".join(f'xmlns:{name}="{namespace}{name}:1.0"' for name in ("office", "text", "table"))
    namespaces += f' xmlns:draw="{namespace}drawing:1.0"'
    content = (
        f"<office:document-content {namespaces}><office:body>{body}</office:body></office:document-content>"
    )
    files = f'<manifest xmlns="{namespace}manifest:1.0"/>'
    return zipped(mimetype=_ODF + kind, content_xml=content, **{"META-INF/manifest_xml": files})


_ODT = "<office:text><text:h text:outline-level='1'>Harbour</text:h><text:p>A lantern.</text:p></office:text>"
_ODS = (
    "<office:spreadsheet><table:table table:name='Stock'><table:table-row>"
    "<table:table-cell office:value-type='string'><text:p>lantern</text:p></table:table-cell>"
    "</table:table-row></table:table></office:spreadsheet>"
)
_ODP = (
    "<office:presentation><draw:page draw:name='one'><draw:frame><draw:text-box><text:p>A lantern.</text:p>"
    "</draw:text-box></draw:frame></draw:page></office:presentation>"
)
_EXCEL_XML = (
    b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">'
    b"<Worksheet><Table><Row><Cell><Data>lantern</Data></Cell></Row></Table></Worksheet></Workbook>"
)
_ODG = _ODP.replace("office:presentation", "office:drawing")


def _old_workbook() -> bytes:
    book = xlwt.Workbook()
    book.add_sheet("Stock").write(0, 0, "lantern")
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


_NOTEBOOK = {
    "cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Harbour\n", "A lantern."]}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
_FICTION_BOOK = (
    '<?xml version="1.0" encoding="utf-8"?><FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0">'
    "<description><title-info><book-title>Harbour</book-title></title-info></description>"
    "<body><section><title><p>Pier</p></title><p>A lantern.</p></section></body></FictionBook>"
)

_MAIL = b"From: a@b.example\nMessage-ID: <1@b.example>\nSubject: Harbour\n\nA lantern.\n"
_APPLE_MAIL = b"%d      \n%s<?xml version='1.0'?><plist version='1.0'><dict/></plist>\n" % (len(_MAIL), _MAIL)
_MAILBOX = b"From a@b.example Tue Mar  3 10:00:00 2026\n" + _MAIL + b"\n"
_SIGNED = (
    bytes.fromhex("304906092a864886f70d010702a03c303a0201013100303306092a864886f70d010701a0260424")
    + b"Content-Type: text/plain\n\nA lantern."
)
_CALENDAR = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:A lantern\nEND:VEVENT\nEND:VCALENDAR\n"
_DOC_BOOK = (
    '<?xml version="1.0"?><article xmlns="http://docbook.org/ns/docbook" version="5.0"><title>Harbour</title>'
    "<para>A lantern.</para></article>"
)
_WEB_ARCHIVE = (
    "From: <Saved by Blink>\nMIME-Version: 1.0\nContent-Type: multipart/related; boundary=b\n\n--b\n"
    "Content-Type: text/html; charset=utf-8\n\n<h1>Harbour</h1><p>A lantern.</p>\n--b--\n"
)

# The text of pictures is recognised later.
_PICTURES = {
    f"image/{kind}": ((f"a.{kind}", encoded(page(["A lantern."], 12), kind.replace("jp2", "jpeg2000"))), "")
    for kind in ("png", "jpeg", "gif", "tiff", "webp", "bmp", "jp2")
}

# MIME type: a small valid file, and a word that its text must contain.
VALID: dict[str, tuple[tuple[str, bytes], str]] = {
    "text/plain": (_sample("night-log.txt"), "spider"),
    "text/csv": (("a.csv", b"name,count\nlantern,3\n"), "lantern"),
    "text/x-rst": (("a.rst", b"Harbour\n=======\n\nA lantern.\n"), "lantern"),
    "text/org": (("a.org", b"* Harbour\n\nA lantern.\n"), "lantern"),
    "text/asciidoc": (("a.adoc", b"= Harbour\n\nA lantern.\n"), "lantern"),
    "text/x-tex": (("a.tex", b"\\section{Harbour}\n\nA lantern.\n"), "lantern"),
    "text/x-bibtex": (("a.bib", b"@book{a, title = {A lantern}}\n"), "lantern"),
    "text/troff": (("a.1", b".TH HARBOUR 1\n.SH NAME\nA lantern.\n"), "lantern"),
    "text/vtt": (("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nA lantern.\n"), "lantern"),
    "application/x-subrip": (("a.srt", b"1\n00:00:01,000 --> 00:00:02,000\nA lantern.\n"), "lantern"),
    "text/x-ssa": (
        ("a.ass", b"[Events]\nDialogue: 0,0:00:01.00,0:00:02.00,,,0,0,0,,A lantern.\n"),
        "lantern",
    ),
    **{
        f"text/x-{language}": ((f"a{suffixes.split()[0]}", b"lantern = 3\n"), "lantern")
        for language, suffixes in SOURCE_CODE.items()
    },
    "application/json": (("a.json", b'{"lantern": 3}'), "lantern"),
    "application/xml": (("a.xml", b"<a>lantern</a>"), "lantern"),
    "text/markdown": (_sample("welcome.md"), "litres"),
    "text/html": (_sample("visitor-rules.html"), "Dogs"),
    "message/rfc822": (_sample("storm-report.eml"), "178 km/h"),
    "message/x-emlx": (("a.emlx", _APPLE_MAIL), "lantern"),
    "application/mbox": (("Inbox", _MAILBOX), "lantern"),
    **_PICTURES,
    "text/calendar": (("a.ics", _CALENDAR), "lantern"),
    "application/pkcs7-mime": (("a.p7m", _SIGNED), "lantern"),
    "application/vnd.ms-outlook": (
        ("a.msg", Outlook({0x0037: "Harbour", 0x1000: "A lantern."}).file()),
        "lantern",
    ),
    "text/vcard": (("a.vcf", b"BEGIN:VCARD\nVERSION:3.0\nFN:Ada\nNOTE:A lantern\nEND:VCARD\n"), "lantern"),
    "application/pdf": (_sample("power-and-heating.pdf"), "red lamp"),
    _OFFICE + "presentationml.presentation": (_sample("visitor-night.pptx"), "brass telescope"),
    _OFFICE + "wordprocessingml.document": (_sample("telescope-procedures.docx"), "140 turns"),
    _OFFICE + "spreadsheetml.sheet": (_sample("stores.xlsx"), "Glow plug"),
    _ODF + "text": (("a.odt", _open_document("text", _ODT)), "lantern"),
    _ODF + "spreadsheet": (("a.ods", _open_document("spreadsheet", _ODS)), "lantern"),
    _ODF + "presentation": (("a.odp", _open_document("presentation", _ODP)), "lantern"),
    "application/vnd.ms-visio.drawing.main+xml": (("a.vsdx", visio([("Harbour", "A lantern")])), "lantern"),
    **{
        f"application/vnd.apple.{name}": ((f"a.{suffix}", iwork_files.lone_text("A lantern")), "lantern")
        for name, suffix in (("pages", "pages"), ("numbers", "numbers"), ("keynote", "key"))
    },
    "application/vnd.anki": (
        ("a.apkg", anki_files.package(collection_anki2=anki_files.collection([(1, "A lantern|", "", 6)]))),
        "lantern",
    ),
    "application/jats+xml": (
        (
            "a.xml",
            b'<article dtd-version="1.3"><front><article-meta/></front><body><p>A lantern</p></body></article>',
        ),
        "lantern",
    ),
    "application/tei+xml": (("a.tei", b"<TEI><text><p>A lantern</p></text></TEI>"), "lantern"),
    "application/vnd.xmind.workbook": (("a.xmind", xmind({"title": "A lantern"})), "lantern"),
    _ODF + "graphics": (("a.odg", _open_document("graphics", _ODG)), "lantern"),
    "application/vnd.ms-powerpoint": (("a.ppt", powerpoint([OldSlide([(0, "A lantern", None)])])), "lantern"),
    "application/x-spreadsheetml+xml": (("a.xml", _EXCEL_XML), "lantern"),
    "application/vnd.ms-excel": (("a.xls", _old_workbook()), "lantern"),
    "application/epub+zip": (_sample("kitchen-recipes.epub"), "lentils"),
    "application/msword": (("a.doc", OldWord("Harbour\rA lantern.\r").bytes()), "lantern"),
    "application/rtf": (("a.rtf", rb"{\rtf1\ansi Harbour\par A lantern.\par}"), "lantern"),
    "application/x-ipynb+json": (("a.ipynb", json.dumps(_NOTEBOOK).encode()), "lantern"),
    "application/x-fictionbook+xml": (("a.fb2", _FICTION_BOOK.encode()), "lantern"),
    "application/docbook+xml": (("a.xml", _DOC_BOOK.encode()), "lantern"),
    "multipart/related": (("a.mhtml", _WEB_ARCHIVE.encode()), "lantern"),
}
# The signature of an old Office file, and zeros.
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000)


def _suffix(name: str) -> str:
    return Path(name).suffix


def _read(mime: str, data: bytes, suffix: str) -> Content:
    """The content that the MIME type's reader extracts, whatever the data is. Only ExtractError is an allowed error."""
    found = formats.detect(data, suffix)
    if found.mime != mime:
        found = formats.Format(mime, "a file")
    content = READERS[mime].read(data, found)
    list(content.attachments)
    return content


def test_every_supported_mime_type_has_a_test_file() -> None:
    assert VALID.keys() == READERS.keys()
    assert {READERS[mime].name for mime in VALID} == {reader.name for reader in READERS.values()}


@pytest.mark.parametrize("mime", READERS)
def test_every_supported_mime_type_is_detected(mime: str) -> None:
    name, data = VALID[mime][0]
    found = formats.detect(data, _suffix(name))
    assert (found.mime, found.condition) == (mime, Condition.SOUND)


@pytest.mark.parametrize("mime", VALID)
def test_a_valid_file_gives_its_text(mime: str) -> None:
    (name, data), word = VALID[mime]
    content = _read(mime, data, _suffix(name))
    assert word in content.text
    assert content.title is None or content.title == content.title.strip() != ""
    assert content.warnings == ()
    offsets = [offset for _, offset in content.pages]
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= len(content.text) for offset in offsets)
    assert [number for number, _ in content.pages] == list(range(1, len(content.pages) + 1))


@pytest.mark.parametrize("mime", READERS)
def test_empty_and_damaged_files_give_text_or_raise_extract_error(mime: str) -> None:
    name, data = VALID[mime][0]
    inputs = [
        b"", b"\n", b"Only some words.", PNG, bytes(3000), NOISE,
        data[: len(data) // 2], data[:100] + NOISE, data[:-20] + NOISE[:20], zipped(a="text"),
    ]  # fmt: skip
    for each in [*inputs, _OLE]:
        try:
            content = _read(mime, each, _suffix(name))
        except ExtractError as error:
            assert error.category in CATEGORIES
            assert error.message.endswith(".")
        else:
            assert isinstance(content.text, str)


def test_reader_names_are_unique() -> None:
    readers = set(READERS.values())
    assert len({reader.name for reader in readers}) == len(readers)
    assert all(reader.version >= 1 for reader in readers)
