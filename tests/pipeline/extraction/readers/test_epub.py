"""EPUB books as people have them: names, encodings, order, notes, tables of contents, protection."""

from __future__ import annotations

import io
import zipfile

import pytest

from pipeline.extraction import formats
from pipeline.extraction.content import Content, ExtractError
from pipeline.extraction.readers.epub import EpubReader

_OPF = """<?xml version="1.0"?>
<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"
 version="3.0"><metadata><dc:title>The Rope Walk</dc:title><dc:creator>Ina Hemp</dc:creator>
<dc:creator>Ole Tar</dc:creator>
 <dc:date>2011-05-06T00:00:00Z</dc:date></metadata><manifest>{items}</manifest><spine toc="ncx">{spine}</spine>
</package>"""
_CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
    'full-path="{path}" media-type="application/oebps-package+xml"/></rootfiles></container>'
)
_PAGE = '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops"><head><title/></head><body>{}</body></html>'


def _item(number: int, href: str, more: str = "") -> str:
    return f'<item id="i{number}" href="{href}" media-type="application/xhtml+xml" {more}/>'


def _book(
    chapters: dict[str, str | bytes],
    hrefs: list[str],
    *,
    order: str = "",
    items: str = "",
    files: dict[str, str] | None = None,
) -> bytes:
    spine = order or "".join(f'<itemref idref="i{number}"/>' for number in range(len(hrefs)))
    listed = "".join(_item(number, href) for number, href in enumerate(hrefs)) + items
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("META-INF/container.xml", _CONTAINER.format(path="OPS/book.opf"))
        archive.writestr("OPS/book.opf", _OPF.format(items=listed, spine=spine))
        for name, body in {**chapters, **(files or {})}.items():
            text = _PAGE.format(body) if isinstance(body, str) and name in chapters else body
            archive.writestr(name, text)
    return buffer.getvalue()


def _read(data: bytes) -> Content:
    detected = formats.detect(data, ".epub")
    assert detected.mime == "application/epub+zip"
    return EpubReader().read(data, detected)


def test_names_are_decoded_and_relative_to_the_package_document() -> None:
    data = _book(
        {
            "OPS/Text/part one.xhtml": "<p>First.</p>",
            "OPS/Text/größe.xhtml": "<p>Second.</p>",
            "Other/C.XHTML": "<p>Third.</p>",
        },
        ["Text/part%20one.xhtml", "Text/gr%C3%B6%C3%9Fe.xhtml", "../other/c.xhtml#top"],
    )
    assert _read(data).text == "First.\n\nSecond.\n\nThird."


def test_metadata() -> None:
    content = _read(_book({"OPS/a.xhtml": "<p>First.</p>"}, ["a.xhtml"]))
    assert (content.title, content.author, content.date) == (
        "The Rope Walk",
        "Ina Hemp, Ole Tar",
        "2011-05-06",
    )
    assert content.warnings == ()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "iso8859-2"])
def test_chapters_in_every_encoding(encoding: str) -> None:
    page = _PAGE.format("<p>Żagiel na wietrze.</p>").replace("?>", f' encoding="{encoding}"?>', 1)
    assert _read(_book({"OPS/a.xhtml": page.encode(encoding)}, ["a.xhtml"])).text == "Żagiel na wietrze."


def test_the_spine_gives_the_order_and_chapters_outside_of_it_come_last() -> None:
    order = '<itemref idref="i2" linear="no"/><itemref idref="i1"/><itemref idref="i0"/>'
    data = _book(
        {f"OPS/{name}.xhtml": f"<p>Text {name}.</p>" for name in "abc"},
        [f"{n}.xhtml" for n in "abc"],
        order=order,
    )
    assert _read(data).text == "Text b.\n\nText a.\n\nText c."


def test_notes_and_boxes_are_kept_and_the_marks_are_apart() -> None:
    body = (
        "<p>Hemp is spun<a epub:type='noteref' href='#n'>7</a> here.</p><aside epub:type='footnote' id='n' hidden=''>"
        "<p>Since 1702.</p></aside><aside class='box'><p>Mind the tar.</p></aside><nav><p>See part two.</p></nav>"
    )
    text = _read(_book({"OPS/a.xhtml": body}, ["a.xhtml"])).text
    assert text.split("\n\n") == ["Hemp is spun[7] here.", "Since 1702.", "Mind the tar.", "See part two."]


def test_the_table_of_contents_gives_headings_where_chapters_have_none() -> None:
    ncx = (
        '<ncx xmlns="http://www.daisy.org/z3986/2005/ncx/"><navMap>'
        '<navPoint><navLabel><text>Spinning</text></navLabel><content src="a.xhtml#x"/></navPoint>'
        '<navPoint><navLabel><text>Laying</text></navLabel><content src="b.xhtml"/></navPoint>'
        '<navPoint><navLabel><text>Tarring</text></navLabel><content src="c.xhtml"/></navPoint></navMap></ncx>'
    )
    bodies = {
        "a": "<p>Yarn.</p>",
        "b": "<p>Laying</p><p>Strands.</p>",
        "c": "<h2>Own heading</h2><p>Tar.</p>",
    }
    item = '<item id="ncx" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
    data = _book(
        {f"OPS/{name}.xhtml": body for name, body in bodies.items()},
        [f"{name}.xhtml" for name in bodies],
        items=item,
        files={"OPS/toc.ncx": ncx},
    )
    assert _read(data).text == "# Spinning\n\nYarn.\n\n# Laying\n\nStrands.\n\n## Own heading\n\nTar."


def test_the_navigation_document_is_not_read_as_text() -> None:
    nav = "<nav epub:type='toc'><h1>Contents</h1><ol><li><a href='a.xhtml'>Spinning</a></li></ol></nav>"
    data = _book(
        {"OPS/nav.xhtml": nav, "OPS/a.xhtml": "<h1>Spinning</h1><p>Yarn.</p>"},
        ["a.xhtml"],
        order='<itemref idref="nav"/><itemref idref="i0"/>',
        items='<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
    )
    assert _read(data).text == "# Spinning\n\nYarn."


def _encryption(uri: str) -> dict[str, str]:
    return {
        "META-INF/encryption.xml": '<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container" '
        'xmlns:enc="http://www.w3.org/2001/04/xmlenc#"><enc:EncryptedData><enc:CipherData>'
        f'<enc:CipherReference URI="{uri}"/></enc:CipherData></enc:EncryptedData></encryption>'
    }


def test_encrypted_fonts_do_not_matter_and_encrypted_chapters_are_an_error() -> None:
    chapters: dict[str, str | bytes] = {"OPS/a b.xhtml": "<p>Yarn.</p>"}
    fonts = _book(chapters, ["a%20b.xhtml"], files={"OPS/f.otf": "x", **_encryption("OPS/f.otf")})
    assert _read(fonts).text == "Yarn."
    with pytest.raises(ExtractError, match="protected against copying") as refused:
        _read(_book(chapters, ["a%20b.xhtml"], files=_encryption("OPS/a%20b.xhtml")))
    assert refused.value.category == "corrupt"


def test_a_missing_chapter_and_a_missing_package_document_are_said() -> None:
    content = _read(_book({"OPS/a.xhtml": "<p>Yarn.</p>"}, ["a.xhtml", "lost.xhtml"]))
    assert (content.text, content.warnings) == ("Yarn.", ("1 chapter is missing in the file.",))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        archive.writestr("b.html", "<p>Second.</p>")
        archive.writestr("a.xhtml", "<p>First.</p>")
    content = _read(buffer.getvalue())
    assert content.text == "First.\n\nSecond."
    assert len(content.warnings) == 1
