"""Word processor files that were made to cost time or memory: each ends quickly, with little text or an error."""

from __future__ import annotations

import random
import struct
import time
from collections.abc import Iterator

import pytest
from support.old_word import OldWord
from support.word_files import content_of, docx, flat_odt, odt, packed, paragraph

from pipeline.extraction.content import ExtractError

_SECONDS = 20  # each takes well under one on a machine of its own
_CHARACTERS = 6_000_000


def _cells(inner: str, depth: int) -> str:
    for _ in range(depth):
        cell = f"<table:table-cell table:number-columns-repeated='100'>{inner}</table:table-cell>"
        inner = f"<table:table><table:table-row table:number-rows-repeated='100'>{cell}</table:table-row></table:table>"
    return inner


def _notes_in_notes() -> bytes:
    """Footnotes whose marks stand in the footnotes."""
    document = OldWord("x\x02\r", footnotes=["\x02" * 40 for _ in range(40)])
    data = bytearray(document.bytes())
    start = 3
    marks = struct.pack("<40I", *range(start, start + 40))
    found = data.find(struct.pack("<2I", 1, 3))
    if found >= 0:
        data[found : found + len(marks)] = marks
    return bytes(data)


def _files() -> Iterator[tuple[str, bytes, str]]:
    note = f'<w:footnote w:id="1">{paragraph("long " * 20_000)}</w:footnote>'
    mark = '<w:p><w:r><w:footnoteReference w:id="1"/></w:r></w:p>'
    yield "one note, many marks", docx(mark * 20_000, footnotes=note), ".docx"
    chunk = docx('<w:altChunk r:id="a"/>' * 5_000, linked={"a": ("aFChunk.html", b"<p>" + b"word " * 50_000)})
    yield "one file inside, many times", chunk, ".docx"
    wide = f"<w:tbl><w:tr>{'<w:tc><w:p/></w:tc>' * 20_000}<w:tc>{paragraph('x')}</w:tc></w:tr>"
    rows = f"<w:tr><w:tc>{paragraph('y')}</w:tc></w:tr>" * 20_000
    yield "a wide table", docx(f"{wide}{rows}</w:tbl>"), ".docx"
    joined = paragraph("a" * 100, "<w:pPr><w:rPr><w:del/></w:rPr></w:pPr>")
    yield "all paragraphs joined", docx(joined * 30_000), ".docx"
    begin = '<w:p><w:r><w:fldChar w:fldCharType="begin"/><w:instrText>x</w:instrText></w:r></w:p>'
    yield "fields without end", docx(begin * 50_000), ".docx"
    deep = "<w:tbl><w:tr><w:tc>" * 120 + paragraph("core") + "</w:tc></w:tr></w:tbl>" * 120
    yield "tables in tables", docx(deep), ".docx"
    yield "repeated cells in repeated cells", odt(_cells("<text:p>ab</text:p>", 20)), ".odt"
    lists = (
        "<text:list><text:list-item>" * 180 + "<text:p>core</text:p>" + "</text:list-item></text:list>" * 180
    )
    yield "lists in lists", flat_odt(lists), ".fodt"
    yield "many spaces", odt("<text:p>a<text:s text:c='999999999'/>b</text:p>" * 5_000), ".odt"
    yield "unended groups", b"{\\rtf1" + b"{\\footnote x" * 4_000, ".rtf"
    yield "a long code", b"{\\rtf1{\\field{\\*\\fldinst " + b"x\\'41" * 300_000, ".rtf"
    yield "names of fonts", b"{\\rtf1{\\fonttbl" + b"{\\f1 x\\'41;}" * 100_000, ".rtf"
    yield "cells and rows", b"{\\rtf1" + b"\\cell\\nestcell\\nestrow" * 50_000 + b"\\row x}", ".rtf"
    yield "notes in notes", _notes_in_notes(), ".doc"


@pytest.mark.parametrize(("data", "suffix"), [pytest.param(*each[1:], id=each[0]) for each in _files()])
def test_costly_documents_end_quickly(data: bytes, suffix: str) -> None:
    begin = time.process_time()
    try:
        content = content_of(data, suffix)
    except ExtractError as error:
        assert error.message.endswith(".")
    else:
        assert len(content.text) < _CHARACTERS
    assert time.process_time() - begin < _SECONDS


@pytest.mark.parametrize("suffix", [".docx", ".odt", ".rtf"])
def test_damaged_documents_end_in_an_error_or_in_text(suffix: str) -> None:
    if suffix == ".docx":
        whole = docx(paragraph("The oar.") * 5, footnotes='<w:footnote w:id="1"/>', styles="<w:style/>")
    elif suffix == ".odt":
        whole = odt("<text:p>The oar.</text:p>" * 5)
    else:
        whole = rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\trowd a\cell b\cell\row{\footnote c}\par\u228?x}"
    chance = random.Random(3)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(chance.randrange(1, 12)):
            data[chance.randrange(6, len(data))] = chance.randrange(256)
        try:
            content = content_of(bytes(data), suffix)
        except ExtractError as error:
            assert error.message.endswith(".")
        except KeyError:
            continue  # it is another format now, which nothing reads
        else:
            assert isinstance(content.text, str)


def test_a_part_that_unpacks_to_too_much_is_refused() -> None:
    files: dict[str, str | bytes] = {"word/document.xml": b" " * (201 << 20), "[Content_Types].xml": "<a/>"}
    with pytest.raises(ExtractError) as refused:
        content_of(packed(files))
    assert refused.value.category == "too_large"
