"""The stored reader versions: what they are made of, and that a changed text needs another one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.metadata import version

import pytest
from test_readers import _ODF, _OFFICE, _PICTURES, VALID, _read, _suffix

from pipeline.extraction import formats
from pipeline.extraction.content import Content
from pipeline.extraction.format_reader import READERS
from pipeline.extraction.text_formats import SOURCE_CODE
from pipeline.extraction.version import current_versions, reader_version, version_for, version_of


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
    "text/x-ssa": "subtitles-2 726f84136032",
    "application/x-subrip": "subtitles-2 726f84136032",
    "text/vtt": "subtitles-2 726f84136032",
    "text/troff": "man-page-1 669499c001d3",
    "text/x-bibtex": "bibtex-1 db0560cf2695",
    "text/x-tex": "latex-6 162c55011a49",
    "text/asciidoc": "asciidoc-6 06b3ede82f17",
    "text/org": "org-4 162c55011a49",
    "text/plain": "text-3 d3e7d13b902e",
    "text/csv": "delimited-3 charset-normalizer-3.5.2 9fe5b0b7e343",
    "text/x-rst": "restructured-text-4 06b3ede82f17",
    **{f"text/x-{language}": "source-code-1 2bb2c9b3a66f" for language in SOURCE_CODE},
    "application/json": "json-4 selectolax-1.0.2 cba2ba6a5696",
    "application/xml": "xml-4 selectolax-1.0.2 ab065e074a58",
    "text/markdown": "markdown-5 selectolax-1.0.2 81b7036740aa",
    "application/docbook+xml": "docbook-4 selectolax-1.0.2 06b3ede82f17",
    "application/vnd.anki": "anki-1 selectolax-1.0.2 cd637645a2f2",
    "application/jats+xml": "jats-1 selectolax-1.0.2 f069c363c717",
    "application/tei+xml": "tei-1 selectolax-1.0.2 f069c363c717",
    "multipart/related": "web-archive-3 selectolax-1.0.2 06b3ede82f17",
    "text/html": "html-6 selectolax-1.0.2 425678c61554",
    "message/rfc822": "email-7 selectolax-1.0.2 09026c7b6f9d",
    "application/pkcs7-mime": "signed-6 selectolax-1.0.2 b48cefababb6",
    "message/x-emlx": "emlx-6 selectolax-1.0.2 835da84f0bf2",
    "application/mbox": "mailbox-6 selectolax-1.0.2 292d00035d65",
    "text/calendar": "calendar-1 selectolax-1.0.2 89dd67bdf414",
    "text/vcard": "contacts-1 1cd1a9a3e3d3",
    "application/vnd.ms-outlook": "outlook-5 olefile-0.47 selectolax-1.0.2 869a48d2a6f9",
    "application/pdf": "pdf-5 pypdf-7.1.0 pypdfium2-5.15.2 cd1e5c66e9e0",
    _OFFICE + "presentationml.presentation": "presentation-5 298a7d306f16",
    _OFFICE + "wordprocessingml.document": "docx-5 66fb66e7a804",
    _OFFICE + "spreadsheetml.sheet": "workbook-6 081ee69f8313",
    _ODF + "text": "odt-4 06b3ede82f17",
    _ODF + "spreadsheet": "open_spreadsheet-5 81d3a3fed382",
    _ODF + "presentation": "open_presentation-3 61707f5ab8e7",
    _ODF + "graphics": "open_presentation-3 61707f5ab8e7",
    "application/vnd.ms-visio.drawing.main+xml": "visio-1 569cdacf7588",
    **dict.fromkeys(
        (f"application/vnd.apple.{name}" for name in ("pages", "numbers", "keynote")), "iwork-1 f069c363c717"
    ),
    "application/vnd.xmind.workbook": "xmind-1 d05094aaa63a",
    "application/vnd.ms-powerpoint": "old_presentation-2 olefile-0.47 d60df7826839",
    "application/vnd.ms-excel": "old_workbook-4 xlrd-2.0.2 olefile-0.47 81d3a3fed382",
    "application/x-spreadsheetml+xml": "excel_xml-4 a3cf259deda4",
    "application/epub+zip": "epub-3 selectolax-1.0.2 cfbe37b96197",
    "application/msword": "doc-4 olefile-0.47 67ea7a019b97",
    "application/rtf": "rtf-4 67ea7a019b97",
    "application/x-ipynb+json": "notebook-2 selectolax-1.0.2 18a736e9464e",
    "application/x-fictionbook+xml": "fictionbook-3 selectolax-1.0.2 89cf18eab586",
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
