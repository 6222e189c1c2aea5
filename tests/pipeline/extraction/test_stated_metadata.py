"""What documents and sidecar files state of themselves, format by format."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from pipeline.extraction import extract
from pipeline.extraction.content import ExtractError
from pipeline.extraction.metadata.front_matter import front_matter
from pipeline.extraction.metadata.sidecar import read_sidecar
from pipeline.extraction.metadata.stated import Stated

YAML = """title: "Lease: the workshop"
author:
  - Ann Lee
  - name: Bo Ek
date: 2026-01-31
lang: de-DE
tags: [Rent, "#workshop"]
categories: Home
"""
KNOWN = Stated("Lease: the workshop", ("Ann Lee", "Bo Ek"), "2026-01-31", "de", ("Rent", "workshop", "Home"))
TOML = """title = "Lease: the workshop"
authors = ["Ann Lee", "Bo Ek"]
date = 2026-01-31
language = "German"
[taxonomies]
tags = ["Rent", "workshop", "Home"]
"""
JSON = """{"Title": "Lease: the workshop", "authors": "Ann Lee; Bo Ek", "date": "2026-01-31", "lang": "de",
"keywords": "Rent, workshop, Home"}"""
XMP = b"""<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/"
xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:DateCreated="2026-01-31">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">Lease: the workshop</rdf:li></rdf:Alt></dc:title>
<dc:creator><rdf:Seq><rdf:li>Ann Lee</rdf:li><rdf:li>Bo Ek</rdf:li></rdf:Seq></dc:creator>
<dc:language><rdf:Bag><rdf:li>de</rdf:li></rdf:Bag></dc:language>
<dc:subject><rdf:Bag><rdf:li>Rent</rdf:li><rdf:li>workshop</rdf:li><rdf:li>Home</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>"""
OPF = b"""<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf"><metadata
xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Lease: the workshop</dc:title><dc:creator>Ann Lee</dc:creator>
<dc:creator>Bo Ek</dc:creator><dc:date>2026-01-31</dc:date><dc:language>de</dc:language><dc:subject>Rent</dc:subject>
<dc:subject>workshop</dc:subject><dc:subject>Home</dc:subject></metadata></package>"""


def test_front_matter_in_yaml_and_toml() -> None:
    assert front_matter(f"---\n{YAML}---\n# Text") == KNOWN
    assert (
        front_matter(f"\ufeff+++\r\n{TOML}+++\r\ntext".replace("\n", "\r\n").replace("\r\r", "\r")) == KNOWN
    )
    assert front_matter("---\nno end") == front_matter("# Text") == Stated()
    # No YAML, but people write it.
    assert front_matter("---\ntitle: Notes: a summary\ntags: a, b\n---\n") == Stated(
        "Notes: a summary", tags=("a", "b")
    )
    odd = "---\ntitle: 12\ndate: 2026-13-45\nauthor: [[1]]\ntags: {a: b}\nkeywords: [a, b]\n---\n"
    assert front_matter(odd) == Stated("12", tags=("a", "b"))
    assert front_matter("---\na: &a [x, x]\nb: &b [*a, *a]\ntags: [*b, ok]\n---\n").tags == ("ok",)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.pdf.meta.yaml", YAML.encode()), ("a.pdf.meta.json", JSON.encode()), ("a.pdf.meta.toml", TOML.encode()),
        ("a.xmp", XMP), ("metadata.opf", OPF),
    ],
)  # fmt: skip
def test_sidecars_say_the_same_in_every_form(name: str, data: bytes) -> None:
    assert read_sidecar(name, data) == KNOWN


@pytest.mark.parametrize("name", ["a.meta.yaml", "a.meta.json", "a.meta.toml", "a.xmp"])
@pytest.mark.parametrize("data", [b"", b"[1, 2]", b"<a><b></a>", b"\xff\xfe\x00", b"{" * 5000])
def test_damaged_sidecars_are_refused_with_a_reason(name: str, data: bytes) -> None:
    with pytest.raises(ExtractError, match=r"it has no fields in|its XML is damaged"):
        read_sidecar(name, data)


def _office(core: str) -> bytes:
    """A Word document with these core properties."""
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types"/>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships">'
        f'<Relationship Id="1" Type="{relations}/officeDocument" Target="word/document.xml"/><Relationship Id="2" '
        f'Type="{package}/relationships/metadata/core-properties" Target="core.xml"/></Relationships>',
        "word/document.xml": f'<w:document xmlns:w="{w}"><w:body><w:p><w:r><w:t>Some text.</w:t></w:r></w:p></w:body>'
        "</w:document>",
        "core.xml": f'<cp:coreProperties xmlns:cp="{package}/metadata/core-properties" '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{core}</cp:coreProperties>',
    }  # fmt: skip
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, text in parts.items():
            file.writestr(name, text)
    return buffer.getvalue()


CORE = "<dc:creator>Ann Lee; Bo Ek</dc:creator><cp:keywords>Rent, workshop</cp:keywords><cp:category>Home</cp:category>"
DOCUMENTS = {
    "a.docx": _office(CORE),
    "a.md": f"---\n{YAML}---\n\nSome text.".encode(),
    "a.html": b"""<html><head><meta name="Author" content="Ann Lee"><meta name="author" content="Bo Ek">
        <meta name="keywords" content="Rent, workshop"><meta property="article:tag" content="Home"></head>
        <body><p>Some text.</p></body></html>""",
    "a.eml": b"From: Ann Lee <ann@example.org>, Bo Ek <bo@example.org>\r\nKeywords: Rent, =?utf-8?q?workshop?=\r\n"
    b"X-Gmail-Labels: Home\r\nSubject: x\r\n\r\nSome text.\r\n",
    "a.rst": b"Lease\n=====\n\n:Author: Ann Lee\n:Authors: Bo Ek\n:Tags: Rent, workshop, Home\n\nSome text.\n",
    "a.adoc": b"= Lease\nAnn Lee <ann@example.org>; Bo Ek\n:keywords: Rent, workshop, Home\n\nSome text.\n",
    "a.org": b"#+TITLE: Lease\n#+AUTHOR: Ann Lee, Bo Ek\n#+FILETAGS: :Rent:workshop:Home:\n\nSome text.\n",
    "a.tex": b"\\documentclass{article}\n\\hypersetup{pdfkeywords={Rent, workshop, Home}}\n"
    b"\\author{Ann Lee \\and Bo Ek}\n"
    b"\\begin{document}\nSome text.\n\\end{document}\n",
    "a.rtf": rb"{\rtf1{\info{\author Ann Lee; Bo Ek}{\keywords Rent, workshop, Home}}Some text.}",
    "a.fb2": b"""<?xml version="1.0"?><FictionBook xmlns="http://www.gribuser.ru/xml/fictionbook/2.0"><description>
        <title-info><author><first-name>Ann</first-name><last-name>Lee</last-name></author><author>
        <first-name>Bo</first-name><last-name>Ek</last-name></author><keywords>Rent, workshop, Home</keywords>
        <lang>de</lang></title-info></description><body><section><p>Some text.</p></section></body></FictionBook>""",
}


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_authors_and_tags_of_a_format(name: str) -> None:
    found = extract.extract(name, DOCUMENTS[name], 1 << 20)
    assert (found.authors, found.tags) == (("Ann Lee", "Bo Ek"), ("Rent", "workshop", "Home"))


def test_keywords_of_a_pdf(tmp_path: Path) -> None:
    sample = Path(__file__).parents[3] / "docs" / "samples" / "power-and-heating.pdf"
    import pypdf

    writer = pypdf.PdfWriter(clone_from=sample)
    writer.add_metadata({"/Author": "Ann Lee; Bo Ek", "/Keywords": "Rent; workshop, Home"})
    writer.write(tmp_path / "a.pdf")
    found = extract.extract("a.pdf", (tmp_path / "a.pdf").read_bytes(), 1 << 24)
    assert (found.authors, found.tags) == (("Ann Lee", "Bo Ek"), ("Rent", "workshop", "Home"))
