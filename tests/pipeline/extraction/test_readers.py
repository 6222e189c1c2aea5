"""Every reader: small valid files, damaged files, and the stored reader version."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
import xlwt
from support.compound import Outlook
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
from pipeline.extraction.version import current_versions, reader_version, version_for, version_of

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


@dataclass(frozen=True)
class _Reader:
    name: str
    version: int = 1
    libraries: tuple[str, ...] = ()

    def read(self, data: bytes, found: formats.Format) -> Content:
        return Content("")


def test_the_version_of_a_format_names_its_reader_and_libraries() -> None:
    for mime, reader in READERS.items():
        if mime in ("message/rfc822", "application/vnd.ms-outlook"):  # any reader may read their attachments
            assert version_for(mime) == reader_version()
            continue
        assert {
            f"{reader.name}-{reader.version}",
            f"semantic-text-splitter-{version('semantic-text-splitter')}",
            *(f"{name}-{version(name)}" for name in reader.libraries),
        } <= {*version_for(mime).split()}
        assert version_for(mime) in current_versions()
    assert version_for(None) == version_for("no/such-type") == reader_version() in current_versions()


def test_every_reader_and_its_libraries_are_part_of_the_reader_version() -> None:
    current = version_of(READERS.values())
    for mime, reader in READERS.items():
        newer = _Reader(reader.name, reader.version + 1, reader.libraries)
        others = [each for each in READERS.values() if each.name != reader.name]
        assert version_of([*others, newer]) != current, mime
        assert version_of(others) != current, mime
        assert version_of([*others, _Reader(reader.name, reader.version, ("pytest",))]) != current, mime
    assert version_of([*READERS.values(), _Reader("another")]) != current
    assert version_of(reversed(READERS.values())) == current


# MIME type: the reader with its versions, and the digest of its output for the file in VALID.
TEXTS = {
    **dict.fromkeys(_PICTURES, "picture-1 935b02b6907b"),
    "text/x-ssa": "subtitles-1 726f84136032",
    "application/x-subrip": "subtitles-1 726f84136032",
    "text/vtt": "subtitles-1 726f84136032",
    "text/troff": "man-page-1 669499c001d3",
    "text/x-bibtex": "bibtex-1 db0560cf2695",
    "text/x-tex": "latex-2 162c55011a49",
    "text/asciidoc": "asciidoc-1 06b3ede82f17",
    "text/org": "org-1 162c55011a49",
    "text/plain": "text-2 d3e7d13b902e",
    "text/csv": "delimited-1 charset-normalizer-3.5.2 9fe5b0b7e343",
    "text/x-rst": "restructured-text-1 06b3ede82f17",
    **{f"text/x-{language}": "source-code-1 2bb2c9b3a66f" for language in SOURCE_CODE},
    "application/json": "json-2 cba2ba6a5696",
    "application/xml": "xml-1 selectolax-1.0.2 ab065e074a58",
    "text/markdown": "markdown-3 selectolax-1.0.2 81b7036740aa",
    "application/docbook+xml": "docbook-1 selectolax-1.0.2 06b3ede82f17",
    "multipart/related": "web-archive-1 selectolax-1.0.2 06b3ede82f17",
    "text/html": "html-2 selectolax-1.0.2 425678c61554",
    "message/rfc822": "email-3 selectolax-1.0.2 28c78c45e14b",
    "application/pkcs7-mime": "signed-2 selectolax-1.0.2 b48cefababb6",
    "message/x-emlx": "emlx-2 selectolax-1.0.2 a2ef521f0264",
    "application/mbox": "mailbox-2 selectolax-1.0.2 640f9de59347",
    "text/calendar": "calendar-1 selectolax-1.0.2 89dd67bdf414",
    "text/vcard": "contacts-1 1cd1a9a3e3d3",
    "application/vnd.ms-outlook": "outlook-2 olefile-0.47 selectolax-1.0.2 24316059be99",
    "application/pdf": "pdf-3 pypdf-7.1.0 pypdfium2-5.15.2 cd1e5c66e9e0",
    _OFFICE + "presentationml.presentation": "presentation-2 298a7d306f16",
    _OFFICE + "wordprocessingml.document": "docx-2 66fb66e7a804",
    _OFFICE + "spreadsheetml.sheet": "workbook-1 081ee69f8313",
    _ODF + "text": "odt-1 06b3ede82f17",
    _ODF + "spreadsheet": "open_spreadsheet-2 81d3a3fed382",
    _ODF + "presentation": "open_presentation-1 61707f5ab8e7",
    _ODF + "graphics": "open_presentation-1 61707f5ab8e7",
    "application/vnd.ms-powerpoint": "old_presentation-1 olefile-0.47 d60df7826839",
    "application/vnd.ms-excel": "old_workbook-1 xlrd-2.0.2 olefile-0.47 81d3a3fed382",
    "application/x-spreadsheetml+xml": "excel_xml-1 a3cf259deda4",
    "application/epub+zip": "epub-1 selectolax-1.0.2 cfbe37b96197",
    "application/msword": "doc-1 olefile-0.47 67ea7a019b97",
    "application/rtf": "rtf-1 67ea7a019b97",
    "application/x-ipynb+json": "notebook-1 selectolax-1.0.2 18a736e9464e",
    "application/x-fictionbook+xml": "fictionbook-1 selectolax-1.0.2 89cf18eab586",
}


@pytest.mark.parametrize("mime", VALID)
def test_changed_output_requires_a_new_reader_version(mime: str) -> None:
    (name, data), _ = VALID[mime]
    reader, content = READERS[mime], _read(mime, data, _suffix(name))
    versions = [f"{reader.name}-{reader.version}", *(f"{each}-{version(each)}" for each in reader.libraries)]
    output = repr((content.text, content.title, content.markdown, content.pages))
    digest = hashlib.sha256(output.encode()).hexdigest()[:12]
    hint = "If the same file gives another text, raise the version of the reader."
    assert " ".join([*versions, digest]) == TEXTS[mime], hint
